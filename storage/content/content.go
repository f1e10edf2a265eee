// Package content hashes and verifies content: BLAKE3 in pieces of 1 MiB, each
// of which is one subtree of the file's BLAKE3 tree.
//
// The content ID of a file is its plain BLAKE3-256, what b3sum prints. The
// chaining values of all its pieces, the piece layer, hash up to that ID, so
// that whoever has the layer can verify each piece by itself.
//
// The package is pure: it reads through an io.ReaderAt that it is given and
// never opens or writes a file. Everything in it may be called from any
// goroutine; layers and pieces are immutable and may be shared.
package content

import (
	"encoding/binary"
	"math/bits"

	"lukechampine.com/blake3/guts"

	"github.com/potluck-share/potluck/app/domain"
)

// valueSize is the length of a chaining value in a layer, in bytes.
const valueSize = 32

const (
	groupSize   = guts.MaxSIMD * guts.ChunkSize // what is compressed at once
	pieceChunks = domain.PieceSize / guts.ChunkSize
)

// value is the chaining value of a subtree.
type value = [8]uint32

// leaf returns the node above data, which begins at the given chunk of its
// file and is at most one piece long.
func leaf(data []byte, chunk uint64) guts.Node {
	var group [groupSize]byte
	return leafIn(&group, data, chunk)
}

// leafIn is leaf with room for a group. The compressor takes a whole one,
// whatever the length, and reads all chunks of it side by side: from memory that
// is half as fast as from the cache, into which copying brings them.
func leafIn(group *[groupSize]byte, data []byte, chunk uint64) guts.Node {
	if len(data) <= groupSize {
		clear(group[copy(group[:], data):])
		return guts.CompressBuffer(group, len(data), &guts.IV, chunk, 0)
	}
	left := leftPart(uint64(len(data)))
	return guts.ParentNode(
		guts.ChainingValue(leafIn(group, data[:left], chunk)),
		guts.ChainingValue(leafIn(group, data[left:], chunk+left/guts.ChunkSize)),
		&guts.IV, 0)
}

// leftPart returns how much of n, which is over 1, belongs to the left subtree:
// the largest power of two that leaves something for the right one.
func leftPart(n uint64) uint64 { return 1 << (bits.Len64(n-1) - 1) }

// above returns the node above a layer of two or more chaining values.
func above(layer []byte) guts.Node {
	left := leftPart(uint64(len(layer)/valueSize)) * valueSize
	return guts.ParentNode(valueAbove(layer[:left]), valueAbove(layer[left:]), &guts.IV, 0)
}

func valueAbove(layer []byte) value {
	if len(layer) == valueSize {
		return getValue(layer)
	}
	return guts.ChainingValue(above(layer))
}

// finish makes the root node into the content ID.
func finish(root guts.Node) domain.ContentID {
	root.Flags |= guts.FlagRoot
	var id domain.ContentID
	putValue(id[:], guts.ChainingValue(root))
	return id
}

func getValue(raw []byte) (v value) {
	for i := range v {
		v[i] = binary.LittleEndian.Uint32(raw[4*i:])
	}
	return v
}

func putValue(raw []byte, v value) {
	for i, word := range v {
		binary.LittleEndian.PutUint32(raw[4*i:], word)
	}
}
