package command

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/potluck-share/potluck/app/control"
	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/shape"
)

func (c *Commands) status() *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Show what is running: name, peer ID, addresses, counts",
		Args:  Args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.Call(cmd.Context(), "status", struct{}{}, func(raw json.RawMessage) error {
				var s shape.Status
				if err := json.Unmarshal(raw, &s); err != nil {
					return err
				}
				if c.JSON {
					return c.Line(raw, "")
				}
				network := ""
				if !s.Network {
					network = "network    none; joins when it comes\n"
				}
				taken := ""
				if s.PortTaken != 0 {
					taken = fmt.Sprintf("port       %d, because another program has %d\n", s.Port, s.PortTaken)
				}
				if s.Hidden {
					network += "hidden     others don't see this computer; end it with: potluck show\n"
				}
				_, err := fmt.Fprintf(c.Out, "name       %s\npeer ID    %s\nversion    %s\ndata       %s\ndownloads  %s\naddresses  %s\n%s%speers      %d online\nshares     %s, %s, %s\n",
					s.Name, s.PeerID, s.Version, s.Data, s.Downloads, strings.Join(s.Addresses, "\n           "),
					taken, network, s.Peers, count(s.Shares, "share"), count(s.Entries, "file"), domain.SizeText(s.Bytes))
				return err
			})
		},
	}
}

func (c *Commands) stop() *cobra.Command {
	return &cobra.Command{
		Use:   "stop",
		Short: "End the running Potluck; downloads continue next time",
		Args:  Args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := c.Call(cmd.Context(), "stop", struct{}{}, nil); err != nil {
				return err
			}
			return c.awaitEnd(cmd.Context())
		},
	}
}

// endTime is how long a stopped Potluck may take to end, and endPause how long one
// waits between two looks.
const (
	endTime  = 10 * time.Second
	endPause = 100 * time.Millisecond
)

// awaitEnd waits until the stopped Potluck has let go of its data folder.
func (c *Commands) awaitEnd(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, endTime)
	defer cancel()
	for {
		lock, ok, err := control.Acquire(c.Data)
		if err != nil {
			return err
		}
		if ok {
			return lock.Release()
		}
		select {
		case <-time.After(endPause):
		case <-ctx.Done():
			return fmt.Errorf("%w: Potluck is still stopping", domain.ErrBusy)
		}
	}
}
