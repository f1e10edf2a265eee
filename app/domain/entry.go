package domain

import (
	"path"
	"strings"
	"time"
)

// PieceSize is the unit in which content is asked for and verified: 1 MiB,
// aligned, one subtree of the file's BLAKE3 tree.
const PieceSize = 1 << 20

// MaxFileSize is the largest file that Potluck handles, in bytes: 16 TiB.
const MaxFileSize int64 = 1 << 44

// MaxPath is the longest path of an entry, in bytes.
const MaxPath = 4096

// Entry is one file, or one folder, in a share.
type Entry struct {
	// Path is slash-separated and begins with the share's name:
	// "Holiday/img 1.jpg".
	Path string
	// Folder is true for a folder. It has neither size nor content.
	Folder bool
	// Size is in bytes.
	Size int64
	// Modified is the file's own time, to the second, in UTC.
	Modified time.Time
	// Content is the BLAKE3-256 of the bytes; zero for a folder.
	Content ContentID
}

// Name returns the last part of the path.
func (e Entry) Name() string { return path.Base(e.Path) }

// Share returns the first part of the path: the share that holds the entry.
func (e Entry) Share() string {
	name, _, _ := strings.Cut(e.Path, "/")
	return name
}

// Pieces returns how many pieces a content of size bytes has. An empty one has
// a single, empty piece, so that every content has a last piece.
func Pieces(size int64) int {
	if size <= PieceSize {
		return 1
	}
	return int((size + PieceSize - 1) / PieceSize)
}

// PieceLength returns the length in bytes of piece index of a content of size
// bytes: PieceSize for all but the last one. It is 0 outside the content.
func PieceLength(size int64, index int) int {
	start := int64(index) * PieceSize
	if index < 0 || start >= size {
		return 0
	}
	return int(min(PieceSize, size-start))
}
