package discovery

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

const multicastPort = 5353

// BroadcastPort is the UDP port of announcements by subnet broadcast, for
// networks that eat multicast: the one after the default port of the host, not
// assigned by IANA either. A firewall has to let
// it in beside that and multicast DNS (5353).
const BroadcastPort = 17686

var (
	group4 = netip.AddrFrom4([4]byte{224, 0, 0, 251})
	group6 = netip.MustParseAddr("ff02::fb")
)

// via is the way by which packets come and go.
type via uint8

const (
	viaMulticast4 via = iota
	viaMulticast6
	viaBroadcast
)

func (v via) String() string {
	return [...]string{"multicast over IPv4", "multicast over IPv6", "broadcast"}[v]
}

func (v via) network() string {
	if v == viaMulticast6 {
		return "udp6"
	}
	return "udp4"
}

func (v via) port() uint16 {
	if v == viaBroadcast {
		return BroadcastPort
	}
	return multicastPort
}

// datagram is a packet from the net and how it came.
type datagram struct {
	data []byte
	from netip.AddrPort
	to   netip.Addr
	link int // index of the interface it came in by
	via  via
}

// transport is what the loop needs of a socket. Only read is called from
// another goroutine; it ends when the transport is closed.
type transport interface {
	join(nic *net.Interface) error
	send(nic *net.Interface, data []byte) error
	sendTo(to netip.AddrPort, data []byte) error
	read(out chan<- datagram) error
	close() error
}

// socket is one UDP socket for all interfaces. It shares its port with other
// programs on the machine. One goroutine reads it; all else is for the
// service's loop alone.
type socket struct {
	via  via
	conn *net.UDPConn
	p4   *ipv4.PacketConn // one of the two
	p6   *ipv6.PacketConn
}

// listen opens the socket. It is bound to no address, so it needs no network.
func listen(ctx context.Context, v via) (transport, error) {
	config := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) error {
		var failed error
		err := raw.Control(func(fd uintptr) { failed = sharePort(fd) })
		return errors.Join(err, failed)
	}}
	all := netip.IPv4Unspecified()
	if v == viaMulticast6 {
		all = netip.IPv6Unspecified()
	}
	pc, err := config.ListenPacket(ctx, v.network(), netip.AddrPortFrom(all, v.port()).String())
	if err != nil {
		return nil, fmt.Errorf("listening for %s: %w", v, err)
	}
	conn, ok := pc.(*net.UDPConn)
	if !ok { // never: that is what a UDP network gives
		return nil, errors.Join(fmt.Errorf("listening for %s: a %T", v, pc), pc.Close())
	}
	s := &socket{via: v, conn: conn}
	if v == viaMulticast6 {
		s.p6 = ipv6.NewPacketConn(conn)
		err = errors.Join(s.p6.SetMulticastHopLimit(255), s.p6.SetMulticastLoopback(true))
	} else {
		s.p4 = ipv4.NewPacketConn(conn)
		err = errors.Join(s.p4.SetMulticastTTL(255), s.p4.SetMulticastLoopback(true))
	}
	if err = errors.Join(err, s.wantOrigin()); err != nil {
		return nil, errors.Join(fmt.Errorf("preparing for %s: %w", v, err), conn.Close())
	}
	return s, nil
}

// join makes the socket hear the group on an interface. Joining anew is
// harmless and mends a membership that got lost with the interface.
func (s *socket) join(nic *net.Interface) error {
	var err error
	switch s.via {
	case viaMulticast4:
		group := &net.UDPAddr{IP: group4.AsSlice()}
		_ = s.p4.LeaveGroup(nic, group) // fails where it was not joined
		err = s.p4.JoinGroup(nic, group)
	case viaMulticast6:
		group := &net.UDPAddr{IP: group6.AsSlice()}
		_ = s.p6.LeaveGroup(nic, group) // fails where it was not joined
		err = s.p6.JoinGroup(nic, group)
	case viaBroadcast:
	}
	if err != nil {
		return fmt.Errorf("joining %s on %s: %w", s.via, nic.Name, err)
	}
	return nil
}

// send multicasts data on one interface.
func (s *socket) send(nic *net.Interface, data []byte) error {
	var err error
	var to netip.AddrPort
	if s.via == viaMulticast6 {
		err = s.p6.SetMulticastInterface(nic)
		to = netip.AddrPortFrom(group6.WithZone(nic.Name), multicastPort)
	} else {
		err = s.p4.SetMulticastInterface(nic)
		to = netip.AddrPortFrom(group4, multicastPort)
	}
	if err == nil {
		_, err = s.conn.WriteToUDPAddrPort(data, to)
	}
	if err != nil {
		return fmt.Errorf("sending by %s on %s: %w", s.via, nic.Name, err)
	}
	return nil
}

// sendTo sends data to one address, which may be that of a broadcast.
func (s *socket) sendTo(to netip.AddrPort, data []byte) error {
	if _, err := s.conn.WriteToUDPAddrPort(data, to); err != nil {
		return fmt.Errorf("sending to %s: %w", to, err)
	}
	return nil
}

func (s *socket) close() error { return s.conn.Close() }

// read hands packets to out until the socket is closed, or fails for good.
// While out is full, packets are dropped: the senders repeat themselves.
func (s *socket) read(out chan<- datagram) error {
	buffer := make([]byte, maxPacket+1)
	control := make([]byte, 256)
	failures := 0
	for {
		n, nc, _, from, err := s.conn.ReadMsgUDPAddrPort(buffer, control)
		if errors.Is(err, net.ErrClosed) {
			return err
		}
		if err != nil {
			// Some systems report here what became of a packet sent earlier.
			if failures++; failures == 20 {
				return fmt.Errorf("reading from %s: %w", s.via, err)
			}
			time.Sleep(20 * time.Millisecond)
			continue
		}
		failures = 0
		if n > maxPacket || !concerns(buffer[:n]) {
			continue
		}
		link, to := s.origin(control[:nc])
		d := datagram{
			data: append([]byte(nil), buffer[:n]...),
			from: netip.AddrPortFrom(from.Addr().Unmap().WithZone(""), from.Port()),
			to:   to,
			link: link,
			via:  s.via,
		}
		select {
		case out <- d:
		default:
		}
	}
}
