//go:build !windows

package control

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
)

// SocketPath returns where the socket of a data folder lies.
func SocketPath(data string) (string, error) { return socketPath(socketName(data)) }

func socketPath(name string) (string, error) {
	folder, err := runtimeFolder()
	if err != nil {
		return "", err
	}
	return filepath.Join(folder, name+".sock"), nil
}

// runtimeFolder returns a folder that only this user can enter, making it
// where needed: below the user's runtime folder, else in the temporary folder.
func runtimeFolder() (string, error) {
	folder := filepath.Join(os.TempDir(), fmt.Sprintf("potluck-%d", os.Getuid()))
	if base := os.Getenv("XDG_RUNTIME_DIR"); base != "" {
		if info, err := os.Stat(base); err == nil && info.IsDir() {
			folder = filepath.Join(base, "potluck")
		}
	}
	if err := os.Mkdir(folder, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	info, err := os.Lstat(folder)
	if err != nil {
		return "", err
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !info.IsDir() || info.Mode().Perm() != 0o700 || !ok || int(owner.Uid) != os.Getuid() {
		return "", fmt.Errorf("%s is not a folder of this user alone; remove it, or set XDG_RUNTIME_DIR", folder)
	}
	return folder, nil
}

func listen(ctx context.Context, name string) (net.Listener, error) {
	path, err := socketPath(name)
	if err != nil {
		return nil, err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var config net.ListenConfig
	l, err := config.Listen(ctx, "unix", path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

func dial(ctx context.Context, name string) (net.Conn, error) {
	path, err := socketPath(name)
	if err != nil {
		return nil, err
	}
	var d net.Dialer
	return d.DialContext(ctx, "unix", path)
}
