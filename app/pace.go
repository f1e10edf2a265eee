package app

import (
	"context"
	"sync"
	"time"

	"github.com/potluck-share/potluck/app/domain"
)

// paceEvery is how often it is looked whether slow hours begin or end. No timer
// is set for that moment: clocks are put right, and computers sleep.
const paceEvery = time.Second

// pace sets the limits of speed as the settings and the time of day say.
type pace struct {
	now    func() time.Time
	values func() domain.Settings
	set    func(upload, download int64)

	mu sync.Mutex // so that an older look does not overtake a newer one
}

// apply sets what holds now. Any goroutine may call it.
func (p *pace) apply() {
	p.mu.Lock()
	defer p.mu.Unlock()
	values := p.values()
	p.set(values.LimitsAt(p.now()))
}

// start keeps the limits right until ctx ends or the returned function is
// called, which waits until nothing is set any more.
func (p *pace) start(ctx context.Context) (stop func() error) {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() {
		tick := time.NewTicker(paceEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				p.apply()
			}
		}
	})
	return func() error {
		cancel()
		running.Wait()
		return nil
	}
}
