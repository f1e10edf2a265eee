package transfers

import (
	"testing"
	"time"

	"github.com/potluck-share/potluck/ui/widget"
)

func TestHistoryHasASampleEachSecond(t *testing.T) {
	var h history
	at := now
	step := func(passed time.Duration, down, up float64) bool {
		at = at.Add(passed)
		return h.tell(at, down, up)
	}
	last := func(n int) []float32 { return h.down[widget.GraphSeconds-n:] }
	if step(0, 10, 1) || step(500*time.Millisecond, 20, 2) {
		t.Error("a sample before a second is over")
	}
	if !step(500*time.Millisecond, 30, 3) || last(1)[0] != 20 || h.up[widget.GraphSeconds-1] != 2 {
		t.Errorf("after a second: %v", last(3))
	}
	step(3*time.Second, 0, 0)
	if got := last(4); got[0] != 20 || got[1] != 30 || got[3] != 30 {
		t.Errorf("after three more seconds: %v", got)
	}
	if !h.alive(at) || h.alive(at.Add(fades)) {
		t.Error("it is shown for too short or too long")
	}
	step(time.Hour, 40, 0)
	if h.down.Max() != 0 || !h.alive(at) {
		t.Errorf("an hour later: %v", h.down)
	}
	step(time.Second, 40, 0)
	if last(1)[0] != 40 {
		t.Errorf("a second later: %v", last(1))
	}
}
