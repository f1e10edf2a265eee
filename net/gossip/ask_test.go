package gossip

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	"google.golang.org/protobuf/proto"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/gossip/pb"
)

// asked lets a node ask and returns what it was told, as "name: answer".
func asked(t *testing.T, n *node, within time.Duration, names map[domain.PeerID]string, words ...string) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	var all []string
	if err := n.gossip.Ask(ctx, words, func(from domain.PeerID, found []byte) {
		all = append(all, names[from]+": "+string(found))
	}); err != nil {
		t.Fatal(err)
	}
	slices.Sort(all)
	return all
}

// has answers questions for one word.
func (n *node) has(word, with string) {
	n.answer = func(_ context.Context, _ domain.PeerID, words []string) []byte {
		if len(words) == 1 && words[0] == word {
			return []byte(with)
		}
		return nil
	}
}

// TestAskReachesWhoIsNotConnected has a question go through a peer in between,
// and the answers back the same way.
func TestAskReachesWhoIsNotConnected(t *testing.T) {
	t.Parallel()
	a, b, c, d := newNode(t), newNode(t), newNode(t), newNode(t)
	names := map[domain.PeerID]string{a.id(): "a", b.id(): "b", c.id(): "c", d.id(): "d"}
	b.has("jazz", "one")
	c.has("jazz", "two")
	d.has("rock", "three")
	for _, n := range []*node{a, b, c, d} {
		n.start(quick())
	}
	connect(t, a, b)
	connect(t, b, c)
	connect(t, c, d)
	for _, two := range [][2]*node{{a, b}, {b, c}, {c, d}} {
		meshed(t, two[0], two[1])
	}
	if got := asked(t, a, 2*time.Second, names, "JAZZ"); !slices.Equal(got, []string{"b: one", "c: two"}) {
		t.Errorf("asked for jazz: %q", got)
	}
	if got := asked(t, a, 2*time.Second, names, "rock"); !slices.Equal(got, []string{"d: three"}) {
		t.Errorf("asked for rock: %q", got)
	}
	if len(a.Network().Peers()) != 1 || len(d.Network().Peers()) != 1 {
		t.Error("somebody connected to answer")
	}

	// Whoever hides asks nothing, answers nothing and passes nothing on; nor is
	// anything asked or told where somebody is not to see what everyone sees.
	a.hidden.Store(true)
	if got := asked(t, a, 300*time.Millisecond, names, "rock"); len(got) > 0 {
		t.Errorf("while a hides it is told %q", got)
	}
	a.hidden.Store(false)
	b.hidden.Store(true)
	if got := asked(t, a, time.Second, names, "jazz"); len(got) > 0 {
		t.Errorf("b hides, and a is told %q", got)
	}
	b.hidden.Store(false)
	b.reserved.Store(true)
	if got := asked(t, a, 2*time.Second, names, "jazz"); !slices.Equal(got, []string{"c: two"}) {
		t.Errorf("b has a reserved network, and a is told %q", got)
	}
}

// TestQuestionsAreBounded asks more than anybody may, and answers what nobody
// asked.
func TestQuestionsAreBounded(t *testing.T) {
	t.Parallel()
	a, b := newNode(t), newNode(t)
	b.has("jazz", "one")
	var mu sync.Mutex
	looked := 0
	first := b.answer
	b.answer = func(ctx context.Context, asker domain.PeerID, words []string) []byte {
		mu.Lock()
		looked++
		mu.Unlock()
		return first(ctx, asker, words)
	}
	a.start(quick())
	b.start(quick())
	connect(t, a, b)
	meshed(t, a, b)

	// Our own restraint comes first.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := a.gossip.Ask(ctx, []string{""}, nil)
	if !errors.Is(err, domain.ErrMalformed) {
		t.Errorf("asked for nothing: %v", err)
	}
	for range 2 * askBurst {
		err = errors.Join(err, a.gossip.Ask(ctx, []string{"jazz"}, func(domain.PeerID, []byte) { t.Error("told after the end") }))
	}
	if !errors.Is(err, domain.ErrBusy) {
		t.Errorf("so many questions: %v", err)
	}

	// Another Potluck may have none.
	key := a.Peerstore().PrivKey(a.ID())
	passed := 0
	for i := range 100 {
		q := &question{asker: a.id(), id: questionID{1, byte(i)}, words: []string{"jazz"}}
		signed, err := sign(key, q)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second time it is known
			if b.gossip.judgeQuestion(a.id(), signed) == pubsub.ValidationAccept {
				passed++
			}
		}
	}
	if passed == 0 || passed > 2*askedBurst {
		t.Errorf("of 100 questions %d were passed on", passed)
	}
	time.Sleep(2 * spread)
	mu.Lock()
	if looked == 0 || looked > 2*askedBurst {
		t.Errorf("of 100 questions %d were looked into", looked)
	}
	mu.Unlock()

	// Nobody asked.
	signed, err := sign(b.Peerstore().PrivKey(b.ID()), &answer{from: b.id(), question: questionID{9}, found: []byte("x")})
	if err != nil {
		t.Fatal(err)
	}
	before := a.gossip.questions.open.Len()
	a.gossip.pass(&answer{from: b.id(), question: questionID{9}, found: []byte("x")}, signed)
	if a.gossip.questions.open.Len() != before {
		t.Error("an answer to nothing is kept in mind")
	}
}

// TestOneQuestionHasSoManyAnswers floods a question with answers, each of
// another peer.
func TestOneQuestionHasSoManyAnswers(t *testing.T) {
	t.Parallel()
	a, b := newNode(t), newNode(t)
	a.start(quick())
	b.start(quick())
	connect(t, a, b)
	id := questionID{7}
	told := 0
	enough, end := a.gossip.questions.begin(id, func(domain.PeerID, []byte) { told++ })
	for range 2 { // everybody twice
		for i := range 3 * mostAnswers {
			a.gossip.pass(&answer{from: domain.PeerID(fmt.Sprint(i)), question: id, found: []byte("x")}, nil)
		}
	}
	if told != mostAnswers {
		t.Errorf("told %d answers, want %d", told, mostAnswers)
	}
	select {
	case <-enough:
	default:
		t.Error("that was not enough")
	}
	end()

	// The way back holds no more, and forged ones are not taken.
	if !a.gossip.questions.note(questionID{8}, b.id()) || a.gossip.questions.note(questionID{8}, b.id()) {
		t.Error("a question is new once")
	}
	o, _ := a.gossip.questions.open.Peek(questionID{8})
	for i := range 3 * mostAnswers {
		a.gossip.pass(&answer{from: domain.PeerID(fmt.Sprint(i)), question: questionID{8}, found: []byte("x")}, []byte("signed"))
	}
	a.gossip.questions.mu.Lock()
	if len(o.waiting) > mostAnswers {
		t.Errorf("%d answers wait to be passed back", len(o.waiting))
	}
	a.gossip.questions.mu.Unlock()

	stranger, strangerID := newKey(t)
	signed, err := sign(stranger, &answer{from: strangerID, question: id, found: []byte("x")})
	if err != nil {
		t.Fatal(err)
	}
	signed[len(signed)-1] ^= 1
	if err := openSigned(signed, maxAnswer, &answer{}); !errors.Is(err, domain.ErrMalformed) {
		t.Errorf("a forged answer: %v", err)
	}
}

func TestQuestionAndAnswerKeepTheirForm(t *testing.T) {
	t.Parallel()
	key, id := newKey(t)
	for name, words := range map[string][]string{
		"none": nil, "an empty one": {""}, "a long one": {strings.Repeat("x", maxWord+1)},
		"many": slices.Repeat([]string{"x"}, maxWords+1), "no text": {"\xff"},
	} {
		if _, err := (&question{asker: id, words: words}).MarshalRecord(); !errors.Is(err, domain.ErrMalformed) {
			t.Errorf("words that are %s: %v", name, err)
		}
	}
	want := &question{asker: id, id: questionID{1, 2}, words: []string{"jazz", "ogg"}}
	signed, err := sign(key, want)
	if err != nil {
		t.Fatal(err)
	}
	got := &question{}
	if err := openSigned(signed, maxQuestion, got); err != nil || got.asker != id || got.id != want.id || !slices.Equal(got.words, want.words) {
		t.Errorf("%+v came back as %+v, %v", want, got, err)
	}
	if err := openSigned(signed, maxAnswer, &answer{}); !errors.Is(err, domain.ErrMalformed) {
		t.Errorf("a question for an answer: %v", err)
	}
	if _, err := (&answer{from: id, found: make([]byte, MaxFound+1)}).MarshalRecord(); !errors.Is(err, domain.ErrTooLarge) {
		t.Errorf("a long answer: %v", err)
	}
	if signed, err = sign(key, &answer{from: id, found: make([]byte, MaxFound)}); err != nil || len(signed) > maxAnswer {
		t.Errorf("the longest answer takes %d bytes, %v", len(signed), err)
	}
	raw, err := proto.Marshal(&pb.Answers{Signed: slices.Repeat([][]byte{nil}, mostAnswers+1)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := decodeAnswers(raw); !errors.Is(err, domain.ErrTooLarge) {
		t.Errorf("too many answers: %v", err)
	}
}

// FuzzQuestion looks at what comes after a signature.
func FuzzQuestion(f *testing.F) {
	_, id := fixedKey(f)
	for _, rec := range []signedRecord{
		&question{asker: id, id: questionID{1}, words: []string{"jazz"}}, &answer{from: id, question: questionID{1}, found: []byte("x")},
	} {
		payload, err := rec.MarshalRecord()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(payload)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := decodeAnswers(data); err != nil && !errors.Is(err, domain.ErrMalformed) && !errors.Is(err, domain.ErrTooLarge) {
			t.Errorf("an error of no kind: %v", err)
		}
		for _, rec := range []signedRecord{&question{}, &answer{}} {
			if rec.UnmarshalRecord(data) != nil {
				continue
			}
			if _, err := rec.MarshalRecord(); err != nil {
				t.Errorf("what was read cannot be written: %v", err)
			}
		}
	})
}
