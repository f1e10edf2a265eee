package wire

import (
	"fmt"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/transfer/wire/pb"
)

// Protocol is the protocol ID of the stream. Its version changes only with what
// an older peer could not skip.
const Protocol = "/potluck/transfer/1"

const (
	// MaxFrame is the most bytes of a frame, the lengths at its start
	// included.
	MaxFrame = 64 << 10
	// MaxBody is the most bytes that Writer puts into one body. It leaves the
	// header 1 KiB, more than it needs today.
	MaxBody = 63 << 10
	// MaxAnswer is the most bytes of one answer: a piece, or a page.
	MaxAnswer = domain.PieceSize
	// PageSize is the bytes of one page of a layer or of a bitmap; the last
	// page is shorter.
	PageSize = domain.PieceSize
	// HashSize is the bytes that a layer has for each piece.
	HashSize = 32

	prefixSize = 4
	// maxIndex is above every piece of the largest content.
	maxIndex = uint64(domain.MaxFileSize) / domain.PieceSize
)

// Kind says what a frame is.
type Kind uint8

// The kinds of frame.
const (
	Request Kind = iota + 1
	Cancel
	Response
	Data
)

// What names what a request is for.
type What uint8

// What can be asked for. A value that is none of these is for the provider to
// answer as Malformed, since a newer peer may ask for more.
const (
	UnknownWhat What = iota
	// Piece is piece Index of the content.
	Piece
	// Layer is page Index of the chaining values of all pieces.
	Layer
	// Info is page Index of the bitmap of pieces that are here, the lowest bit
	// of the first byte being piece 0. It is empty if all are.
	Info
)

// Status is how a request was taken.
type Status uint8

// The statuses of a response.
const (
	// UnknownStatus is one that a newer version may have added.
	UnknownStatus Status = iota
	// OK is followed by the answer's bytes.
	OK
	// Absent: the content is not here, or not for this asker.
	Absent
	// Missing: the content is here in part, this piece of it is not.
	Missing
	// Changed: the file is not what it was when it was announced.
	Changed
	// Busy: too much was asked at once; try later.
	Busy
	// Malformed: the request makes no sense for this content.
	Malformed
)

// String returns the status as a word for logs.
func (s Status) String() string {
	switch s {
	case OK:
		return "ok"
	case Absent:
		return "absent"
	case Missing:
		return "missing"
	case Changed:
		return "changed"
	case Busy:
		return "busy"
	case Malformed:
		return "malformed"
	default:
		return "unknown"
	}
}

// Header is a frame without its body. Which fields count depends on Kind, the
// others are zero.
type Header struct {
	Kind    Kind
	Request uint64 // number of the request; all kinds
	What    What   // Request
	Content domain.ContentID
	Index   int    // Request: of the piece or page
	Length  int    // Request: most bytes wanted; Response: bytes of the whole answer
	Status  Status // Response
	Size    int64  // Response: bytes of the content, a claim
	Partial bool   // Response: not all pieces are here
	Last    bool   // Response, Data: the answer ends with this frame
	// Body is the number of raw bytes that follow. Writer sets it by itself.
	Body int
}

// Pages returns the number of pages that total bytes of a layer or of a bitmap
// make.
func Pages(total int64) int { return int((total + PageSize - 1) / PageSize) }

// PageLength returns the bytes of page index of total bytes, 0 outside of it.
func PageLength(total int64, index int) int {
	start := int64(index) * PageSize
	if index < 0 || start >= total {
		return 0
	}
	return int(min(PageSize, total-start))
}

// put fills the message from h. content is where the content ID is kept for as
// long as the message is in use.
func (h *Header) put(m *pb.Header, content *domain.ContentID) {
	m.Reset()
	m.Request = h.Request
	switch h.Kind {
	case Request:
		m.Kind = pb.Kind_KIND_REQUEST
		m.What = pb.What(h.What)
		*content = h.Content
		m.Content = content[:]
		m.Index = uint64(max(0, h.Index))
		m.Length = uint64(max(0, h.Length))
	case Cancel:
		m.Kind = pb.Kind_KIND_CANCEL
	case Response:
		m.Kind = pb.Kind_KIND_RESPONSE
		m.Status = pb.Status(h.Status)
		m.Length = uint64(max(0, h.Length))
		m.Size = uint64(max(0, h.Size))
		m.Partial = h.Partial
		m.Last = h.Last
	case Data:
		m.Kind = pb.Kind_KIND_DATA
		m.Last = h.Last
	}
}

// take reads a decoded message and checks its limits. known is false for a kind
// that this version does not speak.
func take(m *pb.Header, body int) (h Header, known bool, err error) {
	h.Request = m.GetRequest()
	h.Body = body
	switch m.GetKind() {
	case pb.Kind_KIND_REQUEST:
		h.Kind = Request
		if n := copy(h.Content[:], m.GetContent()); n != len(h.Content) || n != len(m.GetContent()) {
			return h, true, fmt.Errorf("%w: content ID of %d bytes", domain.ErrMalformed, len(m.GetContent()))
		}
		if m.GetIndex() >= maxIndex {
			return h, true, fmt.Errorf("%w: request for piece %d", domain.ErrMalformed, m.GetIndex())
		}
		h.Index = int(m.GetIndex())
		if w := m.GetWhat(); w > 0 && w <= pb.What(Info) {
			h.What = What(w)
		}
	case pb.Kind_KIND_CANCEL:
		h.Kind = Cancel
	case pb.Kind_KIND_RESPONSE:
		h.Kind = Response
		h.Last = m.GetLast()
		h.Partial = m.GetPartial()
		if s := m.GetStatus(); s > 0 && s <= pb.Status(Malformed) {
			h.Status = Status(s)
		}
		if m.GetSize() > uint64(domain.MaxFileSize) {
			return h, true, fmt.Errorf("%w: content of %d bytes", domain.ErrMalformed, m.GetSize())
		}
		h.Size = int64(m.GetSize())
	case pb.Kind_KIND_DATA:
		h.Kind = Data
		h.Last = m.GetLast()
	default:
		return h, false, nil
	}
	if h.Kind != Request && h.Kind != Response {
		return h, true, nil // they have no length; a newer version may mean something by it
	}
	if m.GetLength() > MaxAnswer {
		return h, true, fmt.Errorf("%w: answer of %d bytes", domain.ErrMalformed, m.GetLength())
	}
	h.Length = int(m.GetLength())
	return h, true, nil
}
