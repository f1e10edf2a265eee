package browse

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/potluck-share/potluck/app/domain"
)

const (
	// pulls is how many catalogues are pulled at once, and strangerPulls how many
	// of them may be those of people who are neither friends nor looked at.
	pulls         = 4
	strangerPulls = 2
	// retry is the pause after a pull that broke off, doubled up to a limit.
	retry    = 2 * time.Second
	retryMax = 2 * time.Minute
	// pullTimeout ends a pull that hangs, and strangerTimeout one that a stranger
	// may be drawing out: half a million entries take a few seconds.
	pullTimeout     = 10 * time.Minute
	strangerTimeout = time.Minute
)

// errSlow ends a pull that takes too long.
var errSlow = errors.New("the list comes too slowly")

// pull starts pulling, or notes that it must be done again. The lock is held.
func (b *Browse) pull(id domain.PeerID, p *peer) {
	if b.ctx == nil || b.ctx.Err() != nil {
		return
	}
	if p.pulling {
		p.again = true
		return
	}
	p.pulling, p.problem = true, domain.Saying{}
	p.settled = make(chan struct{})
	b.publish(id, p)
	ctx := b.ctx
	b.done.Go(func() { b.pullAll(ctx, id) })
}

// pullAll pulls until nothing new is announced, with pauses after failures.
func (b *Browse) pullAll(ctx context.Context, id domain.PeerID) {
	pause := retry
	for tries := 0; ; tries++ {
		announced, rode, err := b.ride(ctx, id)
		if !rode {
			leave, ok := b.enter(ctx, id)
			if !ok {
				return
			}
			announced, err = b.pullOnce(ctx, id)
			leave()
		}
		b.mu.Lock()
		p := b.get(id)
		who, _ := b.cfg.People.Peer(id)
		again := p.again
		p.again = false
		failed := err != nil
		if !failed {
			p.answered = announced
		}
		hopeless := failed && (!who.Online || errors.Is(err, domain.ErrRefused) || errors.Is(err, domain.ErrVersion) ||
			errors.Is(err, domain.ErrTooLarge) || errors.Is(err, domain.ErrMalformed) || errors.Is(err, errSlow) || tries >= 8)
		if failed && ctx.Err() == nil {
			p.problem = problemOf(who.Name, err)
			level := slog.LevelInfo
			if errors.Is(err, domain.ErrNoSpace) || errors.Is(err, domain.ErrTooLarge) {
				level = slog.LevelWarn // the user alone can do something about it
			}
			b.cfg.Log.Log(ctx, level, "a catalogue could not be pulled", "peer", id, "err", err)
		}
		if ctx.Err() != nil || !again && (hopeless || !failed) {
			p.pulling = false
			close(p.settled)
			b.publish(id, p)
			b.mu.Unlock()
			return
		}
		b.mu.Unlock()
		if failed {
			select {
			case <-ctx.Done():
			case <-time.After(pause):
			}
			pause = min(2*pause, retryMax)
		}
	}
}

func problemOf(name string, err error) domain.Saying {
	switch {
	case errors.Is(err, domain.ErrRefused):
		return domain.Say("%s doesn't count you as nearby yet.", name)
	case errors.Is(err, domain.ErrVersion):
		return domain.Say("%s uses another version of Potluck. Update the older one.", name)
	case errors.Is(err, domain.ErrNoSpace):
		return domain.Say("Disk full: no room for %s's list.", name)
	case errors.Is(err, errFull):
		return domain.Say("No room for %s's list beside the others.", name)
	case errors.Is(err, domain.ErrTooLarge):
		return domain.Say("%s's list is too long.", name)
	default:
		return domain.Say("%s's list stopped halfway.", name)
	}
}

// ride takes the changes that came with a head, if they lead from what is known, or
// from before it, to what was announced: then nobody needs to be asked. rode is
// false if they do not.
func (b *Browse) ride(ctx context.Context, id domain.PeerID) (announced domain.Version, rode bool, err error) {
	b.mu.Lock()
	p := b.get(id)
	head, base := p.riding, p.known
	announced = p.head
	p.riding = domain.Head{}
	b.mu.Unlock()
	leads := base.version.Epoch == head.Epoch && base.version.Sequence >= head.Base && head.Newer(base.version)
	if head.Delta == "" || head.Version != announced || !base.complete || !leads {
		return announced, false, nil
	}
	page, err := b.cfg.Puller.UnpackChanges([]byte(head.Delta))
	if err != nil || page.Version != head.Version {
		b.cfg.Log.InfoContext(ctx, "changes that came with an announcement cannot be used", "peer", id, "err", err)
		return announced, false, nil
	}
	taking := &pulled{b: b, id: id, base: base}
	defer b.came(id, size{})
	return announced, true, taking.take(ctx, page)
}

// enter waits for a place for a pull. Strangers have fewer of them, so that
// lists that come slowly do not hold up those of friends.
func (b *Browse) enter(ctx context.Context, id domain.PeerID) (leave func(), ok bool) {
	stranger := !b.wanted(id)
	if stranger {
		select {
		case b.ofStrangers <- struct{}{}:
		case <-ctx.Done():
			return nil, false
		}
	}
	select {
	case b.slots <- struct{}{}:
	case <-ctx.Done():
		if stranger {
			<-b.ofStrangers
		}
		return nil, false
	}
	return func() {
		<-b.slots
		if stranger {
			<-b.ofStrangers
		}
	}, true
}

// pullOnce pulls what changed since the version that is known. announced is what
// was when it began.
func (b *Browse) pullOnce(ctx context.Context, id domain.PeerID) (announced domain.Version, err error) {
	most := pullTimeout
	if !b.wanted(id) {
		most = strangerTimeout
	}
	ctx, cancel := context.WithTimeoutCause(ctx, most, errSlow)
	defer cancel()
	b.mu.Lock()
	peer := b.get(id)
	announced, base := peer.head, peer.known
	b.mu.Unlock()
	defer b.came(id, size{})
	since := base.version
	if !base.complete {
		since = domain.Version{}
	}
	p := &pulled{b: b, id: id, base: base}
	err = b.cfg.Puller.Pull(ctx, id, since, func(page domain.Page) error { return p.take(ctx, page) })
	if err != nil && errors.Is(context.Cause(ctx), errSlow) {
		return announced, errors.Join(errSlow, err)
	}
	return announced, err
}

// pulled is what a pull has brought so far.
type pulled struct {
	b     *Browse
	id    domain.PeerID
	base  *catalogue
	begun bool
	all   size
	pages [][]domain.Entry // of a full pull
	shown int              // of these
	fresh []domain.Page    // of what changed
}

// take takes the next page.
func (p *pulled) take(ctx context.Context, page domain.Page) error {
	if !p.begun && !page.Full {
		p.all = p.base.size()
	}
	for _, c := range page.Changes {
		p.all.add(c.Path)
	}
	if err := p.b.room(ctx, p.id, p.all); err != nil {
		return err
	}
	first, last := !p.begun, page.Next == ""
	p.begun = true
	if !page.Full {
		p.fresh = append(p.fresh, page)
		if last {
			return p.change(ctx)
		}
		return nil
	}
	if err := p.b.cfg.Store.PutPage(ctx, p.id, page, first); err != nil {
		return err
	}
	// The first screen is shown at once, then more at every doubling, since
	// each time everything so far is sorted.
	came := make([]domain.Entry, len(page.Changes))
	for i, c := range page.Changes {
		came[i] = entryOf(c)
	}
	p.pages = append(p.pages, came)
	if p.all.entries >= 2*p.shown || last {
		p.shown = p.all.entries
		p.b.show(p.id, whole(page.Version, last, slices.Concat(p.pages...)))
	}
	return nil
}

// change stores and shows what changed, once all of it is here: changes that
// break off, and begin otherwise the next time, must not pile up in the store.
func (p *pulled) change(ctx context.Context) error {
	var all []domain.Change
	for i, page := range p.fresh {
		if err := p.b.cfg.Store.PutPage(ctx, p.id, page, i == 0); err != nil {
			return err
		}
		all = append(all, page.Changes...)
	}
	p.b.show(p.id, p.base.with(p.fresh[len(p.fresh)-1].Version, true, all))
	return nil
}

// show makes next the catalogue that is in view. One that was whole stays
// until the next is whole too.
func (b *Browse) show(id domain.PeerID, next *catalogue) {
	b.mu.Lock()
	p := b.get(id)
	if !next.complete && p.known.complete {
		b.mu.Unlock()
		return
	}
	p.known = next
	if next.complete {
		p.told = nil
	}
	b.publish(id, p)
	b.mu.Unlock()
	if b.cfg.Changed != nil {
		b.cfg.Changed(id)
	}
}
