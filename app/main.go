package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/potluck-share/potluck/app/command"
	"github.com/potluck-share/potluck/app/domain"
)

// Version is this Potluck's own version.
const Version = "0.1.0"

// Main runs the command line, without the program's name, and returns the exit
// code. It must be called from the main goroutine, which the window needs.
func Main(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	c := &commands{Commands: command.Commands{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}}
	root := c.root()
	root.SetArgs(args)
	return c.finish(ctx, root.ExecuteContext(ctx))
}

// commands are those that reach the running Potluck, and those that run it.
type commands struct {
	command.Commands
	opts options
	// background is whether the window stays closed at first.
	background bool
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
		PersistentPreRunE: func(*cobra.Command, []string) error {
			err := c.opts.absolute()
			c.Data = c.opts.data
			if err != nil {
				return err
			}
			return c.opts.check()
		},
		RunE: func(cmd *cobra.Command, words []string) error {
			return c.window(cmd.Context(), strings.Join(words, ""))
		},
	}
	root.SetOut(c.Out)
	root.SetErr(c.Err)
	root.SetFlagErrorFunc(command.UsageError)
	root.CompletionOptions.HiddenDefaultCmd = true
	flags := root.PersistentFlags()
	flags.StringVar(&c.opts.data, "data", "", "`folder` in which Potluck keeps everything of its own")
	flags.StringVar(&c.opts.downloads, "downloads", "", "`folder` into which downloads go, for this run")
	flags.StringVar(&c.opts.name, "name", "", "what others see, for this run")
	flags.StringArrayVar(&c.opts.listen, "listen", nil, "`multiaddress` to listen on (repeatable)")
	flags.StringArrayVar(&c.opts.nearby, "nearby", nil, "count the people of this `network` as nearby, such as 192.168.3.0/24 (repeatable)")
	flags.BoolVar(&c.JSON, "json", false, "print JSON, for programs")
	flags.BoolVar(&c.opts.verbose, "verbose", false, "log more")
	root.Flags().BoolVar(&c.background, "background", false, "start in the tray, without opening the window")
	root.AddCommand(append(c.All(), c.serve())...)
	root.SetHelpCommand(help(root))
	return root
}

// help shows how a command is used.
func help(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Show how a command is used",
		RunE: func(_ *cobra.Command, words []string) error {
			found, rest, err := root.Find(words)
			if err != nil || len(rest) > 0 {
				return noCommand(found, strings.Join(rest, " "))
			}
			found.InitDefaultHelpFlag()
			return found.Help()
		},
	}
}

// noCommand refuses what is no command of above, with the nearest one.
func noCommand(above *cobra.Command, typed string) error {
	hint := fmt.Sprintf("see: %s --help", above.CommandPath())
	above.SuggestionsMinimumDistance = 2 // of letters that differ
	if near := above.SuggestionsFor(typed); len(near) > 0 {
		// What goes on as it was typed is nearer than what is spelt otherwise.
		whole := max(0, slices.IndexFunc(near, func(name string) bool { return strings.HasPrefix(name, typed) }))
		hint = fmt.Sprintf("did you mean: %s %s", above.CommandPath(), near[whole])
	}
	return fmt.Errorf("%w: there is no command %q; %s", domain.ErrUsage, typed, hint)
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
	return noCommand(cmd, args[0])
}

// finish reports err, if any, and returns the exit code that belongs to it.
func (c *commands) finish(ctx context.Context, err error) int {
	if err == nil {
		return command.ExitDone
	}
	if ctx.Err() != nil && c.Interruptible && errors.Is(err, context.Canceled) {
		return command.ExitInterrupted
	}
	kind := domain.ErrorKind(err)
	if c.JSON {
		_ = json.NewEncoder(c.Err).Encode(map[string]string{"error": kind, "message": err.Error()})
	} else {
		// That a request was not understood is plain from what follows.
		_, _ = fmt.Fprintln(c.Err, "potluck:", strings.TrimPrefix(err.Error(), domain.ErrUsage.Error()+": "))
	}
	return command.ExitCode(err)
}
