package discovery

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"strconv"
	"syscall"

	"golang.org/x/sys/windows"
)

// Both families number the option for the origin of packets alike.
const packetInfo = 19

// sharePort lets other responders on the machine have the same port.
func sharePort(fd uintptr) error {
	return windows.SetsockoptInt(windows.Handle(fd), windows.SOL_SOCKET, windows.SO_REUSEADDR, 1)
}

// wantOrigin makes the system tell by which interface each packet came and to
// which address it was sent.
func (s *socket) wantOrigin() error {
	raw, err := s.conn.SyscallConn()
	if err != nil {
		return err
	}
	level := syscall.IPPROTO_IP
	if s.p6 != nil {
		level = syscall.IPPROTO_IPV6
	}
	var failed error
	err = raw.Control(func(fd uintptr) {
		failed = windows.SetsockoptInt(windows.Handle(fd), level, packetInfo, 1)
	})
	return errors.Join(err, failed)
}

// origin reads what wantOrigin asked for. An unknown interface is 0, an
// unknown address is not valid. golang.org/x/net does not do this on Windows.
//
// A control message is its length (a size_t), level and type (32 bits each),
// then the address and the interface's index (32 bits).
func (s *socket) origin(control []byte) (link int, to netip.Addr) {
	const word = strconv.IntSize / 8
	const header = word + 8
	level, size := uint32(syscall.IPPROTO_IP), 4
	if s.p6 != nil {
		level, size = syscall.IPPROTO_IPV6, 16
	}
	for len(control) >= header {
		length := uint64(binary.NativeEndian.Uint32(control))
		if word == 8 {
			length = binary.NativeEndian.Uint64(control)
		}
		if length < header || length > uint64(len(control)) {
			break
		}
		data := control[header:length]
		if binary.NativeEndian.Uint32(control[word:]) == level &&
			binary.NativeEndian.Uint32(control[word+4:]) == packetInfo && len(data) >= size+4 {
			to, _ = netip.AddrFromSlice(data[:size])
			return int(binary.NativeEndian.Uint32(data[size:])), to.Unmap()
		}
		aligned := (length + word - 1) &^ (word - 1)
		if aligned > uint64(len(control)) {
			break
		}
		control = control[aligned:]
	}
	return 0, netip.Addr{}
}
