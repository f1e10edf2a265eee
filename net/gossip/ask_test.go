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
	"github.com/libp2p/go-libp2p/core/crypto"
	"google.golang.org/protobuf/proto"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/gossip/pb"
	"github.com/potluck-share/potluck/net/host/talk"
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
	if err := a.gossip.Ask(t.Context(), []string{""}, nil); !errors.Is(err, domain.ErrMalformed) {
		t.Errorf("asked for nothing: %v", err)
	}
	var err error
	for range 2 * askBurst {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		err = errors.Join(err, a.gossip.Ask(ctx, []string{"jazz"}, func(domain.PeerID, []byte) {}))
		cancel()
	}
	if !errors.Is(err, domain.ErrBusy) {
		t.Errorf("so many questions: %v", err)
	}

	// Another Potluck may have none.
	key, id := newKey(t)
	passed := 0
	for i := range 100 {
		if b.judges(t, a, key, &question{asker: id, id: questionID{1, byte(i)}, words: []string{"jazz"}}) {
			passed++
		}
	}
	if passed == 0 || passed > 2*askedBurst {
		t.Errorf("of 100 questions of one peer %d were passed on", passed)
	}
	time.Sleep(2 * spread)
	mu.Lock()
	if looked == 0 || looked > 4*askedBurst {
		t.Errorf("of 100 questions %d were looked into", looked)
	}
	mu.Unlock()

	// Under many names no more comes through one peer than one may pass on.
	passed = 0
	for range 2 * passedBurst {
		key, id := newKey(t)
		if b.judges(t, a, key, &question{asker: id, words: []string{"rock"}}) {
			passed++
		}
	}
	if passed < passedBurst/2 || passed > passedBurst*3/2 {
		t.Errorf("of %d questions of as many peers %d were passed on", 2*passedBurst, passed)
	}
}

// judges reports whether a question that another node passes on goes on here.
func (n *node) judges(t *testing.T, from *node, key crypto.PrivKey, q *question, more ...byte) bool {
	t.Helper()
	signed, err := sign(key, q)
	if err != nil {
		t.Fatal(err)
	}
	return n.gossip.judgeQuestion(from.id(), append(signed, more...)) == pubsub.ValidationAccept
}

// TestNobodyStandsInAnothersWay has somebody hear a question, and try to keep it
// and those that follow from being answered.
func TestNobodyStandsInAnothersWay(t *testing.T) {
	t.Parallel()
	a, b := newNode(t), newNode(t)
	b.start(quick())
	ana, anaID := newKey(t)
	mallory, malloryID := newKey(t)
	first := &question{asker: anaID, id: questionID{1}, words: []string{"jazz"}}
	if !b.judges(t, a, mallory, &question{asker: malloryID, id: first.id, words: []string{"jazz"}}) {
		t.Error("Mallory's own question does not pass")
	}
	if !b.judges(t, a, ana, first) {
		t.Error("a question whose ID another one has does not pass")
	}
	for i := range 4 * askedBurst { // an envelope holds with more fields in it, too
		if b.judges(t, a, ana, first, 0x78, byte(i)) {
			t.Error("the same question passes twice")
		}
	}
	if !b.judges(t, a, ana, &question{asker: anaID, id: questionID{2}, words: []string{"rock"}}) {
		t.Error("after much of the same the next question does not pass")
	}

	// Nor with what she announces.
	head := func(sequence uint64, more ...byte) pubsub.ValidationResult {
		signed, err := Seal(ana, domain.Head{Peer: anaID, Version: domain.Version{Epoch: 1, Sequence: sequence}, Time: time.UnixMilli(1.7e12)})
		if err != nil {
			t.Fatal(err)
		}
		return b.gossip.judgeHead(a.id(), append(signed, more...))
	}
	if head(1) != pubsub.ValidationAccept {
		t.Error("a head does not pass")
	}
	for i := range 4 * authorBurst {
		if head(1, 0x78, byte(i)) == pubsub.ValidationAccept {
			t.Error("the same head passes twice")
		}
	}
	if head(2) != pubsub.ValidationAccept {
		t.Error("after much of the same the next head does not pass")
	}
}

// TestOnlyTrueAnswersAreTaken passes answers back over a stream: to no question,
// forged, and true.
func TestOnlyTrueAnswersAreTaken(t *testing.T) {
	t.Parallel()
	a, b := newNode(t), newNode(t)
	a.start(quick())
	b.start(quick())
	connect(t, a, b)
	key, id := newKey(t)
	told := make(chan domain.PeerID, 10)
	_, end := a.gossip.questions.begin(questionKey{7}, func(from domain.PeerID, _ []byte) { told <- from })
	defer end()
	pass := func(question questionKey, spoil bool) {
		t.Helper()
		signed, err := sign(key, &answer{from: id, question: question, found: []byte("x")})
		if err != nil {
			t.Fatal(err)
		}
		if spoil {
			signed[len(signed)-1] ^= 1
		}
		s, _, done, err := b.gossip.open(t.Context(), a.id(), answersProtocol)
		if err != nil {
			t.Fatal(err)
		}
		err = talk.Write(s, &pb.Answers{Signed: [][]byte{signed}})
		done(&err)
	}
	pass(questionKey{8}, false)
	pass(questionKey{7}, true)
	select {
	case <-told:
		t.Error("a forged answer, or one to no question, is taken")
	case <-time.After(500 * time.Millisecond):
	}
	if !a.gossip.questions.awaits(questionKey{7}, id) || a.gossip.questions.awaits(questionKey{8}, id) {
		t.Error("what was not taken is kept in mind")
	}
	pass(questionKey{7}, false)
	select {
	case from := <-told:
		if from != id {
			t.Errorf("the answer is of %s", from)
		}
	case <-time.After(5 * time.Second):
		t.Error("a true answer is not taken")
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
	id := questionKey{7}
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

	// The way back holds no more.
	if !a.gossip.questions.note(questionKey{8}, b.id()) || a.gossip.questions.note(questionKey{8}, b.id()) {
		t.Error("a question is new once")
	}
	o, _ := a.gossip.questions.open.Peek(questionKey{8})
	for i := range 3 * mostAnswers {
		a.gossip.pass(&answer{from: domain.PeerID(fmt.Sprint(i)), question: questionKey{8}, found: []byte("x")}, []byte("signed"))
	}
	a.gossip.questions.mu.Lock()
	if len(o.waiting) > mostAnswers {
		t.Errorf("%d answers wait to be passed back", len(o.waiting))
	}
	a.gossip.questions.mu.Unlock()
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
		&question{asker: id, id: questionID{1}, words: []string{"jazz"}}, &answer{from: id, question: questionKey{1}, found: []byte("x")},
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
