package hostile_test

import (
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-msgio"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/catalogue"
	friendpb "github.com/potluck-share/potluck/net/friend/pb"
	gossippb "github.com/potluck-share/potluck/net/gossip/pb"
	"github.com/potluck-share/potluck/net/transfer/wire"
)

// protocols are all that a peer may open a stream of.
var protocols = []string{"/potluck/heads/1", answers, "/potluck/friend/1", "/potluck/offer/1", "/potluck/hello/1", catalogue.Protocol, wire.Protocol}

// floods are attacks by much of what alone is allowed, each on a victim of its
// own.
func floods() []row {
	return []row{
		{name: "sockets that say nothing", attack: silentSockets, fresh: true},
		{name: "connections of many peers", attack: manyPeers, fresh: true},
		{name: "forged heads", attack: forgedHeads, fresh: true},
		{name: "streams of every protocol", attack: manyStreams, fresh: true},
		{name: "nonsense in every protocol", attack: nonsense, fresh: true},
		{name: "requests that nobody reads", attack: greedyRequests, fresh: true},
		{name: "people who want to be friends", attack: manyAsks, fresh: true},
		{name: "questions under many names", attack: manyQuestions, fresh: true},
		{name: "answers to no question", attack: manyAnswers, fresh: true},
		{name: "a list without an end", attack: func(s *stage) (string, string) {
			return endlessList(s, 2000, "", 450_000)
		}, fresh: true, most: allowedByList},
		{name: "a list of the longest names", attack: func(s *stage) (string, string) {
			return endlessList(s, 200, strings.Repeat("x", 3900), 10_000)
		}, fresh: true, most: allowedByList},
	}
}

func silentSockets(s *stage) (sent, outcome string) {
	address := strings.Split(s.ana.address, "/")
	var open []net.Conn
	for range 1000 {
		c, err := net.DialTimeout("tcp", net.JoinHostPort(address[2], address[4]), time.Second)
		if err != nil {
			break
		}
		open = append(open, c)
	}
	refused := 0
	for _, c := range open {
		// Whoever is not let in is hung up on at once, the others after a while.
		_ = c.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
		if _, err := io.Copy(io.Discard, c); err == nil || !strings.Contains(err.Error(), "timeout") {
			refused++
		}
	}
	for _, c := range open {
		_ = c.Close() // it was only held
	}
	if len(open) < 500 || refused < len(open)/2 {
		s.Errorf("%d sockets were opened, %d of them refused", len(open), refused)
	}
	return fmt.Sprintf("%d sockets", len(open)), fmt.Sprintf("%d hung up on at once", refused)
}

func manyPeers(s *stage) (sent, outcome string) {
	const peers = 150
	let := 0
	for range peers {
		if _, err := attacker(s.T, "Mallory").Connect(s.Context(), s.ana.address); err == nil {
			let++
		}
	}
	if let == peers {
		s.Error("all of them were let in")
	}
	return fmt.Sprintf("%d peers", peers), fmt.Sprintf("%d let in for a while, %d refused", let, peers-let)
}

func forgedHeads(s *stage) (sent, outcome string) {
	h := newRogue(s.T, "Mallory")
	h.meets(s.ana)
	s.blame(h.ID())
	streams := 0
	for range 40 {
		stream, err := h.Open(s.Context(), s.ana.id, "/potluck/heads/1")
		if err != nil {
			break
		}
		m := &gossippb.Swap{Last: true}
		for range 2000 {
			signed := make([]byte, 600)
			_, _ = rand.Read(signed) // never fails
			m.Known = append(m.Known, &gossippb.Known{Kind: gossippb.Kind_KIND_HEAD, Signed: signed})
		}
		if send(stream, m) {
			streams++
		}
		_ = stream.Close()
	}
	s.awaitNamed(h.ID(), "forged heads")
	if streams < 10 {
		s.Errorf("only %d streams", streams)
	}
	return fmt.Sprintf("%d heads in %d streams", 2000*streams, streams), "each stream ended at the first"
}

func manyStreams(s *stage) (sent, outcome string) {
	h := newRogue(s.T, "Mallory")
	h.meets(s.ana)
	s.blame(h.ID())
	let, refused := 0, 0
	for _, protocol := range protocols {
		for range 200 {
			if _, err := h.Open(s.Context(), s.ana.id, protocol); err != nil {
				refused++
			} else {
				let++
			}
		}
	}
	s.awaitNamed(h.ID(), "so many streams")
	if most := len(protocols) * 40; let > most {
		s.Errorf("%d streams were let in, more than %d", let, most)
	}
	return fmt.Sprintf("%d streams", let+refused), fmt.Sprintf("%d let in, %d refused", let, refused)
}

// nonsense sends garbage, and lengths of all kinds, in every protocol, each from
// a peer of its own.
func nonsense(s *stage) (sent, outcome string) {
	messages := [][]byte{
		{4, 0xff, 0xff, 0xff, 0xff},
		{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
		{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1},
		{0xff, 0xff, 0xff, 0xff, 0x0f, 1, 2, 3},
	}
	n := 0
	for _, protocol := range protocols {
		for _, message := range messages {
			h := newRogue(s.T, "Mallory")
			h.meets(s.ana)
			stream, err := h.Open(s.Context(), s.ana.id, protocol)
			if err != nil {
				s.Fatal(err)
			}
			if _, err := stream.Write(message); err != nil {
				s.Fatal(err)
			}
			_ = stream.CloseWrite() // all was said
			s.awaitNamed(h.ID(), fmt.Sprintf("%x in %s", message, protocol))
			s.blame(h.ID())
			n++
			_ = h.Close() // the next one comes
		}
	}
	return fmt.Sprintf("%d messages", n), "each stream ended"
}

func greedyRequests(s *stage) (sent, outcome string) {
	h := newRogue(s.T, "Mallory")
	h.meets(s.ana)
	s.blame(h.ID())
	var all sync.WaitGroup
	var asked, cut atomic.Int64
	for range 4 {
		stream, err := h.Open(s.Context(), s.ana.id, wire.Protocol)
		if err != nil {
			s.Fatal(err)
		}
		all.Go(func() {
			_ = stream.SetDeadline(time.Now().Add(10 * time.Second))
			w := wire.NewWriter(stream)
			for i := range 100_000 {
				ask := wire.Header{Kind: wire.Request, Request: uint64(i + 1), What: wire.Piece, Content: domain.ContentID{1}, Length: domain.PieceSize}
				if w.Write(ask, nil) != nil {
					cut.Add(1)
					return
				}
				asked.Add(1)
			}
			if w.Flush() != nil {
				cut.Add(1)
			}
		})
	}
	all.Wait()
	s.awaitNamed(h.ID(), "requests without end")
	if cut.Load() == 0 {
		s.Error("nobody was cut off")
	}
	return fmt.Sprintf("%d requests in 4 streams", asked.Load()), fmt.Sprintf("%d of 4 cut off", cut.Load())
}

func manyAsks(s *stage) (sent, outcome string) {
	const (
		most    = 200
		burst   = 30 // so many are answered at once, and then so many a second
		aSecond = 2
	)
	begun, asks, let := time.Now(), 0, 0
	for ; asks < most && asks-let < 20; asks++ {
		h := newRogue(s.T, "Ben")
		h.meets(s.ana)
		stream, err := h.Open(s.Context(), s.ana.id, "/potluck/friend/1")
		if err != nil {
			continue
		}
		send(stream, &friendpb.Message{Kind: friendpb.Kind_KIND_ASK, Name: "Ben", Commitment: make([]byte, 32)})
		if _, err := msgio.NewVarintReaderSize(stream, 1<<10).ReadMsg(); err == nil {
			let++
		} else if s.ana.named(h.ID()) {
			s.blame(h.ID())
		}
		_ = h.Close() // the next one comes
	}
	if waiting := s.ana.do("friend", "waiting"); strings.Contains(waiting, "Ben") {
		s.Errorf("somebody who never showed their part is shown:\n%s", waiting)
	}
	if allowed := burst + aSecond*time.Since(begun).Seconds() + 1; float64(let) > allowed || len(s.blamed) == 0 {
		s.Errorf("%d of %d were answered, allowed are %.0f", let, asks, allowed)
	}
	return fmt.Sprintf("%d peers", asks), fmt.Sprintf("%d answered, %d refused", let, asks-let)
}
