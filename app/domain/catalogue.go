package domain

import "time"

// Version numbers the states of a catalogue. The epoch is the time, in
// nanoseconds since 1970, when the change log was begun; the sequence counts
// the changes in it.
type Version struct {
	Epoch    uint64
	Sequence uint64
}

// Newer reports whether v supersedes other: a later epoch, or a later change
// in the same one.
func (v Version) Newer(other Version) bool {
	if v.Epoch != other.Epoch {
		return v.Epoch > other.Epoch
	}
	return v.Sequence > other.Sequence
}

// Head is the small summary of a catalogue that its owner signs.
type Head struct {
	Peer PeerID
	Name string // the owner's nickname, a claim
	Version
	Entries int   // files, without folders
	Bytes   int64 // of all files together
	Time    time.Time
	// Delta holds the changes that lead from the sequence Base of the same epoch
	// to Version, packed as for the network; empty if they are not told.
	Delta string
	Base  uint64
}

// Change is one step in a catalogue's log: the entry at Path is now Entry, or
// is gone if Entry is nil.
type Change struct {
	Path  string
	Entry *Entry
}

// Page is a part of a catalogue: of all of it, or of the changes since a
// version.
type Page struct {
	Version Version
	// Full is true if the pages together replace what was known before; it is
	// told by the first page and repeated by all.
	Full    bool
	Changes []Change
	// Next is handed back to get the following page; empty after the last one.
	Next string
}

// Provider is a peer that has an entry's content, under the path there.
type Provider struct {
	Peer   PeerID
	Name   string // nickname
	Path   string
	Online bool
}

// Result is one row of browsing or searching: an entry with everyone who has
// the same content.
type Result struct {
	Entry
	Providers []Provider
	// Entries is the number of files below a folder.
	Entries int
	// Have is true if this machine shares or has downloaded the content.
	Have bool
}
