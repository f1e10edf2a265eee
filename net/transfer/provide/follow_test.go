package provide_test

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/transfer/provide"
	"github.com/potluck-share/potluck/net/transfer/wire"
)

func (c *client) id() domain.PeerID { return domain.PeerID(c.host.ID().String()) }

// news reads up to the next Have or Hint.
func (c *client) news(t *testing.T) (wire.Header, []byte) {
	t.Helper()
	for {
		h, err := c.r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if h.Kind == wire.Have || h.Kind == wire.Hint {
			body := make([]byte, h.Body)
			if err := c.r.ReadBody(body); err != nil {
				t.Fatal(err)
			}
			return h, body
		}
	}
}

func (c *client) hints(t *testing.T) []wire.Holder {
	t.Helper()
	_, body := c.news(t)
	holders, _, err := wire.DecodeHolders(body)
	if err != nil {
		t.Fatal(err)
	}
	return holders
}

// quiet makes sure that nothing comes but the answer to a last question.
func (c *client) quiet(t *testing.T, last wire.Header) {
	t.Helper()
	c.send(t, last)
	for {
		h, err := c.r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if h.Kind == wire.Have || h.Kind == wire.Hint {
			t.Fatalf("told of %+v", h)
		}
		if h.Request == last.Request && h.Last {
			return
		}
	}
}

func TestThoseWhoFetchTheSameHearOfEachOther(t *testing.T) {
	g := newRig(t, 2*mib, provide.Config{
		Addresses: func(domain.PeerID) []string { return []string{"/ip4/10.0.0.1/tcp/1"} },
	})
	g.send(t, g.piece(1, 0))
	g.answer(t)
	other := g.connect(t)
	other.send(t, g.piece(1, 1))
	told := other.hints(t)
	if len(told) != 1 || told[0].Peer != g.id() || !slices.Equal(told[0].Addresses, []string{"/ip4/10.0.0.1/tcp/1"}) {
		t.Errorf("the second was told of %v", told)
	}
	if told := g.hints(t); len(told) != 1 || told[0].Peer != other.id() {
		t.Errorf("the first was told of %v", told)
	}
	// Whoever has gone without a word has it; who left is not told of.
	if err := other.stream.Close(); err != nil {
		t.Fatal(err)
	}
	g.send(t, wire.Header{Kind: wire.Leave, Content: g.content}, wire.Header{
		Kind: wire.Request, Request: 9, What: wire.Piece, Content: domain.ContentID{9}, Length: mib,
	})
	g.answer(t) // so the leave was read, too
	third := g.connect(t)
	third.send(t, g.piece(1, 0))
	if told := third.hints(t); len(told) != 1 || told[0].Peer != other.id() {
		t.Errorf("the third was told of %v", told)
	}
}

func TestNobodyIsToldOfWhoFetchesWhatIsPrivate(t *testing.T) {
	g := newRig(t, 2*mib, provide.Config{})
	g.private = true
	g.send(t, g.piece(1, 0))
	if h, _ := g.answer(t); h.Nearby {
		t.Error("what is private was said to be for everyone nearby")
	}
	other := g.connect(t)
	other.quiet(t, g.piece(1, 1))
	g.quiet(t, g.piece(2, 1))
}

// Whoever only looks keeps nothing that others could get, and takes no part;
// nor does whoever is not to be seen.
func TestNobodyIsToldOfWhoOnlyLooksOrHides(t *testing.T) {
	for name, mark := range map[string]func(*wire.Header){
		"looks": func(h *wire.Header) { h.Look = true },
		"hides": func(h *wire.Header) { h.Alone = true },
	} {
		t.Run(name, func(t *testing.T) {
			g := newRig(t, 2*mib, provide.Config{})
			g.send(t, g.piece(1, 0))
			g.answer(t)
			asks := g.piece(1, 1)
			mark(&asks)
			other := g.connect(t)
			other.quiet(t, asks)
			g.quiet(t, g.piece(2, 1))
			if err := other.stream.Close(); err != nil {
				t.Fatal(err)
			}
			third := g.connect(t)
			third.send(t, g.piece(1, 0))
			if told := third.hints(t); len(told) != 1 || told[0].Peer != g.id() {
				t.Errorf("the third was told of %v, want the first alone", told)
			}
		})
	}
}

// Whoever begins to hide in the middle of a download is told of no more, also
// when it has gone without a word.
func TestWhoBeginsToHideLeaves(t *testing.T) {
	g := newRig(t, 2*mib, provide.Config{})
	g.send(t, g.piece(1, 0))
	g.answer(t)
	alone := g.piece(2, 1)
	alone.Alone = true
	g.send(t, alone)
	g.answer(t)
	if err := g.stream.Close(); err != nil {
		t.Fatal(err)
	}
	other := g.connect(t)
	other.quiet(t, g.piece(1, 1))
}

// Who asks for more than a look brings does not only look, whatever it says: the
// user is to know of it.
func TestTooMuchIsNoLook(t *testing.T) {
	const last = int(domain.MostPeek / domain.PieceSize)
	g := newRig(t, int(domain.MostPeek)+mib, provide.Config{})
	for i, want := range map[int]bool{last - 1: true, last: false} {
		h := g.piece(uint64(1+i), i)
		h.Look = true
		g.send(t, h)
		g.answer(t)
		eventually(t, func() bool {
			g.upMu.Lock()
			defer g.upMu.Unlock()
			return g.looked[want] == mib
		})
	}
}

// Whoever has a content because it was given to it alone is told of to nobody,
// and hears of nobody.
func TestWhoIsAloneWithItIsToldOfToNobody(t *testing.T) {
	var alone atomic.Value
	alone.Store(domain.PeerID(""))
	g := newRig(t, 2*mib, provide.Config{
		Grant: func(domain.PeerID, domain.ContentID, int64) ([]byte, error) { return []byte("leave"), nil },
		Among: func(asker domain.Asker, _ domain.ContentID) bool { return asker.Peer != alone.Load() },
	})
	alone.Store(g.id())
	g.private, g.spread = true, provide.Granted
	g.send(t, g.piece(1, 0))
	g.answer(t)
	other := g.connect(t)
	other.quiet(t, g.piece(1, 1))
	g.quiet(t, g.piece(2, 1))
	third := g.connect(t)
	third.send(t, g.piece(1, 1))
	_, body := third.news(t)
	holders, _, err := wire.DecodeHolders(body)
	if err != nil || len(holders) != 1 || holders[0].Peer != other.id() {
		t.Errorf("a third one was told of %v, %v", holders, err)
	}
}

// Those who fetch what is private hear of each other together with a grant, if
// they may.
func TestGrantsComeWithHints(t *testing.T) {
	var clock atomic.Int64
	shown := make(chan string, 1)
	g := newRig(t, 2*mib, provide.Config{
		Now: func() time.Time { return time.Unix(clock.Load(), 0) },
		Grant: func(peer domain.PeerID, content domain.ContentID, size int64) ([]byte, error) {
			return fmt.Appendf(nil, "%s %v %d", peer, content, size), nil
		},
		Shown: func(asker domain.Asker, grant []byte) { shown <- string(asker.Peer) + string(grant) },
	})
	g.private, g.spread = true, provide.Granted
	leaveFor := func(c *client) string { return fmt.Sprintf("%s %v %d", c.id(), g.content, 2*mib) }
	hint := func(c *client) (peer domain.PeerID, grant string) {
		_, body := c.news(t)
		holders, signed, err := wire.DecodeHolders(body)
		if err != nil || len(holders) > 1 {
			t.Fatalf("told of %v, %v", holders, err)
		}
		if len(holders) == 1 {
			peer = holders[0].Peer
		}
		return peer, string(signed)
	}
	g.send(t, g.piece(1, 0))
	g.answer(t)
	other := g.connect(t)
	other.send(t, g.piece(1, 1))
	if peer, grant := hint(&other); peer != g.id() || grant != leaveFor(&other) {
		t.Errorf("the second was told of %s with the grant %q", peer, grant)
	}
	if peer, grant := hint(&g.client); peer != other.id() || grant != leaveFor(&g.client) {
		t.Errorf("the first was told of %s with the grant %q", peer, grant)
	}
	// Whoever goes on asking gets a new one in time, not each time.
	g.quiet(t, g.piece(2, 1))
	clock.Store(3600)
	g.send(t, g.piece(3, 1))
	if peer, grant := hint(&g.client); peer != "" || grant != leaveFor(&g.client) {
		t.Errorf("renewed with %q, told of %q", grant, peer)
	}
	if err := g.w.Write(wire.Header{Kind: wire.Grant, Content: g.content}, []byte("leave")); err != nil {
		t.Fatal(err)
	}
	if err := g.w.Flush(); err != nil {
		t.Fatal(err)
	}
	if got, want := <-shown, string(g.id())+"leave"; got != want {
		t.Errorf("shown %q, want %q", got, want)
	}
}

func TestFollowersHearOfFurtherPieces(t *testing.T) {
	g := newRig(t, 3*mib, provide.Config{})
	g.has = func(piece int) bool { return piece == 0 }
	g.send(t, wire.Header{Kind: wire.Request, Request: 1, What: wire.Info, Content: g.content, Length: mib})
	if h, body := g.answer(t); !h.Partial || !slices.Equal(body, []byte{1}) {
		t.Fatalf("answered %+v with %v", h, body)
	}
	g.provider.Grown(domain.ContentID{9}, 1) // of something else
	g.provider.Grown(g.content, 2)
	h, body := g.news(t)
	pieces, err := wire.Indices(body)
	if err != nil || h.Content != g.content || h.Coming || !slices.Equal(pieces, []int{2}) {
		t.Errorf("told %+v %v, %v", h, pieces, err)
	}
	g.provider.Coming(g.content, 1)
	h, body = g.news(t)
	pieces, err = wire.Indices(body)
	if err != nil || h.Content != g.content || !h.Coming || !slices.Equal(pieces, []int{1}) {
		t.Errorf("told %+v %v, %v", h, pieces, err)
	}
}

func TestNewsForASlowFollowerAreBounded(t *testing.T) {
	g := newRig(t, 16*mib, provide.Config{})
	g.has = func(int) bool { return true }
	info := wire.Header{Kind: wire.Request, Request: 1, What: wire.Info, Content: g.content, Length: mib}
	g.send(t, info)
	g.answer(t)
	// Nothing is read, so what is told is what the stream holds, a quarter of
	// a mebibyte, and what waits.
	const grown = 300_000
	for range grown {
		g.provider.Grown(g.content, 1)
	}
	for told := 0; told < grown; {
		_, body := g.news(t)
		if len(body) == 0 {
			return // it is told to ask anew
		}
		pieces, err := wire.Indices(body)
		if err != nil {
			t.Fatal(err)
		}
		told += len(pieces)
	}
	t.Error("all news were kept")
}

func TestOfASetEachGetsSomethingElse(t *testing.T) {
	g := newRig(t, 4*mib, provide.Config{})
	others := []client{g.connect(t), g.connect(t), g.connect(t)}
	var got []int
	for i, c := range append(others, g.client) {
		h := wire.Header{Kind: wire.Request, Request: uint64(i + 1), What: wire.Any, Content: g.content, Length: mib}
		if err := c.w.Write(h, []byte{0x0f}); err != nil {
			t.Fatal(err)
		}
		if err := c.w.Flush(); err != nil {
			t.Fatal(err)
		}
		answer, body := c.answer(t)
		if answer.Status != wire.OK || !slices.Equal(body, g.data[answer.Index*mib:][:mib]) {
			t.Fatalf("answered %+v", answer)
		}
		got = append(got, answer.Index)
	}
	slices.Sort(got)
	if !slices.Equal(got, []int{0, 1, 2, 3}) {
		t.Errorf("gave pieces %v", got)
	}
	// Only of the set.
	last := others[0]
	if err := last.w.Write(wire.Header{Kind: wire.Request, Request: 9, What: wire.Any, Content: g.content, Length: mib}, []byte{8}); err != nil {
		t.Fatal(err)
	}
	if err := last.w.Flush(); err != nil {
		t.Fatal(err)
	}
	if h, _ := last.answer(t); h.Index != 3 {
		t.Errorf("gave piece %d of a set of piece 3", h.Index)
	}
	// Beyond the content there is nothing to choose.
	if err := last.w.Write(wire.Header{Kind: wire.Request, Request: 10, What: wire.Any, Content: g.content, Index: 8, Length: mib}, []byte{0xff}); err != nil {
		t.Fatal(err)
	}
	if err := last.w.Flush(); err != nil {
		t.Fatal(err)
	}
	if h, _ := last.answer(t); h.Status != wire.Missing {
		t.Errorf("of pieces that are none it gave %+v", h)
	}
}

func TestHoldersAreForgottenInTime(t *testing.T) {
	var later atomic.Bool
	g := newRig(t, 2*mib, provide.Config{Now: func() time.Time {
		if later.Load() {
			return time.Now().Add(2 * time.Hour)
		}
		return time.Now()
	}})
	g.send(t, g.piece(1, 0))
	g.answer(t)
	if err := g.stream.Reset(); err != nil {
		t.Fatal(err)
	}
	g.alone(t)
	later.Store(true)
	other := g.connect(t)
	other.quiet(t, g.piece(1, 1))
}

// alone waits until the provider is through with all streams: that the files are
// closed is not enough, since who has gone is noted only then.
func (g *rig) alone(t *testing.T) {
	t.Helper()
	eventually(t, func() bool { return g.streams.Load() == 0 })
}

// eventually waits until ok holds.
func eventually(t *testing.T, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatal("waited in vain")
}

// What somebody fetched as one of a few is told to nobody once everybody may have
// it, and the other way round; nor is one who is blocked since.
func TestWhoWentIsToldOfAsItWas(t *testing.T) {
	var friend atomic.Bool
	friend.Store(true)
	g := newRig(t, 2*mib, provide.Config{
		Grant:  func(domain.PeerID, domain.ContentID, int64) ([]byte, error) { return []byte("leave"), nil },
		Among:  func(asker domain.Asker, _ domain.ContentID) bool { return asker.Friend || asker.Near },
		Friend: func(domain.PeerID) bool { return friend.Load() },
	})
	g.private, g.spread = true, provide.Granted
	g.send(t, g.piece(1, 0))
	g.answer(t)
	if err := g.stream.Close(); err != nil {
		t.Fatal(err)
	}
	g.alone(t)
	g.mu.Lock()
	g.private = false
	g.mu.Unlock()
	other := g.connect(t)
	other.quiet(t, g.piece(1, 1))
	g.mu.Lock()
	g.private = true
	g.mu.Unlock()
	third := g.connect(t)
	third.send(t, g.piece(1, 1))
	_, body := third.news(t)
	holders, _, err := wire.DecodeHolders(body)
	if err != nil || len(holders) == 0 || !slices.ContainsFunc(holders, func(h wire.Holder) bool { return h.Peer == g.id() }) {
		t.Errorf("one of the few is told of %v, %v", holders, err)
	}
}

// Whoever may not have the content any more hears nothing further of it, also
// without asking.
func TestNewsEndWithTheLeave(t *testing.T) {
	var ahead atomic.Int64
	g := newRig(t, 3*mib, provide.Config{Now: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }})
	g.has = func(piece int) bool { return piece == 0 }
	g.send(t, wire.Header{Kind: wire.Request, Request: 1, What: wire.Info, Content: g.content, Length: mib})
	g.answer(t)
	g.provider.Grown(g.content, 1)
	g.news(t)
	g.mu.Lock()
	g.far = true
	g.mu.Unlock()
	ahead.Store(int64(time.Minute))
	g.provider.Grown(g.content, 2)
	g.provider.Coming(g.content, 2)
	if err := g.stream.SetReadDeadline(time.Now().Add(300 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if h, err := g.r.Next(); err == nil {
		t.Errorf("told %+v", h)
	}
}
