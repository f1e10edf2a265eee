// Package catalogue brings a peer's catalogue here, straight from its owner:
// all of it, or what changed since a version that is known.
//
// An asker opens a stream and names the version it has; the owner answers with
// whether it will, and then with pages, each compressed. Nothing is asked for
// in between: the stream's own flow control slows the owner down to what the
// asker can store. The first page is small, so that a first screen of a large
// catalogue can be shown at once.
//
// The owner judges the asker anew for every page, and the asker trusts no page:
// its size, packed and unpacked, the number of its entries, their paths and
// numbers, and the sum over all pages are limited.
//
// Serve and Client hold no goroutines of their own. A Client may be used from
// any goroutine, for several pulls at a time; a Source is called from the
// goroutines of the host that Serve was given.
package catalogue

//go:generate protoc --proto_path=pb --go_out=pb --go_opt=paths=source_relative catalogue.proto
