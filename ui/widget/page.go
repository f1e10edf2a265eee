package widget

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	ftheme "fyne.io/fyne/v2/theme"
	fwidget "fyne.io/fyne/v2/widget"

	"github.com/potluck-share/potluck/ui/theme"
)

// NewPage puts a page together: the heading line with its actions at the
// right, what belongs above the body, the body, and a foot. Above and foot may
// be nil.
func NewPage(heading fyne.CanvasObject, actions []fyne.CanvasObject, above, body, foot fyne.CanvasObject) *fyne.Container {
	line := container.New(&headingLayout{}, heading, HBox(theme.Space8, actions...))
	top := VBox(theme.Space8, line)
	if above != nil {
		top.Add(above)
	}
	if foot != nil {
		foot = Inset(foot, theme.Space8, 0, theme.Space12, 0)
	} else {
		foot = Fixed(0, theme.Space16, container.NewWithoutLayout())
	}
	// In this order, so that the Tab key goes from top to bottom.
	return Inset(container.New(layout.NewBorderLayout(top, foot, nil, nil), top, body, foot), 0, theme.Space16, 0, theme.Space16)
}

// NewHeading returns a page's title.
func NewHeading(text string) *Text {
	return NewBold(text, theme.TextHeading, theme.Text).Shortened(End)
}

// headingLayout gives the actions, at the right, what they need and the
// heading the rest.
type headingLayout struct{}

// MinSize is called by Fyne.
func (*headingLayout) MinSize(objects []fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(objects[0].MinSize().Width+theme.Space16+objects[1].MinSize().Width, theme.HeadingHeight)
}

// Layout is called by Fyne.
func (*headingLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	actions := objects[1].MinSize()
	objects[1].Move(fyne.NewPos(size.Width-actions.Width, (size.Height-actions.Height)/2))
	objects[1].Resize(actions)
	height := objects[0].MinSize().Height
	objects[0].Move(fyne.NewPos(0, (size.Height-height)/2))
	objects[0].Resize(fyne.NewSize(max(0, size.Width-actions.Width-theme.Space16), height))
}

// Paragraph is a text that wraps.
type Paragraph struct {
	*fwidget.RichText
	segment *fwidget.TextSegment
}

// NewParagraph returns a wrapping body text in a colour of the theme.
func NewParagraph(text string, color fyne.ThemeColorName, align fyne.TextAlign) *Paragraph {
	segment := &fwidget.TextSegment{Text: text}
	segment.Style = fwidget.RichTextStyleParagraph
	segment.Style.ColorName = color
	segment.Style.Alignment = align
	rich := fwidget.NewRichText(segment)
	rich.Wrapping = fyne.TextWrapWord
	return &Paragraph{rich, segment}
}

// Small makes it a caption, and returns it.
func (p *Paragraph) Small() *Paragraph {
	p.segment.Style.SizeName = ftheme.SizeNameCaptionText
	return p
}

// Bold makes it bold, and returns it.
func (p *Paragraph) Bold() *Paragraph {
	p.segment.Style.TextStyle.Bold = true
	return p
}

// SetText changes the text.
func (p *Paragraph) SetText(text string) {
	if p.segment.Text != text {
		p.segment.Text = text
		p.Refresh()
	}
}

// Text returns the text.
func (p *Paragraph) Text() string { return p.segment.Text }

// Empty is what a page shows in place of rows that are not there: what that
// means in bold, what to do about it, and ways to do it.
type Empty struct {
	*fyne.Container
	title   *Paragraph
	hint    *Paragraph
	hintBox *fyne.Container
	actions *fyne.Container
}

// NewEmpty returns an empty state. Hint may be empty.
func NewEmpty(title, hint string, actions ...fyne.CanvasObject) *Empty {
	e := &Empty{title: NewParagraph(title, theme.Text, fyne.TextAlignCenter), hint: NewParagraph(hint, theme.SecondText, fyne.TextAlignCenter)}
	e.title.segment.Style.TextStyle.Bold = true
	e.hintBox = Wrapped(520, e.hint)
	lines := VBox(0, Wrapped(520, e.title))
	lines.Add(e.hintBox)
	e.hintBox.Hidden = hint == ""
	e.actions = container.NewCenter(Inset(HBox(theme.Space8, actions...), theme.Space12, 0, 0, 0))
	e.actions.Hidden = len(actions) == 0
	lines.Add(e.actions)
	e.Container = container.NewCenter(lines)
	return e
}

// Set changes the words.
func (e *Empty) Set(title, hint string) {
	e.title.SetText(title)
	e.hint.SetText(hint)
	if hint == "" {
		e.hintBox.Hide()
	} else {
		e.hintBox.Show()
	}
}

// Actions returns what holds the ways to act, to hide it.
func (e *Empty) Actions() *fyne.Container { return e.actions }

// Title returns the words in bold.
func (e *Empty) Title() string { return e.title.Text() }

// panel is a rounded box in a colour of the theme behind an object.
type panel struct {
	fwidget.BaseWidget
	content fyne.CanvasObject
	fill    fyne.ThemeColorName
	border  fyne.ThemeColorName // empty: none
	radius  float32
	shadow  bool
	back    *canvas.Rectangle
}

func newPanel(content fyne.CanvasObject, fill, border fyne.ThemeColorName, radius float32) *panel {
	p := &panel{content: content, fill: fill, border: border, radius: radius, back: &canvas.Rectangle{}}
	p.ExtendBaseWidget(p)
	return p
}

// NewCard puts a rounded box with a border around an object.
func NewCard(content fyne.CanvasObject) fyne.CanvasObject {
	return newPanel(content, theme.Surface, theme.Line, theme.RadiusButton)
}

// NewBackdrop fills the room behind an object with a colour of the theme.
func NewBackdrop(content fyne.CanvasObject, fill fyne.ThemeColorName) fyne.CanvasObject {
	return newPanel(content, fill, "", 0)
}

// NewRaised puts a surface with a shadow behind an object, as a sheet has it.
func NewRaised(content fyne.CanvasObject) fyne.CanvasObject {
	p := newPanel(content, theme.Surface, theme.Line, theme.RadiusSheet)
	p.shadow = true
	return p
}

// CreateRenderer is called by Fyne.
func (p *panel) CreateRenderer() fyne.WidgetRenderer {
	r := &panelRenderer{p}
	r.paint()
	return r
}

type panelRenderer struct{ panel *panel }

// Destroy is called by Fyne.
func (r *panelRenderer) Destroy() {}

// MinSize is called by Fyne.
func (r *panelRenderer) MinSize() fyne.Size { return r.panel.content.MinSize() }

// Objects is called by Fyne.
func (r *panelRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.panel.back, r.panel.content}
}

// Layout is called by Fyne.
func (r *panelRenderer) Layout(size fyne.Size) {
	r.panel.back.Resize(size)
	r.panel.content.Resize(size)
}

func (r *panelRenderer) paint() {
	p := r.panel
	p.back.FillColor = theme.Color(p.fill)
	p.back.CornerRadius = p.radius
	if p.border != "" {
		p.back.StrokeColor = theme.Color(p.border)
		p.back.StrokeWidth = 1
	}
	if p.shadow {
		p.back.Shadow = canvas.Shadow{Color: theme.Color(theme.SheetShadow), BlurRadius: 24, Offset: fyne.NewPos(0, 6)}
	}
}

// Refresh is called by Fyne.
func (r *panelRenderer) Refresh() {
	r.paint()
	r.panel.back.Refresh()
	r.panel.content.Refresh()
}
