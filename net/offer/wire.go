package offer

import (
	"encoding/hex"
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/host/talk"
	"github.com/potluck-share/potluck/net/offer/pb"
)

const (
	// maxMessage is the most bytes of a message, maxReply of a reply, maxName
	// of the name in an offer.
	maxMessage = 4 << 10
	maxReply   = 64
	maxName    = 1 << 10
	idSize     = 16
)

// encode makes a message of that kind about an offer; of one that is not new
// only the ID is told.
func encode(kind pb.Kind, s domain.OfferSummary) (*pb.Message, error) {
	id, err := hex.DecodeString(s.ID)
	if err != nil || len(id) != idSize {
		return nil, fmt.Errorf("%w: %q is no offer", domain.ErrUsage, s.ID)
	}
	m := &pb.Message{Kind: kind, Id: id}
	if kind == pb.Kind_KIND_OFFER {
		m.Name, m.Note = talk.Cut(s.Name, maxName), talk.Cut(s.Note, domain.MaxNote)
		m.Items, m.Folder = uint32(s.Items), s.Folder
		m.Entries, m.Bytes = uint64(s.Entries), uint64(s.Bytes)
		for _, text := range []*string{&m.Name, &m.Note} {
			*text = strings.ToValidUTF8(*text, "�")
		}
	}
	return m, nil
}

// message is what a peer says of an offer.
type message struct {
	kind pb.Kind
	domain.OfferSummary
}

// decode reads a message and checks its limits. Name and note are not cleaned
// for display.
func decode(raw []byte) (message, error) {
	var m pb.Message
	if err := proto.Unmarshal(raw, &m); err != nil {
		return message{}, fmt.Errorf("%w: %w", domain.ErrMalformed, err)
	}
	if len(m.GetId()) != idSize {
		return message{}, fmt.Errorf("%w: an ID of %d bytes", domain.ErrMalformed, len(m.GetId()))
	}
	said := message{kind: m.GetKind(), OfferSummary: domain.OfferSummary{ID: hex.EncodeToString(m.GetId())}}
	if said.kind != pb.Kind_KIND_OFFER {
		return said, nil
	}
	switch {
	case m.GetName() == "" || len(m.GetName()) > maxName || len(m.GetNote()) > domain.MaxNote:
		return message{}, fmt.Errorf("%w: a name of %d bytes, a note of %d", domain.ErrMalformed, len(m.GetName()), len(m.GetNote()))
	case m.GetItems() < 1 || m.GetItems() > domain.MaxOfferItems || m.GetEntries() > domain.MaxOfferEntries:
		return message{}, fmt.Errorf("%w: %d items, %d files", domain.ErrMalformed, m.GetItems(), m.GetEntries())
	case m.GetBytes() > uint64(domain.MaxFileSize):
		return message{}, fmt.Errorf("%w: %d bytes", domain.ErrTooLarge, m.GetBytes())
	}
	said.Name, said.Note, said.Folder = m.GetName(), m.GetNote(), m.GetFolder()
	said.Items, said.Entries, said.Bytes = int(m.GetItems()), int(m.GetEntries()), int64(m.GetBytes())
	return said, nil
}

func decodeReply(raw []byte) (pb.Status, error) {
	var r pb.Reply
	if err := proto.Unmarshal(raw, &r); err != nil {
		return 0, fmt.Errorf("%w: %w", domain.ErrMalformed, err)
	}
	return r.GetStatus(), nil
}
