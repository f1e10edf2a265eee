package catalogue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-msgio"
	"google.golang.org/protobuf/proto"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/catalogue/pb"
	"github.com/potluck-share/potluck/net/host"
	"github.com/potluck-share/potluck/net/host/complain"
	"github.com/potluck-share/potluck/net/host/talk"
)

// Serve offers src to whoever is near or a friend, from now on until the host
// is closed. Others are told no in words.
func Serve(h Host, src Source, log *slog.Logger) error {
	enc, err := packer()
	if err != nil {
		return fmt.Errorf("preparing to pack pages: %w", err)
	}
	s := &server{host: h, src: src, log: log, complaints: complain.New(log), enc: enc, questions: talk.NewRates(findRate, findBurst), places: make(chan struct{}, findAtOnce), running: make(map[domain.PeerID]int)}
	// A stranger gets an answer too, since a closed stream would look like a
	// fault of the network.
	h.Handle(Protocol, host.Anyone, s.handle)
	return nil
}

type server struct {
	host       Host
	src        Source
	log        *slog.Logger
	complaints *complain.Complaints
	enc        *zstd.Encoder
	questions  *talk.Rates
	places     chan struct{} // of questions that are being answered

	mu      sync.Mutex
	running map[domain.PeerID]int
}

func (s *server) handle(ctx context.Context, stream network.Stream, asker domain.Asker) {
	ctx, cancel := context.WithTimeout(ctx, pullTime)
	defer cancel()
	defer context.AfterFunc(ctx, func() { _ = stream.Reset() })()
	log := s.log.With("peer", asker.Peer.Short())

	sent, err := s.answer(ctx, stream, asker)
	if err != nil {
		s.complaints.Fault(asker.Peer, Protocol, err)
		log.DebugContext(ctx, "a pull of the catalogue broke off", "entries", sent, "error", err)
		_ = stream.Reset() // whatever is wrong with it, it ends here
		return
	}
	if err := stream.Close(); err != nil {
		log.DebugContext(ctx, "closing a pull of the catalogue", "error", err)
	}
}

// answer serves one pull and returns how many entries went out.
func (s *server) answer(ctx context.Context, stream network.Stream, asker domain.Asker) (int, error) {
	if err := stream.SetDeadline(time.Now().Add(greetTime)); err != nil {
		return 0, err
	}
	raw, err := talk.ReadRaw(stream, maxRequest)
	if err != nil {
		return 0, fmt.Errorf("reading the request: %w", err)
	}
	var req pb.Request
	if err := proto.Unmarshal(raw, &req); err != nil {
		return 0, fmt.Errorf("reading the request: %w: %w", domain.ErrMalformed, err)
	}
	out := msgio.NewVarintWriter(stream)

	if req.GetVersion() != version {
		return 0, refuse(out, pb.Status_STATUS_VERSION, fmt.Sprintf(
			"This Potluck speaks version %d of the catalogue protocol, yours version %d.", version, req.GetVersion()))
	}
	if !welcome(asker) {
		return 0, refuse(out, pb.Status_STATUS_REFUSED, "You are not nearby.")
	}
	if !s.begin(asker.Peer) {
		return 0, refuse(out, pb.Status_STATUS_BUSY, "You are pulling this catalogue already.")
	}
	defer s.end(asker.Peer)

	next := func(asker domain.Asker, cursor string) (domain.Page, error) {
		if words := req.GetWords(); len(words) > 0 {
			return s.find(ctx, asker, words)
		}
		if offer := req.GetOffer(); offer != "" {
			return s.src.OfferPage(ctx, asker, offer, cursor)
		}
		return s.src.Page(ctx, asker, domain.Version{Epoch: req.GetSinceEpoch(), Sequence: req.GetSinceSequence()}, cursor)
	}
	page, err := next(asker, "")
	if err != nil {
		status, reason := s.excuse(ctx, err)
		return 0, refuse(out, status, reason)
	}
	if err := write(out, &pb.Response{Status: pb.Status_STATUS_OK, Version: version}); err != nil {
		return 0, err
	}

	sent := 0
	for most := firstEntries; ; most = maxEntries {
		if err := s.send(stream, out, page, most); err != nil {
			return sent, err
		}
		sent += len(page.Changes)
		if page.Next == "" {
			return sent, nil
		}
		// The asker may have gone far, or lost a share, in the meantime.
		now := s.host.Asker(stream.Conn())
		if !welcome(now) {
			return sent, giveUp(out, pb.Status_STATUS_REFUSED, "You are not nearby any more.")
		}
		if page, err = next(now, page.Next); err != nil {
			status, reason := s.excuse(ctx, err)
			return sent, giveUp(out, status, reason)
		}
	}
}

// send writes one page of the source, in as many as it takes, the first of up
// to most entries.
func (s *server) send(stream network.Stream, out msgio.Writer, page domain.Page, most int) error {
	changes := make([]domain.Change, 0, len(page.Changes))
	for _, c := range page.Changes {
		if err := check(c); err != nil {
			// One odd name must not hide all others.
			s.log.Debug("an entry cannot be told to others", "error", err)
			continue
		}
		changes = append(changes, c)
	}
	for last := false; !last; most = maxEntries {
		n := cut(changes, most)
		last = n == len(changes)
		part := domain.Page{Version: page.Version, Full: page.Full, Changes: changes[:n]}
		changes = changes[n:]

		raw, err := encode(part)
		if err != nil {
			return err
		}
		if err := stream.SetDeadline(time.Now().Add(idleTime)); err != nil {
			return err
		}
		if err := write(out, &pb.Frame{
			Page: s.enc.EncodeAll(raw, nil),
			Last: last && page.Next == "",
		}); err != nil {
			return err
		}
	}
	return nil
}

// begin counts a pull in; it is false if the peer has enough of them running.
func (s *server) begin(peer domain.PeerID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running[peer] >= pullsPerAsker {
		return false
	}
	s.running[peer]++
	return true
}

func (s *server) end(peer domain.PeerID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running[peer]--; s.running[peer] == 0 {
		delete(s.running, peer)
	}
}

// welcome reports whether the asker may be told anything at all.
func welcome(asker domain.Asker) bool { return asker.Peer != "" && (asker.Near || asker.Friend) }

// excuse says why there is no page, without a word of what only this user
// should know: err may name paths of this machine.
func (s *server) excuse(ctx context.Context, err error) (pb.Status, string) {
	switch {
	case errors.Is(err, domain.ErrRefused):
		return pb.Status_STATUS_REFUSED, "The owner does not show you anything."
	case errors.Is(err, domain.ErrNotFound):
		return pb.Status_STATUS_ABSENT, "There is no such offer."
	case errors.Is(err, domain.ErrBusy):
		return pb.Status_STATUS_BUSY, "The owner's Potluck is busy."
	default:
		s.log.WarnContext(ctx, "the own catalogue cannot be read", "error", err)
		return pb.Status_STATUS_FAILED, "The owner's Potluck could not read its own list."
	}
}

func refuse(out msgio.Writer, status pb.Status, reason string) error {
	return write(out, &pb.Response{Status: status, Version: version, Reason: reason})
}

func giveUp(out msgio.Writer, status pb.Status, reason string) error {
	return write(out, &pb.Frame{Failed: status, Reason: reason, Last: true})
}

func write(out msgio.Writer, msg proto.Message) error {
	raw, err := proto.Marshal(msg)
	if err != nil {
		return err
	}
	return out.WriteMsg(raw)
}
