// Package talk has short conversations of a few small messages, each on a stream
// of its own, for protocols that say little and seldom, and bounds how often each
// peer has one. All of it may be called from any goroutine.
package talk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-msgio"
	"github.com/multiformats/go-varint"
	"google.golang.org/protobuf/proto"

	"github.com/potluck-share/potluck/app/domain"
)

// Opener opens a stream of a protocol to a peer; *host.Host does.
type Opener interface {
	Open(ctx context.Context, peer domain.PeerID, proto string) (network.Stream, error)
}

// With opens a stream of the protocol to the peer and has a conversation on it,
// which ends when ctx, or within that time, at the latest. The error is that of
// the opening, of the conversation, or of the context.
func With(ctx context.Context, h Opener, peer domain.PeerID, protocol string, within time.Duration, talk func(io.ReadWriter) error) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	s, err := h.Open(ctx, peer, protocol)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = s.Reset() })
	defer stop()
	if err := talk(s); err != nil {
		_ = s.Reset() // the other side need not wait
		return errors.Join(err, ctx.Err())
	}
	_ = s.Close() // all has been said
	return nil
}

// Serve has the other side's part of a conversation, which ends within that
// time, or with ctx, at the latest. If talk fails the stream is reset.
func Serve(ctx context.Context, s network.Stream, within time.Duration, talk func(io.ReadWriter) error) error {
	defer context.AfterFunc(ctx, func() { _ = s.Reset() })()
	err := s.SetDeadline(time.Now().Add(within))
	if err == nil {
		err = talk(s)
	}
	if err != nil {
		_ = s.Reset()
	}
	return err
}

// Write writes a message. The error wraps domain.ErrOffline if the stream is of
// no use any more.
func Write(w io.Writer, m proto.Message) error {
	raw, err := proto.Marshal(m)
	if err != nil {
		return err
	}
	if err := msgio.NewVarintWriter(w).WriteMsg(raw); err != nil {
		return fmt.Errorf("%w: %w", domain.ErrOffline, err)
	}
	return nil
}

// Read reads a message of at most limit bytes into what decode makes of it. The
// error wraps domain.ErrTooLarge, domain.ErrOffline if the stream ended, or that
// of decode.
func Read[M any](r io.Reader, limit int, decode func(raw []byte) (M, error)) (m M, err error) {
	raw, err := ReadRaw(r, limit)
	if err != nil {
		return m, err
	}
	return decode(raw)
}

// ReadRaw reads a message of at most limit bytes. The error wraps
// domain.ErrTooLarge, domain.ErrMalformed if what should be the length is none,
// or domain.ErrOffline if the stream ended.
func ReadRaw(r io.Reader, limit int) ([]byte, error) {
	raw, err := msgio.NewVarintReaderSize(r, limit).ReadMsg()
	switch {
	case err == nil:
		return raw, nil
	case errors.Is(err, msgio.ErrMsgTooLarge):
		return nil, fmt.Errorf("%w: a message of more than %d bytes", domain.ErrTooLarge, limit)
	case errors.Is(err, varint.ErrOverflow), errors.Is(err, varint.ErrNotMinimal):
		return nil, fmt.Errorf("%w: the length of a message: %w", domain.ErrMalformed, err)
	default:
		return nil, fmt.Errorf("%w: %w", domain.ErrOffline, err)
	}
}

// Cut shortens a text to at most so many bytes, between two characters.
func Cut(text string, most int) string {
	for len(text) > most {
		end := most
		for end > 0 && text[end]&0xC0 == 0x80 {
			end--
		}
		text = text[:end]
	}
	return text
}
