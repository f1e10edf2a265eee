package picker

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/domain"
)

// model is the same bookkeeping as a Picker's, as plainly as can be.
type model struct {
	pieces    int
	order     Order
	want      []bool
	providers map[domain.PeerID]*modelProvider
	claims    []modelClaim
	begins    bool
}

type modelProvider struct {
	whole        bool
	have, coming []bool
	opens        int
}

type modelClaim struct {
	id             domain.PeerID
	piece          int
	begun, arrived bool
}

func (m *model) has(id domain.PeerID, piece int) bool {
	v := m.providers[id]
	return v != nil && piece >= 0 && piece < m.pieces && (v.whole || v.have[piece])
}

// state is what follows of a model, per piece.
type state struct {
	claims []int
	free   []bool
	count  []int // partial providers that have it or are receiving it
}

func (m *model) state() state {
	s := state{claims: make([]int, m.pieces), free: slices.Clone(m.want), count: make([]int, m.pieces)}
	for _, c := range m.claims {
		s.claims[c.piece]++
		s.free[c.piece] = false
	}
	for _, v := range m.providers {
		for i := range m.pieces {
			if !v.whole && (v.have[i] || v.coming[i]) {
				s.count[i]++
			}
		}
	}
	return s
}

func (m *model) opens() (n int) {
	for _, v := range m.providers {
		n += v.opens
	}
	return n
}

// candidates are the pieces for an open claim.
func (m *model) candidates() (list []int) {
	s := m.state()
	for i, free := range s.free {
		if free && s.count[i] == 0 {
			list = append(list, i)
		}
	}
	return list
}

func (m *model) provider(id domain.PeerID) *modelProvider {
	v := m.providers[id]
	if v == nil {
		v = &modelProvider{have: make([]bool, m.pieces), coming: make([]bool, m.pieces)}
		m.providers[id] = v
	}
	return v
}

// schedule is one random run of a Picker beside its model.
type schedule struct {
	m   *model
	p   *Picker
	rnd *rand.Rand
	now time.Time
	log []string
}

func newSchedule(seed uint64) *schedule {
	rnd := rand.New(rand.NewPCG(seed, 2))
	pieces := 1 + rnd.IntN(60)
	m := &model{pieces: pieces, want: make([]bool, pieces), providers: make(map[domain.PeerID]*modelProvider)}
	var missing []int
	for i := range pieces {
		if rnd.IntN(8) > 0 {
			m.want[i] = true
			missing = append(missing, i)
		}
	}
	return &schedule{m: m, p: New(pieces, missing, Options{Seed: seed}), rnd: rnd, now: time.Unix(0, 0)}
}

func (s *schedule) someone() domain.PeerID { return domain.PeerID(fmt.Sprint("p", s.rnd.IntN(6))) }

// somePiece is any piece, or one that was asked for, or none at all.
func (s *schedule) somePiece() int {
	if len(s.m.claims) > 0 && s.rnd.IntN(2) == 0 {
		return s.m.claims[s.rnd.IntN(len(s.m.claims))].piece
	}
	return s.rnd.IntN(s.m.pieces+2) - 1
}

// someClaim is one of the claims, or nonsense.
func (s *schedule) someClaim() (domain.PeerID, int) {
	if len(s.m.claims) > 0 && s.rnd.IntN(8) > 0 {
		c := s.m.claims[s.rnd.IntN(len(s.m.claims))]
		return c.id, c.piece
	}
	return s.someone(), s.somePiece()
}

func (s *schedule) note(format string, args ...any) {
	s.log = append(s.log, fmt.Sprintf(format, args...))
}

// step makes one random call of both and returns what differs.
func (s *schedule) step() string {
	s.now = s.now.Add(time.Duration(s.rnd.IntN(200)) * time.Millisecond)
	switch n := s.rnd.IntN(100); {
	case n < 12:
		return s.know()
	case n < 40:
		return s.next(s.someone())
	case n < 55:
		return s.open()
	case n < 65:
		return s.chosen()
	case n < 68:
		id := s.someone()
		s.p.OpenFailed(id)
		if v := s.m.providers[id]; v != nil && v.opens > 0 {
			v.opens--
		}
	case n < 74:
		return s.began()
	case n < 84:
		id, piece := s.someClaim()
		s.arrive(id, piece)
	case n < 92:
		_, piece := s.someClaim()
		return s.done(piece)
	case n < 98:
		id, piece := s.someClaim()
		s.fail(id, piece)
	default:
		s.m.order = Order(s.rnd.IntN(2))
		s.p.SetOrder(s.m.order)
	}
	return ""
}

// know changes what is known of a provider.
func (s *schedule) know() string {
	id, piece := s.someone(), s.somePiece()
	valid := piece >= 0 && piece < s.m.pieces
	v := s.m.providers[id]
	switch s.rnd.IntN(8) {
	case 0:
		s.p.Whole(id)
		v = s.m.provider(id)
		v.whole = true
		clear(v.coming)
	case 1, 2:
		bitmap := make([]byte, s.rnd.IntN((s.m.pieces+7)/8+2))
		for i := range bitmap {
			bitmap[i] = byte(s.rnd.Uint32() & (s.rnd.Uint32() >> 8))
		}
		s.p.Partial(id, bitmap)
		v = s.m.provider(id)
		v.whole = false
		for i := range v.have {
			v.have[i] = i/8 < len(bitmap) && bitmap[i/8]&(1<<(i%8)) != 0
			v.coming[i] = v.coming[i] && !v.have[i]
		}
	case 3, 4:
		s.p.Has(id, piece)
		if v != nil && !v.whole && valid {
			v.have[piece], v.coming[piece] = true, false
		}
	case 5:
		s.p.Coming(id, piece)
		if v != nil && !v.whole && valid && !v.have[piece] {
			v.coming[piece] = true
		}
	case 6:
		s.p.Lacks(id, piece)
		if v != nil && valid {
			if v.whole {
				v.whole = false
				copy(v.have, trues(s.m.pieces))
			}
			v.have[piece], v.coming[piece] = false, false
		}
	case 7:
		if s.rnd.IntN(3) == 0 {
			s.p.Gone(id)
			delete(s.m.providers, id)
			s.m.claims = slices.DeleteFunc(s.m.claims, func(c modelClaim) bool { return c.id == id })
		}
	}
	return ""
}

// next has the Picker pick, and checks that it may.
func (s *schedule) next(id domain.PeerID) string {
	m := s.m
	piece, ok := s.p.Next(id, s.now)
	s.note("%s:%d,%v", id, piece, ok)
	v, is := m.providers[id], m.state()
	if !ok {
		if v == nil || m.opens() > 0 || v.whole && m.order == Rarest && len(m.candidates()) == 0 {
			return ""
		}
		for i := range m.pieces {
			if m.has(id, i) && is.free[i] {
				return fmt.Sprintf("nothing for %s, though it has piece %d, which is free", id, i)
			}
		}
		return ""
	}
	if !m.has(id, piece) {
		return fmt.Sprintf("%s was asked for piece %d, which it lacks", id, piece)
	}
	copies := is.claims[piece]
	switch {
	case !m.want[piece]:
		return fmt.Sprintf("piece %d was asked for, which is done", piece)
	case copies >= maxCopies:
		return fmt.Sprintf("piece %d was asked for %d times at once", piece, copies+1)
	case slices.ContainsFunc(m.claims, func(c modelClaim) bool { return c.id == id && c.piece == piece }):
		return fmt.Sprintf("%s was asked twice for piece %d", id, piece)
	case copies > 0 && slices.ContainsFunc(m.claims, func(c modelClaim) bool { return c.piece == piece && c.arrived }):
		return fmt.Sprintf("piece %d was asked for, which has arrived", piece)
	}
	for i := range m.pieces {
		if !m.has(id, i) || !is.free[i] || is.count[i] == 0 && m.opens() > 0 {
			continue
		}
		switch {
		case copies > 0 && (!v.whole || m.order == Sequential || is.count[i] == 0):
			return fmt.Sprintf("piece %d was asked for again, though %d is free", piece, i)
		case copies == 0 && m.order == Sequential && i < piece:
			return fmt.Sprintf("piece %d was asked for before piece %d", piece, i)
		case copies == 0 && m.order == Rarest && min(is.count[i], levels-1) < min(is.count[piece], levels-1):
			return fmt.Sprintf("piece %d was asked for before piece %d, which is rarer", piece, i)
		}
	}
	m.claims = append(m.claims, modelClaim{id: id, piece: piece})
	return ""
}

func (s *schedule) open() string {
	id := s.someone()
	first, set, ok := s.p.Open(id, s.now)
	s.note("%s?%d,%x,%v", id, first, set, ok)
	candidates := s.m.candidates()
	v := s.m.providers[id]
	if want := v != nil && v.whole && len(candidates) > s.m.opens(); ok != want {
		return fmt.Sprintf("open claim of %s with %d pieces and %d open: %v", id, len(candidates), s.m.opens(), ok)
	}
	if !ok {
		return ""
	}
	v.opens++
	if got := members(first, set); !slices.Equal(got, candidates) || first%8 != 0 {
		return fmt.Sprintf("%s may choose from %v, beginning at %d, want %v", id, got, first, candidates)
	}
	return ""
}

// members lists the pieces of a set.
func members(first int, set []byte) (list []int) {
	for i := range len(set) * 8 {
		if set[i/8]&(1<<(i%8)) != 0 {
			list = append(list, first+i)
		}
	}
	return list
}

func (s *schedule) chosen() string {
	m, id, piece := s.m, s.someone(), s.somePiece()
	fresh := s.p.Chosen(id, piece, s.now)
	v := m.providers[id]
	want := false
	if v != nil && v.opens > 0 {
		v.opens--
		if piece >= 0 && piece < m.pieces {
			taken := slices.ContainsFunc(m.claims, func(c modelClaim) bool { return c.piece == piece && (c.begun || !m.begins) })
			want = m.want[piece] && !taken
			m.claims = append(m.claims, modelClaim{id: id, piece: piece})
		}
	}
	if fresh != want {
		return fmt.Sprintf("piece %d that %s chose is fresh: %v, want %v", piece, id, fresh, want)
	}
	return ""
}

func (s *schedule) began() string {
	m := s.m
	id, piece := s.someClaim()
	got := s.p.Began(id, piece)
	i := slices.IndexFunc(m.claims, func(c modelClaim) bool { return c.id == id && c.piece == piece && !c.begun })
	var want []domain.PeerID
	if i >= 0 {
		m.claims[i].begun = true
		m.begins = true
		m.claims = slices.DeleteFunc(m.claims, func(c modelClaim) bool {
			drop := c.piece == piece && c.id != id && !c.begun
			if drop {
				want = append(want, c.id)
			}
			return drop
		})
	}
	if !slices.Equal(got, want) {
		return fmt.Sprintf("after %s began with piece %d, not needed: %v, want %v", id, piece, got, want)
	}
	return ""
}

func (s *schedule) arrive(id domain.PeerID, piece int) {
	s.p.Arrived(id, piece, s.now)
	i := slices.IndexFunc(s.m.claims, func(c modelClaim) bool { return c.id == id && c.piece == piece && !c.arrived })
	if i >= 0 {
		s.m.claims[i].begun, s.m.claims[i].arrived = true, true
	}
}

func (s *schedule) done(piece int) string {
	m := s.m
	got := s.p.Done(piece)
	if piece < 0 || piece >= m.pieces {
		return ""
	}
	m.want[piece] = false
	var want []domain.PeerID
	m.claims = slices.DeleteFunc(m.claims, func(c modelClaim) bool {
		if c.piece == piece && !c.arrived {
			want = append(want, c.id)
		}
		return c.piece == piece
	})
	if !slices.Equal(got, want) {
		return fmt.Sprintf("piece %d is done, not needed: %v, want %v", piece, got, want)
	}
	return ""
}

func (s *schedule) fail(id domain.PeerID, piece int) {
	s.p.Failed(id, piece)
	which := -1
	for i, c := range s.m.claims {
		if c.id == id && c.piece == piece && (which < 0 || !s.m.claims[which].arrived) {
			which = i
		}
	}
	if which >= 0 {
		s.m.claims = slices.Delete(s.m.claims, which, which+1)
	}
}

// compare looks at everything that the Picker knows.
func (s *schedule) compare() string {
	m, p, is := s.m, s.p, s.m.state()
	left := 0
	for i := range m.pieces {
		if m.want[i] {
			left++
		}
		level := min(is.count[i], levels-1)
		for l, set := range p.rare {
			if got := set != nil && set.has(i); got != (is.free[i] && l == level) {
				return fmt.Sprintf("piece %d is at level %d: %v; free %v, level %d", i, l, got, is.free[i], level)
			}
		}
		n := 0
		if a := p.asked[i]; a != nil {
			n = len(a.claims)
		}
		if p.free.has(i) != is.free[i] || p.want.has(i) != m.want[i] || n != is.claims[i] {
			return fmt.Sprintf("piece %d: free %v, missing %v, claims %d, want %v, %v, %d",
				i, p.free.has(i), p.want.has(i), n, is.free[i], m.want[i], is.claims[i])
		}
	}
	if p.Left() != left || len(p.asked) != len(p.queue) || p.opens != m.opens() {
		return fmt.Sprintf("%d left, want %d; %d and %d asked for; %d open claims, want %d",
			p.Left(), left, len(p.asked), len(p.queue), p.opens, m.opens())
	}
	for id, v := range m.providers {
		wanted, usable := 0, 0
		for i := range m.pieces {
			if m.has(id, i) && m.want[i] {
				wanted++
			}
			if m.has(id, i) && is.free[i] {
				usable++
			}
		}
		got := p.providers[id]
		if p.Wants(id) != (wanted > 0) || !v.whole && (got.wanted != wanted || got.usable != usable) || len(got.opens) != v.opens {
			return fmt.Sprintf("%s: wanted %v %d, usable %d, open %d, want %d, %d, %d", id, p.Wants(id), got.wanted, got.usable, len(got.opens), wanted, usable, v.opens)
		}
	}
	return ""
}

// finish lets some leave and the others stall for ever, but for one that is honest, and reports
// pieces that do not come.
func (s *schedule) finish() string {
	const id = "honest"
	s.p.Whole(id)
	s.m.provider(id).whole = true
	for i := range 3 {
		gone := domain.PeerID(fmt.Sprint("p", i))
		s.p.Gone(gone)
		delete(s.m.providers, gone)
		s.m.claims = slices.DeleteFunc(s.m.claims, func(c modelClaim) bool { return c.id == gone })
	}
	for _, c := range slices.Clone(s.m.claims) {
		if c.arrived {
			s.fail(c.id, c.piece) // what has come is always looked at
		}
	}
	for range 40 * s.m.pieces {
		if s.p.Left() == 0 {
			return ""
		}
		s.now = s.now.Add(500 * time.Millisecond)
		if msg := s.next(id); msg != "" {
			return msg
		}
		for _, c := range slices.Clone(s.m.claims) {
			if c.id == id && s.rnd.IntN(2) == 0 {
				s.arrive(id, c.piece)
				if msg := s.done(c.piece); msg != "" {
					return msg
				}
			}
		}
	}
	return fmt.Sprintf("%d of %d pieces left for ever", s.p.Left(), s.m.pieces)
}

// TestRandomCalls makes random calls, sensible ones and others, and compares
// the Picker with its model.
func TestRandomCalls(t *testing.T) {
	t.Parallel()
	const schedules, steps = 1000, 200
	for seed := *seedFlag; seed < *seedFlag+schedules; seed++ {
		if msg := randomCalls(seed, steps); msg != "" {
			t.Fatalf("%s (again with -seed %d)", msg, seed)
		}
	}
}

func randomCalls(seed uint64, steps int) string {
	s := newSchedule(seed)
	for i := range steps {
		if msg := s.step(); msg != "" {
			return fmt.Sprintf("step %d: %s", i, msg)
		}
		if i%16 > 0 {
			continue
		}
		if msg := s.compare(); msg != "" {
			return fmt.Sprintf("step %d: %s", i, msg)
		}
	}
	if msg := s.compare(); msg != "" {
		return msg
	}
	return s.finish()
}

func TestSameSeedSameAnswers(t *testing.T) {
	t.Parallel()
	for seed := *seedFlag; seed < *seedFlag+50; seed++ {
		a, b := newSchedule(seed), newSchedule(seed)
		for range 300 {
			a.step()
			b.step()
		}
		if !slices.Equal(a.log, b.log) {
			t.Fatalf("two runs differ (again with -seed %d)", seed)
		}
	}
}
