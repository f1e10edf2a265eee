package grant_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/transfer/grant"
)

var now = time.Unix(1_800_000_000, 0)

func newKey(t testing.TB, kind int) (crypto.PrivKey, domain.PeerID) {
	t.Helper()
	key, public, err := crypto.GenerateKeyPairWithReader(kind, 2048, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	id, err := peer.IDFromPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return key, domain.PeerID(id.String())
}

func example(issuer domain.PeerID) domain.Grant {
	return domain.Grant{Content: domain.ContentID{7}, Size: 1 << 40, Holder: "ben", Issuer: issuer, Expires: now.Add(grant.Life)}
}

func TestSealedIsOpened(t *testing.T) {
	t.Parallel()
	key, id := newKey(t, crypto.Ed25519)
	want := example(id)
	signed, err := grant.Seal(key, want)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := grant.Open(signed, now); err != nil || got != want {
		t.Errorf("opened %+v, %v, want %+v", got, err, want)
	}
}

func TestWhatDoesNotHold(t *testing.T) {
	t.Parallel()
	key, id := newKey(t, crypto.Ed25519)
	rsa, _ := newKey(t, crypto.RSA)
	seal := func(key crypto.PrivKey, edit func(*domain.Grant)) []byte {
		g := example(id)
		edit(&g)
		signed, err := grant.Seal(key, g)
		if err != nil {
			t.Fatal(err)
		}
		return signed
	}
	good := seal(key, func(*domain.Grant) {})
	for name, bad := range map[string][]byte{
		"nothing":       nil,
		"expired":       seal(key, func(g *domain.Grant) { g.Expires = now }),
		"for ever":      seal(key, func(g *domain.Grant) { g.Expires = now.Add(grant.MostLife + time.Second) }),
		"year 292e9":    seal(key, func(g *domain.Grant) { g.Expires = time.Unix(math.MaxInt64, 0) }),
		"long ago":      seal(key, func(g *domain.Grant) { g.Expires = time.Unix(math.MinInt64, 0) }),
		"for nobody":    seal(key, func(g *domain.Grant) { g.Holder = "" }),
		"too large":     seal(key, func(g *domain.Grant) { g.Size = domain.MaxFileSize + 1 }),
		"of an RSA key": seal(rsa, func(*domain.Grant) {}),
		"altered":       bytes.Replace(good, []byte("ben"), []byte("bob"), 1),
		"long":          append(bytes.Clone(good), make([]byte, 4096)...),
	} {
		if g, err := grant.Open(bad, now); !errors.Is(err, domain.ErrMalformed) {
			t.Errorf("%s: opened %+v, %v", name, g, err)
		}
	}
}

func FuzzOpen(f *testing.F) {
	// The same in each of the fuzzer's processes.
	private := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	key, public, err := crypto.KeyPairFromStdKey(&private)
	if err != nil {
		f.Fatal(err)
	}
	signer, err := peer.IDFromPublicKey(public)
	if err != nil {
		f.Fatal(err)
	}
	id := domain.PeerID(signer.String())
	signed, err := grant.Seal(key, example(id))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(signed)
	f.Fuzz(func(t *testing.T, data []byte) {
		g, err := grant.Open(data, now)
		if err == nil && (g.Issuer != id || g != example(id)) {
			t.Fatalf("opened %+v", g)
		}
	})
}
