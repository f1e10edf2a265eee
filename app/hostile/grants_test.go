package hostile_test

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/transfer/grant"
	"github.com/potluck-share/potluck/net/transfer/wire"
)

// grants are attacks by leave that was not given.
func grants() []row {
	return []row{{name: "grants that were not given", attack: falseGrants}}
}

// falseGrants are shown to somebody who has fetched what Olga shares with some.
// Only her own, for the very asker and content, and for now, opens it.
func falseGrants(s *stage) (sent, outcome string) {
	olga := newRogue(s.T, "Olga")
	b, other := newBlob(s.T, 400, 2<<20+9), newBlob(s.T, 401, 2<<20+9)
	b.private, other.private = true, true
	olga.lists(b.at("private.bin"), other.at("other.bin"))
	olga.serves(b, other)
	olga.meets(s.ana)
	waitFor(s.T, "the list is here", func() bool { return strings.Contains(s.ana.do("browse", string(olga.ID())), "private.bin") })
	s.ana.do("get", string(olga.ID())+":private.bin", "--wait", "20s")

	sealed := func(by *rogue, g domain.Grant) []byte {
		signed, err := grant.Seal(by.key(), g)
		if err != nil {
			s.Fatal(err)
		}
		return signed
	}
	good := func(holder domain.PeerID) domain.Grant {
		return domain.Grant{Content: b.sum.ID, Size: b.Size(), Holder: holder, Expires: time.Now().Add(grant.Life)}
	}
	ben := newRogue(s.T, "Ben")
	tests := []struct {
		why    string
		show   func(mallory *rogue) []byte
		opens  bool
		blamed bool // the others may be a misunderstanding between honest ones
	}{
		{"no grant at all", func(*rogue) []byte { return nil }, false, false},
		{"her own", func(m *rogue) []byte { return sealed(olga, good(m.ID())) }, true, false},
		{"one of Ben", func(*rogue) []byte { return sealed(olga, good(ben.ID())) }, false, true},
		{"one that ended", func(m *rogue) []byte {
			g := good(m.ID())
			g.Expires = time.Now().Add(-time.Minute)
			return sealed(olga, g)
		}, false, true},
		{"one for a day", func(m *rogue) []byte {
			g := good(m.ID())
			g.Expires = time.Now().Add(24 * time.Hour)
			return sealed(olga, g)
		}, false, true},
		{"one until the last day there is", func(m *rogue) []byte {
			g := good(m.ID())
			g.Expires = time.UnixMilli(math.MaxInt64)
			return sealed(olga, g)
		}, false, true},
		{"one from before all time", func(m *rogue) []byte {
			g := good(m.ID())
			g.Expires = time.UnixMilli(math.MinInt64)
			return sealed(olga, g)
		}, false, true},
		{"one with a bit changed", func(m *rogue) []byte {
			signed := sealed(olga, good(m.ID()))
			signed[len(signed)-1] ^= 1
			return signed
		}, false, true},
		{"garbage", func(*rogue) []byte { return []byte("garbage") }, false, true},
		{"one signed by themselves", func(m *rogue) []byte { return sealed(m, good(m.ID())) }, false, false},
		{"one for another content", func(m *rogue) []byte {
			g := good(m.ID())
			g.Content = other.sum.ID
			return sealed(olga, g)
		}, false, false},
		{"one for another size", func(m *rogue) []byte {
			g := good(m.ID())
			g.Size++
			return sealed(olga, g)
		}, false, false},
	}
	for _, tt := range tests {
		r := newRogue(s.T, "Mallory")
		r.meets(s.ana)
		absent := r.shows(s.ana, tt.show(r), domain.ContentID{1}, b.sum.ID)
		answer := r.shows(s.ana, tt.show(r), b.sum.ID, b.sum.ID)
		if opens := answer.Status == wire.OK; opens != tt.opens {
			s.Errorf("with %s the answer is %v", tt.why, answer)
		}
		if answer != absent && !tt.opens {
			s.Errorf("with %s the answer %+v differs from what is not there: %+v", tt.why, answer, absent)
		}
		if tt.blamed {
			s.awaitNamed(r.ID(), tt.why)
			s.blame(r.ID())
		}
		_ = r.Close() // the next one comes
	}
	return fmt.Sprintf("%d grants", len(tests)-1), "only the true one opens; with the others private is like absent"
}

// shows shows a grant for granted, then asks for the first piece of a content,
// and returns the answer.
func (r *rogue) shows(v *victim, signed []byte, asked, granted domain.ContentID) wire.Header {
	r.t.Helper()
	stream, err := r.Open(r.t.Context(), v.id, wire.Protocol)
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = stream.Reset() }() // all was said
	if err := stream.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		r.t.Fatal(err)
	}
	w := wire.NewWriter(stream)
	if signed != nil {
		if err := w.Write(wire.Header{Kind: wire.Grant, Content: granted}, signed); err != nil {
			r.t.Fatal(err)
		}
	}
	if err := w.Write(wire.Header{Kind: wire.Request, Request: 1, What: wire.Piece, Content: asked, Length: domain.PieceSize}, nil); err != nil {
		r.t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		r.t.Fatal(err)
	}
	for in := wire.NewReader(stream); ; {
		h, err := in.Next()
		if err != nil {
			r.t.Fatal(err)
		}
		if h.Kind == wire.Response {
			return h
		}
	}
}
