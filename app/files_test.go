package app_test

import (
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

// noise returns n bytes that look random and are the same for the same seed.
func noise(seed string, n int) []byte {
	data := make([]byte, n)
	_, _ = noiseOf(seed).Read(data) // it never fails
	return data
}

// noiseOf is noise without an end.
func noiseOf(seed string) io.Reader { return rand.NewChaCha8(sha256.Sum256([]byte(seed))) }

// digestTree describes all that is at and below path: relative names, kinds
// and hashes, one line each.
func digestTree(path string) (string, error) {
	var all strings.Builder
	err := filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(path, p)
		if err != nil {
			return err
		}
		if d.IsDir() {
			_, err = fmt.Fprintf(&all, "%s/\n", name)
			return err
		}
		data, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(&all, "%s %d %x\n", name, len(data), sha256.Sum256(data))
		return err
	})
	return all.String(), err
}
