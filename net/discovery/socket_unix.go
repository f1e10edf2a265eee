//go:build unix

package discovery

import (
	"errors"
	"net/netip"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
	"golang.org/x/sys/unix"
)

// sharePort lets other responders on the machine have the same port. Some
// systems ask for the one option, some for the other.
func sharePort(fd uintptr) error {
	return errors.Join(
		unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEADDR, 1),
		unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1))
}

// wantOrigin makes the system tell by which interface each packet came and to
// which address it was sent.
func (s *socket) wantOrigin() error {
	if s.p6 != nil {
		return s.p6.SetControlMessage(ipv6.FlagInterface|ipv6.FlagDst, true)
	}
	return s.p4.SetControlMessage(ipv4.FlagInterface|ipv4.FlagDst, true)
}

// origin reads what wantOrigin asked for. An unknown interface is 0, an
// unknown address is not valid.
func (s *socket) origin(control []byte) (link int, to netip.Addr) {
	if s.p6 != nil {
		var m ipv6.ControlMessage
		if m.Parse(control) != nil {
			return 0, netip.Addr{}
		}
		to, _ = netip.AddrFromSlice(m.Dst)
		return m.IfIndex, to.Unmap()
	}
	var m ipv4.ControlMessage
	if m.Parse(control) != nil {
		return 0, netip.Addr{}
	}
	to, _ = netip.AddrFromSlice(m.Dst)
	return m.IfIndex, to.Unmap()
}
