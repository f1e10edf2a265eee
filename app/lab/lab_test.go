package lab_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
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
	default:
		os.Exit(m.Run())
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
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
	return errors.Join(err, c.Close(), l.Close())
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
	if got := ben.IP("link", "show", "dev", "eth0"); !strings.Contains(got, "NO-CARRIER") {
		t.Errorf("without its cable ben has %q, want NO-CARRIER", got)
	}
	ben.SetCable(true)
	if got := ben.IP("link", "show", "dev", "eth0"); strings.Contains(got, "NO-CARRIER") {
		t.Errorf("with its cable ben has %q", got)
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
