package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/potluck-share/potluck/app/domain"
)

// Free returns how many bytes the user may still write to the file system that
// holds path. If path does not exist yet, its nearest parent that does counts.
func Free(path string) (int64, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return 0, fmt.Errorf("the free space at %s: %w: %w", path, domain.ErrUnreadable, err)
	}
	for at := path; ; at = filepath.Dir(at) {
		n, err := free(at)
		if err == nil {
			return n, nil
		}
		if !errors.Is(err, fs.ErrNotExist) || at == filepath.Dir(at) {
			return 0, fmt.Errorf("the free space at %s: %w: %w", path, domain.ErrUnreadable, err)
		}
	}
}
