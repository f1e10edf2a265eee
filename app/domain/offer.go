package domain

import "time"

// OfferState is how an offer is doing.
type OfferState string

// The states of an offer. The words are the sender's; the receiver knows those
// from OfferAsked on.
const (
	OfferReading   OfferState = "reading"   // the files are being hashed
	OfferWaiting   OfferState = "waiting"   // the other side is away
	OfferAsked     OfferState = "asked"     // the other side has it, and has not answered
	OfferAccepted  OfferState = "accepted"  // it is being fetched
	OfferDone      OfferState = "done"      // everything has arrived
	OfferDeclined  OfferState = "declined"  // by the receiver
	OfferWithdrawn OfferState = "withdrawn" // by the sender
	OfferFailed    OfferState = "failed"    // Reason says why
)

// Ended reports whether the state is final.
func (s OfferState) Ended() bool {
	return s == OfferDone || s == OfferDeclined || s == OfferWithdrawn || s == OfferFailed
}

const (
	// MaxNote is the longest note that comes with an offer, in bytes.
	MaxNote = 1000
	// MaxOfferItems is how many files and folders one offer has at most, those
	// inside the folders not counted.
	MaxOfferItems = 1000
	// MaxOfferEntries is how many files are in one offer at most.
	MaxOfferEntries = 1_000_000
)

// Offer is files and folders that one person wants to give to one other.
type Offer struct {
	// ID is drawn by the sender, at random: 32 hex digits.
	ID       string
	Incoming bool
	Peer     PeerID // who gives it, or to whom it is given
	PeerName string
	// Name is what its first file or folder is called, Items how many of them
	// there are, Folder whether the first one is a folder. What comes from a
	// peer is cleaned for display.
	Name   string
	Items  int
	Folder bool
	// Entries counts the files in all, Bytes what they hold.
	Entries int
	Bytes   int64
	Note    string // a text that came along; cleaned for display
	State   OfferState
	// Reason says why it waits, or failed.
	Reason Saying
	Added  time.Time
	Ended  time.Time
	// Paths are the absolute local paths that are offered; empty for an
	// incoming one. They never leave this machine.
	Paths []string
	// To is the folder into which an accepted one is put; "" stands for the download folder.
	To string
	// Transfer is the ID of the download that was made of an accepted one.
	Transfer string
	// Untold is true while the other side is still to be told of the state.
	Untold bool
	// Removed is true for one that is kept only until the other side is told.
	Removed bool
	// Problem says what could not be read and is not offered; known to the run
	// only that read it.
	Problem Saying
	// Sent is how many bytes of an accepted one went to the receiver in this run,
	// Rate how many go there a second.
	Sent int64
	Rate float64
	// Read and ToRead are the bytes hashed so far and in all while reading.
	Read, ToRead int64
}

// OfferSummary is what the receiver of an offer is told of it at first.
type OfferSummary struct {
	ID      string
	Name    string
	Items   int
	Folder  bool
	Entries int
	Bytes   int64
	Note    string
}

// OfferAnswer is what the receiver of an offer says to it.
type OfferAnswer string

// The answers to an offer.
const (
	OfferAccept  OfferAnswer = "accept"
	OfferDecline OfferAnswer = "decline"
	OfferArrived OfferAnswer = "arrived" // everything is there, verified
)
