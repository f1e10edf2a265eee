package race

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// The tests of the measuring itself.

// TestMain lets this test be the programs that it starts, too.
func TestMain(m *testing.M) {
	var err error
	switch role := os.Getenv(roleVariable); role {
	case "":
		os.Exit(m.Run())
	case "worker":
		fmt.Println("ready")
		if _, err = bufio.NewReader(os.Stdin).ReadString('\n'); err == nil {
			work()
			fmt.Println("done")
			_, err = io.Copy(io.Discard, os.Stdin)
		}
	case "work":
		work()
	default:
		err = play(role, os.Args[1:])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func TestMedian(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		values []int
		want   int
	}{
		{nil, 0},
		{[]int{7}, 7},
		{[]int{9, 1}, 9},
		{[]int{9, 1, 5}, 5},
		{[]int{100, 3, 2, 1, 4}, 3},
	} {
		if got := median(tt.values); got != tt.want {
			t.Errorf("median of %v is %d, want %d", tt.values, got, tt.want)
		}
	}
}

func TestParseStat(t *testing.T) {
	t.Parallel()
	const rest = " S 1 7 7 0 -1 4194560 900 800 0 0 12 34 100 1000 20 0 1 0 55 1 2"
	for _, name := range []string{"cat", "a (b) c", ") 1 2 3"} {
		if got, err := parseStat([]byte("7 (" + name + ")" + rest)); err != nil || got != 11460*time.Millisecond {
			t.Errorf("program %q: %v %v, want 11.46s", name, got, err)
		}
	}
	for _, line := range []string{"", "7 (cat)", "7 (cat) S 1 7", "7 (cat) S 1 7 7 0 -1 4194560 900 800 0 0 12 x 100 1000 20", "7 cat" + rest} {
		if got, err := parseStat([]byte(line)); err == nil {
			t.Errorf("%q: %v, want an error", line, got)
		}
	}
}

func TestParseField(t *testing.T) {
	t.Parallel()
	const status = "Name:\tcat\nState:\tS (sleeping)\nVmHWM:\t    1024 kB\nVmRSS:\t     512 kB\nThreads:\t3\n"
	for _, tt := range []struct {
		text, name string
		want       int64
		fails      bool
	}{
		{status, "VmRSS", 512 << 10, false},
		{status, "VmHWM", 1 << 20, false},
		{status, "Threads", 3, false},
		{status, "Thread", 0, true},
		{status, "State", 0, true},
		{"Name:\tcat\nState:\tZ (zombie)\n", "VmRSS", 0, false},
		{"", "VmRSS", 0, true},
		{"rchar: 42\nwchar: 43\n", "rchar", 42, false},
	} {
		got, err := parseField([]byte(tt.text), tt.name)
		if got != tt.want || (err != nil) != tt.fails {
			t.Errorf("%s of %q: %d %v, want %d", tt.name, tt.text, got, err, tt.want)
		}
	}
}

func TestSpan(t *testing.T) {
	t.Parallel()
	begin := time.Now()
	at := func(ms int, bytes int64) reading {
		return reading{begin.Add(time.Duration(ms) * time.Millisecond), bytes}
	}
	for _, tt := range []struct {
		name        string
		reads       []reading
		first, last int
		ok          bool
	}{
		{"nothing", nil, 0, 0, false},
		{"a little", []reading{at(0, 500), at(10, 1500)}, 0, 0, false},
		{"at once", []reading{at(0, 0), at(10, gib)}, 10, 10, true},
		{"talk before and after", []reading{at(0, 500), at(10, 1500), at(20, mib), at(30, gib-100), at(40, gib)}, 20, 30, true},
	} {
		first, last, ok := span(tt.reads)
		if ok != tt.ok || ok && (first != at(tt.first, 0).at || last != at(tt.last, 0).at) {
			t.Errorf("%s: %v to %v, %v; want %d ms to %d ms", tt.name, first.Sub(begin), last.Sub(begin), ok, tt.first, tt.last)
		}
	}
}

func TestBar(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		bar     bar
		reached bool
		want    string
	}{
		{bar{what: "time", got: 1.2, want: 1.2, unit: " ×"}, true, "time: 1.20 ×, at most 1.20 × reached"},
		{bar{what: "time", got: 1.21, want: 1.2, stretch: 1}, false, "time: 1.21, at most 1.20 missed, stretch 1.00 missed"},
		{bar{what: "time", got: 1.1, want: 1.2, stretch: 1}, true, "time: 1.10, at most 1.20 reached, stretch 1.00 missed"},
		{bar{what: "rate", got: 0.9, want: 0.9, atLeast: true}, true, "rate: 0.90, at least 0.90 reached"},
		{bar{what: "rate", got: 0.89, want: 0.9, atLeast: true}, false, "rate: 0.89, at least 0.90 missed"},
		{bar{what: "memory", got: 123.4, want: 99.94}, false, "memory: 123, at most 99.9 missed"},
	} {
		if got := tt.bar.String(); got != tt.want || tt.bar.reached() != tt.reached {
			t.Errorf("%q, reached %v; want %q", got, tt.bar.reached(), tt.want)
		}
	}
}

func TestAlign(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	if err := align(&b, [][]string{{"", "s", "×"}, {"potluck", "1.00", ""}, {"b", "10.00", "1.5 ×"}}); err != nil {
		t.Fatal(err)
	}
	want := "" +
		"               s      ×\n" +
		"  potluck   1.00\n" +
		"  b        10.00  1.5 ×\n"
	if b.String() != want {
		t.Errorf("aligned:\n%s\nwant:\n%s", b.String(), want)
	}
}

func TestSame(t *testing.T) {
	t.Parallel()
	whole := bytes.Repeat([]byte("0123456789abcdef"), mib/16+10)
	changed := bytes.Clone(whole)
	changed[mib+3] ^= 1
	for name, tt := range map[string]struct {
		copied []byte
		same   bool
	}{
		"a copy":    {whole, true},
		"changed":   {changed, false},
		"too short": {whole[:len(whole)-1], false},
		"one piece": {whole[:mib], false},
		"too long":  {append(bytes.Clone(whole), 0), false},
		"empty":     {nil, false},
	} {
		source, target := t.TempDir(), t.TempDir()
		for _, f := range []struct {
			folder string
			bytes  []byte
		}{{source, whole}, {target, tt.copied}} {
			if err := os.MkdirAll(filepath.Join(f.folder, "it", "in"), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(f.folder, "it", "in", "x"), f.bytes, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := arrived(filepath.Join(source, "it"))(target); (err == nil) != tt.same {
			t.Errorf("%s: %v, want the same: %v", name, err, tt.same)
		}
		if err := arrived(filepath.Join(source, "it", "in", "x"))(target); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: %v, want no file at another place to do", name, err)
		}
	}
}

// What a process and a command use is what they were told to use.
func TestWatch(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("skipped: there is no /proc")
	}
	work := func(role string) *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), roleVariable+"="+role)
		return cmd
	}
	p := launch(t, work("worker"))
	p.expect(t.Context(), t, "ready")
	w := start(t, nil, []int{p.Process.Pid})
	p.tell(t, "go")
	p.expect(t.Context(), t, "done")
	_, err := w.run(provider, work("work"))
	s := w.stop(t)
	if err != nil {
		t.Fatal(err)
	}
	p.kill()
	// Both computed for workTime and held workMemory, and what the program itself
	// needs; the race detector more than doubles that.
	if s.cpu < 2*workTime-2*tick || s.cpu > 4*workTime {
		t.Errorf("both computed for %v, want a little over %v", s.cpu, 2*workTime)
	}
	if s.wall < 2*workTime {
		t.Errorf("it took %v, want at least %v", s.wall, 2*workTime)
	}
	for end, held := range s.memory {
		if held < workMemory || held > 4*workMemory {
			t.Errorf("end %d held %d bytes, want a little over %d", end, held, workMemory)
		}
	}
	if s.command != s.memory[provider] {
		t.Errorf("the command held %d bytes, want all of its end's %d", s.command, s.memory[provider])
	}
}

const (
	workTime   = 200 * time.Millisecond
	workMemory = 100 * mib
)

// work holds memory and computes for a time.
func work() {
	held := make([]byte, workMemory)
	// It is looked at each 10 ms, so it is to be held for longer than that.
	defer runtime.KeepAlive(held)
	defer time.Sleep(workTime)
	for begun, _ := cpuOf(os.Getpid()); ; {
		for i := 0; i < len(held); i += 4096 {
			held[i]++
		}
		if now, err := cpuOf(os.Getpid()); err != nil || now-begun >= workTime {
			return
		}
	}
}
