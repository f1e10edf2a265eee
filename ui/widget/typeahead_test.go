package widget

import (
	"testing"
	"time"
)

func TestTypingJumpsToNames(t *testing.T) {
	l, _ := newTestList(t, []string{"Ana", "Ben", "bert ram", "Away", "Bob"})
	l.Heading = func(id string) bool { return id == "Away" }
	l.Label = func(id string) string { return id }
	clock := time.Unix(1e9, 0)
	l.now = func() time.Time { return clock }
	typed := func(text, want string) {
		t.Helper()
		for _, r := range text {
			l.TypedRune(r)
		}
		wantSelected(t, l, want)
	}
	pause := func() { clock = clock.Add(typingPause + 1) }
	typed("b", "Ben")
	typed("ERT R", "bert ram")
	pause()
	typed("b", "Bob")
	pause()
	typed("b", "Ben") // around
	pause()
	typed(" ", "Ben")
	typed("a", "Ana")
	pause()
	typed("aw", "Ana") // headings have no names
	pause()
	typed("zz", "Ana")
	l.Label = nil
	pause()
	typed("b", "Ana")
	l.SetIDs(nil)
	l.Label = func(id string) string { return id }
	l.TypedRune('b')
}
