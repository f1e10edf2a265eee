package catalogue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p"
	libp2phost "github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-msgio"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/catalogue/pb"
	"github.com/potluck-share/potluck/net/host"
	"github.com/potluck-share/potluck/net/host/talk"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// node is a libp2p host on loopback whose judgement of others the test sets.
type node struct {
	libp2phost.Host
	mu     sync.Mutex
	stands map[domain.PeerID]domain.Asker // everybody else is near
	tasks  sync.WaitGroup
}

func newNode(t *testing.T) *node {
	t.Helper()
	h, err := libp2p.New(
		libp2p.ListenAddrStrings("/ip4/127.0.0.1/tcp/0"),
		libp2p.DisableRelay(),
		libp2p.DisableMetrics(),
		libp2p.UserAgent("catalogue test"),
	)
	if err != nil {
		t.Fatal(err)
	}
	n := &node{Host: h, stands: make(map[domain.PeerID]domain.Asker)}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
		n.tasks.Wait()
	})
	return n
}

func (n *node) id() domain.PeerID { return domain.PeerID(n.ID().String()) }

func (n *node) judge(other *node, stand domain.Asker) {
	n.mu.Lock()
	defer n.mu.Unlock()
	stand.Peer = other.id()
	n.stands[other.id()] = stand
}

func (n *node) Asker(conn network.Conn) domain.Asker {
	n.mu.Lock()
	defer n.mu.Unlock()
	id := domain.PeerID(conn.RemotePeer().String())
	if asker, ok := n.stands[id]; ok {
		return asker
	}
	return domain.Asker{Peer: id, Near: true}
}

func (n *node) Handle(proto string, _ host.Rule, handler func(context.Context, network.Stream, domain.Asker)) {
	n.SetStreamHandler(protocol.ID(proto), func(s network.Stream) {
		n.tasks.Add(1)
		defer n.tasks.Done()
		handler(context.Background(), s, n.Asker(s.Conn()))
		_ = s.Close()
	})
}

func (n *node) Open(ctx context.Context, id domain.PeerID, proto string) (network.Stream, error) {
	decoded, err := peer.Decode(string(id))
	if err != nil {
		return nil, err
	}
	return n.NewStream(ctx, decoded, protocol.ID(proto))
}

// pair returns an owner that serves src and somebody connected to it.
func pair(t *testing.T, src Source) (owner, asker *node) {
	t.Helper()
	owner, asker = newNode(t), newNode(t)
	if err := Serve(owner, src, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	if err := asker.Connect(t.Context(), peer.AddrInfo{ID: owner.ID(), Addrs: owner.Addrs()}); err != nil {
		t.Fatal(err)
	}
	return owner, asker
}

func newClient(t *testing.T, n *node, cfg Config) *Client {
	t.Helper()
	c, err := NewClient(n, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// list is a catalogue in memory, the change with sequence i at index i-1. It
// gives pages of size changes.
type list struct {
	changes []domain.Change
	size    int
	before  func(asker domain.Asker, page int) error
	// extra is shown to that peer alone.
	extra map[domain.PeerID]domain.Change
	// offers are what is offered, by ID.
	offers map[string]*list
}

func (l *list) Find(_ context.Context, _ domain.Asker, words []string, most int) (found []domain.Entry, err error) {
	for _, c := range l.changes {
		if c.Entry != nil && domain.HoldsWords(c.Path, words) && len(found) < most {
			found = append(found, *c.Entry)
		}
	}
	return found, nil
}

func (l *list) OfferPage(ctx context.Context, asker domain.Asker, offer, cursor string) (domain.Page, error) {
	if in := l.offers[offer]; in != nil {
		return in.Page(ctx, asker, domain.Version{}, cursor)
	}
	return domain.Page{}, domain.ErrNotFound
}

func (l *list) Page(_ context.Context, asker domain.Asker, since domain.Version, cursor string) (domain.Page, error) {
	at := int(since.Sequence)
	pages := 0
	if cursor != "" {
		if _, err := fmt.Sscanf(cursor, "%d/%d", &at, &pages); err != nil {
			return domain.Page{}, err
		}
	}
	if l.before != nil {
		if err := l.before(asker, pages); err != nil {
			return domain.Page{}, err
		}
	}
	all := l.changes
	if extra, ok := l.extra[asker.Peer]; ok {
		all = append(all[:len(all):len(all)], extra)
	}
	end := min(at+l.size, len(all))
	page := domain.Page{
		Version: domain.Version{Epoch: 1, Sequence: uint64(len(all))},
		Full:    since == domain.Version{},
		Changes: all[at:end],
	}
	if end < len(all) {
		page.Next = fmt.Sprintf("%d/%d", end, pages+1)
	}
	return page, nil
}

func files(n int) []domain.Change {
	changes := make([]domain.Change, n)
	// Content IDs do not compress, in life as here.
	random := rand.NewChaCha8([32]byte{7})
	for i := range changes {
		path := fmt.Sprintf("Photos/2026/%02d/IMG_%06d.jpg", i%12+1, i)
		var id domain.ContentID
		_, _ = random.Read(id[:]) // never fails
		changes[i] = domain.Change{Path: path, Entry: &domain.Entry{
			Path: path, Size: int64(i) * 1000, Modified: time.Unix(1_700_000_000+int64(i), 0).UTC(), Content: id,
		}}
	}
	return changes
}

// collect pulls and returns all pages.
func collect(t *testing.T, c *Client, owner *node, since domain.Version) ([]domain.Page, error) {
	t.Helper()
	var pages []domain.Page
	err := c.Pull(t.Context(), owner.id(), since, func(p domain.Page) error {
		pages = append(pages, p)
		return nil
	})
	return pages, err
}

func TestPullOf100000Entries(t *testing.T) {
	src := &list{changes: files(100_000), size: 5000}
	owner, asker := pair(t, src)
	c := newClient(t, asker, Config{})

	began := time.Now()
	var first time.Duration
	got, pages := 0, 0
	err := c.Pull(t.Context(), owner.id(), domain.Version{}, func(p domain.Page) error {
		if pages++; pages == 1 {
			first = time.Since(began)
			if len(p.Changes) == 0 || len(p.Changes) > firstEntries {
				t.Errorf("%d entries on the first page", len(p.Changes))
			}
		}
		for _, change := range p.Changes {
			if want := src.changes[got]; change.Path != want.Path || *change.Entry != *want.Entry {
				t.Fatalf("entry %d = %+v, want %+v", got, change.Entry, want.Entry)
			}
			got++
		}
		if last := got == len(src.changes); (p.Next == "") != last {
			t.Errorf("after %d entries Next is %q", got, p.Next)
		}
		if !p.Full || p.Version.Sequence != 100_000 {
			t.Errorf("page %d: full %v, version %v", pages, p.Full, p.Version)
		}
		return nil
	})
	t.Logf("first page after %v, all %d entries on %d pages after %v", first, got, pages, time.Since(began))
	if err != nil || got != len(src.changes) {
		t.Errorf("%d entries, %v", got, err)
	}
}

func TestPullOfChangesOnly(t *testing.T) {
	t.Parallel()
	src := &list{changes: files(1000), size: 300}
	src.changes[999] = domain.Change{Path: "Photos/gone.jpg"}
	owner, asker := pair(t, src)
	c := newClient(t, asker, Config{})

	pages, err := collect(t, c, owner, domain.Version{Epoch: 1, Sequence: 998})
	if err != nil || len(pages) != 1 || len(pages[0].Changes) != 2 {
		t.Fatalf("pages = %+v, %v", pages, err)
	}
	if p := pages[0]; p.Full || p.Changes[1].Entry != nil || p.Changes[1].Path != "Photos/gone.jpg" || p.Next != "" {
		t.Errorf("page = %+v", p)
	}
	// Nothing has changed: one empty page that says so.
	pages, err = collect(t, c, owner, domain.Version{Epoch: 1, Sequence: 1000})
	if err != nil || len(pages) != 1 || len(pages[0].Changes) != 0 || pages[0].Version.Sequence != 1000 {
		t.Errorf("pages = %+v, %v", pages, err)
	}
}

func TestPullBrokenOffInTheMiddle(t *testing.T) {
	t.Parallel()
	var owner *node
	src := &list{changes: files(10_000), size: 1000}
	begun := make(chan struct{})
	src.before = func(_ domain.Asker, page int) error {
		if page == 5 {
			<-begun
			return owner.Network().ClosePeer(owner.Network().Peers()[0])
		}
		return nil
	}
	owner, asker := pair(t, src)
	var pages []domain.Page
	err := newClient(t, asker, Config{}).Pull(t.Context(), owner.id(), domain.Version{}, func(p domain.Page) error {
		if pages = append(pages, p); len(pages) == 1 {
			close(begun)
		}
		return nil
	})
	if !errors.Is(err, domain.ErrOffline) || !strings.Contains(err.Error(), string(owner.id())) {
		t.Errorf("error = %v", err)
	}
	if len(pages) == 0 || pages[len(pages)-1].Next == "" {
		t.Errorf("%d pages, and the last one claims to be the last", len(pages))
	}
}

func TestPullOfAnOffer(t *testing.T) {
	src := &list{changes: files(10), size: 10, offers: map[string]*list{"one": {changes: files(2500)[10:], size: 700}}}
	owner, asker := pair(t, src)
	c := newClient(t, asker, Config{})
	var got []domain.Change
	err := c.PullOffer(t.Context(), owner.id(), "one", func(p domain.Page) error {
		got = append(got, p.Changes...)
		return nil
	})
	if want := src.offers["one"].changes; err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%d entries, %v, want %d", len(got), err, len(want))
	}
	err = c.PullOffer(t.Context(), owner.id(), "two", func(domain.Page) error { return nil })
	if !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("an offer that is not there: %v", err)
	}
}

func TestEachErrorAndContextEndThePull(t *testing.T) {
	t.Parallel()
	src := &list{changes: files(50_000), size: 1000}
	owner, asker := pair(t, src)
	c := newClient(t, asker, Config{})

	full := errors.New("disk full")
	calls := 0
	err := c.Pull(t.Context(), owner.id(), domain.Version{}, func(domain.Page) error { calls++; return full })
	if !errors.Is(err, full) || calls != 1 {
		t.Errorf("error = %v after %d calls", err, calls)
	}

	ctx, cancel := context.WithCancel(t.Context())
	err = c.Pull(ctx, owner.id(), domain.Version{}, func(domain.Page) error { cancel(); return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v", err)
	}
}

func TestEveryAskerSeesItsOwnView(t *testing.T) {
	t.Parallel()
	src := &list{changes: files(3), size: 10, extra: make(map[domain.PeerID]domain.Change)}
	owner, friend := pair(t, src)
	other := newNode(t)
	if err := other.Connect(t.Context(), peer.AddrInfo{ID: owner.ID(), Addrs: owner.Addrs()}); err != nil {
		t.Fatal(err)
	}
	secret := files(1)[0]
	secret.Path = "Diary/today.txt"
	secret.Entry.Path = secret.Path
	src.extra[friend.id()] = secret

	for n, want := range map[*node]int{friend: 4, other: 3} {
		pages, err := collect(t, newClient(t, n, Config{}), owner, domain.Version{})
		if err != nil || len(pages) != 1 || len(pages[0].Changes) != want {
			t.Errorf("pages = %+v, %v, want %d entries", pages, err, want)
		}
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	src := &list{changes: files(5000), size: 100}
	owner, asker := pair(t, src)
	c := newClient(t, asker, Config{})

	owner.judge(asker, domain.Asker{})
	if _, err := collect(t, c, owner, domain.Version{}); !errors.Is(err, domain.ErrRefused) {
		t.Errorf("a far stranger: %v", err)
	}
	owner.judge(asker, domain.Asker{Friend: true})
	if _, err := collect(t, c, owner, domain.Version{}); err != nil {
		t.Errorf("a far friend: %v", err)
	}

	// Gone far in the middle.
	src.before = func(_ domain.Asker, page int) error {
		if page == 3 {
			owner.judge(asker, domain.Asker{})
		}
		return nil
	}
	pages, err := collect(t, c, owner, domain.Version{})
	if !errors.Is(err, domain.ErrRefused) || len(pages) != 4 {
		t.Errorf("gone far: %v after %d pages", err, len(pages))
	}
	owner.judge(asker, domain.Asker{Near: true})

	for kind, reason := range map[error]error{
		domain.ErrRefused:    domain.ErrRefused,
		domain.ErrBusy:       domain.ErrBusy,
		domain.ErrUnreadable: errors.New("open /home/ana/secret place: input/output error"),
	} {
		src.before = func(domain.Asker, int) error { return reason }
		_, err := collect(t, c, owner, domain.Version{})
		if !errors.Is(err, kind) || strings.Contains(err.Error(), "secret") {
			t.Errorf("the source said %v, the asker heard %v", reason, err)
		}
	}
}

func TestPullsAtOnceAreLimitedByAsker(t *testing.T) {
	t.Parallel()
	src := &list{changes: files(10), size: 10}
	release := make(chan struct{})
	var waiting sync.WaitGroup
	waiting.Add(pullsPerAsker)
	src.before = func(domain.Asker, int) error {
		waiting.Done()
		<-release
		return nil
	}
	owner, asker := pair(t, src)
	c := newClient(t, asker, Config{})
	results := make(chan error, pullsPerAsker)
	for range pullsPerAsker {
		go func() {
			results <- c.Pull(t.Context(), owner.id(), domain.Version{}, func(domain.Page) error { return nil })
		}()
	}
	waiting.Wait()
	if _, err := collect(t, c, owner, domain.Version{}); !errors.Is(err, domain.ErrBusy) {
		t.Errorf("one pull too many: %v", err)
	}
	close(release)
	for range pullsPerAsker {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	src.before = nil
	if _, err := collect(t, c, owner, domain.Version{}); err != nil {
		t.Errorf("after the others ended: %v", err)
	}
}

func TestAnotherVersionIsToldInWords(t *testing.T) {
	t.Parallel()
	owner, asker := pair(t, &list{size: 1})
	s, err := asker.NewStream(t.Context(), owner.ID(), Protocol)
	if err != nil {
		t.Fatal(err)
	}
	if err := write(msgio.NewVarintWriter(s), &pb.Request{Version: 7}); err != nil {
		t.Fatal(err)
	}
	var res pb.Response
	if err := read(s, maxRequest, &res); err != nil {
		t.Fatal(err)
	}
	err = said(res.GetStatus(), res.GetReason())
	if !errors.Is(err, domain.ErrVersion) || !strings.Contains(err.Error(), "version 1") || !strings.Contains(err.Error(), "version 7") {
		t.Errorf("error = %v", err)
	}
}

func TestOwnerThatBreaksTheProtocol(t *testing.T) {
	t.Parallel()
	owner, asker := newNode(t), newNode(t)
	if err := asker.Connect(t.Context(), peer.AddrInfo{ID: owner.ID(), Addrs: owner.Addrs()}); err != nil {
		t.Fatal(err)
	}
	c := newClient(t, asker, Config{MaxEntries: 3000})
	some := func(n int, full bool) []byte {
		raw, err := encode(domain.Page{Full: full, Changes: files(n)})
		if err != nil {
			t.Fatal(err)
		}
		return pack(t, raw)
	}
	ok := &pb.Response{Status: pb.Status_STATUS_OK, Version: version}
	one, thousand := some(1, true), some(1000, true)
	none := some(0, true)
	for name, tc := range map[string]struct {
		answer []proto.Message
		again  proto.Message // for ever
		want   error
	}{
		"an unknown status":    {answer: []proto.Message{&pb.Response{Status: 99}}, want: domain.ErrMalformed},
		"no page":              {answer: []proto.Message{ok, &pb.Frame{Last: true}}, want: domain.ErrMalformed},
		"noise":                {answer: []proto.Message{ok, &pb.Frame{Page: []byte("noise")}}, want: domain.ErrMalformed},
		"mixed pages":          {answer: []proto.Message{ok, &pb.Frame{Page: one}, &pb.Frame{Page: some(1, false)}}, want: domain.ErrMalformed},
		"too many on a page":   {answer: []proto.Message{ok, &pb.Frame{Page: some(maxEntries+1, true)}}, want: domain.ErrTooLarge},
		"a frame too large":    {answer: []proto.Message{ok, &pb.Frame{Page: make([]byte, maxFrame)}}, want: domain.ErrTooLarge},
		"too many in all":      {answer: []proto.Message{ok}, again: &pb.Frame{Page: thousand}, want: domain.ErrTooLarge},
		"empty pages for ever": {answer: []proto.Message{ok}, again: &pb.Frame{Page: none}, want: domain.ErrTooLarge},
		"a bomb":               {answer: []proto.Message{ok, &pb.Frame{Page: bombs(t)["64 MiB of nothing"]}}, want: domain.ErrTooLarge},
		"an end too soon":      {answer: []proto.Message{ok, &pb.Frame{Page: one}}, want: domain.ErrOffline},
	} {
		owner.Handle(Protocol, host.Anyone, func(_ context.Context, s network.Stream, _ domain.Asker) {
			out := msgio.NewVarintWriter(s)
			for _, msg := range tc.answer {
				if write(out, msg) != nil {
					return
				}
			}
			for tc.again != nil {
				if write(out, tc.again) != nil {
					return
				}
			}
		})
		_, err := collect(t, c, owner, domain.Version{})
		if !errors.Is(err, tc.want) || !strings.Contains(err.Error(), string(owner.id())) {
			t.Errorf("%s: %v, want %v", name, err, tc.want)
		}
	}
}

func TestOddEntriesOfTheSourceAreLeftOut(t *testing.T) {
	t.Parallel()
	src := &list{changes: files(5), size: 10}
	src.changes[1].Path = "../escape"
	src.changes[3].Path = "bad \xff name"
	owner, asker := pair(t, src)
	pages, err := collect(t, newClient(t, asker, Config{}), owner, domain.Version{})
	if err != nil || len(pages) != 1 || len(pages[0].Changes) != 3 {
		t.Errorf("pages = %+v, %v", pages, err)
	}
}

func TestWordsOfAPeerCannotPlayWithTheTerminal(t *testing.T) {
	t.Parallel()
	err := said(pb.Status_STATUS_REFUSED, "\x1b[2Jno\u202e \n")
	if strings.ContainsAny(err.Error(), "\x1b\u202e\n") {
		t.Errorf("error = %s", strconv.Quote(err.Error()))
	}
}

// A question brings what holds its words, and no more of it than is allowed.
func TestFind(t *testing.T) {
	src := &list{changes: files(2500), size: 700}
	owner, asker := pair(t, src)
	c := newClient(t, asker, Config{})
	word := strings.ToUpper(src.changes[1234].Path)
	found, err := c.Find(t.Context(), owner.id(), []string{word})
	if err != nil || len(found) != 1 || found[0].Path != src.changes[1234].Path {
		t.Errorf("%q: %+v, %v", word, found, err)
	}
	common := src.changes[0].Path[:1]
	if found, err = c.Find(t.Context(), owner.id(), []string{common}); err != nil || len(found) != MostFound {
		t.Errorf("what all have: %d, %v", len(found), err)
	}
	for _, bad := range [][]string{nil, {strings.Repeat("x", maxWord+1)}} {
		if _, err := c.Find(t.Context(), owner.id(), bad); !errors.Is(err, domain.ErrUsage) {
			t.Errorf("%d words: %v", len(bad), err)
		}
	}
	busy := false
	for range 2 * findBurst {
		_, err := c.Find(t.Context(), owner.id(), []string{common})
		busy = busy || errors.Is(err, domain.ErrBusy)
	}
	if !busy {
		t.Error("one may ask for ever")
	}
}

// Words beyond all bounds break the protocol.
func TestQuestionsBeyondBounds(t *testing.T) {
	s := &server{questions: talk.NewRates(findRate, findBurst), places: make(chan struct{}, findAtOnce)}
	for _, words := range [][]string{make([]string, maxWords+1), {""}, {strings.Repeat("x", maxWord+1)}} {
		if _, err := s.find(t.Context(), domain.Asker{Peer: "ana", Near: true}, words); !errors.Is(err, domain.ErrMalformed) {
			t.Errorf("%d words: %v", len(words), err)
		}
	}
}
