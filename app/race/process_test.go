package race

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

// A process is a program that runs beside the test and says line by line what
// it does.
type process struct {
	*exec.Cmd
	in   *os.File
	out  chan string
	said *words
}

// launch starts a program, which ends with the test at the latest.
func launch(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{Cmd: cmd, out: make(chan string, 16), said: new(words)}
	cmd.Stderr = p.said
	inRead, inWrite, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdin, p.in = inRead, inWrite
	cmd.Stdout = lineWriter{out: p.out, part: new([]byte)}
	if err := cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", cmd.Path, err)
	}
	_ = inRead.Close() // it is the program's now
	t.Cleanup(func() { p.kill() })
	return p
}

// lineWriter hands on complete lines; those that nobody takes are dropped.
type lineWriter struct {
	out  chan<- string
	part *[]byte
}

func (w lineWriter) Write(b []byte) (int, error) {
	*w.part = append(*w.part, b...)
	for {
		line, rest, ok := strings.Cut(string(*w.part), "\n")
		if !ok {
			return len(b), nil
		}
		*w.part = []byte(rest)
		select {
		case w.out <- line:
		default:
		}
	}
}

// line waits for the next line that the program prints.
func (p *process) line(ctx context.Context) (string, error) {
	select {
	case line := <-p.out:
		return line, nil
	case <-ctx.Done():
		return "", fmt.Errorf("%s: no answer: %w: %s", p.Path, ctx.Err(), p.said)
	}
}

// expect waits for a line and fails the test if it is another one.
func (p *process) expect(ctx context.Context, t *testing.T, want string) {
	t.Helper()
	if line, err := p.line(ctx); err != nil || line != want {
		t.Fatalf("%s says %q (%v), want %q: %s", p.Path, line, err, want, p.said)
	}
}

// tell writes a line to the program.
func (p *process) tell(t *testing.T, line string) {
	t.Helper()
	if _, err := p.in.WriteString(line + "\n"); err != nil {
		t.Fatalf("%s: %v", p.Path, err)
	}
}

// kill ends the program at once and waits for it.
func (p *process) kill() {
	if p.ProcessState != nil {
		return
	}
	_ = p.Process.Kill() // it may have ended by itself
	_ = p.Wait()
	_ = p.in.Close()
}

// words is what a program writes to standard error, to be read at any time.
type words struct {
	mu   sync.Mutex
	text strings.Builder
}

func (w *words) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(b)
}

func (w *words) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}
