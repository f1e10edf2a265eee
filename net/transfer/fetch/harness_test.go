package fetch_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p"
	libp2phost "github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/peerstore"
	libp2ptls "github.com/libp2p/go-libp2p/p2p/security/tls"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	"go.uber.org/goleak"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/transfer/fetch"
	"github.com/potluck-share/potluck/net/transfer/provide"
	"github.com/potluck-share/potluck/net/transfer/wire"
	"github.com/potluck-share/potluck/storage/content"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newHost(t testing.TB) libp2phost.Host {
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

func idOf(h libp2phost.Host) domain.PeerID { return domain.PeerID(h.ID().String()) }

// opener opens streams from a host.
type opener struct {
	host  libp2phost.Host
	opens atomic.Int64
}

func (o *opener) Open(ctx context.Context, id domain.PeerID) (wire.Stream, error) {
	p, err := peer.Decode(string(id))
	if err != nil {
		return nil, err
	}
	o.opens.Add(1)
	s, err := o.host.NewStream(ctx, p, wire.Protocol)
	if err != nil {
		return nil, err // not the nil stream in a non-nil interface
	}
	return s, nil
}

func (o *opener) knows(other libp2phost.Host) {
	o.host.Peerstore().AddAddrs(other.ID(), other.Addrs(), peerstore.PermanentAddrTTL)
}

// newFetcher returns a Fetcher on a host of its own that knows where the others
// are.
func newFetcher(t testing.TB, cfg fetch.Config, others ...*server) (*fetch.Fetcher, *opener) {
	t.Helper()
	o := &opener{host: newHost(t)}
	for _, s := range others {
		o.knows(s.host)
	}
	cfg.Open = o
	f := fetch.New(cfg)
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f, o
}

// server is a host that provides real files.
type server struct {
	id       domain.PeerID
	host     libp2phost.Host
	provider *provide.Provider
	sent     atomic.Int64
	looked   atomic.Int64 // of sent, for looks

	mu      sync.Mutex
	files   map[domain.ContentID]*shared
	growing map[domain.ContentID]*sink // being downloaded
	private bool
	opened  int
	ears    []*ear // of all streams
}

// shared is a file as it was announced.
type shared struct {
	path string
	sum  content.Sum
	info os.FileInfo
	has  func(int) bool // nil: whole
	// Hooks that spoil the honest serving.
	spoil func(p []byte, off int64)
	slow  time.Duration
	block chan struct{}
}

// gate lets the first n reads of the file go ahead, and holds up all others until
// open is called.
func (f *shared) gate(t testing.TB, n int) (open func()) {
	f.block = make(chan struct{}, n)
	for range n {
		f.block <- struct{}{}
	}
	open = sync.OnceFunc(func() { close(f.block) })
	t.Cleanup(open) // or the provider would wait for who reads
	return open
}

func newServer(t testing.TB) *server {
	t.Helper()
	s := &server{host: newHost(t), files: make(map[domain.ContentID]*shared), growing: make(map[domain.ContentID]*sink)}
	s.id = idOf(s.host)
	s.serve(t)
	return s
}

// serve begins to provide, as after a start of the program.
func (s *server) serve(t testing.TB) {
	t.Helper()
	provider := provide.New(provide.Config{
		Source: s,
		Uploads: func(u provide.Upload) {
			s.sent.Add(u.Sent)
			if u.Look {
				s.looked.Add(u.Sent)
			}
		},
		Addresses: func(id domain.PeerID) []string {
			p, err := peer.Decode(string(id))
			if err != nil {
				return nil
			}
			var addresses []string
			for _, a := range s.host.Peerstore().Addrs(p) {
				addresses = append(addresses, a.String())
			}
			return addresses
		},
	})
	s.provider = provider
	s.host.SetStreamHandler(wire.Protocol, func(st network.Stream) {
		e := &ear{Stream: st}
		s.mu.Lock()
		s.ears = append(s.ears, e)
		s.mu.Unlock()
		provider.Handle(context.Background(), e, func() domain.Asker {
			return domain.Asker{Peer: domain.PeerID(st.Conn().RemotePeer().String()), Near: true}
		})
	})
	t.Cleanup(provider.Close)
}

// ear notes what the provider reads from a stream.
type ear struct {
	network.Stream
	mu   sync.Mutex
	got  []byte
	past int // how much of got the provider has looked at
}

func (e *ear) Read(p []byte) (int, error) {
	e.mu.Lock()
	e.past = len(e.got) // or it would not read on
	e.mu.Unlock()
	n, err := e.Stream.Read(p)
	e.mu.Lock()
	e.got = append(e.got, p[:n]...)
	e.mu.Unlock()
	return n, err
}

// heard counts the frames that the provider has looked at and that match.
func (s *server) heard(match func(wire.Header) bool) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.ears {
		e.mu.Lock()
		r := wire.NewReader(bytes.NewReader(e.got[:e.past]))
		e.mu.Unlock()
		for {
			h, err := r.Next()
			if err != nil {
				break // the rest has not been looked at
			}
			if match(h) {
				n++
			}
		}
		r.Release()
	}
	return n
}

// asked is how many pieces the provider was asked for, and takenBack how many
// questions have been taken back.
func (s *server) asked() int {
	return s.heard(func(h wire.Header) bool {
		return h.Kind == wire.Request && (h.What == wire.Piece || h.What == wire.Any)
	})
}

func (s *server) takenBack() int {
	return s.heard(func(h wire.Header) bool { return h.Kind == wire.Cancel })
}

// leave stops providing, as at the end of the program.
func (s *server) leave() {
	s.host.RemoveStreamHandler(wire.Protocol)
	s.provider.Close()
}

func (s *server) Allowed(_ domain.Asker, _ domain.ContentID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.private
}

func (s *server) Open(_ context.Context, asker domain.Asker, id domain.ContentID) (provide.Content, error) {
	if !s.Allowed(asker, id) {
		return nil, domain.ErrRefused
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if dst := s.growing[id]; dst != nil {
		return growingFile{dst}, nil
	}
	file := s.files[id]
	if file == nil {
		return nil, domain.ErrNotFound
	}
	s.opened++
	f, err := os.Open(file.path)
	if err != nil {
		return nil, err
	}
	if file.has != nil {
		return partialFile{openFile{f, file}}, nil
	}
	return openFile{f, file}, nil
}

// share adds a file to what the server provides.
func (s *server) share(t testing.TB, path string) *shared {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }() // only read from
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	sum, err := content.Hash(t.Context(), f, info.Size(), 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	file := &shared{path: path, sum: sum, info: info}
	s.mu.Lock()
	s.files[sum.ID] = file
	s.mu.Unlock()
	return file
}

// copyOf makes the server provide the same file under its own rules.
func (s *server) copyOf(file *shared) *shared {
	mine := *file
	s.mu.Lock()
	s.files[file.sum.ID] = &mine
	s.mu.Unlock()
	return &mine
}

type openFile struct {
	*os.File
	s *shared
}

func (f openFile) Size() int64            { return f.s.info.Size() }
func (f openFile) Layer() []byte          { return f.s.sum.Layer }
func (f openFile) Spread() provide.Spread { return provide.Nearby }
func (f openFile) Fresh() error {
	now, err := os.Stat(f.s.path)
	if err != nil || now.Size() != f.s.info.Size() || !now.ModTime().Equal(f.s.info.ModTime()) {
		return domain.ErrChanged
	}
	return nil
}

func (f openFile) ReadAt(p []byte, off int64) (int, error) {
	if f.s.block != nil {
		<-f.s.block
	}
	if f.s.slow > 0 {
		time.Sleep(f.s.slow)
	}
	n, err := f.File.ReadAt(p, off)
	if f.s.spoil != nil {
		f.s.spoil(p[:n], off)
	}
	return n, err
}

// growingFile serves what a sink has.
type growingFile struct{ *sink }

func (f growingFile) Size() int64 { return f.size }
func (f growingFile) Layer() []byte {
	layer, _ := f.sink.Layer()
	return layer.Raw()
}
func (f growingFile) ReadAt(p []byte, off int64) (int, error) { return f.f.ReadAt(p, off) }
func (f growingFile) Fresh() error                            { return nil }
func (f growingFile) Spread() provide.Spread                  { return provide.Nearby }
func (f growingFile) Close() error                            { return nil }

type partialFile struct{ openFile }

func (f partialFile) Has(i int) bool { return f.s.has(i) }

// writeFile makes a file of size random bytes.
func writeFile(t testing.TB, size int64) string {
	t.Helper()
	f, err := os.CreateTemp(t.TempDir(), "file")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.CopyN(f, rand.Reader, size); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return f.Name()
}

// sink is a file in the making.
type sink struct {
	f     *os.File
	size  int64
	grown func(piece int) // nil: nobody is told

	mu    sync.Mutex
	layer content.Layer
	known bool
	has   []bool
	left  int
	done  int64
	puts  int
	fail  error
	slow  time.Duration
}

func newSink(t testing.TB, size int64) *sink {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "part"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	n := domain.Pieces(size)
	return &sink{f: f, size: size, has: make([]bool, n), left: n}
}

func (s *sink) Layer() (content.Layer, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.layer, s.known
}

func (s *sink) SetLayer(layer content.Layer) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known {
		return fmt.Errorf("the layer came twice")
	}
	s.layer, s.known = layer, true
	return nil
}

func (s *sink) Has(i int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.has[i]
}

func (s *sink) Missing() (list []int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, has := range s.has {
		if !has {
			list = append(list, i)
		}
	}
	return list
}

func (s *sink) Done() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.done
}

func (s *sink) Put(p content.Piece) error {
	if _, err := s.f.WriteAt(p.Data(), int64(p.Index())*domain.PieceSize); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	time.Sleep(s.slow)
	if s.fail != nil {
		return s.fail
	}
	if s.has[p.Index()] {
		return fmt.Errorf("piece %d was put twice", p.Index())
	}
	s.has[p.Index()] = true
	s.left--
	s.done += int64(len(p.Data()))
	s.puts++
	if s.grown != nil {
		s.grown(p.Index())
	}
	return nil
}

// verify compares the sink with the original.
func (s *sink) verify(t testing.TB, path string) {
	t.Helper()
	if s.left != 0 {
		t.Fatalf("%d pieces are missing", s.left)
	}
	a, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(s.f.Name())
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a, b) {
		t.Fatal("the copy differs from the original")
	}
}

// moving are providers that change.
type moving struct {
	mu      sync.Mutex
	list    []domain.PeerID
	changed chan struct{}
}

func newMoving(list ...domain.PeerID) *moving {
	return &moving{list: list, changed: make(chan struct{})}
}

func (m *moving) Providers() []domain.PeerID {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.list
}

func (m *moving) Changed() <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.changed
}

func (m *moving) set(list ...domain.PeerID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.list = list
	close(m.changed)
	m.changed = make(chan struct{})
}

// within returns a context that ends the test's fetch if it hangs.
func within(t testing.TB, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

// eventually waits until ok holds.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("waited in vain: %s", what)
}
