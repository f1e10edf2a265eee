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
