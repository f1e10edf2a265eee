// Package whereabouts is the protocol by which friends tell each other where
// friends of both are: two people whom no multicast brings together, but who
// have a common friend, find each other by that one.
//
// Only friends may ask. Whom somebody asks for is told by salted hashes, so that
// the other side learns of nobody whom it does not know; it answers for friends
// of its own that are connected to it at that moment, and for nobody else. What
// is told is a hint: whoever answers at an address has to prove who they are.
//
// The application wires a Teller and owns it. All methods may be called from any
// goroutine; the functions of Config are called from goroutines of this package.
package whereabouts

//go:generate protoc --proto_path=pb --go_out=pb --go_opt=paths=source_relative whereabouts.proto
