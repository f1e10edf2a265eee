package gossip

import (
	"fmt"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/record"

	"github.com/potluck-share/potluck/app/domain"
)

// signedRecord is a payload whose author signs it. The signature covers its
// domain and its type too, so that nothing signed for one purpose ever passes
// for something else.
type signedRecord interface {
	record.Record
	author() domain.PeerID
}

// sign puts the record into an envelope signed with its author's key.
func sign(key crypto.PrivKey, rec signedRecord) ([]byte, error) {
	envelope, err := record.Seal(rec, key)
	if err != nil {
		return nil, fmt.Errorf("signing %s of %s: %w", rec.Codec(), rec.author().Short(), err)
	}
	signed, err := envelope.Marshal()
	if err != nil {
		return nil, fmt.Errorf("encoding %s of %s: %w", rec.Codec(), rec.author().Short(), err)
	}
	return signed, nil
}

// openSigned reads the record in an envelope of at most limit bytes, which its
// author must have signed. An error wraps domain.ErrMalformed or
// domain.ErrTooLarge.
func openSigned(signed []byte, limit int, rec signedRecord) error {
	signer, _, err := claimed(signed, limit, string(rec.Codec()))
	if err != nil {
		return err
	}
	if _, err := record.ConsumeTypedEnvelope(signed, rec); err != nil {
		return fmt.Errorf("%s does not hold: %w: %w", rec.Codec(), domain.ErrMalformed, err)
	}
	if signer != rec.author() {
		return fmt.Errorf("%s of %s, signed by another: %w", rec.Codec(), rec.author().Short(), domain.ErrMalformed)
	}
	return nil
}

// claimed returns whose key an envelope with such a payload names, and the
// payload, without checking that it was signed with it.
func claimed(signed []byte, limit int, codec string) (author domain.PeerID, payload []byte, err error) {
	if len(signed) > limit {
		return "", nil, fmt.Errorf("%s of %d bytes: %w", codec, len(signed), domain.ErrTooLarge)
	}
	envelope, err := record.UnmarshalEnvelope(signed)
	if err != nil {
		return "", nil, fmt.Errorf("not signed %s: %w: %w", codec, domain.ErrMalformed, err)
	}
	// Peers have Ed25519 keys. Others are refused unread: checking a signature
	// by a huge RSA key costs a hundred times more.
	if envelope.PublicKey.Type() != crypto.Ed25519 || string(envelope.PayloadType) != codec {
		return "", nil, fmt.Errorf("signed, but not %s: %w", codec, domain.ErrMalformed)
	}
	signer, err := peer.IDFromPublicKey(envelope.PublicKey)
	if err != nil {
		return "", nil, fmt.Errorf("the signer of %s: %w: %w", codec, domain.ErrMalformed, err)
	}
	return domain.PeerID(signer.String()), envelope.RawPayload, nil
}

// peerID reads a binary peer ID. Some that libp2p takes have no text form that
// it takes back.
func peerID(raw []byte) (domain.PeerID, error) {
	id, err := peer.IDFromBytes(raw)
	if err != nil {
		return "", err
	}
	text := id.String()
	if _, err := peer.Decode(text); err != nil {
		return "", err
	}
	return domain.PeerID(text), nil
}
