// Package work takes slow calls off the window's thread and brings their
// results back to it.
package work

import (
	"context"
	"sync"
	"time"
)

// Runner runs tasks off the UI thread. It owns the goroutines it starts. Make
// one with New or Inline; its methods may be called from any goroutine.
type Runner struct {
	ctx    context.Context
	cancel context.CancelFunc
	do     func(func()) // runs a function on the UI thread; nil: everything inline

	mu     sync.Mutex
	closed bool
	tasks  sync.WaitGroup
}

// New returns a runner whose tasks' contexts end with ctx or Close. The
// function do hands another one to the UI thread without waiting for it.
func New(ctx context.Context, do func(func())) *Runner {
	ctx, cancel := context.WithCancel(ctx)
	return &Runner{ctx: ctx, cancel: cancel, do: do}
}

// Inline returns a runner that does everything at once on the caller's
// goroutine, delays left out. It is for tests.
func Inline() *Runner {
	ctx, cancel := context.WithCancel(context.Background())
	return &Runner{ctx: ctx, cancel: cancel}
}

// Go runs task off the UI thread and then what it returns, unless that is nil,
// on the UI thread. After Close it does nothing.
func (r *Runner) Go(task func(ctx context.Context) func()) {
	r.After(0, task)
}

// After is Go after a delay. The function that it returns stops a task that
// has not begun.
func (r *Runner) After(delay time.Duration, task func(ctx context.Context) func()) (stop func()) {
	if r.do == nil {
		if then := task(r.ctx); then != nil {
			then()
		}
		return func() {}
	}
	ctx, cancel := context.WithCancel(r.ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		cancel()
		return cancel
	}
	begun := make(chan struct{})
	stopped := make(chan struct{})
	var once sync.Once
	r.tasks.Add(1)
	go func() {
		defer r.tasks.Done()
		defer cancel()
		if delay > 0 {
			timer := time.NewTimer(delay)
			defer timer.Stop()
			select {
			case <-timer.C:
			case <-stopped:
				return
			case <-ctx.Done():
				return
			}
		}
		close(begun)
		if then := task(ctx); then != nil && ctx.Err() == nil {
			r.do(then)
		}
	}()
	return func() {
		select {
		case <-begun:
		default:
			once.Do(func() { close(stopped) })
		}
	}
}

// Do runs f on the UI thread, soon.
func (r *Runner) Do(f func()) {
	if r.do == nil {
		f()
		return
	}
	if r.ctx.Err() == nil {
		r.do(f)
	}
}

// Close ends the contexts of all tasks and waits for them.
func (r *Runner) Close() {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.cancel()
	r.tasks.Wait()
}
