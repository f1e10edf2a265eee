package library_test

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"testing"

	"github.com/potluck-share/potluck/app/domain"
)

func TestAFileThatChangesInAnOffer(t *testing.T) {
	t.Parallel()
	k := newKitchen(t)
	k.write("Holiday/a.txt", "aaa")
	_, _, err := k.Offer(t.Context(), anOffer, near.Peer, []string{k.path("Holiday")}, nil)
	must(t, err)
	contents := func() []domain.ContentID {
		_, all, err := k.in(near, anOffer)
		must(t, err)
		return all
	}
	first := contents()[0]
	k.write("Holiday/a.txt", "other")
	if _, err := k.Open(t.Context(), near, first); !errors.Is(err, domain.ErrChanged) {
		t.Errorf("what has changed is opened: %v", err)
	}
	eventually(t, "the old content is given", "false", func() string { return fmt.Sprint(k.Allowed(near, first)) })
	eventually(t, "the new content is given", "true", func() string {
		all := contents()
		return fmt.Sprint(len(all) == 1 && all[0] != first && k.Allowed(near, all[0]))
	})
	cleo := domain.Asker{Peer: "cleo", Near: true, Friend: true}
	if k.Allowed(cleo, contents()[0]) {
		t.Error("somebody else gets what the file has become")
	}
}

func TestOddNamesAndWhatIsNoFileInAnOffer(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("such names cannot be there")
	}
	k := newKitchen(t)
	k.write("Odd/a\nb.txt", "1")
	k.write("Odd/ü \u202etxt.exe", "2")
	k.write("Odd/%s #?.txt", "3")
	must(t, os.Symlink("/nowhere", k.path("Odd/link")))
	k.makeSpecial("pipe")
	summary, problems, err := k.Offer(t.Context(), anOffer, near.Peer, []string{k.path("Odd"), k.path("pipe")}, nil)
	must(t, err)
	same(t, "summary", summary, domain.OfferSummary{ID: anOffer, Name: "Odd", Items: 1, Folder: true, Entries: 3, Bytes: 3})
	if len(problems) != 1 || problems[0].Path != k.path("pipe") {
		t.Errorf("problems %+v", problems)
	}
	paths, contents, err := k.in(near, anOffer)
	must(t, err)
	if want := []string{"Odd/%s #?.txt", "Odd/a\nb.txt", "Odd/ü \u202etxt.exe"}; !slices.Equal(paths, want) {
		t.Errorf("ben sees %q, want %q", paths, want)
	}
	for _, id := range contents {
		if !k.Allowed(near, id) {
			t.Error("what is listed is not given")
		}
	}
}
