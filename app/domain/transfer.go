package domain

import (
	"io/fs"
	"slices"
	"time"
)

// TransferKind tells downloads, uploads and offers apart.
type TransferKind string

// The kinds of transfer.
const (
	Download TransferKind = "download"
	Upload   TransferKind = "upload"
	Offering TransferKind = "offer"
)

// TransferState is what a transfer is doing.
type TransferState string

// The states of a transfer.
const (
	Queued    TransferState = "queued"
	Running   TransferState = "running"
	Waiting   TransferState = "waiting" // for something that Reason names; goes on by itself
	Paused    TransferState = "paused"  // by the user
	Done      TransferState = "done"
	Failed    TransferState = "failed"
	Cancelled TransferState = "cancelled"
)

// Ended reports whether the state is final.
func (s TransferState) Ended() bool { return s == Done || s == Failed || s == Cancelled }

// TransferFile is one file of a transfer.
type TransferFile struct {
	Entry
	// Target is where it goes, relative to Transfer.Folder, slash-separated
	// and not yet made safe.
	Target string
	// Final is the absolute path of the finished file; empty until then.
	Final string
	// Written is the time that the finished file had on disk when this
	// transfer had made it; zero if it was there before, or is not finished.
	Written time.Time
	// Skipped is true for a file that the user does not want.
	Skipped bool
}

// FileProgress is one file of a transfer and how far it is.
type FileProgress struct {
	TransferFile
	// State is Queued for one that has not begun, Done for one that is here;
	// those that are skipped have the state that they would go on from.
	State TransferState
	Done  int64 // verified bytes
}

// Finished tells of a finished file of a transfer what TransferFile does.
type Finished struct {
	Final   string
	Written time.Time
}

// Found is where a content lies that was downloaded at some time.
type Found struct {
	Path string // absolute
	Size int64
	// Written is TransferFile's.
	Written time.Time
}

// Fits reports whether a file, of which Lstat says this, is still what was found
// as far as that tells: a regular one of the same size, and time if it is known.
func (f Found) Fits(info fs.FileInfo) bool {
	return info.Mode().IsRegular() && info.Size() == f.Size && (f.Written.IsZero() || info.ModTime().Equal(f.Written))
}

// Found returns where a finished file lies.
func (f *TransferFile) Found() Found { return Found{Path: f.Final, Size: f.Size, Written: f.Written} }

// TransferProvider is somebody whom a download comes from, or may come from.
type TransferProvider struct {
	Peer    PeerID
	Name    string
	Online  bool
	Serving bool    // at this moment
	Rate    float64 // bytes per second
	// Done is how many verified bytes came from there since Potluck started.
	Done int64
}

// Transfer is a download or an upload. A folder is one transfer of many files.
type Transfer struct {
	ID   string
	Kind TransferKind
	// Peer is whom it was asked of, or who asked for it; empty for a bare
	// content ID.
	Peer     PeerID
	PeerName string
	// Path is the path at the peer, or a content ID in hex.
	Path string
	// Folder is the absolute local folder into which a download goes.
	Folder string
	// Final is the absolute path of the finished file or folder.
	Final string
	// Files may be empty in events, which carry Count instead. Count, Size and
	// Done tell of those that are not skipped.
	Files []TransferFile
	Count int
	Size  int64
	Done  int64   // verified bytes
	Rate  float64 // bytes per second
	State TransferState
	// Reason says in a sentence why it waits or failed; empty while it runs.
	Reason Saying
	// Failure is the error kind of a failed or waiting transfer, as ErrorKind
	// names it.
	Failure   string
	Providers int // serving it at this moment
	// From names up to four of them, whom it was asked of first.
	From  []string
	Added time.Time
	Ended time.Time
	// Parts is true while what was fetched of the unfinished files of a
	// cancelled download is kept, so that it can go on where it was.
	Parts bool
	// Offer is the ID of the offer that a download is made of; empty for one that
	// the user asked for. What it is made of is in no catalogue then.
	Offer string
	// Incoming is true for an offer that somebody else makes.
	Incoming bool
	Note     string // that comes with an offer
	// Order is its place among all downloads: those with lower ones run first.
	Order int64
	// Queue is its place among the queued ones, from 1; 0 if it is not queued.
	Queue int
}

// Progress is how far the fetching of one content is.
type Progress struct {
	Done      int64 // verified bytes, those of earlier runs included
	Providers int   // serving it at this moment
	// Checking is true while what lies on this machine is looked through, of
	// which Checked bytes are done, -1 if that is not known.
	Checking bool
	Checked  int64
	// Damaged is who sent wrong bytes last, and is not asked any more; empty
	// if nobody did.
	Damaged PeerID
	// From is who serves it or has brought something, by ID.
	From []Served
}

// Served is what came from one provider.
type Served struct {
	Peer    PeerID
	Done    int64 // verified bytes of this fetch
	Serving bool  // at this moment
	// Queue is our place in the provider's queue, from 1; 0: it does not let us
	// wait in one.
	Queue int
}

// Equal reports whether p tells the same as other.
func (p Progress) Equal(other Progress) bool {
	return p.Done == other.Done && p.Providers == other.Providers && p.Checking == other.Checking &&
		p.Checked == other.Checked && p.Damaged == other.Damaged && slices.Equal(p.From, other.From)
}

// Want names a content that is to be fetched, and from whom.
type Want struct {
	Content ContentID
	Size    int64 // -1 if only the content ID is known
	// Modified is given to the finished file; zero leaves it.
	Modified time.Time
	// Owner is whom it was asked of; empty if nobody in particular.
	Owner PeerID
	// Folder is the absolute folder, Target the slash-separated path in it.
	Folder string
	Target string
	// Private is true if it was given to this user alone, and so is not served on.
	Private bool
	// New is true if nothing of it can lie there yet.
	New bool
}

// Grant is an owner's leave for one peer to fetch one content, until a time,
// from others who got it from the owner.
type Grant struct {
	Content ContentID
	Size    int64
	Holder  PeerID // who may fetch
	Issuer  PeerID // the owner, who signed it
	Expires time.Time
}

// TakeRequest asks for a download of what an offer is made of.
type TakeRequest struct {
	Peer  PeerID
	Offer string // its ID
	Name  string // what it is called, cleaned for display
	// Entries are all that is in it, paths as the peer tells them.
	Entries []Entry
	To      string // absolute local folder; empty: the download folder
}

// GetRequest asks for a download: of what lies at Path with Peer, or of a bare
// Content.
type GetRequest struct {
	Peer    PeerID
	Path    string    // slash-separated, beginning with the share's name; a file or a folder
	Content ContentID // used if Peer is empty
	To      string    // absolute local folder; empty: the download folder
	// Only holds patterns of those files of a folder that are wanted; empty:
	// all of them.
	Only []string
}
