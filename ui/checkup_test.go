//go:build !preview

package ui

import (
	"strings"
	"testing"

	"fyne.io/fyne/v2/test"
	fwidget "fyne.io/fyne/v2/widget"

	"github.com/potluck-share/potluck/app/domain"
)

// The check-up says what is wrong first, and what helps.
func TestCheckup(t *testing.T) {
	w, f := newTestWindow(t)
	if !pressIn(w.people.Object(), "Find out why") {
		t.Fatal("an empty page offers no check-up")
	}
	wantCalls(t, f, "check up")
	var said []string
	for _, o := range test.LaidOutObjects(sheet(t, w)) {
		if text, ok := o.(*fwidget.RichText); ok {
			said = append(said, text.String())
		}
	}
	if len(said) != 4 || said[1] != "Nobody else was heard." || !strings.HasPrefix(said[2], "Open Potluck") || said[3] != "Potluck listens on port 17685." {
		t.Errorf("it says %q", said)
	}
	sheet(t, w).Cancel()
	w.people.OnCheckup(&domain.Peer{ID: anaID, Name: "Ana"})
	wantCalls(t, f, "check up", "check up "+string(anaID))
	if w.win.Canvas().Overlays().Top() != nil || len(w.notices.keys) != 1 {
		t.Errorf("what went wrong is not told: %q", w.notices.keys)
	}
}
