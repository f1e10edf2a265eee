package domain

// MostPeek is the most bytes of a file that one look into it brings.
const MostPeek int64 = 16 << 20

// PeekRequest asks for the beginning of a file without downloading it: of the
// one at Path with Peer, or of a Content.
type PeekRequest struct {
	// Peer is who shares it and is asked first; empty if nobody in particular.
	Peer PeerID
	// Path is slash-separated and begins with the share's name. It is used if
	// Content is zero.
	Path string
	// Content and Size are those of the entry, Size in bytes.
	Content ContentID
	Size    int64
	// Most is how many bytes from the beginning are wanted, at least 1; more
	// than MostPeek are not brought.
	Most int64
}

// Peek is the beginning of a file.
type Peek struct {
	Content ContentID
	Size    int64 // of the whole file, in bytes
	// Data are the bytes from the beginning, as many as there are and were
	// wanted. They are kept for the next look and must not be changed.
	Data []byte
	// Whole is true if there are no more.
	Whole bool
}
