package gossip

import (
	"fmt"
	"io"

	"github.com/libp2p/go-msgio"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/gossip/pb"
	"github.com/potluck-share/potluck/net/host/talk"
)

// Limits of the messages of a swap.
const (
	maxSwap    = 2 << 20   // bytes of a message between near peers
	maxFarSwap = 8 << 10   // bytes of a message from a far one: its own head
	softSwap   = 3 << 19   // bytes of heads after which a message is full
	maxItems   = 5000      // items of a digest, and heads
	maxItem    = 256       // bytes of an item; kinds to come included
	maxHandOn  = 2 * 4_096 // bytes of a head that is handed on, or of something to come
)

func writeSwap(w io.Writer, msg *pb.Swap) error {
	raw, err := proto.Marshal(msg)
	if err != nil {
		return fmt.Errorf("writing heads: %w", err)
	}
	return msgio.NewVarintWriter(w).WriteMsg(raw)
}

// readSwap reads one message of at most limit bytes. An error about what it
// holds wraps domain.ErrMalformed or domain.ErrTooLarge.
func readSwap(r io.Reader, limit int) (*pb.Swap, error) {
	raw, err := talk.ReadRaw(r, limit)
	if err != nil {
		return nil, fmt.Errorf("reading heads: %w", err)
	}
	return decodeSwap(raw)
}

func decodeSwap(raw []byte) (*pb.Swap, error) {
	if err := talk.Scan(raw, swapFields); err != nil {
		return nil, fmt.Errorf("reading heads: %w", err)
	}
	msg := new(pb.Swap)
	if err := proto.Unmarshal(raw, msg); err != nil {
		return nil, fmt.Errorf("reading heads: %w: %w", domain.ErrMalformed, err)
	}
	return msg, nil
}

// swapFields are what a swap repeats.
var swapFields = map[protowire.Number]talk.Repeats{
	1: {Most: maxItems, Bytes: maxItem},   // items
	2: {Most: maxItems, Bytes: maxHandOn}, // known
}
