package gossip

import (
	"context"
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	pubsub "github.com/libp2p/go-libp2p-pubsub"
	"github.com/libp2p/go-libp2p/core/network"
	"golang.org/x/time/rate"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/gossip/pb"
	"github.com/potluck-share/potluck/net/host/talk"
)

// answersProtocol is the name under which answers go back.
const answersProtocol = "/potluck/answers/1"

const (
	// openFor is how long answers to a question are passed back, and collect how
	// long the one who asks takes them.
	openFor = 5 * time.Second
	collect = 1500 * time.Millisecond
	// mostAnswers is how many of them one peer takes, or passes back.
	mostAnswers = 64
	// mostOpen is of how many questions the way back is kept. Questions that are
	// over stay as long as there is room, so that none is answered twice.
	mostOpen = 4096
	// gather is how long answers are collected to be passed back together, and
	// spread within which time those who know one answer by themselves.
	gather = 80 * time.Millisecond
	spread = 250 * time.Millisecond
	// lookTime is how long looking for an answer may take, and lookRest how many
	// times as long no other is looked for: questions cost a fourth of one core
	// at most. lookWait is how long one waits for its turn.
	lookTime = 250 * time.Millisecond
	lookRest = 3
	lookWait = time.Second
	// passTime is how long passing answers back may take.
	passTime = 3 * time.Second
	// maxPassed is how many bytes of answers are passed back at once.
	maxPassed = mostAnswers * (maxAnswer + 8)
)

// How much there may be per second, with such a burst: questions of our own;
// those of one other, which are more; those that one peer passes on, for many;
// all together, which is less than what their ways back have room for and what
// neighbours take; and streams of answers by one peer.
const (
	askRate      rate.Limit = 0.5
	askBurst                = 4
	askedRate    rate.Limit = 1
	askedBurst              = 8
	passedRate   rate.Limit = 20
	passedBurst             = 200
	allRate      rate.Limit = 50
	allBurst                = 500
	answersRate  rate.Limit = 40
	answersBurst            = 400
)

// passedAtOnce is to how many peers answers are passed back at the same time.
const passedAtOnce = 8

// openQuestion is a question to which answers may come.
type openQuestion struct {
	until    time.Time
	answered map[domain.PeerID]bool
	// take is told the answers to one of our own; others are passed to the peer
	// that passed the question to us, several together.
	take    func(from domain.PeerID, found []byte)
	back    domain.PeerID
	waiting [][]byte
}

// questions are those that were asked of late. It is safe for concurrent use.
type questions struct {
	own       *rate.Limiter // what we ask
	all       *rate.Limiter // what others ask
	askers    *talk.Rates   // each of them
	passers   *talk.Rates   // who passes questions to us
	answerers *talk.Rates   // who passes answers to us
	turn      chan struct{} // to look for an answer
	places    chan struct{} // to pass answers back

	mu   sync.Mutex
	mine map[questionKey]*openQuestion
	open *simplelru.LRU[questionKey, *openQuestion] // of others
}

func newQuestions() *questions {
	open, err := simplelru.NewLRU[questionKey, *openQuestion](mostOpen, nil)
	if err != nil {
		panic(err) // the size is a constant
	}
	return &questions{
		own: rate.NewLimiter(askRate, askBurst), all: rate.NewLimiter(allRate, allBurst),
		askers: talk.NewRates(askedRate, askedBurst), passers: talk.NewRates(passedRate, passedBurst),
		answerers: talk.NewRates(answersRate, answersBurst),
		turn:      make(chan struct{}, 1), places: make(chan struct{}, passedAtOnce),
		mine: make(map[questionKey]*openQuestion), open: open,
	}
}

// Ask asks everyone near, also those who are not connected, for what has all
// the words in its path, and calls take for each one's answer for a moment, or
// until there are enough or ctx ends. The bytes are what Config.Answer returned
// there; they are signed by who answered, and to be looked at with care. Take is
// called for one answer after the other, and not after Ask has returned. Everyone
// near can read the words. Whoever has asked much waits first. Errors:
// domain.ErrBusy if ctx ends before, domain.ErrMalformed for words that are none.
// While nothing is told to anybody nothing is asked either.
func (g *Gossip) Ask(ctx context.Context, words []string, take func(from domain.PeerID, found []byte)) error {
	if g.hidden() || g.reserved() {
		return nil
	}
	q := &question{asker: g.self}
	for _, w := range words {
		q.words = append(q.words, strings.ToLower(w))
	}
	if err := checkWords(q.words); err != nil {
		return fmt.Errorf("asking everyone near: %w", err)
	}
	_, _ = rand.Read(q.id[:]) // never fails, as of Go 1.24
	signed, err := sign(g.key, q)
	if err != nil {
		return fmt.Errorf("asking everyone near: %w", err)
	}
	if err := g.questions.own.Wait(ctx); err != nil {
		return fmt.Errorf("asking everyone near: %w: %w", domain.ErrBusy, err)
	}

	enough, end := g.questions.begin(q.key(), take)
	defer end()
	if err := g.topics[questionsTopic].Publish(ctx, signed); err != nil {
		return fmt.Errorf("asking everyone near: %w", err)
	}
	timer := time.NewTimer(collect)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-enough:
	case <-timer.C:
	case <-g.ctx.Done():
	}
	return nil
}

// begin lets answers to a question of ours come. The channel is closed when
// there are enough; after end, take is not called any more.
func (q *questions) begin(key questionKey, take func(from domain.PeerID, found []byte)) (enough <-chan struct{}, end func()) {
	full := make(chan struct{})
	var taking sync.Mutex
	over, taken := false, 0
	o := &openQuestion{until: time.Now().Add(openFor), take: func(from domain.PeerID, found []byte) {
		taking.Lock()
		defer taking.Unlock()
		if over {
			return
		}
		take(from, found)
		if taken++; taken == mostAnswers {
			close(full)
		}
	}}
	q.mu.Lock()
	q.mine[key] = o
	q.mu.Unlock()
	return full, func() {
		q.mu.Lock()
		delete(q.mine, key)
		q.mu.Unlock()
		taking.Lock()
		over = true
		taking.Unlock()
	}
}

// judgeQuestion takes the question of another peer, and decides whether it goes
// on.
func (g *Gossip) judgeQuestion(from domain.PeerID, data []byte) pubsub.ValidationResult {
	author, _, err := claimed(data, maxQuestion, questionCodec)
	if err == nil && (author == g.self || !g.believable(author, from)) {
		return pubsub.ValidationIgnore
	}
	q := &question{}
	if err := openSigned(data, maxQuestion, q); err != nil {
		g.complaints.About(from, questionsTopic, err)
		return pubsub.ValidationReject
	}
	// What is known costs nobody anything, or one could use up what another may
	// ask by sending it again.
	if g.hidden() || g.questions.known(q.key()) {
		return pubsub.ValidationIgnore
	}
	if !g.questions.passers.Allow(from) || !g.questions.askers.Allow(q.asker) || !g.questions.all.Allow() {
		return pubsub.ValidationReject
	}
	if !g.questions.note(q.key(), from) {
		return pubsub.ValidationIgnore
	}
	g.run(func(ctx context.Context) { g.lookFor(ctx, q) })
	if g.apart() {
		return pubsub.ValidationIgnore
	}
	return pubsub.ValidationAccept
}

// note keeps the way back of a question. It is false if that is known already.
func (q *questions) note(key questionKey, back domain.PeerID) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.open.Contains(key) {
		return false
	}
	q.open.Add(key, &openQuestion{until: time.Now().Add(openFor), back: back})
	return true
}

func (q *questions) known(key questionKey) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.open.Contains(key)
}

// awaits reports whether an answer of that peer to that question would be taken,
// or passed back.
func (q *questions) awaits(key questionKey, from domain.PeerID) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.awaiting(key, from) != nil
}

// awaiting returns the question that an answer is for, nil if it is for none.
// The lock is held.
func (q *questions) awaiting(key questionKey, from domain.PeerID) *openQuestion {
	o := q.mine[key]
	if o == nil {
		o, _ = q.open.Peek(key)
	}
	if o == nil || time.Now().After(o.until) || o.answered[from] || len(o.answered) >= mostAnswers {
		return nil
	}
	return o
}

// lookFor looks for what a question asks for, and answers if there is anything.
func (g *Gossip) lookFor(ctx context.Context, q *question) {
	if g.cfg.Answer == nil || !sleep(ctx, mathrand.N(spread)) { //nolint:gosec // a secret would be wasted on it
		return
	}
	if g.hidden() || g.reserved() {
		return
	}
	waiting, cancel := context.WithTimeout(ctx, lookWait)
	defer cancel()
	if !acquire(waiting, g.questions.turn) {
		return // too many others ask, too
	}
	defer release(g.questions.turn)
	begun := time.Now()
	looking, cancel := context.WithTimeout(ctx, lookTime)
	found := g.cfg.Answer(looking, q.asker, q.words)
	cancel()
	if len(found) > 0 && len(found) <= MaxFound {
		a := &answer{from: g.self, question: q.key(), found: found}
		signed, err := sign(g.key, a)
		if err != nil {
			g.log.WarnContext(ctx, "answering a question", "error", err)
			return
		}
		g.pass(a, signed)
	}
	sleep(ctx, lookRest*time.Since(begun))
}

// pass takes an answer to a question of ours, or passes it back.
func (g *Gossip) pass(a *answer, signed []byte) {
	qs := g.questions
	qs.mu.Lock()
	o := qs.awaiting(a.question, a.from)
	if o == nil {
		qs.mu.Unlock()
		return
	}
	if o.answered == nil {
		o.answered = make(map[domain.PeerID]bool)
	}
	o.answered[a.from] = true
	if o.take != nil {
		qs.mu.Unlock()
		o.take(a.from, a.found)
		return
	}
	o.waiting = append(o.waiting, signed)
	first := len(o.waiting) == 1
	qs.mu.Unlock()
	if first {
		g.run(func(ctx context.Context) { g.passBack(ctx, o) })
	}
}

// passBack sends what has gathered to the peer that passed the question to us.
func (g *Gossip) passBack(ctx context.Context, o *openQuestion) {
	if !sleep(ctx, gather) {
		return
	}
	g.questions.mu.Lock()
	batch := o.waiting
	o.waiting = nil
	g.questions.mu.Unlock()

	ctx, cancel := context.WithTimeout(ctx, passTime)
	defer cancel()
	if !acquire(ctx, g.questions.places) {
		return // they would come too late
	}
	defer release(g.questions.places)
	s, asker, done, err := g.open(ctx, o.back, answersProtocol)
	if err == nil {
		if !asker.Near {
			err = errFar
		} else {
			err = talk.Write(s, &pb.Answers{Signed: batch})
		}
		done(&err)
	}
	if err != nil {
		g.log.DebugContext(ctx, "passing answers back", "peer", o.back.Short(), "error", err)
	}
}

// takeAnswers takes answers that a peer passes back.
func (g *Gossip) takeAnswers(_ context.Context, s network.Stream, asker domain.Asker) error {
	if !asker.Near {
		return errFar
	}
	if !g.questions.answerers.Allow(asker.Peer) {
		return fmt.Errorf("too many answers: %w", domain.ErrBusy)
	}
	if err := s.SetDeadline(time.Now().Add(passTime)); err != nil {
		return err
	}
	raw, err := talk.ReadRaw(s, maxPassed)
	if err != nil {
		return err
	}
	all, err := decodeAnswers(raw)
	if err != nil {
		return err
	}
	for _, signed := range all {
		author, payload, err := claimed(signed, maxAnswer, answerCodec)
		if err != nil {
			return err
		}
		a := &answer{}
		if err := a.UnmarshalRecord(payload); err != nil {
			return fmt.Errorf("an answer: %w: %w", domain.ErrMalformed, err)
		}
		if author == g.self || !g.believable(author, asker.Peer) || !g.questions.awaits(a.question, author) {
			continue // without the work of checking it
		}
		if err := openSigned(signed, maxAnswer, a); err != nil {
			return err
		}
		g.pass(a, signed)
	}
	return nil
}
