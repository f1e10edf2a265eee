package widget

import (
	"image"
	"image/color"
	"math"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	fwidget "fyne.io/fyne/v2/widget"

	"github.com/potluck-share/potluck/ui/format"
	"github.com/potluck-share/potluck/ui/theme"
)

// GraphSeconds is how far back a Graph reaches, with a sample each second.
const GraphSeconds = 60

// Series is a rate in bytes per second over the last GraphSeconds, oldest
// first.
type Series [GraphSeconds]float32

// Push takes in the next sample; the oldest one falls out.
func (s *Series) Push(rate float32) {
	copy(s[:], s[1:])
	s[GraphSeconds-1] = rate
}

// Max returns the highest rate.
func (s *Series) Max() float32 {
	var most float32
	for _, rate := range s {
		most = max(most, rate)
	}
	return most
}

// Graph draws what came in, as a line over a fill, and what went out, as a
// line. Its one label is the rate at its upper edge.
type Graph struct {
	fwidget.BaseWidget
	down, up Series
	ceiling  float64
	height   float32
	raster   *canvas.Raster
	label    *canvas.Text
	pixels   *image.RGBA // drawn into again and again: the painter copies it
	cover    []uint8     // how much of each pixel a line covers
}

// The room at the left for the label, what parts it from the picture, and the
// thickness of the lines.
const (
	graphLabel  float32 = 64
	graphGap    float32 = theme.Space8
	graphStroke float32 = 1.75
)

// NewGraph returns an empty graph of a height.
func NewGraph(height float32) *Graph {
	g := &Graph{height: height}
	g.raster = canvas.NewRaster(g.draw)
	g.label = &canvas.Text{TextSize: theme.TextCaption, Alignment: fyne.TextAlignTrailing}
	g.ExtendBaseWidget(g)
	return g
}

// Set shows other rates. It draws nothing if they are the same.
func (g *Graph) Set(down, up Series) {
	if down == g.down && up == g.up {
		return
	}
	g.down, g.up = down, up
	g.ceiling = ceiling(float64(max(down.Max(), up.Max())))
	if text := format.Rate(g.ceiling); text != g.label.Text {
		g.label.Text = text
		g.label.Refresh()
	}
	g.raster.Refresh()
}

// Label returns the words at the upper edge.
func (g *Graph) Label() string { return g.label.Text }

// ceiling is the upper edge for rates up to most: 1, 2 or 5 with noughts after
// it, and nothing for nothing.
func ceiling(most float64) float64 {
	if !(most > 0) || math.IsInf(most, 0) {
		return 0
	}
	for unit := math.Pow(10, math.Floor(math.Log10(most))); ; unit *= 10 {
		for _, step := range []float64{1, 2, 5} {
			if edge := step * unit; edge >= most {
				return edge
			}
		}
	}
}

// draw makes the picture, in pixels. It is called by Fyne's painter.
func (g *Graph) draw(width, height int) image.Image {
	if g.pixels == nil || g.pixels.Rect.Dx() != width || g.pixels.Rect.Dy() != height {
		g.pixels = image.NewRGBA(image.Rect(0, 0, width, height))
		g.cover = make([]uint8, width*height)
	} else {
		clear(g.pixels.Pix)
	}
	if g.ceiling == 0 || width < 2 || height < 2 {
		return g.pixels
	}
	stroke := graphStroke
	if size := g.raster.Size(); size.Height > 0 {
		stroke *= float32(height) / size.Height
	}
	g.plot(&g.down, stroke, nrgba(theme.Primary), true)
	g.plot(&g.up, stroke, nrgba(theme.Upload), false)
	g.axes(max(1, int(stroke/graphStroke)))
	return g.pixels
}

// axes draws the lower edge and the left one, which leads up to the label,
// where nothing else is.
func (g *Graph) axes(thickness int) {
	line := [4]byte{}
	blendPixel(line[:], nrgba(theme.Line), 1)
	bounds := g.pixels.Rect
	for y := range bounds.Dy() {
		width := bounds.Dx()
		if y < bounds.Dy()-thickness {
			width = min(thickness, width)
		}
		for x := range width {
			if at := g.pixels.PixOffset(x, y); g.pixels.Pix[at+3] == 0 {
				*(*[4]byte)(g.pixels.Pix[at:]) = line
			}
		}
	}
}

func nrgba(name fyne.ThemeColorName) color.NRGBA {
	return color.NRGBAModel.Convert(theme.Color(name)).(color.NRGBA)
}

// plot draws one series as a line where something moved, with a fifth of its
// colour below.
func (g *Graph) plot(s *Series, stroke float32, ink color.NRGBA, fill bool) {
	width, height := float32(g.pixels.Rect.Dx()), float32(g.pixels.Rect.Dy())
	at := func(i int) point {
		return point{
			float32(i) * width / (GraphSeconds - 1),
			stroke/2 + (1-s[i]/float32(g.ceiling))*(height-stroke),
		}
	}
	clear(g.cover)
	for i := range GraphSeconds - 1 {
		if s[i] < 1 && s[i+1] < 1 {
			continue // nothing moved
		}
		if fill {
			g.fillBelow(at(i), at(i+1), ink)
		}
		g.coverLine(at(i), at(i+1), stroke)
	}
	for i, cover := range g.cover {
		if cover > 0 {
			blendPixel(g.pixels.Pix[4*i:], ink, float32(cover)/255)
		}
	}
}

// point is a place in a picture, in pixels.
type point struct{ x, y float32 }

// fillBelow puts a fifth of a colour below a line from the left to the right.
// Nothing else may be there yet.
func (g *Graph) fillBelow(from, to point, ink color.NRGBA) {
	img := g.pixels
	var body [4]byte
	blendPixel(body[:], ink, 0.2)
	slope := (to.y - from.y) / (to.x - from.x)
	for x := int(from.x + 0.5); x < min(int(to.x+0.5), img.Rect.Dx()); x++ {
		y := from.y + (float32(x)+0.5-from.x)*slope
		for at := img.PixOffset(x, max(0, int(y))); at < len(img.Pix); at += img.Stride {
			*(*[4]byte)(img.Pix[at:]) = body
		}
	}
}

// coverLine notes which pixels a line covers, and how far at its smooth edges.
func (g *Graph) coverLine(from, to point, stroke float32) {
	width, height := g.pixels.Rect.Dx(), g.pixels.Rect.Dy()
	vx, vy := to.x-from.x, to.y-from.y
	square := vx*vx + vy*vy
	reach := stroke/2 + 0.5
	bottom := min(int(max(from.y, to.y)+reach)+1, height)
	right := min(int(to.x+reach)+1, width)
	for y := max(0, int(min(from.y, to.y)-reach)); y < bottom; y++ {
		for x := max(0, int(from.x-reach)); x < right; x++ {
			// From the pixel's middle to the nearest point of the line.
			px, py := float32(x)+0.5-from.x, float32(y)+0.5-from.y
			along := min(max((px*vx+py*vy)/square, 0), 1)
			px, py = px-along*vx, py-along*vy
			if away := px*px + py*py; away < reach*reach {
				part := min(reach-float32(math.Sqrt(float64(away))), 1)
				g.cover[y*width+x] = max(g.cover[y*width+x], uint8(255*part))
			}
		}
	}
}

// blendPixel lays a part of a colour over a pixel. The picture holds colours
// multiplied by their opacity, as the painter wants them.
func blendPixel(p []byte, ink color.NRGBA, part float32) {
	_ = p[3]
	keep := 1 - part
	p[0] = uint8(float32(p[0])*keep + float32(ink.R)*part + 0.5)
	p[1] = uint8(float32(p[1])*keep + float32(ink.G)*part + 0.5)
	p[2] = uint8(float32(p[2])*keep + float32(ink.B)*part + 0.5)
	p[3] = uint8(float32(p[3])*keep + 255*part + 0.5)
}

// CreateRenderer is called by Fyne.
func (g *Graph) CreateRenderer() fyne.WidgetRenderer {
	r := &graphRenderer{g}
	g.label.Color = theme.Color(theme.SecondText)
	return r
}

type graphRenderer struct{ graph *Graph }

// Destroy is called by Fyne.
func (r *graphRenderer) Destroy() {}

// MinSize is called by Fyne.
func (r *graphRenderer) MinSize() fyne.Size {
	return fyne.NewSize(graphLabel+graphGap+GraphSeconds, r.graph.height)
}

// Objects is called by Fyne.
func (r *graphRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.graph.raster, r.graph.label}
}

// Layout is called by Fyne.
func (r *graphRenderer) Layout(size fyne.Size) {
	label := r.graph.label.MinSize()
	r.graph.label.Move(fyne.NewPos(0, 0))
	r.graph.label.Resize(fyne.NewSize(graphLabel, label.Height))
	r.graph.raster.Move(fyne.NewPos(graphLabel+graphGap, 0))
	r.graph.raster.Resize(fyne.NewSize(max(0, size.Width-graphLabel-graphGap), size.Height))
}

// Refresh is called by Fyne.
func (r *graphRenderer) Refresh() {
	r.graph.label.Color = theme.Color(theme.SecondText)
	r.graph.label.Refresh()
	r.graph.raster.Refresh()
}
