//go:build race

package browse

// slowdown is about how much longer everything takes under the race detector.
const slowdown = 5
