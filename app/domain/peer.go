package domain

import "time"

// Peer is a person around, or one that was.
type Peer struct {
	ID PeerID
	// Name is what to call the peer: the name that the user has given it, or
	// else what it calls itself, cleaned for display. A claim.
	Name string
	// Claimed is what it calls itself, where that is not Name; else empty.
	Claimed string
	Version string
	Friend  bool
	Blocked bool
	// LooksLike is the name of a friend that this stranger bears too, though it
	// is another computer; empty if it does not.
	LooksLike string
	// AcceptUpTo is how large an offer of this friend may be, in bytes, to be
	// accepted without asking; 0: always ask.
	AcceptUpTo int64
	Near       bool
	Online     bool
	// LastSeen is when the peer was last heard of; the present while online.
	LastSeen  time.Time
	Addresses []string // multiaddresses without the peer ID
	// Entries and Bytes are what its head says it shares.
	Entries int
	Bytes   int64
	// FarForThem is true while the peer says that we are not near for it.
	FarForThem bool
}

// Person is what is remembered of a peer over restarts.
type Person struct {
	ID        PeerID
	Name      string
	Addresses []string
	LastSeen  time.Time
	Friend    bool
	Blocked   bool
	// Given is the name that the user has given; empty for none.
	Given string
	// Confirmed is whether the user has confirmed the peer as a friend; it is
	// one once the other side has, too.
	Confirmed bool
	// AcceptUpTo is as in Peer.
	AcceptUpTo int64
}

// Source is a way in which peers are found.
type Source string

// The sources of sightings.
const (
	SourceMulticast  Source = "mdns"
	SourceBroadcast  Source = "broadcast"
	SourceTyped      Source = "typed"
	SourceRemembered Source = "remembered"
	SourceTold       Source = "told" // by somebody else who is served
	SourceInvited    Source = "invitation"
)

// Sighting reports where a peer was heard of.
type Sighting struct {
	Peer      PeerID
	Addresses []string // multiaddresses without the peer ID
	Source    Source
	Interface string // the interface it was heard on; empty if none
	Network   string // the network it was heard on; empty if unknown
	At        time.Time
	Expires   time.Time
	Gone      bool // the peer said goodbye, or the sighting expired
}

// Hello is what a peer says of itself on every new connection.
type Hello struct {
	Name    string
	Version string
	// Near is whether the sender counts the receiver as near.
	Near bool
}

// Presence is what net/host knows of a peer's connection.
type Presence struct {
	Peer      PeerID
	Connected bool
	// Near is this machine's own judgement of the connection.
	Near      bool
	Network   string
	Addresses []string
	// Hello is the peer's own word, zero until it came.
	Hello Hello
}

// Status describes the running Potluck.
type Status struct {
	PeerID    PeerID
	Name      string
	Version   string
	Data      string // absolute path of the data folder
	Downloads string // absolute path of the download folder
	Addresses []string
	Peers     int // online
	Shares    int
	Entries   int
	Bytes     int64
	// Network is false while no network interface is usable.
	Network bool
	// Port is the one that is listened on, 0 for none; PortTaken is the one
	// that another program has, so that Port is used instead, 0 for none.
	Port      int
	PortTaken int
	// Hidden is true while others are not to see this computer.
	Hidden bool
	// Free is how many bytes may still be written where the download folder
	// lies; -1 if that is not known.
	Free int64
	// Unwatched is true if the system does not let all shared folders be watched,
	// so that changes are found late.
	Unwatched bool
}
