package transfers

import "time"

// SettleFor sets how long a free place is kept for the first in the order.
func SettleFor(t *Transfers, d time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.places.settling = d
}
