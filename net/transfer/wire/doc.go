// Package wire is the codec of the transfer protocol: it turns frames into
// bytes and back, and holds their limits. It does no I/O of its own beyond the
// io.Reader and io.Writer that it is given, and knows no peers.
//
// A frame is
//
//	header length  2 bytes, big endian
//	body length    2 bytes, big endian
//	header         a protobuf message (pb.Header)
//	body           raw bytes
//
// and at most MaxFrame long in all. Bodies stand outside of the protobuf
// message so that a piece goes from the socket into its buffer without a
// detour. Unknown fields and whole frames of an unknown kind are skipped, so
// that a later version may add to what this one says.
//
// The asker sends Request and Cancel, in any number and for any mix of
// contents. The provider answers each request with one Response; if its status
// is OK, the answer's bytes are the bodies of that frame and of the Data frames
// with the same number, up to the one marked Last. Answers to different
// requests come in any order, and a frame for a number that is not known (any
// more) is skipped by whoever gets it. A request for Any piece names a set of
// pieces in its body, one bit each; the provider chooses one of them when its
// turn has come, and its response says which.
//
// Whoever asks for a content follows it on that stream, until Leave or the end
// of the stream. A provider that has the content in part tells its followers of
// each further piece by Have frames, after its answer for Info told what was
// there before. It also tells those who may know of each other by Hint frames,
// since downloaders are in nobody's catalogue. If not everyone nearby may have
// the content, the owner's hint comes with a signed grant, which the asker shows
// to the others by a Grant frame before it asks them. Whoever only looks, or
// is not to be seen by others, and says so in its requests, follows nothing and is
// told of nothing.
//
// A Reader, like a Writer, is used by one goroutine at a time.
package wire

//go:generate protoc -I pb --go_out=pb --go_opt=paths=source_relative pb/transfer.proto
