package preview

import (
	"bytes"
	"encoding/binary"
	"image"
)

// turn is how a picture lies in its file, as EXIF numbers it.
type turn uint16

// upright needs no turning.
const upright turn = 1

// apply turns and mirrors the picture so that it stands upright.
func (t turn) apply(src *image.RGBA) *image.RGBA {
	if t <= upright || t > 8 {
		return src
	}
	w, h := src.Rect.Dx(), src.Rect.Dy()
	dst := image.NewRGBA(image.Rect(0, 0, w, h))
	if t >= 5 {
		dst = image.NewRGBA(image.Rect(0, 0, h, w))
	}
	for y := range h {
		for x := range w {
			toX, toY := x, y
			switch t {
			case 2: // mirrored
				toX = w - 1 - x
			case 3: // upside down
				toX, toY = w-1-x, h-1-y
			case 4:
				toY = h - 1 - y
			case 5:
				toX, toY = y, x
			case 6: // its top is at the left
				toX, toY = h-1-y, x
			case 7:
				toX, toY = h-1-y, w-1-x
			case 8: // its top is at the right
				toX, toY = y, w-1-x
			}
			dst.SetRGBA(toX, toY, src.RGBAAt(x, y))
		}
	}
	return dst
}

// What is read of EXIF.
const (
	tagOrientation = 0x0112
	tagSmallAt     = 0x0201
	tagSmallLength = 0x0202
	typeShort      = 3
	typeLong       = 4
	entryLength    = 12
	mostEntries    = 1000
)

// directory is a list of tags in a TIFF file, which EXIF is.
type directory struct {
	data  []byte // of the file
	order binary.ByteOrder
	tags  []byte // entries
	next  uint32 // where the next directory begins; 0: nowhere
}

// readEXIF returns how the picture lies, and the small JPEG that comes with it,
// nil if there is none.
func readEXIF(data []byte) (t turn, small []byte) {
	first, ok := openEXIF(data)
	if !ok {
		return upright, nil
	}
	t = upright
	if n, ok := first.number(tagOrientation); ok && n >= 1 && n <= 8 {
		t = turn(n)
	}
	second, ok := first.at(first.next)
	if !ok || first.next == 0 {
		return t, nil
	}
	at, has := second.number(tagSmallAt)
	length, known := second.number(tagSmallLength)
	if !has || !known || uint64(at)+uint64(length) > uint64(len(data)) {
		return t, nil
	}
	if small = data[at:][:length]; !isJPEG(small) {
		return t, nil
	}
	return t, small
}

// openEXIF returns the first directory.
func openEXIF(data []byte) (d directory, ok bool) {
	if len(data) < 8 {
		return d, false
	}
	d = directory{data: data, order: binary.BigEndian}
	if data[0] == 'I' {
		d.order = binary.LittleEndian
	}
	if !isTIFF(data) {
		return d, false
	}
	return d.at(d.order.Uint32(data[4:]))
}

// at returns the directory that begins there.
func (d directory) at(offset uint32) (other directory, ok bool) {
	if uint64(offset)+2 > uint64(len(d.data)) {
		return d, false
	}
	rest := d.data[offset:]
	n := int(d.order.Uint16(rest))
	rest = rest[2:]
	if n > mostEntries || n*entryLength > len(rest) {
		return d, false
	}
	other = directory{data: d.data, order: d.order, tags: rest[:n*entryLength]}
	if rest = rest[n*entryLength:]; len(rest) >= 4 {
		other.next = d.order.Uint32(rest)
	}
	return other, true
}

// number returns the value of a tag that has a single one.
func (d directory) number(tag uint16) (n uint32, ok bool) {
	for e := d.tags; len(e) >= entryLength; e = e[entryLength:] {
		if d.order.Uint16(e) != tag || d.order.Uint32(e[4:]) != 1 {
			continue
		}
		switch d.order.Uint16(e[2:]) {
		case typeShort:
			return uint32(d.order.Uint16(e[8:])), true
		case typeLong:
			return d.order.Uint32(e[8:]), true
		}
	}
	return 0, false
}

// jpegHead is what stands before the pixels of a JPEG.
type jpegHead struct {
	exif        []byte // nil: none
	progressive bool
	frame       []byte // three bytes for each component
}

// scanJPEG reads the beginning of a JPEG as far as it goes.
func scanJPEG(data []byte) (head jpegHead) {
	data = data[min(2, len(data)):]
	for len(data) >= 4 && data[0] == 0xff {
		marker := data[1]
		if marker == 0xff { // filling
			data = data[1:]
			continue
		}
		length := int(binary.BigEndian.Uint16(data[2:]))
		if marker == 0xda || length < 2 || len(data) < 2+length {
			break
		}
		body := data[4 : 2+length]
		switch marker {
		case 0xe1:
			if exif, ok := bytes.CutPrefix(body, []byte("Exif\x00\x00")); ok && head.exif == nil {
				head.exif = exif
			}
		case 0xc0, 0xc1, 0xc2:
			if len(body) >= 6 && len(body) >= 6+3*int(body[5]) {
				head.progressive, head.frame = marker == 0xc2, body[6:][:3*int(body[5])]
			}
		}
		data = data[2+length:]
	}
	return head
}

// memory returns how many bytes a pixel takes while it is decoded, rounded up.
func (h jpegHead) memory() int64 {
	var samples, wide, high int64 = 0, 1, 1 // of the smallest unit
	for c := h.frame; len(c) >= 3; c = c[3:] {
		across, down := int64(c[1]>>4), int64(c[1]&15)
		samples += across * down
		wide, high = max(wide, across), max(high, down)
	}
	unit := wide * high
	memory := samples
	if h.progressive {
		memory += 4 * samples // its coefficients are kept until the end
	}
	if len(h.frame) > 3*3 {
		memory += 4 * unit // it is converted from inks
	}
	return max(1, (memory+unit-1)/unit)
}
