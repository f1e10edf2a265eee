package preview

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"

	"golang.org/x/image/bmp"
	"golang.org/x/image/draw"
	"golang.org/x/image/tiff"
	"golang.org/x/image/webp"

	"github.com/potluck-share/potluck/app/domain"
)

const (
	// mostPixels, mostSide and mostMemory, in bytes, are what a picture may have,
	// or take while it is decoded.
	mostPixels = 64 << 20
	mostSide   = 1<<16 - 1
	mostMemory = 512 << 20
	// mostShown is the longest side that is asked for.
	mostShown = 4096
	// coarse is how many times larger than wanted a picture is when it is
	// scaled well; what is larger yet is thinned out before, which is fast.
	coarse = 4
	// deflated is how many bytes a deflated one can become at most.
	deflated = 1032
)

// ErrNone means that the bytes hold no picture that could be shown: they are of
// another format, or only the beginning of one without a small picture in it.
var ErrNone = domain.Fault(nil, "there is no picture in it that could be shown")

// What is said of a picture that cannot be shown, in the user's language; the
// rest of the error is for a log.
func damaged() error  { return domain.Fault(domain.ErrDamaged, "the picture is damaged") }
func tooLarge() error { return domain.Fault(domain.ErrTooLarge, "the picture is too large to show") }

// format is one that can be decoded.
type format struct {
	is     func(data []byte) bool
	config func(io.Reader) (image.Config, error)
	decode func(io.Reader) (image.Image, error)
	// dense is how many pixels a byte can stand for at most, so that a few
	// bytes cannot have much allocated. 0: any number.
	dense int64
}

func begins(magics ...string) func([]byte) bool {
	return func(data []byte) bool {
		for _, magic := range magics {
			if bytes.HasPrefix(data, []byte(magic)) {
				return true
			}
		}
		return false
	}
}

var (
	isJPEG = begins("\xff\xd8\xff")
	isTIFF = begins("II*\x00", "MM\x00*")
)

var formats = []format{
	{isJPEG, jpeg.DecodeConfig, jpeg.Decode, 1024}, // a bit for 64
	{begins("\x89PNG\r\n\x1a\n"), png.DecodeConfig, png.Decode, 8 * deflated},
	{begins("GIF87a", "GIF89a"), gif.DecodeConfig, gif.Decode, 4096}, // its first frame
	{isWebP, webp.DecodeConfig, webp.Decode, 0},
	{begins("BM"), bmp.DecodeConfig, bmp.Decode, 8},
	{isTIFF, tiff.DecodeConfig, tiff.Decode, 0},
}

func isWebP(data []byte) bool {
	return len(data) >= 12 && string(data[:4]) == "RIFF" && string(data[8:12]) == "WEBP"
}

// Image makes a picture of at most side × side of the bytes of a JPEG, PNG, GIF,
// WebP, BMP or TIFF file, upright and in its proportions, and never larger than
// it is. whole is false if the bytes are only the beginning of the file: then,
// as for one that is too large, the small picture in a JPEG is taken if there is
// one. The error is
//   - ErrNone if there is no picture;
//   - domain.ErrTooLarge if it has more than 64 megapixels, or sides or a depth
//     beyond all reason;
//   - domain.ErrDamaged if it cannot be decoded;
//   - domain.ErrUsage for a side below 1 or above 4096.
func Image(data []byte, whole bool, side int) (image.Image, error) {
	if side < 1 || side > mostShown {
		return nil, fmt.Errorf("%w: a picture of %d pixels", domain.ErrUsage, side)
	}
	turn, small := upright, []byte(nil)
	switch {
	case isJPEG(data):
		turn, small = readEXIF(scanJPEG(data).exif)
	case isTIFF(data):
		turn, _ = readEXIF(data)
	}
	var img image.Image
	err := ErrNone
	if whole {
		img, err = decode(data)
	}
	if small != nil && (errors.Is(err, ErrNone) || errors.Is(err, domain.ErrTooLarge)) {
		img, err = decode(small)
	}
	if err != nil {
		return nil, err
	}
	return turn.apply(scale(img, side)), nil
}

// decode decodes a whole file, after a look at what it claims to be.
func decode(data []byte) (img image.Image, err error) {
	// The decoders have met hostile bytes before, and some have panicked. That
	// must not end the program, and is told like any other damage.
	defer func() {
		if broken := recover(); broken != nil {
			img, err = nil, fmt.Errorf("%w: the decoder broke: %v", damaged(), broken)
		}
	}()
	for _, f := range formats {
		if !f.is(data) {
			continue
		}
		c, err := f.config(bytes.NewReader(data))
		if err != nil {
			return nil, fmt.Errorf("%w: %w", damaged(), err)
		}
		if err := bearable(c, data); err != nil {
			return nil, err
		}
		if f.dense > 0 && int64(c.Width)*int64(c.Height) > f.dense*int64(len(data)) {
			return nil, fmt.Errorf("%w: %d × %d pixels in %d bytes", damaged(), c.Width, c.Height, len(data))
		}
		img, err := f.decode(bytes.NewReader(data))
		if err != nil {
			return nil, fmt.Errorf("%w: %w", damaged(), err)
		}
		if img.Bounds().Empty() {
			return nil, fmt.Errorf("%w: no pixels", damaged())
		}
		return img, nil
	}
	return nil, ErrNone
}

// bearable refuses what would take too much to decode.
func bearable(c image.Config, data []byte) error {
	if c.Width < 1 || c.Height < 1 {
		return fmt.Errorf("%w: %d × %d pixels", damaged(), c.Width, c.Height)
	}
	if c.Width > mostSide || c.Height > mostSide || c.Width > mostPixels/c.Height {
		return fmt.Errorf("%w: %d × %d pixels", tooLarge(), c.Width, c.Height)
	}
	var each int64
	switch c.ColorModel {
	case color.RGBA64Model, color.NRGBA64Model:
		each = 8
	default:
		each = 4
	}
	if isJPEG(data) {
		each = scanJPEG(data).memory()
	}
	if memory := int64(c.Width) * int64(c.Height) * each; memory > mostMemory {
		return fmt.Errorf("%w: %d × %d pixels of %d bytes", tooLarge(), c.Width, c.Height, each)
	}
	return nil
}

// scale fits the picture into side × side.
func scale(img image.Image, side int) *image.RGBA {
	if long(img) > coarse*side {
		img = fit(img, coarse*side, draw.NearestNeighbor)
	}
	return fit(img, side, draw.CatmullRom)
}

// fit makes a picture that is not larger than side × side.
func fit(img image.Image, side int, by draw.Scaler) *image.RGBA {
	b := img.Bounds()
	w, h := b.Dx(), b.Dy()
	if most := max(w, h); most > side {
		w, h = max(1, (w*side+most/2)/most), max(1, (h*side+most/2)/most)
	} else {
		by = draw.NearestNeighbor // a copy
	}
	dst := image.NewRGBA(image.Rect(0, 0, w, h))
	by.Scale(dst, dst.Bounds(), img, b, draw.Src, nil)
	return dst
}

func long(img image.Image) int { return max(img.Bounds().Dx(), img.Bounds().Dy()) }
