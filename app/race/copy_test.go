package race

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/potluck-share/potluck/app/lab"
)

// The barest copy there is: one program sends a file, another one writes it and
// flushes it. This test is both programs, see TestMain.
const (
	roleVariable = "POTLUCK_RACE_ROLE" // send, fetch, or what a test of the measuring needs
	overTLS      = "tls"
	overTCP      = "tcp"
)

// plainCopy copies a file over TCP or TLS, between hosts if there are any.
func plainCopy(how, source string, from, to place) entrant {
	return entrant{name: "bare " + how, copy: func(ctx context.Context, t *testing.T, folder string) sample {
		sender := from.command(ctx, os.Args[0], how, from.address("0"), source)
		sender.Env = append(os.Environ(), roleVariable+"=send")
		p := launch(t, sender)
		address, err := p.line(ctx)
		if err != nil {
			t.Fatal(err)
		}
		w := start(t, []int{p.Process.Pid}, nil)
		fetcher := to.command(ctx, os.Args[0], how, address, filepath.Join(folder, filepath.Base(source)))
		fetcher.Env = append(os.Environ(), roleVariable+"=fetch")
		_, err = w.run(receiver, fetcher)
		s := w.stop(t)
		if err != nil {
			t.Fatal(err)
		}
		p.kill()
		return s
	}}
}

// A place is where a program runs: a host of a lab, or this machine.
type place struct {
	host *lab.Host // nil for this machine
	ip   string
}

// here is this machine's loopback.
var here = place{ip: "127.0.0.1"}

func (p place) address(port string) string { return net.JoinHostPort(p.ip, port) }

func (p place) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	if p.host != nil {
		return p.host.Command(ctx, name, args...)
	}
	return exec.CommandContext(ctx, name, args...)
}

// play is the program of a role.
func play(role string, args []string) error {
	if len(args) != 3 {
		return fmt.Errorf("usage: tcp|tls ADDRESS FILE, got %q", args)
	}
	if role == "send" {
		return send(args[0], args[1], args[2])
	}
	return fetch(args[0], args[1], args[2])
}

// send prints its address, then sends a file to each that comes.
func send(how, address, file string) error {
	l, err := net.Listen("tcp", address)
	if err == nil && how == overTLS {
		l, err = encrypted(l)
	}
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		f, err := os.Open(file)
		if err != nil {
			return err
		}
		err = pump(c, f)
		if err := errors.Join(err, c.Close(), f.Close()); err != nil {
			return err
		}
	}
}

func fetch(how, address, file string) error {
	c, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	if how == overTLS {
		c = tls.Client(c, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS13})
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	err = pump(f, c)
	return errors.Join(err, f.Sync(), f.Close(), c.Close())
}

// pump copies in large steps, or lets the kernel do it where that is possible.
func pump(to io.Writer, from io.Reader) error {
	_, a := to.(*net.TCPConn)
	_, b := from.(*net.TCPConn)
	if a || b {
		_, err := io.Copy(to, from)
		return err
	}
	buffer := make([]byte, 1<<20)
	for {
		n, err := io.ReadFull(from, buffer)
		if _, failed := to.Write(buffer[:n]); failed != nil {
			return failed
		}
		if ended(err) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// encrypted is a listener that speaks TLS with a key made now.
func encrypted(l net.Listener) (net.Listener, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	own := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, own, own, key.Public(), key)
	if err != nil {
		return nil, err
	}
	return tls.NewListener(l, &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
		MinVersion:   tls.VersionTLS13,
	}), nil
}
