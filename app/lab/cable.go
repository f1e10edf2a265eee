package lab

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Connect gives the host an interface of that name, plugged into a switch
// (which is made if there is none of that name), up, with the address given in
// CIDR form. An empty address leaves it without one, as a host is whose
// network has not come yet.
func (h *Host) Connect(toSwitch, nic, address string) {
	h.lab.t.Helper()
	h.lab.bridge(toSwitch)
	h.lab.ports++
	port := fmt.Sprintf("port%d", h.lab.ports)
	s := h.lab.switches
	s.IP("link", "add", port, "type", "veth", "peer", "name", nic, "netns", fmt.Sprint(h.pid))
	s.IP("link", "set", port, "master", toSwitch, "up")
	h.nics[nic] = port
	h.SetLinkOf(nic, true)
	if address != "" {
		h.AddAddress(nic, address)
	}
}

// AddAddress gives an interface an address in CIDR form.
func (h *Host) AddAddress(nic, address string) {
	h.lab.t.Helper()
	h.IP("address", "add", address, "broadcast", "+", "dev", nic)
}

// RemoveAddress takes an address in CIDR form from an interface.
func (h *Host) RemoveAddress(nic, address string) {
	h.lab.t.Helper()
	h.IP("address", "del", address, "dev", nic)
}

// SetLink switches the host's interface eth0 on or off, as its user would.
// Its routes are lost with it, but for the one for multicast.
func (h *Host) SetLink(up bool) {
	h.lab.t.Helper()
	h.SetLinkOf("eth0", up)
}

// SetLinkOf is SetLink for another interface.
func (h *Host) SetLinkOf(nic string, up bool) {
	h.lab.t.Helper()
	if !up {
		h.IP("link", "set", nic, "down")
		return
	}
	h.IP("link", "set", nic, "up")
	h.IP("route", "replace", "224.0.0.0/4", "dev", nic, "metric", fmt.Sprint(len(h.nics)))
}

// SetCable plugs the cable of the interface eth0 in or pulls it: the host
// keeps its addresses and routes but loses the carrier.
func (h *Host) SetCable(plugged bool) {
	h.lab.t.Helper()
	state := "down"
	if plugged {
		state = "up"
	}
	h.lab.switches.IP("link", "set", h.port("eth0"), state)
}

// SetMulticast lets the switch pass multicast on to the host's eth0, or eat it
// as some do.
func (h *Host) SetMulticast(passes bool) {
	h.lab.t.Helper()
	flood := "off"
	if passes {
		flood = "on"
	}
	h.lab.switches.IP("link", "set", h.port("eth0"), "type", "bridge_slave", "mcast_flood", flood)
}

// SetRate limits what the interface eth0 sends and what it receives to so many
// bits per second each, at both ends of its cable; 0 takes the limit away. One
// TCP connection carries about 95 % of it: the queue holds 20 ms, as that of a
// switch does, and the burst lets the largest packets of the kernel through.
func (h *Host) SetRate(bitsPerSecond int64) {
	h.lab.t.Helper()
	h.shape("eth0", bitsPerSecond)
	h.lab.switches.shape(h.port("eth0"), bitsPerSecond)
}

// shape limits what an interface sends; 0 takes the limit away.
func (h *Host) shape(nic string, bitsPerSecond int64) {
	h.lab.t.Helper()
	if bitsPerSecond > 0 {
		h.tool("tc", "qdisc", "replace", "dev", nic, "root", "tbf",
			"rate", fmt.Sprintf("%dbit", bitsPerSecond), "burst", "128kb", "latency", "20ms")
		return
	}
	// An interface without a limit has nothing to delete, which tc calls an error.
	if strings.Contains(h.tool("tc", "qdisc", "show", "dev", nic), " tbf ") {
		h.tool("tc", "qdisc", "del", "dev", nic, "root")
	}
}

// Sent returns how many bytes the interface eth0 has sent since it was made,
// the headers of Ethernet, IP and TCP included.
func (h *Host) Sent() int64 {
	h.lab.t.Helper()
	return h.counter(8)
}

// Received is Sent for what has come in.
func (h *Host) Received() int64 {
	h.lab.t.Helper()
	return h.counter(0)
}

// counter returns a column of eth0 in the host's /proc/net/dev.
func (h *Host) counter(column int) int64 {
	h.lab.t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/dev", h.pid))
	if err != nil {
		h.lab.t.Fatalf("lab: counters of %s: %v", h.name, err)
	}
	for line := range strings.Lines(string(b)) {
		nic, counters, _ := strings.Cut(line, ":")
		if fields := strings.Fields(counters); strings.TrimSpace(nic) == "eth0" && len(fields) > column {
			n, err := strconv.ParseInt(fields[column], 10, 64)
			if err != nil {
				h.lab.t.Fatalf("lab: counters of %s: %v in %q", h.name, err, line)
			}
			return n
		}
	}
	h.lab.t.Fatalf("lab: %s has no eth0 in %q", h.name, b)
	return 0
}

// port returns the switch's port that an interface is plugged into.
func (h *Host) port(nic string) string {
	h.lab.t.Helper()
	port, ok := h.nics[nic]
	if !ok {
		h.lab.t.Fatalf("lab: %s has no %s", h.name, nic)
	}
	return port
}
