package library_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/event"
	"github.com/potluck-share/potluck/app/library"
	"github.com/potluck-share/potluck/storage/db"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	everyone = domain.Audience{Kind: domain.Everyone}
	friends  = domain.Audience{Kind: domain.Friends}
	near     = domain.Asker{Peer: "ben", Near: true}
	friend   = domain.Asker{Peer: "ana", Friend: true}
	far      = domain.Asker{Peer: "mallory"}
)

func chosen(peers ...domain.PeerID) domain.Audience {
	return domain.Audience{Kind: domain.Chosen, Peers: peers}
}

// kitchen is a library with everything around it.
type kitchen struct {
	*testing.T
	*library.Library
	dir     string // the files are in there
	data    string // the data folder, in dir
	db      *db.DB
	bus     *event.Bus
	changes atomic.Int64
	ahead   atomic.Int64 // of the real clock, in nanoseconds
	blocked atomic.Value // domain.PeerID
	hidden  atomic.Bool
	rights  []library.Right
	own     []string // what is never shared, beside the data folder
	skip    []string // patterns that are left out
	watches int
	rescan  time.Duration
}

func newKitchen(t *testing.T) *kitchen {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	must(t, err)
	k := &kitchen{T: t, dir: dir, data: filepath.Join(dir, ".data")}
	k.blocked.Store(domain.PeerID(""))
	must(t, os.Mkdir(k.data, 0o700))
	k.open()
	t.Cleanup(func() { k.close() })
	return k
}

func (k *kitchen) open() {
	k.Helper()
	var err error
	log := slog.New(slog.DiscardHandler)
	k.db, err = db.Open(filepath.Join(k.data, "potluck.db"), log)
	must(k.T, err)
	k.bus = event.NewBus()
	k.Library, err = library.New(library.Config{
		Store: k.db, Bus: k.bus, Log: log, Own: append([]string{k.data}, k.own...),
		Now:     func() time.Time { return time.Now().Add(time.Duration(k.ahead.Load())) },
		Changed: func() { k.changes.Add(1) },
		Blocked: func(p domain.PeerID) bool { return p == k.blocked.Load() },
		Hidden:  k.hidden.Load,
		Rights:  k.rights,
		Skip:    k.skip,
		Watches: k.watches,
		Rescan:  k.rescan,
	})
	must(k.T, err)
}

func (k *kitchen) close() {
	k.Helper()
	if k.Library == nil {
		return
	}
	must(k.T, k.Close())
	must(k.T, k.db.Close())
	k.Library = nil
}

// pass lets time go by.
func (k *kitchen) pass(d time.Duration) { k.ahead.Add(int64(d)) }

func (k *kitchen) restart() {
	k.Helper()
	k.close()
	k.open()
}

// TestOwnFileReplaced lets another file take the identity of one that was never
// to be shared and is gone, as file systems do with a new file.
func TestOwnFileReplaced(t *testing.T) {
	t.Parallel()
	k := newKitchen(t)
	old := k.write("socket", "left by a program that was killed")
	k.own = []string{old}
	k.restart()
	photo := k.path("photo.jpg")
	must(t, os.Rename(old, photo))
	report, err := k.Share(t.Context(), []string{photo}, everyone)
	must(t, err)
	same(t, "problems", len(report.Problems), 0)
	k.write("socket", "the new one")
	if report, err := k.Share(t.Context(), []string{old}, everyone); err == nil && len(report.Problems) == 0 {
		t.Error("an own path is shared")
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func same[T any](t testing.TB, what string, got, want T) {
	t.Helper()
	if g, w := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want); g != w {
		t.Fatalf("%s:\n got %s\nwant %s", what, g, w)
	}
}

func (k *kitchen) path(rel string) string { return filepath.Join(k.dir, filepath.FromSlash(rel)) }

// write makes a file, aged so that a change right after it shows in its time.
func (k *kitchen) write(rel, text string) string {
	k.Helper()
	p := k.path(rel)
	must(k.T, os.MkdirAll(filepath.Dir(p), 0o700))
	must(k.T, os.WriteFile(p, []byte(text), 0o600))
	return p
}

func (k *kitchen) share(audience domain.Audience, rels ...string) domain.ShareReport {
	k.Helper()
	var all []string
	for _, rel := range rels {
		all = append(all, k.path(rel))
	}
	report, err := k.Share(k.Context(), all, audience)
	must(k.T, err)
	return report
}

// seen returns what an asker pulls, "path=size" or "path/" for folders.
func (k *kitchen) seen(asker domain.Asker) []string {
	k.Helper()
	var all []string
	for cursor := ""; ; {
		page, err := k.Page(k.Context(), asker, domain.Version{}, cursor)
		must(k.T, err)
		for _, c := range page.Changes {
			if c.Entry.Folder {
				all = append(all, c.Path+"/")
			} else {
				all = append(all, fmt.Sprintf("%s=%d", c.Path, c.Entry.Size))
			}
		}
		if cursor = page.Next; cursor == "" {
			return all
		}
	}
}

// content returns the ID under which path is offered.
func (k *kitchen) content(path string) domain.ContentID {
	k.Helper()
	f, err := k.db.File(path)
	must(k.T, err)
	return f.Content
}

// eventually waits until got returns want.
func eventually(t testing.TB, what, want string, got func() string) {
	t.Helper()
	var last string
	for begun := time.Now(); time.Since(begun) < 15*time.Second; time.Sleep(20 * time.Millisecond) {
		if last = got(); last == want {
			return
		}
	}
	t.Fatalf("%s:\n got %s\nwant %s", what, last, want)
}

func (k *kitchen) eventuallySeen(asker domain.Asker, want ...string) {
	k.Helper()
	eventually(k.T, "seen", fmt.Sprint(want), func() string { return fmt.Sprint(k.seen(asker)) })
}

func (k *kitchen) only() domain.Share {
	k.Helper()
	all := k.Shares()
	if len(all) != 1 {
		k.Fatalf("%d shares", len(all))
	}
	return all[0]
}

func TestShareFolder(t *testing.T) {
	k := newKitchen(t)
	k.write("Holiday/img 1.jpg", "one")
	k.write("Holiday/deep/er/é.txt", "four")
	k.write("Holiday/deep er", "before deep/")
	k.write("Holiday/zero", "")
	k.write("Holiday/.DS_Store", "clutter")
	k.write("Holiday/film.mkv.part", "unfinished")
	must(t, os.MkdirAll(k.path("Holiday/empty/nested"), 0o700))
	k.write("Holiday/clutter only/Thumbs.db", "x")
	report := k.share(everyone, "Holiday")
	same(t, "problems", len(report.Problems), 0)
	same(t, "skipped", report.Skipped, 3)
	same(t, "shared", len(report.Shared), 1)
	s := report.Shared[0]
	same(t, "counts", []any{s.Name, s.Entries, s.Bytes, s.State, s.Problem.String()}, []any{"Holiday", 4, 19, domain.ShareReady, ""})
	want := []string{
		"Holiday/clutter only/", "Holiday/deep er=12", "Holiday/deep/er/é.txt=4",
		"Holiday/empty/nested/", "Holiday/img 1.jpg=3", "Holiday/zero=0",
	}
	same(t, "seen", k.seen(near), want)
	// What b3sum prints for nothing at all.
	same(t, "content", k.content("Holiday/zero").String(), "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262")
	head := k.Head(near)
	same(t, "head", []any{head.Entries, head.Bytes}, []any{4, 19})
	if k.changes.Load() == 0 {
		t.Fatal("nothing was announced")
	}
	k.restart()
	same(t, "seen after a restart", k.seen(near), want)
	same(t, "share after a restart", k.only().Entries, 4)
	same(t, "head after a restart", k.Head(near), head)
}

func TestShareWhatIsThereAndNameTheRest(t *testing.T) {
	k := newKitchen(t)
	k.write("notes.txt", "notes")
	k.write("other/notes.txt", "other notes")
	bad := k.makeSpecial("pipe")
	k.write(".data/secret", "secret")
	k.write("broken\xff.txt", "x")
	stuck := time.AfterFunc(time.Minute, func() { panic("it waits for the pipe, into which nobody writes") })
	report := k.share(everyone, "none.txt", "notes.txt", "other/notes.txt", "notes.txt", bad, ".data/secret", ".data", "broken\xff.txt")
	stuck.Stop()
	var names, problems []string
	for _, s := range report.Shared {
		names = append(names, s.Name)
	}
	for _, p := range report.Problems {
		rel, err := filepath.Rel(k.dir, p.Path)
		must(t, err)
		problems = append(problems, fmt.Sprintf("%q %s", rel, domain.ErrorKind(p.Err)))
	}
	same(t, "shared", names, []string{"notes.txt", "notes (2).txt"})
	same(t, "problems", problems, []string{
		`"none.txt" not_found`, `"pipe" not_shareable`, `".data/secret" not_shareable`, `".data" not_shareable`,
		`"broken\xff.txt" not_shareable`,
	})
	same(t, "seen", k.seen(near), []string{"notes (2).txt=11", "notes.txt=5"})

	again := k.share(friends, "notes.txt")
	same(t, "already", []any{len(again.Shared), len(again.Already), again.Already[0].Audience.Kind}, []any{0, 1, domain.Friends})
	same(t, "seen by those near", k.seen(near), []string{"notes (2).txt=11"})
	if _, err := k.Share(t.Context(), nil, everyone); !errors.Is(err, domain.ErrUsage) {
		t.Fatalf("got %v", err)
	}
	for _, a := range []domain.Audience{{}, {Kind: "aliens"}, {Kind: domain.Chosen}} {
		if _, err := k.Share(t.Context(), []string{k.path("notes.txt")}, a); !errors.Is(err, domain.ErrUsage) {
			t.Fatalf("audience %+v: %v", a, err)
		}
	}
}

func TestHomeFolderHidesPotluckItself(t *testing.T) {
	k := newKitchen(t)
	k.write("notes.txt", "notes")
	k.write(".data/identity.key", "secret")
	must(t, os.Symlink(k.path(".data/identity.key"), k.path("innocent.txt")))
	must(t, os.Symlink(k.path(".data"), k.path("innocent")))
	outside := filepath.Join(t.TempDir(), "outside.txt")
	must(t, os.WriteFile(outside, []byte("outside"), 0o600))
	must(t, os.Symlink(outside, k.path("out.txt")))
	must(t, os.Symlink("notes.txt", k.path("link.txt")))
	must(t, os.Symlink("nowhere", k.path("dangling")))
	must(t, os.Symlink(".", k.path("round")))
	report := k.share(everyone, ".")
	same(t, "problems", len(report.Problems), 0)
	base := filepath.Base(k.dir)
	same(t, "seen", k.seen(near), []string{base + "/link.txt=5", base + "/notes.txt=5"})
	same(t, "skipped", report.Skipped, 6)
}

func TestProblemsInsideAFolder(t *testing.T) {
	k := newKitchen(t)
	k.write("F/a.txt", "a")
	k.write("F/b.txt", "b")
	k.write("F/bad\xff", "x")
	k.makeSpecial("F/pipe")
	report := k.share(everyone, "F")
	same(t, "problems", len(report.Problems), 2)
	same(t, "words", report.Shared[0].Problem.String(), "Can't share bad� and 1 more; the other 2 are shared.")
	same(t, "seen", k.seen(near), []string{"F/a.txt=1", "F/b.txt=1"})
}

func TestUnshare(t *testing.T) {
	k := newKitchen(t)
	one, two := k.write("one.txt", "1"), k.write("two.txt", "22")
	k.write("F/three.txt", "333")
	k.share(everyone, "one.txt", "two.txt", "F")
	id := k.content("F/three.txt")
	before := k.Head(near)
	sub := k.bus.Subscribe(event.Shares.Name())
	defer sub.Close()
	err := k.Unshare(t.Context(), []string{"one.txt", "nonsense", k.path("F")})
	if !errors.Is(err, domain.ErrNotFound) || !strings.Contains(err.Error(), "nonsense") || strings.Contains(err.Error(), "one.txt") {
		t.Fatalf("got %v", err)
	}
	same(t, "seen", k.seen(near), []string{"two.txt=2"})
	if k.Allowed(near, id) {
		t.Fatal("what is not shared any more is given away")
	}
	page, err := k.Page(t.Context(), near, before.Version, "")
	must(t, err)
	same(t, "changes", page.Changes, []domain.Change{{Path: "one.txt"}, {Path: "F/three.txt"}})
	for _, p := range []string{one, two, k.path("F/three.txt")} {
		if _, err := os.Stat(p); err != nil {
			t.Fatalf("unsharing touched a file: %v", err)
		}
	}
	// The name is free again.
	k.share(everyone, "F")
	same(t, "name", k.Shares()[0].Name, "F")
}

func TestUnshareStopsTheReading(t *testing.T) {
	k := newKitchen(t)
	p := k.path("big")
	f, err := os.Create(p)
	must(t, err)
	must(t, f.Truncate(64<<30))
	must(t, f.Close())
	sub := k.bus.Subscribe(event.Shares.Name())
	defer sub.Close()
	done := make(chan domain.ShareReport, 1)
	go func() {
		report, err := k.Share(context.Background(), []string{p}, everyone)
		if err != nil {
			t.Error(err)
		}
		done <- report
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for told := false; !told; {
		events, err := sub.Next(ctx)
		must(t, err)
		for _, e := range events {
			s, ok := event.As(event.Shares, e)
			told = told || ok && s.State == domain.ShareReading && s.Read > 0 && s.ToRead == 64<<30
		}
	}
	must(t, k.Unshare(t.Context(), []string{"big"}))
	select {
	case report := <-done:
		same(t, "report", []int{len(report.Shared), len(report.Problems)}, []int{0, 1})
	case <-ctx.Done():
		t.Fatal("the reading goes on")
	}
	same(t, "shares", len(k.Shares()), 0)
	k.restart()
	same(t, "shares after a restart", len(k.Shares()), 0)
}

func TestAssess(t *testing.T) {
	k := newKitchen(t)
	t.Setenv("HOME", k.dir)
	t.Setenv("USERPROFILE", k.dir)
	k.write("docs/a", "a")
	k.write(".ssh/id", "key")
	k.write(".config/app/token", "token")
	var got []string
	for _, r := range k.Assess(t.Context(), []string{k.dir, k.path("docs"), k.path(".ssh"), k.path(".config/app"), k.path("docs/a"), k.path("none")}) {
		rel, err := filepath.Rel(k.dir, r.Path)
		must(t, err)
		got = append(got, fmt.Sprintf("%s %s %d", r.Kind, rel, r.Files))
	}
	sort.Strings(got)
	same(t, "risks", got, []string{"hidden .config/app 1", "hidden .ssh 1", "home . 3"})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	risks := k.Assess(ctx, []string{string(filepath.Separator)})
	same(t, "root", []any{len(risks), risks[0].Kind, risks[0].More}, []any{1, domain.RiskRoot, true})
}

// BenchmarkShare shares a folder of 10,000 files of 1 kB.
func BenchmarkShare(b *testing.B) {
	dir := b.TempDir()
	for n := range 10_000 {
		sub := filepath.Join(dir, "files", fmt.Sprintf("folder %02d", n%100))
		must(b, os.MkdirAll(sub, 0o700))
		must(b, os.WriteFile(filepath.Join(sub, fmt.Sprintf("%d.txt", n)), bytes.Repeat([]byte{byte(n)}, 1000), 0o600))
	}
	for b.Loop() {
		b.StopTimer()
		log := slog.New(slog.DiscardHandler)
		store, err := db.Open(filepath.Join(b.TempDir(), "potluck.db"), log)
		must(b, err)
		l, err := library.New(library.Config{Store: store, Bus: event.NewBus(), Log: log})
		must(b, err)
		b.StartTimer()
		report, err := l.Share(b.Context(), []string{filepath.Join(dir, "files")}, everyone)
		must(b, err)
		b.StopTimer()
		if report.Shared[0].Entries != 10_000 {
			b.Fatal(report)
		}
		must(b, l.Close())
		must(b, store.Close())
		b.StartTimer()
	}
}
