package command

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/potluck-share/potluck/app/shape"
)

func (c *Commands) doctor() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor [PEER]",
		Short: "Find out why people, or one person, can't be seen or reached",
		Long: `Find out why people can't be seen or reached, and what helps: it calls out on each
network and listens, looks at the port and has others try to reach this computer.
With PEER it looks for that person. It takes a few seconds.`,
		Args: Args(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, words []string) error {
			var request shape.PeerRequest
			if len(words) > 0 {
				request.Peer = words[0]
			}
			if c.JSON {
				all, err := collect[shape.Finding](cmd.Context(), c, "doctor", request)
				return c.array(all, err)
			}
			return c.Call(cmd.Context(), "doctor", request, func(raw json.RawMessage) error {
				var found shape.Finding
				if err := json.Unmarshal(raw, &found); err != nil {
					return err
				}
				sign := "ok"
				if !found.OK {
					sign = " !"
				}
				text := fmt.Sprintf("%s  %s", sign, found.What)
				if found.Do != "" {
					text += "\n    " + found.Do
				}
				return c.Line(nil, text)
			})
		},
	}
}
