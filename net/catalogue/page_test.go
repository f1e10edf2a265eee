package catalogue

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"google.golang.org/protobuf/proto"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/catalogue/pb"
)

func examplePage() domain.Page {
	modified := time.Date(2026, 11, 22, 17, 0, 0, 0, time.UTC)
	return domain.Page{
		Version: domain.Version{Epoch: 1_795_000_000_000_000_000, Sequence: 42},
		Full:    true,
		Changes: []domain.Change{
			{Path: "Holiday", Entry: &domain.Entry{Path: "Holiday", Folder: true, Modified: modified}},
			{Path: "Holiday/Żółw 1.jpg", Entry: &domain.Entry{
				Path: "Holiday/Żółw 1.jpg", Size: 1_234_567, Modified: modified, Content: domain.ContentID{1, 2, 31: 3},
			}},
			{Path: "Holiday/before 1970", Entry: &domain.Entry{
				Path: "Holiday/before 1970", Modified: time.Unix(-5, 0).UTC(), Content: domain.ContentID{9},
			}},
			{Path: "Holiday/gone.txt"},
		},
	}
}

// The bytes that examplePage has on the wire, plain and packed.
const (
	goldenPage = "088080ceded5dfc7f418102a180122110a07486f6c6964617918012890bf8cd80622430a15486f6c696461792fc5bbc3" +
		"b3c5827720312e6a70672087ad4b2890bf8cd80632200102000000000000000000000000000000000000000000000000" +
		"00000000000322420a13486f6c696461792f6265666f7265203139373028fbffffffffffffffff013220090000000000" +
		"000000000000000000000000000000000000000000000000000022140a10486f6c696461792f676f6e652e7478741001"
	goldenPacked = "28b52ffd0400c503002406088080ceded5dfc7f418102a180122110a07486f6c6964617918012890bf8cd80622430a15" +
		"2fc5bbc3b3c5827720312e6a70672087ad4b32200102000322420a136265666f7265203139373028fbff013220090022" +
		"140a10676f6e652e74787410010700472008101aee14125e8d639a5123d4b24906f6064b10"
)

func TestPageKeepsItsForm(t *testing.T) {
	t.Parallel()
	raw, err := encode(examplePage())
	if err != nil {
		t.Fatal(err)
	}
	if got := hex.EncodeToString(raw); got != goldenPage {
		t.Errorf("the form has changed, others could not read it:\n%s", got)
	}
	// Another version of the packer may pack otherwise; ours must read this.
	packed, err := hex.DecodeString(goldenPacked)
	if err != nil {
		t.Fatal(err)
	}
	got, err := unpackerFor(t).page(packed)
	if err != nil || !reflect.DeepEqual(got, examplePage()) {
		t.Errorf("unpack = %+v, %v", got, err)
	}
}

func TestImpossibleEntriesAreRefused(t *testing.T) {
	t.Parallel()
	id := make([]byte, 32)
	id[0] = 1
	for name, c := range map[string]*pb.Change{
		"no path":               {Content: id},
		"the root":              {Path: ".", Content: id},
		"an absolute path":      {Path: "/etc/passwd", Content: id},
		"the parent":            {Path: "..", Content: id},
		"out of the share":      {Path: "a/../../b", Content: id},
		"a dot in between":      {Path: "a/./b", Content: id},
		"an empty part":         {Path: "a//b", Content: id},
		"a slash at the end":    {Path: "a/", Content: id},
		"a NUL":                 {Path: "a\x00b", Content: id},
		"a long path":           {Path: strings.Repeat("a", domain.MaxPath+1), Content: id},
		"gone without path":     {Gone: true},
		"gone outside":          {Gone: true, Path: "../a"},
		"too large":             {Path: "a", Content: id, Size: uint64(domain.MaxFileSize) + 1},
		"a negative size":       {Path: "a", Content: id, Size: 1<<64 - 1},
		"a short content":       {Path: "a", Content: id[:31]},
		"a long content":        {Path: "a", Content: append(id, 0)},
		"no content":            {Path: "a"},
		"a zero content":        {Path: "a", Content: make([]byte, 32)},
		"a folder with size":    {Path: "a", Folder: true, Size: 1},
		"a folder with content": {Path: "a", Folder: true, Content: id},
		"after all times":       {Path: "a", Content: id, Modified: 1<<63 - 1},
		"before all times":      {Path: "a", Content: id, Modified: -1 << 63},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			raw, err := proto.Marshal(&pb.Page{Changes: []*pb.Change{c}})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := decode(raw); !errors.Is(err, domain.ErrMalformed) && !errors.Is(err, domain.ErrTooLarge) {
				t.Errorf("decode: %v", err)
			}
		})
	}
	notUTF8 := []byte{0x22, 3, 0x0a, 1, 0xff}
	if _, err := decode(notUTF8); !errors.Is(err, domain.ErrMalformed) {
		t.Errorf("a path that is not UTF-8: %v", err)
	}
	largest := &pb.Change{Path: strings.Repeat("a", domain.MaxPath), Content: id, Size: uint64(domain.MaxFileSize)}
	raw, err := proto.Marshal(&pb.Page{Changes: []*pb.Change{largest}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := decode(raw); err != nil {
		t.Errorf("the largest that is allowed: %v", err)
	}
}

// bombs returns what is small and unpacks to a lot.
func bombs(t testing.TB) map[string][]byte {
	zeros := func(n int64) []byte {
		var buf bytes.Buffer
		w, err := zstd.NewWriter(&buf, zstd.WithWindowSize(softPage))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(w, io.LimitReader(zero{}, n)); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return buf.Bytes()
	}
	many := bytes.Repeat([]byte{0x22, 0}, maxPage/2) // two million empty entries
	return map[string][]byte{
		"64 MiB of nothing":            zeros(64 << 20),
		"many frames of 1 MiB":         bytes.Repeat(zeros(1<<20), 64),
		"a page of empty entries":      pack(t, many),
		"a claim of 2^60 bytes":        {0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0, 0, 0, 0, 0, 0x10, 1, 0, 0},
		"a window of more than it all": {0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xf8, 1, 0, 0},
	}
}

type zero struct{}

func (zero) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func TestBombIsRefusedInLittleMemory(t *testing.T) {
	unpacker := unpackerFor(t)
	for name, packed := range bombs(t) {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			_, err := unpacker.page(packed)
			runtime.ReadMemStats(&after)
			taken := after.TotalAlloc - before.TotalAlloc
			t.Logf("%d bytes packed, %d KiB allocated in all: %v", len(packed), taken>>10, err)
			if !errors.Is(err, domain.ErrTooLarge) && !errors.Is(err, domain.ErrMalformed) {
				t.Errorf("unpack: %v", err)
			}
			if taken > 12<<20 {
				t.Errorf("refusing it took %d MiB", taken>>20)
			}
		})
	}
}

func TestCutKeepsPagesSmall(t *testing.T) {
	t.Parallel()
	long := domain.Change{Path: strings.Repeat("a", domain.MaxPath)}
	changes := make([]domain.Change, 5000)
	for i := range changes {
		changes[i] = long
	}
	if n := cut(changes, maxEntries); n < 200 || n > softPage/domain.MaxPath {
		t.Errorf("%d entries with the longest paths on a page", n)
	}
	for i := range changes {
		changes[i].Path = "a"
	}
	if n := cut(changes, maxEntries); n != maxEntries {
		t.Errorf("%d short entries on a page, want %d", n, maxEntries)
	}
	if n := cut(changes[:3], maxEntries); n != 3 {
		t.Errorf("%d entries of 3", n)
	}
	if n := cut(nil, maxEntries); n != 0 {
		t.Errorf("%d entries of none", n)
	}
}

func pack(t testing.TB, raw []byte) []byte {
	t.Helper()
	enc, err := packer()
	if err != nil {
		t.Fatal(err)
	}
	return enc.EncodeAll(raw, nil)
}

func unpackerFor(t testing.TB) *unpacker {
	t.Helper()
	u, err := newUnpacker()
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func FuzzUnpack(f *testing.F) {
	raw, err := encode(examplePage())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(pack(f, raw))
	f.Add([]byte{0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0, 0, 0, 0, 0, 0x10, 1, 0, 0})
	unpacker := unpackerFor(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := unpacker.page(data); err != nil &&
			!errors.Is(err, domain.ErrMalformed) && !errors.Is(err, domain.ErrTooLarge) {
			t.Errorf("an error of no kind: %v", err)
		}
	})
}

func FuzzPage(f *testing.F) {
	raw, err := encode(examplePage())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add(bytes.Repeat([]byte{0x22, 0}, maxEntries+1))
	f.Fuzz(func(t *testing.T, data []byte) {
		page, err := decode(data)
		if err != nil {
			if !errors.Is(err, domain.ErrMalformed) && !errors.Is(err, domain.ErrTooLarge) {
				t.Errorf("an error of no kind: %v", err)
			}
			return
		}
		if len(page.Changes) > maxEntries {
			t.Errorf("%d entries passed", len(page.Changes))
		}
		for _, c := range page.Changes {
			if err := check(c); err != nil {
				t.Errorf("it passed, and would not be sent: %v", err)
			}
		}
		again, err := encode(page)
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		if twice, err := decode(again); err != nil || !reflect.DeepEqual(page, twice) {
			t.Errorf("%+v came back as %+v, %v", page, twice, err)
		}
	})
}
