package transfers

import (
	"time"

	"github.com/potluck-share/potluck/app/domain"
)

// remindedOf is how long a running download tells that somebody sent damaged
// data.
const remindedOf = 15 * time.Second

// sum adds up how far a running download is, and why it does not move if there
// is a reason. The lock is held.
func (t *Transfers) sum(d *transfer, now time.Time) {
	done, providers := d.here(), 0
	var checking bool
	var checked, toCheck int64
	for i, p := range d.flight {
		if d.Files[i].Skipped {
			continue
		}
		providers = max(providers, p.Providers)
		if p.Checking {
			checking = true
			checked += p.Checked
			toCheck += d.Files[i].Size
		}
		if p.Damaged != "" && p.Damaged != d.liar {
			d.liar, d.lied = p.Damaged, now
		}
	}
	d.Done, d.Providers = done, providers
	d.Rate = d.rate.add(now, done)
	t.tellServed(d, now)
	t.lineUp(d)
	switch {
	case checking && providers == 0:
		d.Reason = checkingReason(checked, toCheck)
	case d.liar != "" && now.Sub(d.lied) < remindedOf:
		d.Reason = t.damagedReason(d, providers)
	case d.line > 0:
		d.Reason = t.lineReason(d)
	default:
		d.Reason = domain.Saying{}
	}
}

// lineUp notes whether d only waits in the queues of those who have it. The
// lock is held.
func (t *Transfers) lineUp(d *transfer) {
	was := d.line
	d.line, d.lineOf = 0, ""
	if d.Providers > 0 {
		return
	}
	for _, f := range d.flight {
		for _, s := range f.From {
			if s.Queue > 0 && (d.line == 0 || s.Queue < d.line) {
				d.line, d.lineOf = s.Queue, s.Peer
			}
		}
	}
	if was == 0 && d.line > 0 {
		t.serve() // another one may run meanwhile
	}
}

// checkingReason says how far looking through what is here has come.
func checkingReason(done, size int64) domain.Saying {
	if done < 0 || size <= 0 {
		return domain.Say("Checking what's already here…")
	}
	return domain.Say("Checking what's already here… %s %%", int(min(100, 100*done/size)))
}

// Runs reports whether a download that was asked of the peer runs at this
// moment.
func (t *Transfers) Runs(peer domain.PeerID) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, d := range t.all {
		if d.State == domain.Running && d.Peer == peer {
			return true
		}
	}
	return false
}
