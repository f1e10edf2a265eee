package host

import (
	"slices"

	"github.com/potluck-share/potluck/app/domain"
)

// tell queues the peer's presence if it differs from what was told last. h.mu
// is held.
func (h *Host) tell(e *entry) {
	if h.cfg.Presence == nil {
		return
	}
	p := domain.Presence{Peer: e.id, Hello: e.hello}
	judged := false
	greeted := false
	for _, l := range slices.Backward(e.links) {
		if !l.judged || l.conn.IsClosed() {
			continue
		}
		judged = true
		p.Connected = true
		if l.asker.Near && !p.Near {
			p.Near, p.Network = true, l.asker.Network
		}
		if l.hello != nil && !greeted {
			greeted = true
			p.Hello = *l.hello
		}
	}
	if judged && !greeted {
		p.Hello = domain.Hello{}
	}
	for _, a := range e.addrs {
		p.Addresses = append(p.Addresses, a.addr.String())
	}
	if e.told.Peer == "" && !p.Connected {
		return // nobody has heard of it yet
	}
	if same(e.told, p) {
		return
	}
	e.told = p
	// A reader that lags sees the latest state, but every end of a connection.
	for i, old := range slices.Backward(h.presence) {
		if old.Peer != e.id {
			continue
		}
		if old.Connected == p.Connected {
			h.presence = slices.Delete(h.presence, i, i+1)
		}
		break
	}
	h.presence = append(h.presence, p)
	signal(h.queued)
}

func same(a, b domain.Presence) bool {
	return a.Peer == b.Peer && a.Connected == b.Connected && a.Near == b.Near && a.Network == b.Network &&
		a.Hello == b.Hello && slices.Equal(a.Addresses, b.Addresses)
}

// presenceLoop hands presences over, one after the other.
func (h *Host) presenceLoop() {
	for {
		select {
		case <-h.ctx.Done():
			return
		case <-h.queued:
		}
		h.mu.Lock()
		batch := h.presence
		h.presence = nil
		h.mu.Unlock()
		for _, p := range batch {
			h.cfg.Presence(p)
		}
	}
}
