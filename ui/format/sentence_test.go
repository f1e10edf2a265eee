package format

import (
	"errors"
	"fmt"
	"testing"

	"github.com/potluck-share/potluck/app/domain"
)

func TestSentence(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{nil, ""},
		{errors.New("the disk is gone"), "The disk is gone."},
		{errors.New("Is it there?"), "Is it there?"},
		{fmt.Errorf("nobody answered at 10.0.0.9: %w", domain.ErrNotFound), "Nobody answered at 10.0.0.9."},
		{fmt.Errorf("%w: Potluck is still starting", domain.ErrBusy), "Potluck is still starting."},
		{domain.ErrNotFound, "Not found."},
		{domain.Fault(domain.ErrNotFound, "%s is not there any more", "movie.mp4"), "movie.mp4 is not there any more."},
		{domain.Fault(domain.ErrNotFound, "there is no %s", "movie.mp4"), "There is no movie.mp4."},
		{fmt.Errorf("ana is %w", domain.ErrOffline), "Ana is away."},
	} {
		if got := Sentence(c.err); got != c.want {
			t.Errorf("%v: %q, want %q", c.err, got, c.want)
		}
	}
}

func TestKind(t *testing.T) {
	for name, want := range map[string]string{"a.JPG": "Picture", "b.tar.gz": "Archive", "c": "File", "d.unknown": "File", "setup.exe": "Program", "": "File"} {
		if got := KindName(KindOf(name)); got != want {
			t.Errorf("%q is called %q, want %q", name, got, want)
		}
	}
}
