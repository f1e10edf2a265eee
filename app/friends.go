package app

import (
	"context"

	"github.com/potluck-share/potluck/app/domain"
)

// asking lets people ask by the network, which opens after them because they
// answer it.
type asking struct{ *node }

func (a asking) Ask(ctx context.Context, peer domain.PeerID) ([]string, error) {
	return a.friends.Ask(ctx, peer)
}

func (a asking) Invite(ctx context.Context, peer domain.PeerID, token string) error {
	return a.friends.Invite(ctx, peer, token)
}

func (a asking) Tell(ctx context.Context, peer domain.PeerID, what domain.FriendAsk) (bool, error) {
	return a.friends.Tell(ctx, peer, what)
}

// trustChanged makes it count at once who is a friend and who is blocked: for
// the connections, for what is told of our shares, and for the downloads.
func (n *node) trustChanged() {
	n.host.Rejudge()
	n.announce() // backs up, too
	n.transfers.ProvidersChanged()
}

// giving tells others of offers by the network, which opens after them because
// they answer it, and lists what an offer is made of.
type giving struct{ node *node }

func (g giving) Offer(ctx context.Context, peer domain.PeerID, s domain.OfferSummary) error {
	return g.node.giving.Offer(ctx, peer, s)
}

func (g giving) Withdraw(ctx context.Context, peer domain.PeerID, id string) error {
	return g.node.giving.Withdraw(ctx, peer, id)
}

func (g giving) Answer(ctx context.Context, peer domain.PeerID, id string, what domain.OfferAnswer) error {
	return g.node.giving.Answer(ctx, peer, id, what)
}

func (g giving) PullOffer(ctx context.Context, peer domain.PeerID, offer string, each func(domain.Page) error) error {
	return g.node.catalogues.PullOffer(ctx, peer, offer, each)
}
