package transfers_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/transfers"
	"github.com/potluck-share/potluck/storage/content"
	"github.com/potluck-share/potluck/storage/partial"
)

const mib = 1 << 20

// held is a download of three pieces, of which the first is here, from ana,
// who is near on the network "home".
type held struct {
	*transfers.Holdings
	now     time.Time
	data    []byte
	want    domain.Want
	layer   content.Layer
	part    *partial.File
	holding *transfers.Holding
}

func newHeld(t *testing.T) *held {
	t.Helper()
	h := &held{now: time.Now(), data: bytes.Repeat([]byte("0123456789abcdef"), 3*mib/16)}
	h.Holdings = transfers.NewHoldings(func(id domain.PeerID) (string, bool) { return "home", id == "ana" }, func() time.Time { return h.now })
	sum, err := content.Hash(context.Background(), bytes.NewReader(h.data), int64(len(h.data)), 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	if h.layer, err = content.NewLayer(sum.ID, sum.Size, sum.Layer); err != nil {
		t.Fatal(err)
	}
	h.want = domain.Want{Content: sum.ID, Size: sum.Size, Owner: "ana", Folder: t.TempDir(), Target: "three.bin"}
	if h.part, err = partial.Open(h.want); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.part.Close() })
	if err := h.part.SetLayer(h.layer); err != nil {
		t.Fatal(err)
	}
	h.put(t, 0)
	h.holding = h.Begin(h.want, h.part)
	return h
}

func (h *held) put(t *testing.T, index int) {
	t.Helper()
	piece, err := h.layer.Verify(index, h.data[index*mib:][:mib])
	if err != nil {
		t.Fatal(err)
	}
	if err := h.part.Put(piece); err != nil {
		t.Fatal(err)
	}
}

// finish makes the part the finished file.
func (h *held) finish(t *testing.T) (path string) {
	t.Helper()
	h.put(t, 1)
	h.put(t, 2)
	path, err := h.part.Finish()
	if err != nil {
		t.Fatal(err)
	}
	h.holding.Finish(h.want.Folder, path, h.part)
	return path
}

func (h *held) read(t *testing.T, d *transfers.Held, index int) {
	t.Helper()
	got := make([]byte, mib)
	if n, err := d.ReadAt(got, int64(index)*mib); n != mib || err != nil && !errors.Is(err, os.ErrClosed) {
		t.Errorf("piece %d: %d bytes, %v", index, n, err)
	}
	if !bytes.Equal(got, h.data[index*mib:][:mib]) {
		t.Errorf("piece %d differs", index)
	}
}

var (
	ben      = domain.Asker{Peer: "ben", Near: true, Network: "home"}
	stranger = domain.Asker{Peer: "eve", Near: true, Network: "café"}
)

func TestWhatEveryoneNearbyMayHaveIsServedOn(t *testing.T) {
	h := newHeld(t)
	if h.Allows(ben, h.want.Content) {
		t.Error("given before the owner has said that everyone nearby may have it")
	}
	h.Said(h.want.Content, "mallory", true)
	if h.Allows(ben, h.want.Content) {
		t.Error("given on the word of somebody who is not the owner")
	}
	h.Said(h.want.Content, "ana", true)
	for name, asker := range map[string]domain.Asker{
		"nobody": {}, "far": {Peer: "ben", Network: "home"}, "on another network": stranger,
	} {
		if h.Allows(asker, h.want.Content) {
			t.Errorf("given to one who is %s", name)
		}
		if _, err := h.Open(asker, h.want.Content); !errors.Is(err, domain.ErrNotFound) {
			t.Errorf("opened for one who is %s: %v", name, err)
		}
	}
	d, err := h.Open(ben, h.want.Content)
	if err != nil {
		t.Fatal(err)
	}
	if !d.Growing() || !d.Nearby() || !d.Here(0) || d.Here(1) || d.Size() != h.want.Size {
		t.Errorf("a part: growing %v, nearby %v, pieces %v %v", d.Growing(), d.Nearby(), d.Here(0), d.Here(1))
	}
	h.read(t, d, 0)

	// What was opened as a part goes on as the file.
	h.finish(t)
	if !d.Here(1) {
		t.Error("a piece of the finished file is not here")
	}
	h.read(t, d, 1)
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	whole, err := h.Open(ben, h.want.Content)
	if err != nil {
		t.Fatal(err)
	}
	h.read(t, whole, 2)
	if whole.Growing() || whole.Fresh() != nil || !bytes.Equal(whole.Layer(), h.layer.Raw()) {
		t.Error("the finished file is not served whole")
	}
	if err := whole.Close(); err != nil {
		t.Error(err)
	}
	h.Said(h.want.Content, "ana", false) // she has thought better of it
	if h.Allows(ben, h.want.Content) {
		t.Error("given although the owner has taken her word back")
	}
	h.Said(h.want.Content, "ana", true)
	h.now = h.now.Add(25 * time.Hour)
	if h.Allows(ben, h.want.Content) {
		t.Error("given after a day")
	}
}

func TestGrantsOpenWhatIsPrivate(t *testing.T) {
	h := newHeld(t)
	h.Said(h.want.Content, "ana", false)
	good := domain.Grant{Content: h.want.Content, Size: h.want.Size, Holder: "ben", Issuer: "ana", Expires: h.now.Add(time.Hour)}
	for name, edit := range map[string]func(*domain.Grant){
		"of another content":    func(g *domain.Grant) { g.Content[0]++ },
		"of another size":       func(g *domain.Grant) { g.Size++ },
		"given to another":      func(g *domain.Grant) { g.Holder = "cleo" },
		"given by a third one":  func(g *domain.Grant) { g.Issuer = "mallory" },
		"given by the asker":    func(g *domain.Grant) { g.Issuer = "ben" },
		"that has expired":      func(g *domain.Grant) { g.Expires = h.now },
		"of nobody for nothing": func(g *domain.Grant) { *g = domain.Grant{} },
	} {
		bad := good
		edit(&bad)
		h.Granted(ben, bad)
		if h.Allows(ben, h.want.Content) {
			t.Errorf("given on a grant %s", name)
		}
	}
	h.Granted(domain.Asker{Peer: "eve", Near: true, Network: "home"}, good)
	if h.Allows(domain.Asker{Peer: "eve", Near: true, Network: "home"}, h.want.Content) {
		t.Error("given to one who shows another's grant")
	}
	h.Granted(ben, good)
	if !h.Allows(ben, h.want.Content) {
		t.Error("not given on a good grant")
	}
	h.now = h.now.Add(time.Hour)
	if h.Allows(ben, h.want.Content) {
		t.Error("given after the grant's end")
	}
}

// What was given to this user alone is served on to nobody, grant or not.
func TestWhatWasGivenAloneIsNotServedOn(t *testing.T) {
	h := newHeld(t)
	h.holding.End(h.part)
	h.want.Private = true
	h.holding = h.Begin(h.want, h.part)
	h.Said(h.want.Content, "ana", true)
	h.Granted(ben, domain.Grant{Content: h.want.Content, Size: h.want.Size, Holder: "ben", Issuer: "ana", Expires: h.now.Add(time.Hour)})
	if h.Allows(ben, h.want.Content) {
		t.Error("what was given alone is served on while it is fetched")
	}
	h.finish(t)
	if h.Allows(ben, h.want.Content) {
		t.Error("what was given alone is served on")
	}
}

func TestFinishedFileThatChangedIsNotServed(t *testing.T) {
	for name, change := range map[string]func(path string) error{
		"edited":  func(path string) error { return os.WriteFile(path, []byte("other"), 0o600) },
		"removed": os.Remove,
		"a link": func(path string) error {
			secret := filepath.Join(t.TempDir(), "secret")
			return errors.Join(os.WriteFile(secret, make([]byte, 3*mib), 0o600), os.Remove(path), os.Symlink(secret, path))
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHeld(t)
			h.Said(h.want.Content, "ana", true)
			path := h.finish(t)
			if err := change(path); err != nil {
				t.Fatal(err)
			}
			if _, err := h.Open(ben, h.want.Content); !errors.Is(err, domain.ErrChanged) {
				t.Errorf("opened: %v", err)
			}
			if h.Allows(ben, h.want.Content) {
				t.Error("is still offered")
			}
		})
	}
}

func TestDownloadThatStopsIsNotHeld(t *testing.T) {
	h := newHeld(t)
	h.Said(h.want.Content, "ana", true)
	d, err := h.Open(ben, h.want.Content)
	if err != nil {
		t.Fatal(err)
	}
	h.holding.End(h.part)
	if h.Allows(ben, h.want.Content) {
		t.Error("is still offered")
	}
	if err := h.part.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := d.ReadAt(make([]byte, mib), 0); err == nil {
		t.Error("can still be read")
	}
}

// The same content goes to two folders at once; what is served is the file that
// was finished last, in its own folder.
func TestSameContentInTwoFolders(t *testing.T) {
	h := newHeld(t)
	h.Said(h.want.Content, "ana", true)
	want := h.want
	want.Folder = t.TempDir()
	part, err := partial.Open(want)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = part.Close() })
	if err := part.SetLayer(h.layer); err != nil {
		t.Fatal(err)
	}
	second := h.Begin(want, part)
	h.finish(t)
	h.holding, h.part = second, part
	h.want = want
	h.put(t, 0)
	h.finish(t)
	d, err := h.Open(ben, h.want.Content)
	if err != nil {
		t.Fatal(err)
	}
	h.read(t, d, 1)
	if err := d.Close(); err != nil {
		t.Error(err)
	}
}

// What was opened before a download was paused goes on when that does.
func TestPausedDownloadGoesOn(t *testing.T) {
	h := newHeld(t)
	h.Said(h.want.Content, "ana", true)
	d, err := h.Open(ben, h.want.Content)
	if err != nil {
		t.Fatal(err)
	}
	h.holding.End(h.part)
	h.holding = h.Begin(h.want, h.part)
	h.Said(h.want.Content, "ana", true)
	h.put(t, 1)
	if !d.Here(1) {
		t.Error("a piece that came after the pause is not here")
	}
	h.read(t, d, 1)
}
