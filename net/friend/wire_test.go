package friend

import (
	"strings"
	"testing"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"

	"github.com/potluck-share/potluck/net/friend/pb"
)

func FuzzMessage(f *testing.F) {
	for _, m := range []*pb.Message{
		{Kind: pb.Kind_KIND_ASK, Name: "Ana", Commitment: make([]byte, nonceSize)},
		{Kind: pb.Kind_KIND_REVEAL, Nonce: make([]byte, nonceSize)},
		{Kind: pb.Kind_KIND_INVITED, Name: "Ana", Token: "token"},
		{Kind: pb.Kind_KIND_TOLD, What: pb.What_WHAT_DECLINE},
		{Kind: pb.Kind_KIND_ANSWER, Status: pb.Status_STATUS_BUSY, Confirmed: true},
		{Kind: 77, Name: strings.Repeat("x", maxName+1)},
	} {
		raw, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := decode(raw)
		if err != nil {
			return
		}
		if len(m.GetName()) > maxName || len(m.GetToken()) > maxToken || !utf8.ValidString(m.GetName()) {
			t.Errorf("a name of %d bytes, a token of %d", len(m.GetName()), len(m.GetToken()))
		}
		switch m.GetKind() {
		case pb.Kind_KIND_ASK:
			_ = nonce(m.GetCommitment())
		case pb.Kind_KIND_NONCE, pb.Kind_KIND_REVEAL:
			_ = nonce(m.GetNonce())
		default:
		}
	})
}
