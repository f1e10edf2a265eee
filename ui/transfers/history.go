package transfers

import (
	"time"

	"github.com/potluck-share/potluck/ui/widget"
)

// fades is how long a graph is still shown after nothing moves any more.
const fades = 5 * time.Second

// history is what moved in the last minute, second by second. The zero value
// is ready.
type history struct {
	down, up widget.Series
	at       time.Time // of the latest samples
	rateDown float32   // since then
	rateUp   float32
	moved    time.Time // when something last did
}

// tell takes in the rates at a moment, and reports whether there are new
// samples.
func (h *history) tell(now time.Time, down, up float64) (grew bool) {
	if h.at.IsZero() {
		h.at = now
	}
	// Each second that has passed had the rates that were told before it.
	for n := 0; now.Sub(h.at) >= time.Second; n++ {
		if n == widget.GraphSeconds {
			h.at = now
			break
		}
		h.down.Push(h.rateDown)
		h.up.Push(h.rateUp)
		h.at = h.at.Add(time.Second)
		grew = true
	}
	h.rateDown, h.rateUp = float32(down), float32(up)
	if down >= 1 || up >= 1 {
		h.moved = now
	}
	return grew
}

// alive reports whether something moves, or did a moment ago.
func (h *history) alive(now time.Time) bool { return now.Sub(h.moved) < fades }
