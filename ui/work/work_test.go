package work

import (
	"context"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// loop stands in for the UI thread: one goroutine that runs what it is given.
func loop(t *testing.T) func(func()) {
	queue := make(chan func(), 16)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for f := range queue {
			f()
		}
	}()
	t.Cleanup(func() { close(queue); <-done })
	return func(f func()) { queue <- f }
}

func TestResultsComeBackOnTheThread(t *testing.T) {
	r := New(context.Background(), loop(t))
	got := make(chan int, 1)
	r.Go(func(context.Context) func() { return func() { got <- 1 } })
	if v := <-got; v != 1 {
		t.Errorf("got %d", v)
	}
	r.Close()
}

func TestCloseEndsAndWaits(t *testing.T) {
	r := New(context.Background(), loop(t))
	ended := false
	begun := make(chan struct{})
	r.Go(func(ctx context.Context) func() {
		close(begun)
		<-ctx.Done()
		ended = true
		return func() { t.Error("a result came after Close") }
	})
	<-begun
	r.Close()
	if !ended {
		t.Error("Close did not wait")
	}
	r.Go(func(context.Context) func() { t.Error("ran after Close"); return nil })
}

func TestStoppedTaskNeverBegins(t *testing.T) {
	r := New(context.Background(), loop(t))
	stop := r.After(time.Hour, func(context.Context) func() { t.Error("ran"); return nil })
	stop()
	stop()
	finished := make(chan struct{})
	go func() { r.tasks.Wait(); close(finished) }()
	select {
	case <-finished:
	case <-time.After(5 * time.Second):
		t.Error("the stopped task still waits")
	}
	r.Close()
}
