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
	folder, err := private(runtimeFolders()[0])
	if err != nil {
		return "", err
	}
	return filepath.Join(folder, name+".sock"), nil
}

// runtimeFolders returns where sockets may lie: below the user's runtime
// folder, if there is one, and in the temporary folder. A service may run
// without the former where the shell of a command has it.
func runtimeFolders() []string {
	var folders []string
	for _, base := range []string{os.Getenv("XDG_RUNTIME_DIR"), fmt.Sprintf("/run/user/%d", os.Getuid())} {
		if info, err := os.Stat(base); base != "" && err == nil && info.IsDir() {
			folders = append(folders, filepath.Join(base, "potluck"))
		}
	}
	return append(folders, filepath.Join(os.TempDir(), fmt.Sprintf("potluck-%d", os.Getuid())))
}

// private makes the folder, if it is not there, and returns it if only this
// user can enter it.
func private(folder string) (string, error) {
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
	var d net.Dialer
	var problems []error
	for _, folder := range runtimeFolders() {
		folder, err := private(folder)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		conn, err := d.DialContext(ctx, "unix", filepath.Join(folder, name+".sock"))
		if err == nil {
			return conn, nil
		}
		problems = append(problems, err)
	}
	return nil, errors.Join(problems...)
}
