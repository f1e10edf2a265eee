package lab

// Drop has the host's firewall drop what matches each rule, in the words of nft:
// "input tcp dport 17685", "output udp dport 5353". An earlier Drop is taken
// back; without rules everything passes again.
func (h *Host) Drop(rules ...string) {
	h.lab.t.Helper()
	h.tool("nft", "add", "table", "inet", "lab")
	h.tool("nft", "delete", "table", "inet", "lab")
	if len(rules) == 0 {
		return
	}
	h.tool("nft", "add", "table", "inet", "lab")
	for _, hook := range []string{"input", "output"} {
		h.tool("nft", "add", "chain", "inet", "lab", hook, "{ type filter hook "+hook+" priority 0 ; }")
	}
	for _, rule := range rules {
		h.tool("nft", "add rule inet lab "+rule+" drop")
	}
}

// Route makes the host a router with masquerade, as a home router is: what other
// hosts send by it leaves by its interface nic under its own address there.
func (h *Host) Route(nic string) {
	h.lab.t.Helper()
	h.tool("sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward")
	h.tool("nft", "add", "table", "ip", "router")
	h.tool("nft", "add chain ip router out { type nat hook postrouting priority 100 ; }")
	h.tool("nft", "add rule ip router out oifname "+nic+" masquerade")
}
