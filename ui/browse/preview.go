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
	// innerWidth is what the preview leaves to what it shows: to texts, which
	// have a margin of their own, and to pictures.
	innerWidth   = previewWidth - 2*theme.Space8
	pictureWidth = innerWidth - 2*theme.Space8
	// tallest is how high a picture gets.
	tallest float32 = 240
)

// preview tells of the selected row: what it looks like, as far as that can be
// had, and the facts. In a wide window it stands beside the rows, else it is
// opened over them.
type preview struct {
	fwidget.BaseWidget
	view   *View
	beside bool
	opened bool
	count  int   // rows selected
	bytes  int64 // of them
	row    *row  // the only selected one
	peek   peek  // what it looks like
	asked  int   // counts what was asked for; older answers are dropped
	cancel func()
	seen   map[string]peek // by content
	// decoding holds one token while a picture is made of bytes.
	decoding chan struct{}

	card    fyne.CanvasObject
	content *fyne.Container
	scroll  *container.Scroll
	cross   *widget.Button
	gap     *fyne.Container // keeps room for the cross
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
}

// The preview takes every click on it, so that none reaches the rows under it.
var (
	_ fyne.Tappable          = (*preview)(nil)
	_ fyne.SecondaryTappable = (*preview)(nil)
	_ desktop.Mouseable      = (*preview)(nil)
	_ desktop.Hoverable      = (*preview)(nil)
)

func newPreview(v *View) *preview {
	p := &preview{view: v, cancel: func() {}, seen: make(map[string]peek), decoding: make(chan struct{}, 1)}
	p.cross = widget.NewButton("", "close", widget.Quiet, func() { p.close() }).Small()
	p.gap = widget.Fixed(innerWidth, theme.Space16, container.NewWithoutLayout())
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
	p.here = widget.Inset(widget.VBox(theme.Space8,
		widget.HBox(theme.Space8, widget.NewIcon("check", theme.Done).Sized(16), widget.NewText(words.T("You have this"), theme.TextBody, theme.Done)),
		widget.HBox(0, reveal)), theme.Space8, 0, 0, theme.Space8)
	p.content = widget.VBox(theme.Space8, p.gap, p.iconBox, widget.Inset(p.picture, 0, theme.Space8, 0, theme.Space8), p.textBox, p.saidBox, widget.Wrapped(innerWidth, p.name), p.facts, p.here)
	p.scroll = container.NewVScroll(widget.Inset(p.content, theme.Space16, theme.Space8, theme.Space16, theme.Space8))
	p.card = widget.NewCard(p.scroll)
	p.ExtendBaseWidget(p)
	p.Hide()
	return p
}

// visible reports whether there is a preview on screen.
func (p *preview) visible() bool { return len(p.view.rows) > 0 && (p.beside || p.opened) }

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

// roomForPreview lays the page out anew if the preview has come or gone: it is
// there only while there are rows.
func (v *View) roomForPreview() {
	if v.preview.Visible() != v.preview.visible() {
		v.body.Refresh()
	}
}

// follow shows what is selected.
func (p *preview) follow() {
	rows := p.view.chosen()
	p.show(rows, sumOf(rows).bytes)
}

// progressed follows the downloads: what is shown may be here by now.
func (p *preview) progressed() {
	if p.visible() && p.row != nil && p.here.Visible() != p.view.canReveal(p.row) {
		p.fill()
	}
}

// show tells of rows, which are so many bytes.
func (p *preview) show(rows []*row, bytes int64) {
	var r *row
	if len(rows) == 1 {
		r = rows[0]
	}
	same := p.row != nil && r != nil && r.id == p.row.id && r.result.Content == p.row.result.Content && r.here == p.row.here
	p.count, p.bytes, p.row = len(rows), bytes, r
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
	p.cross.Hidden, p.gap.Hidden = p.beside, p.beside
	if r == nil {
		p.fillAll()
	} else {
		icon, color := iconOf(r)
		p.icon.Set(icon, color)
		p.name.SetText(r.name)
		p.facts.Objects = p.factsOf(r)
	}
	p.iconBox.Hidden = p.peek.picture != nil || p.peek.text != ""
	p.picture.Hidden = p.peek.picture == nil
	if p.peek.picture != nil {
		p.picture.Image = p.peek.picture
		size := p.peek.picture.Bounds().Size()
		high := pictureWidth * float32(size.Y) / float32(max(1, size.X))
		p.picture.SetMinSize(fyne.NewSize(pictureWidth, min(high, tallest)))
	}
	p.textBox.Hidden = p.peek.text == ""
	p.text.SetText(beginning(p.peek.text))
	p.saidBox.Hidden = p.peek.words == ""
	p.said.SetText(p.peek.words)
	p.here.Hidden = r == nil || !p.view.canReveal(r)
	p.content.Refresh()
	p.scroll.Refresh()
	p.card.Refresh()
}

// fillAll tells of several rows, or of the place where none is selected.
func (p *preview) fillAll() {
	v := p.view
	p.icon.Set("browse", theme.SecondText)
	if v.at.folder != "" {
		p.icon.Set(folders, theme.SecondText)
	}
	if p.count == 0 {
		path := v.path()
		p.name.SetText(path[len(path)-1].name)
		p.facts.Objects = []fyne.CanvasObject{newFact(words.T("Holds"), v.total()), newFact(words.T("Size"), words.Size(v.sum.bytes))}
		return
	}
	p.name.SetText(words.T("%s selected", words.Count(p.count)))
	p.facts.Objects = []fyne.CanvasObject{newFact(words.T("Size"), words.Size(p.bytes))}
}

// beginning returns as much of a text as leaves room for the facts under it.
func beginning(text string) string {
	const lines, letters = 10, 400
	cut := strings.SplitN(text, "\n", lines+1)
	short := strings.Join(cut[:min(len(cut), lines)], "\n")
	if runes := []rune(short); len(runes) > letters {
		short = string(runes[:letters])
	}
	if short = strings.TrimRight(short, " \n"); len(short) < len(strings.TrimRight(text, " \n")) {
		short += "…"
	}
	return short
}

// newFact returns a line that says what something is.
func newFact(label, value string) fyne.CanvasObject {
	return container.New(factLayout{},
		widget.NewText(label, theme.TextCaption, theme.SecondText).Shortened(widget.End),
		widget.NewText(value, theme.TextCaption, theme.Text).Shortened(widget.Middle))
}

// factsOf returns a line for each thing that is known of a row.
func (p *preview) factsOf(r *row) []fyne.CanvasObject {
	var lines []fyne.CanvasObject
	add := func(label, value string) {
		if value != "" {
			lines = append(lines, newFact(label, value))
		}
	}
	add(words.T("Kind"), r.kindWords)
	if r.result.Folder && r.result.Entries > 0 {
		add(words.T("Holds"), format.Files(r.result.Entries))
	}
	if !r.result.Folder || r.result.Size > 0 {
		add(words.T("Size"), format.Size(r.result.Size))
	}
	add(words.T("Modified"), r.modified)
	label := words.T("Who has it")
	who := holders(r)
	for _, name := range who[:min(len(who), mostNamed)] {
		add(label, name)
		label = ""
	}
	if more := len(who) - mostNamed; more > 0 {
		add("", words.N("%s others", more))
	}
	return lines
}

// factLayout puts a label before what it is about, in line with the name above,
// which has a margin of its own.
type factLayout struct{}

const (
	factLabel  float32 = 76
	factHeight float32 = 18
)

// MinSize is called by Fyne.
func (factLayout) MinSize([]fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(innerWidth, factHeight)
}

// Layout is called by Fyne.
func (factLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	objects[0].Move(fyne.NewPos(theme.Space8, 0))
	objects[0].Resize(fyne.NewSize(factLabel, size.Height))
	objects[1].Move(fyne.NewPos(2*theme.Space8+factLabel, 0))
	objects[1].Resize(fyne.NewSize(size.Width-3*theme.Space8-factLabel, size.Height))
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
	if p.beside && p.visible() {
		rest.Width -= previewWidth + theme.Space16
		from = kindFromBeside
	}
	b.view.columns[kindColumn].From = from
	objects[0].Resize(rest)
	objects[1].Resize(rest)
	objects[2].Move(fyne.NewPos(size.Width-previewWidth, 0))
	objects[2].Resize(fyne.NewSize(previewWidth, size.Height))
	widget.SetVisible(objects[2], p.visible())
	if p.beside != was {
		p.opened = false
		p.follow()
	}
}
