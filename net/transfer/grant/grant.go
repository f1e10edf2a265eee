// Package grant seals and opens grants: an owner's signed leave for one peer to
// fetch one content until a time. With it those who may have what not everyone
// nearby may have can get it from each other, too.
//
// A grant travels in libp2p's signed envelope (libp2p/specs, RFC 2), whose
// domain keeps a signature for any other purpose from passing for a grant. Both
// functions may be called from any goroutine.
package grant

import (
	"fmt"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/record"
	"google.golang.org/protobuf/proto"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/transfer/wire"
	"github.com/potluck-share/potluck/net/transfer/wire/pb"
)

// Life is how long a grant is good for, and MostLife the longest that one is
// believed to be: their clock may go ahead of ours.
const (
	Life     = time.Hour
	MostLife = 2 * Life
)

const (
	sealDomain = "potluck-grant"
	codec      = "/potluck/grant/1"
)

// Seal signs a grant with its issuer's key.
func Seal(key crypto.PrivKey, g domain.Grant) ([]byte, error) {
	envelope, err := record.Seal(&grantRecord{g}, key)
	if err != nil {
		return nil, fmt.Errorf("signing a grant for %s: %w", g.Holder.Short(), err)
	}
	signed, err := envelope.Marshal()
	if err != nil {
		return nil, fmt.Errorf("encoding a grant for %s: %w", g.Holder.Short(), err)
	}
	return signed, nil
}

// Open returns the grant in signed, with its issuer. The error is
// domain.ErrMalformed if it is none, or none that holds at that time.
func Open(signed []byte, now time.Time) (domain.Grant, error) {
	if len(signed) > wire.MaxGrant {
		return domain.Grant{}, fmt.Errorf("%w: grant of %d bytes", domain.ErrMalformed, len(signed))
	}
	// The kind of key is looked at first: a signature by a huge RSA key costs
	// a hundred times more to check.
	claimed, err := record.UnmarshalEnvelope(signed)
	if err != nil || claimed.PublicKey.Type() != crypto.Ed25519 || string(claimed.PayloadType) != codec {
		return domain.Grant{}, fmt.Errorf("%w: not a grant", domain.ErrMalformed)
	}
	rec := &grantRecord{}
	envelope, err := record.ConsumeTypedEnvelope(signed, rec)
	if err != nil {
		return domain.Grant{}, fmt.Errorf("%w: a grant that does not hold: %w", domain.ErrMalformed, err)
	}
	issuer, err := peer.IDFromPublicKey(envelope.PublicKey)
	if err != nil {
		return domain.Grant{}, fmt.Errorf("%w: the issuer of a grant: %w", domain.ErrMalformed, err)
	}
	g := rec.Grant
	g.Issuer = domain.PeerID(issuer.String())
	if !now.Before(g.Expires) || g.Expires.After(now.Add(MostLife)) {
		return domain.Grant{}, fmt.Errorf("%w: a grant until %v", domain.ErrMalformed, g.Expires)
	}
	return g, nil
}

// grantRecord is the payload of an envelope.
type grantRecord struct{ domain.Grant }

var _ record.Record = (*grantRecord)(nil)

// Domain returns what the signature is good for.
func (*grantRecord) Domain() string { return sealDomain }

// Codec returns the type of the payload.
func (*grantRecord) Codec() []byte { return []byte(codec) }

// MarshalRecord returns the payload.
func (r *grantRecord) MarshalRecord() ([]byte, error) {
	return proto.Marshal(&pb.Grant{
		Content: r.Content[:], Size: uint64(max(0, r.Size)), Holder: string(r.Holder), Expires: r.Expires.Unix(),
	})
}

// UnmarshalRecord reads and checks a payload.
func (r *grantRecord) UnmarshalRecord(payload []byte) error {
	var m pb.Grant
	if err := proto.Unmarshal(payload, &m); err != nil {
		return err
	}
	if len(m.GetContent()) != len(r.Content) || m.GetSize() > uint64(domain.MaxFileSize) || m.GetHolder() == "" {
		return domain.ErrMalformed
	}
	copy(r.Content[:], m.GetContent())
	r.Size, r.Holder, r.Expires = int64(m.GetSize()), domain.PeerID(m.GetHolder()), time.Unix(m.GetExpires(), 0)
	return nil
}
