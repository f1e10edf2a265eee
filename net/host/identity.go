package host

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/potluck-share/potluck/app/domain"
)

// maxKeyFile is far more than a marshalled Ed25519 key, which has 68 bytes.
const maxKeyFile = 4096

// ValidPeer reports whether id is the text of a peer ID at all.
func ValidPeer(id domain.PeerID) bool {
	_, err := peer.Decode(string(id))
	return err == nil
}

// Identity is this user's Ed25519 key, and with it the peer ID. Friends trust
// the ID, so a lost key loses their trust. The zero value is not usable.
type Identity struct {
	key crypto.PrivKey
	id  peer.ID
}

// ID returns the peer ID that belongs to the key.
func (i Identity) ID() domain.PeerID {
	if i.key == nil {
		return ""
	}
	return domain.PeerID(i.id.String())
}

// Sign signs data with the key.
func (i Identity) Sign(data []byte) ([]byte, error) {
	if i.key == nil {
		return nil, errors.New("sign: no identity was loaded")
	}
	return i.key.Sign(data)
}

// LoadIdentity reads the key in the file at path. If there is no such file it
// makes a key and writes it there, in mode 0600, so that after a crash the file
// is either whole or absent. An existing file is never overwritten: a damaged
// one is an error that says what to do.
func LoadIdentity(path string) (Identity, error) {
	identity, err := readIdentity(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return identity, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return Identity{}, fmt.Errorf("make the folder for the identity key: %w: %w", domain.ErrUnwritable, err)
	}
	key, _, err := crypto.GenerateEd25519Key(rand.Reader)
	if err != nil {
		return Identity{}, fmt.Errorf("make an identity key: %w", err)
	}
	data, err := crypto.MarshalPrivateKey(key)
	if err != nil {
		return Identity{}, fmt.Errorf("make an identity key: %w", err)
	}
	if err := writeNew(path, data); err != nil && !errors.Is(err, fs.ErrExist) {
		return Identity{}, fmt.Errorf("write the identity key %s: %w: %w", path, domain.ErrUnwritable, err)
	}
	// What counts is what lies there now: another start may have been faster.
	return readIdentity(path)
}

func readIdentity(path string) (Identity, error) {
	info, err := os.Lstat(path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return Identity{}, err
		}
		return Identity{}, fmt.Errorf("read the identity key %s: %w: %w", path, domain.ErrUnreadable, err)
	}
	if !info.Mode().IsRegular() {
		return Identity{}, damaged(path, errors.New("it is not a regular file"))
	}
	f, err := os.Open(path) //nolint:gosec // the caller's own data folder
	if err != nil {
		return Identity{}, fmt.Errorf("read the identity key %s: %w: %w", path, domain.ErrUnreadable, err)
	}
	defer func() { _ = f.Close() }() // only read
	data, err := io.ReadAll(io.LimitReader(f, maxKeyFile+1))
	if err != nil {
		return Identity{}, fmt.Errorf("read the identity key %s: %w: %w", path, domain.ErrUnreadable, err)
	}
	if len(data) > maxKeyFile {
		return Identity{}, damaged(path, errors.New("it is too long"))
	}
	key, err := crypto.UnmarshalPrivateKey(data)
	if err != nil {
		return Identity{}, damaged(path, err)
	}
	if key.Type() != crypto.Ed25519 {
		return Identity{}, damaged(path, errors.New("it holds no Ed25519 key"))
	}
	id, err := peer.IDFromPrivateKey(key)
	if err != nil {
		return Identity{}, damaged(path, err)
	}
	// A backup may have been restored with wider rights than a key should have.
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		if err := f.Chmod(0o600); err != nil {
			return Identity{}, fmt.Errorf("others may read the identity key %s, and that cannot be changed: %w: %w",
				path, domain.ErrUnwritable, err)
		}
	}
	return Identity{key: key, id: id}, nil
}

func damaged(path string, why error) error {
	return fmt.Errorf("the identity key %s cannot be used (%w): %w; restore it from a backup, or move it away "+
		"to begin with a new identity, which your friends will have to confirm again", path, why, domain.ErrDamaged)
}

// writeNew puts data into a new file at path. It fails with fs.ErrExist if
// something is there.
func writeNew(path string, data []byte) error {
	dir := filepath.Dir(path)
	temp, err := os.CreateTemp(dir, ".identity-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(temp.Name()) }() // after a link it is one name too many, after a rename gone
	_, err = temp.Write(data)
	if err == nil {
		err = temp.Sync()
	}
	if closeErr := temp.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	if err := claim(temp.Name(), path); err != nil {
		return err
	}
	return syncFolder(dir)
}

// claim gives the file temp the name path unless that is taken.
func claim(temp, path string) error {
	err := os.Link(temp, path)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	// Some file systems have no hard links. Take the name with an empty file,
	// then rename over that claim.
	mine, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) //nolint:gosec // the caller's own data folder
	if err != nil {
		return err
	}
	if err := mine.Close(); err != nil {
		return err
	}
	return os.Rename(temp, path)
}

// syncFolder makes a new name in a folder outlast a power cut, where the
// system can.
func syncFolder(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir) //nolint:gosec // the caller's own data folder
	if err != nil {
		return err
	}
	err = d.Sync()
	if closeErr := d.Close(); err == nil {
		err = closeErr
	}
	return err
}
