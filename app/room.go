package app

import (
	"sync"
	"time"

	"github.com/potluck-share/potluck/storage/disk"
)

const (
	// roomFor is how long it is taken as known how much room there is.
	roomFor = time.Second
	// roomWait is how long a fresh answer is waited for.
	roomWait = 50 * time.Millisecond
)

// room knows how much may still be written where the downloads go. The question
// is asked in the background, for a drive on the network may not answer.
type room struct {
	// measure is disk.Free if nil.
	measure func(folder string) (int64, error)

	mu     sync.Mutex
	folder string
	bytes  int64
	at     time.Time
	asking chan struct{} // closed when the answer has come; nil while nothing is asked
}

// free returns the free bytes where the folder lies: the last answer that has
// come, -1 if none has.
func (r *room) free(folder string) int64 {
	if asking := r.ask(folder); asking != nil {
		patience := time.NewTimer(roomWait)
		defer patience.Stop()
		select {
		case <-asking:
		case <-patience.C:
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.folder != folder {
		return -1 // it was changed meanwhile
	}
	return r.bytes
}

// ask returns what is closed when the answer on its way has come, nil if the
// last one is good enough.
func (r *room) ask(folder string) <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.folder != folder {
		r.folder, r.bytes, r.at, r.asking = folder, -1, time.Time{}, nil
	}
	if r.asking == nil && time.Since(r.at) > roomFor {
		r.asking = make(chan struct{})
		// Nobody waits for its end: it may never come.
		go r.look(folder, r.asking)
	}
	return r.asking
}

func (r *room) look(folder string, asking chan struct{}) {
	measure := r.measure
	if measure == nil {
		measure = disk.Free
	}
	bytes, err := measure(folder)
	if err != nil {
		bytes = -1
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	defer close(asking)
	if r.asking == asking {
		r.bytes, r.at, r.asking = bytes, time.Now(), nil
	}
}
