package offer

import (
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/host"
	"github.com/potluck-share/potluck/net/host/complain"
	"github.com/potluck-share/potluck/net/host/talk"
	"github.com/potluck-share/potluck/net/offer/pb"
)

const anID = "00112233445566778899aabbccddeeff"

// person is a host with the protocol, and what it was told.
type person struct {
	*host.Host
	offers *Offers

	mu   sync.Mutex
	told []string
	no   error
}

func newPerson(t *testing.T, nearby ...netip.Prefix) *person {
	t.Helper()
	p := &person{}
	identity, err := host.LoadIdentity(filepath.Join(t.TempDir(), "identity"))
	if err != nil {
		t.Fatal(err)
	}
	p.Host, err = host.New(t.Context(), host.Config{
		Identity: identity, Listen: []string{"/ip4/127.0.0.1/tcp/0"}, Nearby: nearby,
		Hello: func(domain.PeerID) domain.Hello { return domain.Hello{Name: "Ana"} },
	})
	if err != nil {
		t.Fatal(err)
	}
	p.offers = New(p.Host, Config{Handler: p})
	t.Cleanup(func() {
		if err := errors.Join(p.offers.Close(), p.Close()); err != nil {
			t.Error(err)
		}
	})
	if err := p.Listen(); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *person) note(err error, form string, args ...any) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.told = append(p.told, fmt.Sprintf(form, args...))
	return err
}

func (p *person) Offered(from domain.Asker, s domain.OfferSummary) error {
	return p.note(p.no, "%v offers %+v", from.Near, s)
}
func (p *person) Withdrawn(_ domain.PeerID, id string) { _ = p.note(nil, "withdrawn %s", id) }
func (p *person) Answered(_ domain.PeerID, id string, what domain.OfferAnswer) error {
	return p.note(p.no, "%s %s", what, id)
}

func (p *person) meets(t *testing.T, other *person) {
	t.Helper()
	if _, err := p.Connect(t.Context(), other.Addresses()[0]+"/p2p/"+string(other.ID())); err != nil {
		t.Fatal(err)
	}
}

var loopback = netip.MustParsePrefix("127.0.0.0/8")

func TestOffersAndAnswersAreTold(t *testing.T) {
	t.Parallel()
	ana, ben := newPerson(t, loopback), newPerson(t, loopback)
	ana.meets(t, ben)
	s := domain.OfferSummary{
		ID: anID, Name: "Holiday", Items: 3, Folder: true, Entries: 214, Bytes: 3_100_000_000, Note: "for you\nall of it",
	}
	for _, err := range []error{
		ana.offers.Offer(t.Context(), ben.ID(), s),
		ana.offers.Withdraw(t.Context(), ben.ID(), anID),
		ana.offers.Answer(t.Context(), ben.ID(), anID, domain.OfferAccept),
		ana.offers.Answer(t.Context(), ben.ID(), anID, domain.OfferDecline),
		ana.offers.Answer(t.Context(), ben.ID(), anID, domain.OfferArrived),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	want := fmt.Sprintf("true offers %+v|withdrawn %s|accept %s|decline %s|arrived %s", s, anID, anID, anID, anID)
	if got := strings.Join(ben.told, "|"); got != want {
		t.Errorf("Ben was told\n%s, want\n%s", got, want)
	}
	for _, no := range []error{domain.ErrRefused, domain.ErrBusy, domain.ErrNotFound} {
		ben.no = no
		if err := ana.offers.Offer(t.Context(), ben.ID(), s); !errors.Is(err, no) {
			t.Errorf("Ben says %v, Ana hears %v", no, err)
		}
	}
	if err := ana.offers.Withdraw(t.Context(), ben.ID(), "xyz"); !errors.Is(err, domain.ErrUsage) {
		t.Errorf("an ID that is none: %v", err)
	}
}

func TestStrangersOfferNothing(t *testing.T) {
	t.Parallel()
	ana, ben := newPerson(t, loopback), newPerson(t) // who counts nobody as near
	ana.meets(t, ben)
	if err := ana.offers.Offer(t.Context(), ben.ID(), domain.OfferSummary{ID: anID, Name: "x", Items: 1}); !errors.Is(err, domain.ErrRefused) {
		t.Errorf("a stranger's offer: %v", err)
	}
	if len(ben.told) > 0 {
		t.Errorf("Ben is told %q", ben.told)
	}
}

func TestAPeerMaySayOnlySoMuch(t *testing.T) {
	t.Parallel()
	ana, ben := newPerson(t, loopback), newPerson(t, loopback)
	ana.meets(t, ben)
	busy := 0
	for range messageBurst + 20 {
		if err := ana.offers.Withdraw(t.Context(), ben.ID(), anID); errors.Is(err, domain.ErrBusy) {
			busy++
		}
	}
	if busy == 0 || len(ben.told) > messageBurst+10 {
		t.Errorf("%d were refused, Ben was told %d", busy, len(ben.told))
	}
}

func TestWhatMakesNoSenseIsCountedAndFillsNoLog(t *testing.T) {
	t.Parallel()
	ana, mallory := newPerson(t, loopback), newPerson(t, loopback)
	var log strings.Builder
	ana.offers.complaints = complain.New(slog.New(slog.NewTextHandler(&log, nil)))
	mallory.meets(t, ana)
	refused := 0
	for range messageBurst + 20 {
		s, err := mallory.Open(t.Context(), ana.ID(), protocolID)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Write([]byte{3, 0xff, 0xff, 0xff}); err != nil {
			t.Fatal(err)
		}
		status, err := talk.Read(s, maxReply, decodeReply)
		if err != nil {
			t.Fatal(err)
		}
		if status == pb.Status_STATUS_BUSY {
			refused++
		}
		_ = s.Reset() // all was said
	}
	if refused == 0 {
		t.Error("it may say as much as it likes")
	}
	if strings.Count(log.String(), "\n") != 1 || !strings.Contains(log.String(), string(mallory.ID())) {
		t.Errorf("the log is\n%s", log.String())
	}
}

func TestWhatMakesNoSenseIsSaidToBe(t *testing.T) {
	t.Parallel()
	ana, mallory := newPerson(t, loopback), newPerson(t, loopback)
	mallory.meets(t, ana)
	for name, bytes := range map[string][]byte{
		"no protobuf": {3, 0xff, 0xff, 0xff}, "too long": {0xff, 0xff, 0x7f}, "nothing": {0},
	} {
		s, err := mallory.Open(t.Context(), ana.ID(), protocolID)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Write(bytes); err != nil {
			t.Fatal(err)
		}
		if err := s.SetReadDeadline(time.Now().Add(exchangeTime)); err != nil {
			t.Fatal(err)
		}
		if status, err := talk.Read(s, maxReply, decodeReply); err != nil || status != pb.Status_STATUS_MALFORMED {
			t.Errorf("%s: %v, %v", name, status, err)
		}
		_ = s.Reset()
	}
	if len(ana.told) > 0 {
		t.Errorf("Ana is told %q", ana.told)
	}
}

func TestMessagesStayTheSame(t *testing.T) {
	t.Parallel()
	m, err := encode(pb.Kind_KIND_OFFER, domain.OfferSummary{ID: anID, Name: "a", Items: 1, Folder: true, Entries: 2, Bytes: 3, Note: "n"})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if want := "0801121000112233445566778899aabbccddeeff1a016120012801300238034201" + "6e"; err != nil || hex.EncodeToString(raw) != want {
		t.Errorf("an offer is %x, %v, want %s", raw, err, want)
	}
}

func FuzzMessage(f *testing.F) {
	for _, s := range []domain.OfferSummary{
		{ID: anID, Name: "Holiday", Items: 1, Folder: true, Entries: 5, Bytes: 1 << 40, Note: "note"},
		{ID: anID, Name: strings.Repeat("x", 2*maxName), Items: domain.MaxOfferItems + 1},
	} {
		for _, kind := range []pb.Kind{pb.Kind_KIND_OFFER, pb.Kind_KIND_ARRIVED, 99} {
			m, err := encode(kind, s)
			if err != nil {
				f.Fatal(err)
			}
			raw, err := proto.Marshal(m)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(raw)
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := decode(raw)
		if err != nil {
			return
		}
		if len(m.ID) != 2*idSize || len(m.Name) > maxName || len(m.Note) > domain.MaxNote || m.Items < 0 || m.Bytes < 0 || m.Entries < 0 ||
			!utf8.ValidString(m.Name+m.Note) {
			t.Errorf("%+v", m)
		}
	})
}
