package content_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"lukechampine.com/blake3"
	"lukechampine.com/blake3/guts"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/storage/content"
)

// pattern is the input of BLAKE3's own test vectors.
func pattern(size int) []byte {
	data := make([]byte, size)
	for i := range data {
		data[i] = byte(i % 251)
	}
	return data
}

func hash(t testing.TB, data []byte) content.Sum {
	t.Helper()
	sum, err := content.Hash(t.Context(), bytes.NewReader(data), int64(len(data)), 0, nil)
	if err != nil {
		t.Fatalf("hashing %d bytes: %v", len(data), err)
	}
	return sum
}

func layerOf(t testing.TB, data []byte) content.Layer {
	t.Helper()
	sum := hash(t, data)
	layer, err := content.NewLayer(sum.ID, sum.Size, sum.Layer)
	if err != nil {
		t.Fatalf("the layer of %d bytes: %v", len(data), err)
	}
	return layer
}

func pieceOf(data []byte, index int) []byte {
	start := index * domain.PieceSize
	return data[start : start+domain.PieceLength(int64(len(data)), index)]
}

// borders are the sizes at which the shape of the tree changes.
func borders() []int {
	var sizes []int
	for _, edge := range []int{
		0, 64, 128, 1024, 2048, 3072, 4096, 8192, 15 << 10, 16 << 10, 17 << 10, 31 << 10, 32 << 10, 48 << 10, 64 << 10,
		512 << 10, 1 << 20, 3 << 19, 2 << 20, 3 << 20, 4 << 20, 5 << 20, 7 << 20, 8 << 20,
	} {
		for _, step := range []int{-1025, -1024, -1023, -65, -64, -1, 0, 1, 63, 64, 65, 1023, 1024, 1025} {
			if size := edge + step; size >= 0 {
				sizes = append(sizes, size)
			}
		}
	}
	return sizes
}

func TestHashIsBLAKE3(t *testing.T) {
	data := pattern(9 << 20)
	for _, size := range borders() {
		sum := hash(t, data[:size])
		if want := domain.ContentID(blake3.Sum256(data[:size])); sum.ID != want {
			t.Fatalf("%d bytes: %v, not %v", size, sum.ID, want)
		}
		if sum.Size != int64(size) {
			t.Fatalf("%d bytes: size %d", size, sum.Size)
		}
		want := 0
		if size > domain.PieceSize {
			want = 32 * domain.Pieces(int64(size))
		}
		if len(sum.Layer) != want || (want == 0 && sum.Layer != nil) {
			t.Fatalf("%d bytes: a layer of %d bytes, not %d", size, len(sum.Layer), want)
		}
	}
}

// TestHashVectors compares with the vectors that BLAKE3 was published with.
func TestHashVectors(t *testing.T) {
	for size, want := range map[int]string{
		0:      "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262",
		1:      "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213",
		1023:   "10108970eeda3eb932baac1428c7a2163b0e924c9a9e25b35bba72b28f70bd11",
		1024:   "42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7",
		1025:   "d00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444",
		102400: "bc3e3d41a1146b069abffad3c0d44860cf664390afce4d9661f7902e7943e085",
	} {
		if got := hash(t, pattern(size)).ID.String(); got != want {
			t.Errorf("%d bytes: %s, not %s", size, got, want)
		}
	}
}

func TestHashIsWhatB3sumPrints(t *testing.T) {
	tool, err := exec.LookPath("b3sum")
	if err != nil {
		if os.Getenv("POTLUCK_STRICT") == "1" {
			t.Fatal(err)
		}
		t.Skipf("nothing to compare with: %v", err)
	}
	folder := t.TempDir()
	data := pattern(9<<20 + 77)
	sizes := []int{0, 1, 63, 1023, 1024, 1025, 16 << 10, 1<<20 - 1, 1 << 20, 1<<20 + 1, 3<<20 - 1, 3 << 20, 8 << 20, len(data)}
	args := []string{"--no-names"}
	for _, size := range sizes {
		name := filepath.Join(folder, fmt.Sprint(size))
		if err := os.WriteFile(name, data[:size], 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, name)
	}
	out, err := exec.CommandContext(t.Context(), tool, args...).Output()
	if err != nil {
		t.Fatal(err)
	}
	printed := strings.Fields(string(out))
	if len(printed) != len(sizes) {
		t.Fatalf("%d lines for %d files", len(printed), len(sizes))
	}
	for i, size := range sizes {
		if got := hash(t, data[:size]).ID.String(); got != printed[i] {
			t.Errorf("%d bytes: %s, b3sum says %s", size, got, printed[i])
		}
	}
}

func TestHashWithAnyNumberOfWorkers(t *testing.T) {
	data := pattern(11<<20 + 5)
	want := hash(t, data)
	for _, workers := range []int{-1, 1, 2, 3, 7, 64} {
		var told int64
		sum, err := content.Hash(t.Context(), bytes.NewReader(data), int64(len(data)), workers, func(n int64) { told += n })
		if err != nil {
			t.Fatalf("%d workers: %v", workers, err)
		}
		if sum.ID != want.ID || !bytes.Equal(sum.Layer, want.Layer) {
			t.Errorf("%d workers give another sum", workers)
		}
		if told != int64(len(data)) {
			t.Errorf("%d workers: progress told of %d bytes of %d", workers, told, len(data))
		}
	}
}

func TestHashNoticesAnotherLength(t *testing.T) {
	for _, size := range []int{0, 1, 1000, 1 << 20, 1<<20 + 1, 5 << 20} {
		data := pattern(size)
		for _, told := range []int{size - 1, size + 1, size + 1<<20} {
			if told < 0 {
				continue
			}
			for _, workers := range []int{1, 4} {
				_, err := content.Hash(t.Context(), bytes.NewReader(data), int64(told), workers, nil)
				if !errors.Is(err, domain.ErrChanged) {
					t.Errorf("%d bytes as %d: %v", size, told, err)
				}
			}
		}
	}
}

func TestHashRefusesSizes(t *testing.T) {
	for size, want := range map[int64]error{
		-1:                     domain.ErrMalformed,
		math.MinInt64:          domain.ErrMalformed,
		domain.MaxFileSize + 1: domain.ErrTooLarge,
		math.MaxInt64:          domain.ErrTooLarge,
	} {
		if _, err := content.Hash(t.Context(), bytes.NewReader(nil), size, 0, nil); !errors.Is(err, want) {
			t.Errorf("size %d: %v", size, err)
		}
		if _, err := content.NewLayer(domain.ContentID{}, size, nil); !errors.Is(err, want) {
			t.Errorf("a layer for size %d: %v", size, err)
		}
	}
}

// failing is a disk that cannot read beyond a point.
type failing struct{ from int64 }

var errBroken = errors.New("input/output error")

func (f failing) ReadAt(p []byte, off int64) (int, error) {
	if off+int64(len(p)) > f.from {
		return 0, errBroken
	}
	return len(p), nil
}

func TestHashReportsReadErrors(t *testing.T) {
	for _, workers := range []int{1, 3} {
		_, err := content.Hash(t.Context(), failing{from: 3 << 20}, 8<<20, workers, nil)
		if !errors.Is(err, domain.ErrUnreadable) || !errors.Is(err, errBroken) {
			t.Errorf("%d workers: %v", workers, err)
		}
	}
}

// endless has as many bytes as anyone asks for, and counts them.
type endless struct{ read atomic.Int64 }

func (e *endless) ReadAt(p []byte, _ int64) (int, error) {
	e.read.Add(int64(len(p)))
	return len(p), nil
}

func TestHashStopsWhenCancelled(t *testing.T) {
	for _, workers := range []int{1, 3} {
		ctx, cancel := context.WithCancel(t.Context())
		var r endless
		_, err := content.Hash(ctx, &r, domain.MaxFileSize/1024, workers, func(int64) { cancel() })
		cancel()
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%d workers: %v", workers, err)
		}
		if most := int64(workers+4) * domain.PieceSize; r.read.Load() > most {
			t.Errorf("%d workers read %d bytes after the cancellation", workers, r.read.Load())
		}
	}
}

func TestVerifyTakesEveryPieceAndOnlyInItsPlace(t *testing.T) {
	for _, size := range []int{0, 1, 1024, 1<<20 - 1, 1 << 20, 1<<20 + 1, 3 << 20, 5<<20 - 3} {
		data := pattern(size)
		layer := layerOf(t, data)
		if layer.Size() != int64(size) || layer.Pieces() != domain.Pieces(int64(size)) || layer.ID() != hash(t, data).ID {
			t.Fatalf("%d bytes: the layer says %d bytes, %d pieces", size, layer.Size(), layer.Pieces())
		}
		for i := range layer.Pieces() {
			piece, err := layer.Verify(i, pieceOf(data, i))
			if err != nil {
				t.Fatalf("%d bytes, piece %d: %v", size, i, err)
			}
			if piece.ID() != layer.ID() || piece.Index() != i || !bytes.Equal(piece.Data(), pieceOf(data, i)) {
				t.Fatalf("%d bytes: piece %d is not what was verified", size, i)
			}
			for j := range layer.Pieces() {
				if _, err := layer.Verify(j, pieceOf(data, i)); j != i && !errors.Is(err, domain.ErrDamaged) {
					t.Fatalf("%d bytes: piece %d passes as piece %d: %v", size, i, j, err)
				}
			}
		}
		for _, index := range []int{-1, math.MinInt, layer.Pieces(), math.MaxInt} {
			if _, err := layer.Verify(index, nil); !errors.Is(err, domain.ErrDamaged) {
				t.Fatalf("%d bytes: piece %d: %v", size, index, err)
			}
		}
	}
}

func TestVerifyNoticesDamage(t *testing.T) {
	data := pattern(2<<20 + 2000)
	layer := layerOf(t, data)
	for i := range layer.Pieces() {
		good := pieceOf(data, i)
		for _, at := range []int{0, 1023, 1024, len(good) - 1} {
			bad := bytes.Clone(good)
			bad[at] ^= 0x10
			if _, err := layer.Verify(i, bad); !errors.Is(err, domain.ErrDamaged) {
				t.Errorf("piece %d with byte %d flipped: %v", i, at, err)
			}
		}
		for _, bad := range [][]byte{nil, good[:len(good)-1], append(bytes.Clone(good), 0)} {
			if _, err := layer.Verify(i, bad); !errors.Is(err, domain.ErrDamaged) {
				t.Errorf("piece %d with %d bytes: %v", i, len(bad), err)
			}
		}
	}
}

func TestNewLayerNoticesDamage(t *testing.T) {
	data := pattern(4<<20 + 9)
	sum := hash(t, data)
	for at := range sum.Layer {
		bad := bytes.Clone(sum.Layer)
		bad[at] ^= 1
		if _, err := content.NewLayer(sum.ID, sum.Size, bad); !errors.Is(err, domain.ErrDamaged) {
			t.Fatalf("byte %d flipped: %v", at, err)
		}
	}
	for _, raw := range [][]byte{nil, sum.Layer[:32], sum.Layer[:len(sum.Layer)-1], append(bytes.Clone(sum.Layer), 0)} {
		if _, err := content.NewLayer(sum.ID, sum.Size, raw); !errors.Is(err, domain.ErrDamaged) {
			t.Errorf("%d bytes: %v", len(raw), err)
		}
	}
	small := hash(t, data[:1000])
	if _, err := content.NewLayer(small.ID, small.Size, sum.Layer[:32]); !errors.Is(err, domain.ErrDamaged) {
		t.Errorf("a layer for a single piece: %v", err)
	}
	if _, err := content.NewLayer(sum.ID, 0, nil); !errors.Is(err, domain.ErrDamaged) {
		t.Errorf("an empty content with the ID of another: %v", err)
	}
	if _, err := (content.Layer{}).Verify(0, nil); !errors.Is(err, domain.ErrDamaged) {
		t.Errorf("the zero layer verifies: %v", err)
	}
}

func TestNewLayerKeepsItsOwnCopy(t *testing.T) {
	data := pattern(2 << 20)
	sum := hash(t, data)
	layer, err := content.NewLayer(sum.ID, sum.Size, sum.Layer)
	if err != nil {
		t.Fatal(err)
	}
	clear(sum.Layer)
	if _, err := layer.Verify(1, pieceOf(data, 1)); err != nil {
		t.Error(err)
	}
}

// subtrees returns the chaining values of all aligned subtrees of a size that
// is a power of two.
func subtrees(data []byte, size int) []byte {
	var raw []byte
	for start := 0; start < len(data); start += size {
		node := guts.CompressEigentree(data[start:start+size], &guts.IV, uint64(start/guts.ChunkSize), 0)
		for _, word := range guts.ChainingValue(node) {
			raw = append(raw, byte(word), byte(word>>8), byte(word>>16), byte(word>>24))
		}
	}
	return raw
}

// TestLayerOfOtherSubtrees lies about the size with layers that do hash up to
// the content ID. No piece passes under them, so that nobody honest is blamed
// and nothing wrong is kept.
func TestLayerOfOtherSubtrees(t *testing.T) {
	data := pattern(8 << 20)
	sum := hash(t, data)
	for _, size := range []int{1 << 19, 1 << 21} {
		raw := subtrees(data, size)
		if _, err := content.NewLayer(sum.ID, sum.Size, raw); !errors.Is(err, domain.ErrDamaged) {
			t.Errorf("subtrees of %d under the right size: %v", size, err)
		}
		claimed := int64(len(raw)/32) * domain.PieceSize
		layer, err := content.NewLayer(sum.ID, claimed, raw)
		if err != nil {
			t.Fatalf("subtrees of %d hash to the same ID: %v", size, err)
		}
		for i := range layer.Pieces() {
			for start := 0; start+domain.PieceSize <= len(data); start += 1 << 19 {
				if _, err := layer.Verify(i, data[start:start+domain.PieceSize]); !errors.Is(err, domain.ErrDamaged) {
					t.Errorf("subtrees of %d: piece %d passes with the bytes from %d", size, i, start)
				}
			}
		}
		// A tail as short as the subtree is no way around either.
		layer, err = content.NewLayer(sum.ID, claimed-domain.PieceSize+1<<19, raw)
		if err != nil {
			t.Fatal(err)
		}
		last := layer.Pieces() - 1
		for start := 0; start < len(data); start += 1 << 19 {
			if _, err := layer.Verify(last, data[start:start+1<<19]); !errors.Is(err, domain.ErrDamaged) {
				t.Errorf("subtrees of %d: the last piece passes with the bytes from %d", size, start)
			}
		}
	}
}

// TestLayerOfAnotherTail lies about the length of the last piece only.
func TestLayerOfAnotherTail(t *testing.T) {
	data := pattern(3 << 20)
	sum := hash(t, data)
	layer, err := content.NewLayer(sum.ID, sum.Size-1<<19, sum.Layer)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := layer.Verify(1, pieceOf(data, 1)); err != nil {
		t.Errorf("a full piece is right under any size: %v", err)
	}
	if _, err := layer.Verify(2, data[2<<20:2<<20+1<<19]); !errors.Is(err, domain.ErrDamaged) {
		t.Errorf("a shortened last piece: %v", err)
	}
}
