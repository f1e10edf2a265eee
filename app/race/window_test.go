package race

import (
	"bytes"
	"cmp"
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/desktop"
)

var (
	window = flag.Bool("window", false, "measure the window")
	look   = flag.Duration("look", 30*time.Second, "how long to look at what the window computes")
)

// starts is how often the program is started to see how long that takes.
const starts = 5

// TestWindow measures the window on a screen of its own, where the processor
// draws: on a computer with a graphics card all but the lists' own work is less.
// The program that POTLUCK_PREVIEW names is ui's preview, which shows made-up
// data; the one of POTLUCK_BIN is Potluck as users have it.
func TestWindow(t *testing.T) {
	if !*window {
		t.Skip("skipped: it takes minutes; make bench-window runs it")
	}
	bin, preview := os.Getenv("POTLUCK_BIN"), os.Getenv("POTLUCK_PREVIEW")
	if bin == "" || preview == "" {
		t.Fatal("POTLUCK_BIN and POTLUCK_PREVIEW are to name the programs; make bench-window does that")
	}
	screen := desktop.Start(t, 1120, 780)
	t.Run("lists", func(t *testing.T) { (&seat{screen, t}).lists(preview) })
	t.Run("rest", func(t *testing.T) { (&seat{screen, t}).rest(preview) })
	t.Run("program", func(t *testing.T) { (&seat{screen, t}).program(bin) })
}

// seat is a screen with the program before it.
type seat struct {
	*desktop.Screen
	t *testing.T
}

// command returns a command that will run on the screen, in the light theme.
func (s *seat) command(bin string, args []string, env ...string) *exec.Cmd {
	cmd := s.Command(context.WithoutCancel(s.t.Context()), bin, args...)
	cmd.Env = append(cmd.Env, append(env, "FYNE_THEME=light")...)
	return cmd
}

// busiest finds how long a step kept the window busy at a time.
var busiest = regexp.MustCompile(`busy at most +([\d.]+) ms`)

// framesScrolled is how many frames the preview makes when it says that it
// scrolled a list.
const framesScrolled = 300

// lists lets the preview go through lists of 100,000 rows, and prints what it
// says.
func (s *seat) lists(preview string) {
	ctx, cancel := context.WithTimeout(s.t.Context(), 4*time.Minute)
	defer cancel()
	fmt.Println("\nLists of 100,000 rows: until a step is to be seen, and how long it kept the window from all else")
	p := launch(s.t, s.command(preview, nil, "PREVIEW=measure"))
	most := 0.0
	var ran time.Duration
	for {
		line, err := p.line(ctx)
		if err != nil {
			s.t.Fatal(err)
		}
		if line == "done" {
			break
		}
		if strings.HasPrefix(line, "memory") {
			line += ", " + memoryIn(p.Process.Pid).String()
		}
		before := ran
		if ran = s.ran(p); strings.HasPrefix(line, "scrolled") {
			line += fmt.Sprintf(", %s ms of processor time in all threads", ms((ran-before)/framesScrolled))
		}
		fmt.Println("  " + line)
		if found := busiest.FindStringSubmatch(line); found != nil {
			ms, err := strconv.ParseFloat(found[1], 64)
			if err != nil {
				s.t.Fatal(err)
			}
			most = max(most, ms)
		}
	}
	judge(s.t, bar{what: "the window is busy at a time", got: most, want: 100, unit: " ms"})
	p.kill()
}

// rest compares what the window computes while nothing happens and while 50
// downloads change ten times a second.
func (s *seat) rest(preview string) {
	fmt.Printf("\nProcessor time of the window over %v, in percent of one core\n", *look)
	still := s.load(s.command(preview, nil, "PREVIEW=still"))
	fmt.Printf("  nothing happens: %s %%\n", number(still))
	busy := s.load(s.command(preview, nil, "PREVIEW=busy"))
	fmt.Printf("  50 downloads change ten times a second: %s %%, %s %% more\n", number(busy), number(busy-still))
}

// load starts a program and returns the percentage of a core that it takes once
// its window has been there for a while.
func (s *seat) load(cmd *exec.Cmd) float64 {
	p := launch(s.t, cmd)
	defer p.kill()
	s.first(p)
	time.Sleep(5 * time.Second)
	return s.computes(p)
}

// computes returns the percentage of a core that a process takes.
func (s *seat) computes(p *process) float64 {
	before, began := s.ran(p), time.Now()
	time.Sleep(*look)
	return 100 * (s.ran(p) - before).Seconds() / time.Since(began).Seconds()
}

// ran returns how long all threads of a process have run.
func (s *seat) ran(p *process) (all time.Duration) {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", p.Process.Pid))
	if err != nil || len(threads) == 0 {
		s.t.Fatalf("no threads of %s: %v: %s", p.Path, err, p.said)
	}
	for _, name := range threads {
		b, err := os.ReadFile(name)
		if err != nil {
			continue // the thread has ended
		}
		field, _, _ := bytes.Cut(b, []byte(" "))
		ns, err := strconv.ParseInt(string(field), 10, 64)
		if err != nil {
			s.t.Fatalf("%s: %v", name, err)
		}
		all += time.Duration(ns)
	}
	return all
}

// first waits for the first frame of a program's window.
func (s *seat) first(p *process) {
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	w, err := s.FindWindow(ctx, desktop.Match{PID: p.Process.Pid})
	for err == nil {
		// The sidebar's colour, which nothing has but what the window paints.
		picture, lookErr := s.Look(w)
		if lookErr == nil && picture.RGBAAt(4, picture.Bounds().Dy()/2).G == 0xEE {
			return
		}
		err = cmp.Or(lookErr, ctx.Err())
	}
	s.t.Fatalf("%s shows no window: %v: %s", p.Path, err, p.said)
}

// program starts Potluck on a data folder that is there, and looks at it at
// rest.
func (s *seat) program(bin string) {
	data := s.t.TempDir()
	if err := os.WriteFile(filepath.Join(data, "settings.toml"), []byte("introduced = true\nkeep_running = false\n"), 0o600); err != nil {
		s.t.Fatal(err)
	}
	port := here.port(s.t)
	args := []string{"--data", data, "--downloads", filepath.Join(data, "downloads"), "--name", "Mira", "--listen", "/ip4/127.0.0.1/tcp/" + port}
	var frames, nodes []time.Duration
	for i := range starts + 1 {
		began := time.Now()
		p := launch(s.t, s.command(bin, args))
		listens := make(chan error, 1)
		var node time.Duration
		go func() {
			err := reachable(here.address(port))
			node = time.Since(began)
			listens <- err
		}()
		s.first(p)
		frame := time.Since(began)
		if err := <-listens; err != nil {
			s.t.Fatalf("%v: %s", err, p.said)
		}
		if i > 0 { // the first makes what is in the folder
			frames, nodes = append(frames, frame), append(nodes, node)
		}
		if i == starts {
			fmt.Printf("\nPotluck on a data folder of its own, medians of %d starts\n", starts)
			fmt.Printf("  the first frame is on screen after %s ms, from %s to %s\n", ms(median(frames)), ms(slices.Min(frames)), ms(slices.Max(frames)))
			fmt.Printf("  it can be reached after %s ms, from %s to %s\n", ms(median(nodes)), ms(slices.Min(nodes)), ms(slices.Max(nodes)))
			time.Sleep(10 * time.Second)
			fmt.Printf("  at rest it takes %s %% of a core over %v, and %s\n", number(s.computes(p)), *look, memoryIn(p.Process.Pid))
		}
		s.end(p)
	}
}

// end has a program end by itself.
func (s *seat) end(p *process) {
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		s.t.Fatal(err)
	}
	if err := p.Wait(); err != nil {
		s.t.Fatalf("%s ended with %v: %s", p.Path, err, p.said)
	}
}

func ms(d time.Duration) string { return number(float64(d.Microseconds()) / 1000) }

// reachable waits until somebody listens at an address.
func reachable(address string) error {
	for began := time.Now(); ; time.Sleep(2 * time.Millisecond) {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			return conn.Close()
		}
		if time.Since(began) > time.Minute {
			return err
		}
	}
}

// memory is what a process holds, in bytes.
type memory struct {
	private  int64 // pages that it has written and nobody else has
	resident int64 // all pages but those of the software that draws in place of a graphics card
}

func (m memory) String() string {
	return fmt.Sprintf("%s MB private dirty, %s MB resident less libLLVM and swrast", number(float64(m.private)/1e6), number(float64(m.resident)/1e6))
}

// memoryIn looks at the mappings of a process; one that has ended has none.
func memoryIn(pid int) (m memory) {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/smaps", pid))
	drawing := false
	for line := range strings.Lines(string(b)) {
		name, value, _ := strings.Cut(line, ":")
		if strings.Contains(name, "-") { // a mapping begins
			drawing = strings.Contains(line, "libLLVM") || strings.Contains(line, "swrast")
			continue
		}
		kb, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
		switch {
		case err != nil:
		case name == "Private_Dirty":
			m.private += kb << 10
		case name == "Rss" && !drawing:
			m.resident += kb << 10
		}
	}
	return m
}
