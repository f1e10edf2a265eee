package domain

import (
	"encoding/hex"
	"fmt"
	"strings"
)

// PeerID names a running Potluck: the text form (base58) of a libp2p peer ID.
// It is the identity; a nickname is only a claim.
type PeerID string

// Short returns the end of the ID, enough to tell peers apart in a log. The
// beginning is the same for all Ed25519 keys.
func (p PeerID) Short() string {
	if len(p) <= 8 {
		return string(p)
	}
	return string(p[len(p)-8:])
}

// ContentID is the BLAKE3-256 of a file's bytes: what b3sum prints.
type ContentID [32]byte

// String returns the 64 lower-case hex digits that b3sum prints.
func (c ContentID) String() string { return hex.EncodeToString(c[:]) }

// IsZero reports whether the ID was never set. A folder has none.
func (c ContentID) IsZero() bool { return c == ContentID{} }

// ParseContentID reads 64 hex digits of either case.
func ParseContentID(text string) (ContentID, error) {
	var id ContentID
	if len(text) != 2*len(id) {
		return id, fmt.Errorf("%w: a content ID has 64 hex digits, %q has %d characters", ErrUsage, clip(text), len(text))
	}
	if _, err := hex.Decode(id[:], []byte(strings.ToLower(text))); err != nil {
		return ContentID{}, fmt.Errorf("%w: %q is not a content ID: %w", ErrUsage, text, err)
	}
	return id, nil
}

// clip keeps a foreign text short enough for an error message.
func clip(text string) string {
	const most = 80
	if len(text) <= most {
		return text
	}
	return text[:most] + "…"
}
