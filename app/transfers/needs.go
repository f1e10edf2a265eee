package transfers

import (
	"context"
	"log/slog"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/event"
)

// Engine brings bytes from peers to their place on disk.
type Engine interface {
	// Fetch fetches, verifies and finishes one file and returns its path. It
	// resumes what an earlier call began, and takes from this machine what is
	// there. had is true if the very file was in its place already.
	Fetch(ctx context.Context, want domain.Want, from Providers, report func(domain.Progress)) (final string, had bool, err error)
	// Discard removes what an unfinished fetch left on disk.
	Discard(want domain.Want) error
	// Claim makes a new folder for a folder download below the absolute folder
	// to, under a name made safe and unused, and returns that name.
	Claim(to, name string) (string, error)
	// Holds returns the name of the folder below to that Claim would make if
	// it were free, if all files of these targets and sizes lie in it, where
	// a target begins with the name that was claimed.
	Holds(to, name string, files []domain.TransferFile) (string, bool)
	// Folder makes an empty folder of a download.
	Folder(root, target string, modified time.Time) error
	// Prepare makes the folder that downloads go to. It is called when a
	// download is asked for, never later: a folder that went away may lie on a
	// drive that was unplugged.
	Prepare(folder string) error
	// Size asks peer how large a content is there, in bytes: a claim.
	Size(ctx context.Context, peer domain.PeerID, content domain.ContentID) (int64, error)
	// Look returns the first most bytes of a content of that size, from this
	// machine if they are here, else from those named, of whom it asks no more
	// than that. most is at least 1 unless the size is 0, and at most
	// domain.MostPeek.
	Look(ctx context.Context, content domain.ContentID, size, most int64, from []domain.PeerID) ([]byte, error)
	// Holders returns who was said, lately, to hold or fetch the content too.
	Holders(content domain.ContentID) []domain.PeerID
	// Free returns the free bytes where folder lies.
	Free(folder string) (int64, error)
}

// Providers tells who may be asked for a content.
type Providers interface {
	// Providers returns the peers at this moment.
	Providers() []domain.PeerID
	// Changed returns a channel that is closed when Providers may answer
	// differently than after this call.
	Changed() <-chan struct{}
}

// Catalogue tells what others share.
type Catalogue interface {
	Below(peer domain.PeerID, path string) (entries []domain.Entry, folder bool, err error)
	Providers(content domain.ContentID) ([]domain.Provider, domain.Entry)
	// Settle waits until what the peer announced is here, or ctx has ended.
	Settle(ctx context.Context, peer domain.PeerID) bool
	// Current reports whether what the peer announced is here.
	Current(peer domain.PeerID) bool
}

// People tells who is around.
type People interface {
	Peer(id domain.PeerID) (domain.Peer, bool)
	People() []domain.Peer
}

// Store keeps transfers over restarts.
type Store interface {
	PutTransfer(ctx context.Context, t domain.Transfer) error
	// MarkFiles notes where finished files lie, by their index; nowhere for
	// those that are not finished any more.
	MarkFiles(ctx context.Context, id string, finals map[int]domain.Finished) error
	DropTransfer(ctx context.Context, id string) error
	Transfers() ([]domain.Transfer, error)
	// PutFound keeps where the files of downloads lie that were dropped; with
	// no path, that one lies nowhere any more.
	PutFound(ctx context.Context, found map[domain.ContentID]domain.Found) error
	Found() (map[domain.ContentID]domain.Found, error)
}

// Config is what Transfers needs.
type Config struct {
	Engine    Engine
	Catalogue Catalogue
	People    People
	Store     Store
	Bus       *event.Bus
	Log       *slog.Logger
	Now       func() time.Time
	// Downloads returns the download folder.
	Downloads func() string
	// Network reports whether there is a network at all.
	Network func() bool
	// Shared returns the entry that an own share has for the content.
	Shared func(domain.ContentID) (domain.Entry, bool)
	// Own reports whether an own share has the content.
	Own func(domain.ContentID) bool
	// Offered reports whether what an offer is made of can still be fetched. Nil:
	// it always can.
	Offered func(offer string) bool
	// AtOnce is how many downloads run at once, at first.
	AtOnce int
	// Hidden reports whether this machine is hidden from others, so that nobody
	// is asked on the off-chance. Nil: never.
	Hidden func() bool
}
