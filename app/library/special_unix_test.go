//go:build unix

package library_test

import "syscall"

// makeSpecial makes a pipe, which nobody must wait for.
func (k *kitchen) makeSpecial(rel string) string {
	k.Helper()
	must(k.T, syscall.Mkfifo(k.path(rel), 0o600))
	return rel
}
