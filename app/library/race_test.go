//go:build race

package library_test

// slowdown is about how much longer everything takes under the race detector.
const slowdown = 10
