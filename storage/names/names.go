// Package names makes the file names of others safe: to write, on every
// desktop system, and to show to a person.
//
// It is pure and touches no file. Every function may be called from any
// goroutine.
package names
