package app

import (
	"context"
	"net/netip"

	"github.com/potluck-share/potluck/app/doctor"
	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/shape"
)

// checkup is what the doctor looks at: discovery, the host, and those who try.
type checkup struct{ *node }

func (c checkup) Ask() { c.around.Ask() }

func (c checkup) Ears() []domain.Ear {
	if d := c.around.service.Load(); d != nil {
		return d.Ears()
	}
	return nil
}

func (c checkup) TryMe(ctx context.Context, peer domain.PeerID) (domain.Reach, error) {
	return c.reacher.TryMe(ctx, peer)
}

func (c checkup) Reach(ctx context.Context, peer domain.PeerID) error {
	return c.host.Visit(ctx, peer, nil)
}

func (c checkup) Prefixes() []netip.Prefix { return c.around.Prefixes() }

func (c checkup) Near(peer domain.PeerID) bool { return c.host.Near(peer) }

func (n *node) openDoctor() {
	n.doctor = doctor.New(doctor.Config{
		Network: checkup{n}, People: n.people.People, Peer: n.people.Peer, Status: n.describe,
		Reserved: n.places.Reserved, Alone: n.opts.loopbackOnly(),
	})
}

// handleDoctor finds out why people, or one person, cannot be seen or reached.
func (n *node) handleDoctor(ctx context.Context, r shape.PeerRequest, emit func(any) error) error {
	if r.Peer == "" {
		return emitAll(n.doctor.Check(ctx), shape.OfFinding, emit)
	}
	who, err := n.people.Find(r.Peer)
	if err != nil {
		blocked, blockedErr := n.people.FindBlocked(r.Peer)
		if blockedErr != nil {
			return err
		}
		who = blocked
	}
	found, err := n.doctor.CheckPerson(ctx, who.ID)
	if err != nil {
		return err
	}
	return emitAll(found, shape.OfFinding, emit)
}
