package desktop_test

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
	"github.com/godbus/dbus/v5/prop"

	"github.com/potluck-share/potluck/ui/desktop"
)

// startBus starts a bus that ends with the test, and returns its address.
func startBus(t *testing.T) string {
	t.Helper()
	if _, err := exec.LookPath("dbus-daemon"); err != nil {
		if os.Getenv("POTLUCK_STRICT") == "1" {
			t.Fatal(err)
		}
		t.Skipf("skipped: no bus to ask on: %v", err)
	}
	// The path of a socket may have about a hundred bytes.
	dir, err := os.MkdirTemp("", "potluck")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	cmd := exec.Command("dbus-daemon", "--session", "--nofork", "--nopidfile", "--print-address=1", "--address=unix:dir="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait() // it ends by the signal
	})
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(address)
}

// serve offers a service on a bus until the connection is closed.
func serve(t *testing.T, address, name, path, as string, object any) *dbus.Conn {
	t.Helper()
	bus, err := dbus.Connect(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = bus.Close() })
	if err := bus.Export(object, dbus.ObjectPath(path), as); err != nil {
		t.Fatal(err)
	}
	own(t, bus, name)
	return bus
}

func own(t *testing.T, bus *dbus.Conn, name string) {
	t.Helper()
	if reply, err := bus.RequestName(name, dbus.NameFlagDoNotQueue); err != nil || reply != dbus.RequestNameReplyPrimaryOwner {
		t.Fatalf("own %s: %v, %v", name, reply, err)
	}
}

// eventually waits until something is so.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not so after ten seconds: %s", what)
		}
	}
}

// request is what a service was asked for.
type request struct {
	sender dbus.Sender
	what   string
	reason string
	flags  uint32
}

type session struct{ asked chan request }

func (s session) Inhibit(program string, _ uint32, reason string, flags uint32, sender dbus.Sender) (uint32, *dbus.Error) {
	s.asked <- request{sender, program, reason, flags}
	return 7, nil
}

type power struct{ asked chan request }

func (p power) Inhibit(program, reason string, sender dbus.Sender) (uint32, *dbus.Error) {
	p.asked <- request{sender, program, reason, 0}
	return 7, nil
}

// login gives out the writing end of a pipe, as the real one does.
type login struct {
	asked chan request
	lock  *os.File
}

func (l login) Inhibit(what, _, why, mode string, sender dbus.Sender) (dbus.UnixFD, *dbus.Error) {
	l.asked <- request{sender, what + " " + mode, why, 0}
	return dbus.UnixFD(l.lock.Fd()), nil
}

func TestAwakeAsksTheDesktop(t *testing.T) {
	asked := make(chan request, 10)
	next := func() request {
		t.Helper()
		select {
		case r := <-asked:
			return r
		case <-time.After(10 * time.Second):
			t.Fatal("the desktop was not asked")
			return request{}
		}
	}
	const id = "io.github.potluck-share.potluck"
	var awake desktop.Awake
	defer awake.Close()

	// Each service comes beside those before it, and is preferred to them.
	address, system := startBus(t), startBus(t)
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", address)
	t.Setenv("DBUS_SYSTEM_BUS_ADDRESS", system)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	manager := serve(t, system, "org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager", login{asked, w})
	awake.Hold("Sending files")
	got := next()
	if got.what != "idle block" || got.reason != "Sending files" {
		t.Errorf("the login manager was asked for %+v", got)
	}
	ended := make(chan error, 1)
	go func() {
		_, err := r.Read(make([]byte, 1))
		ended <- err
	}()
	eventually(t, "the answer has arrived", func() bool { return !hasOwner(t, manager, got.sender) })
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-ended:
		t.Error("nothing is held")
	case <-time.After(100 * time.Millisecond):
	}
	awake.Release()
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Error("the lock of the login manager is still held")
	}

	for _, service := range []struct {
		name, path, as string
		object         any
		flags          uint32
	}{
		{"org.freedesktop.PowerManagement", "/org/freedesktop/PowerManagement/Inhibit", "org.freedesktop.PowerManagement.Inhibit", power{asked}, 0},
		{"org.gnome.SessionManager", "/org/gnome/SessionManager", "org.gnome.SessionManager", session{asked}, 4},
	} {
		bus := serve(t, address, service.name, service.path, service.as, service.object)
		awake.Hold("Receiving files")
		got := next()
		awake.Hold("Sending files") // no second request
		if want := (request{got.sender, id, "Receiving files", service.flags}); got != want {
			t.Errorf("%s was asked for %+v, want %+v", service.name, got, want)
		}
		if !hasOwner(t, bus, got.sender) {
			t.Errorf("%s: whoever asked has left", service.name)
		}
		awake.Release()
		eventually(t, "what was asked is forgotten", func() bool { return !hasOwner(t, bus, got.sender) })
	}
	awake.Close()
	if len(asked) > 0 {
		t.Errorf("asked once more for %+v", <-asked)
	}
}

func hasOwner(t *testing.T, bus *dbus.Conn, name dbus.Sender) (has bool) {
	t.Helper()
	if err := bus.BusObject().Call("org.freedesktop.DBus.NameHasOwner", 0, string(name)).Store(&has); err != nil {
		t.Fatal(err)
	}
	return has
}

func TestAwakeWithoutABus(t *testing.T) {
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "")
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	t.Setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path="+t.TempDir()+"/none")
	var awake desktop.Awake
	awake.Hold("Sending files")
	awake.Close()
	awake.Hold("Sending files")
	awake.Close()
	if desktop.HasTray(t.Context(), 10*time.Second) {
		t.Error("a tray without a bus")
	}
}

func TestWatchTray(t *testing.T) {
	const watcher = "org.kde.StatusNotifierWatcher"
	address := startBus(t)
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", address)
	if desktop.HasTray(t.Context(), 10*time.Second) {
		t.Error("a tray on a bare bus")
	}
	if desktop.AwaitTray(t.Context(), 50*time.Millisecond) {
		t.Error("a tray on a bare bus after a while")
	}
	told := make(chan bool, 100)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		desktop.WatchTray(ctx, func(there bool) { told <- there })
	}()
	expect := func(want bool, when string) {
		t.Helper()
		select {
		case got := <-told:
			if got != want {
				t.Errorf("%s: told %v", when, got)
			}
		case <-time.After(10 * time.Second):
			t.Errorf("%s: nothing told", when)
		}
	}
	expect(false, "at first")
	awaited := make(chan bool, 1)
	go func() { awaited <- desktop.AwaitTray(ctx, time.Minute) }()

	bus, err := dbus.Connect(address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = bus.Close() }()
	shown, err := prop.Export(bus, "/StatusNotifierWatcher", prop.Map{watcher: {
		"IsStatusNotifierHostRegistered": {Value: true, Emit: prop.EmitTrue},
	}})
	if err != nil {
		t.Fatal(err)
	}
	own(t, bus, watcher)
	expect(true, "when the watcher has come")
	if !<-awaited {
		t.Error("the tray that was waited for came in vain")
	}
	if !desktop.HasTray(t.Context(), 10*time.Second) {
		t.Error("no tray beside a watcher with a host")
	}
	for _, change := range []struct {
		to     bool
		signal string
	}{{false, "StatusNotifierHostUnregistered"}, {true, "StatusNotifierHostRegistered"}} {
		shown.SetMust(watcher, "IsStatusNotifierHostRegistered", change.to)
		if err := bus.Emit("/StatusNotifierWatcher", watcher+"."+change.signal); err != nil {
			t.Fatal(err)
		}
		expect(change.to, change.signal)
	}
	if _, err := bus.ReleaseName(watcher); err != nil {
		t.Fatal(err)
	}
	expect(false, "when the watcher has left")
	cancel()
	<-done
	if len(told) > 0 {
		t.Errorf("told once more: %v", <-told)
	}
}
