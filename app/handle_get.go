package app

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/event"
	"github.com/potluck-share/potluck/app/shape"
)

// handleGet begins the downloads of all items and tells their progress until
// all have ended. The downloads go on when the caller goes away.
func (n *node) handleGet(ctx context.Context, r shape.GetRequest, emit func(any) error) error {
	events := n.bus.Subscribe(event.Transfers.Name())
	defer events.Close()
	wanted, problems := n.beginAll(ctx, r)
	wait := ctx
	if r.Wait > 0 {
		var cancel context.CancelFunc
		wait, cancel = context.WithTimeout(ctx, r.Wait)
		defer cancel()
	}
	problems = append(problems, n.follow(ctx, wait, events, wanted, emit))
	return errors.Join(problems...)
}

// beginAll begins the downloads of all items at once, since each may wait for
// somebody to arrive. wanted leads from the transfer's ID to the item.
func (n *node) beginAll(ctx context.Context, r shape.GetRequest) (wanted map[string]string, problems []error) {
	wanted, problems = make(map[string]string), make([]error, len(r.Items))
	ids := make([]string, len(r.Items))
	var all sync.WaitGroup
	for i, item := range r.Items {
		all.Go(func() { ids[i], problems[i] = n.begin(ctx, item, r) })
	}
	all.Wait()
	for i, item := range r.Items {
		if problems[i] != nil {
			problems[i] = fmt.Errorf("%s: %w", item, problems[i])
			continue
		}
		wanted[ids[i]] = item
	}
	return wanted, problems
}

// follow tells the progress of the wanted transfers until all have ended or
// wait has.
func (n *node) follow(ctx, wait context.Context, events *event.Subscription, wanted map[string]string, emit func(any) error) error {
	var problems []error
	latest := make(map[string]domain.Transfer)
	for len(wanted) > 0 {
		batch, err := events.Next(wait)
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			for id, item := range wanted {
				problems = append(problems, waiting(item, latest[id]))
			}
			break
		}
		for _, e := range batch {
			t, ok := event.As(event.Transfers, e)
			item, mine := wanted[t.ID]
			if !ok || !mine {
				continue
			}
			latest[t.ID] = t
			if err := emit(n.progress(item, t)); err != nil {
				return err
			}
			if t.State.Ended() || e.Gone {
				delete(wanted, t.ID)
				problems = append(problems, outcome(item, t))
			}
		}
	}
	return errors.Join(problems...)
}

// waiting says that the time ran out, and how the download goes on.
func waiting(item string, t domain.Transfer) error {
	next := "it goes on by itself"
	if t.State == domain.Paused {
		next = "it goes on with: potluck resume " + t.ID
	}
	if reason := t.Reason.String(); reason != "" {
		next += ". " + reason
	}
	return fmt.Errorf("%w for %s; %s", domain.ErrWaiting, item, next)
}

func (n *node) progress(item string, t domain.Transfer) shape.Progress {
	p := shape.Progress{
		Item: item, ID: t.ID, State: t.State, Done: t.Done, Size: t.Size, Rate: int64(t.Rate), Reason: t.Reason.String(),
	}
	if t.State == domain.Done {
		p.Done, p.Path = t.Size, t.Final
		p.ContentID = n.transfers.Content(t.ID)
	}
	return p
}

func outcome(item string, t domain.Transfer) error {
	switch t.State {
	case domain.Failed:
		kind := domain.ErrorOfKind(t.Failure)
		if kind == nil {
			return fmt.Errorf("%s: %s", item, t.Reason)
		}
		return fmt.Errorf("%s: %w: %s", item, kind, t.Reason)
	case domain.Cancelled:
		return fmt.Errorf("%s: cancelled", item)
	default:
		return nil
	}
}

// begin starts the download of an item, once it is known what it is: for up to
// 5 s somebody may still be arriving.
func (n *node) begin(ctx context.Context, item string, r shape.GetRequest) (id string, err error) {
	want, name, err := shape.ParseItem(item)
	if err != nil {
		return "", err
	}
	want.To, want.Only = r.To, r.Only
	wait, cancel := context.WithTimeout(ctx, lookup)
	defer cancel()
	if name != "" {
		who, err := n.find(wait, name)
		if err != nil {
			return "", err
		}
		want.Peer = who.ID
	}
	for looked := false; ; {
		id, err := n.transfers.Get(ctx, want)
		if !errors.Is(err, domain.ErrNotFound) {
			return id, err
		}
		if n.shown(wait, want.Peer, &want.Path, &looked) {
			return id, err
		}
	}
}
