package gossip

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"google.golang.org/protobuf/proto"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/gossip/pb"
)

// Limits of a head.
const (
	maxSigned = 4 << 10 // bytes of a signed head
	maxName   = 200     // bytes of a nickname
	maxDelta  = 1 << 10 // bytes of the inline changes

	maxEntries = math.MaxInt32
	maxTime    = 253402300799999 // the last millisecond of the year 9999
)

// The signature covers both, so that nothing signed for another purpose can
// ever pass for a head.
const (
	headDomain = "potluck-head"
	headCodec  = "/potluck/head/1"
)

// signedHead is a head together with the bytes that its owner signed.
type signedHead struct {
	domain.Head
	// personal heads sum up what one receiver may see; they are never passed on.
	personal bool
	signed   []byte
}

// Seal signs the head with its owner's key. The result is handed on and kept
// as it is.
func Seal(key crypto.PrivKey, head domain.Head) ([]byte, error) {
	h, err := seal(key, head, false)
	return h.signed, err
}

// OpenHead returns the head in signed. An error wraps domain.ErrMalformed or
// domain.ErrTooLarge: the bytes are not a head, the signature is not by the
// peer that the head names, or a number in it cannot be meant.
func OpenHead(signed []byte) (domain.Head, error) {
	h, err := open(signed)
	return h.Head, err
}

func seal(key crypto.PrivKey, head domain.Head, personal bool) (signedHead, error) {
	signed, err := sign(key, &headRecord{head: head, personal: personal})
	if err != nil {
		return signedHead{}, err
	}
	// What comes out is what others would read: times cut to the millisecond.
	return open(signed)
}

func open(signed []byte) (signedHead, error) {
	rec := &headRecord{}
	if err := openSigned(signed, maxSigned, rec); err != nil {
		return signedHead{}, err
	}
	return signedHead{Head: rec.head, personal: rec.personal, signed: signed}, nil
}

// headRecord is the payload of an envelope.
type headRecord struct {
	head     domain.Head
	personal bool
}

var _ signedRecord = (*headRecord)(nil)

func (r *headRecord) author() domain.PeerID { return r.head.Peer }

// Domain returns what the signature is good for.
func (*headRecord) Domain() string { return headDomain }

// Codec returns the type of the payload.
func (*headRecord) Codec() []byte { return []byte(headCodec) }

// MarshalRecord returns the payload, if others would take it.
func (r *headRecord) MarshalRecord() ([]byte, error) {
	id, err := peer.Decode(string(r.head.Peer))
	if err != nil {
		return nil, fmt.Errorf("peer ID %q: %w: %w", r.head.Peer, domain.ErrUsage, err)
	}
	if r.head.Entries < 0 || r.head.Bytes < 0 {
		return nil, fmt.Errorf("negative counts: %w", domain.ErrUsage)
	}
	msg := &pb.Head{
		Peer:     []byte(id),
		Name:     strings.ToValidUTF8(r.head.Name, "\uFFFD"),
		Epoch:    r.head.Epoch,
		Sequence: r.head.Sequence,
		Entries:  uint64(r.head.Entries),
		Bytes:    uint64(r.head.Bytes),
		Time:     r.head.Time.UnixMilli(),
		Personal: r.personal,
		Delta:    []byte(r.head.Delta),
		Base:     r.head.Base,
	}
	if err := checkHead(msg); err != nil {
		return nil, err
	}
	return proto.Marshal(msg)
}

// UnmarshalRecord reads and checks a payload.
func (r *headRecord) UnmarshalRecord(payload []byte) error {
	var msg pb.Head
	if err := proto.Unmarshal(payload, &msg); err != nil {
		return err
	}
	id, err := peerID(msg.GetPeer())
	if err != nil {
		return err
	}
	if err := checkHead(&msg); err != nil {
		return err
	}
	r.personal = msg.GetPersonal()
	r.head = domain.Head{
		Peer:    id,
		Name:    msg.GetName(),
		Version: domain.Version{Epoch: msg.GetEpoch(), Sequence: msg.GetSequence()},
		Entries: int(msg.GetEntries()),
		Bytes:   int64(msg.GetBytes()),
		Time:    time.UnixMilli(msg.GetTime()).UTC(),
		Delta:   string(msg.GetDelta()),
		Base:    msg.GetBase(),
	}
	return nil
}

// checkHead refuses numbers that would overflow somewhere, now or after a
// thousand more changes.
func checkHead(msg *pb.Head) error {
	var what string
	switch {
	case len(msg.GetName()) > maxName:
		what = "name"
	case len(msg.GetDelta()) > maxDelta:
		what = "inline changes"
	case msg.GetEpoch() > math.MaxInt64:
		what = "epoch"
	case msg.GetSequence() > math.MaxInt64:
		what = "sequence"
	case msg.GetEntries() > maxEntries:
		what = "number of files"
	case msg.GetBytes() > math.MaxInt64:
		what = "number of bytes"
	case msg.GetTime() < 0 || msg.GetTime() > maxTime:
		what = "time"
	default:
		return nil
	}
	return fmt.Errorf("the %s of a head is out of bounds: %w", what, domain.ErrTooLarge)
}
