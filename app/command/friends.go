package command

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/shape"
	"github.com/potluck-share/potluck/storage/names"
)

func (c *Commands) friend() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "friend",
		Short: "Make friends, who see what you share with friends, wherever they are",
		Args:  Args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return fmt.Errorf("%w: which one? See: %s --help", domain.ErrUsage, cmd.CommandPath())
		},
	}
	cmd.AddCommand(c.friendAdd(), c.friendRemove(), c.friendList(), c.friendWaiting(), c.friendRename(), c.friendAccept())
	return cmd
}

func (c *Commands) friendAdd() *cobra.Command {
	var yes, no bool
	var wait string
	cmd := &cobra.Command{
		Use:   "add PEER",
		Short: "Become friends with somebody: compare words with them, then confirm",
		Long: `Become friends with somebody. Both computers show the same four words if nobody
is in between: compare them with the other person, by eye or by voice, and
confirm on both sides. The other side joins with the same command.

On a terminal it asks whether the words are the same. Elsewhere it prints them
and ends with code 6; run it again with --yes or --no. --yes without having
compared the words trusts whoever answers. For somebody who brings an invitation
of yours there are no words; --yes confirms that it is who you invited.`,
		Args: Args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, words []string) error {
			c.Interruptible = true
			if yes && no {
				return fmt.Errorf("%w: --yes or --no, not both", domain.ErrUsage)
			}
			request := shape.AnswerRequest{Peer: words[0], Yes: yes}
			var err error
			if request.Wait, err = parseWait(wait); err != nil {
				return err
			}
			if no {
				return c.answer(cmd, request)
			}
			now, err := c.introduce(cmd, words[0])
			if err != nil || now.State == domain.IntroductionDone {
				return err
			}
			request.Peer = string(now.PeerID)
			if !yes && now.State != domain.IntroductionWaiting {
				if request.Yes, err = c.same(now); err != nil {
					return err
				}
			}
			request.Yes = request.Yes || now.State == domain.IntroductionWaiting
			return c.answer(cmd, request)
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "confirm without being asked: the words are the same")
	cmd.Flags().BoolVar(&no, "no", false, "decline: the words differ, or you don't want to")
	cmd.Flags().StringVar(&wait, "wait", "", "how long to wait until the other side has confirmed, such as 30s or 5m")
	return cmd
}

// introduce begins or joins an introduction and prints the words.
func (c *Commands) introduce(cmd *cobra.Command, peer string) (now shape.Introduction, err error) {
	err = c.Call(cmd.Context(), "friend add", shape.PeerRequest{Peer: peer}, func(raw json.RawMessage) error {
		now = shape.Introduction{}
		return json.Unmarshal(raw, &now)
	})
	switch {
	case err != nil:
		return now, err
	case now.PeerID == "": // it was over before it could be looked at
		return now, fmt.Errorf("%w: it has ended meanwhile; try again", domain.ErrRefused)
	}
	text := "Words to compare: " + strings.Join(now.Words, " ")
	switch {
	case now.State == domain.IntroductionDone:
		text = fmt.Sprintf("You and %s are friends.", now.Name)
	case now.State == domain.IntroductionInvited || len(now.Words) == 0:
		text = fmt.Sprintf("%s brings an invitation of yours (%s).", now.Name, now.PeerID)
	}
	return now, c.Line(now, text)
}

// same asks whether both computers show the same words. Where nobody can be
// asked it says how to answer.
func (c *Commands) same(now shape.Introduction) (bool, error) {
	if in, ok := c.In.(*os.File); !ok || c.JSON || !term.IsTerminal(int(in.Fd())) {
		return false, fmt.Errorf("%w for you to confirm: if %s's computer shows the same, run: potluck friend add %s --yes; if not: --no",
			domain.ErrWaiting, now.Name, now.PeerID)
	}
	question := "Does %s's computer show the same words? [y/N] "
	if now.State == domain.IntroductionInvited {
		question = "Is %s who you invited? [y/N] "
	}
	if _, err := fmt.Fprintf(c.Err, question, names.Display(now.Name)); err != nil {
		return false, err
	}
	line, err := bufio.NewReader(io.LimitReader(c.In, 1024)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return false, err
	}
	return slices.Contains([]string{"y", "yes"}, strings.ToLower(strings.TrimSpace(line))), nil
}

// answer confirms or declines, and waits for the other side.
func (c *Commands) answer(cmd *cobra.Command, request shape.AnswerRequest) error {
	err := c.Call(cmd.Context(), "friend answer", request, func(raw json.RawMessage) error {
		var now shape.Introduction
		if err := json.Unmarshal(raw, &now); err != nil {
			return err
		}
		switch now.State {
		case domain.IntroductionDone:
			return c.Line(raw, fmt.Sprintf("You and %s are friends.", now.Name))
		case domain.IntroductionWaiting:
			return c.Line(raw, now.Reason)
		}
		return nil // the error says it
	})
	if err == nil && !request.Yes && !c.JSON {
		_, err = fmt.Fprintln(c.Out, "Declined. You are not friends.")
	}
	return err
}

func (c *Commands) friendRemove() *cobra.Command {
	return c.onPeer("remove PEER", "Be friends with somebody no more", "friend remove", "")
}

func (c *Commands) block() *cobra.Command {
	cmd := c.onPeer("block [PEER]", "Want nothing to do with somebody; without PEER: list them", "block", "%s is blocked.")
	cmd.Args = Args(cobra.MaximumNArgs(1))
	block := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, words []string) error {
		if len(words) > 0 {
			return block(cmd, words)
		}
		all, err := collect[shape.Peer](cmd.Context(), c, "blocked", struct{}{})
		if err != nil || c.JSON {
			return c.array(all, err)
		}
		rows := make([][]string, len(all))
		for i, p := range all {
			rows[i] = []string{p.Name, string(p.PeerID)}
		}
		return c.table([]string{"NAME", "PEER ID"}, rows, "You have blocked nobody.")
	}
	return cmd
}

func (c *Commands) unblock() *cobra.Command {
	return c.onPeer("unblock PEER", "Take back a block; who was a friend is one again", "unblock", "%s is not blocked any more.")
}

// onPeer is a command that does one thing with one person; form tells it with
// the name, where there is something to tell.
func (c *Commands) onPeer(use, short, call, form string) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Args: Args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, words []string) error {
			return c.Call(cmd.Context(), call, shape.PeerRequest{Peer: words[0]}, c.printPeer(func(p shape.Peer) string {
				return fmt.Sprintf(form, p.Name)
			}))
		},
	}
}

// printPeer prints a peer, as text by say.
func (c *Commands) printPeer(say func(shape.Peer) string) func(json.RawMessage) error {
	return func(raw json.RawMessage) error {
		var p shape.Peer
		if err := json.Unmarshal(raw, &p); err != nil {
			return err
		}
		return c.Line(raw, say(p))
	}
}

func (c *Commands) friendList() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List your friends",
		Args:  Args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			all, err := collect[shape.Peer](cmd.Context(), c, "friend list", struct{}{})
			if err != nil || c.JSON {
				return c.array(all, err)
			}
			rows := make([][]string, len(all))
			for i, p := range all {
				rows[i] = []string{p.Name, p.Claimed, presence(p), string(p.PeerID)}
			}
			return c.table([]string{"NAME", "CALLS THEMSELVES", "PRESENCE", "PEER ID"}, rows,
				"No friends yet. Add one with: potluck friend add PEER, or invite somebody with: potluck invite")
		},
	}
}

func (c *Commands) friendWaiting() *cobra.Command {
	return &cobra.Command{
		Use:   "waiting",
		Short: "List who asks to be a friend, or was asked",
		Args:  Args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			all, err := collect[shape.Introduction](cmd.Context(), c, "friend waiting", struct{}{})
			if err != nil || c.JSON {
				return c.array(all, err)
			}
			rows := make([][]string, len(all))
			for i, one := range all {
				rows[i] = []string{one.Name, string(one.State), strings.Join(one.Words, " "), one.Reason, string(one.PeerID)}
			}
			return c.table([]string{"NAME", "STATE", "WORDS", "REASON", "PEER ID"}, rows, "Nobody asks to be a friend.")
		},
	}
}

func (c *Commands) friendRename() *cobra.Command {
	return &cobra.Command{
		Use:   "rename PEER [NAME]",
		Short: "Call somebody by a name of your own; without NAME: as they call themselves",
		Args:  Args(cobra.RangeArgs(1, 2)),
		RunE: func(cmd *cobra.Command, words []string) error {
			request := shape.RenameRequest{Peer: words[0]}
			if len(words) > 1 {
				request.Name = words[1]
			}
			return c.Call(cmd.Context(), "friend rename", request, c.printPeer(func(p shape.Peer) string {
				if p.Claimed != "" {
					return fmt.Sprintf("%s (calls themselves %s)", p.Name, p.Claimed)
				}
				return p.Name
			}))
		},
	}
}

func (c *Commands) friendAccept() *cobra.Command {
	return &cobra.Command{
		Use:   "accept PEER SIZE|ask",
		Short: "Accept what a friend sends without asking, up to a size such as 500 MB",
		Args:  Args(cobra.ExactArgs(2)),
		RunE: func(cmd *cobra.Command, words []string) error {
			request := shape.AcceptRequest{Peer: words[0]}
			if words[1] != "ask" {
				var err error
				if request.UpTo, err = domain.ParseSize(words[1]); err != nil {
					return err
				}
			}
			return c.Call(cmd.Context(), "friend accept", request, c.printPeer(func(p shape.Peer) string {
				if p.AcceptUpTo == 0 {
					return fmt.Sprintf("You are asked before anything of %s is accepted.", p.Name)
				}
				return fmt.Sprintf("Up to %s of %s is accepted without asking.", domain.SizeText(p.AcceptUpTo), p.Name)
			}))
		},
	}
}

func (c *Commands) invite() *cobra.Command {
	return &cobra.Command{
		Use:   "invite",
		Short: "Make an invitation to become friends, for one person and 10 minutes",
		Long: `Make an invitation to become friends: a link that one person can use once, within
10 minutes. Whoever has it can ask to be your friend, so pass it on in private.
They accept it with: potluck connect -. Then confirm that it is them with:
potluck friend add PEER.`,
		Args: Args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.Call(cmd.Context(), "invite", struct{}{}, func(raw json.RawMessage) error {
				var made shape.Invitation
				if err := json.Unmarshal(raw, &made); err != nil {
					return err
				}
				text := made.Link
				if made.Expires != nil {
					text += "\nFor one person, until " + made.Expires.Local().Format("15:04") + "."
				}
				return c.Line(raw, text)
			})
		},
	}
}

// join accepts an invitation.
func (c *Commands) join(cmd *cobra.Command, text, wait string) error {
	link, err := domain.ParseLink(text)
	if err != nil {
		return err
	}
	if link.Kind != domain.LinkInvite {
		return fmt.Errorf("%w: the link names what somebody shares; see: potluck get", domain.ErrUsage)
	}
	request := shape.JoinRequest{Link: text}
	if request.Wait, err = parseWait(wait); err != nil {
		return err
	}
	return c.Call(cmd.Context(), "join", request, c.printPeer(func(p shape.Peer) string {
		if p.Friend {
			return fmt.Sprintf("You and %s are friends.", p.Name)
		}
		return fmt.Sprintf("Connected to %s (%s).\nYou are friends as soon as %s confirms.", p.Name, p.PeerID, p.Name)
	}))
}
