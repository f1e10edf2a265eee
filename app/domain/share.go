package domain

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// AudienceKind says whom an audience is made of. The zero value, like every
// value that this version does not know, means nobody.
type AudienceKind string

// The kinds of audience.
const (
	Nobody   AudienceKind = ""
	Everyone AudienceKind = "everyone" // everyone nearby
	Friends  AudienceKind = "friends"
	Chosen   AudienceKind = "chosen" // the people in Audience.Peers
)

// Audience says who may see and fetch a share.
type Audience struct {
	Kind  AudienceKind
	Peers []PeerID // for Chosen only
}

// String returns the form that the --audience flag takes: everyone, friends,
// or peer IDs with commas between them.
func (a Audience) String() string {
	switch a.Kind {
	case Everyone, Friends:
		return string(a.Kind)
	case Chosen:
		ids := make([]string, len(a.Peers))
		for i, id := range a.Peers {
			ids[i] = string(id)
		}
		return strings.Join(ids, ",")
	default:
		return "nobody"
	}
}

// Includes reports whether asker is in the audience. It knows nothing of
// blocking, which is asked about first.
func (a Audience) Includes(asker Asker) bool {
	if asker.Peer == "" {
		return false
	}
	switch a.Kind {
	case Everyone:
		return asker.Near && !asker.Withheld || asker.Friend
	case Friends:
		return asker.Friend
	case Chosen:
		return slices.Contains(a.Peers, asker.Peer)
	default:
		return false
	}
}

// Asker is who asks for something, as this machine knows it for the very
// connection that the question came on. The zero value is a far stranger.
type Asker struct {
	Peer   PeerID
	Near   bool
	Friend bool
	// Network names the network on which the asker is near; empty if unknown.
	Network string
	// Withheld is true for somebody near on a network on which the user shows
	// what is shared to friends only.
	Withheld bool
}

// ShareState says how a share is doing.
type ShareState string

// The states of a share.
const (
	ShareReading    ShareState = "reading" // being hashed; what is done is already offered
	ShareReady      ShareState = "shared"
	ShareGone       ShareState = "gone"       // the file or folder is not there any more
	ShareUnreadable ShareState = "unreadable" // nothing in it could be read
)

// Share is a file or folder that this peer offers.
type Share struct {
	// Name is what others see: the base name of Path, made unique.
	Name string
	// Path is the absolute local path. It never leaves this machine.
	Path     string
	Folder   bool
	Audience Audience
	// Offer is the ID of the offer that it belongs to. It is then no share that
	// anybody is shown; empty for shares.
	Offer string
	Added time.Time
	// Entries and Bytes count the files that are offered, without folders.
	Entries int
	Bytes   int64
	State   ShareState
	// Problem says in words what is wrong, to whom it may concern: this user.
	Problem Saying
	// Fetched is how often somebody fetched something of it.
	Fetched int
	// Read and ToRead are the bytes hashed so far and in all while reading.
	Read, ToRead int64
}

// File is an entry of an own share together with what was seen on disk when it
// was hashed. A file whose size or time differs from it has changed.
type File struct {
	Entry
	// ModifiedNano is the file's time as the file system tells it, in
	// nanoseconds since 1970.
	ModifiedNano int64
	// Layer holds the chaining values of all pieces, 32 bytes each; nil for a
	// file of up to one piece, which is its own layer.
	Layer []byte
}

// ShareFile is a file or folder in an own share, as its owner is shown it.
type ShareFile struct {
	// Entry has in Size, for a folder, the bytes of all files below it; -1 if
	// there are too many to add up.
	Entry
	// Entries is how many files are below a folder; -1 if there are too many
	// to count.
	Entries int
	// Problem says why the file, or something below the folder, is not shared
	// as it is; zero if nothing is wrong. What was never read has neither time
	// nor content.
	Problem Saying
}

// Fetcher is somebody who fetched from an own share, at one time: what came
// without a longer pause.
type Fetcher struct {
	Peer PeerID
	Name string    // as it was known then
	At   time.Time // when the last of the files was through
	// Files is how many went out whole, Bytes how large these are together.
	Files int
	Bytes int64
}

// CatalogueBatch is a change of the own catalogue that is stored as a whole or
// not at all.
type CatalogueBatch struct {
	PutShares []Share
	// DropShares names shares that go, with all their files.
	DropShares []string
	PutFiles   []File
	// DropPaths names files and folders that go, without what lies below.
	DropPaths []string
	// Public is what the change means to those who see only what everyone
	// nearby may see. It goes into the change log, one number each.
	Public []Change
	// ForgetLog says that the change is too large for the log: the log begins
	// anew after it, so that whoever is behind pulls everything.
	ForgetLog bool
}

// Problem is a path that could not be shared, and why.
type Problem struct {
	Path string
	Err  error
}

func (p Problem) Error() string { return fmt.Sprintf("%s: %v", p.Path, p.Err) }

// Unwrap returns the reason.
func (p Problem) Unwrap() error { return p.Err }

// ShareReport is what became of a request to share.
type ShareReport struct {
	Shared   []Share
	Already  []Share // were shared before
	Problems []Problem
	Skipped  int // left out on purpose: .DS_Store, unfinished downloads, …
}

// RiskKind says why sharing a path deserves a question first.
type RiskKind string

// The risks that are asked about.
const (
	RiskHome   RiskKind = "home"   // the whole home folder
	RiskRoot   RiskKind = "root"   // a whole drive
	RiskHidden RiskKind = "hidden" // a hidden or key folder, such as .ssh
	RiskMany   RiskKind = "many"   // over 50,000 files
)

// Risk is one path that should only be shared after a question.
type Risk struct {
	Kind  RiskKind
	Path  string
	Files int // how many files would be visible; counting stops at some limit
	More  bool
}
