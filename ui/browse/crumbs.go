package browse

import (
	"slices"

	"fyne.io/fyne/v2"
	fwidget "fyne.io/fyne/v2/widget"

	"github.com/potluck-share/potluck/ui/theme"
	"github.com/potluck-share/potluck/ui/widget"
)

// crumb is one step of the path.
type crumb struct {
	name string
	open func()
}

// crumbs is the path in the page's heading: a link for each step above, and
// the present one in bold. Where the room is short, steps in the middle give
// way.
type crumbs struct {
	fwidget.BaseWidget
	steps []crumb
	links []*widget.Button
	marks []*widget.Icon
	dots  *widget.Text
	last  *widget.Text
}

func newCrumbs() *crumbs {
	c := &crumbs{}
	c.dots = widget.NewText("…", theme.TextBody, theme.SecondText)
	c.last = widget.NewBold("", theme.TextHeading, theme.Text).Shortened(widget.Middle)
	c.ExtendBaseWidget(c)
	return c
}

// set shows another path.
func (c *crumbs) set(steps []crumb) {
	same := slices.EqualFunc(c.steps, steps, func(a, b crumb) bool { return a.name == b.name })
	c.steps = steps
	if same {
		for i, link := range c.links {
			link.OnTapped = steps[i].open
		}
		return
	}
	c.links, c.marks = nil, nil
	for _, s := range steps[:len(steps)-1] {
		c.links = append(c.links, widget.NewButton(clip(s.name), "", widget.Quiet, s.open))
		c.marks = append(c.marks, widget.NewIcon("chevron-right", theme.SecondText).Sized(16))
	}
	c.last.SetText(steps[len(steps)-1].name)
	c.Refresh()
}

// CreateRenderer is called by Fyne.
func (c *crumbs) CreateRenderer() fyne.WidgetRenderer { return &crumbsRenderer{c} }

type crumbsRenderer struct{ crumbs *crumbs }

// Destroy is called by Fyne.
func (r *crumbsRenderer) Destroy() {}

// MinSize is called by Fyne.
func (r *crumbsRenderer) MinSize() fyne.Size { return fyne.NewSize(160, theme.ControlHeight) }

// Objects is called by Fyne.
func (r *crumbsRenderer) Objects() []fyne.CanvasObject {
	objects := []fyne.CanvasObject{r.crumbs.last, r.crumbs.dots}
	for i := range r.crumbs.links {
		objects = append(objects, r.crumbs.links[i], r.crumbs.marks[i])
	}
	return objects
}

// leastLast is what the present step keeps of the room at least.
const leastLast float32 = 120

// Layout is called by Fyne.
func (r *crumbsRenderer) Layout(size fyne.Size) {
	c := r.crumbs
	const markWidth = 16 + theme.Space4
	room := size.Width - min(c.last.FullWidth(), leastLast)
	dots := c.dots.MinSize().Width + theme.Space8 + markWidth
	var all float32
	for _, l := range c.links {
		all += l.MinSize().Width + markWidth
	}
	// Which links stay: all, or the first and as many of the last as fit.
	from := 1
	if all > room && len(c.links) > 1 {
		left := room - dots - c.links[0].MinSize().Width - markWidth
		from = len(c.links)
		for i := len(c.links) - 1; i > 0; i-- {
			left -= c.links[i].MinSize().Width + markWidth
			if left < 0 {
				break
			}
			from = i
		}
	}
	var x float32
	c.dots.Hidden = from <= 1
	place := func(o fyne.CanvasObject) {
		m := o.MinSize()
		o.Move(fyne.NewPos(x, (size.Height-m.Height)/2))
		o.Resize(m)
		x += m.Width
	}
	if len(c.links) > 0 {
		x = -theme.Space12 // a bare link's text begins where a heading does
	}
	for i, l := range c.links {
		shown := i == 0 || i >= from
		l.Hidden, c.marks[i].Hidden = !shown, !shown
		if i == 1 && from > 1 {
			x += theme.Space8
			place(c.dots)
			x += theme.Space4
			c.marks[i].Hidden = false // the mark after the dots
		}
		if shown {
			place(l)
		}
		if !c.marks[i].Hidden {
			place(c.marks[i])
			x += theme.Space4
		}
	}
	if len(c.links) > 0 {
		x += theme.Space8
	}
	c.last.Move(fyne.NewPos(x, 0))
	c.last.Resize(fyne.NewSize(max(0, size.Width-x), size.Height))
}

// Refresh is called by Fyne.
func (r *crumbsRenderer) Refresh() {
	for _, o := range r.Objects() {
		o.Refresh()
	}
	r.Layout(r.crumbs.Size())
}
