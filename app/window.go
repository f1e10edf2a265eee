//go:build !headless

package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/potluck-share/potluck/app/control"
	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/event"
	"github.com/potluck-share/potluck/app/settings"
	"github.com/potluck-share/potluck/app/shape"
	"github.com/potluck-share/potluck/ui"
	"github.com/potluck-share/potluck/ui/desktop"
)

// window opens the window, or brings the one to the front that is open on this
// data folder. It asks there what to do with link, "" for none.
func (c *commands) window(ctx context.Context, link string) error {
	chosen, lock, err := claim(ctx, c.opts)
	if err != nil {
		return err
	}
	if lock == nil {
		return c.Call(ctx, "raise", shape.RaiseRequest{Link: link}, nil)
	}
	return errors.Join(c.runWindow(ctx, chosen, lock, link), lock.Release())
}

// mostRaises is how many links may wait until the window takes them.
const mostRaises = 16

func (c *commands) runWindow(ctx context.Context, chosen *settings.Settings, lock *control.Lock, link string) error {
	ctx, quit := context.WithCancel(ctx)
	defer quit()
	// The file stays open until the process ends: the last words matter most.
	file, err := newLogFile(filepath.Join(c.opts.data, "potluck.log"), maxLog)
	if err != nil {
		return err
	}
	log := c.logger(file, slog.LevelInfo)
	links := make(chan string, mostRaises)
	if link != "" {
		links <- link
	}
	raise := func(_ context.Context, link string) error {
		select {
		case links <- link:
			return nil
		default:
			if link == "" {
				return nil // it is coming to the front already
			}
			return fmt.Errorf("%w: Potluck's window asks about other links first", domain.ErrBusy)
		}
	}
	run := running{commands: c, bus: event.NewBus(), log: log}
	if !chosen.Values().Introduced {
		if err := run.wait(ctx, lock, quit, raise); err != nil {
			log.Error("commands cannot reach this Potluck", "err", err) // and the window will say why
		}
	}
	front := &front{settings: chosen, crash: watchCrashes(c.opts.data, desktop.Describe(), log)}
	return ui.Run(ctx, ui.Core{
		Bus: run.bus, People: peopleFront{front}, Browse: front, Library: libraryFront{front}, Transfers: transfersFront{front}, Offers: offersFront{front}, Networks: networksFront{front}, Doctor: doctorFront{front}, Settings: chosen,
		Program: front, Memory: chosen,
		Version: Version, Background: c.background,
		Start: func(ctx context.Context) error {
			// The node outlives the window for as long as it takes to stop.
			err := run.start(context.WithoutCancel(ctx), chosen, lock, quit, raise)
			if err != nil {
				log.Error("Potluck could not start", "err", err)
				return err
			}
			front.node.Store(run.node)
			run.keepStatus(ctx)
			return nil
		},
		Stop: run.stop,
	}, links)
}

// front is what the window drives. It stands before the node has started, so
// that the window is on screen at once.
type front struct {
	settings *settings.Settings
	crash    string // what the last run left when it crashed, "" if it did not
	node     atomic.Pointer[node]
}

func (f *front) ready() (*node, error) {
	if n := f.node.Load(); n != nil {
		return n, nil
	}
	return nil, domain.Fault(domain.ErrBusy, "Potluck is still starting")
}

func (f *front) People() []domain.Peer {
	if n := f.node.Load(); n != nil {
		return n.people.People()
	}
	return nil
}

// Hide lets this computer vanish from others, or shows it again, as node.Hide.
func (f *front) Hide(ctx context.Context, hidden bool) error {
	n, err := f.ready()
	if err != nil {
		return err
	}
	if err := n.Hide(ctx, hidden); err != nil {
		return err
	}
	event.Publish(n.bus, event.Statuses, "", n.describe())
	return nil
}

// Link tells what a link names.
func (f *front) Link(ctx context.Context, text string) (domain.LinkTarget, error) {
	link, err := domain.ParseLink(text)
	if err != nil {
		return domain.LinkTarget{}, err
	}
	n, err := f.ready()
	if err != nil {
		return domain.LinkTarget{}, err
	}
	return n.target(ctx, link)
}

func (f *front) List(ctx context.Context, peer domain.PeerID, folder string) ([]domain.Result, error) {
	n, err := f.ready()
	if err != nil {
		return nil, err
	}
	return n.browse.List(ctx, peer, folder)
}

func (f *front) Search(ctx context.Context, words string, peer domain.PeerID, limit int, keep func(domain.Entry) bool) ([]domain.Result, error) {
	n, err := f.ready()
	if err != nil {
		return nil, err
	}
	return n.browse.Search(ctx, words, peer, limit, keep)
}

func (f *front) Ask(ctx context.Context, words string, peer domain.PeerID) (bool, error) {
	n, err := f.ready()
	if err != nil {
		return false, err
	}
	return n.browse.Ask(ctx, words, peer)
}

func (f *front) Again(peer domain.PeerID) {
	if n := f.node.Load(); n != nil {
		n.browse.Again(peer)
	}
}

func (f *front) Where(content domain.ContentID) string {
	if n := f.node.Load(); n != nil {
		return n.where(content)
	}
	return ""
}

func (f *front) Peek(ctx context.Context, req domain.PeekRequest) (domain.Peek, error) {
	n, err := f.ready()
	if err != nil {
		return domain.Peek{}, err
	}
	return n.transfers.Peek(ctx, req)
}

// LastCrash returns the report of a run before that ended by a fault.
func (f *front) LastCrash() (report string, ok bool) { return f.crash, f.crash != "" }

// statusEvery is how often the window looks at its own state.
const statusEvery = 2 * time.Second

// keepStatus publishes the status now and whenever it may have changed, until
// the running Potluck stops.
func (r *running) keepStatus(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	var done sync.WaitGroup
	done.Go(func() {
		tick := time.NewTicker(statusEvery)
		defer tick.Stop()
		for {
			event.Publish(r.bus, event.Statuses, "", r.node.describe())
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	})
	r.node.onClose("status", func() error {
		cancel()
		done.Wait()
		return nil
	})
}
