package hostile_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-msgio"
	"google.golang.org/protobuf/proto"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/catalogue"
	cataloguepb "github.com/potluck-share/potluck/net/catalogue/pb"
	friendpb "github.com/potluck-share/potluck/net/friend/pb"
	gossippb "github.com/potluck-share/potluck/net/gossip/pb"
	"github.com/potluck-share/potluck/net/host"
	"github.com/potluck-share/potluck/net/transfer/wire"
)

// By how much the memory of the program may grow, in bytes: under any flood a
// few times what it uses at rest, and far below what is sent; by a list as much
// as the million entries take that one may have.
const (
	allowed       = 192 << 20
	allowedByList = 768 << 20
)

// resident returns the memory of the running program, in bytes, on systems that
// tell it.
func (v *victim) resident() int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", v.pid))
	if err != nil {
		v.t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, err := strconv.ParseInt(strings.Fields(value)[0], 10, 64)
			if err != nil {
				v.t.Fatal(err)
			}
			return kib << 10
		}
	}
	v.t.Fatal("the system does not tell how much memory a program uses")
	return 0
}

// endure runs an attack and looks meanwhile how much memory the victim uses and
// how quickly it answers its user.
func (v *victim) endure(t *testing.T, allowed int64, attack func()) {
	t.Helper()
	before := v.resident()
	done := make(chan struct{})
	go func() {
		defer close(done)
		attack()
	}()
	peak, slowest := before, time.Duration(0)
	for running := true; running; {
		select {
		case <-done:
			running = false
		case <-time.After(100 * time.Millisecond):
		}
		begun := time.Now()
		v.do("status")
		slowest = max(slowest, time.Since(begun))
		peak = max(peak, v.resident())
	}
	t.Logf("%-40s memory + %d MB (allowed: %d), status after %v at most",
		t.Name(), (peak-before)>>20, allowed>>20, slowest.Round(10*time.Millisecond))
	if peak-before > allowed {
		t.Errorf("the memory grew by %d MB", (peak-before)>>20)
	}
	if slowest > 3*time.Second {
		t.Errorf("the user waited for %v", slowest)
	}
}

const endless = "a list without an end"

// TestFloods sends a running Potluck far too much, in several ways, and prints
// for each what became of it.
func TestFloods(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("how much memory a program uses is read from /proc")
	}
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	for name, attack := range map[string]func(*testing.T, *victim){
		"sockets that say nothing":          silentSockets,
		"connections of many peers":         manyPeers,
		"forged heads":                      forgedHeads,
		"streams of every protocol":         manyStreams,
		"requests that nobody reads":        greedyRequests,
		"people who want to be friends":     manyAsks,
		endless:                             endlessList,
		"a page that unpacks to a gigabyte": bomb,
	} {
		t.Run(name, func(t *testing.T) {
			ana := run(t, "Ana")
			most := int64(allowed)
			if name == endless {
				most = allowedByList
			}
			ana.endure(t, most, func() { attack(t, ana) })
		})
	}
}

func near(t *testing.T, v *victim) *host.Host {
	t.Helper()
	h := attacker(t, "Mallory")
	if _, err := h.Connect(t.Context(), v.address); err != nil {
		t.Error(err)
	}
	return h
}

func silentSockets(t *testing.T, v *victim) {
	address := strings.Split(v.address, "/")
	var open []net.Conn
	for range 1000 {
		c, err := net.DialTimeout("tcp", net.JoinHostPort(address[2], address[4]), time.Second)
		if err != nil {
			break
		}
		open = append(open, c)
	}
	time.Sleep(2 * time.Second)
	t.Logf("%d sockets", len(open))
	for _, c := range open {
		_ = c.Close() // it was only held
	}
}

func manyPeers(t *testing.T, v *victim) {
	ctx := t.Context()
	let := 0
	for range 150 {
		if ctx.Err() != nil {
			break
		}
		if _, err := attacker(t, "Mallory").Connect(ctx, v.address); err == nil {
			let++
		}
	}
	t.Logf("%d of 150 were let in", let)
}

func forgedHeads(t *testing.T, v *victim) {
	ctx := t.Context()
	h := near(t, v)
	for range 40 {
		s, err := h.Open(ctx, v.id, "/potluck/heads/1")
		if err != nil {
			break
		}
		m := &gossippb.Swap{Last: true}
		for range 2000 {
			signed := make([]byte, 600)
			_, _ = rand.Read(signed) // never fails
			m.Known = append(m.Known, &gossippb.Known{Kind: gossippb.Kind_KIND_HEAD, Signed: signed})
		}
		send(s, m)
		_ = s.Close()
	}
}

func manyStreams(t *testing.T, v *victim) {
	ctx := t.Context()
	h := near(t, v)
	let, refused := 0, 0
	for _, protocol := range []string{
		"/potluck/heads/1", "/potluck/friend/1", "/potluck/offer/1", "/potluck/hello/1", catalogue.Protocol, wire.Protocol,
	} {
		for range 200 {
			if ctx.Err() != nil {
				return
			}
			if _, err := h.Open(ctx, v.id, protocol); err != nil {
				refused++
			} else {
				let++
			}
		}
	}
	t.Logf("%d streams were let in, %d refused", let, refused)
}

func greedyRequests(t *testing.T, v *victim) {
	ctx := t.Context()
	h := near(t, v)
	var all sync.WaitGroup
	for range 4 {
		s, err := h.Open(ctx, v.id, wire.Protocol)
		if err != nil {
			continue
		}
		all.Go(func() {
			_ = s.SetDeadline(time.Now().Add(5 * time.Second))
			w := wire.NewWriter(s)
			for i := range 100_000 {
				ask := wire.Header{Kind: wire.Request, Request: uint64(i + 1), What: wire.Piece, Content: domain.ContentID{1}, Length: domain.PieceSize}
				if w.Write(ask, nil) != nil {
					return
				}
			}
			_ = w.Flush() // it may have been cut off
		})
	}
	all.Wait()
}

func manyAsks(t *testing.T, v *victim) {
	ctx := t.Context()
	let := 0
	for range 60 {
		h := attacker(t, "Ben")
		if _, err := h.Connect(ctx, v.address); err != nil {
			continue
		}
		s, err := h.Open(ctx, v.id, "/potluck/friend/1")
		if err != nil {
			continue
		}
		commitment := make([]byte, 32)
		send(s, &friendpb.Message{Kind: friendpb.Kind_KIND_ASK, Name: "Ben", Commitment: commitment})
		if _, err := msgio.NewVarintReaderSize(s, 1<<10).ReadMsg(); err == nil {
			let++
		}
		_ = h.Close() // the next one comes
	}
	t.Logf("%d of 60 were answered", let)
	if waiting := v.do("friend", "waiting"); strings.Contains(waiting, "Ben") {
		t.Errorf("somebody who never showed their part is shown:\n%s", waiting)
	}
}

func endlessList(t *testing.T, v *victim) {
	ctx := t.Context()
	serveList(t, v, func(send func(*cataloguepb.Page) bool) {
		for n := 0; ctx.Err() == nil; n++ {
			page := &cataloguepb.Page{Epoch: 1, Sequence: 1, Full: true}
			for i := range 1000 {
				id := make([]byte, 32)
				_, _ = rand.Read(id) // never fails
				page.Changes = append(page.Changes, &cataloguepb.Change{Path: fmt.Sprintf("a/%d/%d", n, i), Size: 1, Content: id})
			}
			if !send(page) {
				return
			}
		}
	})
}

func bomb(t *testing.T, v *victim) {
	h := attacker(t, "Mallory")
	enc, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	packed := enc.EncodeAll(make([]byte, 1<<30), nil)
	answerLists(h, func(s network.Stream) {
		send(s, &cataloguepb.Response{Status: cataloguepb.Status_STATUS_OK, Version: 1})
		send(s, &cataloguepb.Frame{Page: packed, Last: true})
		_ = s.CloseWrite() // all was said
	})
	lure(t, v, h)
}

// serveList makes the victim pull a list that we make up.
func serveList(t *testing.T, v *victim, pages func(send func(*cataloguepb.Page) bool)) {
	h := attacker(t, "Mallory")
	enc, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	answerLists(h, func(s network.Stream) {
		send(s, &cataloguepb.Response{Status: cataloguepb.Status_STATUS_OK, Version: 1})
		pages(func(p *cataloguepb.Page) bool {
			raw, err := proto.Marshal(p)
			return err == nil && send(s, &cataloguepb.Frame{Page: enc.EncodeAll(raw, nil)})
		})
	})
	lure(t, v, h)
}

func answerLists(h *host.Host, answer func(network.Stream)) {
	h.Handle(catalogue.Protocol, host.Anyone, func(_ context.Context, s network.Stream, _ domain.Asker) { answer(s) })
}

// lure announces a list, which the victim pulls, and gives it time.
func lure(t *testing.T, v *victim, h *host.Host) {
	ctx := t.Context()
	if _, err := h.Connect(ctx, v.address); err != nil {
		t.Error(err)
		return
	}
	s, err := h.Open(ctx, v.id, "/potluck/heads/1")
	if err != nil {
		t.Error(err)
		return
	}
	_ = s.Close() // whether it asks for the list is its own business; browse makes it
	browse := v.command(ctx, "browse", string(h.ID()))
	_ = browse.Run() // it may fail, and should
	select {
	case <-ctx.Done():
	case <-time.After(5 * time.Second):
	}
}

func send(s network.Stream, m proto.Message) bool {
	raw, err := proto.Marshal(m)
	return err == nil && msgio.NewVarintWriter(s).WriteMsg(raw) == nil
}
