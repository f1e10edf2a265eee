package friend

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"hash"

	"github.com/tyler-smith/go-bip39/wordlists"

	"github.com/potluck-share/potluck/app/domain"
)

// The words are a short authentication string with a commitment, as in Vaudenay,
// "Secure Communications over Insecure Channels Based on Short Authenticated
// Strings", CRYPTO 2005. Both sides draw a nonce. The opener commits to its own
// before it knows the other one, and the other one draws before it knows the
// opener's, so that neither can choose a nonce that leads to words of its
// liking. Whoever sits in between has two conversations with other keys in
// them, and the words of both are equal by chance alone: once in 2^44.
const (
	// wordCount words of wordBits each make 44 bits.
	wordCount = 4
	wordBits  = 11
	nonceSize = 32
)

// What each hash is for, so that none passes for another one.
const (
	commitmentUse = "potluck/friend/1 commitment"
	wordsUse      = "potluck/friend/1 words"
)

// sides are the two peers of an introduction, by their parts in it.
type sides struct{ opener, other domain.PeerID }

type nonce [nonceSize]byte

func newNonce() (n nonce) {
	_, _ = rand.Read(n[:]) // never fails
	return n
}

// commitment binds the opener to its nonce without telling it.
func (s sides) commitment(opener nonce) [sha256.Size]byte {
	h := s.hash(commitmentUse)
	h.Write(opener[:])
	return [sha256.Size]byte(h.Sum(nil))
}

// keeps reports whether the nonce is the one that was committed to.
func (s sides) keeps(commitment []byte, opener nonce) bool {
	want := s.commitment(opener)
	return subtle.ConstantTimeCompare(commitment, want[:]) == 1
}

// words returns what both sides show: words of the English list of BIP 39, whose
// first four letters tell them apart.
func (s sides) words(opener, other nonce) []string {
	h := s.hash(wordsUse)
	h.Write(opener[:])
	h.Write(other[:])
	bits := binary.BigEndian.Uint64(h.Sum(nil))
	words := make([]string, wordCount)
	for i := range words {
		words[i] = wordlists.English[bits>>(64-wordBits)]
		bits <<= wordBits
	}
	return words
}

// hash begins a hash over what it is for and both peers.
func (s sides) hash(use string) hash.Hash {
	h := sha256.New()
	for _, part := range []string{use, string(s.opener), string(s.other)} {
		h.Write(binary.BigEndian.AppendUint16(nil, uint16(len(part))))
		h.Write([]byte(part))
	}
	return h
}
