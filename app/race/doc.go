// Package race lets Potluck run against other programs that copy files: the
// same bytes between the same two places, each program in its turn, round
// after round, so that what slows the machine down slows all of them down. It
// prints the medians, the ratios, and beside them what they ought to be.
//
// It has no code but tests. They start the whole program and the others, and
// run only if asked by name, which is what make bench and make bench-peers do:
//
//	go test ./app/race -run TestRows -v -rows 1,2 -rounds 5
//
// It needs Linux, for it reads from /proc what processes use.
package race
