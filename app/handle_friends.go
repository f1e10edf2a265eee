package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/event"
	"github.com/potluck-share/potluck/app/shape"
	"github.com/potluck-share/potluck/net/host"
)

// someone is the peer of a name, somebody who asks to be a friend, or a peer ID
// of which nothing is known; for up to 5 s somebody may still be arriving.
func (n *node) someone(ctx context.Context, name string) (domain.PeerID, error) {
	if host.ValidPeer(domain.PeerID(name)) {
		return domain.PeerID(name), nil
	}
	wait, cancel := context.WithTimeout(ctx, lookup)
	defer cancel()
	for {
		who, err := n.people.Find(name)
		if !errors.Is(err, domain.ErrNotFound) {
			return who.ID, err
		}
		if id, ok := n.asker(name); ok {
			return id, nil
		}
		if !rest(wait) {
			return "", err
		}
	}
}

// asker returns the one stranger of a name who asks to be a friend, and who may
// be nobody around.
func (n *node) asker(name string) (id domain.PeerID, ok bool) {
	for _, i := range n.people.Introductions() {
		if i.Name != name {
			continue
		}
		if ok {
			return "", false // the name says too little
		}
		id, ok = i.Peer, true
	}
	return id, ok
}

// handleAddFriend begins an introduction, or joins the one that is open, and
// tells how it stands.
func (n *node) handleAddFriend(ctx context.Context, r shape.PeerRequest, emit func(any) error) error {
	id, err := n.someone(ctx, r.Peer)
	if err != nil {
		return err
	}
	if err := n.people.AddFriend(ctx, id); err != nil {
		return err
	}
	return n.watch(ctx, ctx, id, emit, func(s domain.IntroductionState) bool { return s != domain.IntroductionAsked })
}

// handleAnswerFriend confirms or declines, and tells how it goes on until both
// are friends, or the wait is over.
func (n *node) handleAnswerFriend(ctx context.Context, r shape.AnswerRequest, emit func(any) error) error {
	id, err := n.someone(ctx, r.Peer)
	if err != nil {
		return err
	}
	if !r.Yes {
		return n.declineFriend(ctx, id)
	}
	if err := n.people.ConfirmFriend(ctx, id); err != nil {
		return err
	}
	return n.befriended(ctx, id, r.Wait, emit)
}

func (n *node) declineFriend(ctx context.Context, id domain.PeerID) error {
	now, ok := n.people.Introduction(id)
	switch {
	case n.people.Friend(id):
		return fmt.Errorf("%w: you are friends; see: potluck friend remove", domain.ErrUsage)
	case ok && now.State == domain.IntroductionEnded:
		return fmt.Errorf("%w: there is nothing to decline any more", domain.ErrNotFound)
	}
	return n.people.DeclineFriend(ctx, id)
}

// befriended tells how an introduction goes on until both are friends, or the
// wait is over.
func (n *node) befriended(ctx context.Context, id domain.PeerID, most time.Duration, emit func(any) error) error {
	wait := ctx
	if most > 0 {
		var cancel context.CancelFunc
		wait, cancel = context.WithTimeout(ctx, most)
		defer cancel()
	}
	return n.watch(ctx, wait, id, emit, func(s domain.IntroductionState) bool { return s == domain.IntroductionDone })
}

// watch tells how an introduction goes on until enough has come of it. The error
// is domain.ErrRefused if it has ended otherwise, ErrWaiting if wait ended first.
func (n *node) watch(ctx, wait context.Context, id domain.PeerID, emit func(any) error, enough func(domain.IntroductionState) bool) error {
	events := n.bus.Subscribe(event.Introductions.Name())
	defer events.Close()
	var last domain.Introduction
	for {
		now, ok := n.people.Introduction(id)
		switch {
		case !ok && n.people.Friend(id): // some time ago
			return nil
		case !ok:
			return fmt.Errorf("%w: the introduction has ended", domain.ErrRefused)
		case now.State != last.State:
			if err := emit(shape.OfIntroduction(now)); err != nil {
				return err
			}
		}
		last = now
		switch {
		case now.State == domain.IntroductionDone || enough(now.State) && now.State != domain.IntroductionEnded:
			return nil
		case now.State == domain.IntroductionEnded && n.people.Confirmed(id):
			return fmt.Errorf("%w: %s", domain.ErrWaiting, now.Reason)
		case now.State == domain.IntroductionEnded:
			return fmt.Errorf("%w: %s", domain.ErrRefused, now.Reason)
		}
		if _, err := events.Next(wait); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("%w for %s to confirm; you become friends by itself once %s does", domain.ErrWaiting, now.Name, now.Name)
		}
	}
}

func (n *node) handleInvite(ctx context.Context, _ struct{}, emit func(any) error) error {
	made, err := n.people.Invite(ctx)
	if err != nil {
		return err
	}
	return emit(shape.Invitation{Link: made.Link, Expires: shape.Moment(made.Expires)})
}

// handleJoin accepts an invitation, and waits for the other side if asked to.
func (n *node) handleJoin(ctx context.Context, r shape.JoinRequest, emit func(any) error) error {
	link, err := domain.ParseLink(r.Link)
	if err != nil {
		return err
	}
	who, err := n.people.Join(ctx, link)
	if err != nil {
		return err
	}
	if err := emit(shape.OfPeer(who)); err != nil || r.Wait == 0 || who.Friend {
		return err
	}
	return n.befriended(ctx, who.ID, r.Wait, func(any) error {
		if who, _ := n.people.Peer(who.ID); who.Friend {
			return emit(shape.OfPeer(who))
		}
		return nil
	})
}

func (n *node) handleRemoveFriend(ctx context.Context, r shape.PeerRequest, _ func(any) error) error {
	id, err := n.someone(ctx, r.Peer)
	if err != nil {
		return err
	}
	return n.people.RemoveFriend(ctx, id)
}

func (n *node) handleRename(ctx context.Context, r shape.RenameRequest, emit func(any) error) error {
	id, err := n.someone(ctx, r.Peer)
	if err != nil {
		return err
	}
	if err := n.people.Rename(ctx, id, r.Name); err != nil {
		return err
	}
	return n.emitPeer(id, emit)
}

func (n *node) handleAcceptUpTo(ctx context.Context, r shape.AcceptRequest, emit func(any) error) error {
	id, err := n.someone(ctx, r.Peer)
	if err != nil {
		return err
	}
	if err := n.people.AcceptUpTo(ctx, id, r.UpTo); err != nil {
		return err
	}
	return n.emitPeer(id, emit)
}

func (n *node) emitPeer(id domain.PeerID, emit func(any) error) error {
	who, _ := n.people.Peer(id)
	return emit(shape.OfPeer(who))
}

func (n *node) handleFriends(_ context.Context, _ struct{}, emit func(any) error) error {
	for _, who := range n.people.People() {
		if !who.Friend {
			continue
		}
		if err := emit(shape.OfPeer(who)); err != nil {
			return err
		}
	}
	return nil
}

func (n *node) handleIntroductions(_ context.Context, _ struct{}, emit func(any) error) error {
	return emitAll(n.people.Introductions(), shape.OfIntroduction, emit)
}

func (n *node) handleBlock(ctx context.Context, r shape.PeerRequest, emit func(any) error) error {
	id, err := n.someone(ctx, r.Peer)
	if err != nil {
		return err
	}
	if err := n.people.Block(ctx, id); err != nil {
		return err
	}
	return n.emitPeer(id, emit)
}

func (n *node) handleUnblock(ctx context.Context, r shape.PeerRequest, emit func(any) error) error {
	who, err := n.people.FindBlocked(r.Peer)
	if err != nil {
		return err
	}
	if err := n.people.Unblock(ctx, who.ID); err != nil {
		return err
	}
	return n.emitPeer(who.ID, emit)
}

func (n *node) handleBlocked(_ context.Context, _ struct{}, emit func(any) error) error {
	return emitAll(n.people.Blocked(), shape.OfPeer, emit)
}
