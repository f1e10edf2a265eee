// Package networks knows on which networks everyone sees what is shared with
// everyone nearby: on those for which the user has said so. On others only
// friends do.
//
// All methods may be called from any goroutine. Shown and Reserved answer from
// memory.
package networks

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/event"
)

// mostKept is of how many networks an answer is kept.
const mostKept = 500

// passing is how the IDs of networks begin that cannot be told from others: an
// answer for one holds until this machine leaves it.
const passing = "unknown:"

// weak reports whether an ID is one that a network has only until more is known
// of it, or that many have: without a gateway, addresses of the link only.
func weak(id string) bool {
	return strings.HasPrefix(id, passing) || strings.HasPrefix(id, "prefix:fe80:") || strings.HasPrefix(id, "prefix:169.254.")
}

// Config is what Networks needs.
type Config struct {
	// Present returns the networks that this machine is on, without answers.
	Present func() []domain.Network
	// Kept returns the answers of earlier runs, Keep keeps them.
	Kept func() []domain.Network
	Keep func(ctx context.Context, all []domain.Network) error
	// Always is true where nobody can be asked: everyone sees what is shared on
	// networks about which the user has not said anything.
	Always bool
	// Changed is called when something is shown that was not, or the other way
	// round. It must not block.
	Changed func()
	Bus     *event.Bus
	Log     *slog.Logger
}

// Networks is the room. Make one with New.
type Networks struct {
	cfg     Config
	looking sync.Mutex // held while what is present is taken in; taken before mu

	mu      sync.Mutex
	answers map[string]domain.Network
	order   []string         // the IDs in answers, oldest answer first
	present []domain.Network // with their answers
}

// New reads the answers of earlier runs.
func New(cfg Config) *Networks {
	n := &Networks{cfg: cfg, answers: make(map[string]domain.Network)}
	for _, k := range cfg.Kept() {
		n.put(k)
	}
	return n
}

// put keeps an answer in memory. The lock is held, or nobody else knows n.
func (n *Networks) put(k domain.Network) {
	n.order = append(slices.DeleteFunc(n.order, func(id string) bool { return id == k.ID }), k.ID)
	n.answers[k.ID] = k
	if len(n.order) > mostKept {
		delete(n.answers, n.order[0])
		n.order = n.order[1:]
	}
}

// Shown reports whether everyone on a network sees what is shared with everyone
// nearby. "" stands for those who are near by the owner's word.
func (n *Networks) Shown(network string) bool {
	if network == "" {
		return true
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.shown(network)
}

// shown is Shown with the lock held.
func (n *Networks) shown(network string) bool {
	said, ok := n.answers[network]
	return !ok && n.cfg.Always || said.Answer == domain.NetworkShow
}

// Reserved reports whether this machine is on a network on which only friends
// see what is shared.
func (n *Networks) Reserved() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.reserved()
}

// reserved is Reserved with the lock held.
func (n *Networks) reserved() bool {
	return slices.ContainsFunc(n.present, func(p domain.Network) bool { return !n.shown(p.ID) })
}

// Networks returns the networks that this machine is on, and those that the user
// was asked about, present ones first, then by name.
func (n *Networks) Networks() []domain.Network {
	n.mu.Lock()
	defer n.mu.Unlock()
	all := slices.Clone(n.present)
	for id, k := range n.answers {
		if !strings.HasPrefix(id, passing) && !slices.ContainsFunc(all, func(p domain.Network) bool { return p.ID == id }) {
			all = append(all, k)
		}
	}
	slices.SortFunc(all, func(a, b domain.Network) int {
		if a.Present != b.Present {
			if a.Present {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	return all
}

// Look takes in which networks are present now. The first one ever is shown: the
// user has said at the first launch who is to see what is shared.
func (n *Networks) Look(ctx context.Context) {
	n.looking.Lock()
	defer n.looking.Unlock()
	now := n.cfg.Present()
	n.mu.Lock()
	before, was := n.present, n.reserved()
	keep := false
	for i := range now {
		p := &now[i]
		p.Present = true
		known, answered := n.answers[p.ID]
		if first := n.first(); !answered && (first || n.cfg.Always) {
			p.Answer = domain.NetworkShow
			n.put(*p)
			keep = keep || !strings.HasPrefix(p.ID, passing)
		} else {
			p.Answer = known.Answer
		}
	}
	n.present = now
	for id := range n.answers { // one that cannot be told from others is new each time
		if strings.HasPrefix(id, passing) && !slices.ContainsFunc(now, func(p domain.Network) bool { return p.ID == id }) {
			delete(n.answers, id)
			n.order = slices.DeleteFunc(n.order, func(other string) bool { return other == id })
		}
	}
	changed := was != n.reserved() || !slices.Equal(before, now)
	n.mu.Unlock()
	for _, p := range before {
		if !slices.ContainsFunc(now, func(other domain.Network) bool { return other.ID == p.ID }) {
			event.Retract(n.cfg.Bus, event.Networks, p.ID)
		}
	}
	for _, p := range now {
		event.Publish(n.cfg.Bus, event.Networks, p.ID, p)
	}
	if keep {
		if err := n.keep(ctx); err != nil {
			n.cfg.Log.Warn("on which networks shares are shown could not be kept", "err", err)
		}
	}
	if changed {
		n.cfg.Changed()
	}
}

// first reports whether nothing was said about any network yet that would be
// known again. The lock is held.
func (n *Networks) first() bool {
	for id := range n.answers {
		if !weak(id) {
			return false
		}
	}
	return true
}

// Renamed takes it that a network has turned out to be another by name: what was
// said about it stays.
func (n *Networks) Renamed(old, id string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	said, ok := n.answers[old]
	if _, known := n.answers[id]; ok && !known {
		said.ID = id
		n.put(said)
	}
	delete(n.answers, old)
	n.order = slices.DeleteFunc(n.order, func(other string) bool { return other == old })
}

// Answer says whether everyone on a network is to see what is shared with
// everyone nearby. The error is domain.ErrNotFound for one that is not known,
// ErrUsage for an unknown answer.
func (n *Networks) Answer(ctx context.Context, id string, answer domain.NetworkAnswer) error {
	if answer != domain.NetworkShow && answer != domain.NetworkFriends {
		return domain.Fault(domain.ErrUsage, "say show or friends, not \"%s\"", string(answer))
	}
	n.mu.Lock()
	said, known := n.answers[id]
	for i := range n.present {
		if p := &n.present[i]; p.ID == id {
			p.Answer = answer
			said, known = *p, true
		}
	}
	if !known {
		n.mu.Unlock()
		return domain.Fault(domain.ErrNotFound, "there is no network \"%s\"; see: potluck networks", id)
	}
	said.Answer = answer
	n.put(said)
	if said.Present {
		event.Publish(n.cfg.Bus, event.Networks, id, said)
	}
	n.mu.Unlock()
	err := n.keep(ctx)
	n.cfg.Changed()
	return err
}

// keep writes the answers.
func (n *Networks) keep(ctx context.Context) error {
	n.mu.Lock()
	var all []domain.Network
	for _, id := range n.order {
		if k := n.answers[id]; !strings.HasPrefix(id, passing) {
			k.Present = false
			all = append(all, k)
		}
	}
	n.mu.Unlock()
	if err := n.cfg.Keep(ctx, all); err != nil {
		return fmt.Errorf("keeping the networks: %w", err)
	}
	return nil
}
