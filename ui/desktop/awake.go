package desktop

import "sync"

// Awake keeps the computer from going to sleep by itself; the screen may go
// dark, and whoever wants it to sleep is not hindered. Where the desktop does
// not listen, nothing happens. The zero Awake holds nothing; any goroutine may
// call it, and only Close waits.
type Awake struct {
	mu     sync.Mutex
	reason string // what is wished: "" for nothing
	busy   bool   // follow runs
	work   sync.WaitGroup

	release func() // of follow alone; nil while nothing is held
}

// Hold keeps the computer awake until Release. The desktop shows the reason to
// whoever asks why: a few words such as "Sending files", never none. Holding
// twice is holding once.
func (a *Awake) Hold(reason string) { a.wish(reason) }

// Release lets the computer sleep again.
func (a *Awake) Release() { a.wish("") }

// Close releases and waits until the desktop knows.
func (a *Awake) Close() {
	a.Release()
	a.work.Wait()
}

func (a *Awake) wish(reason string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.reason = reason
	if !a.busy {
		a.busy = true
		a.work.Go(a.follow)
	}
}

// follow tells the desktop until it knows what was wished last.
func (a *Awake) follow() {
	for {
		a.mu.Lock()
		reason := a.reason
		a.busy = (reason != "") != (a.release != nil)
		done := !a.busy
		a.mu.Unlock()
		switch {
		case done:
			return
		case reason != "":
			a.release = keepAwake(reason)
		default:
			a.release()
			a.release = nil
		}
	}
}
