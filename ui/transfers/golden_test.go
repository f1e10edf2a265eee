package transfers

import (
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"github.com/potluck-share/potluck/app/domain"
)

// The page in its states, as it was when somebody last looked at it.
func TestGoldens(t *testing.T) {
	run := domain.Transfer{ID: "run", Kind: domain.Download, State: domain.Running, PeerName: "Ana", Path: "Holiday", Size: 3_100_000_000, Done: 1_900_000_000, Rate: 48e6, Count: 214}
	up := domain.Transfer{ID: "up", Kind: domain.Upload, State: domain.Running, PeerName: "Ben", Path: "a/notes.txt", Size: 42e6, Done: 21e6, Rate: 2e6}
	full := domain.Transfer{ID: "full", Kind: domain.Download, State: domain.Waiting, PeerName: "Ana", Path: "big.iso", Size: 9e9, Done: 8e9, Failure: "no_space", Reason: domain.Say("Disk full. Free %s and it continues.", domain.Bytes(2_100_000_000))}
	gone := domain.Transfer{ID: "gone", Kind: domain.Download, State: domain.Failed, PeerName: "Ben", Path: "old.zip", Size: 9e6, Failure: "refused", Reason: domain.Say("%s no longer shares this with you.", "Ben")}
	away := domain.Transfer{ID: "away", Kind: domain.Download, State: domain.Waiting, PeerName: "Cleo", Path: "Films/Talk.mp4", Size: 812e6, Done: 65e6, Failure: "offline", Reason: domain.Say("%s is away since %s. Continues when %s is back.", "Cleo", "14:02", "Cleo")}
	paused := domain.Transfer{ID: "paused", Kind: domain.Download, State: domain.Paused, PeerName: "Ana", Path: "book.pdf", Size: 9e6, Done: 1e6}
	done := domain.Transfer{ID: "done", Kind: domain.Download, State: domain.Done, PeerName: "Ana", Path: "song.mp3", Size: 9e6, Done: 9e6, Count: 1, Final: "/x/song.mp3", Ended: now.Add(-time.Hour)}
	had := domain.Transfer{ID: "had", Kind: domain.Download, State: domain.Done, PeerName: "Ana", Path: "photo.jpg", Size: 9e6, Done: 9e6, Final: "/x/photo.jpg", Reason: domain.Say("You already have this."), Ended: now.Add(-2 * time.Hour)}
	for name, list := range map[string][]domain.Transfer{
		"empty": nil,
		"one":   {run},
		"many":  {run, up, full, gone, away, paused, done},
		"needs": {full, gone},
		"done":  {done, had},
	} {
		t.Run(name, func(t *testing.T) {
			v, _ := newView(t)
			v.now = func() time.Time { return now }
			v.SetFree(220e9)
			v.Prepare(list, now)()
			w := test.NewTempWindow(t, v.Object())
			w.SetPadded(false)
			w.Resize(fyne.NewSize(704, 600))
			test.AssertRendersToMarkup(t, name+".xml", w.Canvas())
		})
	}
}
