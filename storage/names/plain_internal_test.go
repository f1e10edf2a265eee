package names

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// TestPlainNamesNeedNoCleaning cleans names that pass for plain.
func TestPlainNamesNeedNoCleaning(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	pieces := []string{
		"a", "Z", "0", ".", "-", "_", "..", "con", "NUL", "com1", "LPT9.txt", ".potluck-", "POTLUCK", " ", "~", "$",
		":", "\x00", "é", "e\u0301", "\u202e", "\xff", strings.Repeat("n", 250), "file.tar.gz",
	}
	plainOnes := 0
	for range 100_000 {
		var name strings.Builder
		for range 1 + random.IntN(4) {
			name.WriteString(pieces[random.IntN(len(pieces))])
		}
		if !plain(name.String()) {
			continue
		}
		plainOnes++
		if clean := scrub(name.String()); clean != name.String() {
			t.Fatalf("%q passes for plain and becomes %q", name.String(), clean)
		}
	}
	if plainOnes < 5000 || plain("") || plain("CON") || plain(".potluck-x") || !plain("IMG_2041.jpg") {
		t.Errorf("%d names pass for plain", plainOnes)
	}
}
