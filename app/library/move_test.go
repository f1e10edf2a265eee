package library_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/potluck-share/potluck/app/domain"
)

func TestMove(t *testing.T) {
	t.Parallel()
	k := newKitchen(t)
	k.write("F/same", "1")
	k.write("F/sub/changes", "22")
	k.write("F/sub/goes", "333")
	k.share(friends, "F")
	k.Start(t.Context())
	id := k.content("F/same")

	must(t, os.Rename(k.path("F"), k.path("elsewhere")))
	eventually(t, "state", "gone", func() string { return string(k.only().State) })
	k.write("elsewhere/sub/changes", "other")
	k.write("elsewhere/new", "4444")
	must(t, os.Remove(k.path("elsewhere/sub/goes")))
	must(t, k.Move(t.Context(), "F", k.path("elsewhere")))
	settled := func() string {
		s := k.only()
		return fmt.Sprint(s.Name, " ", s.Audience, " ", strings.TrimPrefix(s.Path, k.dir), " ", s.State, s.Problem, " ", s.Entries, " ", s.Bytes)
	}
	want := fmt.Sprint("F friends ", strings.TrimPrefix(k.path("elsewhere"), k.dir), " shared 3 10")
	eventually(t, "the share", want, settled)
	same(t, "seen", k.seen(friend), []string{"F/new=4", "F/same=1", "F/sub/changes=5"})
	same(t, "seen by others", len(k.seen(near)), 0)
	same(t, "content", k.content("F/same"), id)
	source, err := k.Open(t.Context(), friend, id)
	must(t, err)
	must(t, source.Close())

	// It is watched where it lies now.
	k.write("elsewhere/later", "55555")
	k.eventuallySeen(friend, "F/later=5", "F/new=4", "F/same=1", "F/sub/changes=5")
	k.restart()
	same(t, "path", k.only().Path, k.path("elsewhere"))
}

func TestMoveToWhatItCannotBe(t *testing.T) {
	t.Parallel()
	k := newKitchen(t)
	k.write("F/a", "1")
	k.write("G/a", "1")
	k.write("H/a", "1")
	k.write("a", "1")
	k.share(everyone, "F", "G", "a")
	for _, c := range []struct {
		name, path string
		want       error
	}{
		{"none", k.path("H"), domain.ErrNotFound},
		{"F", k.path("gone"), domain.ErrNotFound},
		{"F", k.path("H/a"), domain.ErrUsage},
		{"a", k.path("H"), domain.ErrUsage},
		{"F", k.path("G"), domain.ErrUsage},
		{"F", k.data, domain.ErrNotShareable},
	} {
		if err := k.Move(t.Context(), c.name, c.path); !errors.Is(err, c.want) {
			t.Errorf("%s to %s: %v, want %v", c.name, c.path, err, c.want)
		}
	}
	same(t, "paths", []string{k.Shares()[0].Path, k.Shares()[1].Path, k.Shares()[2].Path}, []string{k.path("F"), k.path("G"), k.path("a")})
	must(t, k.Move(t.Context(), "F", k.path("F"))) // where it is already
}

// TestMoveWhileItIsRead points a share to another place in the midst of its
// reading: what is offered is what lies there.
func TestMoveWhileItIsRead(t *testing.T) {
	t.Parallel()
	k := newKitchen(t)
	p := k.write("big", "")
	must(t, os.Truncate(p, 64<<30))
	small := k.write("small", "1234")
	k.Start(t.Context())
	go func() { _, _ = k.Share(t.Context(), []string{p}, everyone) }() // it is cut short
	eventually(t, "reading", "true", func() string {
		all := k.Shares()
		return fmt.Sprint(len(all) == 1 && all[0].Read > 0)
	})
	must(t, k.Move(t.Context(), "big", small))
	k.eventuallySeen(near, "big=4")
	eventually(t, "state", "shared", func() string { return string(k.only().State) })
}
