package library_test

import (
	"errors"
	"os"
	"testing"

	"github.com/potluck-share/potluck/app/domain"
)

func TestWhatWasStoppedIsSharedAgainAsItWas(t *testing.T) {
	k := newKitchen(t)
	k.write("F/three.txt", "333")
	k.share(friends, "F")
	stopped := k.only()
	must(t, k.Unshare(t.Context(), []string{"F"}))
	must(t, k.Restore(t.Context(), stopped))
	k.eventuallySeen(friend, "F/three.txt=3")
	if got := k.seen(near); len(got) > 0 {
		t.Errorf("everyone nearby sees %v", got)
	}
	eventually(t, "state", "shared", func() string { return string(k.only().State) })
	again := k.only()
	same(t, "added", again.Added.Unix(), stopped.Added.Unix())

	// It is away: what is restored is, too, until it comes back.
	k.Start(t.Context())
	must(t, os.Rename(k.path("F"), k.path("G")))
	eventually(t, "state", "gone", func() string { return string(k.only().State) })
	gone := k.only()
	must(t, k.Unshare(t.Context(), []string{"F"}))
	k.write("other/F/x.txt", "x")
	k.share(everyone, "other/F") // its name is taken
	must(t, k.Restore(t.Context(), gone))
	state := func() string {
		for _, s := range k.Shares() {
			if s.Path == gone.Path {
				return s.Name + " is " + string(s.State)
			}
		}
		return "not shared"
	}
	eventually(t, "state", "F (2) is gone", state)
	k.restart()
	k.Start(t.Context())
	eventually(t, "state after a restart", "F (2) is gone", state)
	must(t, os.Rename(k.path("G"), k.path("F")))
	eventually(t, "state when it is back", "F (2) is shared", state)
	k.eventuallySeen(friend, "F (2)/three.txt=3", "F/x.txt=1")

	// What is shared already keeps its name and gets the audience.
	must(t, k.Restore(t.Context(), domain.Share{Name: "new", Path: gone.Path, Folder: true, Audience: everyone}))
	k.eventuallySeen(near, "F (2)/three.txt=3", "F/x.txt=1")

	for _, s := range []domain.Share{
		{Name: "own", Path: k.data, Folder: true, Audience: everyone},
		{Name: "F", Path: k.path("F")},
	} {
		err := k.Restore(t.Context(), s)
		if !errors.Is(err, domain.ErrNotShareable) && !errors.Is(err, domain.ErrUsage) {
			t.Errorf("Restore(%+v) = %v", s, err)
		}
	}
}
