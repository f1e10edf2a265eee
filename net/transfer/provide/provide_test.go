package provide_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p"
	libp2phost "github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peerstore"
	libp2ptls "github.com/libp2p/go-libp2p/p2p/security/tls"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	"go.uber.org/goleak"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/transfer/provide"
	"github.com/potluck-share/potluck/net/transfer/wire"
)

const mib = 1 << 20

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// files is a source of real files whose IDs are chosen by the test.
type files struct {
	mu    sync.Mutex
	paths map[domain.ContentID]string
	far   bool // the asker is not near any more
	open  int  // files that are open
	// gate holds up who reads of a file until it is closed; atGate tells of
	// the first who waits there.
	gate, atGate chan struct{}
	// private is true while not everyone nearby may have the files.
	private bool
	spread  provide.Spread // of what is private
	// has says which pieces are here; nil: all.
	has func(int) bool
}

func (s *files) Allowed(asker domain.Asker, _ domain.ContentID) bool { return asker.Near }

func (s *files) Open(_ context.Context, asker domain.Asker, id domain.ContentID) (provide.Content, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	path := s.paths[id]
	if path == "" || !asker.Near {
		return nil, domain.ErrNotFound
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	s.open++
	whole := &file{File: f, s: s, path: path, info: info}
	if s.has != nil {
		return partialFile{whole}, nil
	}
	return whole, nil
}

func (s *files) asker(c network.Conn) domain.Asker {
	s.mu.Lock()
	defer s.mu.Unlock()
	return domain.Asker{Peer: domain.PeerID(c.RemotePeer().String()), Near: !s.far}
}

func (s *files) opened() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open
}

type file struct {
	*os.File
	s    *files
	path string
	info os.FileInfo
}

func (f *file) Size() int64   { return f.info.Size() }
func (f *file) Layer() []byte { return make([]byte, 32*domain.Pieces(f.Size())) }

func (f *file) Spread() provide.Spread {
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	if f.s.private {
		return f.s.spread
	}
	return provide.Nearby
}

type partialFile struct{ *file }

func (f partialFile) Has(piece int) bool { return f.s.has(piece) }

func (f *file) Fresh() error {
	info, err := os.Stat(f.path)
	if err != nil || info.Size() != f.info.Size() {
		return domain.ErrChanged
	}
	return nil
}

func (f *file) ReadAt(p []byte, off int64) (int, error) {
	if f.s.gate != nil {
		select {
		case f.s.atGate <- struct{}{}:
		default:
		}
		<-f.s.gate
	}
	return f.File.ReadAt(p, off)
}

func (f *file) Close() error {
	f.s.mu.Lock()
	f.s.open--
	f.s.mu.Unlock()
	return f.File.Close()
}

// shut makes the gate, which is shut.
func (s *files) shut() { s.gate, s.atGate = make(chan struct{}), make(chan struct{}, 1) }

func newHost(t *testing.T) libp2phost.Host {
	t.Helper()
	h, err := libp2p.New(
		libp2p.ListenAddrStrings("/ip4/127.0.0.1/tcp/0"),
		libp2p.Transport(tcp.NewTCPTransport),
		libp2p.Security(libp2ptls.ID, libp2ptls.New),
		libp2p.ResourceManager(&network.NullResourceManager{}),
		libp2p.DisableRelay(),
		libp2p.DisableMetrics(),
	)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

// rig is a provider with one content, and a stream to it.
type rig struct {
	*files
	content  domain.ContentID
	data     []byte
	provider *provide.Provider
	server   libp2phost.Host
	client
	streams atomic.Int64 // that are being served

	upMu sync.Mutex
	up   int64
	// looked is the same apart: for looks, and not.
	looked map[bool]int64
}

// client is one end of a stream to the provider.
type client struct {
	host   libp2phost.Host
	stream network.Stream
	w      *wire.Writer
	r      *wire.Reader
}

func newRig(t *testing.T, size int, cfg provide.Config) *rig {
	t.Helper()
	g := &rig{content: domain.ContentID{7}, data: make([]byte, size), looked: make(map[bool]int64)}
	for i := range g.data {
		g.data[i] = byte(i ^ i>>8 ^ i>>16)
	}
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, g.data, 0o600); err != nil {
		t.Fatal(err)
	}
	g.files = &files{paths: map[domain.ContentID]string{g.content: path}}
	cfg.Source = g.files
	cfg.Uploads = func(u provide.Upload) {
		g.upMu.Lock()
		g.up += u.Sent
		g.looked[u.Look] += u.Sent
		g.upMu.Unlock()
	}
	g.provider = provide.New(cfg)
	g.server = newHost(t)
	g.server.SetStreamHandler(wire.Protocol, func(s network.Stream) {
		g.streams.Add(1)
		defer g.streams.Add(-1)
		g.provider.Handle(context.Background(), s, func() domain.Asker { return g.asker(s.Conn()) })
	})
	t.Cleanup(g.provider.Close)
	g.client = g.connect(t)
	return g
}

// connect opens a stream from a host of its own.
func (g *rig) connect(t *testing.T) client {
	t.Helper()
	h := newHost(t)
	h.Peerstore().AddAddrs(g.server.ID(), g.server.Addrs(), peerstore.PermanentAddrTTL)
	s, err := h.NewStream(t.Context(), g.server.ID(), wire.Protocol)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return client{host: h, stream: s, w: wire.NewWriter(s), r: wire.NewReader(s)}
}

func (c *client) send(t *testing.T, heads ...wire.Header) {
	t.Helper()
	for _, h := range heads {
		if err := c.w.Write(h, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.w.Flush(); err != nil {
		t.Fatal(err)
	}
}

func (g *rig) piece(request uint64, index int) wire.Header {
	return wire.Header{Kind: wire.Request, Request: request, What: wire.Piece, Content: g.content, Index: index, Length: mib}
}

// answer reads the next answer, which must not be mixed with another one.
func (c *client) answer(t *testing.T) (wire.Header, []byte) {
	t.Helper()
	var first wire.Header
	var body []byte
	for {
		h, err := c.r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if h.Kind != wire.Response && h.Kind != wire.Data {
			continue
		}
		if first.Kind == 0 {
			first = h
		}
		if h.Request != first.Request {
			t.Fatalf("answer %d within answer %d", h.Request, first.Request)
		}
		part := make([]byte, h.Body)
		if err := c.r.ReadBody(part); err != nil {
			t.Fatal(err)
		}
		body = append(body, part...)
		if h.Last {
			return first, body
		}
	}
}

func TestAnswers(t *testing.T) {
	g := newRig(t, 2*mib+100, provide.Config{})
	layer := wire.Header{Kind: wire.Request, What: wire.Layer, Content: g.content, Length: 96}
	beyond := g.piece(0, 3)
	short := g.piece(0, 0)
	short.Length = mib - 1
	unknown := g.piece(0, 0)
	unknown.Content = domain.ContentID{9}
	for i, c := range []struct {
		ask    wire.Header
		status wire.Status
		body   []byte
	}{
		{g.piece(0, 0), wire.OK, g.data[:mib]},
		{g.piece(0, 2), wire.OK, g.data[2*mib:]},
		{layer, wire.OK, make([]byte, 96)},
		{wire.Header{Kind: wire.Request, What: wire.Info, Content: g.content}, wire.OK, nil},
		{beyond, wire.Malformed, nil},
		{short, wire.Malformed, nil},
		{unknown, wire.Absent, nil},
		{wire.Header{Kind: wire.Request, What: wire.UnknownWhat, Content: g.content}, wire.Malformed, nil},
	} {
		c.ask.Request = uint64(i + 1)
		g.send(t, c.ask)
		h, body := g.answer(t)
		if h.Request != c.ask.Request || h.Status != c.status || !bytes.Equal(body, c.body) {
			t.Errorf("answer %d: %+v with %d bytes, want %v with %d", i, h, len(body), c.status, len(c.body))
		}
		if h.Status == wire.OK && h.Size != int64(len(g.data)) {
			t.Errorf("answer %d: size %d", i, h.Size)
		}
	}
	up := func() int64 {
		g.upMu.Lock()
		defer g.upMu.Unlock()
		return g.up
	}
	// What was sent is told a moment later.
	const want = mib + 100 + 96
	eventually(t, func() bool { return up() >= want })
	if up := up(); up != want {
		t.Errorf("%d bytes reported as uploaded, want %d", up, want)
	}
}

func TestWhoStopsBeingNearGetsNothingMore(t *testing.T) {
	g := newRig(t, 1000, provide.Config{})
	g.send(t, g.piece(1, 0))
	if h, _ := g.answer(t); h.Status != wire.OK {
		t.Fatalf("near: %v", h.Status)
	}
	g.mu.Lock()
	g.far = true
	g.mu.Unlock()
	unknown := g.piece(3, 0)
	unknown.Content = domain.ContentID{9}
	g.send(t, g.piece(2, 0), unknown)
	private, _ := g.answer(t)
	absent, _ := g.answer(t)
	absent.Request = private.Request
	if private.Status != wire.Absent || private != absent {
		t.Fatalf("private: %+v, absent: %+v, must be alike", private, absent)
	}
}

func TestTooMuchAskedIsBusy(t *testing.T) {
	g := newRig(t, 2*mib, provide.Config{MaxPerPeer: 4 * mib})
	g.shut()
	for i := range 10 {
		g.send(t, g.piece(uint64(i+1), 0))
	}
	var busy []uint64
	for range 6 { // they come ahead of the bodies, which wait
		h, _ := g.answer(t)
		if h.Status != wire.Busy {
			t.Fatalf("answer %+v, want busy", h)
		}
		busy = append(busy, h.Request)
	}
	if want := []uint64{5, 6, 7, 8, 9, 10}; !slices.Equal(busy, want) {
		t.Fatalf("busy: %v, want %v", busy, want)
	}
	close(g.gate)
	for range 4 {
		if h, _ := g.answer(t); h.Status != wire.OK {
			t.Fatalf("answer %+v, want ok", h)
		}
	}
	// All that was held is given back.
	g.send(t, g.piece(11, 0), g.piece(12, 0), g.piece(13, 0), g.piece(14, 0))
	for range 4 {
		if h, _ := g.answer(t); h.Status != wire.OK {
			t.Fatalf("answer %+v, want ok", h)
		}
	}
}

func TestCancel(t *testing.T) {
	g := newRig(t, 8*mib, provide.Config{MaxPerPeer: 4 * mib})
	g.shut()
	g.send(t, g.piece(1, 0), g.piece(2, 1), g.piece(3, 2))
	<-g.atGate // the cancels come while the first one is read
	g.send(t, wire.Header{Kind: wire.Cancel, Request: 1}, wire.Header{Kind: wire.Cancel, Request: 2})
	for request := range uint64(5) {
		g.send(t, g.piece(4+request, 3))
	}
	// The last of these is too much, and answered so after the cancels were read.
	h, body := g.answer(t)
	if h.Status != wire.Busy {
		t.Fatalf("answer %+v, want busy", h)
	}
	close(g.gate)
	for h.Status == wire.Busy {
		h, body = g.answer(t)
	}
	if h.Request != 3 || !bytes.Equal(body, g.data[2*mib:3*mib]) {
		t.Fatalf("answer %+v with %d bytes, want the one that was not cancelled", h, len(body))
	}
}

func TestChangedFile(t *testing.T) {
	g := newRig(t, 3*mib, provide.Config{})
	g.send(t, g.piece(1, 0))
	if h, _ := g.answer(t); h.Status != wire.OK {
		t.Fatalf("before: %v", h.Status)
	}
	if err := os.Truncate(g.paths[g.content], mib); err != nil {
		t.Fatal(err)
	}
	g.send(t, g.piece(2, 1))
	if h, body := g.answer(t); h.Status != wire.Changed || len(body) != 0 {
		t.Fatalf("after: %v with %d bytes", h.Status, len(body))
	}
}

func TestFilesAreClosedWhenNobodyAsks(t *testing.T) {
	g := newRig(t, 1000, provide.Config{})
	g.send(t, g.piece(1, 0))
	g.answer(t)
	if g.opened() != 1 {
		t.Fatalf("%d files open, want one kept for the next request", g.opened())
	}
	for end := time.Now().Add(5 * time.Second); g.opened() > 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the file stays open")
		}
	}
}

func TestIdleStreamIsClosed(t *testing.T) {
	g := newRig(t, 10, provide.Config{Idle: 500 * time.Millisecond})
	g.send(t, g.piece(1, 0))
	g.answer(t)
	start := time.Now()
	if _, err := g.r.Next(); err == nil {
		t.Fatal("something came unasked")
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Fatalf("it took %v", took)
	}
}

// What no honest peer sends ends the stream, and nothing else.
func TestAttackers(t *testing.T) {
	g := newRig(t, 1000, provide.Config{})
	client := newHost(t)
	client.Peerstore().AddAddrs(g.server.ID(), g.server.Addrs(), peerstore.PermanentAddrTTL)
	for name, raw := range map[string][]byte{
		"over-long frame": {0x00, 0x04, 0xff, 0xff},
		"garbage":         bytes.Repeat([]byte{0xff}, 1000),
		"long request":    {0, 9, 0, 0, 8, 1, 16, 1, 48, 0xff, 0xff, 0xff, 0x7f},
		"negative length": {0, 15, 0, 0, 8, 1, 16, 1, 48, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1},
		"short content":   {0, 7, 0, 0, 8, 1, 16, 1, 34, 1, 1},
	} {
		s, err := client.NewStream(t.Context(), g.server.ID(), wire.Protocol)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Write(raw); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var timeout interface{ Timeout() bool }
		_, err = io.ReadAll(s)
		if errors.As(err, &timeout) && timeout.Timeout() {
			t.Errorf("%s: the stream stays open", name)
		}
		_ = s.Reset()
	}
	// The honest one is served still.
	g.send(t, g.piece(1, 0))
	if h, _ := g.answer(t); h.Status != wire.OK {
		t.Fatalf("afterwards: %v", h.Status)
	}
}

// A flood of requests whose answers are never read must not fill the memory.
func TestFlood(t *testing.T) {
	g := newRig(t, 4*mib, provide.Config{})
	var sent uint64
	for sent < 200_000 {
		sent++
		if err := g.w.Write(g.piece(sent, 0), nil); err != nil {
			return // cut off
		}
	}
	if err := g.w.Flush(); err == nil {
		t.Fatal("200,000 requests without reading were taken")
	}
}

func TestCloseEndsStreams(t *testing.T) {
	g := newRig(t, 4*mib, provide.Config{})
	g.send(t, g.piece(1, 0))
	g.answer(t)
	g.provider.Close()
	if _, err := g.r.Next(); err == nil {
		t.Fatal("the stream goes on")
	}
	if g.opened() != 0 {
		t.Fatalf("%d files are open", g.opened())
	}
}
