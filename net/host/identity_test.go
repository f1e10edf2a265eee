package host

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/libp2p/go-libp2p/core/crypto"

	"github.com/potluck-share/potluck/app/domain"
)

func TestIdentityIsMadeOnceAndKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "identity")
	ids := make([]domain.PeerID, 8)
	var group sync.WaitGroup
	for i := range ids { // several first starts at once agree
		group.Go(func() {
			identity, err := LoadIdentity(path)
			if err != nil {
				t.Error(err)
				return
			}
			ids[i] = identity.ID()
		})
	}
	group.Wait()
	for _, id := range ids {
		if id == "" || id != ids[0] {
			t.Errorf("identity %q beside %q", id, ids[0])
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if mode := info.Mode().Perm(); runtime.GOOS != "windows" && mode != 0o600 {
		t.Errorf("mode %o, want 600", mode)
	}
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	if len(left) != 1 {
		t.Errorf("files beside the key: %v", left)
	}
}

func TestIdentityNeverOverwritten(t *testing.T) {
	rsa, _, err := crypto.GenerateRSAKeyPair(2048, bytes.NewReader(bytes.Repeat([]byte{1, 2, 3, 250}, 1<<16)))
	if err != nil {
		t.Fatal(err)
	}
	otherKind, err := crypto.MarshalPrivateKey(rsa)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"empty": nil, "text": []byte("not a key"), "long": make([]byte, 5000), "other kind": otherKind,
	} {
		path := filepath.Join(t.TempDir(), "identity")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := LoadIdentity(path)
		if !errors.Is(err, domain.ErrDamaged) || !strings.Contains(err.Error(), "backup") || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v, want damaged, where, and what to do", name, err)
		}
		if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, data) {
			t.Errorf("%s: the file was changed (%v)", name, err)
		}
	}
	if _, err := LoadIdentity(t.TempDir()); !errors.Is(err, domain.ErrDamaged) {
		t.Errorf("a folder for a key: %v", err)
	}
}

func TestIdentityRightsAreTightened(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no mode bits")
	}
	path := filepath.Join(t.TempDir(), "identity")
	before, err := LoadIdentity(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	after, err := LoadIdentity(path)
	if err != nil {
		t.Fatal(err)
	}
	if before.ID() != after.ID() {
		t.Errorf("ID %s became %s", before.ID(), after.ID())
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestIdentityWithoutHardLinks(t *testing.T) {
	dir := t.TempDir()
	temp, path := filepath.Join(dir, "temp"), filepath.Join(dir, "identity")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := claim(temp, path); err == nil { // no temp file, so that linking fails
		t.Error("claimed a name that is taken")
	}
	if data, err := os.ReadFile(path); err != nil || string(data) != "old" {
		t.Errorf("the file holds %q, %v", data, err)
	}
}

func TestSign(t *testing.T) {
	identity := newIdentity(t)
	signature, err := identity.Sign([]byte("soup"))
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := identity.key.GetPublic().Verify([]byte("soup"), signature); !ok || err != nil {
		t.Errorf("own signature: %v, %v", ok, err)
	}
	if _, err := (Identity{}).Sign([]byte("soup")); err == nil {
		t.Error("signed without a key")
	}
}
