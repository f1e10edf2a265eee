package event

import "github.com/potluck-share/potluck/app/domain"

// The kinds that the rooms publish. A room that has something new to tell adds
// a line.
var (
	// Peers: keyed by peer ID, published by app/people.
	Peers = NewKind[domain.Peer]("peer")
	// Shares: keyed by share name, published by app/library.
	Shares = NewKind[domain.Share]("share")
	// Catalogues: keyed by peer ID, published by app/browse when the entries
	// known of a peer have changed.
	Catalogues = NewKind[CatalogueState]("catalogue")
	// Transfers: keyed by transfer ID, published by app/transfers.
	Transfers = NewKind[domain.Transfer]("transfer")
	// Introductions: keyed by peer ID, published by app/people while two people
	// are becoming friends, and once more when that has ended.
	Introductions = NewKind[domain.Introduction]("introduction")
	// Offers: keyed by offer ID, published by app/transfers/offers, incoming and
	// outgoing ones; retracted when they are removed from the list.
	Offers = NewKind[domain.Offer]("offer")
	// Networks: keyed by network ID, published by app: those that are present.
	Networks = NewKind[domain.Network]("network")
	// Statuses: a single one with ID "", published by app.
	Statuses = NewKind[domain.Status]("status")
)

// CatalogueState says how much of a peer's catalogue is here.
type CatalogueState struct {
	Peer    domain.PeerID
	Version domain.Version
	Known   int  // entries pulled so far
	Total   int  // as the head says; 0 if unknown
	Pulling bool // a pull is running
	// Problem says in words why the last pull stopped early.
	Problem domain.Saying
}
