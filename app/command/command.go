// Package command has the commands that reach the running Potluck over its control
// socket and print what it answers. What runs Potluck itself is app's.
//
// Each command is used by one goroutine.
package command

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/potluck-share/potluck/app/control"
	"github.com/potluck-share/potluck/app/domain"
)

// Commands is what the commands have in common: the flags and the streams.
type Commands struct {
	Data string // the data folder
	JSON bool   // print JSON, for programs
	In   io.Reader
	Out  io.Writer
	Err  io.Writer
	// Interruptible is set by commands that a Ctrl-C ends with ExitInterrupted.
	Interruptible bool
}

// All returns the commands. Data and JSON are read when one runs.
func (c *Commands) All() []*cobra.Command {
	return []*cobra.Command{
		c.status(), c.stop(),
		c.share(), c.unshare(), c.shares(),
		c.peers(), c.connect(), c.invite(), c.friend(), c.block(), c.unblock(), c.hide(), c.show(), c.networks(), c.doctor(),
		c.browse(), c.search(), c.get(), c.send(), c.accept(), c.decline(),
		c.transfers(), c.pause(), c.resume(), c.cancel(), c.first(), c.later(), c.choose(), c.limit(),
	}
}

// UsageError is what cobra calls a wrong flag.
func UsageError(cmd *cobra.Command, err error) error {
	return fmt.Errorf("%w: %w; see: %s --help", domain.ErrUsage, err, cmd.CommandPath())
}

// Args wraps cobra's checks of the number of arguments into usage errors that
// show how the command is used.
func Args(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return fmt.Errorf("%w: %w; usage: %s", domain.ErrUsage, err, cmd.UseLine())
		}
		return nil
	}
}

// Call reaches the running Potluck.
func (c *Commands) Call(ctx context.Context, name string, request any, each func(json.RawMessage) error) error {
	client, err := control.Dial(ctx, c.Data)
	if err != nil {
		return err
	}
	return client.Call(ctx, name, request, each)
}

// Line prints one value: as JSON on a line of its own, or as text.
func (c *Commands) Line(value any, text string) error {
	if c.JSON {
		return json.NewEncoder(c.Out).Encode(value)
	}
	_, err := fmt.Fprintln(c.Out, text)
	return err
}

// collect makes a call and gathers the values of its answer.
func collect[T any](ctx context.Context, c *Commands, name string, request any) ([]T, error) {
	all := []T{}
	err := c.Call(ctx, name, request, func(raw json.RawMessage) error {
		var value T
		if err := json.Unmarshal(raw, &value); err != nil {
			return err
		}
		all = append(all, value)
		return nil
	})
	return all, err
}
