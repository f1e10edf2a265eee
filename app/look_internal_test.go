package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/event"
	"github.com/potluck-share/potluck/app/transfers"
	"github.com/potluck-share/potluck/storage/content"
	"github.com/potluck-share/potluck/storage/partial"
)

const mib = 1 << 20

// startPotluck runs a whole Potluck without its window that only this machine
// can reach.
func startPotluck(t *testing.T, name string) *node {
	t.Helper()
	dir := t.TempDir()
	opts := options{
		data: filepath.Join(dir, "data"), downloads: filepath.Join(dir, "downloads"), name: name,
		listen: []string{"/ip4/127.0.0.1/tcp/0"}, nearby: []string{"127.0.0.0/8"},
	}
	if err := os.MkdirAll(opts.data, 0o700); err != nil {
		t.Fatal(err)
	}
	chosen, err := prepare(opts)
	if err != nil {
		t.Fatal(err)
	}
	n, err := startNode(t.Context(), opts, chosen, event.NewBus(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.close)
	return n
}

// shares shares a file of random bytes, with zeros up to its size, and returns
// the bytes and what asks for a look at it.
func (n *node) shares(t *testing.T, name string, random int, size int64, audience domain.AudienceKind) ([]byte, domain.PeekRequest) {
	t.Helper()
	data := make([]byte, random)
	_, _ = rand.NewChaCha8([32]byte([]byte(name + strings.Repeat(".", 32))[:32])).Read(data) // it never fails
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, size); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }() // only read from
	sum, err := content.Hash(t.Context(), file, size, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.library.Share(t.Context(), []string{path}, domain.Audience{Kind: audience}); err != nil {
		t.Fatal(err)
	}
	return data, domain.PeekRequest{Peer: n.host.ID(), Path: name, Content: sum.ID, Size: size}
}

// until waits until ok returns nil.
func until(t *testing.T, what string, ok func() error) {
	t.Helper()
	var err error
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if err = ok(); err == nil {
			return
		}
	}
	t.Fatalf("waited in vain until %s: %v", what, err)
}

// sent is how many bytes of a share the node sent to others so far.
func (n *node) sent(share string) int64 {
	for _, row := range n.transfers.Transfers() {
		if row.Kind == domain.Upload && row.Path == share {
			return row.Done
		}
	}
	return 0
}

// peeks looks and compares with what it is to see.
func (n *node) peeks(t *testing.T, req domain.PeekRequest, most int64, want []byte, whole bool) {
	t.Helper()
	req.Most = most
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	got, err := n.transfers.Peek(ctx, req)
	if err != nil || !bytes.Equal(got.Data, want) || got.Whole != whole {
		t.Fatalf("%s: %d bytes, whole %v, %v; want %d bytes, whole %v", req.Path, len(got.Data), got.Whole, err, len(want), whole)
	}
}

// TestPeek has one person look at what another one shares: little moves, and
// what is here is read from here.
func TestPeek(t *testing.T) {
	t.Parallel()
	ana, ben := startPotluck(t, "ana"), startPotluck(t, "ben")
	if _, err := ben.people.Connect(t.Context(), ana.describe().Addresses[0]); err != nil {
		t.Fatal(err)
	}
	text, big := ana.shares(t, "big.log", 2*mib, 300*mib, domain.Everyone)
	picture, image := ana.shares(t, "image.jpg", 5*mib, 5*mib, domain.Everyone)
	note, last := ana.shares(t, "note.txt", 1000, 1000, domain.Everyone)
	_, diary := ana.shares(t, "diary.txt", 1000, 1000, domain.Friends)
	until(t, "Ben has Ana's list", func() error {
		_, _, err := ben.browse.Below(ana.host.ID(), "note.txt")
		return err
	})

	byPath := domain.PeekRequest{Peer: big.Peer, Path: big.Path}
	ben.peeks(t, byPath, 64<<10, text[:64<<10], false)
	ben.peeks(t, big, 64<<10, text[:64<<10], false)
	ben.peeks(t, byPath, 1000, text[:1000], false)
	ben.peeks(t, image, 12<<20, picture, true)
	ben.peeks(t, image, 12<<20, picture, true)
	ben.peeks(t, last, 64<<10, note, true)
	// A download is told as what was sent, the looks before it are not.
	id, err := ben.transfers.Get(t.Context(), domain.GetRequest{Peer: last.Peer, Path: last.Path})
	if err != nil {
		t.Fatal(err)
	}
	until(t, "what was sent is told", func() error {
		if got := ana.sent("note.txt"); got != 1000 {
			return fmt.Errorf("%d bytes of note.txt were sent", got)
		}
		return nil
	})
	for _, share := range []string{"big.log", "image.jpg"} {
		if got := ana.sent(share); got != 0 {
			t.Errorf("%d bytes of %s were sent, as is told of who only looked", got, share)
		}
	}
	for _, row := range ben.transfers.Transfers() {
		if row.ID != id {
			t.Errorf("a look has become a transfer: %+v", row)
		}
	}

	// What is for friends is as if it were not there.
	absent := diary
	absent.Content[0] ^= 1
	for what, req := range map[string]domain.PeekRequest{"private": diary, "absent": absent} {
		req.Most = 1000
		if _, err := ben.transfers.Peek(t.Context(), req); !errors.Is(err, domain.ErrNotFound) {
			t.Errorf("%s: %v, want not found", what, err)
		}
	}
	ana.peeks(t, domain.PeekRequest{Content: image.Content, Size: image.Size}, mib, picture[:mib], false)
}

// A finished download is looked at where it lies, and no more once it was
// changed.
func TestPeekAtADownload(t *testing.T) {
	t.Parallel()
	ana, ben := startPotluck(t, "ana"), startPotluck(t, "ben")
	if _, err := ben.people.Connect(t.Context(), ana.describe().Addresses[0]); err != nil {
		t.Fatal(err)
	}
	picture, image := ana.shares(t, "image.jpg", 5*mib, 5*mib, domain.Everyone)
	var id string
	until(t, "Ben finds it", func() (err error) {
		id, err = ben.transfers.Get(t.Context(), domain.GetRequest{Peer: ana.host.ID(), Path: "image.jpg"})
		return err
	})
	until(t, "Ben has it", func() error {
		if d, _ := ben.transfers.Transfer(id); d.State != domain.Done {
			return errors.New(string(d.State))
		}
		return nil
	})
	look := func(holdings *transfers.Holdings) ([]byte, error) {
		e := &engine{fetcher: ben.fetcher, holdings: holdings, own: ownContents{ben}, looks: make(chan struct{}, 1)}
		return e.Look(t.Context(), image.Content, image.Size, 2*mib, nil)
	}
	none := transfers.NewHoldings(nil, time.Now) // as after a restart
	for what, holdings := range map[string]*transfers.Holdings{"of this run": ben.holdings, "of an earlier run": none} {
		if got, err := look(holdings); err != nil || !bytes.Equal(got, picture[:2*mib]) {
			t.Errorf("a download %s: %d bytes, %v", what, len(got), err)
		}
	}
	path := ben.transfers.Finished(image.Content)
	if err := os.WriteFile(path, picture[1:], 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if got, err := look(ben.holdings); !errors.Is(err, domain.ErrNotFound) {
			t.Errorf("one that was changed: %d bytes, %v", len(got), err)
		}
	}
}

// What a download that is under way has already is not fetched for a look.
func TestPeekAtADownloadUnderWay(t *testing.T) {
	t.Parallel()
	ben := startPotluck(t, "ben")
	data := bytes.Repeat([]byte("0123456789abcdef"), 4*mib/16)
	sum, err := content.Hash(t.Context(), bytes.NewReader(data), 4*mib, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	layer, err := content.NewLayer(sum.ID, sum.Size, sum.Layer)
	if err != nil {
		t.Fatal(err)
	}
	want := domain.Want{Content: sum.ID, Size: sum.Size, Folder: t.TempDir(), Target: "film.mp4"}
	part, err := partial.Open(want)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := part.Close(); err != nil {
			t.Error(err)
		}
	}()
	if err := part.SetLayer(layer); err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		piece, err := layer.Verify(i, data[i*mib:(i+1)*mib])
		if err != nil {
			t.Fatal(err)
		}
		if err := part.Put(piece); err != nil {
			t.Fatal(err)
		}
	}
	defer ben.holdings.Begin(want, part).End(part)
	req := domain.PeekRequest{Content: sum.ID, Size: sum.Size}
	ben.peeks(t, req, 2*mib, data[:2*mib], false)
	req.Most = 3 * mib
	if _, err := ben.transfers.Peek(t.Context(), req); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("what is not here and nobody has: %v", err)
	}
}
