package gossip

import (
	"crypto/sha256"
	"fmt"
	"unicode/utf8"

	"github.com/libp2p/go-libp2p/core/peer"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/gossip/pb"
	"github.com/potluck-share/potluck/net/host/talk"
)

// Limits of questions and answers.
const (
	maxQuestion = 3 << 10 // bytes of a signed question
	maxAnswer   = 4 << 10 // bytes of a signed answer
	maxWords    = 16
	maxWord     = 128 // bytes
	// MaxFound is how many bytes of what was found go into an answer.
	MaxFound = maxAnswer - 256
)

const (
	questionDomain = "potluck-question"
	questionCodec  = "/potluck/question/1"
	answerDomain   = "potluck-answer"
	answerCodec    = "/potluck/answer/1"
)

// questionID names a question: at random, as who asks has chosen it.
type questionID [16]byte

// questionKey is what a question goes by: it tells who asks as well, so that
// nobody can take the place of another's question with one of their own.
type questionKey [16]byte

// question is the payload of a signed question.
type question struct {
	asker domain.PeerID
	id    questionID
	words []string
}

var _ signedRecord = (*question)(nil)

func (q *question) author() domain.PeerID { return q.asker }

func (q *question) key() questionKey {
	sum := sha256.Sum256(append([]byte(decode(q.asker)), q.id[:]...))
	return questionKey(sum[:16])
}

// Domain returns what the signature is good for.
func (*question) Domain() string { return questionDomain }

// Codec returns the type of the payload.
func (*question) Codec() []byte { return []byte(questionCodec) }

// MarshalRecord returns the payload, if others would take it.
func (q *question) MarshalRecord() ([]byte, error) {
	id, err := peer.Decode(string(q.asker))
	if err != nil {
		return nil, fmt.Errorf("peer ID %q: %w: %w", q.asker, domain.ErrUsage, err)
	}
	if err := checkWords(q.words); err != nil {
		return nil, err
	}
	return proto.Marshal(&pb.Question{Peer: []byte(id), Id: q.id[:], Words: q.words})
}

// UnmarshalRecord reads and checks a payload.
func (q *question) UnmarshalRecord(payload []byte) error {
	var msg pb.Question
	if err := proto.Unmarshal(payload, &msg); err != nil {
		return err
	}
	var err error
	if q.asker, err = peerID(msg.GetPeer()); err != nil {
		return err
	}
	if len(msg.GetId()) != len(q.id) {
		return fmt.Errorf("a question whose ID has %d bytes: %w", len(msg.GetId()), domain.ErrMalformed)
	}
	q.id = questionID(msg.GetId())
	q.words = msg.GetWords()
	return checkWords(q.words)
}

func checkWords(words []string) error {
	if len(words) == 0 || len(words) > maxWords {
		return fmt.Errorf("a question of %d words: %w", len(words), domain.ErrMalformed)
	}
	for _, w := range words {
		if w == "" || len(w) > maxWord || !utf8.ValidString(w) {
			return fmt.Errorf("a word of %d bytes: %w", len(w), domain.ErrMalformed)
		}
	}
	return nil
}

// answer is the payload of a signed answer.
type answer struct {
	from     domain.PeerID
	question questionKey
	found    []byte
}

var _ signedRecord = (*answer)(nil)

func (a *answer) author() domain.PeerID { return a.from }

// Domain returns what the signature is good for.
func (*answer) Domain() string { return answerDomain }

// Codec returns the type of the payload.
func (*answer) Codec() []byte { return []byte(answerCodec) }

// MarshalRecord returns the payload, if others would take it.
func (a *answer) MarshalRecord() ([]byte, error) {
	id, err := peer.Decode(string(a.from))
	if err != nil {
		return nil, fmt.Errorf("peer ID %q: %w: %w", a.from, domain.ErrUsage, err)
	}
	if err := checkFound(a.found); err != nil {
		return nil, err
	}
	return proto.Marshal(&pb.Answer{Peer: []byte(id), Question: a.question[:], Found: a.found})
}

// UnmarshalRecord reads and checks a payload.
func (a *answer) UnmarshalRecord(payload []byte) error {
	var msg pb.Answer
	if err := proto.Unmarshal(payload, &msg); err != nil {
		return err
	}
	var err error
	if a.from, err = peerID(msg.GetPeer()); err != nil {
		return err
	}
	if len(msg.GetQuestion()) != len(a.question) {
		return fmt.Errorf("an answer to a question whose key has %d bytes: %w", len(msg.GetQuestion()), domain.ErrMalformed)
	}
	a.question = questionKey(msg.GetQuestion())
	a.found = msg.GetFound()
	return checkFound(a.found)
}

func checkFound(found []byte) error {
	if len(found) == 0 || len(found) > MaxFound {
		return fmt.Errorf("an answer of %d bytes: %w", len(found), domain.ErrTooLarge)
	}
	return nil
}

// decodeAnswers reads the message of an answers stream.
func decodeAnswers(raw []byte) ([][]byte, error) {
	const signedField = 1
	if err := talk.Scan(raw, map[protowire.Number]talk.Repeats{signedField: {Most: mostAnswers}}); err != nil {
		return nil, fmt.Errorf("reading answers: %w", err)
	}
	var msg pb.Answers
	if err := proto.Unmarshal(raw, &msg); err != nil {
		return nil, fmt.Errorf("reading answers: %w: %w", domain.ErrMalformed, err)
	}
	return msg.GetSigned(), nil
}
