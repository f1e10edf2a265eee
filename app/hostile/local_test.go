package hostile_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/transfer/wire"
	"github.com/potluck-share/potluck/storage/content"
)

// locals are attacks with the help of somebody on this computer, or of the user.
func locals() []row {
	return []row{
		{name: "a shared folder swapped for a link", attack: shareSwapped},
		{name: "a download folder swapped for a link", attack: downloadSwapped},
		{name: "the home folder is shared", attack: homeShared, fresh: true},
		{name: "secrets in the process list and the log", attack: secretsKept, fresh: true, flags: []string{"--verbose"}},
	}
}

// shareSwapped swaps a folder in a share for a link to one outside that has a
// file of the same name, size and time, while the file is served.
func shareSwapped(s *stage) (sent, outcome string) {
	dir := s.TempDir()
	album, outside := filepath.Join(dir, "Album"), filepath.Join(dir, "outside")
	b, secret := newBlob(s.T, 500, 4<<20), newBlob(s.T, 501, 4<<20)
	at := time.Now().Add(-time.Hour)
	for folder, data := range map[string][]byte{filepath.Join(album, "sub"): b.data, outside: secret.data} {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			s.Fatal(err)
		}
		path := filepath.Join(folder, "big.bin")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			s.Fatal(err)
		}
		if err := os.Chtimes(path, at, at); err != nil {
			s.Fatal(err)
		}
	}
	if err := os.Symlink("/etc", filepath.Join(album, "etc")); err != nil {
		s.Fatal(err)
	}
	s.ana.do("share", album)
	defer s.ana.do("unshare", album)
	spy := newSpy(s.T, s.ana, "Mallory")
	waitFor(s.T, "the file is announced", func() bool { return strings.Contains(spy.browse(), "Album/sub/big.bin") })
	if paths := spy.browse(); strings.Contains(paths, "passwd") || strings.Contains(paths, "Album/etc/") {
		s.Errorf("the link is followed: %s", paths)
	}
	layer, err := content.NewLayer(b.sum.ID, b.Size(), b.sum.Layer)
	if err != nil {
		s.Fatal(err)
	}
	r := newRogue(s.T, "Mallory")
	r.meets(s.ana)
	var mu sync.Mutex
	statuses := make(map[wire.Status]int)
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			piece := i % layer.Pieces()
			status, data, err := r.piece(s.ana, b.sum.ID, piece)
			if err != nil {
				s.Error(err)
				return
			}
			if status == wire.OK {
				if _, err := layer.Verify(piece, data); err != nil || bytes.Contains(secret.data, data[:1000]) {
					s.Errorf("piece %d is of another file: %v", piece, err)
				}
			}
			mu.Lock()
			statuses[status]++
			mu.Unlock()
		}
	}()
	saw := func(status wire.Status) bool {
		mu.Lock()
		defer mu.Unlock()
		return statuses[status] > 0
	}
	waitFor(s.T, "it is served", func() bool { return saw(wire.OK) })
	if err := os.Rename(filepath.Join(album, "sub"), filepath.Join(dir, "away")); err != nil {
		s.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(album, "sub")); err != nil {
		s.Fatal(err)
	}
	waitFor(s.T, "it is served no more", func() bool { return saw(wire.Changed) || saw(wire.Absent) })
	close(stop)
	<-done
	for _, id := range []domain.ContentID{secret.sum.ID} {
		if got, absent := spy.ask(id), spy.ask(domain.ContentID{1}); got != absent {
			s.Errorf("what lies outside is answered\n%s", got)
		}
	}
	return fmt.Sprintf("%d pieces before, asked on after", statuses[wire.OK]), "then like what changed or is absent; nothing of the other folder, nor of /etc"
}

// piece asks for one piece.
func (r *rogue) piece(v *victim, id domain.ContentID, index int) (wire.Status, []byte, error) {
	stream, err := r.Open(r.t.Context(), v.id, wire.Protocol)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = stream.Reset() }() // all was said
	if err := stream.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		return 0, nil, err
	}
	w := wire.NewWriter(stream)
	if err := w.Write(wire.Header{Kind: wire.Request, Request: 1, What: wire.Piece, Content: id, Index: index, Length: domain.PieceSize}, nil); err != nil {
		return 0, nil, err
	}
	if err := w.Flush(); err != nil {
		return 0, nil, err
	}
	var data []byte
	status := wire.UnknownStatus
	for in := wire.NewReader(stream); ; {
		h, err := in.Next()
		if err != nil {
			return 0, nil, err
		}
		if h.Kind != wire.Response && h.Kind != wire.Data {
			continue
		}
		if h.Kind == wire.Response {
			status = h.Status
		}
		body := make([]byte, h.Body)
		if err := in.ReadBody(body); err != nil {
			return 0, nil, err
		}
		if data = append(data, body...); h.Last {
			return status, data, nil
		}
	}
}

// downloadSwapped swaps the folder into which something is fetched for a link to
// another one in the middle of it.
func downloadSwapped(s *stage) (sent, outcome string) {
	r := newRogue(s.T, "Mallory")
	first, second := newBlob(s.T, 510, 100_000), newBlob(s.T, 511, 3<<20)
	gate, reached := make(chan struct{}), make(chan struct{})
	var once sync.Once
	second.before = func(off int64) {
		if off >= 1<<20 { // the first piece is there
			once.Do(func() { close(reached) })
			select {
			case <-gate:
			case <-s.Context().Done():
			}
		}
	}
	r.lists(first.at("swap/1 first.bin"), second.at("swap/2 second.bin"))
	r.serves(first, second)
	r.meets(s.ana)
	id := string(r.ID())
	waitFor(s.T, "the list is here", func() bool { return strings.Contains(s.ana.do("browse", id), "swap") })
	got := make(chan string, 1)
	go func() {
		out, err := s.ana.try("get", id+":swap", "--wait", "6s")
		got <- fmt.Sprintf("%s %v", strings.TrimSpace(out), err)
	}()
	<-reached
	folder, outside := filepath.Join(s.ana.downloads(), "swap"), s.TempDir()
	waitFor(s.T, "the first file is in place", func() bool {
		_, err := os.Stat(filepath.Join(folder, "1 first.bin"))
		return err == nil
	})
	if err := os.Rename(folder, folder+" away"); err != nil {
		s.Fatal(err)
	}
	if err := os.Symlink(outside, folder); err != nil {
		s.Fatal(err)
	}
	close(gate)
	said := <-got
	entries, err := os.ReadDir(outside)
	if err != nil || len(entries) > 0 {
		s.Errorf("where the link leads there is %v, %v", entries, err)
	}
	// What was open goes on where it is; nothing follows the link.
	var all []struct {
		ID, Path, State, Reason string
	}
	s.ana.ask(&all, "transfers")
	state := "gone"
	for _, one := range all {
		if strings.HasSuffix(one.Path, "swap") {
			state = strings.TrimSpace(one.State + " " + one.Reason)
			if one.State != string(domain.Done) {
				s.ana.do("cancel", one.ID)
			}
		}
	}
	if entries, err = os.ReadDir(outside); err != nil || len(entries) > 0 {
		s.Errorf("where the link leads there is %v, %v", entries, err)
	}
	if err := os.Remove(folder); err != nil {
		s.Error(err)
	}
	s.Logf("the download said: %s", said)
	return "swapped after 1 of 3 MiB", fmt.Sprintf("nothing where the link leads; the download is %s", state)
}

func homeShared(s *stage) (sent, outcome string) {
	if err := os.WriteFile(filepath.Join(s.ana.home, "letter.txt"), []byte("dear"), 0o600); err != nil {
		s.Fatal(err)
	}
	defer func() { _ = os.Remove(filepath.Join(s.ana.home, "letter.txt")) }() // which is no file of an attack
	var secret []domain.ContentID
	own := 0
	err := filepath.WalkDir(s.ana.data, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		own++
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		sum, err := content.Hash(s.Context(), bytes.NewReader(data), int64(len(data)), 1, nil)
		secret = append(secret, sum.ID)
		return err
	})
	if err != nil || own < 3 {
		s.Fatalf("the data folder has %d files, %v", own, err)
	}
	s.ana.do("share", s.ana.home)
	spy := newSpy(s.T, s.ana, "Mallory")
	waitFor(s.T, "the letter is shared", func() bool { return strings.Contains(spy.browse(), "letter.txt") })
	paths := spy.browse()
	for _, name := range []string{"data", "identity", ".db", ".sock", "settings", "lock", ".potluck-"} {
		if strings.Contains(paths, name) {
			s.Errorf("%q is in what is shared: %s", name, paths)
		}
	}
	absent := spy.ask(domain.ContentID{1})
	for _, id := range secret {
		if answer := spy.ask(id); answer != absent {
			s.Errorf("a file of Potluck's own is answered\n%s", answer)
		}
	}
	return fmt.Sprintf("%d files of Potluck's own asked for", len(secret)), "neither listed nor given"
}

// secretsKept makes an invitation, uses it, and looks for the secrets in all
// that other users of the computer see, and in the log of all details.
func secretsKept(s *stage) (sent, outcome string) {
	ben := run(s.T, "Ben", "--verbose")
	var invitation struct{ Link string }
	s.ana.ask(&invitation, "invite")
	link := strings.TrimPrefix(strings.TrimSpace(invitation.Link), "potluck:invite/")
	if len(link) < 30 {
		s.Fatalf("the invitation is %q", invitation.Link)
	}
	join := ben.command(s.Context(), "connect", "-", "--wait", "30s")
	join.Stdin = strings.NewReader(invitation.Link + "\n")
	done := make(chan error, 1)
	if err := join.Start(); err != nil {
		s.Fatal(err)
	}
	go func() { done <- join.Wait() }()
	key, err := os.ReadFile(filepath.Join(s.ana.data, "identity.key"))
	if err != nil {
		s.Fatal(err)
	}
	secrets := map[string]string{"the invitation": link, "the key": string(key), "the key in hex": hex.EncodeToString(key), "the key in base64": base64.StdEncoding.EncodeToString(key)}
	if token, _, _ := strings.Cut(link, "?"); len(token) > 30 {
		secrets["the first part of the invitation"] = token
	}
	looks := 0
	waitFor(s.T, "the invitation was brought", func() bool {
		looks++
		for what, secret := range secrets {
			if where := inProcesses(s, secret); where != "" {
				s.Errorf("%s is in the process list: %s", what, where)
			}
		}
		return strings.Contains(s.ana.do("friend", "waiting"), string(ben.id))
	})
	_ = join.Process.Kill() // it waits for Ana to confirm
	<-done
	for _, v := range []*victim{s.ana, ben} {
		for what, secret := range secrets {
			if strings.Contains(v.log.String(), secret) {
				s.Errorf("%s is in the log", what)
			}
		}
	}
	if s.ana.log.String() == "" {
		s.Error("the log of all details is empty")
	}
	return fmt.Sprintf("%d secrets, %d looks", len(secrets), looks), "in no arguments, no environment and no log"
}

// inProcesses returns the arguments or the environment of a process that holds
// the text.
func inProcesses(s *stage, text string) string {
	all, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		s.Fatal(err)
	}
	for _, path := range all {
		for _, path := range []string{path, filepath.Join(filepath.Dir(path), "environ")} {
			if data, err := os.ReadFile(path); err == nil && bytes.Contains(data, []byte(text)) {
				return fmt.Sprintf("%s: %q", path, data)
			}
		}
	}
	return ""
}
