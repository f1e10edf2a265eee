package event_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/event"
)

var (
	numbers = event.NewKind[int]("number")
	words   = event.NewKind[string]("word")
)

func next(t *testing.T, s *event.Subscription) []event.Event {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	events, err := s.Next(ctx)
	if err != nil {
		t.Fatal("nothing came:", err)
	}
	return events
}

func nothing(t *testing.T, s *event.Subscription) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if events, err := s.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("got %v, %v; want nothing", events, err)
	}
}

func text(events []event.Event) string {
	var all string
	for _, e := range events {
		gone := ""
		if e.Gone {
			gone = "gone "
		}
		all += fmt.Sprintf("%s%s/%s=%v;", gone, e.Kind, e.ID, e.Value)
	}
	return all
}

func TestSubscriberGetsSnapshotFirstThenLatestStates(t *testing.T) {
	bus := event.NewBus()
	event.Publish(bus, numbers, "a", 1)
	event.Publish(bus, words, "w", "x")
	event.Publish(bus, numbers, "a", 2)
	s := bus.Subscribe()
	defer s.Close()
	if got, want := text(next(t, s)), "number/a=2;word/w=x;"; got != want {
		t.Errorf("snapshot %q, want %q", got, want)
	}
	for i := range 1000 {
		event.Publish(bus, numbers, "a", i)
		event.Publish(bus, numbers, "b", -i)
	}
	if got, want := text(next(t, s)), "number/a=999;number/b=-999;"; got != want {
		t.Errorf("merged %q, want %q", got, want)
	}
	nothing(t, s)
}

func TestGoneIsToldOnceToThoseWhoKnew(t *testing.T) {
	bus := event.NewBus()
	event.Publish(bus, numbers, "a", 1)
	s := bus.Subscribe()
	defer s.Close()
	next(t, s)
	event.Retract(bus, numbers, "a")
	event.Retract(bus, numbers, "a")
	if got, want := text(next(t, s)), "gone number/a=1;"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	event.Publish(bus, numbers, "b", 1)
	event.Retract(bus, numbers, "b")
	nothing(t, s)
	event.Publish(bus, numbers, "a", 3)
	event.Retract(bus, numbers, "a")
	event.Publish(bus, numbers, "a", 4)
	if got, want := text(next(t, s)), "number/a=4;"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestOnlyTheKindsAskedFor(t *testing.T) {
	bus := event.NewBus()
	s := bus.Subscribe(words.Name())
	defer s.Close()
	event.Publish(bus, numbers, "a", 1)
	event.Publish(bus, words, "w", "x")
	events := next(t, s)
	if got, want := text(events), "word/w=x;"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if v, ok := event.As(words, events[0]); !ok || v != "x" {
		t.Errorf("As gave %q, %v", v, ok)
	}
	if _, ok := event.As(numbers, events[0]); ok {
		t.Error("As took a word for a number")
	}
}

// A subscriber that never reads must cost no more than there are things.
func TestThingsThatComeAndGoLeaveNothing(t *testing.T) {
	bus := event.NewBus()
	s := bus.Subscribe()
	defer s.Close()
	for i := range 10_000 {
		id := fmt.Sprint(i)
		event.Publish(bus, numbers, id, i)
		event.Retract(bus, numbers, id)
	}
	nothing(t, s)
	event.Publish(bus, numbers, "last", 1)
	if got, want := text(next(t, s)), "number/last=1;"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	late := bus.Subscribe()
	defer late.Close()
	if got, want := text(next(t, late)), "number/last=1;"; got != want {
		t.Errorf("snapshot %q, want %q", got, want)
	}
}

func TestPublishersAndReadersTogether(t *testing.T) {
	bus := event.NewBus()
	s := bus.Subscribe()
	defer s.Close()
	const last = 5000
	for p := range 4 {
		go func() {
			for i := 1; i <= last; i++ {
				event.Publish(bus, numbers, fmt.Sprint(p), i)
			}
		}()
	}
	reached := map[string]int{}
	for done := 0; done < 4; {
		for _, e := range next(t, s) {
			v, _ := event.As(numbers, e)
			if v < reached[e.ID] {
				t.Fatalf("%s went back from %d to %d", e.ID, reached[e.ID], v)
			}
			reached[e.ID] = v
			if v == last {
				done++
			}
		}
	}
}
