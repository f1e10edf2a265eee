// Package domain holds Potluck's nouns: peers, shares, entries, catalogues,
// transfers, and the kinds of error that a person may meet.
//
// It imports the standard library only and starts no goroutine. Every type is
// a plain value, safe to copy and to hand to another goroutine as long as
// nobody changes the slices inside.
package domain
