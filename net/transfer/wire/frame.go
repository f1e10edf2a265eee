package wire

import (
	"errors"
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
	// MaxSet is the most bytes of the body of a request for Any piece, which
	// has a bit for each piece of the set.
	MaxSet = 512
	// MaxGrant is the most bytes of a signed grant.
	MaxGrant = 1 << 10
	// MaxHolders is how many holders one Hint names at most; a reader ignores
	// what is beyond.
	MaxHolders = 32
	// MaxAddresses is the same for the addresses of one holder.
	MaxAddresses = 8
	// maxPeerID and maxAddress are the longest that a peer ID and an address
	// may be, in bytes; what is longer is left out.
	maxPeerID  = 64
	maxAddress = 256

	prefixSize = 4
	indexSize  = 4
	// maxIndex is above every piece of the largest content.
	maxIndex = uint64(domain.MaxFileSize) / domain.PieceSize
	// maxPlace is the last place in a queue that is believed.
	maxPlace = 1 << 20
)

// Kind says what a frame is.
type Kind uint8

// The kinds of frame.
const (
	Request Kind = iota + 1
	Cancel
	Response
	Data
	// Have says in its body which further pieces of the content are here, or
	// Coming, see AppendIndex; with an empty one, that some came of which
	// nothing was told: ask for Info again.
	Have
	// Hint names in its body others that hold or fetch the content, see
	// EncodeHolders.
	Hint
	// Leave says that the asker wants nothing more of the content.
	Leave
	// Grant shows in its body the owner's signed leave to fetch the content.
	Grant
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
	// Any is one of the pieces named in the body: its lowest bit of the first
	// byte is piece Index, a multiple of 8. The provider chooses.
	Any
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
	Request uint64           // number of the request; all kinds
	What    What             // Request
	Content domain.ContentID // Request, Have, Hint, Leave, Grant
	Index   int              // Request: of the piece, the page or the set; Response: of the piece chosen
	Length  int              // Request: most bytes wanted; Response: bytes of the whole answer
	Status  Status           // Response
	Size    int64            // Response: bytes of the content, a claim
	Partial bool             // Response: not all pieces are here
	Nearby  bool             // Response: everyone nearby may have the content
	Last    bool             // Response, Data: the answer ends with this frame
	Coming  bool             // Have: the pieces are on their way, not here yet
	Look    bool             // Request: what comes is not kept, so the asker is no follower
	Alone   bool             // Request: nobody is to be told of the asker, so it is no follower either
	// Queue is the asker's place in the provider's queue, from 1: of a Busy
	// Response; 0: it does not wait in one. Who asks again within some seconds
	// keeps it. With QueuedAlone the asker is served, and only this content of it
	// waits for its others.
	Queue       int
	QueuedAlone bool
	// Body is the number of raw bytes that follow. Writer sets it by itself.
	Body int
}

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
		m.Look, m.Alone = h.Look, h.Alone
	case Cancel:
		m.Kind = pb.Kind_KIND_CANCEL
	case Have, Hint, Leave, Grant:
		m.Kind = pb.Kind_KIND_HAVE + pb.Kind(h.Kind-Have)
		m.Coming = h.Kind == Have && h.Coming
		*content = h.Content
		m.Content = content[:]
	case Response:
		m.Kind = pb.Kind_KIND_RESPONSE
		m.Index = uint64(max(0, h.Index))
		m.Nearby = h.Nearby
		m.Status = pb.Status(h.Status)
		m.Queue, m.QueuedAlone = uint64(max(0, h.Queue)), h.QueuedAlone
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
		h.Look, h.Alone = m.GetLook(), m.GetAlone()
		if w := m.GetWhat(); w > 0 && w <= pb.What(Any) {
			h.What = What(w)
		}
		if h.What == Any && (body == 0 || body > MaxSet || m.GetIndex()%8 != 0) {
			return h, true, fmt.Errorf("%w: a set of %d bytes at %d", domain.ErrMalformed, body, m.GetIndex())
		}
		err = errors.Join(h.takeContent(m), h.takeIndex(m), h.takeLength(m))
	case pb.Kind_KIND_CANCEL:
		h.Kind = Cancel
	case pb.Kind_KIND_RESPONSE:
		h.Kind = Response
		h.Last = m.GetLast()
		h.Partial = m.GetPartial()
		h.Nearby = m.GetNearby()
		if s := m.GetStatus(); s > 0 && s <= pb.Status(Malformed) {
			h.Status = Status(s)
		}
		if m.GetSize() > uint64(domain.MaxFileSize) {
			return h, true, fmt.Errorf("%w: content of %d bytes", domain.ErrMalformed, m.GetSize())
		}
		h.Size = int64(m.GetSize())
		if h.Status == Busy {
			h.Queue, h.QueuedAlone = int(min(m.GetQueue(), maxPlace)), m.GetQueuedAlone()
		}
		err = errors.Join(h.takeIndex(m), h.takeLength(m))
	case pb.Kind_KIND_DATA:
		h.Kind = Data
		h.Last = m.GetLast()
	case pb.Kind_KIND_HAVE, pb.Kind_KIND_HINT, pb.Kind_KIND_LEAVE, pb.Kind_KIND_GRANT:
		h.Kind = Have + Kind(m.GetKind()-pb.Kind_KIND_HAVE)
		h.Coming = h.Kind == Have && m.GetComing()
		err = h.takeContent(m)
		if h.Kind == Grant && body > MaxGrant {
			err = fmt.Errorf("%w: grant of %d bytes", domain.ErrMalformed, body)
		}
	default:
		return h, false, nil
	}
	return h, true, err
}

func (h *Header) takeContent(m *pb.Header) error {
	if n := copy(h.Content[:], m.GetContent()); n != len(h.Content) || n != len(m.GetContent()) {
		return fmt.Errorf("%w: content ID of %d bytes", domain.ErrMalformed, len(m.GetContent()))
	}
	return nil
}

func (h *Header) takeIndex(m *pb.Header) error {
	if m.GetIndex() >= maxIndex {
		return fmt.Errorf("%w: piece %d", domain.ErrMalformed, m.GetIndex())
	}
	h.Index = int(m.GetIndex())
	return nil
}

func (h *Header) takeLength(m *pb.Header) error {
	if m.GetLength() > MaxAnswer {
		return fmt.Errorf("%w: answer of %d bytes", domain.ErrMalformed, m.GetLength())
	}
	h.Length = int(m.GetLength())
	return nil
}
