//go:build !race

package browse

// slowdown is none without the race detector.
const slowdown = 1
