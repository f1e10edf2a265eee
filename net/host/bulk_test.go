package host

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/sec"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"

	"github.com/potluck-share/potluck/app/domain"
)

const bulkProto = "/test/bulk/1"

// echoBulk sends back what comes.
func echoBulk(_ context.Context, b *Bulk) { _, _ = io.Copy(b, b) } // until the other side ends it

func openBulk(t *testing.T, from, to *Host) *Bulk {
	t.Helper()
	b, err := from.OpenBulk(t.Context(), to.ID(), bulkProto)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Reset() })
	return b
}

// tellBulk sends a text and awaits the echo.
func tellBulk(b *Bulk, text string) error {
	if _, err := io.WriteString(b, text); err != nil {
		return err
	}
	got := make([]byte, len(text))
	if _, err := io.ReadFull(b, got); err != nil {
		return err
	}
	if string(got) != text {
		return errors.New("another echo: " + string(got))
	}
	return nil
}

func TestBulk(t *testing.T) {
	for _, kind := range []string{"tcp", "quic-v1"} {
		t.Run(kind, func(t *testing.T) {
			hearing := &ears{}
			a, b := start(t, "Ana", func(c *Config) { c.Surroundings = hearing }), start(t, "Ben", nil)
			hearing.hear(b.ID(), "home")
			askers := make(chan domain.Asker, 2)
			a.HandleBulk(bulkProto, NearOnly, func(ctx context.Context, c *Bulk) {
				askers <- c.Asker()
				echoBulk(ctx, c)
				_ = c.Reset()
				askers <- c.Asker()
			})
			if _, err := b.Connect(t.Context(), addressOf(t, a, kind)+"/p2p/"+string(a.ID())); err != nil {
				t.Fatal(err)
			}
			var c *Bulk
			eventually(t, "the TCP address is known", func() bool {
				var err error
				c, err = b.OpenBulk(t.Context(), a.ID(), bulkProto)
				return err == nil
			})
			if asker := <-askers; asker != (domain.Asker{Peer: b.ID(), Near: true, Network: "home"}) {
				t.Errorf("the asker is %+v", asker)
			}
			if asker := c.Asker(); asker != (domain.Asker{Peer: a.ID(), Near: true}) {
				t.Errorf("the one asked is %+v", asker)
			}
			sent := make([]byte, 5<<20+7)
			_, _ = rand.Read(sent) // never fails
			var wg sync.WaitGroup
			wg.Go(func() {
				for _, size := range []int{1, 100, bulkBuffer, 3 * bulkBuffer, len(sent)} {
					if _, err := c.Write(sent[:size]); err != nil {
						t.Error(err)
					}
				}
			})
			for _, size := range []int{1, 100, bulkBuffer, 3 * bulkBuffer, len(sent)} {
				got := make([]byte, size)
				if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, sent[:size]) {
					t.Fatalf("%d bytes came back differently, %v", size, err)
				}
			}
			wg.Wait()
			if err := c.Reset(); err != nil {
				t.Error(err)
			}
			if asker := <-askers; asker != (domain.Asker{Peer: b.ID()}) {
				t.Errorf("when it has ended the asker is %+v", asker)
			}
			if _, err := c.Read(make([]byte, 1)); err == nil {
				t.Error("reads after its end")
			}
		})
	}
}

func TestBulkDeadlines(t *testing.T) {
	a, b := start(t, "Ana", nil), start(t, "Ben", nil)
	b.HandleBulk(bulkProto, NearOnly, func(ctx context.Context, c *Bulk) {
		if _, err := io.ReadFull(c, make([]byte, 5)); err != nil {
			t.Error(err)
		}
		if _, err := io.WriteString(c, "fruit"); err != nil {
			t.Error(err)
		}
		<-ctx.Done() // and reads no more
	})
	connect(t, a, b)
	c := openBulk(t, a, b)
	isTimeout := func(err error) bool {
		var timeout net.Error
		return errors.As(err, &timeout) && timeout.Timeout()
	}
	_ = c.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
	if _, err := c.Read(make([]byte, 5)); !isTimeout(err) {
		t.Fatalf("reading when nothing comes: %v", err)
	}
	_ = c.SetReadDeadline(time.Time{})
	if err := tellBulk(c, "fruit"); err != nil {
		t.Errorf("after a read that was given up: %v", err)
	}
	_ = c.SetWriteDeadline(time.Now().Add(100 * time.Millisecond))
	for range 1000 {
		if _, err := c.Write(make([]byte, bulkBuffer)); err != nil {
			if !isTimeout(err) {
				t.Errorf("writing to one that does not read: %v", err)
			}
			return
		}
	}
	t.Error("250 MiB were sent to one that does not read")
}

// The peer that answers must be the one that was meant.
func TestBulkOfAnotherPeer(t *testing.T) {
	a, b, c := start(t, "Ana", nil), start(t, "Ben", nil), start(t, "Cem", nil)
	c.HandleBulk(bulkProto, Anyone, echoBulk)
	connect(t, a, b)
	addr := ma.StringCast(addressOf(t, c, "tcp"))
	_, err := a.dialBulk(t.Context(), a.linksOf(b.ID())[0].conn.RemotePeer(), addr, bulkProto)
	var mismatch sec.ErrPeerIDMismatch
	if !errors.As(err, &mismatch) || string(c.ID()) != mismatch.Actual.String() {
		t.Errorf("another peer answers: %v", err)
	}
}

func TestBulkRefusals(t *testing.T) {
	var blocked atomic.Bool
	a := start(t, "Ana", func(c *Config) {
		far(&ears{})(c)
		c.Blocked = func(domain.PeerID) bool { return blocked.Load() }
	})
	b := start(t, "Ben", nil)
	a.HandleBulk(bulkProto, NearOnly, echoBulk)
	a.HandleBulk("/test/anyone/1", Anyone, echoBulk)
	connect(t, b, a)
	_, err := b.OpenBulk(t.Context(), a.ID(), bulkProto)
	if !errors.Is(err, domain.ErrRefused) || !strings.Contains(err.Error(), "not nearby") {
		t.Errorf("a stranger: %v", err)
	}
	c, err := b.OpenBulk(t.Context(), a.ID(), "/test/anyone/1")
	if err != nil {
		t.Fatalf("a stranger where anyone may: %v", err)
	}
	_ = c.Reset()
	_, addrs := b.bulkAddresses(a.ID())
	blocked.Store(true)
	if c, err := b.dialBulk(t.Context(), b.linksOf(a.ID())[0].conn.RemotePeer(), addrs[0], "/test/anyone/1"); err == nil {
		t.Error("a blocked peer is let in")
		_ = c.Reset()
	}
	if _, err := a.OpenBulk(t.Context(), b.ID(), bulkProto); !errors.Is(err, domain.ErrRefused) && !errors.Is(err, domain.ErrOffline) {
		t.Errorf("to a blocked peer: %v", err)
	}
}

// Where it does not work it is not tried again at once.
func TestBulkIsAvoidedWhereItFails(t *testing.T) {
	a, b := start(t, "Ana", nil), start(t, "Ben", nil)
	b.HandleBulk(bulkProto, NearOnly, echoBulk)
	connect(t, a, b)
	if _, err := a.OpenBulk(t.Context(), b.ID(), "/test/bulk/2"); !errors.Is(err, domain.ErrVersion) {
		t.Errorf("a protocol that b does not serve: %v, want %v", err, domain.ErrVersion)
	}
	if _, err := a.OpenBulk(t.Context(), b.ID(), bulkProto); !errors.Is(err, domain.ErrOffline) {
		t.Errorf("right after a failure: %v, want %v", err, domain.ErrOffline)
	}
	p := place{b.ID(), addressOf(t, b, "tcp")}
	now := time.Now()
	for _, length := range []time.Duration{bulkPauseFirst, 2 * bulkPauseFirst, 4 * bulkPauseFirst} {
		if !a.bulks.avoided(p, now.Add(length-time.Second)) || a.bulks.avoided(p, now.Add(length+time.Second)) {
			t.Errorf("not avoided for %v: %+v", length, a.bulks.failed[p])
		}
		now = now.Add(length + time.Second)
		a.bulks.avoid(p, now)
	}
	for range 20 {
		a.bulks.avoid(p, now)
	}
	if a.bulks.avoided(p, now.Add(bulkPauseLast+time.Second)) {
		t.Error("avoided for ever")
	}
	a.bulks.worked(p)
	if a.bulks.avoid(p, now); a.bulks.avoided(p, now.Add(bulkPauseFirst+time.Second)) {
		t.Error("avoided for long although it worked meanwhile")
	}
	for i := range 3 * maxFailed {
		a.bulks.avoid(place{b.ID(), string(rune(i))}, time.Now())
	}
	if n := len(a.bulks.failed); n > maxFailed {
		t.Errorf("%d failures are remembered", n)
	}
	if _, err := a.OpenBulk(t.Context(), newIdentity(t).ID(), bulkProto); !errors.Is(err, domain.ErrOffline) {
		t.Errorf("to an unknown peer: %v, want %v", err, domain.ErrOffline)
	}
}

func TestBulkToOneThatDoesNotAnswer(t *testing.T) {
	silent, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = silent.Close() }()
	a, b := start(t, "Ana", nil), start(t, "Ben", nil)
	connect(t, a, b)
	addr, err := manet.FromNetAddr(silent.Addr())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := a.dialBulk(ctx, a.linksOf(b.ID())[0].conn.RemotePeer(), addr, bulkProto); !errors.Is(err, domain.ErrOffline) {
		t.Errorf("a port that does not answer: %v, want %v", err, domain.ErrOffline)
	}
}

func TestBulksPerPeerAreBounded(t *testing.T) {
	a, b := start(t, "Ana", nil), start(t, "Ben", nil)
	a.HandleBulk(bulkProto, NearOnly, echoBulk)
	connect(t, b, a)
	var open []*Bulk
	for range maxBulks {
		open = append(open, openBulk(t, b, a))
	}
	_, addrs := b.bulkAddresses(a.ID())
	_, err := b.dialBulk(t.Context(), b.linksOf(a.ID())[0].conn.RemotePeer(), addrs[0], bulkProto)
	if !errors.Is(err, domain.ErrBusy) || !strings.Contains(err.Error(), "the peer says") {
		t.Errorf("one more: %v, want %v", err, domain.ErrBusy)
	}
	if err := tellBulk(open[0], "soup"); err != nil {
		t.Errorf("the others suffer: %v", err)
	}
	_ = open[1].Reset()
	eventually(t, "there is room again", func() bool {
		c, err := b.OpenBulk(t.Context(), a.ID(), bulkProto)
		if err == nil {
			err = tellBulk(c, "salad")
			_ = c.Reset()
		}
		return err == nil
	})
}

func TestBulkEndsAtRejudge(t *testing.T) {
	hearing := &ears{}
	var blocked atomic.Bool
	a := start(t, "Ana", func(c *Config) {
		far(hearing)(c)
		c.Blocked = func(domain.PeerID) bool { return blocked.Load() }
	})
	b := start(t, "Ben", nil)
	a.HandleBulk(bulkProto, NearOnly, echoBulk)
	b.HandleBulk(bulkProto, NearOnly, echoBulk)
	for _, change := range []struct {
		name   string
		do     func()
		undone func()
	}{
		{"not heard any more", func() { hearing.forget(b.ID()) }, func() {}},
		{"blocked", func() { blocked.Store(true) }, func() { blocked.Store(false) }},
	} {
		hearing.hear(b.ID(), "home")
		connect(t, b, a)
		var in, out *Bulk
		eventually(t, change.name+": both can be opened", func() bool {
			var err error
			if in == nil {
				in, err = b.OpenBulk(t.Context(), a.ID(), bulkProto)
			}
			if err == nil {
				out, err = a.OpenBulk(t.Context(), b.ID(), bulkProto)
			}
			return err == nil
		})
		a.Rejudge()
		time.Sleep(3 * rejudgePause)
		for _, c := range []*Bulk{in, out} {
			if err := tellBulk(c, "soup"); err != nil {
				t.Fatalf("%s: before it: %v", change.name, err)
			}
		}
		old := append(a.linksOf(b.ID()), b.linksOf(a.ID())...)
		change.do()
		a.Rejudge()
		for _, c := range []*Bulk{in, out} {
			_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
			_, err := c.Read(make([]byte, 1))
			var timeout net.Error
			if err == nil || errors.As(err, &timeout) && timeout.Timeout() {
				t.Errorf("%s: it goes on, %v", change.name, err)
			}
			_ = c.Reset()
		}
		if n := len(a.bulks.list()) + len(b.bulks.list()); n > 2 { // b has to notice
			t.Errorf("%s: %d are left", change.name, n)
		}
		// Else the next round might begin on the connection that ends. b may have
		// made another one by now, as a stranger.
		eventually(t, change.name+": both noticed", func() bool {
			return !slices.ContainsFunc(old, func(l *link) bool { return !l.conn.IsClosed() })
		})
		change.undone()
	}
}

// Close ends them and waits for the handlers.
func TestCloseEndsBulks(t *testing.T) {
	a, b := start(t, "Ana", nil), start(t, "Ben", nil)
	var began, ended atomic.Int32
	b.HandleBulk(bulkProto, NearOnly, func(ctx context.Context, c *Bulk) {
		began.Add(1)
		echoBulk(ctx, c)
		<-ctx.Done()
		ended.Add(1)
	})
	connect(t, a, b)
	c, d := openBulk(t, a, b), openBulk(t, a, b)
	eventually(t, "both are served", func() bool { return began.Load() == 2 })
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	if ended.Load() != 2 {
		t.Errorf("%d handlers have ended", ended.Load())
	}
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("one can still be read")
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	if _, err := d.Write([]byte{1}); err == nil {
		t.Error("one can still be written to")
	}
	if _, err := a.OpenBulk(t.Context(), b.ID(), bulkProto); !errors.Is(err, domain.ErrOffline) {
		t.Errorf("after Close: %v", err)
	}
}

// Whoever comes without the handshake costs a little for a short time.
func TestBulkStrangers(t *testing.T) {
	a, b := start(t, "Ana", func(c *Config) { c.times.shake = 2 * time.Second }), start(t, "Ben", nil)
	a.HandleBulk(bulkProto, Anyone, func(context.Context, *Bulk) { t.Error("a stranger is served") })
	addr := strings.TrimPrefix(strings.Replace(addressOf(t, a, "tcp"), "/tcp/", ":", 1), "/ip4/")
	dial := func() net.Conn {
		t.Helper()
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
		return conn
	}
	// closed awaits the end of a connection, which may come with an alert.
	closed := func(what string, conn net.Conn) {
		t.Helper()
		_, err := io.Copy(io.Discard, conn)
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() {
			t.Errorf("%s: the connection stays open", what)
		}
	}
	waiting := make(map[string]net.Conn) // all at once, for a waits for some of them
	record := append([]byte{0x16, 3, 1}, make([]byte, 1000)...)
	for what, text := range map[string][]byte{
		"garbage":        []byte("garbage, and not a little of it"),
		"HTTP":           []byte("GET / HTTP/1.1\r\n\r\n"),
		"TLS of nothing": record,
		"half a record":  {0x16, 3, 1, 0x40, 0, 1},
	} {
		conn := dial()
		if _, err := conn.Write(text); err != nil {
			t.Fatal(err)
		}
		waiting[what] = conn
	}
	for what, config := range map[string]*tls.Config{
		"a web browser":          {NextProtos: []string{"h2", "http/1.1"}},
		"no protocol":            {},
		"no certificate":         {NextProtos: []string{bulkALPN}},
		"an older TLS":           {NextProtos: []string{bulkALPN}, MaxVersion: tls.VersionTLS12},
		"another's certificate":  {NextProtos: []string{bulkALPN}, Certificates: []tls.Certificate{plainCertificate(t)}},
		"libp2p without a muxer": {NextProtos: []string{"libp2p"}, Certificates: []tls.Certificate{plainCertificate(t)}},
	} {
		config.InsecureSkipVerify = true
		conn := dial()
		client := tls.Client(conn, config)
		_ = client.Handshake() // in TLS 1.3 the refusal may come after it
		_, _ = client.Write(writeText(nil, bulkProto))
		if n, err := client.Read(make([]byte, 1)); n > 0 || err == nil {
			t.Errorf("%s: gets an answer", what)
		}
		closed(what, conn)
	}
	// A peer that says nothing after the handshake, or too much.
	for what, text := range map[string]string{"silence": "", "an empty name": "\x00", "a long name": "\xff" + strings.Repeat("x", 255)} {
		config, _ := b.bulks.identity.ConfigForPeer(a.Libp2p().ID())
		config.NextProtos = []string{bulkALPN}
		conn := dial()
		client := tls.Client(conn, config)
		if err := client.Handshake(); err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(client, text)
		waiting[what] = conn
	}
	for what, conn := range waiting {
		closed(what, conn)
	}
	if n := a.bulks.shaking.Load(); n != 0 {
		t.Errorf("%d handshakes go on", n)
	}
	if n := len(a.bulks.list()); n != 0 {
		t.Errorf("%d are open", n)
	}
}

// Half-open handshakes are few, and in the way of nobody for long.
func TestBulkHandshakesAreBounded(t *testing.T) {
	a, b := start(t, "Ana", func(c *Config) { c.times.shake = 3 * time.Second }), start(t, "Ben", nil)
	a.HandleBulk(bulkProto, NearOnly, echoBulk)
	connect(t, b, a)
	addr := strings.TrimPrefix(strings.Replace(addressOf(t, a, "tcp"), "/tcp/", ":", 1), "/ip4/")
	for range maxShaking {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		if _, err := conn.Write([]byte{0x16, 3, 1, 0x40, 0, 1}); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "all of them are waited for", func() bool { return a.bulks.shaking.Load() == maxShaking })
	_, addrs := b.bulkAddresses(a.ID())
	pid := b.linksOf(a.ID())[0].conn.RemotePeer()
	if c, err := b.dialBulk(t.Context(), pid, addrs[0], bulkProto); !errors.Is(err, domain.ErrOffline) {
		t.Errorf("one more: %v", err)
		_ = c.Reset()
	}
	if err := pingOn(t.Context(), b.linksOf(a.ID())[0].conn); err != nil {
		t.Errorf("other connections suffer: %v", err)
	}
	eventually(t, "they are given up", func() bool { return a.bulks.shaking.Load() == 0 })
	if err := tellBulk(openBulk(t, b, a), "soup"); err != nil {
		t.Error(err)
	}
}

// plainCertificate is one as a web server has it.
func plainCertificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
