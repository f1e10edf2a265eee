package wire

import (
	"encoding/binary"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/transfer/wire/pb"
)

// Holder is a peer that holds or fetches a content, as a Hint tells. Nothing
// in it is proven.
type Holder struct {
	Peer      domain.PeerID
	Addresses []string // multiaddresses without the peer ID
}

// AppendIndex adds a piece to the body of a Have: four bytes, big endian.
func AppendIndex(body []byte, piece int) []byte {
	return binary.BigEndian.AppendUint32(body, uint32(piece)) // all are below maxIndex
}

// Indices returns the pieces that the body of a Have names. The error is
// domain.ErrMalformed.
func Indices(body []byte) ([]int, error) {
	if len(body)%indexSize != 0 {
		return nil, fmt.Errorf("%w: pieces in %d bytes", domain.ErrMalformed, len(body))
	}
	pieces := make([]int, 0, len(body)/indexSize)
	for ; len(body) > 0; body = body[indexSize:] {
		piece := binary.BigEndian.Uint32(body)
		if uint64(piece) >= maxIndex {
			return nil, fmt.Errorf("%w: piece %d", domain.ErrMalformed, piece)
		}
		pieces = append(pieces, int(piece))
	}
	return pieces, nil
}

// EncodeHolders returns the body of a Hint, with a signed grant if that is not
// empty. Of holders over the limits nothing is told.
func EncodeHolders(holders []Holder, grant []byte) ([]byte, error) {
	m := pb.Hints{Grant: grant}
	for _, h := range holders[:min(len(holders), MaxHolders)] {
		m.Holders = append(m.Holders, &pb.Holder{
			Peer: string(h.Peer), Addresses: h.Addresses[:min(len(h.Addresses), MaxAddresses)],
		})
	}
	body, err := proto.Marshal(&m)
	if err == nil && len(body) > MaxBody {
		err = domain.ErrTooLarge
	}
	if err != nil {
		return nil, fmt.Errorf("hint: %w", err)
	}
	return body, nil
}

// DecodeHolders reads the body of a Hint. The error is domain.ErrMalformed.
func DecodeHolders(body []byte) (holders []Holder, grant []byte, err error) {
	var m pb.Hints
	if err := (proto.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(body, &m); err != nil {
		return nil, nil, fmt.Errorf("%w: hint: %w", domain.ErrMalformed, err)
	}
	if len(m.GetGrant()) > MaxGrant {
		return nil, nil, fmt.Errorf("%w: grant of %d bytes", domain.ErrMalformed, len(m.GetGrant()))
	}
	all := m.GetHolders()
	all = all[:min(len(all), MaxHolders)]
	holders = make([]Holder, 0, len(all))
	for _, h := range all {
		if h.GetPeer() == "" || len(h.GetPeer()) > maxPeerID {
			continue
		}
		one := Holder{Peer: domain.PeerID(h.GetPeer())}
		for _, address := range h.GetAddresses() {
			if len(address) <= maxAddress && len(one.Addresses) < MaxAddresses {
				one.Addresses = append(one.Addresses, address)
			}
		}
		holders = append(holders, one)
	}
	return holders, m.GetGrant(), nil
}
