package app

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/potluck-share/potluck/app/control"
	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/shape"
)

// raiser brings the window to the front, to ask what to do with a link if one
// is given. Nil where there is no window.
type raiser func(ctx context.Context, link string) error

// handle answers the call of a second launch.
func (raise raiser) handle(ctx context.Context, r shape.RaiseRequest, _ func(any) error) error {
	if raise == nil && r.Link == "" {
		return fmt.Errorf("%w: Potluck is already running without a window; end it with: potluck stop", domain.ErrBusy)
	}
	if r.Link != "" {
		link, err := domain.ParseLink(r.Link)
		if err != nil {
			return err
		}
		if raise == nil {
			return fmt.Errorf("%w: Potluck is already running without a window; %s", domain.ErrBusy, byCommand(link))
		}
	}
	return raise(ctx, r.Link)
}

// byCommand says how to do without a window what a link is for.
func byCommand(link domain.Link) string {
	if link.Kind == domain.LinkInvite {
		return "accept the invitation with: potluck connect -"
	}
	if link.Kind == domain.LinkPeer && link.Path == "" {
		return "see what they share with: potluck browse PEER"
	}
	link.Name, link.Size = "", 0
	return fmt.Sprintf("download it with: potluck get '%s'", link) // its text is safe within quotes
}

func handleStop(stop func()) control.Handler {
	return control.Typed(func(context.Context, struct{}, func(any) error) error {
		stop()
		return nil
	})
}

// wait opens the control socket of a Potluck that nobody is to notice before
// its window was answered: a second launch raises the window, every command is
// told why nothing happens. quit ends the program.
func (r *running) wait(ctx context.Context, lock *control.Lock, quit func(), raise raiser) error {
	listener, err := lock.Listen(ctx)
	if err != nil {
		return err
	}
	r.waiting = control.Serve(listener, map[string]control.Handler{ //nolint:contextcheck // calls live until Close, not until the start is over
		"stop":  handleStop(quit),
		"raise": control.Typed(raise.handle),
		"": func(context.Context, json.RawMessage, func(any) error) error {
			return fmt.Errorf("%w yet: Potluck waits for its first start in its window", domain.ErrNotRunning)
		},
	}, r.log.With("room", "control"))
	return nil
}

// endWaiting lets go of the control socket, after which whoever calls tries
// again until the node has its own.
func (r *running) endWaiting() error {
	if r.waiting == nil {
		return nil
	}
	waiting := r.waiting
	r.waiting = nil
	return waiting.Close()
}
