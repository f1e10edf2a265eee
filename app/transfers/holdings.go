package transfers

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/storage/content"
)

const (
	// keepFor is how long a finished download is served to others.
	keepFor = 24 * time.Hour
	// mostHeld is how many downloads are held at most; the oldest goes.
	mostHeld = 50_000
	// mostGranted is how many leaves for one content are kept.
	mostGranted = 64
	// settleTime is how long a reader waits for a part that is becoming a file.
	settleTime = 10 * time.Second
)

// Part is a download in the making, of which pieces can be read.
type Part interface {
	Layer() (content.Layer, bool)
	Has(piece int) bool
	// ReadPiece reads a piece that is here into buf and returns its length.
	ReadPiece(piece int, buf []byte) (int, error)
}

// Holdings are the contents that are here because they were downloaded, or are
// on their way. They are served on, so that a download goes on when its owner
// has left: what everyone nearby could have had from the owner, everyone nearby
// on the same network may have from here, while the program runs; everything
// else only who shows a grant of the owner, and nobody what the owner gave to this
// user alone.
//
// All methods may be called from any goroutine.
type Holdings struct {
	// network returns on which network the peer is near, by its present
	// connection.
	network func(domain.PeerID) (network string, near bool)
	now     func() time.Time

	mu   sync.Mutex
	all  map[domain.ContentID]*Holding
	done []domain.ContentID // finished ones, oldest first
}

// Holding is one content. Its fields are guarded by Holdings.mu.
type Holding struct {
	in    *Holdings
	want  domain.Want
	users int // downloads of it that are under way
	part  Part

	// What its owner said, and on which network that was.
	nearby  bool
	network string
	// granted are those who showed the owner's leave, and until when it is
	// good.
	granted map[domain.PeerID]time.Time

	file    string      // absolute path of the finished file; empty until then
	folder  string      // the absolute download folder in which it lies
	info    fs.FileInfo // as it was then
	layer   []byte
	until   time.Time
	settled chan struct{} // closed when part is no more
}

// NewHoldings returns Holdings that hold nothing. network must not block.
func NewHoldings(network func(domain.PeerID) (string, bool), now func() time.Time) *Holdings {
	return &Holdings{network: network, now: now, all: make(map[domain.ContentID]*Holding)}
}

// Begin holds a download that has begun. Finish or End must follow, with the
// same part.
func (h *Holdings) Begin(want domain.Want, part Part) *Holding {
	h.mu.Lock()
	defer h.mu.Unlock()
	one := h.all[want.Content]
	if one == nil {
		one = &Holding{in: h}
		h.all[want.Content] = one
	}
	one.users++
	if one.part == nil {
		one.want, one.part, one.settled = want, part, make(chan struct{})
	}
	return one
}

// Finish says that the part has become the file at path in its download folder.
func (one *Holding) Finish(folder, path string, part Part) {
	info, err := os.Lstat(path)
	layer, known := part.Layer()
	h := one.in
	h.mu.Lock()
	defer h.mu.Unlock()
	if err == nil && known {
		if one.file == "" {
			h.done = append(h.done, one.want.Content)
		}
		one.file, one.folder, one.info = path, folder, info
		one.layer, one.until = layer.Raw(), h.now().Add(keepFor)
	}
	one.end(part)
	for len(h.done) > mostHeld {
		h.drop(h.done[0])
	}
}

// End says that the download stopped before its end.
func (one *Holding) End(part Part) {
	one.in.mu.Lock()
	defer one.in.mu.Unlock()
	one.end(part)
}

func (one *Holding) end(part Part) {
	one.users--
	if one.part == part {
		one.part = nil
		close(one.settled)
	}
	if one.users == 0 && one.file == "" {
		delete(one.in.all, one.want.Content)
	}
}

// drop forgets a finished download, unless it is under way again.
func (h *Holdings) drop(id domain.ContentID) {
	switch i := slices.Index(h.done, id); {
	case i == 0:
		h.done = h.done[1:]
	case i > 0:
		h.done = slices.Delete(h.done, i, i+1)
	}
	one := h.all[id]
	if one == nil {
		return
	}
	one.file = ""
	if one.users == 0 {
		delete(h.all, id)
	}
}

// Said takes what a provider says: whether everyone nearby may have the
// content. Only the one whom it was asked of can know.
func (h *Holdings) Said(id domain.ContentID, provider domain.PeerID, nearby bool) {
	network, near := h.network(provider)
	h.mu.Lock()
	defer h.mu.Unlock()
	if one := h.all[id]; one != nil && !one.want.Private && provider != "" && one.want.Owner == provider {
		one.nearby, one.network = nearby && near, network
	}
}

// Granted takes the owner's leave that an asker has shown. It is ignored unless
// it was given to that asker by whom we have the content from.
func (h *Holdings) Granted(asker domain.Asker, g domain.Grant) {
	h.mu.Lock()
	defer h.mu.Unlock()
	one := h.all[g.Content]
	if one == nil || one.want.Private || asker.Peer == "" || g.Holder != asker.Peer || g.Issuer != one.want.Owner || g.Size != one.want.Size {
		return
	}
	if one.granted == nil {
		one.granted = make(map[domain.PeerID]time.Time)
	}
	for peer, until := range one.granted {
		if !h.now().Before(until) {
			delete(one.granted, peer)
		}
	}
	if _, again := one.granted[asker.Peer]; again || len(one.granted) < mostGranted {
		one.granted[asker.Peer] = g.Expires
	}
}

// Allows reports whether the asker may have the content from here.
func (h *Holdings) Allows(asker domain.Asker, id domain.ContentID) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	one := h.all[id]
	if one == nil || asker.Peer == "" {
		return false
	}
	if asker.Withheld && !asker.Friend {
		return false // on this network only friends get anything
	}
	near := asker.Near && one.nearby && asker.Network == one.network
	if !near && !h.now().Before(one.granted[asker.Peer]) {
		return false
	}
	if one.part == nil && !h.now().Before(one.until) {
		h.drop(id)
		return false
	}
	return true
}

// Entry returns how the content was called where it came from.
func (h *Holdings) Entry(id domain.ContentID) (domain.Entry, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	one := h.all[id]
	if one == nil {
		return domain.Entry{}, false
	}
	return domain.Entry{
		Path: one.want.Target, Size: one.want.Size, Modified: one.want.Modified, Content: id,
	}, true
}

// Open opens a content for the asker. The error is domain.ErrNotFound alike if
// it is not here and if the asker may not have it, and domain.ErrChanged if the
// finished file is not what it was.
func (h *Holdings) Open(asker domain.Asker, id domain.ContentID) (*Held, error) {
	if !h.Allows(asker, id) {
		return nil, fmt.Errorf("content %s: %w", id, domain.ErrNotFound)
	}
	return h.Local(id)
}

// Local opens a content for the user's own use, whoever else may have it. The
// errors are those of Open.
func (h *Holdings) Local(id domain.ContentID) (*Held, error) {
	h.mu.Lock()
	one := h.all[id]
	h.mu.Unlock()
	if one == nil {
		return nil, fmt.Errorf("content %s: %w", id, domain.ErrNotFound)
	}
	held := &Held{one: one}
	part, finished := held.look()
	if part != nil {
		layer, known := part.Layer()
		if !known {
			return nil, fmt.Errorf("content %s: %w", id, domain.ErrNotFound)
		}
		held.layer, held.size, held.growing = layer.Raw(), layer.Size(), true
		return held, nil
	}
	held.layer, held.size = finished.layer, finished.want.Size
	if err := held.openFile(); err != nil {
		return nil, err
	}
	return held, nil
}

// Held is an open holding. Close may be called once nobody uses it any more,
// its other methods by one goroutine at a time.
type Held struct {
	one     *Holding
	size    int64
	layer   []byte
	growing bool
	file    *os.File
}

// look returns the part, or the finished download if there is none. A download
// that was interrupted and goes on is another Holding of the same content.
func (d *Held) look() (Part, Holding) {
	h := d.one.in
	h.mu.Lock()
	defer h.mu.Unlock()
	if now := h.all[d.one.want.Content]; now != nil {
		d.one = now
	}
	return d.one.part, *d.one
}

// Growing reports whether pieces were missing when it was opened.
func (d *Held) Growing() bool { return d.growing }

// Size returns the size of the content in bytes.
func (d *Held) Size() int64 { return d.size }

// Layer returns the chaining values of all pieces; the caller must not change
// them.
func (d *Held) Layer() []byte { return d.layer }

// Nearby reports whether everyone nearby may have it.
func (d *Held) Nearby() bool {
	_, now := d.look()
	return now.nearby
}

// Here reports whether the piece is here.
func (d *Held) Here(piece int) bool {
	part, finished := d.look()
	return part != nil && part.Has(piece) || finished.file != ""
}

// ReadAt reads a piece as io.ReaderAt does; off is where it begins.
func (d *Held) ReadAt(p []byte, off int64) (int, error) {
	if d.file != nil {
		return d.file.ReadAt(p, off)
	}
	if part, now := d.look(); part != nil {
		n, err := part.ReadPiece(int(off/domain.PieceSize), p)
		if err == nil {
			return n, nil
		}
		// It may be becoming the finished file at this moment.
		select {
		case <-now.settled:
		case <-time.After(settleTime):
			return n, err
		}
	}
	if err := d.openFile(); err != nil {
		return 0, err
	}
	return d.file.ReadAt(p, off)
}

// openFile opens the finished file, if it is still the one that was finished.
// It is opened below the download folder, so a link that leads out of it is
// not followed.
func (d *Held) openFile() error {
	_, now := d.look()
	rel, err := filepath.Rel(now.folder, now.file)
	if now.file == "" || err != nil {
		return fmt.Errorf("content %s: %w", now.want.Content, domain.ErrNotFound)
	}
	root, err := os.OpenRoot(now.folder)
	if err != nil {
		return fmt.Errorf("%s: %w: %w", now.file, domain.ErrChanged, err)
	}
	defer func() { _ = root.Close() }() // the file stays open without it
	file, err := root.Open(rel)
	if err != nil {
		d.forget()
		return fmt.Errorf("%s: %w: %w", now.file, domain.ErrChanged, err)
	}
	d.file = file
	return d.Fresh()
}

// Fresh returns domain.ErrChanged if the finished file is not what it was.
func (d *Held) Fresh() error {
	if d.file == nil {
		return nil // a part is ours alone
	}
	_, then := d.look()
	info, err := d.file.Stat()
	if err == nil && then.info != nil && os.SameFile(info, then.info) && info.Size() == then.info.Size() &&
		info.ModTime().Equal(then.info.ModTime()) {
		return nil
	}
	d.forget()
	return fmt.Errorf("a finished download: %w", domain.ErrChanged)
}

// forget ends the holding of a file that is not what it was.
func (d *Held) forget() {
	d.one.in.mu.Lock()
	defer d.one.in.mu.Unlock()
	d.one.in.drop(d.one.want.Content)
}

// Close closes the file.
func (d *Held) Close() error {
	if d.file == nil {
		return nil
	}
	return d.file.Close()
}
