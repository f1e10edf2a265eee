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
	if err := scanSwap(raw); err != nil {
		return nil, err
	}
	msg := new(pb.Swap)
	if err := proto.Unmarshal(raw, msg); err != nil {
		return nil, fmt.Errorf("reading heads: %w: %w", domain.ErrMalformed, err)
	}
	return msg, nil
}

// scanSwap counts and measures what the message repeats before any of it is
// unmarshalled: an empty item takes two bytes here and a hundred in memory.
func scanSwap(raw []byte) error {
	const (
		itemsField = 1
		knownField = 2
	)
	counts := make(map[protowire.Number]int)
	limits := map[protowire.Number]int{itemsField: maxItem, knownField: maxHandOn}
	for len(raw) > 0 {
		num, typ, n := protowire.ConsumeTag(raw)
		if n < 0 {
			return fmt.Errorf("reading heads: %w: %w", domain.ErrMalformed, protowire.ParseError(n))
		}
		raw = raw[n:]
		if n = protowire.ConsumeFieldValue(num, typ, raw); n < 0 {
			return fmt.Errorf("reading heads: %w: %w", domain.ErrMalformed, protowire.ParseError(n))
		}
		raw = raw[n:]
		limit, repeated := limits[num]
		if !repeated {
			continue
		}
		if counts[num]++; counts[num] > maxItems || n > limit {
			return fmt.Errorf("heads: item %d of %d bytes: %w", counts[num], n, domain.ErrTooLarge)
		}
	}
	return nil
}
