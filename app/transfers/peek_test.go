package transfers_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/domain"
)

// Look stands for contents of one letter each: the first of their ID.
func (w *world) Look(ctx context.Context, content domain.ContentID, size, most int64, from []domain.PeerID) ([]byte, error) {
	w.mu.Lock()
	w.looked = append(w.looked, string(content[:1]))
	hold := w.hold
	w.mu.Unlock()
	if hold != nil {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if w.lookErr != nil {
		return nil, fmt.Errorf("looking into content %v: %w", content, w.lookErr)
	}
	if len(from) == 0 {
		return nil, fmt.Errorf("looking into content %v: %w", content, domain.ErrNotFound)
	}
	piece := (most + domain.PieceSize - 1) / domain.PieceSize * domain.PieceSize
	return bytes.Repeat(content[:1], int(min(size, piece)))[:most], nil
}

func TestPeek(t *testing.T) {
	w := newWorld()
	w.entries["ana:empty"] = []domain.Entry{entry("empty", 0)}
	w.entries["ana:film"] = []domain.Entry{entry("film", 1<<40)}
	r := open(t, filepath.Join(t.TempDir(), "potluck.db"), w)
	defer r.close(t)
	for _, c := range []struct {
		path  string
		most  int64
		want  string
		whole bool
	}{
		{"note.txt", 4, "nnnn", false},
		{"note.txt", 1 << 20, "nnnnnnnnnn", true},
		{"note.txt", 10, "nnnnnnnnnn", true},
		{"empty", 10, "", true},
		{"film", 1 << 50, strings.Repeat("f", 16<<20), false},
	} {
		got, err := r.Peek(t.Context(), domain.PeekRequest{Peer: "ana", Path: c.path, Most: c.most})
		if err != nil || string(got.Data) != c.want || got.Whole != c.whole || cap(got.Data) != len(got.Data) {
			t.Errorf("%s, %d bytes: got %d, whole %v, %v", c.path, c.most, len(got.Data), got.Whole, err)
		}
	}
	for path, want := range map[string]error{"Holiday": domain.ErrUsage, "pics/img": domain.ErrUsage, "nothing": domain.ErrNotFound} {
		if _, err := r.Peek(t.Context(), domain.PeekRequest{Peer: "ana", Path: path, Most: 1}); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", path, err, want)
		}
	}
	if _, err := r.Peek(t.Context(), domain.PeekRequest{Peer: "ana", Path: "note.txt"}); !errors.Is(err, domain.ErrUsage) {
		t.Errorf("no bytes: %v", err)
	}
}

// letter asks for a content of 8 MB.
func letter(name string, most int64) domain.PeekRequest {
	return domain.PeekRequest{Peer: "ana", Content: entry(name, 0).Content, Size: 8_000_000, Most: most}
}

// Who is hidden would be seen by whom a preview is asked of, and may only have
// gone through a list.
func TestNobodyIsAskedForAPreviewWhileHidden(t *testing.T) {
	w := newWorld()
	r := open(t, filepath.Join(t.TempDir(), "potluck.db"), w)
	defer r.close(t)
	if _, err := r.Peek(t.Context(), letter("a", 10)); err != nil {
		t.Fatal(err)
	}
	w.hidden.Store(true)
	if _, err := r.Peek(t.Context(), letter("b", 10)); !errors.Is(err, domain.ErrRefused) {
		t.Errorf("hidden: %v", err)
	}
	if got, err := r.Peek(t.Context(), letter("a", 10)); err != nil || len(got.Data) != 10 {
		t.Errorf("what was looked at before: %d bytes, %v", len(got.Data), err)
	}
	w.hidden.Store(false)
	if _, err := r.Peek(t.Context(), letter("b", 10)); err != nil {
		t.Error(err)
	}
}

func TestWhatWasPeekedCostsNothing(t *testing.T) {
	w := newWorld()
	r := open(t, filepath.Join(t.TempDir(), "potluck.db"), w)
	defer r.close(t)
	peek := func(name string, most int64) {
		t.Helper()
		got, err := r.Peek(t.Context(), letter(name, most))
		if err != nil || int64(len(got.Data)) != most || got.Data[most-1] != name[0] {
			t.Fatalf("%s: %d bytes, %v", name, len(got.Data), err)
		}
	}
	peek("a", 1000)
	peek("a", 999)
	peek("a", 1000)
	peek("a", 8_000_000) // more than is kept
	peek("a", 1000)
	for _, name := range []string{"b", "c", "d", "a", "e", "a", "d", "b"} {
		peek(name, 8_000_000) // four of them have room
	}
	if got := strings.Join(w.looked, ""); got != "aabcdeb" {
		t.Errorf("looked for %q, want each once, and b again", got)
	}
	// What is kept for one size is not for another.
	other := letter("b", 1000)
	other.Size++
	if _, err := r.Peek(t.Context(), other); err != nil || len(w.looked) != 8 {
		t.Errorf("looked for %v, %v", w.looked, err)
	}
}

func TestPeekWhereNobodyIs(t *testing.T) {
	w := newWorld()
	r := open(t, filepath.Join(t.TempDir(), "potluck.db"), w)
	defer r.close(t)
	w.online("ana", false)
	if _, err := r.Peek(t.Context(), letter("x", 1)); !errors.Is(err, domain.ErrOffline) || !strings.Contains(err.Error(), "Ana") {
		t.Errorf("who is away: %v", err)
	}
	req := letter("x", 1)
	req.Peer = ""
	if _, err := r.Peek(t.Context(), req); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("nobody has it: %v", err)
	}
	w.providers = []domain.Provider{{Peer: "ben", Name: "Ben"}}
	if _, err := r.Peek(t.Context(), req); !errors.Is(err, domain.ErrOffline) || !strings.Contains(err.Error(), "Ben") {
		t.Errorf("another one who is away: %v", err)
	}
	w.hold = make(chan struct{})
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := r.Peek(ctx, req); !errors.Is(err, domain.ErrWaiting) {
		t.Errorf("no time: %v", err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	cancel()
	if _, err := r.Peek(ctx, req); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// What goes wrong is told in words about the file by its name, and nothing of
// how it is called underneath.
func TestPeekSaysWhatWentWrong(t *testing.T) {
	w := newWorld()
	r := open(t, filepath.Join(t.TempDir(), "potluck.db"), w)
	defer r.close(t)
	for _, kind := range []error{
		domain.ErrNotFound, domain.ErrOffline, domain.ErrChanged, domain.ErrDamaged, domain.ErrTooLarge, context.DeadlineExceeded,
	} {
		w.lookErr = kind
		for _, path := range []string{"Holiday/no\u202ete.txt", ""} {
			req := letter("x", 1)
			req.Path = path
			want := "note.txt"
			if path == "" {
				want = "film" // what the lists call it
			}
			_, err := r.Peek(t.Context(), req)
			said, ok := domain.SayingOf(err)
			if !errors.Is(err, kind) || !ok || !strings.Contains(said.String(), want) || strings.Contains(said.String(), "Holiday") {
				t.Errorf("%v: it says %q, %v", kind, said, err)
			}
		}
	}
}
