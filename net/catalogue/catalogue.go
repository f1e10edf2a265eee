package catalogue

import (
	"context"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"golang.org/x/time/rate"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/host"
)

// Protocol is the name under which catalogues are pulled.
const Protocol = "/potluck/catalogue/1"

// version is what this end speaks within Protocol. A request of a newer one is
// answered in words.
const version = 1

// Limits on both ends.
const (
	maxEntries    = 2000    // entries of a page
	maxPage       = 4 << 20 // bytes of a page, unpacked
	maxFrame      = 2 << 20 // bytes of a page as it travels
	maxRequest    = 1 << 10 // bytes of a request or a response
	firstEntries  = 200     // entries of the first page that is sent: a screen or two
	softPage      = 1 << 20 // bytes after which a page that is sent is full
	pullsPerAsker = 2       // at the same time

	greetTime = 10 * time.Second // for request and response
	idleTime  = 30 * time.Second // for one page
	pullTime  = 30 * time.Minute // for all pages
)

// Host is what this package needs of the libp2p host; *host.Host has it.
type Host interface {
	// Asker says who is at the other end of the connection.
	Asker(conn network.Conn) domain.Asker
	// Handle serves a protocol to those that the rule lets in.
	Handle(proto string, rule host.Rule, handler func(ctx context.Context, s network.Stream, asker domain.Asker))
	// Open opens a stream of a protocol to the peer.
	Open(ctx context.Context, peer domain.PeerID, proto string) (network.Stream, error)
}

var _ Host = (*host.Host)(nil)

// Source is an own catalogue.
type Source interface {
	// Page returns the part of the catalogue that follows cursor, as asker may
	// see it: of the changes since a version, or of everything if since is zero
	// or too long ago. An empty cursor begins, Page.Next goes on.
	Page(ctx context.Context, asker domain.Asker, since domain.Version, cursor string) (domain.Page, error)
	// OfferPage returns the part of what is in an offer to the asker that
	// follows cursor, a full page like those of Page. The error wraps
	// domain.ErrNotFound if there is no such offer to that asker.
	OfferPage(ctx context.Context, asker domain.Asker, offer, cursor string) (domain.Page, error)
	// Find returns up to most entries whose path holds all the words, which are
	// in lower case, as asker may see them: all that it finds in a moment.
	Find(ctx context.Context, asker domain.Asker, words []string, most int) ([]domain.Entry, error)
}

// The limits of a question for entries.
const (
	// MostFound is how many entries answer one.
	MostFound = 50
	// maxWords and maxWord are how many words it has, of how many bytes.
	maxWords = 16
	maxWord  = 128
	// findTime is how long looking for them may take.
	findTime = time.Second
	// Each asker may ask so often per second, with such a burst; so many are
	// answered at once.
	findRate   rate.Limit = 1
	findBurst  int        = 8
	findAtOnce            = 4
)
