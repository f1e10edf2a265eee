//go:build !windows

package desktop

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/potluck-share/potluck/app/domain"
)

// writeFile writes a file that others on this computer may read, in one step:
// whoever looks sees the old one or the new one. Its folder is made if need be.
func writeFile(path string, content []byte) error {
	if err := replace(path, content); err != nil {
		return fmt.Errorf("%w: %w", domain.Fault(domain.ErrUnwritable, "cannot write %s", path), err)
	}
	return nil
}

func replace(path string, content []byte) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".potluck-*")
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Chmod(0o644)
	}
	if err == nil {
		err = f.Sync()
	}
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
