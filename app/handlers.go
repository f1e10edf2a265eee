package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/potluck-share/potluck/app/control"
	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/shape"
	"github.com/potluck-share/potluck/net/host"
)

// lookup is how long a name may take to become known: somebody may just be
// arriving.
const lookup = 5 * time.Second

// handlers are the calls that the control socket answers. stop ends the
// program; raise brings the window to the front, nil if there is none.
func (n *node) handlers(stop func(), raise raiser) map[string]control.Handler {
	return map[string]control.Handler{
		"status":  control.Typed(n.handleStatus),
		"share":   control.Typed(n.handleShare),
		"unshare": control.Typed(n.handleUnshare),
		"shares":  control.Typed(n.handleShares),
		"peers":   control.Typed(n.handlePeers),
		"connect": control.Typed(n.handleConnect),

		"invite":         control.Typed(n.handleInvite),
		"join":           control.Typed(n.handleJoin),
		"friend add":     control.Typed(n.handleAddFriend),
		"friend answer":  control.Typed(n.handleAnswerFriend),
		"friend remove":  control.Typed(n.handleRemoveFriend),
		"friend rename":  control.Typed(n.handleRename),
		"friend accept":  control.Typed(n.handleAcceptUpTo),
		"friend list":    control.Typed(n.handleFriends),
		"friend waiting": control.Typed(n.handleIntroductions),
		"block":          control.Typed(n.handleBlock),
		"unblock":        control.Typed(n.handleUnblock),
		"blocked":        control.Typed(n.handleBlocked),

		"doctor":   control.Typed(n.handleDoctor),
		"networks": control.Typed(n.handleNetworks),
		"network":  control.Typed(n.handleAnswerNetwork),

		"browse":    control.Typed(n.handleBrowse),
		"search":    control.Typed(n.handleSearch),
		"get":       control.Typed(n.handleGet),
		"send":      control.Typed(n.handleSend),
		"accept":    control.Typed(n.handleAccept),
		"decline":   control.Typed(n.handleDecline),
		"transfers": control.Typed(n.handleTransfers),
		"pause":     control.Typed(n.eachTransfer(n.transfers.Pause, unended)),
		"resume":    control.Typed(n.eachTransfer(n.resumeTransfers, unfinished)),
		"cancel":    control.Typed(n.eachTransfer(n.cancelTransfers, unended)),
		"first":     control.Typed(n.eachTransfer(n.transfers.First, unended)),
		"later":     control.Typed(n.eachTransfer(n.transfers.Later, unended)),
		"choose":    control.Typed(n.handleChoose),
		"limit":     control.Typed(n.handleLimit),
		"hide":      control.Typed(n.handleHide),
		"stop":      handleStop(stop),
		"raise":     control.Typed(raise.handle),
	}
}

// emitAll emits each of all in the shape that commands print.
func emitAll[T, S any](all []T, shape func(T) S, emit func(any) error) error {
	for _, one := range all {
		if err := emit(shape(one)); err != nil {
			return err
		}
	}
	return nil
}

// describe is the status of the running Potluck.
func (n *node) describe() domain.Status {
	s := domain.Status{
		PeerID: n.host.ID(), Name: n.settings.Values().Name, Version: Version,
		Data: n.opts.data, Downloads: n.settings.Values().Downloads,
		Addresses: n.host.Addresses(), Network: n.networkUp(),
		Hidden: n.hidden.Load(), Unwatched: n.library.Unwatched(), Free: n.room.free(n.settings.Values().Downloads),
	}
	tcp, udp := n.host.Ports()
	s.Port = cmp.Or(tcp, udp)
	if n.port != 0 && s.Port != 0 && s.Port != n.port {
		s.PortTaken = n.port
	}
	for _, p := range n.people.People() {
		if p.Online {
			s.Peers++
		}
	}
	for _, share := range n.library.Shares() {
		s.Shares++
		s.Entries += share.Entries
		s.Bytes += share.Bytes
	}
	return s
}

func (n *node) handleStatus(_ context.Context, _ struct{}, emit func(any) error) error {
	return emit(shape.OfStatus(n.describe()))
}

func (n *node) handleShare(ctx context.Context, r shape.ShareRequest, emit func(any) error) error {
	audience, err := n.audience(r.Audience)
	if err != nil {
		return err
	}
	report, err := n.library.Share(ctx, r.Paths, audience)
	if err != nil {
		return err
	}
	if err := emitAll(append(report.Shared, report.Already...), n.shareShape, emit); err != nil {
		return err
	}
	problems := make([]error, len(report.Problems))
	for i, p := range report.Problems {
		problems[i] = p
	}
	if len(report.Shared)+len(report.Already) > 0 {
		problems = append(problems, n.gossip.Flush(ctx))
	}
	return errors.Join(problems...)
}

// shareShape gives the form of a share.
func (n *node) shareShape(s domain.Share) shape.Share {
	return shape.OfShare(s, func(id domain.PeerID) string {
		who, _ := n.people.Peer(id)
		return cmp.Or(who.Name, id.Short())
	})
}

// audience reads what --audience says; the default from the settings if it
// says nothing.
func (n *node) audience(text string) (domain.Audience, error) {
	switch kind := domain.AudienceKind(text); kind {
	case "":
		return n.settings.Values().Audience, nil
	case domain.Everyone, domain.Friends:
		return domain.Audience{Kind: kind}, nil
	}
	chosen := domain.Audience{Kind: domain.Chosen}
	for name := range strings.SplitSeq(text, ",") {
		name = strings.TrimSpace(name)
		if host.ValidPeer(domain.PeerID(name)) {
			chosen.Peers = append(chosen.Peers, domain.PeerID(name))
			continue
		}
		who, err := n.people.Find(name)
		if err != nil {
			return domain.Audience{}, fmt.Errorf("the audience: %w", err)
		}
		chosen.Peers = append(chosen.Peers, who.ID)
	}
	return chosen, nil
}

func (n *node) handleUnshare(ctx context.Context, r shape.UnshareRequest, _ func(any) error) error {
	var problems []error
	for i, what := range r.Paths {
		err := n.library.Unshare(ctx, []string{what})
		if errors.Is(err, domain.ErrNotFound) && i < len(r.Names) && r.Names[i] != "" {
			err = n.library.Unshare(ctx, []string{r.Names[i]})
		}
		problems = append(problems, err)
	}
	return errors.Join(errors.Join(problems...), n.gossip.Flush(ctx))
}

func (n *node) handleShares(_ context.Context, _ struct{}, emit func(any) error) error {
	return emitAll(n.library.Shares(), n.shareShape, emit)
}

func (n *node) handlePeers(_ context.Context, _ struct{}, emit func(any) error) error {
	return emitAll(n.people.People(), shape.OfPeer, emit)
}

func (n *node) handleConnect(ctx context.Context, r shape.ConnectRequest, emit func(any) error) error {
	who, err := n.people.Connect(ctx, r.Address)
	if err != nil {
		return err
	}
	return emit(shape.OfPeer(who))
}

// find waits for a peer to become known and, if it is around, for its present
// catalogue. The context bounds the wait.
func (n *node) find(ctx context.Context, name string) (domain.Peer, error) {
	for {
		who, err := n.people.Find(name)
		if err == nil || !errors.Is(err, domain.ErrNotFound) {
			if err == nil && who.Online {
				if !n.people.Welcome(who.ID) {
					if rest(ctx) {
						continue // it may only just be hearing of us
					}
					return who, farError(who)
				}
				n.browse.Settle(ctx, who.ID)
			}
			return who, err
		}
		if !rest(ctx) {
			return domain.Peer{}, err
		}
	}
}

func farError(who domain.Peer) error {
	return fmt.Errorf("%w: %s doesn't count you as nearby yet. Ask %s to, or become friends", domain.ErrRefused, who.Name, who.Name)
}

// rest waits a moment between two looks; false when ctx has ended.
func rest(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(100 * time.Millisecond):
		return true
	}
}

// shown rests before a path that was not found is looked for again, and makes it
// what is shown so, if anything is. That takes a while for a large list, so it
// is looked at once, and at the end of wait. over is true if all was tried.
func (n *node) shown(wait context.Context, peer domain.PeerID, path *string, looked *bool) (over bool) {
	over = !rest(wait)
	if !over && *looked {
		return false
	}
	*looked = true
	if found := n.browse.Shown(peer, *path); found != *path {
		*path = found
		return false
	}
	return over
}

func (n *node) handleBrowse(ctx context.Context, r shape.BrowseRequest, emit func(any) error) error {
	wait, cancel := context.WithTimeout(ctx, lookup)
	defer cancel()
	who, err := n.find(wait, r.Peer)
	if err != nil {
		return err
	}
	for looked := false; ; {
		rows, err := n.browse.List(ctx, who.ID, r.Folder)
		if errors.Is(err, domain.ErrNotFound) && !n.shown(wait, who.ID, &r.Folder, &looked) {
			continue
		}
		if err != nil {
			return err
		}
		return emitAll(rows, shape.OfResult, emit)
	}
}

func (n *node) handleSearch(ctx context.Context, r shape.SearchRequest, emit func(any) error) error {
	if _, err := n.browse.Ask(ctx, r.Words, ""); err != nil {
		return err
	}
	rows, err := n.browse.Search(ctx, r.Words, "", r.Limit, nil)
	if err != nil {
		return err
	}
	return emitAll(rows, shape.OfResult, emit)
}
