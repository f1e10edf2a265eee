package browse_test

import (
	"path/filepath"
	"testing"

	"github.com/potluck-share/potluck/app/domain"
)

func TestWhatIsShownLeadsToWhatIsThere(t *testing.T) {
	people := around{"ana": {ID: "ana", Name: "Ana", Online: true}}
	b := open(t, filepath.Join(t.TempDir(), "db"), &owners{pages: map[domain.PeerID][]domain.Page{
		"ana": {{Version: version(1), Full: true, Changes: put(
			file("so\u202eng/one\u200b.mp3", "1"), file("so\u202eng/two.mp3", "2"),
			file("twins/a\u200b.txt", "3"), file("twins/\u200ba.txt", "4"),
			file("plain/a\u200b.txt", "5"), file("plain/a.txt", "6"),
		)}},
	}}, people)
	b.Head(domain.Head{Peer: "ana", Version: version(1), Entries: 6})
	b.settle(t, "ana")
	for text, want := range map[string]string{
		"song":          "so\u202eng",
		"song/one.mp3":  "so\u202eng/one\u200b.mp3",
		"song/two.mp3":  "so\u202eng/two.mp3",
		"song/six.mp3":  "song/six.mp3",
		"twins":         "twins",
		"twins/a.txt":   "twins/a.txt", // two look so
		"plain/a.txt":   "plain/a.txt", // it is there
		"../song":       "../song",
		"song/.":        "song/.",
		"song/":         "song/",
		"song//two.mp3": "song//two.mp3",
		"twins/../song": "twins/../song",
		"":              "",
	} {
		if got := b.Shown("ana", text); got != want {
			t.Errorf("Shown(%q) = %q, want %q", text, got, want)
		}
	}
	if got := b.Shown("", "song"); got != "song" {
		t.Errorf("of everyone: %q", got)
	}
}
