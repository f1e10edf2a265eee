package transfers

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"github.com/potluck-share/potluck/ui/theme"
	"github.com/potluck-share/potluck/ui/widget"
)

// The sizes of a row.
const (
	rowHeight    float32 = 64
	barWidth     float32 = 160
	percentWidth float32 = 48
	buttonSide   float32 = 36
)

// rowView shows a row.
type rowView struct {
	object   *fyne.Container
	icon     *widget.Icon
	name     *widget.Text
	who      *widget.Text
	sentence *widget.Text
	bar      *widget.Progress
	percent  *widget.Text
	remedy   *widget.Button
	buttons  [2]*widget.Button

	id   string
	look look // what is shown now
}

func newRow() widget.Cells {
	v := &rowView{
		icon:     widget.NewIcon("download", theme.Primary),
		name:     widget.NewBold("", theme.TextBody, theme.Text).Shortened(widget.Middle),
		who:      widget.NewText("", theme.TextBody, theme.SecondText).Shortened(widget.End),
		sentence: widget.NewText("", theme.TextCaption, theme.SecondText).Shortened(widget.End),
		bar:      widget.NewProgress(),
		percent:  widget.NewCell(widget.End, fyne.TextAlignTrailing, theme.SecondText),
		remedy:   widget.NewButton("", "", widget.Plain, nil).Small(),
	}
	for i := range v.buttons {
		v.buttons[i] = widget.NewButton("", "close", widget.Quiet, nil)
	}
	v.object = container.New(rowLayout{v}, v.icon, v.name, v.who, v.sentence, v.bar, v.percent, v.remedy, v.buttons[0], v.buttons[1])
	return v
}

// Object returns what shows the row.
func (v *rowView) Object() fyne.CanvasObject { return v.object }

// show fills the row. What looks as before is left alone: it is called for all
// rows many times a second.
func (v *rowView) show(view *View, r *row) {
	before, now := v.look, r.look
	moved := v.id != r.id
	if moved {
		v.remedy.OnTapped = func() { view.act(v.look.mend, []string{v.id}) }
		for i, b := range v.buttons {
			b.OnTapped = func() { view.act(v.look.buttons[i], []string{v.id}) }
		}
	} else if before == now {
		return
	}
	v.id, v.look = r.id, now
	if moved {
		v.leave(view)
	}

	v.icon.Set(now.icon, now.tint)
	v.name.SetText(now.name)
	v.who.SetText(now.who)
	v.sentence.Set(now.sentence, now.ink)
	widget.SetVisible(v.bar, now.bar)
	widget.SetVisible(v.percent, now.bar)
	v.bar.Set(now.fraction, now.tint)
	v.percent.SetText(now.percent)
	widget.SetVisible(v.remedy, now.remedy != "")
	if now.remedy != "" {
		v.remedy.Set(now.remedy, "")
	}
	for i, b := range v.buttons {
		widget.SetVisible(b, now.buttons[i] != none)
		if now.buttons[i] != none {
			b.Set("", iconOf(now.buttons[i]))
		}
	}
	if before.name != now.name || before.who != now.who || before.bar != now.bar || before.remedy != now.remedy || before.buttons != now.buttons {
		v.object.Layout.Layout(v.object.Objects, v.object.Size())
	}
}

// leave takes the keyboard from the row's buttons back to the list: they
// belong to another transfer now.
func (v *rowView) leave(view *View) {
	c := view.canvas()
	if c == nil {
		return
	}
	for _, b := range append(v.buttons[:], v.remedy) {
		if c.Focused() == fyne.Focusable(b) {
			view.run.Do(func() { c.Focus(view.list) })
		}
	}
}

// rowLayout places the icon, name and whom over the sentence; at the right the
// bar with its percents or the remedy, and two buttons.
type rowLayout struct{ v *rowView }

// MinSize is called by Fyne.
func (l rowLayout) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(320, rowHeight) }

// Layout is called by Fyne.
func (l rowLayout) Layout(_ []fyne.CanvasObject, size fyne.Size) {
	v := l.v
	v.icon.Move(fyne.NewPos(0, (size.Height-theme.IconSize)/2))
	v.icon.Resize(fyne.NewSquareSize(theme.IconSize))
	right := size.Width
	for i := len(v.buttons) - 1; i >= 0; i-- {
		b := v.buttons[i]
		if !b.Visible() && v.remedy.Visible() {
			continue // the remedy takes the room
		}
		right -= buttonSide
		b.Move(fyne.NewPos(right, (size.Height-buttonSide)/2))
		b.Resize(fyne.NewSquareSize(buttonSide))
	}
	right -= theme.Space8
	if v.remedy.Visible() {
		m := v.remedy.MinSize()
		right -= m.Width
		v.remedy.Move(fyne.NewPos(right, (size.Height-m.Height)/2))
		v.remedy.Resize(m)
		right -= theme.Space12
	}
	x := theme.IconSize + theme.Space12
	// The sentence may run below the bar: it is what must not be cut off.
	v.sentence.Move(fyne.NewPos(x, 34))
	v.sentence.Resize(fyne.NewSize(max(0, right-x), 17))
	if v.bar.Visible() {
		v.percent.Move(fyne.NewPos(right-percentWidth, 13))
		v.percent.Resize(fyne.NewSize(percentWidth, 20))
		right -= percentWidth + theme.Space4
		v.bar.Move(fyne.NewPos(right-barWidth, 13+(20-theme.ProgressHeight)/2))
		v.bar.Resize(fyne.NewSize(barWidth, theme.ProgressHeight))
		right -= barWidth + theme.Space16
	}
	width := max(0, right-x)
	who := min(v.who.FullWidth(), width/2)
	name := min(v.name.FullWidth(), width-who-theme.Space8)
	v.name.Move(fyne.NewPos(x, 13))
	v.name.Resize(fyne.NewSize(name, 20))
	v.who.Move(fyne.NewPos(x+name+theme.Space8, 13))
	v.who.Resize(fyne.NewSize(who, 20))
}
