package ui

import (
	"bytes"
	"image"
	"image/color"
	"image/png"

	"fyne.io/fyne/v2"

	"github.com/boombuler/barcode/qr"
)

// quiet is how many modules around a code stay white, as ISO/IEC 18004 wants it.
const quiet = 4

// qrCode draws a text as a QR code, a pixel for each module. It may be called
// from any goroutine.
func qrCode(text string) (fyne.Resource, error) {
	code, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return nil, err
	}
	side := code.Bounds().Dx()
	picture := image.NewGray(image.Rect(0, 0, side+2*quiet, side+2*quiet))
	for y := range side + 2*quiet {
		for x := range side + 2*quiet {
			at := image.Pt(x-quiet, y-quiet)
			ink := color.Gray{Y: 0xFF}
			if at.In(code.Bounds()) {
				ink = color.GrayModel.Convert(code.At(at.X, at.Y)).(color.Gray) //nolint:forcetypeassert // of its own model
			}
			picture.SetGray(x, y, ink)
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, picture); err != nil {
		return nil, err
	}
	return fyne.NewStaticResource("invitation.png", b.Bytes()), nil
}
