//go:build !headless

package app

import (
	"context"

	"github.com/potluck-share/potluck/app/domain"
)

// peopleFront is the part of front that is about people.
type peopleFront struct{ *front }

// Connect is people.People.Connect.
func (f peopleFront) Connect(ctx context.Context, address string) (domain.Peer, error) {
	n, err := f.ready()
	if err != nil {
		return domain.Peer{}, err
	}
	return n.people.Connect(ctx, address)
}

// AddFriend is people.People.AddFriend.
func (f peopleFront) AddFriend(ctx context.Context, id domain.PeerID) error {
	n, err := f.ready()
	if err != nil {
		return err
	}
	return n.people.AddFriend(ctx, id)
}

// ConfirmFriend is people.People.ConfirmFriend.
func (f peopleFront) ConfirmFriend(ctx context.Context, id domain.PeerID) error {
	n, err := f.ready()
	if err != nil {
		return err
	}
	return n.people.ConfirmFriend(ctx, id)
}

// DeclineFriend is people.People.DeclineFriend.
func (f peopleFront) DeclineFriend(ctx context.Context, id domain.PeerID) error {
	n, err := f.ready()
	if err != nil {
		return err
	}
	return n.people.DeclineFriend(ctx, id)
}

// RemoveFriend is people.People.RemoveFriend.
func (f peopleFront) RemoveFriend(ctx context.Context, id domain.PeerID) error {
	n, err := f.ready()
	if err != nil {
		return err
	}
	return n.people.RemoveFriend(ctx, id)
}

// RestoreFriend is people.People.RestoreFriend.
func (f peopleFront) RestoreFriend(ctx context.Context, id domain.PeerID) error {
	n, err := f.ready()
	if err != nil {
		return err
	}
	return n.people.RestoreFriend(ctx, id)
}

// Block is people.People.Block.
func (f peopleFront) Block(ctx context.Context, id domain.PeerID) error {
	n, err := f.ready()
	if err != nil {
		return err
	}
	return n.people.Block(ctx, id)
}

// Unblock is people.People.Unblock.
func (f peopleFront) Unblock(ctx context.Context, id domain.PeerID) error {
	n, err := f.ready()
	if err != nil {
		return err
	}
	return n.people.Unblock(ctx, id)
}

// Rename is people.People.Rename.
func (f peopleFront) Rename(ctx context.Context, id domain.PeerID, given string) error {
	n, err := f.ready()
	if err != nil {
		return err
	}
	return n.people.Rename(ctx, id, given)
}

// Invite is people.People.Invite.
func (f peopleFront) Invite(ctx context.Context) (domain.Invitation, error) {
	n, err := f.ready()
	if err != nil {
		return domain.Invitation{}, err
	}
	return n.people.Invite(ctx)
}

// Join is people.People.Join.
func (f peopleFront) Join(ctx context.Context, link domain.Link) (domain.Peer, error) {
	n, err := f.ready()
	if err != nil {
		return domain.Peer{}, err
	}
	return n.people.Join(ctx, link)
}

// Blocked is people.People.Blocked.
func (f peopleFront) Blocked() []domain.Peer {
	if n := f.node.Load(); n != nil {
		return n.people.Blocked()
	}
	return nil
}

// AcceptUpTo is people.People.AcceptUpTo.
func (f peopleFront) AcceptUpTo(ctx context.Context, id domain.PeerID, bytes int64) error {
	n, err := f.ready()
	if err != nil {
		return err
	}
	return n.people.AcceptUpTo(ctx, id, bytes)
}
