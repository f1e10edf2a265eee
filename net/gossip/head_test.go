package gossip

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/record"
	"google.golang.org/protobuf/proto"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/gossip/pb"
)

// goldenHead is exampleHead signed with fixedKey.
const goldenHead = "0a2408011220ea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c120f2f706f746c75636b" +
	"2f686561642f311a4e0a26002408011220ea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d2" +
	"2c1206416e6120c581188080ceded5dfc7f418202a28a08d0630808080808020388595cda1a0342a4025ec0a60e1bf94" +
	"e7e5477aa0b78603f9a842614a11810315beadf79ff15b63d1e3d80f90542462f608a3e0b2685931ade814bacaea4574" +
	"81086b27497cb5c10b"

// fixedKey is the same in every run: Ed25519 signatures are deterministic.
func fixedKey(t testing.TB) (crypto.PrivKey, domain.PeerID) {
	t.Helper()
	key, err := crypto.UnmarshalEd25519PrivateKey(ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize)))
	if err != nil {
		t.Fatal(err)
	}
	id, err := peer.IDFromPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return key, domain.PeerID(id.String())
}

func exampleHead(id domain.PeerID) domain.Head {
	return domain.Head{
		Peer:    id,
		Name:    "Ana Ł",
		Version: domain.Version{Epoch: 1_795_000_000_000_000_000, Sequence: 42},
		Entries: 100_000,
		Bytes:   1 << 40,
		Time:    time.Date(2026, 11, 22, 17, 0, 0, 5_000_000, time.UTC),
	}
}

func TestHeadComesBackAsItWasSealed(t *testing.T) {
	t.Parallel()
	key, id := fixedKey(t)
	want := exampleHead(id)
	signed, err := Seal(key, want)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes", len(signed))
	got, err := OpenHead(signed)
	if err != nil || got != want {
		t.Errorf("OpenHead = %+v, %v, want %+v", got, err, want)
	}
	if got := hex.EncodeToString(signed); got != goldenHead {
		t.Errorf("the signed form has changed, others could not read it:\n%s", got)
	}
}

func TestEveryBitOfAHeadCounts(t *testing.T) {
	t.Parallel()
	key, id := fixedKey(t)
	signed, err := Seal(key, exampleHead(id))
	if err != nil {
		t.Fatal(err)
	}
	for i := range signed {
		bad := bytes.Clone(signed)
		bad[i] ^= 1
		if _, err := OpenHead(bad); err == nil {
			t.Errorf("a head with byte %d changed passes", i)
		}
	}
}

func TestImpossibleHeadsAreRefused(t *testing.T) {
	t.Parallel()
	key, id := fixedKey(t)
	_, other := newKey(t)
	for name, change := range map[string]func(*pb.Head){
		"another's":          func(h *pb.Head) { h.Peer = []byte(decode(other)) },
		"nobody's":           func(h *pb.Head) { h.Peer = nil },
		"a long name":        func(h *pb.Head) { h.Name = strings.Repeat("a", maxName+1) },
		"a long delta":       func(h *pb.Head) { h.Delta = make([]byte, maxDelta+1) },
		"a huge epoch":       func(h *pb.Head) { h.Epoch = math.MaxUint64 },
		"a huge sequence":    func(h *pb.Head) { h.Sequence = math.MaxInt64 + 1 },
		"too many entries":   func(h *pb.Head) { h.Entries = maxEntries + 1 },
		"negative bytes":     func(h *pb.Head) { h.Bytes = math.MaxUint64 },
		"before 1970":        func(h *pb.Head) { h.Time = -1 },
		"after all times":    func(h *pb.Head) { h.Time = math.MaxInt64 },
		"before all times":   func(h *pb.Head) { h.Time = math.MinInt64 },
		"larger than a head": func(h *pb.Head) { h.Delta = make([]byte, maxSigned) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			msg := &pb.Head{Peer: []byte(decode(id)), Time: 1}
			if _, err := open(sealRaw(t, key, msg, headDomain, headCodec)); err != nil {
				t.Fatalf("before the change: %v", err)
			}
			change(msg)
			_, err := OpenHead(sealRaw(t, key, msg, headDomain, headCodec))
			if !errors.Is(err, domain.ErrMalformed) && !errors.Is(err, domain.ErrTooLarge) {
				t.Errorf("OpenHead: %v", err)
			}
		})
	}
}

func TestNothingElseThatIsSignedPassesForAHead(t *testing.T) {
	t.Parallel()
	key, id := fixedKey(t)
	msg := &pb.Head{Peer: []byte(decode(id)), Time: 1}
	if _, err := OpenHead(sealRaw(t, key, msg, "libp2p-peer-record", headCodec)); !errors.Is(err, domain.ErrMalformed) {
		t.Errorf("signed for another domain: %v", err)
	}
	if _, err := OpenHead(sealRaw(t, key, msg, headDomain, "/potluck/grant/1")); !errors.Is(err, domain.ErrMalformed) {
		t.Errorf("of another type: %v", err)
	}
}

func TestSealRefusesWhatOthersWouldRefuse(t *testing.T) {
	t.Parallel()
	key, id := fixedKey(t)
	other, _ := newKey(t)
	long := exampleHead(id)
	long.Name = strings.Repeat("ä", maxName)
	negative := exampleHead(id)
	negative.Bytes = -1
	for name, h := range map[string]domain.Head{"a long name": long, "negative bytes": negative, "no time": {Peer: id}} {
		if _, err := Seal(key, h); err == nil {
			t.Errorf("%s was sealed", name)
		}
	}
	if _, err := Seal(other, exampleHead(id)); err == nil {
		t.Error("another's head was sealed")
	}
}

// rawRecord is sealed as it is.
type rawRecord struct {
	payload []byte
	domain  string
	codec   string
}

func (r *rawRecord) Domain() string                 { return r.domain }
func (r *rawRecord) Codec() []byte                  { return []byte(r.codec) }
func (r *rawRecord) MarshalRecord() ([]byte, error) { return r.payload, nil }
func (*rawRecord) UnmarshalRecord([]byte) error     { return nil }

func sealRaw(t testing.TB, key crypto.PrivKey, msg proto.Message, signedFor, codec string) []byte {
	t.Helper()
	payload, err := proto.Marshal(msg)
	if err != nil {
		t.Fatal(err)
	}
	envelope, err := record.Seal(&rawRecord{payload, signedFor, codec}, key)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := envelope.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func FuzzOpenHead(f *testing.F) {
	key, id := fixedKey(f)
	signed, err := Seal(key, exampleHead(id))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(signed)
	f.Add(sealRaw(f, key, &pb.Head{Peer: []byte(decode(id)), Delta: make([]byte, 100), Personal: true}, headDomain, headCodec))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		h, err := OpenHead(data)
		if err != nil {
			if !errors.Is(err, domain.ErrMalformed) && !errors.Is(err, domain.ErrTooLarge) {
				t.Errorf("an error of no kind: %v", err)
			}
			return
		}
		if h.Entries < 0 || h.Bytes < 0 || len(h.Name) > maxName || h.Peer == "" {
			t.Errorf("an impossible head passed: %+v", h)
		}
	})
}

// FuzzHeadPayload looks at what comes after the signature, which no fuzzer
// would get past.
func FuzzHeadPayload(f *testing.F) {
	_, id := fixedKey(f)
	payload, err := (&headRecord{head: exampleHead(id)}).MarshalRecord()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(payload)
	// A peer ID that has no text form.
	f.Add([]byte("\n&0$0000000000000000000000000000000000000\xd5\xdf\xc7\xf400\xa0\xa6\x8d00\x80\x80\x80\x8000\x95͡\xa00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var rec headRecord
		if rec.UnmarshalRecord(data) != nil {
			return
		}
		again, err := rec.MarshalRecord()
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		var twice headRecord
		if err := twice.UnmarshalRecord(again); err != nil || twice != rec {
			t.Errorf("%+v came back as %+v, %v", rec, twice, err)
		}
	})
}

func FuzzSwap(f *testing.F) {
	key, id := fixedKey(f)
	h, err := seal(key, exampleHead(id), false)
	if err != nil {
		f.Fatal(err)
	}
	raw, err := proto.Marshal(&pb.Swap{
		Items: []*pb.Item{itemOf(&h, 3), {Kind: 99, Numbers: []uint64{1}}},
		Known: []*pb.Known{ownKnown(h)},
		Last:  true,
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add(bytes.Repeat([]byte{0x0a, 0}, maxItems+1))
	f.Fuzz(func(t *testing.T, data []byte) {
		msg, err := decodeSwap(data)
		if err != nil {
			if !errors.Is(err, domain.ErrMalformed) && !errors.Is(err, domain.ErrTooLarge) {
				t.Errorf("an error of no kind: %v", err)
			}
			return
		}
		if len(msg.GetItems()) > maxItems || len(msg.GetKnown()) > maxItems {
			t.Errorf("%d items and %d heads passed", len(msg.GetItems()), len(msg.GetKnown()))
		}
		for _, item := range msg.GetItems() {
			if h, ok := headOf(item); ok && h.Peer == "" {
				t.Error("an item of nobody")
			}
		}
	})
}

func TestSwapOfManyEmptyItemsIsRefusedUnread(t *testing.T) {
	t.Parallel()
	if _, err := decodeSwap(bytes.Repeat([]byte{0x0a, 0}, maxItems+1)); !errors.Is(err, domain.ErrTooLarge) {
		t.Errorf("too many items: %v", err)
	}
	if _, err := decodeSwap(bytes.Repeat([]byte{0x12, 0}, maxItems+1)); !errors.Is(err, domain.ErrTooLarge) {
		t.Errorf("too many heads: %v", err)
	}
	if _, err := decodeSwap(bytes.Repeat([]byte{0x12, 0}, maxItems)); err != nil {
		t.Errorf("as many as are allowed: %v", err)
	}
}
