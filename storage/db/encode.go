package db

import (
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"go.etcd.io/bbolt"
	"google.golang.org/protobuf/proto"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/storage/db/pb"
)

// Limits on what is taken out of the file. They guard against a damaged or
// doctored file, so they lie well above anything that was ever put in.
const (
	maxRecord    = 1 << 20 // bytes of one value, layers aside
	maxLocalPath = 1 << 15 // bytes
	maxText      = 1 << 12 // bytes of a name, a sentence
	maxPeers     = 10_000  // in an audience
	maxAddresses = 256
	maxPeerID    = 128 // bytes
)

// put stores m under key.
func put(b *bbolt.Bucket, key []byte, m proto.Message) error {
	raw, err := encode(m)
	if err != nil {
		return fmt.Errorf("store %q: %w", key, err)
	}
	return b.Put(key, raw)
}

func encode(m proto.Message) ([]byte, error) {
	raw, err := proto.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", domain.ErrMalformed, err)
	}
	if len(raw) > maxRecord {
		return nil, fmt.Errorf("%w: a record of %d bytes", domain.ErrTooLarge, len(raw))
	}
	return raw, nil
}

// decode fills m from a stored value.
func decode(raw []byte, m proto.Message) error {
	if len(raw) > maxRecord {
		return fmt.Errorf("%w: a record of %d bytes", domain.ErrDamaged, len(raw))
	}
	if err := proto.Unmarshal(raw, m); err != nil {
		return fmt.Errorf("%w: %w", domain.ErrDamaged, err)
	}
	return nil
}

// within checks the length of a stored text.
func within(what string, length, most int) error {
	if length > most {
		return fmt.Errorf("%w: %s of %d bytes", domain.ErrDamaged, what, length)
	}
	return nil
}

// texts checks the lengths of several stored names and sentences.
func texts(all ...string) error {
	for _, t := range all {
		if err := within("a text", len(t), maxText); err != nil {
			return err
		}
	}
	return nil
}

// words makes a sentence storable: names of local files in it need not be valid
// UTF-8, and nobody needs a very long one.
func words(s string) string {
	if len(s) > maxText {
		s = s[:maxText]
	}
	return strings.ToValidUTF8(s, "�")
}

// sayingTo writes a saying as the text that is stored.
func sayingTo(s domain.Saying) string {
	text, err := s.MarshalText()
	if err != nil { // it holds nothing that JSON does not know
		return words(s.String())
	}
	return string(text)
}

// sayingFrom reads a stored saying; a plain text of earlier versions is one
// too.
func sayingFrom(text string, into *domain.Saying) error {
	if err := into.UnmarshalText([]byte(text)); err != nil {
		return fmt.Errorf("%w: %w", domain.ErrDamaged, err)
	}
	return nil
}

func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func fromNanos(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}

func indexKey(index int) []byte {
	return binary.BigEndian.AppendUint32(nil, uint32(index))
}

func sequenceKey(sequence uint64) []byte {
	return binary.BigEndian.AppendUint64(nil, sequence)
}

func versionTo(v domain.Version) *pb.Version {
	return &pb.Version{Epoch: v.Epoch, Sequence: v.Sequence}
}

func versionFrom(m *pb.Version) domain.Version {
	return domain.Version{Epoch: m.GetEpoch(), Sequence: m.GetSequence()}
}

func entryTo(e domain.Entry) *pb.Entry {
	m := &pb.Entry{Folder: e.Folder, Size: e.Size}
	if !e.Modified.IsZero() {
		m.Modified = proto.Int64(e.Modified.Unix())
	}
	if !e.Content.IsZero() {
		m.Content = e.Content[:]
	}
	return m
}

func entryFrom(path string, m *pb.Entry) (domain.Entry, error) {
	e := domain.Entry{Path: path, Folder: m.GetFolder(), Size: m.GetSize()}
	if len(path) > domain.MaxPath {
		return e, fmt.Errorf("%w: a path of %d bytes", domain.ErrDamaged, len(path))
	}
	if e.Size < 0 || e.Size > domain.MaxFileSize {
		return e, fmt.Errorf("%w: a size of %d bytes", domain.ErrDamaged, e.Size)
	}
	switch content := m.GetContent(); len(content) {
	case 0:
	case len(e.Content):
		copy(e.Content[:], content)
	default:
		return e, fmt.Errorf("%w: a content ID of %d bytes", domain.ErrDamaged, len(content))
	}
	if m != nil && m.Modified != nil {
		e.Modified = time.Unix(m.GetModified(), 0).UTC()
	}
	return e, nil
}

func decodeEntry(path string, raw []byte) (domain.Entry, uint64, error) {
	var m pb.Entry
	if err := decode(raw, &m); err != nil {
		return domain.Entry{}, 0, err
	}
	e, err := entryFrom(path, &m)
	return e, m.GetGeneration(), err
}

func decodeFile(path string, raw []byte) (domain.File, error) {
	var m pb.File
	if err := decode(raw, &m); err != nil {
		return domain.File{}, err
	}
	e, err := entryFrom(path, m.GetEntry())
	return domain.File{Entry: e, ModifiedNano: m.GetModifiedNano()}, err
}

func decodeChange(raw []byte) (domain.Change, error) {
	var m pb.Change
	if err := decode(raw, &m); err != nil {
		return domain.Change{}, err
	}
	c := domain.Change{Path: m.GetPath()}
	if c.Path == "" || len(c.Path) > domain.MaxPath {
		return c, fmt.Errorf("%w: a path of %d bytes", domain.ErrDamaged, len(c.Path))
	}
	if m.Entry != nil {
		e, err := entryFrom(c.Path, m.GetEntry())
		if err != nil {
			return c, err
		}
		c.Entry = &e
	}
	return c, nil
}

func shareTo(s domain.Share) *pb.Share {
	m := &pb.Share{
		Path: []byte(s.Path), Folder: s.Folder, Audience: string(s.Audience.Kind),
		Added: nanos(s.Added), Entries: int64(s.Entries), Bytes: s.Bytes,
		State: string(s.State), Problem: sayingTo(s.Problem), Offer: s.Offer,
	}
	for _, p := range s.Audience.Peers {
		m.Peers = append(m.Peers, string(p))
	}
	return m
}

func decodeShare(name string, raw []byte) (domain.Share, error) {
	var m pb.Share
	if err := decode(raw, &m); err != nil {
		return domain.Share{}, err
	}
	s := domain.Share{
		Name: name, Path: string(m.GetPath()), Folder: m.GetFolder(),
		Audience: domain.Audience{Kind: domain.AudienceKind(m.GetAudience())},
		Added:    fromNanos(m.GetAdded()), Entries: int(m.GetEntries()), Bytes: m.GetBytes(),
		State: domain.ShareState(m.GetState()), Offer: m.GetOffer(),
	}
	if err := sayingFrom(m.GetProblem(), &s.Problem); err != nil {
		return s, err
	}
	if err := within("a local path", len(s.Path), maxLocalPath); err != nil {
		return s, err
	}
	if len(m.GetPeers()) > maxPeers {
		return s, fmt.Errorf("%w: an audience of %d people", domain.ErrDamaged, len(m.GetPeers()))
	}
	for _, p := range m.GetPeers() {
		s.Audience.Peers = append(s.Audience.Peers, domain.PeerID(p))
	}
	if s.Entries < 0 || s.Bytes < 0 {
		return s, fmt.Errorf("%w: negative counts", domain.ErrDamaged)
	}
	return s, texts(name, string(s.State), string(s.Audience.Kind))
}
