package host

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"google.golang.org/protobuf/proto"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/host/pb"
)

//go:generate protoc --go_out=. --go_opt=paths=source_relative pb/hello.proto

const (
	helloProtocol = "/potluck/hello/1"
	// The limits of a hello, in bytes. What is longer is malformed.
	maxHello        = 1024
	maxHelloName    = 200
	maxHelloVersion = 64
	helloTimeout    = 10 * time.Second
)

var errHellos = fmt.Errorf("%w: more hellos than anybody needs", domain.ErrBusy)

// encodeHello makes the message that says hello. A name that is too long is
// cut rather than refused: it is the user's own.
func encodeHello(hello domain.Hello, instance uint64) ([]byte, error) {
	return proto.Marshal(&pb.Hello{
		Name:     cut(hello.Name, maxHelloName),
		Version:  cut(hello.Version, maxHelloVersion),
		Near:     hello.Near,
		Instance: instance,
	})
}

// cut shortens a text to at most so many bytes, between two characters.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	end := 0
	for i := range text {
		if i > most {
			break
		}
		end = i
	}
	return text[:end]
}

// decodeHello reads a peer's hello. The name is a claim, valid UTF-8 but not
// cleaned for display.
func decodeHello(data []byte) (hello domain.Hello, instance uint64, err error) {
	if len(data) > maxHello {
		return hello, 0, fmt.Errorf("hello: %w: over %d bytes", domain.ErrTooLarge, maxHello)
	}
	var m pb.Hello
	if err := proto.Unmarshal(data, &m); err != nil {
		return hello, 0, fmt.Errorf("hello: %w: %w", domain.ErrMalformed, err)
	}
	if len(m.GetName()) > maxHelloName || len(m.GetVersion()) > maxHelloVersion {
		return hello, 0, fmt.Errorf("hello: %w: name of %d bytes, version of %d",
			domain.ErrTooLarge, len(m.GetName()), len(m.GetVersion()))
	}
	return domain.Hello{Name: m.GetName(), Version: m.GetVersion(), Near: m.GetNear()}, m.GetInstance(), nil
}

// sayHello tells the peer who we are and whether it is near for us.
func (h *Host) sayHello(l *link, near bool) error {
	ctx, cancel := context.WithTimeout(h.ctx, helloTimeout)
	defer cancel()
	data, err := encodeHello(h.hello(l.id, near), h.instance)
	if err != nil {
		return fmt.Errorf("hello: %w", err)
	}
	s, err := openOn(ctx, l.conn, helloProtocol)
	if err != nil {
		return err
	}
	if err := s.SetDeadline(time.Now().Add(helloTimeout)); err != nil {
		_ = s.Reset() // of no use any more
		return fmt.Errorf("hello: %w", err)
	}
	if _, err := s.Write(data); err != nil {
		_ = s.Reset()
		return fmt.Errorf("hello: %w", err)
	}
	return s.Close()
}

// hearHello serves the hello protocol.
func (h *Host) hearHello(_ context.Context, s network.Stream, asker domain.Asker) {
	var heard *link
	for _, l := range h.linksOf(asker.Peer) {
		if l.conn == s.Conn() {
			heard = l
		}
	}
	if heard == nil || !heard.hellos.Allow() {
		if heard != nil {
			h.complaints.About(asker.Peer, helloProtocol, errHellos)
		}
		_ = s.ResetWithError(network.StreamRateLimited)
		return
	}
	data, err := io.ReadAll(io.LimitReader(s, maxHello+1))
	if err != nil {
		_ = s.Reset()
		return
	}
	hello, instance, err := decodeHello(data)
	if err != nil {
		h.complaints.About(asker.Peer, helloProtocol, err)
		_ = s.ResetWithError(network.StreamProtocolViolation)
		return
	}

	h.mu.Lock()
	if heard.hello == nil {
		heard.greeted = time.Now()
	}
	heard.hello, heard.instance = &hello, instance
	var dead []*link
	if e := h.peers[heard.id]; e != nil {
		e.hello = hello
		for _, l := range e.links {
			// The peer was started again since: what was said to its earlier
			// run is lost, however alive that connection looks.
			if l.number < heard.number && l.instance != 0 && l.instance != instance {
				dead = append(dead, l)
			}
		}
	}
	h.mu.Unlock()
	for _, l := range dead {
		h.hangUp(l, "the peer was started again")
	}
	signal(heard.wake)
}
