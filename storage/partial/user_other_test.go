//go:build !linux

package partial_test

import (
	"os"
	"testing"
)

// asUser skips the rest of the test for root, who may write everywhere.
func asUser(t *testing.T) {
	t.Helper()
	if os.Geteuid() == 0 {
		t.Skip("root may write everywhere")
	}
}
