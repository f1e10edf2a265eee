package command

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/shape"
)

func (c *Commands) networks() *cobra.Command {
	return &cobra.Command{
		Use:   "networks [NETWORK show|friends]",
		Short: "List networks and who sees what you share there, or change that",
		Long: `List the networks that this computer is on, and those about which you were asked,
or say who sees what is shared with everyone nearby on one of them: everyone
("show"), or friends only ("friends").`,
		Args: Args(cobra.MaximumNArgs(2)),
		RunE: func(cmd *cobra.Command, words []string) error {
			switch len(words) {
			case 1:
				return fmt.Errorf("%w: show or friends? See: %s --help", domain.ErrUsage, cmd.CommandPath())
			case 2:
				return c.Call(cmd.Context(), "network", shape.NetworkRequest{Network: words[0], Answer: domain.NetworkAnswer(words[1])}, nil)
			}
			all, err := collect[shape.Network](cmd.Context(), c, "networks", struct{}{})
			if err != nil || c.JSON {
				return c.array(all, err)
			}
			rows := make([][]string, len(all))
			for i, n := range all {
				here, who := "", "everyone"
				if n.Present {
					here = "here"
				}
				switch n.Answer {
				case domain.NetworkFriends:
					who = "friends"
				case domain.NetworkUnasked:
					who = "friends, until you say otherwise"
				case domain.NetworkShow:
				}
				rows[i] = []string{n.Name, here, who, n.ID}
			}
			return c.table([]string{"NETWORK", "", "WHO SEES YOUR SHARES", "ID"}, rows, "There is no network.")
		},
	}
}
