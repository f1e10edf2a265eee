package app

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"sync"
	"testing"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/event"
)

// newNode starts a Potluck that listens on loopback.
func newNode(t *testing.T, name string) *node {
	t.Helper()
	opts := options{data: t.TempDir(), downloads: t.TempDir(), name: name, listen: []string{"/ip4/127.0.0.1/tcp/0"}, nearby: []string{"127.0.0.0/8"}}
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

// TestWhatALinkNames follows links between two that share with each other.
func TestWhatALinkNames(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	ana, ben := newNode(t, "Ana"), newNode(t, "Ben")
	ctx := t.Context()
	holiday := filepath.Join(t.TempDir(), "Holiday")
	writeAll(t, holiday, map[string]string{"img 1.jpg": "one", "deep/img 2.jpg": "four"})
	if _, err := ana.library.Share(ctx, []string{holiday}, domain.Audience{Kind: domain.Everyone}); err != nil {
		t.Fatal(err)
	}
	if _, err := ben.people.Connect(ctx, ana.host.Addresses()[0]); err != nil {
		t.Fatal(err)
	}
	who := string(ana.host.ID())
	find := func(n *node, link domain.Link) domain.LinkTarget {
		t.Helper()
		target, err := n.target(ctx, link)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(target.Link, link) {
			t.Errorf("tells of %+v, asked for %+v", target.Link, link)
		}
		return target
	}

	folder := find(ben, domain.Link{Kind: domain.LinkPeer, Peer: who, Path: "Holiday"})
	if folder.Name != "Holiday" || !folder.Folder || folder.Files != 2 || folder.Size != 7 || folder.Owner.Name != "Ana" ||
		folder.Here != "" || len(folder.Providers) != 1 || !folder.Providers[0].Online {
		t.Errorf("the folder is %+v", folder)
	}
	file := domain.Link{Kind: domain.LinkPeer, Peer: "ana", Path: "Holiday/deep/img 2.jpg"}
	if got := find(ben, file); got.Name != "img 2.jpg" || got.Folder || got.Size != 4 || got.Here != "" {
		t.Errorf("the file is %+v", got)
	}
	if got := find(ben, domain.Link{Kind: domain.LinkPeer, Peer: who}); got.Name != "Ana" || !got.Folder || got.Files != 2 || got.Size != 7 {
		t.Errorf("all of it is %+v", got)
	}

	// By content, whatever the link calls it.
	entries, _, err := ben.browse.Below(ana.host.ID(), file.Path)
	if err != nil {
		t.Fatal(err)
	}
	content := domain.Link{Kind: domain.LinkContent, Content: entries[0].Content, Name: "other\u202e.exe", Size: 99}
	if got := find(ben, content); got.Name != "img 2.jpg" || got.Size != 4 || len(got.Providers) != 1 || got.Providers[0].Name != "Ana" {
		t.Errorf("the content is %+v", got)
	}
	at := filepath.Join(holiday, "deep", "img 2.jpg")
	if got := find(ana, content); got.Here != at || got.Size != 4 {
		t.Errorf("whose file it is, is told of %+v", got)
	}
	if got := find(ana, domain.Link{Kind: domain.LinkPeer, Peer: who, Path: file.Path}); got.Here != at || got.Owner.ID != ana.host.ID() {
		t.Errorf("one's own link is %+v", got)
	}
	copied := filepath.Join(t.TempDir(), "Copy")
	writeAll(t, copied, map[string]string{"same.jpg": "four"})
	if _, err := ben.library.Share(ctx, []string{copied}, domain.Audience{Kind: domain.Everyone}); err != nil {
		t.Fatal(err)
	}
	for _, link := range []domain.Link{content, file} {
		if got := find(ben, link); got.Here != filepath.Join(copied, "same.jpg") {
			t.Errorf("what is here already is %+v", got)
		}
	}

	// What nobody knows, for which it is waited a while.
	var all sync.WaitGroup
	defer all.Wait()
	all.Go(func() {
		unknown := domain.Link{Kind: domain.LinkContent, Content: domain.ContentID{1}, Name: "a\u202e b\n", Size: 7}
		got, err := ben.target(ctx, unknown)
		if err != nil || got.Name != "a b" || got.Size != 7 || len(got.Providers) != 0 || got.Here != "" {
			t.Errorf("an unknown content is %+v, %v", got, err)
		}
	})
	for _, link := range []domain.Link{
		{Kind: domain.LinkPeer, Peer: who, Path: "Holiday/none"},
		{Kind: domain.LinkPeer, Peer: string(ben.host.ID()), Path: "../x"},
		{Kind: domain.LinkPeer, Peer: "Cleo", Path: "x"},
	} {
		all.Go(func() {
			if got, err := ben.target(ctx, link); !errors.Is(err, domain.ErrNotFound) {
				t.Errorf("%+v is %+v, %v", link, got, err)
			}
		})
	}
	gone, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := ben.target(gone, domain.Link{Kind: domain.LinkContent, Content: domain.ContentID{1}}); err == nil {
		t.Error("an answer to nobody")
	}
}

func writeAll(t *testing.T, folder string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		at := filepath.Join(folder, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
