package app

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/potluck-share/potluck/app/domain"
)

func (c *commands) transfers() *cobra.Command {
	return &cobra.Command{
		Use:   "transfers",
		Short: "List downloads and uploads",
		Args:  args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			all, err := collect[transferShape](cmd.Context(), c, "transfers", struct{}{})
			if err != nil || c.opts.json {
				return c.array(all, err)
			}
			rows := make([][]string, len(all))
			for i, t := range all {
				percent := 100
				if t.Size > 0 {
					percent = int(100 * t.Done / t.Size)
				}
				state := string(t.State)
				if t.Reason != "" {
					state += ": " + t.Reason
				}
				rows[i] = []string{t.ID, string(t.Kind), t.Name, t.Path, fmt.Sprintf("%d %% of %s", percent, domain.SizeText(t.Size)), state}
			}
			return c.table([]string{"ID", "KIND", "WITH", "WHAT", "DONE", "STATE"}, rows, "Nothing is moving. See what others share with: potluck browse PEER")
		},
	}
}

func (c *commands) pause() *cobra.Command  { return c.eachTransfer("pause", "Pause downloads") }
func (c *commands) resume() *cobra.Command { return c.eachTransfer("resume", "Go on with downloads") }
func (c *commands) cancel() *cobra.Command {
	return c.eachTransfer("cancel", "End downloads and remove what is unfinished")
}

func (c *commands) eachTransfer(name, short string) *cobra.Command {
	return &cobra.Command{
		Use:   name + " ID...|all",
		Short: short,
		Args:  args(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, ids []string) error {
			return c.call(cmd.Context(), name, idsRequest{IDs: ids}, nil)
		},
	}
}
