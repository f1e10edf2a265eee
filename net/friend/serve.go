package friend

import (
	"context"
	"errors"
	"io"

	"github.com/libp2p/go-libp2p/core/network"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/friend/pb"
	"github.com/potluck-share/potluck/net/host/talk"
)

// serve takes one exchange that another one has opened.
func (f *Friend) serve(_ context.Context, s network.Stream, asker domain.Asker) {
	leave, ok := f.limits.enter(asker)
	if !ok {
		f.complaints.About(asker.Peer, "too many want to be friends", nil)
		_ = s.ResetWithError(network.StreamRateLimited)
		return
	}
	defer leave()
	_ = talk.Serve(f.ctx, s, exchangeTime, func(rw io.ReadWriter) error { //nolint:contextcheck // Close ends it
		status, confirmed, err := f.take(rw, asker)
		f.complaints.Fault(asker.Peer, "becoming friends", err)
		if errors.Is(err, domain.ErrOffline) {
			return err
		}
		return talk.Write(rw, &pb.Message{Kind: pb.Kind_KIND_ANSWER, Status: status, Confirmed: confirmed})
	})
}

// take reads what a peer wants and returns what it is told. An error says that
// it broke the protocol.
func (f *Friend) take(s io.ReadWriter, asker domain.Asker) (status pb.Status, confirmed bool, err error) {
	m, err := readAny(s)
	if err != nil {
		return pb.Status_STATUS_MALFORMED, false, err
	}
	switch m.GetKind() {
	case pb.Kind_KIND_ASK:
		status, err = f.asked(s, asker, m)
		return status, false, err
	case pb.Kind_KIND_INVITED:
		if err := f.cfg.Handler.Invited(asker, m.GetName(), m.GetToken()); err != nil {
			return statusOf(err), false, nil
		}
		f.keep(asker.Peer)
		return pb.Status_STATUS_OK, false, nil
	case pb.Kind_KIND_TOLD:
		return f.told(asker, m)
	default:
		return pb.Status_STATUS_MALFORMED, false, domain.ErrMalformed
	}
}

// asked goes through with an introduction that the peer has opened.
func (f *Friend) asked(s io.ReadWriter, asker domain.Asker, ask *pb.Message) (pb.Status, error) {
	// It counts from here: from what it is told now the opener knows the words,
	// and could stop and try again if it does not like them.
	if !f.limits.try(asker.Peer) {
		return pb.Status_STATUS_BUSY, nil
	}
	both := sides{opener: asker.Peer, other: f.host.ID()}
	mine := newNonce()
	if err := talk.Write(s, &pb.Message{Kind: pb.Kind_KIND_NONCE, Nonce: mine[:]}); err != nil {
		return pb.Status_STATUS_MALFORMED, err
	}
	reveal, err := readMessage(s, pb.Kind_KIND_REVEAL)
	if err != nil {
		return pb.Status_STATUS_MALFORMED, err
	}
	theirs := nonce(reveal.GetNonce())
	if !both.keeps(ask.GetCommitment(), theirs) {
		return pb.Status_STATUS_MALFORMED, errChosen
	}
	if err := f.cfg.Handler.Asked(asker, ask.GetName(), both.words(theirs, mine)); err != nil {
		return statusOf(err), nil
	}
	f.keep(asker.Peer)
	return pb.Status_STATUS_OK, nil
}

// told takes what the peer's user wants.
func (f *Friend) told(asker domain.Asker, m *pb.Message) (pb.Status, bool, error) {
	var what domain.FriendAsk
	switch m.GetWhat() {
	case pb.What_WHAT_CONFIRM:
		what = domain.FriendConfirm
	case pb.What_WHAT_DECLINE:
		what = domain.FriendDecline
	default:
		return pb.Status_STATUS_MALFORMED, false, domain.ErrMalformed
	}
	confirmed := f.cfg.Handler.Told(asker, what)
	if both := confirmed && what == domain.FriendConfirm; both || what == domain.FriendDecline {
		f.settled(asker.Peer, both)
	}
	return pb.Status_STATUS_OK, confirmed, nil
}

func statusOf(err error) pb.Status {
	switch {
	case errors.Is(err, domain.ErrNotFound):
		return pb.Status_STATUS_ABSENT
	case errors.Is(err, domain.ErrBusy):
		return pb.Status_STATUS_BUSY
	default:
		return pb.Status_STATUS_DECLINED
	}
}
