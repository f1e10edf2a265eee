//go:build !race

package library

// slowdown is none without the race detector.
const slowdown = 1
