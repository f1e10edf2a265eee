package discovery

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
)

// readGateways returns the default routes of IPv4 and what hardware addresses
// are known of their gateways.
func readGateways() ([]gateway, error) {
	routes, err := os.Open("/proc/net/route")
	if err != nil {
		return nil, fmt.Errorf("reading the routes: %w", err)
	}
	list, err := parseRoutes(routes)
	_ = routes.Close() // it was only read
	if err != nil {
		return nil, fmt.Errorf("reading the routes: %w", err)
	}
	if !slices.ContainsFunc(list, func(g gateway) bool { return g.address.IsValid() }) {
		return list, nil
	}
	neighbours, err := os.Open("/proc/net/arp")
	if err != nil {
		return list, fmt.Errorf("reading the neighbours: %w", err)
	}
	err = parseNeighbours(neighbours, list)
	_ = neighbours.Close() // it was only read
	if err != nil {
		return list, fmt.Errorf("reading the neighbours: %w", err)
	}
	return list, nil
}

// parseRoutes reads the kernel's table of routes: interface, destination,
// gateway, flags, two counters, metric, mask, …, with each address in hex as if
// it were a number of this machine.
func parseRoutes(r io.Reader) ([]gateway, error) {
	var list []gateway
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		if len(f) < 8 || f[1] != "00000000" || f[7] != "00000000" {
			continue
		}
		const up, reject = 0x1, 0x200
		flags, err := strconv.ParseUint(f[3], 16, 32)
		if err != nil || flags&up == 0 || flags&reject != 0 {
			continue
		}
		metric, err := strconv.Atoi(f[6])
		if err != nil {
			continue
		}
		g := gateway{link: f[0], metric: metric}
		if raw, err := strconv.ParseUint(f[2], 16, 32); err == nil && raw != 0 {
			var bytes [4]byte
			binary.NativeEndian.PutUint32(bytes[:], uint32(raw))
			g.address = netip.AddrFrom4(bytes)
		}
		list = append(list, g)
	}
	return list, lines.Err()
}

// parseNeighbours fills in the hardware addresses of the gateways from the
// kernel's table: address, type, flags, hardware address, mask, interface.
func parseNeighbours(r io.Reader, gateways []gateway) error {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		if len(f) < 6 {
			continue
		}
		addr, err := netip.ParseAddr(f[0])
		if err != nil || f[3] == "00:00:00:00:00:00" {
			continue
		}
		const complete = 0x2
		if flags, err := strconv.ParseUint(strings.TrimPrefix(f[2], "0x"), 16, 32); err != nil || flags&complete == 0 {
			continue
		}
		for i := range gateways {
			if gateways[i].address == addr && gateways[i].link == f[5] {
				gateways[i].hardware = strings.ToLower(f[3])
			}
		}
	}
	return lines.Err()
}
