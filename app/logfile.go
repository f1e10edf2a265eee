package app

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"

	"github.com/potluck-share/potluck/app/domain"
)

// maxLog is how large the log may grow before a new one is begun; the one
// before is kept, so that both take twice as much.
const maxLog = 10 << 20

// logFile is a log that never takes more than it may. It is safe for concurrent
// use, as slog writes to it.
type logFile struct {
	path string
	most int64

	mu   sync.Mutex
	file *os.File
	size int64
}

// newLogFile begins a new log at path; the one that was there is kept beside
// it.
func newLogFile(path string, most int64) (*logFile, error) {
	l := &logFile{path: path, most: most}
	if err := l.begin(); err != nil {
		return nil, err
	}
	return l, nil
}

// Write adds to the log, or first begins a new one.
func (l *logFile) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.size > 0 && l.size+int64(len(p)) > l.most {
		if err := l.begin(); err != nil {
			return 0, err
		}
	}
	n, err := l.file.Write(p)
	l.size += int64(n)
	return n, err
}

// begin puts the log aside and begins a new one. The lock is held, or nobody
// has it yet.
func (l *logFile) begin() error {
	if l.file != nil {
		_ = l.file.Close() // what follows matters more; and Windows renames no open file
	}
	// One that cannot be put aside is written anew: it must not grow on.
	if err := os.Rename(l.path, l.path+".old"); err != nil && !errors.Is(err, fs.ErrNotExist) && l.file == nil {
		return err
	}
	file, err := os.OpenFile(l.path, os.O_CREATE|os.O_WRONLY|os.O_APPEND|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("%w: %w", domain.ErrUnwritable, err)
	}
	l.file, l.size = file, 0
	return nil
}

// Close closes the file; later writes fail.
func (l *logFile) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.file.Close()
}
