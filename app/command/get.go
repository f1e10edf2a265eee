package command

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/shape"
	"github.com/potluck-share/potluck/storage/names"
)

func (c *Commands) get() *cobra.Command {
	var to, wait string
	var only []string
	cmd := &cobra.Command{
		Use:   "get PEER:PATH|CONTENT-ID|LINK...",
		Short: "Download files and folders; returns when they are verified and in place",
		Long: `Download files and folders: "potluck get ana:Holiday" fetches a folder with
all that is in it, "potluck get 'ana:Holiday/img 1.jpg'" one file of it, and
"potluck get ana:Holiday --only '*.jpg'" the pictures in it. What was left out
can be taken in later: potluck choose

It returns when everything is verified and in place. Interrupted, or when the
time of --wait is over, the download goes on by itself.`,
		Args: Args(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, items []string) error {
			c.Interruptible = true
			request := shape.GetRequest{Items: items, Only: only}
			var err error
			if request.Wait, err = parseWait(wait); err != nil {
				return err
			}
			if to != "" {
				if request.To, err = filepath.Abs(to); err != nil {
					return err
				}
			}
			for _, item := range items {
				if _, _, err := shape.ParseItem(item); err != nil {
					return err
				}
			}
			return c.runGet(cmd.Context(), request)
		},
	}
	cmd.Flags().StringVar(&to, "to", "", "`folder` into which it goes; the download folder if not given")
	cmd.Flags().StringVar(&wait, "wait", "", "how `long` to wait, such as 30s or 5m; for as long as it takes if not given")
	cmd.Flags().StringArrayVar(&only, "only", nil, "of folders, fetch only the files that this `pattern` means, such as '*.jpg' or a folder's name (repeatable)")
	return cmd
}

func (c *Commands) runGet(ctx context.Context, request shape.GetRequest) error {
	bar := progressBar{width: terminalWidth(c.Err)}
	err := c.Call(ctx, "get", request, func(raw json.RawMessage) error {
		if c.JSON {
			return c.Line(raw, "")
		}
		var p shape.Progress
		if err := json.Unmarshal(raw, &p); err != nil {
			return err
		}
		if p.State == domain.Done {
			bar.clear(c.Err)
			if p.Reason != "" { // that it was here before
				return c.Line(nil, fmt.Sprintf("%s: %s %s", names.Display(p.Item), p.Reason, p.Path))
			}
			return c.Line(nil, fmt.Sprintf("%s: %s in %s", names.Display(p.Item), domain.SizeText(p.Size), p.Path))
		}
		bar.draw(c.Err, p)
		return nil
	})
	bar.clear(c.Err)
	if ctx.Err() != nil {
		if !c.JSON {
			_, _ = fmt.Fprintln(c.Err, "The download goes on. See: potluck transfers")
		}
		return ctx.Err()
	}
	return err
}

// terminalWidth is the width of w in columns, 0 if it is not a terminal.
func terminalWidth(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return 0
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil || width < 20 {
		return 80
	}
	return width
}

// progressBar draws one line over and over; nothing if width is 0.
type progressBar struct {
	width int
	drawn bool
}

func (b *progressBar) draw(w io.Writer, p shape.Progress) {
	if b.width == 0 {
		return
	}
	text := p.Reason
	if p.State == domain.Running {
		percent, left := 100, ""
		if p.Size > 0 {
			percent = int(100 * p.Done / p.Size)
		}
		if p.Rate > 0 {
			left = ", " + (time.Duration((p.Size-p.Done)/p.Rate) * time.Second).String() + " left"
		}
		text = fmt.Sprintf("%3d %%  %s of %s, %s/s%s", percent, domain.SizeText(p.Done), domain.SizeText(p.Size), domain.SizeText(p.Rate), left)
	} else if text == "" {
		text = string(p.State)
	}
	line := []rune(names.Display(p.Item + ": " + text))
	if len(line) >= b.width {
		line = line[len(line)-b.width+1:] // the end says more than the name
	}
	_, _ = fmt.Fprint(w, "\r"+string(line)+strings.Repeat(" ", b.width-1-len(line)))
	b.drawn = true
}

func (b *progressBar) clear(w io.Writer) {
	if b.drawn {
		_, _ = fmt.Fprint(w, "\r"+strings.Repeat(" ", b.width-1)+"\r")
		b.drawn = false
	}
}

// parseWait reads --wait: 0 or none waits for as long as it takes.
func parseWait(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("%w: --wait %q; write it like 30s or 5m", domain.ErrUsage, text)
	}
	return d, nil
}
