package hostile_test

import (
	"bytes"
	"context"
	"fmt"
	"math/bits"
	"math/rand/v2"
	"net/netip"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-msgio"
	"google.golang.org/protobuf/proto"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/catalogue"
	cataloguepb "github.com/potluck-share/potluck/net/catalogue/pb"
	"github.com/potluck-share/potluck/net/host"
	"github.com/potluck-share/potluck/net/transfer"
	"github.com/potluck-share/potluck/net/transfer/provide"
	"github.com/potluck-share/potluck/net/transfer/wire"
	"github.com/potluck-share/potluck/storage/content"
)

// rogue is a host of our own, near the victim, that says what it likes.
type rogue struct {
	*host.Host
	t      *testing.T
	pulled atomic.Int64 // how often its list was asked for
	asked  atomic.Int64 // requests for bytes
	sent   atomic.Int64 // answers, or what else is counted
}

func newRogue(t *testing.T, name string) *rogue {
	t.Helper()
	return &rogue{Host: attacker(t, name), t: t}
}

// computers counts the hosts of our own.
var computers atomic.Uint32

// ownAddress returns where the next host of our own listens: as if it was a
// computer of its own, where the system lets us.
func ownAddress() string {
	n := computers.Add(1)
	if runtime.GOOS != "linux" {
		return "/ip4/127.0.0.1/tcp/0"
	}
	return fmt.Sprintf("/ip4/127.0.%d.%d/tcp/0", 1+n/250%250, 1+n%250)
}

// attacker is a host of our own, near the victim.
func attacker(t *testing.T, name string) *host.Host {
	t.Helper()
	identity, err := host.LoadIdentity(filepath.Join(t.TempDir(), "identity"))
	if err != nil {
		t.Fatal(err)
	}
	h, err := host.New(t.Context(), host.Config{
		Identity: identity, Listen: []string{ownAddress()}, Nearby: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		Hello: func(domain.PeerID) domain.Hello { return domain.Hello{Name: name, Version: "1"} },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() }) // the test is over
	if err := h.Listen(); err != nil {
		t.Fatal(err)
	}
	return h
}

// meets lets a victim find the rogue, which it then asks for the list. Who comes
// by themselves is let in only so often from one address.
func (r *rogue) meets(v *victim) {
	r.t.Helper()
	r.must(v.try("connect", r.Addresses()[0]+"/p2p/"+string(r.ID())))
}

// must ends the test if a command failed.
func (r *rogue) must(out string, err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatalf("%v: %s", err, out)
	}
}

func (r *rogue) key() crypto.PrivKey { return r.Libp2p().Peerstore().PrivKey(r.Libp2p().ID()) }

// frames answers every question for the list with what write writes after the
// word that pages follow.
func (r *rogue) frames(write func(s network.Stream)) {
	r.Handle(catalogue.Protocol, host.Anyone, func(_ context.Context, s network.Stream, _ domain.Asker) {
		if _, err := msgio.NewVarintReaderSize(s, 1<<10).ReadMsg(); err != nil {
			return // it changed its mind
		}
		r.pulled.Add(1)
		send(s, &cataloguepb.Response{Status: cataloguepb.Status_STATUS_OK, Version: 1})
		write(s)
		_ = s.CloseWrite() // all was said
	})
}

// lists shares what is in one page.
func (r *rogue) lists(changes ...*cataloguepb.Change) {
	page := packed(r.t, &cataloguepb.Page{Epoch: 1, Sequence: 1, Full: true, Changes: changes})
	r.frames(func(s network.Stream) { send(s, &cataloguepb.Frame{Page: page, Last: true}) })
}

func packed(t *testing.T, page proto.Message) []byte {
	t.Helper()
	raw, err := proto.Marshal(page)
	if err != nil {
		t.Error(err)
	}
	return packer().EncodeAll(raw, nil)
}

// packer packs pages.
var packer = sync.OnceValue(func() *zstd.Encoder {
	enc, err := zstd.NewWriter(nil)
	if err != nil {
		panic(err) // nothing was asked of it
	}
	return enc
})

func send(s network.Stream, m proto.Message) bool {
	raw, err := proto.Marshal(m)
	return err == nil && msgio.NewVarintWriter(s).WriteMsg(raw) == nil
}

// blob is a content made up for a test, and served from memory.
type blob struct {
	data    []byte
	sum     content.Sum
	private bool            // only for those with leave
	spoil   func(p []byte)  // what is read, if not nil
	before  func(off int64) // each read, if not nil
}

// newBlob makes a content of that many bytes, another one for each seed.
func newBlob(t *testing.T, seed uint64, size int) *blob {
	t.Helper()
	var key [32]byte
	key[0], key[1] = byte(seed), byte(seed>>8)
	b := &blob{data: make([]byte, size)}
	_, _ = rand.NewChaCha8(key).Read(b.data) // never fails
	var err error
	if b.sum, err = content.Hash(t.Context(), bytes.NewReader(b.data), int64(size), 1, nil); err != nil {
		t.Fatal(err)
	}
	return b
}

// at returns the entry of the content under a path.
func (b *blob) at(path string) *cataloguepb.Change {
	return &cataloguepb.Change{Path: path, Size: uint64(len(b.data)), Content: b.sum.ID[:]}
}

func (b *blob) Size() int64   { return int64(len(b.data)) }
func (b *blob) Layer() []byte { return b.sum.Layer }
func (b *blob) Fresh() error  { return nil }
func (b *blob) Close() error  { return nil }

func (b *blob) Spread() provide.Spread {
	if b.private {
		return provide.Granted
	}
	return provide.Nearby
}

func (b *blob) ReadAt(p []byte, off int64) (int, error) {
	if b.before != nil {
		b.before(off)
	}
	n, err := bytes.NewReader(b.data).ReadAt(p, off)
	if b.spoil != nil {
		b.spoil(p[:n])
	}
	return n, err
}

// shelf has contents, for everybody.
type shelf map[domain.ContentID]provide.Content

func (s shelf) Allowed(_ domain.Asker, id domain.ContentID) bool { return s[id] != nil }

func (s shelf) Open(_ context.Context, _ domain.Asker, id domain.ContentID) (provide.Content, error) {
	if c := s[id]; c != nil {
		return c, nil
	}
	return nil, domain.ErrNotFound
}

// serves serves contents as a Potluck does.
func (r *rogue) serves(blobs ...*blob) {
	all := make(shelf)
	for _, b := range blobs {
		all[b.sum.ID] = b
	}
	r.provides(all)
}

func (r *rogue) provides(all shelf) {
	p := provide.New(provide.Config{Source: counted{all, r}})
	r.t.Cleanup(p.Close)
	transfer.Serve(r.Host, p, nil)
}

// counted counts what is asked for.
type counted struct {
	shelf
	r *rogue
}

func (c counted) Open(ctx context.Context, asker domain.Asker, id domain.ContentID) (provide.Content, error) {
	c.r.asked.Add(1)
	return c.shelf.Open(ctx, asker, id)
}

// answers answers requests for bytes by hand, until it fails.
func (r *rogue) answers(how func(ctx context.Context, w *wire.Writer, s network.Stream, h wire.Header) error) {
	r.Handle(wire.Protocol, host.Anyone, func(ctx context.Context, s network.Stream, _ domain.Asker) {
		in, w := wire.NewReader(s), wire.NewWriter(s)
		for {
			h, err := in.Next()
			if err != nil {
				return
			}
			if h.Kind != wire.Request {
				continue
			}
			r.asked.Add(1)
			if h.What == wire.Any { // the first of the set
				set := make([]byte, h.Body)
				if err := in.ReadBody(set); err != nil {
					return
				}
				for len(set) > 0 && set[0] == 0 {
					h.Index, set = h.Index+8, set[1:]
				}
				if len(set) > 0 {
					h.Index += bits.TrailingZeros8(set[0])
				}
			}
			if how(ctx, w, s, h) != nil || w.Flush() != nil {
				_ = s.Reset()
				return
			}
		}
	})
}
