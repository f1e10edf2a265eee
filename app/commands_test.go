package app_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/potluck-share/potluck/app"
	"github.com/potluck-share/potluck/app/domain"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"potluck": func() { os.Exit(app.Main(os.Args[1:])) },
	})
}

// TestCommands runs the scripts in testdata/script: every command, its wrong
// usage and its exit codes, with real processes that talk over loopback.
func TestCommands(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("HOME", env.WorkDir)
			runtime := filepath.Join(env.WorkDir, ".runtime")
			env.Setenv("XDG_RUNTIME_DIR", runtime)
			return os.Mkdir(runtime, 0o700)
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"start":      cmdStart,
			"halt":       cmdHalt,
			"meet":       cmdMeet,
			"code":       cmdCode,
			"accept":     cmdAccept,
			"secret":     cmdSecret,
			"interrupt":  cmdInterrupt,
			"random":     cmdRandom,
			"eventually": cmdEventually,
			"socket":     cmdSocket,
			"same":       cmdSame,
			"contentid":  cmdContentID,
			"peerid":     cmdPeerID,
			"transferid": cmdTransferID,
			"stands":     cmdStands,
		},
	})
}

// potluck makes the command line of the Potluck called name.
func potluck(ts *testscript.TestScript, name string, args ...string) *exec.Cmd {
	path, err := exec.LookPath("potluck")
	ts.Check(err)
	all := append([]string{"--data", ts.MkAbs(name)}, args...)
	// No script takes nearly as long: what hangs is to fail by itself.
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	ts.Defer(cancel)
	cmd := exec.CommandContext(ctx, path, all...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = append(os.Environ(),
		"HOME="+ts.Getenv("HOME"), "XDG_RUNTIME_DIR="+ts.Getenv("XDG_RUNTIME_DIR"), "PATH="+ts.Getenv("PATH"))
	return cmd
}

// cmdStart starts a Potluck: start NAME [FLAG...]. It listens on loopback and
// keeps everything in the folder NAME, and
// its log in NAME.log.
func cmdStart(ts *testscript.TestScript, _ bool, args []string) {
	name := args[0]
	port := ts.Getenv("PORT_" + name)
	if port == "" { // the same at each start, so that others find it again
		l, err := net.Listen("tcp", "127.0.0.1:0")
		ts.Check(err)
		_, port, err = net.SplitHostPort(l.Addr().String())
		ts.Check(err)
		ts.Check(l.Close())
		ts.Setenv("PORT_"+name, port)
	}
	flags := append([]string{
		"--name", name, "--listen", "/ip4/127.0.0.1/tcp/" + port, "--downloads", ts.MkAbs(name + ".downloads"),
	}, args[1:]...)
	if len(args) == 1 {
		flags = append(flags, "--nearby", "127.0.0.0/8")
	}
	cmd := potluck(ts, name, append(flags, "serve")...)
	out, err := cmd.StdoutPipe()
	ts.Check(err)
	var problems bytes.Buffer
	log, err := os.Create(ts.MkAbs(name + ".log"))
	ts.Check(err)
	ts.Defer(func() { _ = log.Close() }) // only looked at
	cmd.Stderr = io.MultiWriter(&problems, log)
	ts.Check(cmd.Start())
	gone := make(chan struct{})
	ts.Defer(func() {
		_ = cmd.Process.Kill() // it may have ended by itself
		<-gone
	})
	ready := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(out).ReadString('\n')
		ready <- line
		_ = cmd.Wait() // its code matters only to the scripts that end it
		close(gone)
	}()
	select {
	case line := <-ready:
		if !strings.HasPrefix(line, "Potluck is ready") {
			ts.Fatalf("%s did not start: %q %s", name, line, problems.String())
		}
	case <-time.After(20 * time.Second):
		ts.Fatalf("%s did not become ready", name)
	}
}

// cmdHalt ends a Potluck: halt NAME.
func cmdHalt(ts *testscript.TestScript, _ bool, args []string) {
	out, err := potluck(ts, args[0], "stop").CombinedOutput()
	if err != nil {
		ts.Fatalf("stop: %v\n%s", err, out)
	}
}

type status struct {
	PeerID    string   `json:"peer_id"`
	Addresses []string `json:"addresses"`
}

func statusOf(ts *testscript.TestScript, name string) (s status) {
	out, err := potluck(ts, name, "--json", "status").Output()
	ts.Check(err)
	ts.Check(json.Unmarshal(out, &s))
	return s
}

// cmdMeet lets a Potluck connect to another: meet NAME OTHER.
func cmdMeet(ts *testscript.TestScript, _ bool, args []string) {
	out, err := potluck(ts, args[0], "connect", statusOf(ts, args[1]).Addresses[0]).CombinedOutput()
	ts.Logf("%s", out)
	ts.Check(err)
}

// cmdPeerID puts a peer ID into an environment variable: peerid VAR NAME.
func cmdPeerID(ts *testscript.TestScript, _ bool, args []string) {
	ts.Setenv(args[0], statusOf(ts, args[1]).PeerID)
}

// cmdAccept accepts the invitation in the first line of a file, by standard
// input, and checks the exit code as code does: accept N NAME FILE.
func cmdAccept(ts *testscript.TestScript, _ bool, args []string) {
	link, err := os.Open(ts.MkAbs(args[2]))
	ts.Check(err)
	defer func() { _ = link.Close() }() // only read from
	cmd := potluck(ts, args[1], "connect", "-")
	cmd.Stdin = link
	checkCode(ts, cmd, args[0])
}

// cmdSecret puts the token of the invitation in the first line of a file into an
// environment variable: secret VAR FILE.
func cmdSecret(ts *testscript.TestScript, _ bool, args []string) {
	line, _, _ := strings.Cut(ts.ReadFile(args[1]), "\n")
	link, err := domain.ParseLink(line)
	ts.Check(err)
	ts.Setenv(args[0], link.Token)
}

// cmdCode runs potluck and checks its exit code: code N NAME ARG... The
// output can be matched afterwards with grep on the files out and err.
func cmdCode(ts *testscript.TestScript, _ bool, args []string) {
	checkCode(ts, potluck(ts, args[1], args[2:]...), args[0])
}

// checkCode runs a command and checks its exit code.
func checkCode(ts *testscript.TestScript, cmd *exec.Cmd, code string) {
	want, err := strconv.Atoi(code)
	ts.Check(err)
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	err = cmd.Run()
	if cmd.ProcessState == nil {
		ts.Check(err)
	}
	ts.Check(os.WriteFile(ts.MkAbs("out"), out.Bytes(), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs("err"), problems.Bytes(), 0o600))
	ts.Logf("[out]\n%s[err]\n%s", out.String(), problems.String())
	if got := cmd.ProcessState.ExitCode(); got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
	if want == 0 && problems.Len() > 0 && !strings.Contains(problems.String(), "\r") {
		ts.Fatalf("a command that succeeded complained: %s", problems.String())
	}
}

// cmdInterrupt runs potluck, interrupts it after its first line, and checks
// the exit code: interrupt N NAME ARG...
func cmdInterrupt(ts *testscript.TestScript, _ bool, args []string) {
	cmd := potluck(ts, args[1], args[2:]...)
	out, err := cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	_, err = bufio.NewReader(out).ReadString('\n')
	ts.Check(err)
	ts.Check(cmd.Process.Signal(syscall.SIGINT))
	_ = cmd.Wait() // the code is looked at
	if got := strconv.Itoa(cmd.ProcessState.ExitCode()); got != args[0] {
		ts.Fatalf("exit code %s, want %s", got, args[0])
	}
}

// cmdEventually repeats a command until its output holds a text, or with ! until
// it does not: eventually TEXT NAME ARG...
func cmdEventually(ts *testscript.TestScript, without bool, args []string) {
	var out []byte
	for until := time.Now().Add(15 * time.Second); time.Now().Before(until); time.Sleep(50 * time.Millisecond) {
		var err error // failing is part of waiting
		out, err = potluck(ts, args[1], args[2:]...).CombinedOutput()
		if strings.Contains(string(out), args[0]) != without && (err == nil || !without) {
			return
		}
	}
	ts.Fatalf("waited in vain for %q (for its end: %v); the last was:\n%s", args[0], without, out)
}

// cmdRandom makes a file of so many bytes that repeat nowhere: random FILE N.
func cmdRandom(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), noise(args[0], n), 0o600))
}

// cmdSocket makes a Unix socket: socket FILE.
func cmdSocket(ts *testscript.TestScript, _ bool, args []string) {
	l, err := net.Listen("unix", ts.MkAbs(args[0]))
	ts.Check(err)
	ts.Defer(func() { _ = l.Close() })
}

// cmdSame compares two files or folders, names and bytes: same A B.
func cmdSame(ts *testscript.TestScript, _ bool, args []string) {
	a, err := digestTree(ts.MkAbs(args[0]))
	ts.Check(err)
	b, err := digestTree(ts.MkAbs(args[1]))
	ts.Check(err)
	if a != b {
		ts.Fatalf("%s and %s differ:\n%s\n---\n%s", args[0], args[1], a, b)
	}
}

// cmdContentID puts the content ID of a shared path into an environment
// variable: contentid VAR NAME PEER FOLDER FILE.
func cmdContentID(ts *testscript.TestScript, _ bool, args []string) {
	out, err := potluck(ts, args[1], "--json", "browse", args[2], args[3]).Output()
	ts.Check(err)
	for line := range strings.Lines(string(out)) {
		var row struct {
			Path      string `json:"path"`
			ContentID string `json:"content_id"`
		}
		ts.Check(json.Unmarshal([]byte(line), &row))
		if filepath.Base(row.Path) == args[4] {
			ts.Setenv(args[0], row.ContentID)
			return
		}
	}
	ts.Fatalf("no %s in:\n%s", args[4], out)
}

// cmdTransferID puts the ID of a download into an environment variable:
// transferid VAR NAME PATH.
func cmdTransferID(ts *testscript.TestScript, _ bool, args []string) {
	out, err := potluck(ts, args[1], "--json", "transfers").Output()
	ts.Check(err)
	var all []transferRow
	ts.Check(json.Unmarshal(out, &all))
	for _, one := range all {
		if one.Path == args[2] {
			ts.Setenv(args[0], one.ID)
			return
		}
	}
	ts.Fatalf("no %s in:\n%s", args[2], out)
}

type transferRow struct {
	ID, Path, State string
	Queue           int
}

// cmdStands waits until downloads are in these states, or at these places in
// the queue: stands NAME PATH=STATE... [PATH=PLACE...].
func cmdStands(ts *testscript.TestScript, _ bool, args []string) {
	var out []byte
	for until := time.Now().Add(15 * time.Second); time.Now().Before(until); time.Sleep(50 * time.Millisecond) {
		out, _ = potluck(ts, args[0], "--json", "transfers").Output() // failing is part of waiting
		var all []transferRow
		_ = json.Unmarshal(out, &all)
		now := make(map[string]bool)
		for _, one := range all {
			now[one.Path+"="+one.State] = true
			now[fmt.Sprint(one.Path, "=", one.Queue)] = true
		}
		if !slices.ContainsFunc(args[1:], func(want string) bool { return !now[want] }) {
			return
		}
	}
	ts.Fatalf("never was it so: %q; the last was:\n%s", args[1:], out)
}

// TestScriptsNameEveryCommand keeps a new command from going untested.
func TestScriptsNameEveryCommand(t *testing.T) {
	scripts, err := filepath.Glob("testdata/script/*.txt")
	if err != nil || len(scripts) == 0 {
		t.Fatal("no scripts", err)
	}
	var all strings.Builder
	for _, path := range scripts {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	for _, name := range []string{
		"serve", "status", "stop", "share", "unshare", "shares", "peers", "connect", "hide", "show", "browse", "search", "get",
		"transfers", "pause", "resume", "cancel", "first", "later", "choose", "limit", "friend add", "friend remove", "friend list", "friend waiting", "friend rename", "friend accept",
		"block", "unblock", "send", "invite", "doctor",
	} {
		if !strings.Contains(all.String(), " "+name) {
			t.Error("no script runs", name)
		}
	}
}
