package sim

import (
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/marcopolo/simnet"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/catalogue"
	"github.com/potluck-share/potluck/net/gossip"
)

const (
	// links is how many others each one dials, so that it has about twice as
	// many connections.
	links = 12
	// files is how many each one shares.
	files = 10_000
	// budget is how many entries of others one pulls unasked.
	budget = 1_000_000
	// untilQuiet is how long it takes, after two rounds of repeats of everybody's
	// head, until those are over that came late.
	untilQuiet = 3*time.Minute + 30*time.Second
	// What everybody has, and what one alone has.
	common, rare = "img", "heirloom"
)

// owner is one peer with what it shares and what it has heard.
type owner struct {
	*mate
	number int
	gossip *gossip.Gossip
	client *catalogue.Client

	mu       sync.Mutex
	sequence uint64
	heard    map[domain.PeerID]uint64 // the latest sequence of each author
}

func (o *owner) head(domain.Asker) domain.Head {
	o.mu.Lock()
	defer o.mu.Unlock()
	return domain.Head{Version: domain.Version{Epoch: 1, Sequence: o.sequence}, Entries: files, Bytes: files << 20}
}

// change makes one file more.
func (o *owner) change() {
	o.mu.Lock()
	o.sequence++
	o.mu.Unlock()
	o.gossip.Announce()
}

func (o *owner) hears(h domain.Head, _ time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.heard[h.Peer] = max(o.heard[h.Peer], h.Sequence)
}

// knows counts the authors of whom it has heard at least that sequence.
func (o *owner) knows(least uint64) (n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, s := range o.heard {
		if s >= least {
			n++
		}
	}
	return n
}

// heardOf reports whether it knows that another is here.
func (o *owner) heardOf(other *owner) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.heard[other.ID()] > 0
}

// entry is the i-th file of an owner: a name as cameras give it, and noise for a
// content ID.
func (o *owner) entry(i int) domain.Entry {
	e := domain.Entry{
		Path: fmt.Sprintf("Album %03d/IMG_%04d_%d.jpg", i/100, i, o.number), Size: int64(i) * 4099, Modified: time.Unix(1.7e9+int64(i)*61, 0).UTC(),
	}
	noise := rand.NewPCG(uint64(o.number), uint64(i))
	for at := 0; at < len(e.Content); at += 8 {
		binary.LittleEndian.PutUint64(e.Content[at:], noise.Uint64())
	}
	return e
}

// Page gives pages of a thousand.
func (o *owner) Page(_ context.Context, _ domain.Asker, since domain.Version, cursor string) (domain.Page, error) {
	page := domain.Page{Version: o.head(domain.Asker{}).Version}
	if since.Epoch == page.Version.Epoch && cursor == "" { // one more file each time
		for s := since.Sequence; s < page.Version.Sequence; s++ {
			e := o.entry(files + int(s))
			page.Changes = append(page.Changes, domain.Change{Path: e.Path, Entry: &e})
		}
		return page, nil
	}
	from := 0
	if cursor != "" {
		var err error
		if from, err = strconv.Atoi(cursor); err != nil {
			return page, fmt.Errorf("%w: %w", domain.ErrMalformed, err)
		}
	}
	page.Full = true
	to := min(files, from+1000)
	for i := from; i < to; i++ {
		e := o.entry(i)
		page.Changes = append(page.Changes, domain.Change{Path: e.Path, Entry: &e})
	}
	if to < files {
		page.Next = strconv.Itoa(to)
	}
	return page, nil
}

// delta is what rides with a head.
func (o *owner) delta(since domain.Version, most int) ([]byte, domain.Version) {
	page, err := o.Page(context.Background(), domain.Asker{}, since, "")
	if err != nil || page.Full {
		return nil, domain.Version{}
	}
	return o.client.PackChanges(page, most), page.Version
}

func (o *owner) OfferPage(context.Context, domain.Asker, string, string) (domain.Page, error) {
	return domain.Page{}, domain.ErrNotFound
}

func (o *owner) Find(context.Context, domain.Asker, []string, int) ([]domain.Entry, error) {
	return nil, nil
}

// answer has something for those who look for pictures, and one owner alone for
// those who look for what is rare.
func (o *owner) answer(_ context.Context, _ domain.PeerID, words []string) []byte {
	var found []domain.Entry
	switch {
	case words[0] == common:
		for i := range 20 {
			found = append(found, o.entry(i))
		}
	case words[0] == rare && o.number == 1:
		found = append(found, o.entry(0))
	default:
		return nil
	}
	packed, err := o.client.Pack(found, gossip.MaxFound)
	if err != nil {
		panic(err) // they always fit
	}
	return packed
}

// asks asks everyone for a word and returns how many have answered.
func (o *owner) asks(t *testing.T, word string) (answers int, took time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	begun := time.Now()
	err := o.gossip.Ask(ctx, []string{word}, func(_ domain.PeerID, found []byte) {
		if entries, err := o.client.Unpack(found); err != nil || len(entries) == 0 {
			t.Errorf("an answer of %d entries, %v", len(entries), err)
		}
		answers++
		took = time.Since(begun)
	})
	if err != nil {
		t.Error(err)
	}
	return answers, took
}

// office is a network with all that are on it.
type office struct {
	t      *testing.T
	wire   *simnet.Simnet
	all    []*owner
	chance *rand.Rand
}

// newcomer joins with what it shares; it knows nobody yet.
func (f *office) newcomer() *owner {
	f.t.Helper()
	o := &owner{number: len(f.all), sequence: 1, heard: make(map[domain.PeerID]uint64)}
	o.mate = &mate{}
	o.Host, o.bytes = simulated(f.t, f.wire, o.number)
	log := slog.New(slog.DiscardHandler)
	if err := catalogue.Serve(o, o, log); err != nil {
		f.t.Fatal(err)
	}
	var err error
	if o.client, err = catalogue.NewClient(o, catalogue.Config{}); err != nil {
		f.t.Fatal(err)
	}
	o.gossip, err = gossip.New(context.Background(), gossip.Config{
		Host: o, Own: o.head, Delta: o.delta, Name: func() string { return "Mate " + strconv.Itoa(o.number) },
		Heard: func(domain.PeerID) bool { return true }, Head: o.hears, Answer: o.answer, Log: log,
	})
	if err != nil {
		f.t.Fatal(err)
	}
	f.all = append(f.all, o)
	return o
}

// mingle has one meet others at random.
func (f *office) mingle(o *owner) {
	f.t.Helper()
	met := map[int]bool{o.number: true}
	for len(met) < min(links+1, o.number+1) {
		if i := f.chance.IntN(o.number + 1); !met[i] {
			met[i] = true
			o.meets(f.t, f.all[i].mate)
		}
	}
}

func (f *office) bytes() (sum int64) {
	for _, o := range f.all {
		sum += o.bytes()
	}
	return sum
}

// mean is how many bytes a peer has sent and received on average since a count.
func (f *office) mean(since int64) float64 { return float64(f.bytes()-since) / float64(len(f.all)) }

func (f *office) close() {
	var closing sync.WaitGroup
	for _, o := range f.all {
		closing.Go(func() {
			_ = o.gossip.Close()
			_ = o.Close()
		})
	}
	closing.Wait()
	f.wire.Close()
}

// figures is what a simulation found, in bytes of one peer, sent and received.
type figures struct {
	peers       int
	connections float64
	joining     int64 // heads and all, without lists
	lists       int64 // pulled by who joins
	pulled      int   // whose lists
	change      float64
	hour        float64
	rare        float64 // a question that one can answer
	rareTook    time.Duration
	common      float64 // a question that all can answer
	answers     int     // to it
	lost        int     // announcements that did not arrive
	took        time.Duration
}

// simulate lets so many be on one network.
func simulate(t *testing.T, peers int) (got figures) {
	t.Helper()
	begun := time.Now()
	synctest.Test(t, func(t *testing.T) {
		f := &office{t: t, wire: &simnet.Simnet{LatencyFunc: simnet.StaticLatency(latency)}, chance: rand.New(rand.NewPCG(1, uint64(peers)))}
		f.wire.Start()
		defer f.close()
		for range peers - 1 {
			f.mingle(f.newcomer())
		}
		time.Sleep(time.Minute)

		// One more comes: it hears of everybody, everybody hears of it, and it pulls
		// what the budget allows.
		last := f.newcomer()
		f.mingle(last)
		time.Sleep(30 * time.Second)
		got.joining = last.bytes()
		got.lost += peers - 1 - last.knows(1)
		for _, other := range f.all {
			if other != last && !other.heardOf(last) {
				got.lost++
			}
		}
		for _, other := range f.all {
			if other == last || (got.pulled+1)*files > budget {
				continue
			}
			if len(last.Network().ConnsToPeer(other.Host.ID())) == 0 {
				last.meets(t, other.mate)
			}
			entries := 0
			err := last.client.Pull(t.Context(), other.ID(), domain.Version{}, func(p domain.Page) error {
				entries += len(p.Changes)
				return nil
			})
			if err != nil || entries != files {
				t.Errorf("the list of %d has %d entries, %v", other.number, entries, err)
			}
			got.pulled++
		}
		got.lists = last.bytes() - got.joining
		for _, o := range f.all {
			got.connections += float64(len(o.Network().Peers())) / float64(peers)
		}

		// Nobody does anything, for two intervals at which heads are repeated.
		const span = 20 * time.Minute
		since := f.bytes()
		time.Sleep(span)
		got.hour = f.mean(since) * float64(time.Hour/span)

		// Ten have a file more, one after the other, while nobody repeats itself.
		const changes, pause = 10, 5 * time.Second
		time.Sleep(untilQuiet)
		since = f.bytes()
		time.Sleep(changes * pause)
		quiet := f.mean(since)
		since = f.bytes()
		for i := range changes {
			f.all[i*(peers/changes)].change()
			time.Sleep(pause)
		}
		got.change = (f.mean(since) - quiet) / changes

		// The newcomer looks for what one has, and for what all have.
		time.Sleep(pause)
		since = f.bytes()
		var answers int
		if answers, got.rareTook = last.asks(t, rare); answers != 1 {
			t.Errorf("of one who has it %d answered", answers)
		}
		time.Sleep(pause)
		got.rare = f.mean(since) - quiet/changes
		since = f.bytes()
		got.answers, _ = last.asks(t, common)
		time.Sleep(pause)
		got.common = f.mean(since) - quiet/changes
		for _, o := range f.all {
			missing := changes - o.knows(2)
			if o.number%(peers/changes) == 0 && o.number/(peers/changes) < changes {
				missing-- // its own it need not hear
			}
			got.lost += missing
		}
	})
	got.peers, got.took = peers, time.Since(begun)
	return got
}

// TestOffice simulates as many as POTLUCK_SIM says, separated by commas; a few by
// default, for 200 take some minutes. Nothing is to be lost, and what one pays for everybody
// else must not grow faster than their number.
func TestOffice(t *testing.T) {
	counts := os.Getenv("POTLUCK_SIM")
	if counts == "" {
		counts = "20"
	}
	var table strings.Builder
	fmt.Fprintf(&table, "%6s %12s %12s %22s %14s %20s %28s %14s %6s %8s\n",
		"PEERS", "CONNECTIONS", "JOINING", "LISTS", "A CHANGE", "A RARE QUESTION", "A COMMON ONE", "AN HOUR", "LOST", "TOOK")
	for count := range strings.SplitSeq(counts, ",") {
		peers, err := strconv.Atoi(count)
		if err != nil {
			t.Fatal(err)
		}
		got := simulate(t, peers)
		fmt.Fprintf(&table, "%6d %12.0f %9d KB %9d MB of %4d %12.0f B %9.0f B in %5.2f s %11.0f B, %3d answers %11.1f MB %6d %7.0fs\n", got.peers, got.connections,
			got.joining/1000, got.lists/1_000_000, got.pulled, got.change, got.rare, got.rareTook.Seconds(), got.common, got.answers,
			got.hour/1e6, got.lost, got.took.Seconds())
		if want := min(peers-1, 64); got.answers < want {
			t.Errorf("of all who have it %d answered, want %d", got.answers, want)
		}
		if got.lost > 0 {
			t.Errorf("%d announcements did not arrive", got.lost)
		}
	}
	t.Logf("what one of them sends and receives:\n%s", table.String())
}
