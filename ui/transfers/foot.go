package transfers

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"github.com/potluck-share/potluck/ui/format"
	"github.com/potluck-share/potluck/ui/theme"
	"github.com/potluck-share/potluck/ui/widget"
	"github.com/potluck-share/potluck/ui/words"
)

// The sizes of the foot.
const (
	footHeight float32 = 36
	graphWidth float32 = 280
	rateWidth  float32 = 76
)

// foot is the line below the rows: what moves in all, and what room there is.
type foot struct {
	object   *fyne.Container
	graph    *widget.Graph
	downIcon *widget.Icon
	down     *widget.Text
	upIcon   *widget.Icon
	up       *widget.Text
	free     *widget.Text
}

func newFoot() *foot {
	f := &foot{
		graph:    widget.NewGraph(footHeight),
		downIcon: widget.NewIcon("download", theme.Primary).Sized(16),
		down:     widget.NewText("", theme.TextCaption, theme.SecondText).Shortened(widget.End),
		upIcon:   widget.NewIcon("upload", theme.Upload).Sized(16),
		up:       widget.NewText("", theme.TextCaption, theme.SecondText).Shortened(widget.End),
		free:     widget.NewText("", theme.TextCaption, theme.SecondText),
	}
	f.object = container.New(footLayout{f}, f.graph, f.downIcon, f.down, f.upIcon, f.up, f.free)
	f.graph.Hide()
	f.setRates(0, 0)
	return f
}

// setRates shows how fast it goes, but no rate of zero.
func (f *foot) setRates(down, up float64) {
	arrange := false
	for _, r := range []struct {
		icon *widget.Icon
		text *widget.Text
		rate float64
	}{{f.downIcon, f.down, down}, {f.upIcon, f.up, up}} {
		text := format.Rate(r.rate)
		arrange = arrange || r.text.Visible() != (text != "")
		r.text.SetText(text)
		widget.SetVisible(r.icon, text != "")
		widget.SetVisible(r.text, text != "")
	}
	if arrange {
		f.arrange()
	}
}

// setGraph shows the last minute, or nothing while nothing moves.
func (f *foot) setGraph(h *history, alive bool) {
	if alive {
		f.graph.Set(h.down, h.up)
	}
	if f.graph.Visible() != alive {
		widget.SetVisible(f.graph, alive)
		f.arrange()
	}
}

// setFree tells how many bytes may still be written; -1 is not known.
func (f *foot) setFree(bytes int64) {
	text := ""
	if bytes >= 0 {
		text = words.T("%s free", format.Size(bytes))
	}
	if text != f.free.Text() {
		f.free.SetText(text)
		f.arrange()
	}
}

func (f *foot) arrange() { f.object.Layout.Layout(f.object.Objects, f.object.Size()) }

// footLayout puts the graph at the left, the rates beside it and the room at
// the right.
type footLayout struct{ f *foot }

// MinSize is called by Fyne.
func (footLayout) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(0, footHeight) }

// Layout is called by Fyne.
func (l footLayout) Layout(_ []fyne.CanvasObject, size fyne.Size) {
	f := l.f
	var x float32
	if f.graph.Visible() {
		f.graph.Move(fyne.NewPos(0, 0))
		f.graph.Resize(fyne.NewSize(graphWidth, size.Height))
		x = graphWidth + theme.Space16
	}
	for _, r := range []struct {
		icon *widget.Icon
		text *widget.Text
	}{{f.downIcon, f.down}, {f.upIcon, f.up}} {
		if !r.text.Visible() {
			continue
		}
		r.icon.Move(fyne.NewPos(x, (size.Height-16)/2))
		r.icon.Resize(fyne.NewSquareSize(16))
		r.text.Move(fyne.NewPos(x+16+theme.Space4, 0))
		r.text.Resize(fyne.NewSize(rateWidth, size.Height))
		x += 16 + theme.Space4 + rateWidth
	}
	free := f.free.MinSize()
	f.free.Move(fyne.NewPos(size.Width-free.Width, 0))
	f.free.Resize(fyne.NewSize(free.Width, size.Height))
}
