//go:build !preview

package ui

import (
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"github.com/potluck-share/potluck/ui/theme"
	"github.com/potluck-share/potluck/ui/work"
)

// The sheet of the first launch, as it comes and with a refusal.
func TestWelcomeMarkup(t *testing.T) {
	for name, answer := range map[string]func(s *welcome){
		"welcome": func(*welcome) {},
		"refused": func(s *welcome) {
			s.name.SetText("a:b")
			s.answer()
		},
	} {
		t.Run(name, func(t *testing.T) {
			app := test.NewTempApp(t)
			app.Settings().SetTheme(theme.Theme{})
			f := newFake()
			f.values.Introduced = false
			w := &window{core: f.core(), app: app, run: work.Inline(), cancel: func() {}, started: make(chan struct{})}
			w.build()
			t.Cleanup(w.win.Close)
			answer(w.welcome)
			w.win.Canvas().Unfocus()
			w.win.Resize(fyne.NewSize(900, 600))
			test.AssertRendersToMarkup(t, name+".xml", w.win.Canvas())
		})
	}
}
