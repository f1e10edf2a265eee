package browse

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	fwidget "fyne.io/fyne/v2/widget"

	"github.com/potluck-share/potluck/ui/format"
	"github.com/potluck-share/potluck/ui/theme"
	"github.com/potluck-share/potluck/ui/widget"
	"github.com/potluck-share/potluck/ui/words"
)

const (
	// previewWidth is how wide the preview is.
	previewWidth float32 = 288
	// besideFrom is how wide the page's body must be for the preview to stand
	// beside the rows: it is in a window of 1200.
	besideFrom float32 = 1200 - theme.SidebarWidth - 2*theme.Space16
	// kindFrom is how wide the table must be to show kinds: it is in a window
	// of 1100. Beside the preview, which tells the kind too, names need the room
	// more.
	kindFrom       float32 = 1100 - theme.SidebarWidth - 2*theme.Space16 - 2*theme.Space12
	kindFromBeside float32 = 720
	// innerWidth is what the preview leaves to what it shows.
	innerWidth = previewWidth - 2*theme.Space16
	// tallest is how high a picture gets.
	tallest float32 = 240
)

// preview tells of the selected row: what it looks like, as far as that can be
// had, and the facts. In a wide window it stands beside the rows, else it is
// opened over them.
type preview struct {
	fwidget.BaseWidget
	view   *View
	peeker Peeker // nil: there is nothing to be had
	beside bool
	opened bool
	count  int  // rows selected
	row    *row // the only selected one
	peek   peek // what it looks like
	asked  int  // counts what was asked for; older answers are dropped
	cancel func()
	seen   map[string]peek // by content

	card    fyne.CanvasObject
	content *fyne.Container
	scroll  *container.Scroll
	cross   *widget.Button
	icon    *widget.Icon
	iconBox *fyne.Container
	picture *canvas.Image
	text    *widget.Paragraph
	textBox *fyne.Container
	said    *widget.Paragraph
	saidBox *fyne.Container
	name    *widget.Paragraph
	facts   *fyne.Container
	here    *fyne.Container
	nothing *widget.Text
}

// The preview takes every click on it, so that none reaches the rows under it.
var (
	_ fyne.Tappable          = (*preview)(nil)
	_ fyne.SecondaryTappable = (*preview)(nil)
	_ desktop.Mouseable      = (*preview)(nil)
	_ desktop.Hoverable      = (*preview)(nil)
)

func newPreview(v *View) *preview {
	p := &preview{view: v, cancel: func() {}, seen: make(map[string]peek)}
	p.cross = widget.NewButton("", "close", widget.Quiet, func() { p.close() }).Small()
	p.icon = widget.NewIcon("file", theme.SecondText).Sized(48)
	p.iconBox = widget.Fixed(innerWidth, 96, container.NewCenter(p.icon))
	p.picture = &canvas.Image{FillMode: canvas.ImageFillContain, ScaleMode: canvas.ImageScaleSmooth}
	p.text = widget.NewParagraph("", theme.Text, fyne.TextAlignLeading).Small()
	p.textBox = widget.Wrapped(innerWidth, p.text)
	p.said = widget.NewParagraph("", theme.SecondText, fyne.TextAlignCenter).Small()
	p.saidBox = widget.Wrapped(innerWidth, p.said)
	p.name = widget.NewParagraph("", theme.Text, fyne.TextAlignLeading).Bold()
	p.facts = widget.VBox(theme.Space4)
	reveal := widget.NewButton(words.T("Show in folder"), "folder", widget.Plain, func() {
		if p.row != nil {
			v.reveal(p.row)
		}
	})
	p.here = widget.VBox(theme.Space8,
		widget.HBox(theme.Space8, widget.NewIcon("check", theme.Done).Sized(16), widget.NewText(words.T("You have this"), theme.TextBody, theme.Done)),
		widget.HBox(0, reveal))
	p.content = widget.VBox(theme.Space8, p.iconBox, p.picture, p.textBox, p.saidBox, widget.Wrapped(innerWidth, p.name), p.facts, p.here)
	p.scroll = container.NewVScroll(widget.Inset(p.content, theme.Space16, theme.Space16, theme.Space16, theme.Space16))
	p.nothing = widget.NewText("", theme.TextCaption, theme.SecondText)
	p.card = widget.NewCard(container.NewStack(p.scroll, container.NewCenter(p.nothing)))
	p.ExtendBaseWidget(p)
	p.Hide()
	return p
}

// SetPeeker says who brings the beginnings of files for the preview.
func (v *View) SetPeeker(peeker Peeker) { v.preview.peeker = peeker }

// visible reports whether there is a preview on screen.
func (p *preview) visible() bool { return p.beside || p.opened }

// open shows the preview of the row that the keyboard is at.
func (p *preview) open() {
	if p.beside {
		return
	}
	if list := p.view.list; len(list.Selected()) == 0 && list.Cursor() != "" {
		list.Select(list.Cursor())
	}
	p.opened = p.view.list.Len() > 0
	p.place()
}

// close takes away a preview that lies over the rows, and reports whether there
// was one.
func (p *preview) close() bool {
	was := p.opened
	p.opened = false
	if was {
		p.place()
	}
	return was && !p.beside
}

func (p *preview) toggle() {
	if p.opened && !p.beside {
		p.close()
		return
	}
	p.open()
}

// place gives the preview its room, or takes it away.
func (p *preview) place() {
	p.view.body.Refresh()
	p.follow()
}

// follow shows what is selected.
func (p *preview) follow() {
	switch ids := p.view.list.Selected(); len(ids) {
	case 1:
		p.show(1, p.view.row(ids[0]))
	default:
		p.show(len(ids), nil)
	}
}

// show tells of r, or of count rows if it is nil.
func (p *preview) show(count int, r *row) {
	same := p.row != nil && r != nil && r.id == p.row.id && r.result.Content == p.row.result.Content && r.here == p.row.here
	p.count, p.row = count, r
	if !p.visible() {
		p.forget()
		return
	}
	if !same {
		p.ask()
	}
	p.fill()
}

// forget drops what was asked for.
func (p *preview) forget() {
	p.cancel()
	p.cancel = func() {}
	p.asked++
	p.peek, p.row = peek{}, nil
}

// fill puts what is known on the screen.
func (p *preview) fill() {
	r := p.row
	p.cross.Hidden = p.beside
	setVisible(p.nothing, r == nil)
	setVisible(p.scroll, r != nil)
	if r == nil {
		p.nothing.SetText(words.T("Nothing selected"))
		if p.count > 1 {
			p.nothing.SetText(words.T("%s selected", words.Count(p.count)))
		}
		p.card.Refresh()
		return
	}
	icon, color := iconOf(r)
	p.icon.Set(icon, color)
	p.iconBox.Hidden = p.peek.picture != nil || p.peek.text != ""
	p.picture.Hidden = p.peek.picture == nil
	if p.peek.picture != nil {
		p.picture.Image = p.peek.picture
		size := p.peek.picture.Bounds().Size()
		high := innerWidth * float32(size.Y) / float32(max(1, size.X))
		p.picture.SetMinSize(fyne.NewSize(innerWidth, min(high, tallest, float32(size.Y))))
	}
	p.textBox.Hidden = p.peek.text == ""
	p.text.SetText(p.peek.text)
	p.saidBox.Hidden = p.peek.words == ""
	p.said.SetText(p.peek.words)
	p.name.SetText(r.name)
	p.facts.Objects = p.factsOf(r)
	p.here.Hidden = !p.view.canReveal(r)
	p.content.Refresh()
	p.scroll.Refresh()
	p.card.Refresh()
}

// factsOf returns a line for each thing that is known of a row.
func (p *preview) factsOf(r *row) []fyne.CanvasObject {
	var lines []fyne.CanvasObject
	add := func(label, value string) {
		if value == "" {
			return
		}
		const width float32 = 80
		text := widget.NewParagraph(value, theme.Text, fyne.TextAlignLeading).Small()
		lines = append(lines, container.NewBorder(nil, nil,
			widget.Fixed(width, 0, container.NewVBox(widget.Inset(widget.NewText(label, theme.TextCaption, theme.SecondText), theme.Space4, 0, 0, theme.Space8))),
			nil, widget.Wrapped(innerWidth-width, text)))
	}
	add(words.T("Kind"), r.kindWords)
	if r.result.Folder && r.result.Entries > 0 {
		add(words.T("Holds"), format.Files(r.result.Entries))
	}
	if !r.result.Folder || r.result.Size > 0 {
		add(words.T("Size"), format.Size(r.result.Size))
	}
	add(words.T("Modified"), r.modified)
	who := holders(r)
	if len(who) > mostNamed {
		who = append(who[:mostNamed], words.N("%s others", len(who)-mostNamed))
	}
	add(words.T("Who has it"), strings.Join(who, "\n"))
	return lines
}

// mostNamed is how many people the preview names.
const mostNamed = 8

// CreateRenderer is called by Fyne.
func (p *preview) CreateRenderer() fyne.WidgetRenderer { return &previewRenderer{p} }

// Tapped is called by Fyne.
func (p *preview) Tapped(*fyne.PointEvent) {}

// TappedSecondary is called by Fyne.
func (p *preview) TappedSecondary(*fyne.PointEvent) {}

// MouseDown is called by Fyne.
func (p *preview) MouseDown(*desktop.MouseEvent) {}

// MouseUp is called by Fyne.
func (p *preview) MouseUp(*desktop.MouseEvent) {}

// MouseIn is called by Fyne.
func (p *preview) MouseIn(*desktop.MouseEvent) {}

// MouseMoved is called by Fyne.
func (p *preview) MouseMoved(*desktop.MouseEvent) {}

// MouseOut is called by Fyne.
func (p *preview) MouseOut() {}

type previewRenderer struct{ preview *preview }

// Destroy is called by Fyne.
func (r *previewRenderer) Destroy() { r.preview.cancel() }

// MinSize is called by Fyne.
func (r *previewRenderer) MinSize() fyne.Size { return fyne.NewSize(previewWidth, 100) }

// Objects is called by Fyne.
func (r *previewRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.preview.card, r.preview.cross}
}

// Layout is called by Fyne.
func (r *previewRenderer) Layout(size fyne.Size) {
	r.preview.card.Resize(size)
	cross := r.preview.cross.MinSize()
	r.preview.cross.Move(fyne.NewPos(size.Width-cross.Width-theme.Space4, theme.Space4))
	r.preview.cross.Resize(cross)
}

// Refresh is called by Fyne.
func (r *previewRenderer) Refresh() {
	r.preview.card.Refresh()
	r.preview.cross.Refresh()
}

// bodyLayout gives the rows, or what is there in their place, the room that the
// preview leaves.
type bodyLayout struct{ view *View }

// MinSize is called by Fyne.
func (b *bodyLayout) MinSize(objects []fyne.CanvasObject) fyne.Size {
	return objects[0].MinSize().Max(objects[1].MinSize())
}

// Layout is called by Fyne.
func (b *bodyLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	p := b.view.preview
	was := p.beside
	p.beside = size.Width >= besideFrom
	rest, from := size, kindFrom
	if p.beside {
		rest.Width -= previewWidth + theme.Space16
		from = kindFromBeside
	}
	b.view.columns[kindColumn].From = from
	objects[0].Resize(rest)
	objects[1].Resize(rest)
	objects[2].Move(fyne.NewPos(size.Width-previewWidth, 0))
	objects[2].Resize(fyne.NewSize(previewWidth, size.Height))
	setVisible(objects[2], p.visible())
	if p.beside != was {
		p.opened = false
		p.follow()
	}
}
