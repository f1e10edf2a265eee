package discovery

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/miekg/dns"

	"github.com/potluck-share/potluck/app/domain"
)

// The names that peers announce and ask for.
const (
	serviceName = "_potluck._tcp.local."
	metaName    = "_services._dns-sd._udp.local." // which services are there at all
)

// Limits on what a packet may make us do.
const (
	maxPacket        = 9000 // what multicast DNS allows
	maxRecords       = 512
	maxQuestions     = 64
	maxAnnouncements = 16 // a reflector may put a few peers into one packet
	maxAddresses     = 16 // per peer
	queryLength      = 1400
	maxQueryPackets  = 48 // some thousand known answers
)

// timeToLive is how long, in seconds, others may believe what we announce.
const timeToLive = 120

// cacheFlush marks a record as the only one of its name and type, and uses the
// same bit that asks for a unicast answer in a question.
const cacheFlush = 1 << 15

// announcement is everything that one peer says of itself. It always travels
// in one packet: a part of it is not worth keeping.
type announcement struct {
	peer      domain.PeerID
	tcp, udp  uint16 // 0: none
	addresses []netip.Addr
	ttl       uint32 // in seconds; 0 says goodbye
}

// question is one that may concern us: its lower-case name and its type.
type question struct {
	name  string
	qtype uint16
}

// known is a peer that the sender of a question needs no answer from.
type known struct {
	peer domain.PeerID
	ttl  uint32 // seconds left
}

// message is what we read out of a packet.
type message struct {
	response      bool
	truncated     bool // more known answers follow
	questions     []question
	known         []known
	announcements []announcement
}

// validPeer reports whether id has the form of an Ed25519 key's peer ID. It
// is also a fine DNS label: 52 letters and digits.
func validPeer(id domain.PeerID) bool {
	const base58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
	if len(id) != 52 || !strings.HasPrefix(string(id), "12D3KooW") {
		return false
	}
	for _, r := range id {
		if !strings.ContainsRune(base58, r) {
			return false
		}
	}
	return true
}

func instanceName(id domain.PeerID) string { return string(id) + "." + serviceName }

// hostName names the machine, as far as DNS-SD needs it named. Letter case
// means nothing in DNS, so it is taken from the label's end in lower case.
func hostName(id domain.PeerID) string {
	end := string(id[max(0, len(id)-16):])
	return "potluck-" + strings.ToLower(end) + ".local."
}

// pack builds the response that says all of a. With meta it also answers
// which services there are.
func (a announcement) pack(meta bool) ([]byte, error) {
	instance, host := instanceName(a.peer), hostName(a.peer)
	unique := func(name string, rrtype uint16) dns.RR_Header {
		return dns.RR_Header{Name: name, Rrtype: rrtype, Class: dns.ClassINET | cacheFlush, Ttl: a.ttl}
	}
	shared := func(name string) dns.RR_Header {
		return dns.RR_Header{Name: name, Rrtype: dns.TypePTR, Class: dns.ClassINET, Ttl: a.ttl}
	}
	m := new(dns.Msg)
	m.Response, m.Authoritative, m.Compress = true, true, true
	m.Answer = append(m.Answer,
		&dns.PTR{Hdr: shared(serviceName), Ptr: instance},
		&dns.SRV{Hdr: unique(instance, dns.TypeSRV), Port: cmp.Or(a.tcp, a.udp), Target: host},
		&dns.TXT{Hdr: unique(instance, dns.TypeTXT), Txt: a.text()})
	if meta {
		m.Answer = append(m.Answer, &dns.PTR{Hdr: shared(metaName), Ptr: serviceName})
	}
	for _, addr := range a.addresses {
		if addr.Is4() {
			m.Answer = append(m.Answer, &dns.A{Hdr: unique(host, dns.TypeA), A: addr.AsSlice()})
		} else {
			m.Answer = append(m.Answer, &dns.AAAA{Hdr: unique(host, dns.TypeAAAA), AAAA: addr.AsSlice()})
		}
	}
	data, err := m.Pack()
	if err != nil {
		return nil, fmt.Errorf("packing the announcement of %s: %w", a.peer.Short(), err)
	}
	return data, nil
}

// text returns the TXT record's strings.
func (a announcement) text() []string {
	return []string{
		"id=" + string(a.peer),
		"v=1",
		"tcp=" + strconv.Itoa(int(a.tcp)),
		"udp=" + strconv.Itoa(int(a.udp)),
	}
}

// packQuery builds the packets that ask who is there. All but the last are
// marked as truncated, so that those who read wait for the rest.
func packQuery(have []known) ([][]byte, error) {
	var packets [][]byte
	for {
		m := new(dns.Msg)
		m.Compress = true
		if len(packets) == 0 {
			m.Question = []dns.Question{{Name: serviceName, Qtype: dns.TypePTR, Qclass: dns.ClassINET}}
		}
		const header, each = 64, 2 + 10 + 1 + 52 + 2 // with the service's name compressed
		n := min(len(have), (queryLength-header)/each)
		for _, k := range have[:n] {
			m.Answer = append(m.Answer, &dns.PTR{
				Hdr: dns.RR_Header{Name: serviceName, Rrtype: dns.TypePTR, Class: dns.ClassINET, Ttl: k.ttl},
				Ptr: instanceName(k.peer),
			})
		}
		have = have[n:]
		m.Truncated = len(have) > 0 && len(packets) < maxQueryPackets-1
		data, err := m.Pack()
		if err != nil {
			return nil, fmt.Errorf("packing a question: %w", err)
		}
		packets = append(packets, data)
		if !m.Truncated {
			return packets, nil
		}
	}
}

// parse reads a packet from the net. What it cannot use it leaves out; an error
// means that the packet is none of ours at all.
func parse(data []byte) (message, error) {
	const header = 12
	if len(data) < header || len(data) > maxPacket {
		return message{}, fmt.Errorf("%w: a packet of %d bytes", domain.ErrMalformed, len(data))
	}
	records := 0
	for at := 4; at < header; at += 2 {
		records += int(binary.BigEndian.Uint16(data[at:]))
	}
	if records > maxRecords {
		return message{}, fmt.Errorf("%w: a packet of %d records", domain.ErrTooLarge, records)
	}
	var m dns.Msg
	if err := m.Unpack(data); err != nil {
		return message{}, fmt.Errorf("%w: %w", domain.ErrMalformed, err)
	}
	if m.Opcode != dns.OpcodeQuery || m.Rcode != dns.RcodeSuccess {
		return message{}, fmt.Errorf("%w: opcode %d, code %d", domain.ErrMalformed, m.Opcode, m.Rcode)
	}
	if m.Response {
		return message{response: true, announcements: announcements(append(m.Answer, m.Extra...))}, nil
	}
	out := message{truncated: m.Truncated}
	for _, q := range m.Question {
		if len(out.questions) == maxQuestions {
			break
		}
		if class := q.Qclass &^ cacheFlush; class == dns.ClassINET || class == dns.ClassANY {
			out.questions = append(out.questions, question{strings.ToLower(q.Name), q.Qtype})
		}
	}
	for _, rr := range m.Answer {
		if ptr, ok := rr.(*dns.PTR); ok && strings.EqualFold(ptr.Hdr.Name, serviceName) {
			if peer, ok := instancePeer(ptr.Ptr); ok {
				out.known = append(out.known, known{peer, ptr.Hdr.Ttl})
			}
		}
	}
	return out, nil
}

// instancePeer returns the peer whose instance has that name.
func instancePeer(name string) (domain.PeerID, bool) {
	label, rest, _ := strings.Cut(name, ".")
	peer := domain.PeerID(label)
	return peer, strings.EqualFold(rest, serviceName) && validPeer(peer)
}

// announcements puts records together by instance. A response that names a
// peer without its ports is of no use, unless it says goodbye.
func announcements(records []dns.RR) []announcement {
	type parts struct {
		announcement
		text, srv, ptr bool
		target         string
	}
	var order []*parts
	part := func(name string) *parts {
		peer, ok := instancePeer(name)
		if !ok {
			return nil
		}
		for _, p := range order {
			if p.peer == peer {
				return p
			}
		}
		if len(order) == maxAnnouncements {
			return nil
		}
		p := &parts{announcement: announcement{peer: peer}}
		order = append(order, p)
		return p
	}
	for _, rr := range records {
		switch rr := rr.(type) {
		case *dns.PTR:
			if !strings.EqualFold(rr.Hdr.Name, serviceName) {
				continue
			}
			if p := part(rr.Ptr); p != nil {
				p.ptr, p.ttl = true, rr.Hdr.Ttl
			}
		case *dns.SRV:
			if p := part(rr.Hdr.Name); p != nil {
				p.srv, p.target = true, rr.Target
				if !p.ptr {
					p.ttl = rr.Hdr.Ttl
				}
			}
		case *dns.TXT:
			if p := part(rr.Hdr.Name); p != nil {
				p.text = p.readText(rr.Txt)
			}
		}
	}
	var found []announcement
	for _, p := range order {
		goodbye := p.ttl == 0 && (p.ptr || p.srv)
		whole := p.srv && p.text
		if !goodbye && !whole {
			continue
		}
		p.addresses = addressesOf(p.target, records)
		found = append(found, p.announcement)
	}
	return found
}

// readText takes the ports from a TXT record and reports whether the record is
// of a version that we know and speaks of the peer that the instance names.
func (a *announcement) readText(text []string) bool {
	var id, version string
	for _, field := range text {
		key, value, _ := strings.Cut(field, "=")
		switch strings.ToLower(key) {
		case "id":
			id = value
		case "v":
			version = value
		case "tcp":
			a.tcp = parsePort(value)
		case "udp":
			a.udp = parsePort(value)
		}
	}
	return id == string(a.peer) && version == "1" && (a.tcp != 0 || a.udp != 0)
}

func parsePort(text string) uint16 {
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return 0
	}
	return uint16(port)
}

func addressesOf(host string, records []dns.RR) []netip.Addr {
	var found []netip.Addr
	for _, rr := range records {
		var ip []byte
		switch rr := rr.(type) {
		case *dns.A:
			ip = rr.A.To4()
		case *dns.AAAA:
			ip = rr.AAAA
		default:
			continue
		}
		addr, ok := netip.AddrFromSlice(ip)
		addr = addr.Unmap()
		if !ok || !strings.EqualFold(rr.Header().Name, host) || slices.Contains(found, addr) {
			continue
		}
		if found = append(found, addr); len(found) == maxAddresses {
			break
		}
	}
	return found
}
