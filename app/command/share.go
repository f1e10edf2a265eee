package command

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/shape"
	"github.com/potluck-share/potluck/storage/names"
)

func (c *Commands) share() *cobra.Command {
	var audience string
	cmd := &cobra.Command{
		Use:   "share PATH...",
		Short: "Share files and folders; returns when they are read and announced",
		Args:  Args(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, paths []string) error {
			// An empty variable in a script must not mean everyone.
			if cmd.Flags().Changed("audience") && strings.TrimSpace(audience) == "" {
				return fmt.Errorf("%w: --audience names nobody; give everyone, friends or people", domain.ErrUsage)
			}
			paths, err := absolutes(paths)
			if err != nil {
				return err
			}
			return c.Call(cmd.Context(), "share", shape.ShareRequest{Paths: paths, Audience: audience}, func(raw json.RawMessage) error {
				var s shape.Share
				if err := json.Unmarshal(raw, &s); err != nil {
					return err
				}
				return c.Line(raw, fmt.Sprintf("%s is shared with %s: %s, %s", names.Display(s.Name), names.Display(s.SeenBy()), count(s.Entries, "file"), domain.SizeText(s.Bytes)))
			})
		},
	}
	cmd.Flags().StringVar(&audience, "audience", "", "who may see and fetch it: everyone (nearby), friends, or `people` with commas between them")
	return cmd
}

func (c *Commands) unshare() *cobra.Command {
	return &cobra.Command{
		Use:   "unshare PATH|NAME...",
		Short: "Stop sharing; the files stay where they are",
		Args:  Args(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, typed []string) error {
			paths, err := absolutes(typed)
			if err != nil {
				return err
			}
			listed := make([]string, len(typed))
			for i, name := range typed {
				if filepath.Base(name) == name { // as potluck shares lists it
					listed[i] = name
				}
			}
			return c.Call(cmd.Context(), "unshare", shape.UnshareRequest{Paths: paths, Names: listed}, nil)
		},
	}
}

func absolutes(paths []string) ([]string, error) {
	all := make([]string, len(paths))
	for i, path := range paths {
		if !utf8.ValidString(path) {
			return nil, fmt.Errorf("%w: the name %q is not valid UTF-8, rename it", domain.ErrUsage, path)
		}
		absolute, err := filepath.Abs(path)
		if err != nil {
			return nil, err
		}
		all[i] = absolute
	}
	return all, nil
}

func (c *Commands) shares() *cobra.Command {
	return &cobra.Command{
		Use:   "shares",
		Short: "List what you share",
		Args:  Args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			all, err := collect[shape.Share](cmd.Context(), c, "shares", struct{}{})
			if err != nil || c.JSON {
				return c.array(all, err)
			}
			rows := make([][]string, len(all))
			for i, s := range all {
				state := string(s.State)
				if s.Problem != "" {
					state += ": " + s.Problem
				}
				rows[i] = []string{s.Name, s.SeenBy(), count(s.Entries, "file"), domain.SizeText(s.Bytes), state, s.Path}
			}
			return c.table([]string{"NAME", "WHO SEES IT", "FILES", "SIZE", "STATE", "PATH"}, rows, "You share nothing yet. Share with: potluck share PATH")
		},
	}
}
