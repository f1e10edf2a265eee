package talk_test

import (
	"testing"

	"github.com/potluck-share/potluck/net/host/talk"
)

func TestNamesAreCutBetweenCharacters(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"Ana": "Ana", "aßßß": "aß", "": "", "ßßßß": "ßß", "\x80\x80\x80\x80\x80": ""} {
		if got := talk.Cut(text, 4); got != want {
			t.Errorf("%q is cut to %q, want %q", text, got, want)
		}
	}
}
