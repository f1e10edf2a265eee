package lab

import "fmt"

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

// port returns the switch's port that an interface is plugged into.
func (h *Host) port(nic string) string {
	h.lab.t.Helper()
	port, ok := h.nics[nic]
	if !ok {
		h.lab.t.Fatalf("lab: %s has no %s", h.name, nic)
	}
	return port
}
