package library

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/event"
)

// Share offers files and folders to an audience and returns when all of them
// are hashed and stored. What cannot be shared is listed in the report with the
// reason, the rest is shared all the same; what was shared before gets the
// audience. The error is for what concerns all: an audience that cannot be
// meant, a store that fails, or the end of ctx, after which the reading goes on
// by itself.
func (l *Library) Share(ctx context.Context, paths []string, audience domain.Audience) (domain.ShareReport, error) {
	return l.share(ctx, paths, audience, "")
}

// share is Share, or Offer for the ID of an offer.
func (l *Library) share(ctx context.Context, paths []string, audience domain.Audience, offer string) (domain.ShareReport, error) {
	var report domain.ShareReport
	if err := checkAudience(audience); err != nil {
		return report, err
	}
	if len(paths) == 0 {
		return report, fmt.Errorf("share: %w", domain.Fault(domain.ErrUsage, "no path is named"))
	}
	var readings []*reading
	seen := make(map[string]bool)
	for _, path := range paths {
		where, err := l.locate(path)
		if err == nil {
			err = l.accept(where)
		}
		if err != nil {
			report.Problems = append(report.Problems, domain.Problem{Path: path, Err: err})
			continue
		}
		if seen[where.path] {
			continue
		}
		seen[where.path] = true
		sh, already, err := l.register(ctx, where, audience, offer)
		if err != nil {
			return report, fmt.Errorf("share %s: %w", path, err)
		}
		r := &reading{share: sh, path: where.path, already: already, done: make(chan struct{})}
		readings = append(readings, r)
		l.spawn(func() {
			defer close(r.done)
			r.outcome = l.scan(sh, []string{"."})
		}, func() {
			r.outcome.err = context.Canceled
			close(r.done)
		})
	}
	for _, r := range readings {
		select {
		case <-r.done:
		case <-ctx.Done():
			return report, ctx.Err()
		}
		if err := l.conclude(ctx, r, &report); err != nil {
			return report, fmt.Errorf("share %s: %w", r.path, err)
		}
	}
	return report, nil
}

// reading is the first look at something that is to be shared.
type reading struct {
	share   *share
	path    string
	already bool
	done    chan struct{}
	outcome outcome // once done is closed
}

// spawn runs f in a goroutine of the library, or otherwise instead if the
// library is closed.
func (l *Library) spawn(f, otherwise func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		otherwise()
		return
	}
	l.running.Go(f)
}

// conclude adds to the report what became of r. A single file that cannot be
// read was never shared.
func (l *Library) conclude(ctx context.Context, r *reading, report *domain.ShareReport) error {
	report.Problems = append(report.Problems, r.outcome.problems...)
	report.Skipped += r.outcome.skipped
	r.share.storing.Lock() // whoever stopped the reading is through with it then
	l.mu.Lock()
	shown, removed := r.share.shown(), r.share.removed
	l.mu.Unlock()
	r.share.storing.Unlock()
	switch {
	case removed:
		report.Problems = append(report.Problems, domain.Problem{
			Path: r.path, Err: domain.Fault(domain.ErrNotFound, "it is not shared any more"),
		})
	case r.outcome.err != nil && r.outcome.lost:
		report.Problems = append(report.Problems, domain.Problem{Path: r.path, Err: r.outcome.err})
		if !r.already {
			return l.remove(ctx, r.share)
		}
	case r.outcome.err != nil:
		return r.outcome.err
	case r.already:
		report.Already = append(report.Already, shown)
	case !shown.Folder && shown.Entries == 0:
		return l.remove(ctx, r.share)
	default:
		report.Shared = append(report.Shared, shown)
	}
	return nil
}

func checkAudience(a domain.Audience) error {
	switch a.Kind {
	case domain.Everyone, domain.Friends:
		return nil
	case domain.Chosen:
		if len(a.Peers) > 0 && !slices.Contains(a.Peers, "") {
			return nil
		}
		return domain.Fault(domain.ErrUsage, "an audience of chosen people names them")
	default:
		return domain.Fault(domain.ErrUsage, "there is no audience \"%s\"", string(a.Kind))
	}
}

// register finds the share of a place, or makes one. already says which; one
// that was there gets the audience. An offer has its own.
func (l *Library) register(ctx context.Context, where place, audience domain.Audience, offer string) (sh *share, already bool, err error) {
	l.mu.Lock()
	for _, known := range l.shares {
		if known.Path == where.path && known.Offer == offer {
			l.mu.Unlock()
			return known, true, l.setAudience(ctx, known, audience)
		}
	}
	sh = l.add(domain.Share{
		Name: l.nameFor(where.name(), offer), Path: where.path, Folder: where.folder,
		Audience: audience, Offer: offer, Added: l.now(), State: domain.ShareReading,
	})
	l.mu.Unlock()
	if err := l.commit(ctx, sh, delta{}, nil); err != nil {
		l.forget(sh)
		return nil, false, err
	}
	return sh, false, nil
}

// Unshare stops sharing what is named by a share's name or its local path. It
// deletes no file, and stops a reading that is under way. What is not shared is
// told in the error, which wraps domain.ErrNotFound; the others are removed all
// the same.
func (l *Library) Unshare(ctx context.Context, pathsOrNames []string) error {
	var problems []error
	for _, what := range pathsOrNames {
		sh := l.find(what)
		if sh == nil {
			problems = append(problems, fmt.Errorf("%w: %w", domain.Fault(nil, "%s is not shared", what), domain.ErrNotFound))
			continue
		}
		if err := l.remove(ctx, sh); err != nil && !errors.Is(err, errUnshared) {
			problems = append(problems, fmt.Errorf("stop sharing %s: %w", what, err))
		}
	}
	return errors.Join(problems...)
}

// find returns the share of that name or path, nil if there is none.
func (l *Library) find(what string) *share {
	l.mu.Lock()
	defer l.mu.Unlock()
	if sh := l.named(what); sh != nil {
		return sh
	}
	abs, err := filepath.Abs(what)
	if err != nil {
		return nil
	}
	for _, sh := range l.shares {
		if sh.Path == abs && sh.Offer == "" {
			return sh
		}
	}
	return nil
}

// remove takes a share away, in memory and in the store.
func (l *Library) remove(ctx context.Context, sh *share) error {
	sh.storing.Lock()
	defer sh.storing.Unlock()
	s, ok := l.stored(sh)
	if !ok {
		return errUnshared
	}
	l.stop(sh)
	b := domain.CatalogueBatch{DropShares: []string{s.Name}}
	if public(s) {
		if err := l.tellAll(&b, s.Name, false); err != nil {
			return err
		}
	}
	hidden := s
	hidden.State = domain.ShareGone
	l.become(sh, hidden)
	if _, err := l.store.Apply(ctx, b); err != nil {
		l.become(sh, s)
		l.touch(sh, ".") // it stays, and so does what was interrupted
		return err
	}
	l.forget(sh)
	if s.Offer == "" {
		l.changed()
	}
	return nil
}

// stop ends the reading of a share that is under way.
func (l *Library) stop(sh *share) {
	l.mu.Lock()
	defer l.mu.Unlock()
	sh.cancel()
	sh.ctx, sh.cancel = context.WithCancel(l.ctx)
}

// forget takes a share out of memory.
func (l *Library) forget(sh *share) {
	l.mu.Lock()
	defer l.mu.Unlock()
	sh.cancel()
	if sh.removed {
		return
	}
	sh.removed = true
	delete(l.shares, sh.Name)
	if sh.Offer == "" {
		event.Retract(l.bus, event.Shares, sh.Name)
	}
	l.watch.Load().drop(sh)
}

// SetAudience changes who may see and fetch the share of that name.
func (l *Library) SetAudience(ctx context.Context, name string, a domain.Audience) error {
	if err := checkAudience(a); err != nil {
		return err
	}
	l.mu.Lock()
	sh := l.named(name)
	l.mu.Unlock()
	if sh == nil {
		return fmt.Errorf("%w: %w", domain.Fault(nil, "%s is not shared", name), domain.ErrNotFound)
	}
	err := l.setAudience(ctx, sh, a)
	if errors.Is(err, errUnshared) {
		return fmt.Errorf("%w: %w", domain.Fault(nil, "%s is not shared", name), domain.ErrNotFound)
	}
	if err != nil {
		return fmt.Errorf("change who sees %s: %w", name, err)
	}
	return nil
}

func (l *Library) setAudience(ctx context.Context, sh *share, a domain.Audience) error {
	if s, ok := l.stored(sh); ok && s.Audience.Kind == a.Kind && slices.Equal(s.Audience.Peers, a.Peers) {
		return nil
	}
	a.Peers = slices.Clone(a.Peers)
	return l.commit(ctx, sh, delta{}, func(s *domain.Share) { s.Audience = a })
}
