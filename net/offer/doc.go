// Package offer is the protocol by which one person offers files to another:
// that there is an offer, that it is taken back, and what the other one says to
// it. What is in an accepted offer is listed by the catalogue protocol and moved
// by the transfer protocol like everything else.
//
// Only near peers and friends may offer something. A message says what an offer
// is, or what has become of it, and may be said again: whoever was cut off says
// it once more.
//
// The application wires an Offers and owns it. All methods may be called from any
// goroutine; the Handler is called from goroutines of this package, several at a
// time.
package offer

//go:generate protoc --proto_path=pb --go_out=pb --go_opt=paths=source_relative offer.proto
