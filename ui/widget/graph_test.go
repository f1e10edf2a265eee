package widget

import (
	"image"
	"image/color"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"github.com/potluck-share/potluck/ui/theme"
)

func TestCeilingIsOneTwoOrFive(t *testing.T) {
	for most, want := range map[float64]float64{
		0: 0, -1: 0, 1: 1, 1.5: 2, 3: 5, 7: 10, 48e6: 50e6, 50e6: 50e6, 50.1e6: 100e6, 113e6: 200e6,
	} {
		if got := ceiling(most); got != want {
			t.Errorf("ceiling(%v) = %v, want %v", most, got, want)
		}
	}
}

// steady is a rate that did not change.
func steady(rate float32) (s Series) {
	for i := range s {
		s[i] = rate
	}
	return s
}

func TestGraphDraws(t *testing.T) {
	g := NewGraph(40)
	newWindow(t, g)
	g.Resize(fyne.NewSize(graphLabel+graphGap+100, 40))
	img := g.draw(100, 40).(*image.RGBA)
	for _, p := range img.Pix {
		if p != 0 {
			t.Fatal("an empty graph is not empty")
		}
	}
	g.Set(steady(25e6), steady(50e6))
	if g.Label() != "50 MB/s" {
		t.Errorf("the upper edge is %q", g.Label())
	}
	if again := g.draw(100, 40); again != image.Image(img) {
		t.Error("each picture is a new one")
	}
	at := func(y int) color.NRGBA { return color.NRGBAModel.Convert(img.At(50, y)).(color.NRGBA) }
	down, up := nrgba(theme.Primary), nrgba(theme.Upload)
	near := func(a, b uint8) bool { return max(a, b)-min(a, b) < 4 }
	for _, c := range []struct {
		y     int
		ink   color.NRGBA
		alpha uint8
		what  string
	}{
		{0, up, 255, "the line of uploads"},
		{10, color.NRGBA{}, 0, "nothing between the lines"},
		{39, down, 51, "the fill below the line of downloads"},
	} {
		if got := at(c.y); !near(got.A, c.alpha) || got.A > 0 && (!near(got.R, c.ink.R) || !near(got.G, c.ink.G)) {
			t.Errorf("%s: pixel %d is %v", c.what, c.y, got)
		}
	}
	if at(19).A < 200 || at(20).A < 200 {
		t.Errorf("the line of downloads is missing: %v, %v", at(19), at(20))
	}
	// Nothing comes down: no line at the bottom pretends otherwise.
	g.Set(Series{}, steady(5))
	line := nrgba(theme.Line)
	if img := g.draw(100, 40).(*image.RGBA); img.RGBAAt(50, 38).A != 0 || img.RGBAAt(50, 39) != color.RGBA(line) {
		t.Error("a rate of zero is drawn")
	}
}

func TestGraphOnlyRedrawsForNews(t *testing.T) {
	g := NewGraph(40)
	w := newWindow(t, g)
	var s Series
	s.Push(1000)
	g.Set(s, Series{})
	drawn := 0
	draw := g.raster.Generator
	g.raster.Generator = func(w, h int) image.Image { drawn++; return draw(w, h) }
	w.Canvas().Capture()
	if drawn != 1 {
		t.Fatalf("drawn %d times", drawn)
	}
	if s.Push(2000); s[58] != 1000 || s[59] != 2000 || s.Max() != 2000 {
		t.Errorf("pushed into %v", s)
	}
	test.ApplyTheme(t, theme.Theme{Mode: theme.Dark})
	if g.draw(100, 40).(*image.RGBA).RGBAAt(99, 39) == (color.RGBA{}) {
		t.Error("nothing in the dark")
	}
}

// BenchmarkGraph draws the graph of a wide sheet at twice the usual scale.
func BenchmarkGraph(b *testing.B) {
	for _, size := range []struct {
		name          string
		width, height int
	}{{"foot", 160, 36}, {"details", 520, 72}, {"details-2x", 1040, 144}} {
		b.Run(size.name, func(b *testing.B) {
			test.NewTempApp(b).Settings().SetTheme(theme.Theme{})
			g := NewGraph(72)
			for i := range g.down {
				g.down[i], g.up[i] = float32(40e6+i%7*1e6), float32(i%5*1e6)
			}
			g.ceiling = 50e6
			b.ReportAllocs()
			for b.Loop() {
				g.draw(size.width, size.height)
			}
		})
	}
}
