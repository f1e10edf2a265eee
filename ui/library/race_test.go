//go:build race

package library

// slowdown is about how much longer everything takes under the race detector.
const slowdown = 5
