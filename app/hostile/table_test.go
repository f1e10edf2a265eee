package hostile_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/potluck-share/potluck/app/desktop"
	"github.com/potluck-share/potluck/app/domain"
)

// By how much the memory of the program may grow, in bytes: under any attack a
// few times what it uses at rest, and far below what is sent; by a list as much
// as the half million entries take that a stranger may have.
const (
	allowed       = 128 << 20
	allowedByList = 256 << 20
)

// The user waits for an answer for so long at most, and an honest neighbour's
// file takes no longer, whatever others do.
const (
	promptly = time.Second
	patience = 15 * time.Second
	// busy is what an answer may take longer on a machine that runs all of this.
	// What it took is in the log.
	busy = time.Second
)

// stage is where an attack happens: somebody who is attacked, and an honest
// neighbour from whom they fetch something meanwhile.
type stage struct {
	*testing.T
	ana, bea *victim
	blamed   []domain.PeerID // who is to be named in the log
}

// blame says that the log must name a peer.
func (s *stage) blame(ids ...domain.PeerID) { s.blamed = append(s.blamed, ids...) }

// awaitNamed waits until the log names a peer.
func (s *stage) awaitNamed(id domain.PeerID, why string) {
	s.Helper()
	waitFor(s.T, "the log names who sent "+why, func() bool { return s.ana.named(id) })
}

// row is an attack. It returns how much of it took place and what became of
// it; what must not become of it is an error of the test.
type row struct {
	name   string
	attack func(s *stage) (sent, outcome string)
	fresh  bool // with a victim of its own, run with these flags
	flags  []string
	most   int64 // by how much the memory may grow, 0 for what is usual
}

// TestAttacks runs a Potluck through everything that a peer may think of, and
// prints what became of it: one with its window where there is an Xvfb.
func TestAttacks(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("how much memory a program uses is read from /proc")
	}
	if testing.Short() {
		t.Skip("takes a minute")
	}
	bea := honest(t)
	attacked, screen := run, (*desktop.Screen)(nil)
	if _, err := exec.LookPath("Xvfb"); err == nil || os.Getenv("POTLUCK_STRICT") != "" {
		screen = desktop.Start(t, 1120, 780)
		attacked = func(t *testing.T, name string, flags ...string) *victim {
			t.Helper()
			return runWindow(t, screen, name, flags...)
		}
	}
	ana := attacked(t, "Ana")
	befriend(t, ana, bea)

	var table strings.Builder
	out := tabwriter.NewWriter(&table, 0, 4, 2, ' ', 0)
	_, _ = fmt.Fprintln(out, "ATTACK\tSENT\tOUTCOME\tMEMORY\tSTATUS\tPAGE\tHONEST FILES\tNAMED")
	for _, r := range attacks() {
		t.Run(r.name, func(t *testing.T) {
			s := &stage{T: t, ana: ana, bea: bea}
			if r.fresh {
				s.ana = attacked(t, "Ana", r.flags...)
				s.ana.meets(bea)
			}
			_, _ = fmt.Fprintln(out, s.play(r))
		})
	}
	if folder := os.Getenv("POTLUCK_ARTEFACTS"); folder != "" && screen != nil { // to be looked at
		if err := screen.ScreenshotOf(ana.window.shown, filepath.Join(folder, "attacked.png")); err != nil {
			t.Error(err)
		}
	}
	_ = out.Flush() // into memory
	t.Logf("what became of each attack (the memory may grow by %d MB, by a list %d MB):\n%s",
		allowed>>20, allowedByList>>20, table.String())
}

// honest starts the honest neighbour, and shares its files.
func honest(t *testing.T) *victim {
	t.Helper()
	fetched = 0
	bea := run(t, "Bea")
	files := filepath.Join(t.TempDir(), "honest")
	if err := os.Mkdir(files, 0o700); err != nil {
		t.Fatal(err)
	}
	for i := range mostHonest {
		b := newBlob(t, uint64(10_000+i), 256<<10)
		if err := os.WriteFile(filepath.Join(files, fmt.Sprintf("%03d", i)), b.data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	bea.do("share", files)
	return bea
}

func attacks() (all []row) {
	for _, some := range [][]row{lists(), heads(), bytesOfOthers(), grants(), locals(), floods()} {
		all = append(all, some...)
	}
	return all
}

// befriend makes two running programs each other's friends.
func befriend(t *testing.T, a, b *victim) {
	t.Helper()
	a.meets(b)
	_, _ = a.try("friend", "add", string(b.id), "--yes", "--wait", "1s") // ends before the other one has confirmed
	_, _ = b.try("friend", "add", string(a.id), "--yes", "--wait", "10s")
	waitFor(t, "they are friends", func() bool { return a.friend(b.id) && b.friend(a.id) })
}

type person struct {
	PeerID    domain.PeerID `json:"peer_id"`
	Name      string        `json:"name"`
	Friend    bool          `json:"friend"`
	Online    bool          `json:"online"`
	Entries   int           `json:"entries"`
	Bytes     int64         `json:"bytes"`
	LooksLike string        `json:"looks_like"`
}

func (v *victim) person(id domain.PeerID) (found person) {
	v.t.Helper()
	var all []person
	v.ask(&all, "peers")
	for _, p := range all {
		if p.PeerID == id {
			found = p
		}
	}
	return found
}

func (v *victim) friend(id domain.PeerID) bool { return v.person(id).Friend }

// mostHonest is how many files the honest neighbour has.
const mostHonest = 400

// fetched is how many of them were fetched so far: each only once, since what
// is here is not fetched again.
var fetched int

// watch is what was seen of the victim while it was attacked.
type watch struct {
	stop, done chan struct{}
	before     int64
	peak       int64
	slowest    time.Duration // status
	turned     time.Duration // another page of the window, the longest
	files      int
	longest    time.Duration // an honest file
	problems   []string
}

// watch looks after the victim until it is stopped, in a goroutine of its own;
// at least one honest file is fetched.
func (s *stage) watch() *watch {
	w := &watch{stop: make(chan struct{}), done: make(chan struct{}), before: s.ana.resident()}
	w.peak = w.before
	go func() {
		defer close(w.done)
		next := time.Now()
		for {
			begun := time.Now()
			if out, err := s.ana.try("status"); err != nil {
				w.problems = append(w.problems, fmt.Sprintf("status: %v: %s", err, out))
			}
			w.slowest = max(w.slowest, time.Since(begun))
			if s.ana.window != nil {
				w.turn(s)
			}
			if w.files == 0 || time.Now().After(next) {
				w.fetch(s)
				next = time.Now().Add(300 * time.Millisecond)
			}
			w.peak = max(w.peak, s.ana.resident())
			select {
			case <-w.stop:
				return
			case <-time.After(50 * time.Millisecond):
			}
		}
	}()
	return w
}

// fetch fetches one more file of the honest neighbour.
func (w *watch) fetch(s *stage) {
	if fetched >= mostHonest {
		w.problems = append(w.problems, "there are no honest files left")
		return
	}
	begun := time.Now()
	if out, err := s.ana.try("get", fmt.Sprintf("%s:honest/%03d", s.bea.id, fetched), "--wait", patience.String()); err != nil {
		w.problems = append(w.problems, fmt.Sprintf("an honest file: %v: %s", err, out))
	}
	fetched++
	w.files++
	w.longest = max(w.longest, time.Since(begun))
}

// turn goes to another page of the window.
func (w *watch) turn(s *stage) {
	took, err := s.ana.window.turn()
	if err != nil {
		w.problems = append(w.problems, fmt.Sprintf("the window: %v", err))
	}
	w.turned = max(w.turned, took)
}

// play runs one attack, checks what holds for all of them, and returns the row
// of the table.
func (s *stage) play(r row) string {
	s.Helper()
	w := s.watch()
	stop := func() {
		select {
		case <-w.done:
		default:
			close(w.stop)
			<-w.done
		}
	}
	defer stop() // also if the attack ends the test
	sent, outcome := r.attack(s)
	stop()
	most := r.most
	if most == 0 {
		most = allowed
	}
	grown := max(0, w.peak-w.before)
	if grown > most {
		s.Errorf("the memory grew by %d MB, more than %d", grown>>20, most>>20)
	}
	if w.slowest > promptly+busy {
		s.Errorf("the user waited %v for the status", w.slowest)
	}
	if w.turned > promptly+busy {
		s.Errorf("the user waited %v for another page of the window", w.turned)
	}
	for _, problem := range w.problems {
		s.Error(problem)
	}
	for _, path := range s.ana.elsewhere() {
		s.Errorf("there is a file outside of the download folder: %s", path)
	}
	named := "nobody is to blame"
	if len(s.blamed) > 0 {
		for _, id := range s.blamed {
			if !s.ana.named(id) {
				s.Errorf("the log does not name %s", id)
			}
		}
		named = fmt.Sprintf("%d of %d", len(s.blamed), len(s.blamed))
	}
	return fmt.Sprintf("%s\t%s\t%s\t+%d MB\t%v\t%v\t%d in %v at most\t%s",
		r.name, sent, outcome, grown>>20, w.slowest.Round(10*time.Millisecond), w.turned.Round(10*time.Millisecond), w.files, w.longest.Round(10*time.Millisecond), named)
}
