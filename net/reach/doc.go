// Package reach is the protocol by which somebody asks a peer to try whether
// connections reach it: one that goes out passes most firewalls, one that comes
// in does not, so that only the other side can tell.
//
// Only near peers and friends may ask. What is dialled is the very address that
// the question came from, on a port that the asker names, by TCP, without a
// word; so that nobody can be made to call a third one.
//
// The application wires a Reach and owns it. All methods may be called from any
// goroutine.
package reach

//go:generate protoc --proto_path=pb --go_out=pb --go_opt=paths=source_relative reach.proto
