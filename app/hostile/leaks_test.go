package hostile_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/catalogue"
	"github.com/potluck-share/potluck/net/friend"
	"github.com/potluck-share/potluck/net/gossip"
	"github.com/potluck-share/potluck/net/host"
	"github.com/potluck-share/potluck/net/transfer/wire"
	"github.com/potluck-share/potluck/storage/content"
)

// spy writes down everything that the victim tells somebody who is near and no
// friend.
type spy struct {
	t      *testing.T
	on     *victim
	host   *host.Host
	pull   *catalogue.Client
	gossip *gossip.Gossip

	mu   sync.Mutex
	seen strings.Builder
	head domain.Head // the latest that was announced

	rode  atomic.Int64   // how often changes came with a head
	at    domain.Version // up to which changes were pulled
	known map[string]bool
}

func newSpy(t *testing.T, on *victim, name string) *spy {
	t.Helper()
	s := &spy{t: t, on: on, host: attacker(t, name)}
	var err error
	if s.pull, err = catalogue.NewClient(s.host, catalogue.Config{}); err != nil {
		t.Fatal(err)
	}
	s.gossip, err = gossip.New(t.Context(), gossip.Config{
		Host: s.host, Own: func(domain.Asker) domain.Head { return domain.Head{} }, Name: func() string { return name },
		Heard: func(domain.PeerID) bool { return true },
		Head: func(h domain.Head, _ time.Time) {
			s.note(h)
			if h.Delta != "" { // what rides along is packed
				page, err := s.pull.UnpackChanges([]byte(h.Delta))
				if err != nil {
					t.Error(err)
				}
				s.note(page)
				s.rode.Add(1)
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			if h.Peer == on.id { // others announce themselves, too
				s.head = h
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.gossip.Close() }) // the test is over
	if _, err := s.host.Connect(t.Context(), on.address); err != nil {
		t.Fatal(err)
	}
	return s
}

// note writes something down that came.
func (s *spy) note(what any) {
	text, err := json.Marshal(what)
	if err != nil {
		s.t.Error(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen.Write(text)
	s.seen.WriteByte('\n')
}

// take returns what was seen since the last time.
func (s *spy) take() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := s.seen.String()
	s.seen.Reset()
	return text
}

func (s *spy) announced() domain.Head {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.head
}

// changes pulls what has changed since it was called the last time, as one does who
// has the list, and returns the paths in it then.
func (s *spy) changes() string {
	s.t.Helper()
	err := s.pull.Pull(s.t.Context(), s.on.id, s.at, func(p domain.Page) error {
		s.note(p)
		if p.Full && s.at != p.Version || s.known == nil {
			s.known = make(map[string]bool)
		}
		for _, c := range p.Changes {
			if delete(s.known, c.Path); c.Entry != nil {
				s.known[c.Path] = true
			}
		}
		s.at = p.Version
		return nil
	})
	if err != nil && !errors.Is(err, domain.ErrRefused) {
		s.t.Fatal(err)
	}
	return strings.Join(slices.Sorted(maps.Keys(s.known)), " ")
}

// browse pulls the whole list, and returns the paths in it.
func (s *spy) browse() string {
	s.t.Helper()
	var paths []string
	err := s.pull.Pull(s.t.Context(), s.on.id, domain.Version{}, func(p domain.Page) error {
		s.note(p)
		for _, c := range p.Changes {
			paths = append(paths, c.Path)
		}
		return nil
	})
	if err != nil && !errors.Is(err, domain.ErrRefused) {
		s.t.Fatal(err)
	}
	return strings.Join(paths, " ")
}

// search looks for a word, by asking the victim and by asking everyone, and
// returns the paths that are answered to each.
func (s *spy) search(word string) (alone, crowd string) {
	s.t.Helper()
	found, err := s.pull.Find(s.t.Context(), s.on.id, []string{word})
	if err != nil && !errors.Is(err, domain.ErrRefused) {
		s.t.Fatal(err)
	}
	s.note(found)
	for _, e := range found {
		alone += e.Path + " "
	}
	ctx, cancel := context.WithTimeout(s.t.Context(), 700*time.Millisecond)
	defer cancel()
	err = s.gossip.Ask(ctx, []string{word}, func(_ domain.PeerID, packed []byte) {
		found, err := s.pull.Unpack(packed)
		if err != nil {
			s.t.Error(err)
		}
		s.note(found)
		for _, e := range found {
			crowd += e.Path + " "
		}
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return alone, crowd
}

// ask asks for a content in every way, and returns all that is answered.
func (s *spy) ask(id domain.ContentID) string {
	s.t.Helper()
	stream, err := s.host.Open(s.t.Context(), s.on.id, wire.Protocol)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = stream.Reset() }() // all was said
	if err := stream.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		s.t.Fatal(err)
	}
	w, r := wire.NewWriter(stream), wire.NewReader(stream)
	asks := []wire.Header{
		{What: wire.Info},
		{What: wire.Info, Length: 1},
		{What: wire.Layer, Length: wire.PageSize},
		{What: wire.Piece, Length: domain.PieceSize},
		{What: wire.Piece, Length: domain.PieceSize, Look: true},
		{What: wire.Piece, Length: domain.PieceSize, Index: 5},
	}
	for i, h := range asks {
		h.Kind, h.Request, h.Content = wire.Request, uint64(i+1), id
		if err := w.Write(h, nil); err != nil {
			s.t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		s.t.Fatal(err)
	}
	var answers strings.Builder
	for left := len(asks); ; {
		h, err := r.Next()
		if err != nil && left == 0 {
			return answers.String() // that was all, also after a while
		}
		body := make([]byte, h.Body)
		if err = errors.Join(err, r.ReadBody(body)); err != nil {
			s.t.Fatal(err)
		}
		fmt.Fprintf(&answers, "%+v\n", h)
		if h.Kind != wire.Response && h.Kind != wire.Data {
			fmt.Fprintf(&answers, "%q\n", body) // who else has it, and what they have
		}
		if h.Last {
			if left--; left == 0 {
				if err := stream.SetReadDeadline(time.Now().Add(200 * time.Millisecond)); err != nil {
					s.t.Fatal(err)
				}
			}
		}
	}
}

// fetches begins to fetch a content, and stays at it until stop is called.
func (s *spy) fetches(id domain.ContentID) (stop func()) {
	s.t.Helper()
	stream, err := s.host.Open(s.t.Context(), s.on.id, wire.Protocol)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := stream.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		s.t.Fatal(err)
	}
	w, r := wire.NewWriter(stream), wire.NewReader(stream)
	ask := wire.Header{Kind: wire.Request, Request: 1, What: wire.Piece, Content: id, Length: domain.PieceSize}
	if err := errors.Join(w.Write(ask, nil), w.Flush()); err != nil {
		s.t.Fatal(err)
	}
	for {
		h, err := r.Next()
		if err == nil {
			err = r.ReadBody(make([]byte, h.Body))
		}
		if err != nil {
			s.t.Fatal(err)
		}
		if h.Kind == wire.Response && h.Status != wire.OK {
			s.t.Fatalf("the content is answered with %v", h.Status)
		}
		if h.Last {
			return func() { _ = stream.Close() } // it may have been hung up on
		}
	}
}

// trusting is Ben's side of becoming friends: whoever asks is confirmed.
type trusting struct{}

func (trusting) Asked(domain.Asker, string, []string) error      { return nil }
func (trusting) Invited(domain.Asker, string, string) error      { return domain.ErrNotFound }
func (trusting) Told(_ domain.Asker, what domain.FriendAsk) bool { return what == domain.FriendConfirm }

// TestNothingLeaks changes who may see a folder while somebody looks who may
// not. In each step the folder gets a new file, whose name, size and content are
// looked for in everything that came. Then something public is shared: what is
// announced must have moved by that alone.
func TestNothingLeaks(t *testing.T) {
	ana := run(t, "Ana")
	folder := filepath.Join(t.TempDir(), "Holiday")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	mallory, ben := newSpy(t, ana, "Mallory"), newSpy(t, ana, "Ben")
	friends := friend.New(ben.host, friend.Config{Handler: trusting{}, Name: func() string { return "Ben" }})
	t.Cleanup(func() { _ = friends.Close() }) // the test is over
	id := string(ben.host.ID())

	public := 0
	// announce shares one more file with everyone, and waits until it is told.
	announce := func() domain.Head {
		t.Helper()
		path := filepath.Join(t.TempDir(), fmt.Sprintf("public%d.txt", public))
		if err := os.WriteFile(path, []byte(path), 0o600); err != nil {
			t.Fatal(err)
		}
		ana.do("share", "--audience", "everyone", path)
		public++
		waitFor(t, "the public file is announced", func() bool { return mallory.announced().Entries == public })
		return mallory.announced()
	}
	first := announce()
	moves := announce().Sequence - first.Sequence // by one file
	absent := mallory.ask(domain.ContentID{1})

	// What is sent to Ben alone lies there all the time.
	present, sent := filepath.Join(t.TempDir(), "present.bin"), bytes.Repeat([]byte{'!'}, 3<<20+77_003)
	if err := os.WriteFile(present, sent, 0o600); err != nil {
		t.Fatal(err)
	}
	forBen, err := content.Hash(t.Context(), bytes.NewReader(sent), int64(len(sent)), 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = ana.try("send", id, present, "--wait", "1s") // Ben does not answer
	if !strings.Contains(ana.do("transfers"), "present.bin") {
		t.Fatal("nothing is sent to Ben")
	}

	share := func(audience string) func() { return func() { ana.do("share", "--audience", audience, folder) } }
	wasVisible, wasTold := false, false
	for i, step := range []struct {
		name    string
		do      func()
		visible bool
		ben     bool // he sees it
	}{
		{"for Ben", share(id), false, true},
		{"for friends", share("friends"), false, false},
		{"Ben becomes a friend", func() {
			ana.do("friend", "add", id, "--yes", "--wait", "20s")
			waitFor(t, "Ben is a friend", func() bool { return ana.friend(ben.host.ID()) })
		}, false, true},
		{"Ben is a friend no more", func() { ana.do("friend", "remove", id) }, false, false},
		{"for everyone", share("everyone"), true, true},
		{"for friends again", share("friends"), false, false},
		{"for Ben again", share(id), false, true},
		{"Ben is blocked", func() { ana.do("block", id) }, false, false},
		{"not shared", func() { ana.do("unshare", folder) }, false, false},
	} {
		before := mallory.announced()
		mallory.take()
		step.do()
		if wasVisible && !step.visible {
			// What everyone saw is taken away, which they may see.
			waitFor(t, step.name+": what is announced is what everyone may see", func() bool { return mallory.announced().Entries == public })
			before = mallory.announced()
		}
		ben.take() // what he was told while he might see it
		secret := fmt.Sprintf("secret%d.txt", i)
		data := bytes.Repeat([]byte{byte('a' + i)}, 2<<20+70_001+i) // so large that those who fetch it may meet
		if err := os.WriteFile(filepath.Join(folder, secret), data, 0o600); err != nil {
			t.Fatal(err)
		}
		sum, err := content.Hash(t.Context(), bytes.NewReader(data), int64(len(data)), 1, nil)
		if err != nil {
			t.Fatal(err)
		}
		wasVisible, wasTold = step.visible, wasTold || step.ben
		if step.ben {
			waitFor(t, step.name+": Ben sees the new file", func() bool { return strings.Contains(ben.browse(), secret) })
		} else if step.name != "not shared" {
			waitFor(t, step.name+": the new file is read", func() bool { return ana.shared(folder) == i+1 })
		}
		if step.visible {
			waitFor(t, "Mallory sees it, too", func() bool { return strings.Contains(mallory.browse(), secret) })
			waitFor(t, "Mallory finds it", func() bool {
				time.Sleep(2 * time.Second) // more often nobody may ask
				alone, crowd := mallory.search("secret")
				return strings.Contains(alone, secret) && strings.Contains(crowd, secret)
			})
			if answer := mallory.ask(sum.ID); answer == absent {
				t.Errorf("%s: what everyone may have is answered like what is not there", step.name)
			}
			continue
		}
		if step.ben { // somebody fetches it while Mallory looks
			stop := ben.fetches(sum.ID)
			defer stop()
		}
		now := announce()
		paths := mallory.browse()
		if changed := mallory.changes(); !same(changed, paths) {
			t.Errorf("%s: Mallory's changes lead to %q, not %q", step.name, changed, paths)
		}
		if alone, crowd := mallory.search("secret"); alone+crowd != "" {
			t.Errorf("%s: Mallory finds %q and %q", step.name, alone, crowd)
		}
		seen := mallory.take()
		for _, hint := range []string{secret, fmt.Sprint(len(data)), sum.ID.String(), "present.bin", fmt.Sprint(len(sent)), forBen.ID.String()} {
			if strings.Contains(seen, hint) {
				t.Errorf("%s: Mallory was told %s:\n%s", step.name, hint, seen)
			}
		}
		if strings.Contains(paths, "Holiday") || !strings.Contains(paths, "public0.txt") {
			t.Errorf("%s: Mallory sees %q", step.name, paths)
		}
		if answer := mallory.ask(sum.ID); answer != absent {
			t.Errorf("%s: a private content is answered\n%s, an absent one\n%s", step.name, answer, absent)
		}
		if answer := mallory.ask(forBen.ID); answer != absent {
			t.Errorf("%s: what is sent to Ben is answered\n%s", step.name, answer)
		}
		if now.Epoch != before.Epoch || now.Sequence != before.Sequence+moves {
			t.Errorf("%s: one public file moved what is announced from %+v to %+v, not by %d", step.name, before, now, moves)
		}
		switch {
		case step.ben:
		case step.name == "Ben is blocked" || step.name == "not shared":
			if told := ben.take(); strings.Contains(told, secret) {
				t.Errorf("Ben, who is blocked, was told\n%s", told)
			}
			if _, err := ben.host.Open(t.Context(), ana.id, wire.Protocol); err == nil {
				t.Error("Ben, who is blocked, is let in")
			}
		case wasTold: // he was in the audience before
			if paths := ben.browse(); strings.Contains(paths, "Holiday") {
				t.Errorf("%s: Ben sees %q", step.name, paths)
			}
			if answer := ben.ask(sum.ID); answer != absent {
				t.Errorf("%s: Ben is answered\n%s", step.name, answer)
			}
			if told := ben.take(); strings.Contains(told, secret) || strings.Contains(told, fmt.Sprint(len(data))) {
				t.Errorf("%s: Ben was told\n%s", step.name, told)
			}
		}
	}
	if mallory.rode.Load() == 0 {
		t.Error("no changes came with what was announced")
	}
}

// same reports whether two lists name the same.
func same(one, other string) bool {
	a, b := strings.Fields(one), strings.Fields(other)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}

// shared returns of how many files a share is made.
func (v *victim) shared(path string) int {
	v.t.Helper()
	var all []struct {
		Path    string `json:"path"`
		Entries int    `json:"entries"`
	}
	v.ask(&all, "shares")
	for _, one := range all {
		if one.Path == path {
			return one.Entries
		}
	}
	return 0
}
