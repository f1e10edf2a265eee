package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/potluck-share/potluck/app/control"
	"github.com/potluck-share/potluck/app/domain"
)

// Version is this Potluck's own version.
const Version = "0.1.0"

// The exit codes, the same for all commands; of several items the highest.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitNotRunning  = 3
	exitNotFound    = 4
	exitRefused     = 5
	exitWaiting     = 6
	exitInterrupted = 130
)

// Main runs the command line, without the program's name, and returns the exit
// code. It must be called from the main goroutine, which the window needs.
func Main(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	c := &commands{in: os.Stdin, out: os.Stdout, err: os.Stderr}
	root := c.root()
	root.SetArgs(args)
	return c.finish(ctx, root.ExecuteContext(ctx))
}

// commands is what the commands have in common: the flags and the streams.
type commands struct {
	opts options
	in   io.Reader
	out  io.Writer
	err  io.Writer
	// background is whether the window stays closed at first.
	background bool
	// interruptible is set by commands that a Ctrl-C ends with code 130.
	interruptible bool
}

func (c *commands) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "potluck",
		Short: "Share files with the people around you",
		Long: `Potluck shares files with the people around you: no server, no account.

Without a command it opens the window; if one is open, it comes to the front.
With a link, "potluck potluck:…", the window asks what to do with it.
With a command it talks to the Potluck that is running.`,
		Version:           Version,
		Args:              c.linkOrNothing,
		SilenceErrors:     true,
		SilenceUsage:      true,
		DisableAutoGenTag: true,
		PersistentPreRunE: func(*cobra.Command, []string) error { return c.opts.absolute() },
		RunE: func(cmd *cobra.Command, words []string) error {
			return c.window(cmd.Context(), strings.Join(words, ""))
		},
	}
	root.SetOut(c.out)
	root.SetErr(c.err)
	root.SetFlagErrorFunc(usageError)
	root.CompletionOptions.HiddenDefaultCmd = true
	flags := root.PersistentFlags()
	flags.StringVar(&c.opts.data, "data", "", "`folder` in which Potluck keeps everything of its own")
	flags.StringVar(&c.opts.downloads, "downloads", "", "`folder` into which downloads go, for this run")
	flags.StringVar(&c.opts.name, "name", "", "what others see, for this run")
	flags.StringArrayVar(&c.opts.listen, "listen", nil, "`multiaddress` to listen on (repeatable)")
	flags.StringArrayVar(&c.opts.nearby, "nearby", nil, "count the people of this `network` as nearby, such as 192.168.3.0/24 (repeatable)")
	flags.BoolVar(&c.opts.json, "json", false, "print JSON, for programs")
	flags.BoolVar(&c.opts.verbose, "verbose", false, "log more")
	root.Flags().BoolVar(&c.background, "background", false, "start in the tray, without opening the window")
	root.AddCommand(
		c.serve(), c.status(), c.stop(),
		c.share(), c.unshare(), c.shares(),
		c.peers(), c.connect(), c.invite(), c.friend(), c.block(), c.unblock(), c.hide(), c.show(), c.networks(), c.doctor(),
		c.browse(), c.search(), c.get(), c.send(), c.accept(), c.decline(),
		c.transfers(), c.pause(), c.resume(), c.cancel(), c.first(), c.later(), c.choose(), c.limit(),
	)
	return root
}

// linkOrNothing refuses words that are no command, with the nearest one, but
// for a link.
func (c *commands) linkOrNothing(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if domain.IsLink(args[0]) {
		if len(args) > 1 {
			return fmt.Errorf("%w: one link at a time", domain.ErrUsage)
		}
		_, err := domain.ParseLink(args[0])
		return err
	}
	hint := "see: potluck --help"
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		hint = fmt.Sprintf("did you mean: potluck %s", near[0])
	}
	return fmt.Errorf("%w: there is no command %q; %s", domain.ErrUsage, args[0], hint)
}

func usageError(cmd *cobra.Command, err error) error {
	return fmt.Errorf("%w: %w; see: %s --help", domain.ErrUsage, err, cmd.CommandPath())
}

// args wraps cobra's checks of the number of arguments into usage errors that
// show how the command is used.
func args(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return fmt.Errorf("%w: %w; usage: %s", domain.ErrUsage, err, cmd.UseLine())
		}
		return nil
	}
}

// finish reports err, if any, and returns the exit code that belongs to it.
func (c *commands) finish(ctx context.Context, err error) int {
	if err == nil {
		return exitDone
	}
	if ctx.Err() != nil && c.interruptible && errors.Is(err, context.Canceled) {
		return exitInterrupted
	}
	kind := domain.ErrorKind(err)
	if c.opts.json {
		_ = json.NewEncoder(c.err).Encode(map[string]string{"error": kind, "message": err.Error()})
	} else {
		// That a request was not understood is plain from what follows.
		_, _ = fmt.Fprintln(c.err, "potluck:", strings.TrimPrefix(err.Error(), domain.ErrUsage.Error()+": "))
	}
	return exitCode(err)
}

func exitCode(err error) int {
	for _, k := range []struct {
		kind error
		code int
	}{
		{domain.ErrWaiting, exitWaiting},
		{domain.ErrRefused, exitRefused},
		{domain.ErrNotFound, exitNotFound},
		{domain.ErrNotRunning, exitNotRunning},
		{domain.ErrUsage, exitUsage},
	} {
		if errors.Is(err, k.kind) {
			return k.code
		}
	}
	return exitFailed
}

// call reaches the running Potluck.
func (c *commands) call(ctx context.Context, name string, request any, each func(json.RawMessage) error) error {
	client, err := control.Dial(ctx, c.opts.data)
	if err != nil {
		return err
	}
	return client.Call(ctx, name, request, each)
}

// line prints one value: as JSON on a line of its own, or as text.
func (c *commands) line(value any, text string) error {
	if c.opts.json {
		return json.NewEncoder(c.out).Encode(value)
	}
	_, err := fmt.Fprintln(c.out, text)
	return err
}

// collect makes a call and gathers the values of its answer.
func collect[T any](ctx context.Context, c *commands, name string, request any) ([]T, error) {
	all := []T{}
	err := c.call(ctx, name, request, func(raw json.RawMessage) error {
		var value T
		if err := json.Unmarshal(raw, &value); err != nil {
			return err
		}
		all = append(all, value)
		return nil
	})
	return all, err
}
