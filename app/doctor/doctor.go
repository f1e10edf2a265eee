// Package doctor is the check-up: it finds out why people cannot be seen or
// reached, and says in words what was found and what helps.
//
// All methods may be called from any goroutine and take a few seconds.
package doctor

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/potluck-share/potluck/app/domain"
)

const (
	// listening is how long what was called out may take to be heard.
	listening = 2500 * time.Millisecond
	// mostAsked is how many people are asked to try whether they reach this
	// machine.
	mostAsked = 3
	// askingTime is how long they are asked at most, one after the other.
	askingTime = 15 * time.Second
)

// Network is what the doctor looks at and asks. Its methods may be called from
// any goroutine.
type Network interface {
	// Ask calls out on all interfaces.
	Ask()
	// Ears tells how calling and listening goes.
	Ears() []domain.Ear
	// TryMe has a peer try whether it can connect to this machine. Errors:
	// domain.ErrVersion, ErrOffline, ErrBusy.
	TryMe(ctx context.Context, peer domain.PeerID) (domain.Reach, error)
	// Reach connects to a peer and waits for its hello. Errors:
	// domain.ErrOffline, ErrVersion, ErrRefused.
	Reach(ctx context.Context, peer domain.PeerID) error
	// Prefixes are this machine's addresses with the lengths of their networks'
	// prefixes.
	Prefixes() []netip.Prefix
	// Near reports whether this machine counts a connected peer as near.
	Near(peer domain.PeerID) bool
}

// Config is what the Doctor needs.
type Config struct {
	Network Network
	People  func() []domain.Peer
	Peer    func(domain.PeerID) (domain.Peer, bool)
	Status  func() domain.Status
	// Reserved reports whether only friends see what is shared on this network.
	Reserved func() bool
	// Alone is true if this machine listens to itself only.
	Alone bool
}

// Doctor is the room.
type Doctor struct{ cfg Config }

// New returns a Doctor.
func New(cfg Config) *Doctor { return &Doctor{cfg: cfg} }

// Check looks at this machine and its networks.
func (d *Doctor) Check(ctx context.Context) []domain.Finding {
	var reach []domain.Finding
	var asking sync.WaitGroup
	asking.Go(func() { reach = d.reach(ctx) })
	ears := d.listen(ctx)
	asking.Wait()
	found := d.networks(ears)
	found = append(found, d.heard(ears)...)
	found = append(found, d.port())
	found = append(found, reach...)
	return append(found, d.chosen()...)
}

// listen calls out and waits for what comes back.
func (d *Doctor) listen(ctx context.Context) []domain.Ear {
	d.cfg.Network.Ask()
	timer := time.NewTimer(listening)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
	return d.cfg.Network.Ears()
}

func good(kind string, what domain.Saying) domain.Finding {
	return domain.Finding{Kind: kind, OK: true, What: what}
}

func bad(kind string, what, do domain.Saying) domain.Finding {
	return domain.Finding{Kind: kind, What: what, Do: do}
}

// networks looks at the interfaces.
func (d *Doctor) networks(ears []domain.Ear) []domain.Finding {
	if d.cfg.Alone {
		return []domain.Finding{good("network", domain.Say("Potluck listens to this computer only, as it was told."))}
	}
	if len(ears) == 0 {
		return []domain.Finding{bad("network", domain.Say("This computer is on no network."),
			domain.Say("Join the Wi-Fi of the others, or plug a cable in."))}
	}
	found := d.public()
	hidden := d.cfg.Status().Hidden
	for _, e := range ears {
		name := e.Interface
		if e.Network.Name != "" {
			name = e.Network.Name
		}
		switch {
		case e.Unaddressed:
			found = append(found, bad("address", domain.Say("On %s this computer has no address that others can reach.", name),
				domain.Say("The network gave none. With just a cable between two computers, set IPv4 to \"link-local only\" on both.")))
		case !e.Sends && !hidden:
			found = append(found, bad("multicast", domain.Say("Potluck can't call out on %s.", name),
				domain.Say("A firewall or a VPN on this computer forbids it. Allow UDP ports 5353 and 17686.")))
		case !e.Echoes && !hidden:
			found = append(found, bad("multicast", domain.Say("What Potluck calls out on %s isn't heard, not even here.", name),
				domain.Say("A firewall on this computer is likely. Allow UDP ports 5353 and 17686.")))
		case !e.Multicast && e.Heard > 0:
			found = append(found, domain.Finding{
				Kind: "multicast", OK: true, What: domain.Say("On %s people are heard by broadcast only: it passes no multicast.", name),
			})
		default:
			found = append(found, good("multicast", domain.Say("Potluck calls out and listens on %s.", name)))
		}
	}
	return found
}

// public looks whether the network gives every computer a public address, so
// that nobody counts as nearby by it.
func (d *Doctor) public() []domain.Finding {
	var v4, private bool
	for _, p := range d.cfg.Network.Prefixes() {
		if a := p.Addr().Unmap(); a.Is4() {
			v4 = true
			private = private || a.IsPrivate() || a.IsLinkLocalUnicast()
		}
	}
	if !v4 || private {
		return nil
	}
	return []domain.Finding{bad("public", domain.Say("This network gives every computer a public address."), domain.Say("Add people as friends to share."))}
}

// heard looks whether anybody is there at all.
func (d *Doctor) heard(ears []domain.Ear) []domain.Finding {
	heard, online := 0, 0
	for _, e := range ears {
		heard += e.Heard
	}
	for _, p := range d.cfg.People() {
		if p.Online {
			online++
		}
	}
	switch {
	case heard == 0 && online == 0 && (len(ears) > 0 || d.cfg.Alone):
		return []domain.Finding{bad("heard", domain.Say("Nobody else was heard."),
			domain.Say("Open Potluck on the other computer. If it is open there, this network keeps its guests apart: connect to an address, or send an invitation."))}
	case heard == 0 && online == 0:
		return nil // the reason was told
	case online == 0:
		return []domain.Finding{bad("heard", domain.Say("Somebody was heard, and nobody can be reached."),
			domain.Say("They may just have gone. If not, a firewall on the other computer is likely."))}
	case online == 1:
		return []domain.Finding{good("heard", domain.Say("One person is here."))}
	}
	return []domain.Finding{good("heard", domain.Say("%s people are here.", online))}
}

// port looks where this machine listens.
func (d *Doctor) port() domain.Finding {
	s := d.cfg.Status()
	switch {
	case s.Port == 0:
		return bad("port", domain.Say("Potluck listens nowhere."), domain.Say("Start it again; if that doesn't help, choose another port in Settings."))
	case s.PortTaken != 0:
		return bad("port", domain.Say("Another program uses port %s. Potluck listens on %s.", number(s.PortTaken), number(s.Port)),
			domain.Say("If a firewall names the port, end the other program and start Potluck again, or choose another port in Settings."))
	}
	return good("port", domain.Say("Potluck listens on port %s.", number(s.Port)))
}

// reach has people try whether they reach this machine.
func (d *Doctor) reach(ctx context.Context) []domain.Finding {
	ctx, cancel := context.WithTimeout(ctx, askingTime)
	defer cancel()
	var failed string
	asked := 0
	for _, p := range d.cfg.People() {
		if !p.Online || p.FarForThem || asked == mostAsked {
			continue
		}
		outcome, err := d.cfg.Network.TryMe(ctx, p.ID)
		if err != nil {
			continue // the next one may know more
		}
		asked++
		if outcome == domain.ReachOK {
			return []domain.Finding{good("reach", domain.Say("%s can reach this computer.", p.Name))}
		}
		failed = p.Name
	}
	if asked == 0 {
		return nil // there is nobody to ask
	}
	return []domain.Finding{bad("reach", domain.Say("%s can't reach this computer: a firewall is likely.", failed),
		domain.Say("Allow port %s, TCP and UDP, in the firewall of this computer.", number(d.cfg.Status().Port)))}
}

// chosen looks at what the user has chosen that keeps others from seeing
// something.
func (d *Doctor) chosen() (found []domain.Finding) {
	found = d.hidden()
	if d.cfg.Status().Unwatched {
		found = append(found, bad("watches", domain.Say("Not all shared folders can be watched, so changes are seen within ten minutes only."),
			domain.Say("Let the system watch more. On Linux that is fs.inotify.max_user_watches.")))
	}
	if d.cfg.Reserved() {
		found = append(found, bad("friends_only", domain.Say("On this network only friends see your shares."), domain.Say("Change that in My shares, or by: potluck networks")))
	}
	return found
}

func (d *Doctor) hidden() []domain.Finding {
	if !d.cfg.Status().Hidden {
		return nil
	}
	return []domain.Finding{bad("hidden", domain.Say("You are hidden, so nobody sees you."), domain.Say("Show yourself, at the foot of the sidebar or by: potluck show"))}
}

// CheckPerson looks why somebody cannot be seen or reached. The error is
// domain.ErrNotFound for somebody who is not known.
func (d *Doctor) CheckPerson(ctx context.Context, id domain.PeerID) ([]domain.Finding, error) {
	who, ok := d.cfg.Peer(id)
	if !ok {
		return nil, domain.Fault(domain.ErrNotFound, "nothing is known of %s", id.Short())
	}
	if who.Blocked {
		return []domain.Finding{bad("blocked", domain.Say("You have blocked %s.", who.Name), domain.Say("Unblock %s to see each other again.", who.Name))}, nil
	}
	if found := d.hidden(); len(found) > 0 {
		return found, nil // and so nobody is dialled, or tries to reach us
	}
	if who.Online {
		return d.here(ctx, who), nil
	}
	return d.away(ctx, who), nil
}

// here looks at somebody who is around.
func (d *Doctor) here(ctx context.Context, who domain.Peer) []domain.Finding {
	found := []domain.Finding{good("person", domain.Say("%s is here.", who.Name))}
	if who.FarForThem {
		found = append(found, bad("far_for_them", domain.Say("%s doesn't count you as nearby yet.", who.Name),
			domain.Say("Ask %s to count your network as nearby in Settings, or become friends.", who.Name)))
		if there, _ := d.elsewhere(hosts(who.Addresses)); there != "" {
			found = append(found, bad("router", domain.Say("You seem to be behind a second router."), domain.Say("Join its Wi-Fi, or add %s as a friend.", who.Name)))
		}
	}
	if !d.cfg.Network.Near(who.ID) && !who.Friend {
		found = append(found, bad("far", domain.Say("You don't count %s as nearby, so %s sees nothing of yours.", who.Name, who.Name),
			domain.Say("Count the network of %s as nearby in Settings, or become friends.", who.Name)))
	}
	if !who.FarForThem {
		switch outcome, err := d.cfg.Network.TryMe(ctx, who.ID); {
		case err == nil && outcome == domain.ReachOK:
			found = append(found, good("reach", domain.Say("%s can reach this computer.", who.Name)))
		case err == nil:
			found = append(found, bad("reach", domain.Say("%s can't reach this computer: a firewall is likely.", who.Name),
				domain.Say("Allow port %s, TCP and UDP, in the firewall of this computer.", number(d.cfg.Status().Port))))
		case errors.Is(err, domain.ErrVersion):
			found = append(found, domain.Finding{Kind: "version", OK: true, What: domain.Say("%s uses an older version of Potluck, which can't try to reach you.", who.Name)})
		}
	}
	return found
}

// away looks for somebody who is not around.
func (d *Doctor) away(ctx context.Context, who domain.Peer) []domain.Finding {
	where := hosts(who.Addresses)
	if len(where) == 0 {
		return []domain.Finding{bad("unknown_address", domain.Say("It isn't known where %s is.", who.Name),
			domain.Say("Open Potluck there, on the same network; or ask for an address or an invitation."))}
	}
	err := d.cfg.Network.Reach(ctx, who.ID)
	switch {
	case err == nil:
		return []domain.Finding{good("person", domain.Say("%s answers.", who.Name))}
	case errors.Is(err, domain.ErrVersion):
		return []domain.Finding{bad("version", domain.Say("%s uses another version of Potluck.", who.Name), domain.Say("Update the older one."))}
	}
	if other, mine := d.elsewhere(where); other != "" {
		return []domain.Finding{bad("subnet", domain.Say("%s was last at %s, which is another network than yours (%s).", who.Name, other, mine),
			domain.Say("Join the same Wi-Fi, or become friends by an invitation."))}
	}
	return []domain.Finding{bad("no_answer", domain.Say("%s's computer doesn't answer at %s.", who.Name, where[0].String()),
		domain.Say("Is it on, and Potluck open there? If so, a firewall there may keep connections out: it is to allow port 17685."))}
}

// elsewhere returns an address and an own network if none of the addresses is on
// an own one.
func (d *Doctor) elsewhere(where []netip.Addr) (other, mine string) {
	for _, p := range d.cfg.Network.Prefixes() {
		for _, a := range where {
			if p.Contains(a) || a.IsLoopback() {
				return "", ""
			}
		}
		if p.Addr().Is4() && mine == "" {
			mine = p.Masked().String()
		}
	}
	if mine == "" {
		return "", ""
	}
	return where[0].String(), mine
}

// hosts returns the IP addresses in multiaddresses.
func hosts(addresses []string) (all []netip.Addr) {
	for _, text := range addresses {
		parts := strings.Split(text, "/")
		if len(parts) < 3 || parts[1] != "ip4" && parts[1] != "ip6" {
			continue
		}
		if a, err := netip.ParseAddr(parts[2]); err == nil {
			all = append(all, a)
		}
	}
	return all
}
