package people

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"github.com/potluck-share/potluck/ui/theme"
	"github.com/potluck-share/potluck/ui/widget"
	"github.com/potluck-share/potluck/ui/words"
)

// rowHeight is the height of a person's row.
const rowHeight float32 = 56

// cells show a row.
type cells struct {
	object  *fyne.Container
	avatar  *widget.Avatar
	name    *widget.Text
	friend  *widget.Icon
	ending  *widget.Text
	detail  *widget.Text
	browse  *widget.Button
	heading *widget.Text
	open    func(id string)
	id      string
}

func newCells() widget.Cells {
	c := &cells{
		avatar:  widget.NewAvatar(),
		name:    widget.NewBold("", theme.TextBody, theme.Text).Shortened(widget.End),
		friend:  widget.NewIcon("friend", theme.Primary).Sized(16),
		ending:  widget.NewText("", theme.TextCaption, theme.SecondText),
		detail:  widget.NewText("", theme.TextCaption, theme.SecondText).Shortened(widget.End),
		heading: widget.NewBold(words.T("Away"), theme.TextCaption, theme.SecondText),
	}
	c.browse = widget.NewButton(words.T("Browse"), "", widget.Plain, func() { c.open(c.id) }).Small()
	c.object = container.New(&rowLayout{c}, c.avatar, c.name, c.friend, c.ending, c.detail, c.browse, c.heading)
	return c
}

// Object returns what shows the row.
func (c *cells) Object() fyne.CanvasObject { return c.object }

func (c *cells) show(r *row, open func(id string)) {
	c.id, c.open = r.id, open
	heading := r.id == headingID
	for _, o := range []fyne.CanvasObject{c.avatar, c.name, c.detail} {
		widget.SetVisible(o, !heading)
	}
	widget.SetVisible(c.heading, heading)
	widget.SetVisible(c.friend, !heading && r.peer.Friend)
	widget.SetVisible(c.ending, !heading && r.ending != "")
	widget.SetVisible(c.browse, !heading && r.browse)
	if heading {
		return
	}
	c.avatar.Set(r.peer.ID, !r.online)
	ink, mark := theme.Text, theme.Primary
	if !r.online {
		ink, mark = theme.SecondText, theme.SecondText
	}
	c.name.Set(r.peer.Name, ink)
	c.friend.Set("friend", mark)
	c.ending.SetText(r.ending)
	tone := theme.SecondText
	if r.peer.LooksLike != "" {
		tone = theme.Waiting
	}
	c.detail.Set(r.detail, tone)
	c.object.Layout.Layout(c.object.Objects, c.object.Size()) // the mark follows the name
}

// rowLayout places avatar, name with its marks over detail, button, and the
// heading.
type rowLayout struct{ cells *cells }

// MinSize is called by Fyne.
func (*rowLayout) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(200, rowHeight) }

// Layout is called by Fyne.
func (l *rowLayout) Layout(_ []fyne.CanvasObject, size fyne.Size) {
	c := l.cells
	side := c.avatar.MinSize().Width
	c.avatar.Move(fyne.NewPos(0, (size.Height-side)/2))
	c.avatar.Resize(fyne.NewSquareSize(side))
	button := c.browse.MinSize()
	c.browse.Move(fyne.NewPos(size.Width-button.Width, (size.Height-button.Height)/2))
	c.browse.Resize(button)

	x := side + theme.Space12
	width := max(0, size.Width-x-button.Width-theme.Space16)
	c.detail.Move(fyne.NewPos(x, 30))
	c.detail.Resize(fyne.NewSize(width, 17))

	room := width
	friend, ending := c.friend.MinSize(), c.ending.MinSize()
	if c.friend.Visible() {
		room -= friend.Width + theme.Space4
	}
	if c.ending.Visible() {
		room -= ending.Width + theme.Space4
	}
	name := max(0, min(c.name.FullWidth()+1, room))
	c.name.Move(fyne.NewPos(x, 9))
	c.name.Resize(fyne.NewSize(name, 20))
	x += name + theme.Space4
	if c.friend.Visible() {
		c.friend.Move(fyne.NewPos(x, 9+(20-friend.Height)/2))
		c.friend.Resize(friend)
		x += friend.Width + theme.Space4
	}
	c.ending.Move(fyne.NewPos(x, 9+(20-ending.Height)/2))
	c.ending.Resize(ending)

	c.heading.Move(fyne.NewPos(0, size.Height-24))
	c.heading.Resize(fyne.NewSize(size.Width, 20))
}
