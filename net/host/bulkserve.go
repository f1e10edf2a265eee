package host

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/transport"
	manet "github.com/multiformats/go-multiaddr/net"

	"github.com/potluck-share/potluck/app/domain"
)

// After the TLS handshake, whoever connected names the protocol, its version
// included: one byte of length and so many of name. The answer is a verdict in
// one byte, and with one byte of length words for a person.
const (
	bulkWelcome byte = iota + 1
	bulkRefused
	bulkUnknown // the protocol
	bulkBusy
)

const (
	// bulkALPN keeps other uses of the same identity over TLS apart.
	bulkALPN = "potluck-bulk/1"
	// maxBulks is how many bulk connections a peer may have to us, and we to it.
	maxBulks = 4
	// maxShaking bounds the handshakes of strangers that go on at once.
	maxShaking   = 16
	maxProtoName = 128
)

// HandleBulk serves a protocol, named like "/potluck/transfer/1", to peers that
// use OpenBulk. Whoever may not by the rule, as judged for the very connection,
// is refused, and so is a fifth connection of a peer.
//
// handler runs in a goroutine of its own, which Close waits for; its context
// ends at Close, and when it returns the connection is ended. Deadlines are the
// handler's business. A connection whose peer is blocked later, or stops being
// near, is ended at the next Rejudge; a handler that answers many requests asks
// Bulk.Asker for each.
func (h *Host) HandleBulk(proto string, rule Rule, handler func(ctx context.Context, b *Bulk)) {
	h.bulks.mu.Lock()
	defer h.bulks.mu.Unlock()
	if h.bulks.handlers == nil {
		h.bulks.handlers = make(map[string]bulkHandler)
	}
	h.bulks.handlers[proto] = bulkHandler{rule, handler}
}

// acceptBulk serves what comes in on a listener until that ends.
func (h *Host) acceptBulk(l transport.GatedMaListener) {
	for {
		conn, scope, err := l.Accept()
		if err != nil {
			return
		}
		refuse := func() {
			_ = conn.Close() // nothing was said yet
			scope.Done()
		}
		if h.bulks.shaking.Add(1) > maxShaking {
			h.bulks.shaking.Add(-1)
			refuse()
			continue
		}
		started := h.tasks.spawn(func() { h.serveBulk(conn, scope) })
		if !started {
			refuse()
			return
		}
	}
}

// serveBulk is an inbound connection from its first byte to its end.
func (h *Host) serveBulk(conn manet.Conn, scope network.ConnManagementScope) {
	b, handler, err := h.welcomeBulk(conn, scope)
	h.bulks.shaking.Add(-1)
	if err != nil {
		_ = conn.Close() // it ends in any case; what was written is still sent
		scope.Done()
		h.log.Debug("a bulk connection was refused", "addr", conn.RemoteMultiaddr().String(), "err", err)
		return
	}
	ctx, cancel := context.WithCancel(h.ctx)
	defer cancel()
	defer func() { _ = b.Reset() }() // it ends in any case
	handler.serve(ctx, b)
}

// welcomeBulk shakes hands, hears which protocol is wanted, and admits the peer
// or says why not.
func (h *Host) welcomeBulk(conn manet.Conn, scope network.ConnManagementScope) (*Bulk, bulkHandler, error) {
	end := time.Now().Add(h.times.shake)
	if err := conn.SetDeadline(end); err != nil {
		return nil, bulkHandler{}, err
	}
	ctx, cancel := context.WithDeadline(h.ctx, end)
	defer cancel()
	b, err := h.secure(ctx, conn, "", scope)
	if err != nil {
		return nil, bulkHandler{}, err
	}
	b.inbound = true
	if h.blocked(b.id) {
		return nil, bulkHandler{}, fmt.Errorf("%w: blocked", domain.ErrRefused) // and no word
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	proto, err := readProto(b.conn)
	if err != nil {
		return nil, bulkHandler{}, err
	}
	handler, err := h.admitBulk(b, proto)
	if err != nil {
		return nil, bulkHandler{}, errors.Join(err, sayVerdict(b.conn, err))
	}
	err = sayVerdict(b.conn, nil)
	if err == nil && !stop() {
		err = ctx.Err()
	}
	if err == nil {
		err = conn.SetDeadline(time.Time{})
	}
	if err != nil {
		h.bulks.remove(b)
		return nil, bulkHandler{}, err
	}
	return b, handler, nil
}

// admitBulk decides whether the connection may be used for the protocol.
func (h *Host) admitBulk(b *Bulk, proto string) (bulkHandler, error) {
	handler, known := h.bulks.handler(proto)
	asker := b.Asker()
	b.rule, b.wasNear = handler.rule, asker.Near
	switch {
	case !known:
		return handler, fmt.Errorf("%w: this peer does not serve %s", domain.ErrVersion, strings.ToValidUTF8(proto, "?"))
	case !handler.rule.admits(asker):
		return handler, fmt.Errorf("%w: you are not nearby for this peer", domain.ErrRefused)
	}
	if err := h.bulks.add(b); err != nil {
		return handler, err
	}
	if err := b.widen(); err != nil {
		h.bulks.remove(b)
		return handler, err
	}
	return handler, nil
}

// secure does the TLS handshake on a connection, whose deadline is set. who is
// the peer that must be at the other end, empty for anyone.
func (h *Host) secure(ctx context.Context, conn manet.Conn, who peer.ID, scope network.ConnManagementScope) (*Bulk, error) {
	config, keys := h.bulks.identity.ConfigForPeer(who)
	config.NextProtos = []string{bulkALPN}
	// Small records at the beginning are for web pages.
	config.DynamicRecordSizingDisabled = true
	raw := &corked{Conn: conn}
	var secured *tls.Conn
	if who == "" {
		secured = tls.Server(raw, config)
	} else {
		secured = tls.Client(raw, config)
	}
	if err := secured.HandshakeContext(ctx); err != nil {
		return nil, fmt.Errorf("bulk handshake: %w", err)
	}
	if secured.ConnectionState().NegotiatedProtocol != bulkALPN {
		return nil, fmt.Errorf("bulk handshake: %w: the other side wants something else", domain.ErrVersion)
	}
	var key crypto.PubKey
	select {
	case key = <-keys:
	default:
	}
	if key == nil {
		return nil, fmt.Errorf("bulk handshake: %w: no key came", domain.ErrMalformed)
	}
	id, err := peer.IDFromPublicKey(key)
	if err != nil {
		return nil, fmt.Errorf("bulk handshake: %w", err)
	}
	if scope.PeerScope() == nil {
		if err := scope.SetPeer(id); err != nil {
			return nil, fmt.Errorf("bulk handshake: %w: %w", domain.ErrBusy, err)
		}
	}
	return &Bulk{
		h: h, conn: secured, raw: raw, scope: scope,
		pid: id, id: domain.PeerID(id.String()), remote: conn.RemoteMultiaddr(),
	}, nil
}

// widen gives the connection its buffers, within the peer's limits.
func (b *Bulk) widen() error {
	if err := b.scope.ReserveMemory(2*bulkBuffer, network.ReservationPriorityAlways); err != nil {
		return fmt.Errorf("%w: %w", domain.ErrBusy, err)
	}
	b.raw.widen(func() { b.h.activity.touch(b.pid) })
	return nil
}

func readProto(r io.Reader) (string, error) {
	text, err := readText(r)
	switch {
	case err != nil:
		return "", fmt.Errorf("hear the protocol: %w", err)
	case len(text) == 0 || len(text) > maxProtoName:
		return "", fmt.Errorf("%w: a protocol name of %d bytes", domain.ErrMalformed, len(text))
	}
	return text, nil
}

// readText reads a byte of length and so many bytes.
func readText(r io.Reader) (string, error) {
	var length [1]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return "", err
	}
	text := make([]byte, length[0])
	if _, err := io.ReadFull(r, text); err != nil {
		return "", err
	}
	return string(text), nil
}

func writeText(out []byte, text string) []byte {
	text = cut(text, 255)
	return append(append(out, byte(len(text))), text...)
}

// sayVerdict tells the peer whether it may stay, and if not, why.
func sayVerdict(w io.Writer, why error) error {
	verdict, words := bulkWelcome, ""
	switch {
	case why == nil:
	case errors.Is(why, domain.ErrVersion):
		verdict, words = bulkUnknown, why.Error()
	case errors.Is(why, domain.ErrRefused):
		verdict, words = bulkRefused, why.Error()
	default:
		verdict, words = bulkBusy, why.Error()
	}
	_, err := w.Write(writeText([]byte{verdict}, words))
	return err
}

// readVerdict reads what sayVerdict wrote.
func readVerdict(r io.Reader) error {
	var verdict [1]byte
	if _, err := io.ReadFull(r, verdict[:]); err != nil {
		return fmt.Errorf("%w: %w", domain.ErrOffline, err)
	}
	words, err := readText(r)
	if err != nil {
		return fmt.Errorf("%w: %w", domain.ErrOffline, err)
	}
	words = strings.ToValidUTF8(words, "?")
	switch verdict[0] {
	case bulkWelcome:
		return nil
	case bulkRefused:
		return fmt.Errorf("%w: the peer says %q", domain.ErrRefused, words)
	case bulkUnknown:
		return fmt.Errorf("%w: the peer says %q", domain.ErrVersion, words)
	default:
		return fmt.Errorf("%w: the peer says %q", domain.ErrBusy, words)
	}
}

// linger sets how many seconds of what was written outlive the closing.
func linger(conn net.Conn, seconds int) {
	if c, ok := conn.(interface{ SetLinger(sec int) error }); ok {
		_ = c.SetLinger(seconds) // then it is as the system likes it
	}
}
