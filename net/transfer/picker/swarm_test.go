package picker

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"
)

// seedFlag runs the simulations and the random schedules of another seed, such
// as one that a failure named.
var seedFlag = flag.Uint64("seed", 1, "seed of the simulations, and the first one of the random schedules")

const pieces256 = 256

// oneCopy is how long a link of 200 Mbit/s takes for so many pieces.
func oneCopy(pieces int) time.Duration { return seconds(float64(pieces) * pieceBytes / mbit200) }

// swarm runs whole sources with many downloaders, all links alike. see is how
// many neighbours each of them knows at least.
func swarm(s *sim, sources, downloaders, see, pieces int) (peers []*node) {
	var from []*node
	for range sources {
		n := s.node(mbit200, mbit200)
		n.share(0, pieces)
		from = append(from, n)
	}
	for range downloaders {
		n := s.node(mbit200, mbit200)
		n.fetch(0, pieces, s.rnd.Uint64(), true, from...)
		peers = append(peers, n)
	}
	for i, a := range peers {
		for k := 0; len(a.neighbours) < min(see, downloaders-1); k++ {
			b := peers[(i+1+k)%downloaders]
			if see < downloaders-1 {
				b = peers[s.rnd.IntN(downloaders)]
			}
			if b != a && !slices.Contains(a.neighbours, b) {
				know(0, a, b)
			}
		}
	}
	return peers
}

// copies runs a swarm of 256 pieces and returns how long it took until the last
// downloader had all, in times of one copy.
func copies(t *testing.T, rules tuning, sources, downloaders, see int) float64 {
	t.Helper()
	s := newSim(*seedFlag, rules)
	peers := swarm(s, sources, downloaders, see, pieces256)
	if !s.run(20 * oneCopy(pieces256)) {
		t.Fatalf("seed %d: %d of %d downloads were not finished", *seedFlag, s.open, downloaders)
	}
	var last time.Duration
	for _, n := range peers {
		last = max(last, n.files[0].ended)
	}
	return last.Seconds() / oneCopy(pieces256).Seconds()
}

// With open claims every piece leaves the source once, whatever the downloaders
// know of each other.
func TestSwarmTakesLittleMoreThanOneCopy(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		sources, downloaders, see int
		most                      float64
	}{
		{1, 4, 3, 1.10},
		{1, 8, 7, 1.10},
		{2, 8, 7, 1.10},
		{1, 30, 8, 1.25},
	} {
		t.Run(fmt.Sprintf("%d sources %d downloaders", c.sources, c.downloaders), func(t *testing.T) {
			t.Parallel()
			rules := usual()
			if c.downloaders > 8 {
				rules.chunk = 256 << 10 // half the events
			}
			got := copies(t, rules, c.sources, c.downloaders, c.see)
			if got > c.most {
				t.Errorf("seed %d: %.3f × one copy, want at most %.2f", *seedFlag, got, c.most)
			}
			t.Logf("open claims %.3f", got)
			if c.downloaders > 8 {
				return
			}
			// Rumours that are late, and none of what is under way.
			slow := rules
			slow.rumour, slow.coming = 200*time.Millisecond, false
			late := copies(t, slow, c.sources, c.downloaders, c.see)
			if late > c.most {
				t.Errorf("seed %d: %.3f × one copy with slow rumours, want at most %.2f", *seedFlag, late, c.most)
			}
			named, lateNamed, inOrder := usual(), slow, usual()
			named.opens, lateNamed.opens = 0, 0
			inOrder.opens, inOrder.order = 0, Sequential
			t.Logf("with slow rumours %.3f; rarest first %.3f, with slow rumours %.3f; in order %.3f", late,
				copies(t, named, c.sources, c.downloaders, c.see), copies(t, lateNamed, c.sources, c.downloaders, c.see),
				copies(t, inOrder, c.sources, c.downloaders, c.see))
		})
	}
}

func TestSwarmOfAHundred(t *testing.T) {
	t.Parallel()
	if os.Getenv("POTLUCK_LONG") != "1" {
		t.Skip("takes some seconds; POTLUCK_LONG=1 runs it")
	}
	rules := usual()
	rules.chunk = 256 << 10
	if got := copies(t, rules, 1, 100, 30); got > 1.25 {
		t.Errorf("seed %d: %.3f × one copy, want at most 1.25", *seedFlag, got)
	} else {
		t.Logf("%.3f × one copy", got)
	}
}

// What a slow downloader was given first is not waited for by the others.
func TestSlowDownloaderDoesNotHoldUpOthers(t *testing.T) {
	t.Parallel()
	for _, rate := range []float64{2e6, 200e3} {
		s := newSim(*seedFlag, usual())
		peers := swarm(s, 1, 4, 4, pieces256)
		peers[0].up, peers[0].down = rate, rate
		most := 1.2 * oneCopy(pieces256).Seconds()
		s.run(seconds(most))
		for i, n := range peers[1:] {
			if f := n.files[0]; f.left > 0 {
				t.Errorf("seed %d: beside one of %.1f MB/s, downloader %d lacks %d pieces after 1.2 × one copy", *seedFlag, rate/1e6, i, f.left)
			}
		}
	}
}

// Half of what the source sends goes to those who do not send it on, so the
// others take twice as long as without them.
func TestBadDownloadersInASwarm(t *testing.T) {
	t.Parallel()
	s := newSim(*seedFlag, usual())
	peers := swarm(s, 1, 8, 8, pieces256)
	peers[0].liar = true
	peers[1].stalled = true
	peers[2].leaveAt = 20 * pieceBytes
	peers[3].up = 10e3
	const most = 2.2
	s.run(seconds(most * oneCopy(pieces256).Seconds()))
	for i, n := range peers[4:] {
		if f := n.files[0]; f.left > 0 {
			t.Errorf("seed %d: downloader %d lacks %d pieces after %.1f × one copy", *seedFlag, i, f.left, most)
		} else {
			t.Logf("%.3f × one copy", f.ended.Seconds()/oneCopy(pieces256).Seconds())
		}
	}
}

func TestSourceLeavesAfterLittleMoreThanOneCopy(t *testing.T) {
	t.Parallel()
	for _, downloaders := range []int{4, 8} {
		for i := range uint64(3) {
			s := newSim(*seedFlag+i, usual())
			peers := swarm(s, 1, downloaders, downloaders, pieces256)
			s.nodes[0].leaveAt = pieces256 * pieceBytes * 11 / 10
			if !s.run(2 * oneCopy(pieces256)) {
				t.Errorf("seed %d: %d of %d downloads were not finished", *seedFlag+i, s.open, len(peers))
			}
		}
	}
}

// fromFour runs one download from sources with links of 200 Mbit/s each over a
// link of four times that, and returns how long it took.
func fromFour(t *testing.T, rules tuning, pieces, honest int, odd func(*node)) (*file, time.Duration) {
	t.Helper()
	s := newSim(*seedFlag, rules)
	var from []*node
	for range honest {
		from = append(from, s.node(mbit200, mbit200))
	}
	if odd != nil {
		n := s.node(mbit200, mbit200)
		odd(n)
		from = append(from, n)
	}
	for _, n := range from {
		n.share(0, pieces)
	}
	f := s.node(4*mbit200, 4*mbit200).fetch(0, pieces, s.rnd.Uint64(), false, from...)
	if !s.run(10 * oneCopy(pieces)) {
		t.Fatalf("seed %d: %d of %d pieces were left", *seedFlag, f.left, pieces)
	}
	return f, f.ended
}

func TestFourSourcesAddUp(t *testing.T) {
	t.Parallel()
	for _, order := range []Order{Sequential, Rarest} {
		rules := usual()
		rules.order = order
		f, took := fromFour(t, rules, pieces256, 4, nil)
		share := oneCopy(pieces256).Seconds() / 4 / took.Seconds()
		if share < 0.95 {
			t.Errorf("seed %d, order %d: %.3f of the sum of the links, want at least 0.95", *seedFlag, order, share)
		}
		if order == Sequential && !slices.IsSorted(f.asked[:200]) {
			t.Error("the pieces were not asked for in order")
		}
		if most := int(rules.budget / pieceBytes); order == Sequential && f.ahead > most {
			t.Errorf("a piece came %d before one that was still missing, want at most the %d in flight", f.ahead, most)
		}
		t.Logf("order %d: %.3f of the sum, furthest ahead %d", order, share, f.ahead)
	}
}

func TestOneBadSourceOfFour(t *testing.T) {
	t.Parallel()
	const pieces = 1024
	for _, order := range []Order{Sequential, Rarest} {
		rules := usual()
		rules.order = order
		_, alone := fromFour(t, rules, pieces, 3, nil)
		for name, odd := range map[string]func(*node){
			"stalls":         func(n *node) { n.stalled = true },
			"stalls midway":  func(n *node) { n.s.after(3*time.Second, func() { n.stalled = true }) },
			"gives 10 KB/s":  func(n *node) { n.up = 10e3 },
			"slows midway":   func(n *node) { n.s.after(3*time.Second, func() { n.up = 10e3 }) },
			"lies":           func(n *node) { n.liar = true },
			"leaves":         func(n *node) { n.leaveAt = 20 * pieceBytes },
			"gives 200 KB/s": func(n *node) { n.up = 200e3 },
		} {
			f, took := fromFour(t, rules, pieces, 3, odd)
			ratio := took.Seconds() / alone.Seconds()
			if ratio > 1.2 {
				t.Errorf("seed %d, order %d: one that %s: %.3f × the time of the other three alone", *seedFlag, order, name, ratio)
			}
			t.Logf("order %d, one that %s: %.3f × the time of the others, %d pieces twice", order, name, ratio, f.fetched-pieces)
		}
	}
}

func TestSmallFileBesideALargeOne(t *testing.T) {
	t.Parallel()
	s := newSim(*seedFlag, usual())
	source, n := s.node(mbit200, mbit200), s.node(4*mbit200, 4*mbit200)
	source.share(0, 1024)
	source.share(1, 4)
	n.fetch(0, 1024, 1, false, source)
	var small *file
	s.after(5*time.Second, func() { small = n.fetch(1, 4, 1, false, source) })
	if !s.run(time.Minute) {
		t.Fatal("not finished")
	}
	took, fair := small.ended-small.began, 2*oneCopy(4)
	if most := 3*fair + s.span; took > most {
		t.Errorf("4 MiB took %v, want at most %v: three times the fair share and the window that was asked for before", took, most)
	}
	t.Logf("4 MiB beside 1 GiB took %v, the fair share is %v", took, fair)
}

func TestFilesShareTheBudget(t *testing.T) {
	t.Parallel()
	rules := usual()
	rules.budget = 16 << 20 // less than the windows of all
	s := newSim(*seedFlag, rules)
	var from []*node
	for range 4 {
		from = append(from, s.node(mbit200, mbit200))
	}
	n := s.node(4*mbit200, 4*mbit200)
	for c := range 4 {
		for _, source := range from {
			source.share(c, 128)
		}
		n.fetch(c, 128, 1, false, from...)
	}
	if !s.run(time.Minute) {
		t.Fatal("not finished")
	}
	var first, last time.Duration
	for c, f := range n.files {
		if c == 0 || f.ended < first {
			first = f.ended
		}
		last = max(last, f.ended)
	}
	if first.Seconds() < 0.85*last.Seconds() {
		t.Errorf("of four alike the first was done after %v, the last after %v", first, last)
	}
	if share := oneCopy(128).Seconds() / last.Seconds(); share < 0.9 {
		t.Errorf("%.3f of the sum of the links, want at least 0.9", share)
	}
}
