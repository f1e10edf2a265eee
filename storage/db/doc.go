// Package db keeps what Potluck must remember over restarts in one bbolt file:
// the own catalogue with its public change log, the cached catalogues and heads
// of others, people, and transfers. Each of these rooms has its own top-level
// bucket.
//
// Every method of DB may be called from any goroutine. Writes return after they
// are on the disk; writes of several goroutines share one flush. Functions that
// are handed a callback call it outside of any transaction, so that it may use
// the database itself; in return a long listing is not a snapshot.
//
// Values are protobuf messages, so that fields can be added. A record that
// cannot be decoded is left out of listings and logged; nothing is deleted for
// it.
package db

//go:generate protoc --go_out=. --go_opt=paths=source_relative pb/db.proto
