// Package gossip tells near peers what this one shares, and hears it of them:
// not the files but a head for each catalogue, a signed summary of some 300
// bytes.
//
// It also carries questions for files to everyone near, and answers back on the
// way that the question came: whoever answers connects to nobody new, and each
// peer on the way passes on so many answers and no more. An answer is signed by
// who gives it and bounded in size, and what is in it is the app's affair.
//
// A head travels in three ways. A change is published on a topic that near
// peers pass on among themselves, with what has changed, if that is little: then
// whoever has the list need not come for it, hundreds at once in a large office. When two peers meet they swap what they know
// over a stream, which is how a late joiner learns of everyone; its own head is
// gossiped then, so that everyone learns of it. And whoever may
// see more than everyone nearby, or is a friend far away, gets a head of its
// own, over a stream from the owner and nowhere else.
//
// Nobody is trusted with nearness: it is asked of the host for the connection
// at hand each time something is sent or taken. What a peer sends is limited in
// size, number and rate before it is looked at.
//
// The app wires a Gossip and owns it. All methods may be called from any
// goroutine; the functions of a Config are called from goroutines of this
// package, several at a time.
package gossip

//go:generate protoc --proto_path=pb --go_out=pb --go_opt=paths=source_relative gossip.proto
