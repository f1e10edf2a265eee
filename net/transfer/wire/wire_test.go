package wire

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/potluck-share/potluck/app/domain"
)

func id(b byte) (c domain.ContentID) {
	for i := range c {
		c[i] = b
	}
	return c
}

// vectors are the frames of testdata/frames.txt, by name.
var vectors = []struct {
	name string
	head Header
	body string
}{
	{"request piece", Header{Kind: Request, Request: 1, What: Piece, Content: id(0xab), Index: 5, Length: 1 << 20}, ""},
	{"request layer", Header{Kind: Request, Request: 300, What: Layer, Content: id(1), Length: 96}, ""},
	{"request info", Header{Kind: Request, Request: 1 << 40, What: Info, Content: id(2)}, ""},
	{"cancel", Header{Kind: Cancel, Request: 7}, ""},
	{"response ok", Header{Kind: Response, Request: 1, Status: OK, Length: 5, Size: 5, Last: true}, "hello"},
	{"response partial", Header{Kind: Response, Request: 1, Status: OK, Length: 70000, Size: 1 << 40, Partial: true}, "begin"},
	{"response absent", Header{Kind: Response, Request: 2, Status: Absent, Last: true}, ""},
	{"response changed", Header{Kind: Response, Request: 3, Status: Changed, Size: 9, Last: true}, ""},
	{"data", Header{Kind: Data, Request: 1}, "more"},
	{"data last", Header{Kind: Data, Request: 1, Last: true}, "end"},
	{"request any", Header{Kind: Request, Request: 4, What: Any, Content: id(3), Index: 4096, Length: 1 << 20}, "\x05\x80"},
	{"response chosen", Header{Kind: Response, Request: 4, Status: OK, Index: 4098, Length: 4, Size: 1 << 33, Nearby: true, Last: true}, "four"},
	{"have", Header{Kind: Have, Content: id(3)}, "\x00\x00\x10\x02\x00\xff\xff\xff"},
	{"coming", Header{Kind: Have, Content: id(3), Coming: true}, "\x00\x00\x00\x07"},
	{"have lost", Header{Kind: Have, Content: id(3)}, ""},
	{"hint", Header{Kind: Hint, Content: id(3)}, "\x0a\x12\x0a\x03Ana\x12\x0b/ip4/1.2.3.4"},
	{"leave", Header{Kind: Leave, Content: id(3)}, ""},
	{"grant", Header{Kind: Grant, Content: id(3)}, "signed"},
	{"look", Header{Kind: Request, Request: 5, What: Piece, Content: id(3), Length: 1 << 20, Look: true}, ""},
	{"alone", Header{Kind: Request, Request: 6, What: Piece, Content: id(3), Length: 1 << 20, Alone: true}, ""},
}

func encode(t testing.TB, h Header, body string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := NewWriter(&out)
	defer w.Release()
	if err := w.Write(h, []byte(body)); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// The bytes on the wire must not change: older peers read them.
func TestGolden(t *testing.T) {
	f, err := os.Open("testdata/frames.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }() // only read from
	golden := make(map[string][]byte)
	for lines := bufio.NewScanner(f); lines.Scan(); {
		name, text, ok := strings.Cut(lines.Text(), ": ")
		if !ok {
			continue
		}
		if golden[name], err = hex.DecodeString(text); err != nil {
			t.Fatal(err)
		}
	}
	for _, v := range vectors {
		got := encode(t, v.head, v.body)
		if !bytes.Equal(got, golden[v.name]) {
			t.Errorf("%s: %x, want %x", v.name, got, golden[v.name])
		}
		r := NewReader(bytes.NewReader(golden[v.name]))
		h, err := r.Next()
		want := v.head
		want.Body = len(v.body)
		if err != nil || h != want {
			t.Errorf("%s: read %+v, %v, want %+v", v.name, h, err, want)
			continue
		}
		body := make([]byte, h.Body)
		if err := r.ReadBody(body); err != nil || string(body) != v.body {
			t.Errorf("%s: body %q, %v", v.name, body, err)
		}
		if _, err := r.Next(); !errors.Is(err, io.EOF) {
			t.Errorf("%s: %v at the end", v.name, err)
		}
		r.Release()
	}
}

// frame makes a frame of any header bytes.
func frame(head []byte, body int) []byte {
	out := binary.BigEndian.AppendUint16(nil, uint16(len(head)))
	out = binary.BigEndian.AppendUint16(out, uint16(body))
	return append(append(out, head...), make([]byte, body)...)
}

func TestUnknownIsSkipped(t *testing.T) {
	// A frame of a kind that is not known yet, with a body.
	head := protowire.AppendTag(nil, 1, protowire.VarintType)
	head = protowire.AppendVarint(head, 99)
	stream := frame(head, 5000)
	// A known one with a field that is not known, its body left unread.
	head = protowire.AppendTag(nil, 1, protowire.VarintType)
	head = protowire.AppendVarint(head, 4)
	head = protowire.AppendTag(head, 77, protowire.BytesType)
	head = protowire.AppendBytes(head, make([]byte, 3000))
	stream = append(stream, frame(head, 100)...)
	// A request for something new reaches the provider as such.
	head = protowire.AppendTag(nil, 1, protowire.VarintType)
	head = protowire.AppendVarint(head, 1)
	head = protowire.AppendTag(head, 3, protowire.VarintType)
	head = protowire.AppendVarint(head, 50)
	head = protowire.AppendTag(head, 4, protowire.BytesType)
	head = protowire.AppendBytes(head, make([]byte, 32))
	stream = append(stream, frame(head, 0)...)
	stream = append(stream, encode(t, Header{Kind: Cancel, Request: 3}, "")...)

	r := NewReader(bytes.NewReader(stream))
	defer r.Release()
	for _, want := range []Header{
		{Kind: Data, Body: 100},
		{Kind: Request, What: UnknownWhat},
		{Kind: Cancel, Request: 3},
	} {
		if h, err := r.Next(); err != nil || h != want {
			t.Fatalf("read %+v, %v, want %+v", h, err, want)
		}
	}
}

func TestLimits(t *testing.T) {
	field := func(kind uint64, number protowire.Number, v uint64) []byte {
		head := protowire.AppendTag(nil, 1, protowire.VarintType)
		head = protowire.AppendVarint(head, kind)
		head = protowire.AppendTag(head, 4, protowire.BytesType)
		head = protowire.AppendBytes(head, make([]byte, 32))
		head = protowire.AppendTag(head, number, protowire.VarintType)
		return frame(protowire.AppendVarint(head, v), 0)
	}
	set := func(first uint64, body int) []byte {
		head := protowire.AppendTag(nil, 1, protowire.VarintType)
		head = protowire.AppendVarint(head, 1)
		head = protowire.AppendTag(head, 3, protowire.VarintType)
		head = protowire.AppendVarint(head, 4)
		head = protowire.AppendTag(head, 4, protowire.BytesType)
		head = protowire.AppendBytes(head, make([]byte, 32))
		head = protowire.AppendTag(head, 5, protowire.VarintType)
		return frame(protowire.AppendVarint(head, first), body)
	}
	shortID := protowire.AppendTag(nil, 1, protowire.VarintType)
	shortID = protowire.AppendVarint(shortID, 1)
	shortID = protowire.AppendTag(shortID, 4, protowire.BytesType)
	shortID = protowire.AppendBytes(shortID, make([]byte, 31))
	for name, bad := range map[string][]byte{
		"over-long frame":    {0, 10, 0xff, 0xff},
		"over-long header":   {0xff, 0xff, 0, 10},
		"no protobuf":        frame([]byte{0xff, 0xff, 0xff}, 0),
		"short content ID":   frame(shortID, 0),
		"huge index":         field(1, 5, 1<<63),
		"first piece beyond": field(1, 5, uint64(domain.MaxFileSize)/domain.PieceSize),
		"long request":       field(1, 6, MaxAnswer+1),
		"negative length":    field(3, 6, 1<<64-1),
		"huge size":          field(3, 8, uint64(domain.MaxFileSize)+1),
		"negative size":      field(3, 8, 1<<64-1),
		"chosen beyond":      field(3, 5, uint64(domain.MaxFileSize)/domain.PieceSize),
		"empty set":          set(8, 0),
		"set askew":          set(7, 1),
		"large set":          set(8, MaxSet+1),
	} {
		r := NewReader(bytes.NewReader(bad))
		if h, err := r.Next(); !errors.Is(err, domain.ErrMalformed) {
			t.Errorf("%s: read %+v, %v", name, h, err)
		}
		r.Release()
	}
	for name, cut := range map[string][]byte{
		"lengths": {0},
		"header":  {0, 10, 0, 0, 1},
		"body":    encode(t, Header{Kind: Data}, "12345")[:8],
	} {
		r := NewReader(bytes.NewReader(cut))
		_, err := r.Next()
		if err == nil {
			_, err = r.Next()
		}
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("cut in the %s: %v", name, err)
		}
		r.Release()
	}
	w := NewWriter(io.Discard)
	defer w.Release()
	if err := w.Write(Header{Kind: Data}, make([]byte, MaxFrame)); !errors.Is(err, domain.ErrTooLarge) {
		t.Errorf("wrote a frame over the limit: %v", err)
	}
	if err := w.Write(Header{Kind: Response, Request: 1 << 63, Status: OK, Length: MaxAnswer, Size: domain.MaxFileSize, Partial: true}, make([]byte, MaxBody)); err != nil {
		t.Errorf("the largest body does not fit: %v", err)
	}
}

func TestBodies(t *testing.T) {
	var body []byte
	want := []int{0, 4098, int(maxIndex) - 1}
	for _, piece := range want {
		body = AppendIndex(body, piece)
	}
	if got, err := Indices(body); err != nil || !slices.Equal(got, want) {
		t.Errorf("pieces %v, %v, want %v", got, err, want)
	}
	for name, bad := range map[string][]byte{
		"cut":    body[:len(body)-1],
		"beyond": AppendIndex(nil, int(maxIndex)),
		"huge":   {0xff, 0xff, 0xff, 0xff},
	} {
		if got, err := Indices(bad); !errors.Is(err, domain.ErrMalformed) {
			t.Errorf("%s: pieces %v, %v", name, got, err)
		}
	}

	many := make([]Holder, 2*MaxHolders)
	for i := range many {
		many[i] = Holder{Peer: domain.PeerID(strings.Repeat("x", i+1)), Addresses: make([]string, 2*MaxAddresses)}
	}
	body, err := EncodeHolders(many, []byte("leave"))
	if err != nil {
		t.Fatal(err)
	}
	got, grant, err := DecodeHolders(body)
	if err != nil || len(got) != MaxHolders || len(got[0].Addresses) != MaxAddresses || got[9].Peer != many[9].Peer || string(grant) != "leave" {
		t.Errorf("%d holders, the first with %d addresses, %v", len(got), len(got[0].Addresses), err)
	}
	body, err = EncodeHolders([]Holder{
		{Peer: domain.PeerID(strings.Repeat("x", maxPeerID+1))},
		{Peer: "Ana", Addresses: []string{strings.Repeat("x", maxAddress+1), "/ip4/1.2.3.4"}},
		{},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, _, err := DecodeHolders(body); err != nil || len(got) != 1 || !slices.Equal(got[0].Addresses, []string{"/ip4/1.2.3.4"}) {
		t.Errorf("of what is too long, %v is left, %v", got, err)
	}
	if _, err := EncodeHolders([]Holder{{Peer: domain.PeerID(strings.Repeat("x", MaxFrame))}}, nil); !errors.Is(err, domain.ErrTooLarge) {
		t.Errorf("a hint over the limit: %v", err)
	}
	if body, err = EncodeHolders(nil, make([]byte, MaxGrant+1)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := DecodeHolders(body); !errors.Is(err, domain.ErrMalformed) {
		t.Errorf("a hint with a huge grant: %v", err)
	}
	if _, _, err := DecodeHolders([]byte{0xff}); !errors.Is(err, domain.ErrMalformed) {
		t.Errorf("a hint that is no protobuf: %v", err)
	}
}

func FuzzBodies(f *testing.F) {
	f.Add([]byte("\x0a\x12\x0a\x03Ana\x12\x0b/ip4/1.2.3.4"))
	f.Add([]byte{0, 0, 16, 2})
	f.Fuzz(func(t *testing.T, body []byte) {
		if pieces, err := Indices(body); err == nil {
			var again []byte
			for _, piece := range pieces {
				again = AppendIndex(again, piece)
			}
			if !bytes.Equal(again, body) {
				t.Fatalf("%x reads as %v, which is %x", body, pieces, again)
			}
		}
		holders, _, err := DecodeHolders(body)
		if err != nil {
			return
		}
		if len(holders) > MaxHolders {
			t.Fatalf("%d holders", len(holders))
		}
		for _, h := range holders {
			if len(h.Addresses) > MaxAddresses {
				t.Fatalf("%d addresses", len(h.Addresses))
			}
		}
	})
}

func TestPages(t *testing.T) {
	for _, c := range []struct {
		total  int64
		pages  int
		length int // of the last page
	}{{0, 0, 0}, {1, 1, 1}, {PageSize, 1, PageSize}, {PageSize + 5, 2, 5}} {
		if n := PageLength(c.total, c.pages-1); n != c.length {
			t.Errorf("last page of %d bytes has %d, want %d", c.total, n, c.length)
		}
		if n := PageLength(c.total, c.pages); n != 0 {
			t.Errorf("a page beyond %d bytes has %d", c.total, n)
		}
	}
}

func FuzzReader(f *testing.F) {
	for _, v := range vectors {
		f.Add(encode(f, v.head, v.body))
	}
	f.Add([]byte{0xff, 0xff, 0xff, 0xff})
	f.Add(frame([]byte{8, 99}, 50))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := NewReader(bytes.NewReader(data))
		defer r.Release()
		for {
			h, err := r.Next()
			if err != nil {
				return
			}
			if h.Length < 0 || h.Length > MaxAnswer || h.Size < 0 || h.Size > domain.MaxFileSize ||
				h.Index < 0 || uint64(h.Index) >= maxIndex || h.Body < 0 || h.Body > MaxFrame {
				t.Fatalf("beyond the limits: %+v", h)
			}
			// What was read can be written, and reads the same.
			body := make([]byte, min(h.Body, MaxBody))
			if err := r.ReadBody(body); err != nil {
				return
			}
			again := NewReader(bytes.NewReader(encode(t, h, string(body))))
			defer again.Release()
			back, err := again.Next()
			h.Body = len(body)
			if err != nil || back != h {
				t.Fatalf("wrote %+v, read %+v, %v", h, back, err)
			}
		}
	})
}

func BenchmarkFrames(b *testing.B) {
	body := make([]byte, MaxBody)
	var out bytes.Buffer
	w := NewWriter(&out)
	defer w.Release()
	src := bytes.NewReader(nil)
	b.SetBytes(MaxBody)
	b.ReportAllocs()
	r := NewReader(src)
	defer r.Release()
	for b.Loop() {
		out.Reset()
		if err := w.Write(Header{Kind: Data, Request: 99}, body); err != nil {
			b.Fatal(err)
		}
		if err := w.Flush(); err != nil {
			b.Fatal(err)
		}
		src.Reset(out.Bytes())
		r.buf.Reset(src)
		if _, err := r.Next(); err != nil {
			b.Fatal(err)
		}
		if err := r.ReadBody(body); err != nil {
			b.Fatal(err)
		}
	}
}

// A header longer than the buffer is for a later version, and skipped as well
// when it comes in portions.
func TestLongHeader(t *testing.T) {
	for _, n := range []int{readBuffer - prefixSize, readBuffer, 60 << 10} {
		head := protowire.AppendTag(nil, 999, protowire.BytesType)
		head = protowire.AppendBytes(head, make([]byte, n-len(head)-3))
		stream := append(frame(head, 100), encode(t, Header{Kind: Cancel, Request: 7}, "")...)
		for range 2 { // the second one gets a buffer that was used
			r := NewReader(iotest.OneByteReader(bytes.NewReader(stream)))
			if h, err := r.Next(); err != nil || h.Kind != Cancel || h.Request != 7 {
				t.Errorf("after a header of %d bytes: %+v, %v", len(head), h, err)
			}
			r.Release()
		}
	}
}
