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
	// openFor is how long answers to a question are taken and passed back.
	openFor = 5 * time.Second
	// mostAnswers is how many of them one peer takes, or passes back.
	mostAnswers = 64
	// mostOpen is of how many questions the way back is kept. Questions that are
	// over stay as long as there is room, so that none is answered twice.
	mostOpen = 4096
	// gather is how long answers are collected to be passed back together, and
	// spread within which time those who know one answer by themselves.
	gather = 80 * time.Millisecond
	spread = 250 * time.Millisecond
	// lookTime is how long looking for an answer may take.
	lookTime = time.Second
	// passTime is how long passing answers back may take.
	passTime = 3 * time.Second
	// maxPassed is how many bytes of answers are passed back at once.
	maxPassed = mostAnswers * (maxAnswer + 8)
)

// How many questions are asked per second, with such a burst; how many are
// taken of one peer, which is more; and how often one may pass answers back.
const (
	askRate        rate.Limit = 0.5
	askBurst                  = 4
	askedRate      rate.Limit = 1
	askedBurst                = 8
	answersRate    rate.Limit = 40
	answersBurst              = 400
	answeredAtOnce            = 2 // questions by us
)

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
	own     *rate.Limiter // what we ask
	askers  *talk.Rates   // what others ask
	passers *talk.Rates   // who passes answers to us
	places  chan struct{} // for answers by us

	mu   sync.Mutex
	mine map[questionID]*openQuestion
	open *simplelru.LRU[questionID, *openQuestion] // of others
}

func newQuestions() *questions {
	open, err := simplelru.NewLRU[questionID, *openQuestion](mostOpen, nil)
	if err != nil {
		panic(err) // the size is a constant
	}
	return &questions{
		own: rate.NewLimiter(askRate, askBurst), askers: talk.NewRates(askedRate, askedBurst),
		passers: talk.NewRates(answersRate, answersBurst), places: make(chan struct{}, answeredAtOnce),
		mine: make(map[questionID]*openQuestion), open: open,
	}
}

// Ask asks everyone near, also those who are not connected, for what has all
// the words in its path, and calls take for each one's answer until ctx ends or
// there are enough. The bytes are what Config.Answer returned there; they are
// signed by who answered, and to be looked at with care. Take is called
// for one answer after the other, and not after Ask has returned. Everyone near
// can read the words. Errors: domain.ErrBusy if more is asked than others
// would take, domain.ErrMalformed for words that are none. While nothing is
// told to anybody nothing is asked either.
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
	if !g.questions.own.Allow() {
		return fmt.Errorf("asking everyone near: %w", domain.ErrBusy)
	}

	enough, end := g.questions.begin(q.id, take)
	defer end()
	if err := g.topics[questionsTopic].Publish(ctx, signed); err != nil {
		return fmt.Errorf("asking everyone near: %w", err)
	}
	timer := time.NewTimer(openFor)
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
func (q *questions) begin(id questionID, take func(from domain.PeerID, found []byte)) (enough <-chan struct{}, end func()) {
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
	q.mine[id] = o
	q.mu.Unlock()
	return full, func() {
		q.mu.Lock()
		delete(q.mine, id)
		q.mu.Unlock()
		taking.Lock()
		over = true
		taking.Unlock()
	}
}

// judgeQuestion takes the question of another peer, and decides whether it goes
// on.
func (g *Gossip) judgeQuestion(from domain.PeerID, data []byte) pubsub.ValidationResult {
	author, err := claimedAuthor(data, maxQuestion, questionCodec)
	if err == nil && (author == g.self || !g.believable(author, from)) {
		return pubsub.ValidationIgnore
	}
	q := &question{}
	if err := openSigned(data, maxQuestion, q); err != nil {
		g.complaints.About(from, questionsTopic, err)
		return pubsub.ValidationReject
	}
	if !g.questions.askers.Allow(q.asker) {
		return pubsub.ValidationReject
	}
	if g.hidden() || !g.questions.note(q.id, from) {
		return pubsub.ValidationIgnore
	}
	g.run(func(ctx context.Context) { g.lookFor(ctx, q) })
	if g.apart() {
		return pubsub.ValidationIgnore
	}
	return pubsub.ValidationAccept
}

// note keeps the way back of a question. It is false if that is known already.
func (q *questions) note(id questionID, back domain.PeerID) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.open.Contains(id) {
		return false
	}
	q.open.Add(id, &openQuestion{until: time.Now().Add(openFor), back: back})
	return true
}

// lookFor looks for what a question asks for, and answers if there is anything.
func (g *Gossip) lookFor(ctx context.Context, q *question) {
	if g.cfg.Answer == nil || !sleep(ctx, mathrand.N(spread)) { //nolint:gosec // a secret would be wasted on it
		return
	}
	if g.hidden() || g.reserved() {
		return
	}
	select {
	case g.questions.places <- struct{}{}:
	default:
		return // others ask, too
	}
	looking, cancel := context.WithTimeout(ctx, lookTime)
	found := g.cfg.Answer(looking, q.asker, q.words)
	cancel()
	<-g.questions.places
	if len(found) == 0 || len(found) > MaxFound {
		return
	}
	signed, err := sign(g.key, &answer{from: g.self, question: q.id, found: found})
	if err != nil {
		g.log.WarnContext(ctx, "answering a question", "error", err)
		return
	}
	g.pass(&answer{from: g.self, question: q.id, found: found}, signed)
}

// pass takes an answer to a question of ours, or passes it back.
func (g *Gossip) pass(a *answer, signed []byte) {
	qs := g.questions
	qs.mu.Lock()
	o := qs.mine[a.question]
	if o == nil {
		o, _ = qs.open.Peek(a.question)
	}
	if o == nil || time.Now().After(o.until) || o.answered[a.from] || len(o.answered) >= mostAnswers {
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

// serveAnswers takes answers that a peer passes back.
func (g *Gossip) serveAnswers(ctx context.Context, s network.Stream, asker domain.Asker) {
	if !g.begin() {
		_ = s.Reset()
		return
	}
	defer g.tasks.Done()
	defer g.endWithUs(s)()

	err := g.takeAnswers(s, asker)
	if err != nil {
		g.complaints.Served(asker.Peer, answersProtocol, err)
		g.log.DebugContext(ctx, "answers from a peer", "peer", asker.Peer.Short(), "error", err)
		_ = s.Reset()
	}
}

func (g *Gossip) takeAnswers(s network.Stream, asker domain.Asker) error {
	if !asker.Near {
		return errFar
	}
	if !g.questions.passers.Allow(asker.Peer) {
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
		author, err := claimedAuthor(signed, maxAnswer, answerCodec)
		if err != nil {
			return err
		}
		if author == g.self || !g.believable(author, asker.Peer) {
			continue
		}
		a := &answer{}
		if err := openSigned(signed, maxAnswer, a); err != nil {
			return err
		}
		g.pass(a, signed)
	}
	return nil
}
