package preview_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/ui/preview"
)

var (
	red  = color.RGBA{255, 0, 0, 255}
	blue = color.RGBA{0, 0, 255, 255}
)

// halves is a picture that is red at the left and blue at the right.
func halves(w, h int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Draw(img, img.Rect, image.NewUniform(red), image.Point{}, draw.Src)
	draw.Draw(img, image.Rect(w/2, 0, w, h), image.NewUniform(blue), image.Point{}, draw.Src)
	return img
}

// encoded is what a function writes.
func encoded(t testing.TB, write func(*bytes.Buffer) error) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := write(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func jpegOf(t testing.TB, img image.Image) []byte {
	t.Helper()
	return encoded(t, func(b *bytes.Buffer) error { return jpeg.Encode(b, img, &jpeg.Options{Quality: 95}) })
}

// samples are real files, by name, each 40 × 20, red at the left and blue at
// the right.
func samples(t testing.TB) map[string][]byte {
	t.Helper()
	img := halves(40, 20)
	pal := image.NewPaletted(img.Rect, color.Palette{color.Black, red, blue})
	draw.Draw(pal, pal.Rect, img, image.Point{}, draw.Src)
	second := image.NewPaletted(img.Rect, color.Palette{color.Black})
	deep := image.NewNRGBA64(img.Rect)
	draw.Draw(deep, deep.Rect, img, image.Point{}, draw.Src)
	all := map[string][]byte{
		"a.jpg": jpegOf(t, img),
		"a.png": encoded(t, func(b *bytes.Buffer) error { return png.Encode(b, img) }),
		"paletted.png": encoded(t, func(b *bytes.Buffer) error {
			return png.Encode(b, pal)
		}),
		"deep.png": encoded(t, func(b *bytes.Buffer) error { return png.Encode(b, deep) }),
		"a.gif":    encoded(t, func(b *bytes.Buffer) error { return gif.Encode(b, img, nil) }),
		"moving.gif": encoded(t, func(b *bytes.Buffer) error {
			return gif.EncodeAll(b, &gif.GIF{Image: []*image.Paletted{pal, second}, Delay: []int{1, 1}})
		}),
		"a.bmp": encoded(t, func(b *bytes.Buffer) error { return bmp.Encode(b, img) }),
		"a.tif": encoded(t, func(b *bytes.Buffer) error {
			return tiff.Encode(b, img, &tiff.Options{Compression: tiff.Deflate, Predictor: true})
		}),
	}
	files, err := filepath.Glob("testdata/*.*")
	if err != nil || len(files) < 8 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(name)] = data
	}
	return all
}

// near reports whether a colour is about another one, seen on white.
func near(a color.Color, b color.RGBA) bool {
	r, g, bl, alpha := a.RGBA()
	over := func(c uint32) int { return int(c+0xffff-alpha) >> 8 }
	off := max(abs(over(r)-int(b.R)), abs(over(g)-int(b.G)), abs(over(bl)-int(b.B)))
	return off < 60 || alpha < 0xd000 && off < 160
}

func abs(n int) int { return max(n, -n) }

// looks tells the colours at the middle of a picture's edges: left, right, top,
// bottom.
func looks(img image.Image, left, right, top, bottom color.RGBA) bool {
	b := img.Bounds()
	midX, midY := (b.Min.X+b.Max.X)/2, (b.Min.Y+b.Max.Y)/2
	return near(img.At(b.Min.X+1, midY), left) && near(img.At(b.Max.X-2, midY), right) &&
		near(img.At(midX-midX/2, b.Min.Y+1), top) && near(img.At(midX-midX/2, b.Max.Y-2), bottom)
}

func TestImagesOfEveryFormat(t *testing.T) {
	for name, data := range samples(t) {
		for _, c := range []struct{ side, w, h int }{{40, 40, 20}, {20, 20, 10}, {8, 8, 4}, {1000, 40, 20}, {1, 1, 1}} {
			img, err := preview.Image(data, true, c.side)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				break
			}
			if img.Bounds() != image.Rect(0, 0, c.w, c.h) {
				t.Errorf("%s at %d: %v", name, c.side, img.Bounds())
			}
			if c.side >= 8 && !looks(img, red, blue, red, red) {
				t.Errorf("%s at %d: wrong colours: %v and %v", name, c.side, img.At(1, 2), img.At(c.w-2, 2))
			}
		}
		if _, err := preview.Image(data[:len(data)/2], true, 20); err == nil {
			t.Errorf("half of %s is a picture", name)
		}
		if _, err := preview.Image(data[:len(data)/2], false, 20); !errors.Is(err, preview.ErrNone) {
			t.Errorf("half of %s is a picture: %v", name, err)
		}
	}
}

// A large picture is thinned out before it is scaled, and stays what it is.
func TestLargeImage(t *testing.T) {
	img, err := preview.Image(jpegOf(t, halves(3001, 1000)), true, 96)
	if err != nil || img.Bounds() != image.Rect(0, 0, 96, 32) || !looks(img, red, blue, red, red) {
		t.Fatalf("%v, %v", img, err)
	}
}

// withEXIF puts an EXIF segment into a JPEG, with a small picture if it is not
// nil.
func withEXIF(data []byte, orientation uint16, small []byte) []byte {
	order := binary.BigEndian
	exif := []byte("Exif\x00\x00MM\x00*\x00\x00\x00\x08")
	short := func(tag, n uint16) {
		exif = order.AppendUint16(exif, tag)
		exif = order.AppendUint16(exif, 3)
		exif = order.AppendUint32(exif, 1)
		exif = order.AppendUint16(exif, n)
		exif = append(exif, 0, 0)
	}
	long := func(tag uint16, n int) {
		exif = order.AppendUint16(exif, tag)
		exif = order.AppendUint16(exif, 4)
		exif = order.AppendUint32(exif, 1)
		exif = order.AppendUint32(exif, uint32(n))
	}
	exif = order.AppendUint16(exif, 1)
	short(0x0112, orientation)
	if small == nil {
		exif = order.AppendUint32(exif, 0)
	} else {
		exif = order.AppendUint32(exif, 26)
		exif = order.AppendUint16(exif, 3)
		short(0x0103, 6)
		long(0x0201, 26+2+3*12+4)
		long(0x0202, len(small))
		exif = order.AppendUint32(exif, 0)
		exif = append(exif, small...)
	}
	out := append([]byte{}, data[:2]...)
	out = append(out, 0xff, 0xe1)
	out = order.AppendUint16(out, uint16(2+len(exif)))
	out = append(out, exif...)
	return append(out, data[2:]...)
}

func TestOrientation(t *testing.T) {
	// Red at the top, in each of the ways in which cameras write that.
	lying := map[uint16]func(x, y int) (int, int){
		1: func(x, y int) (int, int) { return x, y },
		2: func(x, y int) (int, int) { return 39 - x, y },
		3: func(x, y int) (int, int) { return 39 - x, 19 - y },
		4: func(x, y int) (int, int) { return x, 19 - y },
		5: func(x, y int) (int, int) { return y, x },
		6: func(x, y int) (int, int) { return y, 39 - x },
		7: func(x, y int) (int, int) { return 19 - y, 39 - x },
		8: func(x, y int) (int, int) { return 19 - y, x },
	}
	green := color.RGBA{0, 200, 0, 255}
	for n, place := range lying {
		// What is to be seen is 40 × 20: red, with the left edge blue and the
		// bottom green.
		size := image.Rect(0, 0, 40, 20)
		if n >= 5 {
			size = image.Rect(0, 0, 20, 40)
		}
		stored := image.NewRGBA(size)
		for y := range 20 {
			for x := range 40 {
				c := red
				switch {
				case y >= 14:
					c = green
				case x < 8:
					c = blue
				}
				atX, atY := place(x, y)
				stored.SetRGBA(atX, atY, c)
			}
		}
		img, err := preview.Image(withEXIF(jpegOf(t, stored), n, nil), true, 100)
		if err != nil || img.Bounds() != image.Rect(0, 0, 40, 20) || !looks(img, blue, red, red, green) {
			t.Errorf("orientation %d: %v %v", n, img.Bounds(), err)
		}
	}
	for _, n := range []uint16{0, 9, 65535} {
		if img, err := preview.Image(withEXIF(jpegOf(t, halves(40, 20)), n, nil), true, 100); err != nil || img.Bounds().Dx() != 40 {
			t.Errorf("orientation %d: %v", n, err)
		}
	}
}

func TestSmallPictureOfABeginning(t *testing.T) {
	small := jpegOf(t, halves(16, 8))
	data := withEXIF(jpegOf(t, halves(400, 200)), 6, small)
	img, err := preview.Image(data[:len(data)-1000], false, 100)
	if err != nil || img.Bounds() != image.Rect(0, 0, 8, 16) {
		t.Fatalf("%v", err)
	}
	if img, err = preview.Image(data, true, 100); err != nil || img.Bounds() != image.Rect(0, 0, 50, 100) {
		t.Fatalf("the whole picture: %v", err)
	}
	if _, err := preview.Image(jpegOf(t, halves(400, 200))[:1000], false, 100); !errors.Is(err, preview.ErrNone) {
		t.Errorf("no small picture: %v", err)
	}
	broken := withEXIF(jpegOf(t, halves(400, 200)), 1, append([]byte("\xff\xd8\xff"), make([]byte, 100)...))
	if _, err := preview.Image(broken, false, 100); !errors.Is(err, domain.ErrDamaged) {
		t.Errorf("a broken small picture: %v", err)
	}
}

// claims makes a PNG that says to be so large, and is not.
func claims(w, h uint32, depth, kind byte) []byte {
	out := []byte("\x89PNG\r\n\x1a\n")
	chunk := func(name string, body []byte) {
		out = binary.BigEndian.AppendUint32(out, uint32(len(body)))
		part := append([]byte(name), body...)
		out = append(out, part...)
		out = binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(part))
	}
	head := binary.BigEndian.AppendUint32(nil, w)
	head = binary.BigEndian.AppendUint32(head, h)
	chunk("IHDR", append(head, depth, kind, 0, 0, 0))
	chunk("IDAT", []byte("\x78\x9c\x63\x00\x00"))
	chunk("IEND", nil)
	return out
}

// patched returns a sample with other bytes at a place.
func patched(data []byte, at int, bytes ...byte) []byte {
	out := append([]byte{}, data...)
	copy(out[at:], bytes)
	return out
}

func TestBombsAllocateNothing(t *testing.T) {
	all := samples(t)
	frame := bytes.Index(all["a.jpg"], []byte{0xff, 0xc0})
	progressive := bytes.Index(all["progressive.jpg"], []byte{0xff, 0xc2})
	width := bytes.Index(all["lzw.tif"], []byte{0x00, 0x01, 0x03, 0x00, 1, 0, 0, 0, 40, 0}) // its entry; the height's follows
	bombs := map[string][]byte{
		"png of 50,000 × 50,000": claims(50_000, 50_000, 8, 6),
		"png that is too wide":   claims(1<<20, 1, 8, 6),
		"png that is too high":   claims(1, 1<<31-1, 1, 0),
		"deep png":               claims(8193, 8192, 16, 6),
		"jpeg":                   patched(all["a.jpg"], frame+5, 0xff, 0xff, 0xff, 0xff),
		"progressive jpeg":       patched(all["progressive.jpg"], progressive+5, 0x20, 0, 0x1f, 0xff),
		"gif":                    patched(all["a.gif"], 6, 0xff, 0xff, 0xff, 0xff),
		"bmp":                    patched(all["a.bmp"], 18, 0, 0, 1, 0, 0, 0, 1, 0),
		"webp":                   patched(all["lossy.webp"], 26, 0xff, 0x3f, 0xff, 0x3f),
		"lossless webp":          patched(all["lossless.webp"], 21, 0xff, 0xff, 0xff, 0x0f),
		"webp with alpha":        patched(all["alpha.webp"], 24, 0xff, 0x3f, 0, 0xff, 0x3f, 0),
		"tiff":                   patched(patched(all["lzw.tif"], width+4, 1, 0, 0, 0, 0xff, 0x7f, 0, 0), width+12+4, 1, 0, 0, 0, 0xff, 0x7f, 0, 0),
	}
	for name, data := range bombs {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := preview.Image(data, true, 100)
		runtime.ReadMemStats(&after)
		if !errors.Is(err, domain.ErrTooLarge) {
			t.Errorf("%s: %v, want too large", name, err)
		}
		if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
			t.Errorf("%s: %d bytes were allocated", name, n)
		}
	}
	// What could be, but not in so few bytes.
	for name, data := range map[string][]byte{
		"png":  claims(8000, 8000, 8, 6),
		"jpeg": patched(all["a.jpg"], frame+5, 0x1f, 0, 0x1f, 0),
		"gif":  patched(all["a.gif"], 6, 0, 0x1f, 0, 0x1f),
		"bmp":  patched(all["a.bmp"], 18, 0, 0x1f, 0, 0, 0, 0x1f, 0, 0),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := preview.Image(data, true, 100)
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; !errors.Is(err, domain.ErrDamaged) || n > 1<<20 {
			t.Errorf("%s: %v, %d bytes were allocated", name, err, n)
		}
	}
	// One that is too large is shown by the small picture in it.
	data := withEXIF(bombs["jpeg"], 1, jpegOf(t, halves(16, 8)))
	if img, err := preview.Image(data, true, 100); err != nil || img.Bounds().Dx() != 16 {
		t.Errorf("a small picture in a bomb: %v", err)
	}
}

func TestWhatIsNoImage(t *testing.T) {
	for name, data := range map[string][]byte{
		"nothing": nil, "text": []byte("BMP is a format"), "pdf": []byte("%PDF-1.7\n"), "riff": []byte("RIFF\x00\x00\x00\x00WAVE"),
	} {
		_, err := preview.Image(data, true, 100)
		if name == "text" {
			if !errors.Is(err, domain.ErrDamaged) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if !errors.Is(err, preview.ErrNone) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, side := range []int{0, -1, 1 << 20} {
		if _, err := preview.Image(nil, true, side); !errors.Is(err, domain.ErrUsage) {
			t.Errorf("side %d: %v", side, err)
		}
	}
}

func FuzzImage(f *testing.F) {
	for _, data := range samples(f) {
		f.Add(data, true)
	}
	small := jpegOf(f, halves(16, 8))
	f.Add(withEXIF(small, 6, small), false)
	f.Add(withEXIF(small, 3, small), true)
	f.Add(claims(50_000, 50_000, 8, 6), true)
	f.Fuzz(func(t *testing.T, data []byte, whole bool) {
		img, err := preview.Image(data, whole, 16)
		if err != nil {
			return
		}
		if b := img.Bounds(); b.Empty() || b.Dx() > 16 || b.Dy() > 16 || b.Min != (image.Point{}) {
			t.Errorf("a picture of %v", b)
		}
	})
}
