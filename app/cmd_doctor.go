package app

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"
)

func (c *commands) doctor() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor [PEER]",
		Short: "Find out why people, or one person, can't be seen or reached",
		Long: `Find out why people can't be seen or reached, and what helps: it calls out on each
network and listens, looks at the port and has others try to reach this computer.
With PEER it looks for that person. It takes a few seconds.`,
		Args: args(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, words []string) error {
			var request peerRequest
			if len(words) > 0 {
				request.Peer = words[0]
			}
			if c.opts.json {
				all, err := collect[findingShape](cmd.Context(), c, "doctor", request)
				return c.array(all, err)
			}
			return c.call(cmd.Context(), "doctor", request, func(raw json.RawMessage) error {
				var found findingShape
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
				return c.line(nil, text)
			})
		},
	}
}
