package discovery

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/potluck-share/potluck/app/domain"
)

func addrs(texts ...string) []netip.Addr {
	var out []netip.Addr
	for _, text := range texts {
		out = append(out, netip.MustParseAddr(text))
	}
	return out
}

func TestAnnouncementSurvivesTheWire(t *testing.T) {
	for name, a := range map[string]announcement{
		"both families": {testPeer("ana"), 4001, 4002, addrs("10.0.0.1", "fd00::1", "2001:db8::1"), 120},
		"TCP only":      {testPeer("ana"), 4001, 0, addrs("10.0.0.1"), 120},
		"UDP only":      {testPeer("ana"), 0, 4002, addrs("10.0.0.1"), 120},
		"no address":    {testPeer("ana"), 4001, 4002, nil, 120},
		"goodbye":       {testPeer("ana"), 4001, 4002, addrs("10.0.0.1"), 0},
	} {
		for _, meta := range []bool{false, true} {
			data, err := a.pack(meta)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if len(data) > 512 || !concerns(data) {
				t.Errorf("%s: %d bytes, of our concern: %v", name, len(data), concerns(data))
			}
			m, err := parse(data)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if want := (message{response: true, announcements: []announcement{a}}); !reflect.DeepEqual(m, want) {
				t.Errorf("%s: got %+v, want %+v", name, m, want)
			}
			if services := bytes.Contains(data, []byte("_dns-sd")); services != meta {
				t.Errorf("%s: tells of the service: %v, want %v", name, services, meta)
			}
		}
	}
}

func TestQueryListsAllWhoAreKnown(t *testing.T) {
	for _, count := range []int{0, 1, 20, 1000} {
		var have []known
		for n := range count {
			have = append(have, known{memberID(n), uint32(60 + n%60)})
		}
		packets, err := packQuery(have)
		if err != nil {
			t.Fatal(err)
		}
		var listed []known
		for n, p := range packets {
			m, err := parse(p)
			if err != nil {
				t.Fatal(err)
			}
			if len(p) > queryLength {
				t.Errorf("packet %d has %d bytes", n, len(p))
			}
			if m.truncated != (n < len(packets)-1) {
				t.Errorf("packet %d of %d: truncated is %v", n, len(packets), m.truncated)
			}
			if asks := len(m.questions) == 1 && m.questions[0] == (question{serviceName, dns.TypePTR}); asks != (n == 0) {
				t.Errorf("packet %d asks %v", n, m.questions)
			}
			listed = append(listed, m.known...)
		}
		if want := min(count, maxQueryPackets*19); len(listed) < want || !reflect.DeepEqual(listed, have[:len(listed):len(listed)]) && count > 0 {
			t.Errorf("of %d known %d are listed", count, len(listed))
		}
	}
}

// response packs records as a response.
func response(t *testing.T, records ...string) []byte {
	t.Helper()
	m := new(dns.Msg)
	m.Response, m.Compress = true, true
	for _, text := range records {
		rr, err := dns.NewRR(text)
		if err != nil {
			t.Fatal(err)
		}
		m.Answer = append(m.Answer, rr)
	}
	data, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestUselessAnnouncementsAreLeftOut(t *testing.T) {
	ana, ben := string(testPeer("ana")), string(testPeer("ben"))
	ptr := "_potluck._tcp.local. 120 IN PTR %[1]s._potluck._tcp.local."
	srv := "%[1]s._potluck._tcp.local. 120 IN SRV 0 0 4001 host.local."
	txt := `%[1]s._potluck._tcp.local. 120 IN TXT "id=%[2]s" "v=%[3]s" "tcp=%[4]s" "udp=0"`
	for name, test := range map[string]struct {
		records []string
		want    int
	}{
		"whole":           {[]string{ptr, srv, txt}, 1},
		"without pointer": {[]string{srv, txt}, 1},
		"pointer only":    {[]string{ptr}, 0},
		"no text":         {[]string{ptr, srv}, 0},
		"no host":         {[]string{ptr, txt}, 0},
		"no port":         {[]string{ptr, srv, strings.ReplaceAll(txt, "%[4]s", "0")}, 0},
		"port too high":   {[]string{ptr, srv, strings.ReplaceAll(txt, "%[4]s", "65536")}, 0},
		"negative port":   {[]string{ptr, srv, strings.ReplaceAll(txt, "%[4]s", "-1")}, 0},
		"newer version":   {[]string{ptr, srv, strings.ReplaceAll(txt, "%[3]s", "2")}, 0},
		"somebody else":   {[]string{ptr, srv, strings.ReplaceAll(txt, "%[2]s", ben)}, 0},
		"no peer ID":      {[]string{strings.ReplaceAll(ptr, "%[1]s", "printer"), strings.ReplaceAll(srv, "%[1]s", "printer"), strings.ReplaceAll(strings.ReplaceAll(txt, "%[1]s", "printer"), "%[2]s", "printer")}, 0},
		"other service":   {[]string{strings.ReplaceAll(ptr, "_potluck", "_ipp"), strings.ReplaceAll(srv, "_potluck", "_ipp")}, 0},
		"bare goodbye":    {[]string{strings.ReplaceAll(ptr, " 120 ", " 0 ")}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			var records []string
			for _, r := range test.records {
				r = strings.NewReplacer("%[1]s", ana, "%[2]s", ana, "%[3]s", "1", "%[4]s", "4001").Replace(r)
				records = append(records, r)
			}
			m, err := parse(response(t, records...))
			if err != nil {
				t.Fatal(err)
			}
			if len(m.announcements) != test.want {
				t.Errorf("got %+v, want %d", m.announcements, test.want)
			}
		})
	}
}

func TestOversizeIsRefused(t *testing.T) {
	if _, err := parse(make([]byte, maxPacket+1)); !errors.Is(err, domain.ErrMalformed) {
		t.Errorf("a packet over the limit: %v", err)
	}
	many := make([]byte, 12)
	many[6] = 0xff
	if _, err := parse(many); !errors.Is(err, domain.ErrTooLarge) {
		t.Errorf("too many records: %v", err)
	}
	var records []string
	for n := range 100 {
		peer := memberID(n)
		records = append(records, fmt.Sprintf("_potluck._tcp.local. 0 IN PTR %s._potluck._tcp.local.", peer))
	}
	if m, err := parse(response(t, records...)); err != nil || len(m.announcements) != maxAnnouncements {
		t.Errorf("of 100 in a packet %d were taken (%v), want %d", len(m.announcements), err, maxAnnouncements)
	}
	a := announcement{peer: testPeer("ana"), tcp: 1, ttl: 120}
	for n := range 200 {
		a.addresses = append(a.addresses, netip.AddrFrom4([4]byte{10, 0, 0, byte(n)}))
	}
	data, err := a.pack(false)
	if err != nil {
		t.Fatal(err)
	}
	if m, err := parse(data); err != nil || len(m.announcements) != 1 || len(m.announcements[0].addresses) != maxAddresses {
		t.Errorf("of 200 addresses: %+v (%v), want %d", m, err, maxAddresses)
	}
}

func FuzzParse(f *testing.F) {
	a := announcement{testPeer("ana"), 4001, 4002, addrs("10.0.0.1", "fd00::1"), 120}
	for _, meta := range []bool{false, true} {
		data, err := a.pack(meta)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	packets, err := packQuery([]known{{testPeer("ben"), 100}, {testPeer("cem"), 70}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(packets[0])
	f.Add([]byte("\x00\x00\x84\x00\x00\x00\x00\x01\x00\x00\x00\x00\xc0\x0c\x00\x0c\x00\x01\x00\x00\x00\x78\x00\x02\xc0\x0c"))
	prefixes := []netip.Prefix{netip.MustParsePrefix("10.0.0.7/24"), netip.MustParsePrefix("fd00::7/64")}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := parse(data)
		if err != nil {
			return
		}
		if len(m.announcements) > maxAnnouncements || len(m.questions) > maxQuestions || len(m.known) > maxRecords {
			t.Fatalf("over the limits: %+v", m)
		}
		c := newCache()
		for _, said := range m.announcements {
			if !validPeer(said.peer) || len(said.addresses) > maxAddresses {
				t.Fatalf("not acceptable: %+v", said)
			}
			at := place{1, said.peer}
			c.hear(epoch, at, said, netip.MustParseAddr("10.0.0.9"), domain.SourceMulticast, prefixes)
			if e := c.entries[at]; e != nil {
				for _, addr := range e.addresses {
					if !onLink(addr, prefixes) {
						t.Fatalf("took the address %s", addr)
					}
				}
				if life := e.expires().Sub(epoch); life < shortestLife || life > longestLife {
					t.Fatalf("believed for %v", life)
				}
			}
			// What was understood can be said again, and means the same.
			if said.ttl == 0 {
				continue
			}
			again, err := said.pack(false)
			if err != nil {
				t.Fatal(err)
			}
			if back, err := parse(again); err != nil || !reflect.DeepEqual(back.announcements, []announcement{said}) {
				t.Fatalf("said again, %+v became %+v (%v)", said, back, err)
			}
		}
	})
}
