package discovery

import (
	"net/netip"
	"slices"
	"testing"
	"time"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// exact is a schedule without randomness, begun at epoch.
func exact() *schedule {
	s := &schedule{jitter: func(time.Duration) time.Duration { return 0 }, patience: broadcastAfter}
	s.restart(epoch)
	return s
}

// times runs a schedule to an end and returns when, from epoch on, it does what
// is picked.
func times(s *schedule, end time.Duration, pick func(duties) bool) []time.Duration {
	var out []time.Duration
	for s.next().Sub(epoch) <= end {
		now := s.next()
		if pick(s.due(now)) {
			out = append(out, now.Sub(epoch))
		}
	}
	return out
}

func announces(d duties) bool  { return d.announce }
func queries(d duties) bool    { return d.query }
func broadcasts(d duties) bool { return d.broadcast }

func seconds(numbers ...int) []time.Duration {
	var out []time.Duration
	for _, n := range numbers {
		out = append(out, time.Duration(n)*time.Second)
	}
	return out
}

func TestRhythm(t *testing.T) {
	for name, test := range map[string]struct {
		pick func(duties) bool
		want []time.Duration
	}{
		"announces twice": {announces, seconds(0, 1)},
		"asks ever less":  {queries, seconds(0, 1, 4, 13, 40, 100, 160)},
		"broadcasts":      {broadcasts, seconds(10, 20, 40, 80, 140, 200)},
	} {
		if got := times(exact(), 200*time.Second, test.pick); !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

func TestMulticastEndsBroadcasts(t *testing.T) {
	s := exact()
	s.heardMulticast()
	if got := times(s, time.Hour, broadcasts); len(got) > 0 {
		t.Errorf("broadcasts at %v", got)
	}
	s.alone(epoch.Add(time.Hour))
	want := []time.Duration{time.Hour + 10*time.Second, time.Hour + 20*time.Second}
	if got := times(s, time.Hour+30*time.Second, broadcasts); !slices.Equal(got, want) {
		t.Errorf("alone again it broadcasts at %v, want %v", got, want)
	}
}

// settled is a schedule whose first announcements are a while ago.
func settled() (*schedule, time.Time) {
	s := exact()
	s.heardMulticast()
	now := epoch.Add(30 * time.Second)
	for !s.next().After(now) {
		s.due(s.next())
	}
	return s, now
}

func TestAnswersAreQuickAndRare(t *testing.T) {
	s, now := settled()
	from := netip.MustParseAddr("10.0.0.2")
	s.asked(now, inquiry{from: from})
	if got := s.next().Sub(now); got != answerDelay {
		t.Errorf("answers after %v, want %v", got, answerDelay)
	}
	// A flood for ten seconds.
	answers := 0
	for end := now.Add(10 * time.Second); now.Before(end); now = now.Add(time.Millisecond) {
		s.asked(now, inquiry{from: from})
		if s.due(now).announce {
			answers++
		}
	}
	if answers < 10 || answers > 13 {
		t.Errorf("%d answers in ten seconds, want a burst and then one a second", answers)
	}
}

func TestAnswerIsTakenBackForWhoKnowsUs(t *testing.T) {
	a, b := netip.MustParseAddr("10.0.0.2"), netip.MustParseAddr("10.0.0.3")
	for name, test := range map[string]struct {
		do   func(s *schedule, now time.Time)
		want bool
	}{
		"nobody else":  {func(s *schedule, _ time.Time) { s.knows(a) }, false},
		"another asks": {func(s *schedule, now time.Time) { s.asked(now, inquiry{from: b}); s.knows(a) }, true},
		"not the one":  {func(s *schedule, _ time.Time) { s.knows(b) }, true},
		"firm": {func(s *schedule, now time.Time) {
			s.asked(now, inquiry{from: b, firm: true})
			s.knows(a)
			s.knows(b)
		}, true},
	} {
		s, now := settled()
		s.asked(now, inquiry{from: a, truncated: true})
		if got := s.answerAt.Sub(now); got < truncatedDelay {
			t.Fatalf("answers after %v, without waiting for more", got)
		}
		test.do(s, now)
		if got := s.due(now.Add(time.Second)).announce; got != test.want {
			t.Errorf("%s: answers %v, want %v", name, got, test.want)
		}
	}
}

func TestAnAnnouncementIsAnAnswer(t *testing.T) {
	s := exact()
	s.due(epoch)
	s.asked(epoch.Add(990*time.Millisecond), inquiry{from: netip.MustParseAddr("10.0.0.2"), meta: true})
	if d := s.due(epoch.Add(time.Second)); !d.announce || !d.meta {
		t.Errorf("due are %+v", d)
	}
	if !s.answerAt.IsZero() {
		t.Error("the same is to be said once more")
	}
}

func TestAskingIsLimited(t *testing.T) {
	s, now := settled()
	asked := 0
	for end := now.Add(5 * time.Second); now.Before(end); now = now.Add(10 * time.Millisecond) {
		s.ask(now)
		if s.due(now).query {
			asked++
		}
	}
	if asked != 5 {
		t.Errorf("%d questions in five seconds, want 5", asked)
	}
}

func TestOthersAskForUs(t *testing.T) {
	s, now := settled() // asks at 40
	s.overheard(now)
	if got := s.next().Sub(epoch); got < 50*time.Second {
		t.Errorf("asks at %v although another just did", got)
	}
	for end := now.Add(time.Hour); now.Before(end); now = now.Add(time.Second) {
		s.overheard(now)
		if s.due(now).query {
			if got := now.Sub(epoch); got < longestSilence {
				t.Errorf("asks at %v", got)
			}
			return
		}
	}
	t.Error("never asks itself")
}
