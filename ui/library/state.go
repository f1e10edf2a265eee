package library

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/ui/theme"
	"github.com/potluck-share/potluck/ui/widget"
	"github.com/potluck-share/potluck/ui/words"
)

// stateCell says how a share is doing: in a line, or in two small ones if it
// takes a sentence, with the progress of its reading or the ways to mend it.
type stateCell struct {
	object *fyne.Container
	icon   *widget.Icon
	line   *widget.Text
	upper  *widget.Text
	lower  *widget.Text
	bar    *widget.Progress
	find   *widget.Button
	remove *widget.Button

	text string
	ink  fyne.ThemeColorName
}

func newStateCell(find, remove func()) *stateCell {
	s := &stateCell{
		icon:   widget.NewIcon("check", theme.Done).Sized(16),
		line:   widget.NewCell(widget.End, fyne.TextAlignLeading, theme.SecondText),
		upper:  widget.NewText("", theme.TextCaption, theme.SecondText).Shortened(widget.End),
		lower:  widget.NewText("", theme.TextCaption, theme.SecondText).Shortened(widget.End),
		bar:    widget.NewProgress(),
		find:   widget.NewButton(words.T("Find…"), "", widget.Plain, find).Small(),
		remove: widget.NewButton(words.T("Remove"), "", widget.Plain, remove).Small(),
	}
	s.object = container.New(s, s.icon, s.line, s.upper, s.lower, s.bar, s.find, s.remove)
	return s
}

func (s *stateCell) show(r *row) {
	s.text, s.ink = r.state, theme.SecondText
	if r.broken {
		s.ink = r.tint
	}
	widget.SetVisible(s.icon, r.icon != "")
	if r.icon != "" {
		s.icon.Set(r.icon, r.tint)
	}
	gone := r.share != nil && r.share.State == domain.ShareGone
	widget.SetVisible(s.find, gone)
	widget.SetVisible(s.remove, gone || r.share != nil && r.share.State == domain.ShareUnreadable)
	widget.SetVisible(s.bar, r.progress >= 0)
	if r.progress >= 0 {
		s.bar.Set(r.progress, theme.Waiting)
	}
	s.Layout(nil, s.object.Size())
}

// MinSize is called by Fyne.
func (s *stateCell) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(0, rowHeight) }

// Layout is called by Fyne.
func (s *stateCell) Layout(_ []fyne.CanvasObject, size fyne.Size) {
	if size.Width <= 0 {
		return // not placed yet
	}
	right := size.Width
	for _, b := range []*widget.Button{s.remove, s.find} {
		if b.Visible() {
			m := b.MinSize()
			right -= m.Width
			b.Move(fyne.NewPos(right, (size.Height-m.Height)/2))
			b.Resize(m)
			right -= theme.Space8
		}
	}
	s.icon.Move(fyne.NewPos(0, (size.Height-16)/2))
	s.icon.Resize(fyne.NewSquareSize(16))
	x := float32(16) + theme.Space8
	width := max(0, right-x)

	s.line.Set(s.text, s.ink)
	full := s.line.FullWidth()
	long := full > width && !s.find.Visible()
	if s.bar.Visible() {
		at := x + full + theme.Space8
		s.bar.Move(fyne.NewPos(at, 0))
		s.bar.Resize(fyne.NewSize(max(0, right-at), size.Height))
	}
	widget.SetVisible(s.line, !long)
	widget.SetVisible(s.upper, long)
	widget.SetVisible(s.lower, long)
	s.line.Move(fyne.NewPos(x, 0))
	s.line.Resize(fyne.NewSize(width, size.Height))
	if !long {
		return
	}
	upper, lower := split(s.text, width, func(text string) float32 {
		return fyne.MeasureText(text, theme.TextCaption, fyne.TextStyle{}).Width
	})
	s.upper.Set(upper, s.ink)
	s.lower.Set(lower, s.ink)
	s.upper.Move(fyne.NewPos(x, 2))
	s.upper.Resize(fyne.NewSize(width, size.Height/2-2))
	if lower == "" {
		s.upper.Move(fyne.NewPos(x, 0))
		s.upper.Resize(fyne.NewSize(width, size.Height))
	}
	s.lower.Move(fyne.NewPos(x, size.Height/2))
	s.lower.Resize(fyne.NewSize(width, size.Height/2-2))
}

// split breaks a sentence into two lines: as many words as fit into the first,
// the rest in the second.
func split(text string, width float32, measure func(string) float32) (first, second string) {
	parts := strings.Split(text, " ")
	first = parts[0]
	for i, word := range parts[1:] {
		if measure(first+" "+word) > width {
			return first, strings.Join(parts[i+1:], " ")
		}
		first += " " + word
	}
	return first, ""
}
