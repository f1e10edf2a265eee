package partial

import (
	"slices"
	"time"
)

// A flush begins this long after the last one, or when so much was put, so
// that a power cut costs no more than that.
const (
	flushEvery       = 5 * time.Second
	flushBytes int64 = 256 << 20
	// lookEvery is how often it is looked whether the part is still where it
	// was.
	lookEvery = time.Second
)

// flushLoop flushes beside the writing until the File ends.
func (f *File) flushLoop() {
	ticker := time.NewTicker(flushEvery)
	defer ticker.Stop()
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		select {
		case <-f.stop:
			return
		case <-look.C:
			f.look()
			continue
		case <-ticker.C:
		case <-f.kick:
		}
		_ = f.Sync() // Put tells of the failure
	}
}

// look makes the next Put fail if the part is not where it was any more, as
// when its folder was moved away: bytes can still be written to it.
func (f *File) look() {
	f.access.RLock()
	defer f.access.RUnlock()
	if f.part == nil {
		return
	}
	if _, there := f.place.leads(f.part); !there {
		_ = f.fail("writing", errMoved) // Put tells of it
	}
}

// endFlusher ends the flusher and waits for it.
func (f *File) endFlusher() {
	f.once.Do(func() { close(f.stop) })
	f.flusher.Wait()
}

// Sync flushes what was put so far, then notes it in the sidecar. It is called
// by itself in time; pieces may be put meanwhile. After a failure the File
// takes no more pieces and should be closed.
func (f *File) Sync() error {
	f.flushing.Lock()
	defer f.flushing.Unlock()
	f.access.RLock()
	defer f.access.RUnlock()
	if f.part == nil {
		return f.errorf("flushing", errClosed)
	}
	return f.flush(false)
}

// flush is Sync for a caller who holds flushing and access. clean says that
// nothing is put meanwhile nor will be later.
func (f *File) flush(clean bool) error {
	f.mu.Lock()
	have, dirty, failed := slices.Clone(f.have), f.dirty, f.failed
	f.dirty = 0
	f.mu.Unlock()
	if failed != nil {
		return failed
	}
	if dirty == 0 && !clean {
		return nil
	}
	if err := f.flushParts(have, dirty, clean); err != nil {
		return f.fail("flushing", err)
	}
	return nil
}

// fail keeps the File from taking or finishing anything before it is opened,
// and so checked, anew.
func (f *File) fail(doing string, err error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failed = f.errorf(doing, err)
	return f.failed
}

// flushParts flushes the part before the sidecar, whose bitmap is never ahead.
func (f *File) flushParts(have bitmap, dirty int64, clean bool) error {
	if dirty > 0 {
		if err := f.part.Sync(); err != nil {
			return err
		}
	}
	if f.side == nil {
		return nil
	}
	info, err := f.part.Stat()
	if err != nil {
		return err
	}
	return f.side.write(f.place, state{have: have, length: info.Size(), modified: info.ModTime(), clean: clean})
}
