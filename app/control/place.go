package control

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"github.com/potluck-share/potluck/app/domain"
)

// settle is how long a Potluck that holds the lock may take to open its
// socket, or to let go of the lock after closing it.
const settle = 5 * time.Second

// Lock is the hold on a data folder: one running Potluck has it.
type Lock struct {
	lock *flock.Flock
	data string
}

// Acquire takes the lock of the data folder, without waiting. ok is false if
// another process has it.
func Acquire(data string) (l *Lock, ok bool, err error) {
	l = &Lock{lock: flock.New(filepath.Join(data, "lock"), flock.SetPermissions(0o600)), data: data}
	ok, err = l.lock.TryLock()
	if err != nil {
		return nil, false, fmt.Errorf("locking the data folder %s: %w", data, err)
	}
	if !ok {
		return nil, false, nil
	}
	return l, true, nil
}

// Release lets another process take the data folder.
func (l *Lock) Release() error { return l.lock.Unlock() }

// Listen opens the control socket, removing one that a crash left behind:
// whoever holds the lock may.
func (l *Lock) Listen(ctx context.Context) (net.Listener, error) {
	listener, err := listen(ctx, socketName(l.data))
	if err != nil {
		return nil, fmt.Errorf("opening the control socket: %w", err)
	}
	return listener, nil
}

// Dial returns a client of the Potluck that runs on the data folder. The error
// is domain.ErrNotRunning if there is none; while one starts or stops it waits
// for up to 5 s.
func Dial(ctx context.Context, data string) (*Client, error) {
	until := time.Now().Add(settle)
	for {
		conn, err := dial(ctx, socketName(data))
		if err == nil {
			if err := conn.Close(); err != nil {
				return nil, err
			}
			return NewClient(func(ctx context.Context) (net.Conn, error) { return dial(ctx, socketName(data)) }), nil
		}
		if _, err := os.Stat(data); errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%w on %s: there is no such folder; start it with: potluck serve", domain.ErrNotRunning, data)
		}
		lock, free, lockErr := Acquire(data)
		if lockErr != nil {
			return nil, lockErr
		}
		if free {
			if err := lock.Release(); err != nil {
				return nil, err
			}
			return nil, fmt.Errorf("%w on %s; open its window, or start it with: potluck serve", domain.ErrNotRunning, data)
		}
		if time.Now().After(until) {
			return nil, fmt.Errorf("%w on %s: it is starting or stopping; try again in a moment", domain.ErrNotRunning, data)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// socketName is the part of the socket's name that tells data folders apart,
// short because socket paths over 104 bytes fail on macOS.
func socketName(data string) string {
	if resolved, err := filepath.EvalSymlinks(data); err == nil {
		data = resolved
	}
	sum := sha256.Sum256([]byte(data))
	return hex.EncodeToString(sum[:8])
}
