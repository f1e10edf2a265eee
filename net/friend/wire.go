package friend

import (
	"fmt"
	"io"

	"google.golang.org/protobuf/proto"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/friend/pb"
	"github.com/potluck-share/potluck/net/host/talk"
)

const (
	// maxMessage is the most bytes of a message, maxName of the name and
	// maxToken of the token in it.
	maxMessage = 1 << 10
	maxName    = 256
	maxToken   = 128
)

// readMessage reads a message that must be of that kind.
func readMessage(r io.Reader, kind pb.Kind) (*pb.Message, error) {
	m, err := readAny(r)
	if err == nil && m.GetKind() != kind {
		err = fmt.Errorf("%w: a message of kind %d instead of %d", domain.ErrMalformed, m.GetKind(), kind)
	}
	return m, err
}

func readAny(r io.Reader) (*pb.Message, error) { return talk.Read(r, maxMessage, decode) }

// decode reads a message and checks its limits.
func decode(raw []byte) (*pb.Message, error) {
	if len(raw) > maxMessage {
		return nil, fmt.Errorf("%w: a message of %d bytes", domain.ErrTooLarge, len(raw))
	}
	m := new(pb.Message)
	if err := proto.Unmarshal(raw, m); err != nil {
		return nil, fmt.Errorf("%w: %w", domain.ErrMalformed, err)
	}
	if len(m.GetName()) > maxName || len(m.GetToken()) > maxToken {
		return nil, fmt.Errorf("%w: a name of %d bytes, a token of %d", domain.ErrTooLarge, len(m.GetName()), len(m.GetToken()))
	}
	for _, fixed := range [][]byte{m.GetCommitment(), m.GetNonce()} {
		if n := len(fixed); n != 0 && n != nonceSize {
			return nil, fmt.Errorf("%w: %d bytes instead of %d", domain.ErrMalformed, n, nonceSize)
		}
	}
	switch m.GetKind() {
	case pb.Kind_KIND_ASK:
		return m, needs(m.GetCommitment())
	case pb.Kind_KIND_NONCE, pb.Kind_KIND_REVEAL:
		return m, needs(m.GetNonce())
	default:
		return m, nil
	}
}

func needs(field []byte) error {
	if len(field) == 0 {
		return fmt.Errorf("%w: a field is missing", domain.ErrMalformed)
	}
	return nil
}
