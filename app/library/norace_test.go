//go:build !race

package library_test

// slowdown is none without the race detector.
const slowdown = 1
