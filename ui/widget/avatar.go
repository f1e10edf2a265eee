package widget

import (
	"encoding/binary"
	"image"
	"image/color"
	"math/bits"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	fwidget "fyne.io/fyne/v2/widget"
	"lukechampine.com/blake3"

	"github.com/potluck-share/potluck/app/domain"
)

// avatarColors are dark enough for the pale cells in light and in dark.
var avatarColors = [12]uint32{
	0x8C3B3B, 0x8A4B12, 0x6B5A10, 0x4A6420, 0x1F6B45, 0x0F6A6A,
	0x1F5F8B, 0x3D55A0, 0x6149A0, 0x84418A, 0x99396B, 0x5B5B5B,
}

// quilt is the pattern of an avatar: one of the colours, and the lit cells of
// the left three columns of a mirrored 5 × 5, column by column.
type quilt struct {
	color uint32
	cells uint16 // 15 bits
}

// lit reports whether the cell in a column and row is lit.
func (q quilt) lit(column, row int) bool {
	if column > 2 {
		column = 4 - column
	}
	return q.cells>>(column*5+row)&1 == 1
}

// count returns how many of the 25 cells are lit.
func (q quilt) count() int {
	return 2*bits.OnesCount16(q.cells&0x3FF) + bits.OnesCount16(q.cells>>10)
}

// quiltOf makes a peer's pattern. It only helps the eye: two peers may have
// the same one, and it proves no identity.
func quiltOf(id domain.PeerID) quilt {
	sum := blake3.Sum256([]byte(id))
	for {
		q := quilt{
			color: avatarColors[int(sum[0])%len(avatarColors)],
			cells: binary.LittleEndian.Uint16(sum[1:]) & 0x7FFF,
		}
		if n := q.count(); n >= 7 && n <= 18 {
			return q
		}
		sum = blake3.Sum256(sum[:])
	}
}

// avatarSide is the length of an avatar's sides, in Fyne units.
const avatarSide float32 = 36

// draw paints the quilt, large enough for a screen of twice the density.
func (q quilt) draw() image.Image {
	const side, edge, cell = 72, 6, 12
	img := image.NewNRGBA(image.Rect(0, 0, side, side))
	ground := color.NRGBA{R: uint8(q.color >> 16), G: uint8(q.color >> 8), B: uint8(q.color), A: 0xFF}
	pale := func(v uint8) uint8 { return uint8((int(v) + 4*255) / 5) }
	light := color.NRGBA{R: pale(ground.R), G: pale(ground.G), B: pale(ground.B), A: 0xFF}
	for y := range side {
		for x := range side {
			c := ground
			column, row := (x-edge)/cell, (y-edge)/cell
			if x >= edge && y >= edge && column < 5 && row < 5 && q.lit(column, row) {
				c = light
			}
			img.SetNRGBA(x, y, c)
		}
	}
	return img
}

// Avatar is a small pattern that helps to tell people apart. It has no
// letters, because names can be faked.
type Avatar struct {
	fwidget.BaseWidget
	id    domain.PeerID
	faded bool
	image *canvas.Image
}

// NewAvatar returns an avatar without a peer.
func NewAvatar() *Avatar {
	a := &Avatar{image: &canvas.Image{FillMode: canvas.ImageFillStretch, CornerRadius: avatarSide / 4}}
	a.ExtendBaseWidget(a)
	return a
}

// Set shows a peer's pattern, faded for one who is away.
func (a *Avatar) Set(id domain.PeerID, faded bool) {
	if id == a.id && faded == a.faded {
		return
	}
	if id != a.id {
		a.image.Image = quiltOf(id).draw()
	}
	a.id, a.faded = id, faded
	a.image.Translucency = 0
	if faded {
		a.image.Translucency = 0.55
	}
	a.image.Refresh()
}

// CreateRenderer is called by Fyne.
func (a *Avatar) CreateRenderer() fyne.WidgetRenderer { return &avatarRenderer{a} }

type avatarRenderer struct{ avatar *Avatar }

// Destroy is called by Fyne.
func (r *avatarRenderer) Destroy() {}

// MinSize is called by Fyne.
func (r *avatarRenderer) MinSize() fyne.Size { return fyne.NewSquareSize(avatarSide) }

// Objects is called by Fyne.
func (r *avatarRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.avatar.image} }

// Refresh is called by Fyne.
func (r *avatarRenderer) Refresh() { r.avatar.image.Refresh() }

// Layout is called by Fyne.
func (r *avatarRenderer) Layout(size fyne.Size) {
	r.avatar.image.Move(fyne.NewPos((size.Width-avatarSide)/2, (size.Height-avatarSide)/2))
	r.avatar.image.Resize(fyne.NewSquareSize(avatarSide))
}
