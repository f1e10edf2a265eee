package lab_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/lab"
)

// TestMain lets this binary be the program that runs on the hosts, too.
func TestMain(m *testing.M) {
	var err error
	switch {
	case os.Getenv("LAB_TEST_LISTEN") != "":
		err = listen(os.Getenv("LAB_TEST_LISTEN"))
	case os.Getenv("LAB_TEST_DIAL") != "":
		var c net.Conn
		if c, err = net.DialTimeout("tcp", os.Getenv("LAB_TEST_DIAL"), 5*time.Second); err == nil {
			err = c.Close()
		}
	case os.Getenv("LAB_TEST_SEND") != "":
		err = send(os.Getenv("LAB_TEST_SEND"))
	default:
		os.Exit(m.Run())
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

// sendSize is how many bytes send sends.
const sendSize = 4 << 20

// send dials, sends sendSize bytes, and returns when the other side has read
// them all and closed.
func send(address string) error {
	c, err := net.DialTimeout("tcp", address, 5*time.Second)
	if err != nil {
		return err
	}
	if _, err = c.Write(make([]byte, sendSize)); err == nil {
		err = c.(*net.TCPConn).CloseWrite()
	}
	if err == nil {
		_, err = io.Copy(io.Discard, c)
	}
	return errors.Join(err, c.Close())
}

func listen(address string) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	fmt.Println("listening")
	c, err := l.Accept()
	if err != nil {
		return err
	}
	host, _, err := net.SplitHostPort(c.RemoteAddr().String())
	fmt.Println(host)
	_, copyErr := io.Copy(io.Discard, c)
	return errors.Join(err, copyErr, c.Close(), l.Close())
}

func TestHostsReachEachOther(t *testing.T) {
	l := lab.New(t, "ana", "ben")
	ana, ben := l.Host("ana"), l.Host("ben")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()

	listen := ben.Command(ctx, os.Args[0])
	listen.Env = append(os.Environ(), "LAB_TEST_LISTEN=10.77.0.2:7000")
	heard, err := listen.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := listen.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(heard)
	if !lines.Scan() || lines.Text() != "listening" {
		t.Fatalf("the listener says %q (%v), want listening", lines.Text(), lines.Err())
	}
	dial := ana.Command(ctx, os.Args[0])
	dial.Env = append(os.Environ(), "LAB_TEST_DIAL=10.77.0.2:7000")
	if out, err := dial.CombinedOutput(); err != nil {
		t.Errorf("dialling ben from ana: %v: %s", err, out)
	}
	if !lines.Scan() || lines.Text() != "10.77.0.1" {
		t.Errorf("ben was reached by %q, want 10.77.0.1", lines.Text())
	}
	if err := listen.Wait(); err != nil {
		t.Errorf("the listener: %v", err)
	}
	if got := ana.IP("-4", "-brief", "address", "show", "dev", "eth0"); !strings.Contains(got, "10.77.0.1/24") {
		t.Errorf("ana's eth0: %q, want 10.77.0.1/24", got)
	}
	ben.AddAddress("eth0", "10.78.0.2/16")
	if got := ben.IP("-4", "-brief", "address", "show", "dev", "eth0"); !strings.Contains(got, "10.78.0.2/16") {
		t.Errorf("ben's eth0: %q, want 10.78.0.2/16", got)
	}
	ben.SetCable(false)
	carrier := func() bool { return !strings.Contains(ben.IP("link", "show", "dev", "eth0"), "NO-CARRIER") }
	soon(t, "ben has no carrier without its cable", func() bool { return !carrier() })
	ben.SetCable(true)
	soon(t, "ben has a carrier with its cable", carrier)
}

// soon waits for what the system does a moment later.
func soon(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it does not happen: " + what)
		}
	}
}

func TestCommandKeepsTheWorkingFolder(t *testing.T) {
	l := lab.Bare(t, "ana")
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	out, err := l.Host("ana").Command(t.Context(), "pwd", "-P").Output()
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.TrimSpace(string(out)); got != here {
		t.Errorf("pwd on a host: %q, want %q", got, here)
	}
}

// What crosses a cable takes as long as its rate says, in both directions, and
// is counted.
func TestRateOfACable(t *testing.T) {
	l := lab.New(t, "ana", "ben")
	ana, ben := l.Host("ana"), l.Host("ben")
	const rate = 8_000_000 // bits per second: sendSize takes 4.2 s, long even for a busy machine
	for _, tt := range []struct {
		name     string
		ana, ben int64
		limited  bool
	}{
		{"free", 0, 0, false},
		{"the sender's cable", rate, 0, true},
		{"the receiver's cable", 0, rate, true},
		{"free again", 0, 0, false},
	} {
		ana.SetRate(tt.ana)
		ben.SetRate(tt.ben)
		sent, received := ana.Sent(), ben.Received()
		took := sendBetween(t, ana, ben, "10.77.0.2:7000")
		// The first burst of 128 KiB is free.
		if least := time.Second * 8 * (sendSize - 128<<10) / rate; tt.limited && took < least {
			t.Errorf("%s: %v, want at least %v", tt.name, took, least)
		} else if !tt.limited && took > least {
			t.Errorf("%s: %v, want less than %v", tt.name, took, least)
		}
		if n := ana.Sent() - sent; n < sendSize || n > sendSize*5/4 {
			t.Errorf("%s: ana sent %d bytes, want a little over %d", tt.name, n, sendSize)
		}
		if n := ben.Received() - received; n < sendSize || n > sendSize*5/4 {
			t.Errorf("%s: ben received %d bytes, want a little over %d", tt.name, n, sendSize)
		}
	}
}

// sendBetween sends sendSize bytes from one host to an address of another and
// returns how long that took.
func sendBetween(t *testing.T, from, to *lab.Host, address string) time.Duration {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	listen := to.Command(ctx, os.Args[0])
	listen.Env = append(os.Environ(), "LAB_TEST_LISTEN="+address)
	heard, err := listen.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := listen.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(heard).ReadString('\n'); line != "listening\n" {
		t.Fatalf("the listener says %q (%v), want listening", line, err)
	}
	dial := from.Command(ctx, os.Args[0])
	dial.Env = append(os.Environ(), "LAB_TEST_SEND="+address)
	begin := time.Now()
	out, err := dial.CombinedOutput()
	took := time.Since(begin)
	if err != nil {
		t.Fatalf("sending: %v: %s", err, out)
	}
	if err := listen.Wait(); err != nil {
		t.Fatalf("the listener: %v", err)
	}
	return took
}
