package app

import (
	"context"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/potluck-share/potluck/app/browse"
	"github.com/potluck-share/potluck/app/control"
	"github.com/potluck-share/potluck/app/doctor"
	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/event"
	"github.com/potluck-share/potluck/app/library"
	"github.com/potluck-share/potluck/app/networks"
	"github.com/potluck-share/potluck/app/people"
	"github.com/potluck-share/potluck/app/settings"
	"github.com/potluck-share/potluck/app/transfers"
	"github.com/potluck-share/potluck/app/transfers/offers"
	"github.com/potluck-share/potluck/net/catalogue"
	"github.com/potluck-share/potluck/net/gossip"
	"github.com/potluck-share/potluck/net/host"
	"github.com/potluck-share/potluck/net/offer"
	"github.com/potluck-share/potluck/net/reach"
	"github.com/potluck-share/potluck/net/transfer/fetch"
	"github.com/potluck-share/potluck/net/transfer/limit"
	"github.com/potluck-share/potluck/net/transfer/provide"
	"github.com/potluck-share/potluck/net/whereabouts"
)

// node is a running Potluck without its window: all rooms, wired.
type node struct {
	opts options
	log  *slog.Logger
	bus  *event.Bus

	settings  *settings.Settings
	people    *people.People
	browse    *browse.Browse
	library   *library.Library
	transfers *transfers.Transfers
	offers    *offers.Offers

	holdings *transfers.Holdings

	host       *host.Host
	port       int // that was to be listened on; 0 if --listen says where
	around     surroundings
	fetcher    *fetch.Fetcher
	provider   *provide.Provider
	limits     *limit.Limits
	pace       *pace
	catalogues *catalogue.Client
	gossip     *gossip.Gossip
	friends    people.FriendNetwork
	giving     *offer.Offers
	heads      *headKeeper
	crowds     crowds
	places     *networks.Networks
	doctor     *doctor.Doctor
	reacher    *reach.Reacher
	sightings  sightings
	room       room
	backups    *backupKeeper
	teller     *whereabouts.Teller
	grapes     *grapevine
	hidden     atomic.Bool // others are not to see this machine

	// closers undo what was started, to be run last to first.
	closers []closer
}

// closer is one step of stopping, with its name for the log.
type closer struct {
	name string
	stop func() error
}

// startNode starts everything on a data folder whose lock the caller holds. The
// settings are open already. What was started is stopped again if something
// fails.
func startNode(ctx context.Context, opts options, chosen *settings.Settings, bus *event.Bus, log *slog.Logger) (n *node, err error) {
	n = &node{opts: opts, log: log, bus: bus, settings: chosen, sightings: make(sightings)}
	n.hidden.Store(chosen.Values().Hidden)
	n.around.alone = opts.loopbackOnly()
	defer func() {
		if err != nil {
			n.close()
			n = nil
		}
	}()
	store, err := n.openDatabase(ctx)
	if err != nil {
		return n, err
	}
	identity, err := host.LoadIdentity(filepath.Join(opts.data, "identity.key"))
	if err != nil {
		return n, err
	}
	n.openPlaces()
	if err := n.openHost(ctx, identity); err != nil {
		return n, err
	}
	if err := n.openRooms(store); err != nil {
		return n, err
	}
	if err := n.openProtocols(ctx, store); err != nil {
		return n, err
	}
	return n, n.start(ctx)
}

// onClose registers a step of stopping.
func (n *node) onClose(name string, stop func() error) {
	n.closers = append(n.closers, closer{name, stop})
}

// close stops everything, last to first.
func (n *node) close() {
	for i := len(n.closers) - 1; i >= 0; i-- {
		if err := n.closers[i].stop(); err != nil {
			n.log.Error("while stopping", "part", n.closers[i].name, "err", err)
		}
	}
	n.closers = nil
}

// prepare opens the settings, in the data folder that the caller has made and
// locked, with what the flags say for this run.
func prepare(opts options) (*settings.Settings, error) {
	chosen, err := settings.Open(settingsPath(opts.data), defaults(opts.data))
	if err != nil {
		return nil, err
	}
	if err := chosen.Override(domain.Settings{Name: opts.name, Downloads: opts.downloads, Nearby: opts.nearby}); err != nil {
		return nil, err
	}
	return chosen, nil
}

// acquire takes the data folder's lock. A command that looks whether anyone is
// running holds it for a moment, so that one try is not enough.
func acquire(ctx context.Context, data string) (*control.Lock, bool, error) {
	for tries := 0; ; tries++ {
		lock, ok, err := control.Acquire(data)
		if ok || err != nil || tries == 10 {
			return lock, ok, err
		}
		select {
		case <-ctx.Done():
			return nil, false, ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
}
