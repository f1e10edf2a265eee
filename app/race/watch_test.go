package race

import (
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// The two ends of a copy.
const (
	provider = iota
	receiver
)

// A sample is what one copy took.
type sample struct {
	wall time.Duration
	// cpu is that of all processes of both ends.
	cpu time.Duration
	// memory is the most that each end had resident, in bytes, over what its
	// processes had when the copy began.
	memory [2]int64
	// command is the part of memory of the processes that the copy started.
	command int64
	// before and after are the parts of wall before the receiver had read the
	// first bytes and after it had read the last; 0 where that is unknown.
	before, after time.Duration
}

// A watch measures one copy: what the processes of both ends use, those that
// run already and those that are started for it. All methods but run belong to
// one goroutine.
type watch struct {
	begun   time.Time
	running [2][]int         // process IDs
	atBegin time.Duration    // what those had computed before
	idle    [2]int64         // what those had resident before
	stopped chan struct{}    // tells the looker to end
	looked  sync.WaitGroup   // the looker
	mu      sync.Mutex       // of all below
	started [2][]int         // commands of run
	peaks   [2]map[int]int64 // resident bytes of each process
	reads   []reading        // of the first process of the receiver
	cpu     time.Duration    // of commands that have ended
}

// A reading is how much a process had read at a time.
type reading struct {
	at    time.Time
	bytes int64
}

// lookEvery is the time between two looks at the processes. The memory of those
// that outlive the copy is known exactly, for the kernel keeps the most.
const lookEvery = 10 * time.Millisecond

// start begins to measure; the clock starts.
func start(t *testing.T, providers, receivers []int) *watch {
	t.Helper()
	w := &watch{running: [2][]int{providers, receivers}, stopped: make(chan struct{})}
	for end, pids := range w.running {
		w.peaks[end] = make(map[int]int64)
		for _, pid := range pids {
			for _, member := range family(pid) {
				now, _, err := memoryOf(member)
				if err == nil {
					err = forgetPeak(member)
				}
				if err != nil {
					t.Fatalf("memory of a process: %v", err)
				}
				w.idle[end] += now
			}
		}
	}
	w.atBegin = w.computed(t)
	w.begun = time.Now()
	w.looked.Go(w.look)
	return w
}

// computed returns the processor time of the running processes of both ends.
func (w *watch) computed(t *testing.T) (sum time.Duration) {
	t.Helper()
	for _, pid := range slices.Concat(w.running[provider], w.running[receiver]) {
		for _, member := range family(pid) {
			cpu, err := cpuOf(member)
			if err != nil && member == pid {
				t.Fatalf("processor time of a process: %v", err)
			}
			sum += cpu
		}
	}
	return sum
}

// look notes peaks and readings until stop.
func (w *watch) look() {
	next := time.NewTicker(lookEvery)
	defer next.Stop()
	for {
		w.note()
		select {
		case <-next.C:
		case <-w.stopped:
			return
		}
	}
}

func (w *watch) note() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for end := range w.running {
		for _, pid := range slices.Concat(w.running[end], w.started[end]) {
			for _, member := range family(pid) {
				if _, peak, err := memoryOf(member); err == nil { // else it has ended
					w.peaks[end][member] = max(peak, w.peaks[end][member])
				}
			}
		}
	}
	if len(w.running[receiver]) > 0 {
		if n, err := readOf(w.running[receiver][0]); err == nil {
			w.reads = append(w.reads, reading{time.Now(), n})
		}
	}
}

// run runs a command that belongs to one end and returns what it printed. It
// may be called from several goroutines.
func (w *watch) run(end int, cmd *exec.Cmd) ([]byte, error) {
	var out, complaint strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &complaint
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	w.mu.Lock()
	w.started[end] = append(w.started[end], cmd.Process.Pid)
	w.mu.Unlock()
	err := cmd.Wait()
	if err != nil {
		err = fmt.Errorf("%s: %w: %s%s", strings.Join(cmd.Args, " "), err, out.String(), complaint.String())
	}
	w.mu.Lock()
	w.cpu += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	w.mu.Unlock()
	return []byte(out.String()), err
}

// stop stops the clock and returns what the copy took.
func (w *watch) stop(t *testing.T) sample {
	t.Helper()
	ended := time.Now()
	close(w.stopped)
	w.looked.Wait()
	w.note()
	s := sample{wall: ended.Sub(w.begun), cpu: w.cpu + w.computed(t) - w.atBegin}
	for end := range w.peaks {
		s.memory[end] = -w.idle[end]
		for pid, peak := range w.peaks[end] {
			s.memory[end] += peak
			if slices.Contains(w.started[end], pid) {
				s.command += peak
			}
		}
	}
	if first, last, ok := span(w.reads); ok {
		s.before, s.after = first.Sub(w.begun), ended.Sub(last)
	}
	return s
}

// span returns when the first and when the last of much data was read. What is
// read beside it, up to 64 KiB at each end, does not count.
func span(reads []reading) (first, last time.Time, ok bool) {
	const little = 64 << 10
	if len(reads) == 0 {
		return first, last, false
	}
	begin, end := reads[0].bytes, reads[len(reads)-1].bytes
	if end-begin < 4*little {
		return first, last, false
	}
	f := slices.IndexFunc(reads, func(r reading) bool { return r.bytes > begin+little })
	l := slices.IndexFunc(reads, func(r reading) bool { return r.bytes >= end-little })
	return reads[f].at, reads[l].at, true
}
