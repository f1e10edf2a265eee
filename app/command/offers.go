package command

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/shape"
)

func (c *Commands) send() *cobra.Command {
	var request shape.SendRequest
	var wait string
	cmd := &cobra.Command{
		Use:   "send PEER PATH...",
		Short: "Give files and folders to one person, who accepts or declines",
		Long: `Give files and folders to one person, who accepts or declines. Nobody else sees
them. Whoever is away gets them when they are back.

It returns when everything has arrived. Interrupted, or when the time of --wait
is over, the offer stays open until: potluck cancel ID`,
		Args: Args(cobra.MinimumNArgs(2)),
		RunE: func(cmd *cobra.Command, words []string) error {
			c.Interruptible = true
			request.Peer = words[0]
			var err error
			if request.Paths, err = absolutes(words[1:]); err != nil {
				return err
			}
			if len(request.Note) > domain.MaxNote {
				return fmt.Errorf("%w: --note: at most %d bytes", domain.ErrUsage, domain.MaxNote)
			}
			if request.Wait, err = parseWait(wait); err != nil {
				return err
			}
			for _, path := range request.Paths { // a mistake is no offer that failed
				if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
					return fmt.Errorf("%w: there is no %s", domain.ErrNotFound, path)
				}
			}
			said := ""
			return c.Call(cmd.Context(), "send", request, func(raw json.RawMessage) error {
				var now shape.Transfer
				if err := json.Unmarshal(raw, &now); err != nil {
					return err
				}
				text := fmt.Sprintf("%s: %s", now.Path, now.Reason)
				if now.Reason == "" || text == said && !c.JSON {
					return nil
				}
				said = text
				return c.Line(raw, text)
			})
		},
	}
	cmd.Flags().StringVar(&request.Note, "note", "", "a `text` that comes along")
	cmd.Flags().StringVar(&wait, "wait", "", "how `long` to wait, such as 30s or 5m; for as long as it takes if not given")
	return cmd
}

func (c *Commands) accept() *cobra.Command {
	var request shape.AcceptOfferRequest
	cmd := &cobra.Command{
		Use:   "accept ID...|all",
		Short: "Take what somebody sends; for who wants to send what, see: potluck transfers",
		Args:  Args(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, ids []string) error {
			request.IDs = ids
			if request.To != "" {
				var err error
				if request.To, err = filepath.Abs(request.To); err != nil {
					return err
				}
			}
			return c.Call(cmd.Context(), "accept", request, nil)
		},
	}
	cmd.Flags().StringVar(&request.To, "to", "", "`folder` into which it goes; the download folder if not given")
	return cmd
}

func (c *Commands) decline() *cobra.Command {
	return &cobra.Command{
		Use:   "decline ID...|all",
		Short: "Do not take what somebody sends",
		Args:  Args(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, ids []string) error {
			return c.Call(cmd.Context(), "decline", shape.IDsRequest{IDs: ids}, nil)
		},
	}
}
