package command

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/shape"
)

func (c *Commands) peers() *cobra.Command {
	return &cobra.Command{
		Use:   "peers",
		Short: "List who is around",
		Args:  Args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			all, err := collect[shape.Peer](cmd.Context(), c, "peers", struct{}{})
			if err != nil || c.JSON {
				return c.array(all, err)
			}
			rows := make([][]string, len(all))
			for i, p := range all {
				name := p.Name
				if p.LooksLike != "" {
					name = fmt.Sprintf("%s (not your friend %s)", p.Name, p.LooksLike)
				}
				rows[i] = []string{name, presence(p), count(p.Entries, "file"), domain.SizeText(p.Bytes), string(p.PeerID)}
			}
			return c.table([]string{"NAME", "PRESENCE", "SHARES", "SIZE", "PEER ID"}, rows, "Nobody here yet. Open Potluck on another computer on this network.")
		},
	}
}

func presence(p shape.Peer) string {
	switch {
	case p.Online && !p.NearForThem:
		return "here, doesn't count you as nearby yet"
	case p.Online:
		return "here"
	case p.LastSeen == nil:
		return "away"
	default:
		return "away since " + p.LastSeen.Local().Format("2 Jan 15:04")
	}
}

func (c *Commands) connect() *cobra.Command {
	var wait string
	cmd := &cobra.Command{
		Use:   "connect ADDRESS|INVITATION|-",
		Short: "Reach somebody at an address, or accept an invitation; - reads it from standard input",
		Long: `Reach somebody whom this network does not show: at HOST, HOST:PORT or a
multiaddress such as /ip4/192.168.3.7/tcp/17685. Or accept an invitation to
become friends, which is a link that begins with potluck:invite/. With - either
is read from standard input, so that an invitation, which is a secret, is not
seen by other users of this computer.`,
		Args: Args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, words []string) error {
			address := words[0]
			if address == "-" {
				line, err := bufio.NewReader(io.LimitReader(c.In, 2*domain.MaxLink)).ReadString('\n')
				if err != nil && !errors.Is(err, io.EOF) {
					return err
				}
				address = strings.TrimSpace(line)
			}
			if domain.IsLink(address) {
				return c.join(cmd, address, wait)
			}
			return c.Call(cmd.Context(), "connect", shape.ConnectRequest{Address: address}, func(raw json.RawMessage) error {
				var p shape.Peer
				if err := json.Unmarshal(raw, &p); err != nil {
					return err
				}
				text := fmt.Sprintf("Connected to %s (%s).", p.Name, p.PeerID)
				if !p.NearForThem {
					text += fmt.Sprintf("\n%s doesn't count you as nearby yet. Ask %s to, or become friends.", p.Name, p.Name)
				}
				if !p.Near && !p.Friend {
					text += fmt.Sprintf("\nYou don't count %s as nearby; see --nearby.", p.Name)
				}
				return c.Line(raw, text)
			})
		},
	}
	cmd.Flags().StringVar(&wait, "wait", "", "how long to wait until who invited you has confirmed, such as 5m")
	return cmd
}

func (c *Commands) browse() *cobra.Command {
	return &cobra.Command{
		Use:   "browse PEER [FOLDER]",
		Short: "List what somebody shares",
		Args:  Args(cobra.RangeArgs(1, 2)),
		RunE: func(cmd *cobra.Command, words []string) error {
			request := shape.BrowseRequest{Peer: words[0]}
			if len(words) > 1 {
				request.Folder = words[1]
			}
			return c.results(cmd, "browse", request, "Nothing there.")
		},
	}
}

func (c *Commands) search() *cobra.Command {
	request := shape.SearchRequest{}
	cmd := &cobra.Command{
		Use:   "search WORDS...",
		Short: "Search what everyone around shares",
		Args:  Args(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, words []string) error {
			request.Words = strings.Join(words, " ")
			if request.Limit < 0 {
				return fmt.Errorf("%w: --limit must not be negative", domain.ErrUsage)
			}
			return c.results(cmd, "search", request, fmt.Sprintf("No %q among the people around.", request.Words))
		},
	}
	cmd.Flags().IntVar(&request.Limit, "limit", 1000, "how many results at most; 0 for all")
	return cmd
}

// results prints rows as they come.
func (c *Commands) results(cmd *cobra.Command, name string, request any, none string) error {
	var rows [][]string
	err := c.Call(cmd.Context(), name, request, func(raw json.RawMessage) error {
		if c.JSON {
			return c.Line(raw, "")
		}
		var r shape.Result
		if err := json.Unmarshal(raw, &r); err != nil {
			return err
		}
		path, from := r.Path, make([]string, len(r.Providers))
		if r.Kind == "folder" {
			path += "/"
		}
		for i, p := range r.Providers {
			from[i] = p.Name
		}
		rows = append(rows, []string{path, domain.SizeText(r.Size), dateText(r.Modified), strings.Join(from, ", ")})
		return nil
	})
	if err != nil || c.JSON {
		return err
	}
	return c.table([]string{"NAME", "SIZE", "MODIFIED", "FROM"}, rows, none)
}

func dateText(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.Local().Format("2006-01-02 15:04")
}
