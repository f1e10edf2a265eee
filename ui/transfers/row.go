package transfers

import (
	"cmp"
	"path"
	"slices"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/ui/format"
	"github.com/potluck-share/potluck/ui/theme"
	"github.com/potluck-share/potluck/ui/widget"
	"github.com/potluck-share/potluck/ui/words"
)

// rowHeight is the height of a transfer's row.
const rowHeight float32 = 64

// action is something that can be done to a transfer.
type action int

const (
	pausing action = iota
	resuming
	cancelling
	retrying
	opening
)

// row is a transfer, in the words that are shown.
type row struct {
	id       string
	transfer domain.Transfer
	name     string
	who      string // "from Ana", "to Ben"
	sentence string
	ink      fyne.ThemeColorName // of the sentence
	icon     string
	tint     fyne.ThemeColorName // of icon and bar
	fraction float64
	percent  string
}

// can reports whether an action makes sense for the transfer.
func (r *row) can(a action) bool {
	t := &r.transfer
	own := t.Kind != domain.Upload
	switch a {
	case pausing:
		return own && (t.State == domain.Running || t.State == domain.Queued || t.State == domain.Waiting)
	case resuming:
		return own && t.State == domain.Paused
	case cancelling:
		return !t.State.Ended()
	case retrying:
		return own && (t.State == domain.Failed || t.State == domain.Cancelled)
	case opening:
		return own && t.State == domain.Done && t.Final != ""
	default:
		return false
	}
}

// rank is a state's place in the list: what needs the user comes first.
func rank(t *domain.Transfer) int {
	switch t.State {
	case domain.Failed:
		return 0
	case domain.Waiting:
		if NeedsUser(t) {
			return 0
		}
		return 2
	case domain.Running:
		return 1
	case domain.Queued:
		return 2
	case domain.Paused:
		return 3
	default:
		return 4
	}
}

// NeedsUser reports whether a waiting transfer goes on only when the user has
// done something.
func NeedsUser(t *domain.Transfer) bool {
	return t.Failure == domain.ErrorKind(domain.ErrNoSpace) || t.Failure == domain.ErrorKind(domain.ErrUnwritable)
}

// rowsOf sorts transfers, within a state the ended ones newest first and the
// others as they will run, and puts them into words.
func rowsOf(transfers []domain.Transfer, now time.Time) []row {
	transfers = slices.Clone(transfers)
	slices.SortFunc(transfers, func(a, b domain.Transfer) int {
		order := cmp.Or(cmp.Compare(a.Order, b.Order), a.Added.Compare(b.Added), cmp.Compare(a.ID, b.ID))
		if a.State.Ended() && b.State.Ended() {
			order = cmp.Or(b.Ended.Compare(a.Ended), -order)
		}
		return cmp.Or(cmp.Compare(rank(&a), rank(&b)), order)
	})
	rows := make([]row, len(transfers))
	for i := range transfers {
		rows[i] = rowOf(transfers[i], now)
	}
	return rows
}

func rowOf(t domain.Transfer, now time.Time) row {
	r := row{id: t.ID, transfer: t, icon: "download", tint: theme.Primary, ink: theme.SecondText}
	r.name = Name(&t)
	if t.PeerName != "" {
		r.who = "from " + t.PeerName
	}
	if t.Kind == domain.Upload {
		r.icon, r.tint = "upload", theme.Upload
		if t.PeerName != "" {
			r.who = "to " + t.PeerName
		}
	}
	r.fraction = format.Fraction(t.Done, t.Size)
	if t.Size <= 0 && !t.State.Ended() {
		r.fraction = 0
	}
	r.sentence = sentence(&t, now)
	switch {
	case t.State == domain.Done:
		r.icon, r.tint = "check", theme.Done
	case t.State == domain.Failed, t.State == domain.Waiting && NeedsUser(&t):
		r.icon, r.tint, r.ink = "warning", theme.Error, theme.Error
	case t.State == domain.Waiting, t.State == domain.Queued:
		r.tint = theme.Waiting
	case t.State == domain.Cancelled:
		r.icon, r.tint = "close", theme.SecondText
	case t.State == domain.Paused:
		r.tint = theme.SecondText
	}
	if !t.State.Ended() && t.Size > 0 {
		r.percent = format.Percent(t.Done, t.Size)
	}
	return r
}

// Name returns what a transfer is called.
func Name(t *domain.Transfer) string {
	if _, err := domain.ParseContentID(t.Path); err == nil && len(t.Files) == 0 {
		return words.T("A file by its ID")
	}
	return path.Base(t.Path)
}

// sentence says how a transfer is doing, and what happens next.
func sentence(t *domain.Transfer, now time.Time) string {
	switch t.State {
	case domain.Running:
		if !t.Reason.IsZero() && t.Rate < 1 {
			return t.Reason.String()
		}
		if t.Size <= 0 {
			return "Asking for it…"
		}
		words := format.SizeOf(t.Done, t.Size)
		if rate := format.Rate(t.Rate); rate != "" {
			words += " · " + rate
		}
		if left := format.Left(t.Size-t.Done, t.Rate); left != "" {
			words += " · " + left
		}
		return words
	case domain.Paused:
		if t.Size > 0 && t.Done > 0 {
			return "Paused by you. " + format.SizeOf(t.Done, t.Size) + " is here."
		}
		return "Paused by you."
	case domain.Done:
		if !t.Reason.IsZero() {
			return t.Reason.String() // it was here before
		}
		words := format.Size(t.Size)
		if t.Count > 1 {
			words += " in " + format.Files(t.Count)
		}
		if at := format.Day(t.Ended, now); at != "" {
			words += ", done " + at
		}
		return words + "."
	case domain.Cancelled:
		return "Cancelled by you."
	}
	switch {
	case !t.Reason.IsZero():
		return t.Reason.String()
	case t.State == domain.Queued:
		return "Waits for its turn."
	case t.State == domain.Waiting && t.PeerName != "":
		return "Waits for " + t.PeerName + "."
	case t.State == domain.Waiting:
		return "Waits for somebody who has it."
	default:
		return "It stopped. Try again."
	}
}

// rowView shows a row.
type rowView struct {
	object   *fyne.Container
	icon     *widget.Icon
	name     *widget.Text
	who      *widget.Text
	sentence *widget.Text
	bar      *widget.Progress
	percent  *widget.Text
	first    *widget.Button
	second   *widget.Button
}

func newRow() widget.Cells {
	v := &rowView{
		icon:     widget.NewIcon("download", theme.Primary),
		name:     widget.NewBold("", theme.TextBody, theme.Text).Shortened(widget.Middle),
		who:      widget.NewText("", theme.TextBody, theme.SecondText).Shortened(widget.End),
		sentence: widget.NewText("", theme.TextCaption, theme.SecondText).Shortened(widget.End),
		bar:      widget.NewProgress(),
		percent:  widget.NewCell(widget.End, fyne.TextAlignTrailing, theme.SecondText),
		first:    widget.NewButton("", "pause", widget.Quiet, nil),
		second:   widget.NewButton("", "close", widget.Quiet, nil),
	}
	v.object = container.New(rowLayout{v}, v.icon, v.name, v.who, v.sentence, v.bar, v.percent, v.first, v.second)
	return v
}

// Object returns what shows the row.
func (v *rowView) Object() fyne.CanvasObject { return v.object }

func (v *rowView) show(view *View, r *row) {
	v.icon.Set(r.icon, r.tint)
	v.name.SetText(r.name)
	v.who.SetText(r.who)
	v.sentence.Set(r.sentence, r.ink)
	moving := !r.transfer.State.Ended()
	setVisible(v.bar, moving)
	setVisible(v.percent, moving)
	v.bar.Set(r.fraction, r.tint)
	v.percent.SetText(r.percent)

	one := []string{r.id}
	var buttons []struct {
		icon string
		act  func()
	}
	add := func(a action, icon string, act func()) {
		if r.can(a) {
			buttons = append(buttons, struct {
				icon string
				act  func()
			}{icon, act})
		}
	}
	add(opening, "folder", func() { view.reveal(one[0]) })
	add(opening, "open", func() { view.open(one[0]) })
	add(pausing, "pause", func() { view.toggle(one) })
	add(resuming, "play", func() { view.toggle(one) })
	add(retrying, "retry", func() { view.retry(one) })
	add(cancelling, "close", func() { view.cancel(one) })
	for i, b := range []*widget.Button{v.second, v.first} { // filled from the right
		n := len(buttons) - 1 - i
		setVisible(b, n >= 0)
		if n >= 0 {
			b.Set("", buttons[n].icon)
			b.OnTapped = buttons[n].act
		}
	}
	v.object.Layout.Layout(v.object.Objects, v.object.Size())
}

func setVisible(o fyne.CanvasObject, visible bool) {
	switch {
	case o.Visible() == visible:
	case visible:
		o.Show()
	default:
		o.Hide()
	}
}

// rowLayout places the icon, name and whom over the sentence, the bar with its
// percents, and two buttons.
type rowLayout struct{ v *rowView }

const (
	barWidth     float32 = 160
	percentWidth float32 = 48
	buttonSide   float32 = 36
)

// MinSize is called by Fyne.
func (l rowLayout) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(320, rowHeight) }

// Layout is called by Fyne.
func (l rowLayout) Layout(_ []fyne.CanvasObject, size fyne.Size) {
	v := l.v
	v.icon.Move(fyne.NewPos(0, (size.Height-theme.IconSize)/2))
	v.icon.Resize(fyne.NewSquareSize(theme.IconSize))
	right := size.Width
	for _, b := range []*widget.Button{v.second, v.first} {
		right -= buttonSide
		b.Move(fyne.NewPos(right, (size.Height-buttonSide)/2))
		b.Resize(fyne.NewSquareSize(buttonSide))
	}
	right -= theme.Space8
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
