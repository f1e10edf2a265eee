package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/potluck-share/potluck/app/command"
	"github.com/potluck-share/potluck/app/control"
	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/event"
	"github.com/potluck-share/potluck/app/settings"
	"github.com/potluck-share/potluck/app/shape"
)

// logger writes to w what a user without a window would want to know.
func (c *commands) logger(w io.Writer, level slog.Level) *slog.Logger {
	if c.opts.verbose {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level}))
}

func (c *commands) serve() *cobra.Command {
	return &cobra.Command{
		Use:   "serve",
		Short: "Run without a window until interrupted",
		Args:  command.Args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := context.WithCancel(cmd.Context())
			defer stop()
			return c.runServe(ctx, stop)
		},
	}
}

func (c *commands) runServe(ctx context.Context, stop func()) error {
	chosen, lock, err := claim(ctx, c.opts)
	if err != nil {
		return err
	}
	if lock == nil {
		return fmt.Errorf("%w: Potluck is already running on %s", domain.ErrBusy, c.opts.data)
	}
	// Whoever starts it by a command needs no welcome, now or in a window later,
	// unless a window is to ask where downloads can go: it shares without that.
	if !chosen.Values().Introduced {
		err := chosen.Update(ctx, func(v *domain.Settings) { v.Introduced = true })
		if err != nil && !errors.Is(err, domain.ErrUsage) {
			return errors.Join(err, lock.Release())
		}
	}
	c.opts.serving = true
	run := running{commands: c, bus: event.NewBus(), log: c.logger(c.Err, slog.LevelWarn)}
	// The node outlives ctx for as long as it takes to stop in order.
	if err := run.start(context.WithoutCancel(ctx), chosen, lock, stop, nil); err != nil {
		return errors.Join(err, lock.Release())
	}
	status := run.node.describe()
	if !status.Network {
		run.log.Warn("there is no network; Potluck joins when it comes")
	}
	where := "without a network yet"
	if len(status.Addresses) > 0 {
		where = "on " + strings.Join(status.Addresses, " ")
	}
	err = c.Line(shape.OfStatus(status), fmt.Sprintf("Potluck is ready: %s, %s, %s", status.Name, status.PeerID, where))
	if err == nil {
		<-ctx.Done()
	}
	run.stop() //nolint:contextcheck // ctx has ended; stopping in order takes its own time
	return errors.Join(err, lock.Release())
}

// claim makes the data folder, takes its lock and opens the settings. The lock
// is nil if another Potluck has it.
func claim(ctx context.Context, opts options) (*settings.Settings, *control.Lock, error) {
	if err := os.MkdirAll(opts.data, 0o700); err != nil {
		return nil, nil, fmt.Errorf("%w: the data folder %s: %w", domain.ErrUnwritable, opts.data, err)
	}
	lock, ok, err := acquire(ctx, opts.data)
	if err != nil || !ok {
		return nil, nil, err
	}
	chosen, err := prepare(opts)
	if err != nil {
		return nil, nil, errors.Join(err, lock.Release())
	}
	return chosen, lock, nil
}

// running is a node with its control socket.
type running struct {
	*commands
	bus    *event.Bus
	log    *slog.Logger
	node   *node
	server *control.Server
	// waiting answers before the first start, and is nil otherwise.
	waiting *control.Server
}

// start starts the node, then opens the control socket, so that whoever
// reaches it finds everything there. quit ends the program, raise brings the
// window to the front, nil if there is none.
func (r *running) start(ctx context.Context, chosen *settings.Settings, lock *control.Lock, quit func(), raise raiser) error {
	if err := r.endWaiting(); err != nil { //nolint:contextcheck // the calls that it waits for have contexts of their own
		return err
	}
	n, err := startNode(ctx, r.opts, chosen, r.bus, r.log)
	if err != nil {
		return err
	}
	listener, err := lock.Listen(ctx)
	if err != nil {
		n.close()
		return err
	}
	r.node = n
	r.server = control.Serve(listener, n.handlers(quit, raise), r.log.With("room", "control")) //nolint:contextcheck // calls live until Close, not until the start is over
	return nil
}

// stop closes the socket, then the node.
func (r *running) stop() {
	if r.node == nil {
		if err := r.endWaiting(); err != nil {
			r.log.Error("while stopping", "part", "control socket", "err", err)
		}
		return
	}
	if err := r.server.Close(); err != nil {
		r.log.Error("while stopping", "part", "control socket", "err", err)
	}
	r.node.close()
}
