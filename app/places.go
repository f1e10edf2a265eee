package app

import (
	"context"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/networks"
	"github.com/potluck-share/potluck/app/shape"
)

// openPlaces opens what is known of the networks around.
func (n *node) openPlaces() {
	n.places = networks.New(networks.Config{
		Present: func() []domain.Network {
			if d := n.around.service.Load(); d != nil {
				return d.Networks()
			}
			return nil
		},
		Kept: func() []domain.Network { return n.settings.Values().Networks },
		Keep: func(ctx context.Context, all []domain.Network) error {
			return n.settings.Update(ctx, func(s *domain.Settings) { s.Networks = all })
		},
		Always: n.opts.serving, Changed: n.shownChanged,
		Bus: n.bus, Log: n.log.With("room", "networks"),
	})
}

// shownChanged makes it count at once on which networks shares are shown.
func (n *node) shownChanged() {
	n.host.Rejudge()
	n.announce()
}

func (n *node) handleNetworks(_ context.Context, _ struct{}, emit func(any) error) error {
	return emitAll(n.places.Networks(), shape.OfNetwork, emit)
}

// handleAnswerNetwork says who sees what is shared on a network, which is known
// by its ID or, where that tells enough, its name.
func (n *node) handleAnswerNetwork(ctx context.Context, r shape.NetworkRequest, _ func(any) error) error {
	var named []string
	for _, one := range n.places.Networks() {
		if one.ID == r.Network {
			return n.places.Answer(ctx, one.ID, r.Answer)
		}
		if one.Name == r.Network {
			named = append(named, one.ID)
		}
	}
	switch len(named) {
	case 0: // Answer says that there is none
	case 1:
		r.Network = named[0]
	default:
		return domain.Fault(domain.ErrUsage, "several networks are called \"%s\"; use the ID", r.Network)
	}
	return n.places.Answer(ctx, r.Network, r.Answer)
}
