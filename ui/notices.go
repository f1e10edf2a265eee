package ui

import (
	"context"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/ui/format"
	"github.com/potluck-share/potluck/ui/theme"
	"github.com/potluck-share/potluck/ui/widget"
	"github.com/potluck-share/potluck/ui/words"
)

// notices are the cards above every page, one of a key.
type notices struct {
	object *fyne.Container
	box    *fyne.Container
	frame  *fyne.Container // that the cards share with the pages
	keys   []string
}

func (n *notices) build() {
	n.box = widget.VBox(theme.Space8)
	n.object = widget.Inset(n.box, theme.Space12, theme.Space16, 0, theme.Space16)
	n.object.Hide()
}

// add shows a card, in the place of one with the same key.
func (n *notices) add(key, icon string, color fyne.ThemeColorName, text string, actions ...fyne.CanvasObject) {
	n.put(key, widget.NewNotice(icon, color, text, func() { n.remove(key) }, actions...))
}

// ask shows a card that stays until it is answered.
func (n *notices) ask(key, icon string, color fyne.ThemeColorName, text string, actions ...fyne.CanvasObject) {
	n.put(key, widget.NewNotice(icon, color, text, nil, actions...))
}

func (n *notices) put(key string, card fyne.CanvasObject) {
	n.remove(key)
	n.keys = append(n.keys, key)
	n.box.Add(card)
	n.object.Show()
	n.place()
}

// place gives the cards the room that they take now, and the pages the rest.
func (n *notices) place() {
	n.object.Refresh()
	if n.frame != nil {
		n.frame.Refresh()
	}
}

// remove takes a card away.
func (n *notices) remove(key string) {
	for i, k := range n.keys {
		if k != key {
			continue
		}
		n.keys = append(n.keys[:i], n.keys[i+1:]...)
		n.box.Remove(n.box.Objects[i])
		break
	}
	if len(n.keys) == 0 {
		n.object.Hide()
	}
	n.place()
}

// problem says what could not be done.
func (w *window) problem(err error) {
	w.notices.add("problem", "warning", theme.Error, format.Sentence(err))
}

// watches says if changes in shared folders are found late, once until it is
// over.
func (w *window) watches(status domain.Status) {
	if status.Unwatched == w.unwatched {
		return
	}
	if w.unwatched = status.Unwatched; !w.unwatched {
		w.notices.remove("watches")
		return
	}
	w.notices.add("watches", "clock", theme.Waiting, words.T("Not all shared folders can be watched, so changes are seen within ten minutes only."))
}

// network says whether there is a network at all.
func (w *window) network(status domain.Status) {
	if status.Network {
		w.notices.remove("network")
		return
	}
	w.notices.add("network", "warning", theme.Waiting, words.T("No network. Continues when it's back."))
}

// lastCrash offers the report of a run before that ended by a fault. It is
// called off the UI thread.
func (w *window) lastCrash() {
	report, crashed := w.core.Program.LastCrash()
	if !crashed {
		return
	}
	w.do(func() {
		w.notices.add("crash", "warning", theme.Waiting, words.T("Potluck stopped unexpectedly last time."),
			widget.NewButton(words.T("Copy the report"), "copy", widget.Plain, func() {
				w.app.Clipboard().SetContent(report)
				w.notices.remove("crash")
			}).Small())
	})
}

// cannotStart shows, in the place of the pages, why nothing works.
func (w *window) cannotStart(err error) {
	empty := widget.NewEmpty(words.T("Potluck can't start."), format.Sentence(err),
		widget.NewButton(words.T("Quit"), "", widget.Plain, w.quit))
	w.main.Objects = []fyne.CanvasObject{empty.Container}
	w.main.Refresh()
	for _, n := range w.nav {
		n.SetChosen(false)
		n.OnTapped = func() {}
	}
	w.broken = true
	w.appear() // for it may have been started without a window
}

// toastFor is how long what was done can be taken back.
const toastFor = 10 * time.Second

// toast is the bar at the bottom that says what was just done.
type toast struct {
	object *fyne.Container
	undo   func()
	count  int
}

func (t *toast) build() { t.object = container.New(bottomLayout{}) }

func (t *toast) hide() {
	t.undo = nil
	t.object.Objects = nil
	t.object.Refresh()
}

// showToast says what was done and how to take it back, for a while; other
// actions come before that.
func (w *window) showToast(text string, undo func(), others ...widget.Action) {
	t := &w.toast
	t.count++
	count := t.count
	t.undo = func() {
		t.hide()
		undo()
	}
	actions := append(others, widget.Action{Text: words.T("Undo"), Do: func(fyne.CanvasObject) { t.takeBack() }})
	t.object.Objects = []fyne.CanvasObject{widget.NewToast(text, t.hide, actions...)}
	t.object.Refresh()
	w.run.After(toastFor, func(context.Context) func() {
		return func() {
			if t.count == count {
				t.hide()
			}
		}
	})
}

// takeBack undoes what the toast tells of, if there is one.
func (t *toast) takeBack() {
	if t.undo != nil {
		t.undo()
	}
}

// bottomLayout puts its one object at the bottom, in the middle.
type bottomLayout struct{}

func (bottomLayout) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.Size{} }

func (bottomLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	for _, o := range objects {
		m := o.MinSize()
		o.Resize(m)
		o.Move(fyne.NewPos((size.Width-m.Width)/2, size.Height-m.Height-theme.Space32))
	}
}
