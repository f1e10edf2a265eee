// Package event is the bus on which facts travel from the core to whoever
// watches: the window, a running command.
//
// An event is the latest state of one thing, keyed by its kind and ID. A
// subscriber first gets everything that is known, then what changes; what it
// has not yet read is merged, so that it always reads the latest state and a
// slow one costs no more memory than there are things. Publish never blocks.
// Everything here may be called from any goroutine.
package event

import (
	"context"
	"sync"
)

// Kind is a family of events whose value is a T. Kinds are made once, as
// package variables, with a name that is unique in the program.
type Kind[T any] struct{ name string }

// NewKind returns the kind with that name.
func NewKind[T any](name string) Kind[T] { return Kind[T]{name: name} }

// Key identifies the thing that an event is about.
type Key struct {
	Kind string
	ID   string
}

// Event is the latest state of one thing.
type Event struct {
	Key
	// Gone is true if the thing is no more; Value is then its last state.
	Gone  bool
	Value any
}

// As returns the event's value if it is of kind k.
func As[T any](k Kind[T], e Event) (value T, ok bool) {
	if e.Kind != k.name {
		return value, false
	}
	value, ok = e.Value.(T)
	return value, ok
}

// Bus carries events to all subscriptions. Make one with NewBus.
type Bus struct {
	mu     sync.Mutex
	order  []Key // of latest, oldest first; may hold keys that are gone
	latest map[Key]any
	subs   map[*Subscription]struct{}
}

// NewBus returns an empty bus.
func NewBus() *Bus {
	return &Bus{latest: make(map[Key]any), subs: make(map[*Subscription]struct{})}
}

// Publish makes value the latest state of the thing id of kind k.
func Publish[T any](b *Bus, k Kind[T], id string, value T) {
	b.mu.Lock()
	defer b.mu.Unlock()
	key := Key{k.name, id}
	if _, known := b.latest[key]; !known {
		b.order = append(b.order, key)
	}
	b.latest[key] = value
	for s := range b.subs {
		s.put(Event{Key: key, Value: value})
	}
}

// Retract says that the thing id of kind k is no more. It does nothing if
// there was none.
func Retract[T any](b *Bus, k Kind[T], id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	key := Key{k.name, id}
	last, known := b.latest[key]
	if !known {
		return
	}
	delete(b.latest, key)
	b.compact()
	for s := range b.subs {
		s.put(Event{Key: key, Gone: true, Value: last})
	}
}

// compact forgets keys that are gone once they are most of the order.
func (b *Bus) compact() {
	if len(b.order) < 64 || len(b.order) < 2*len(b.latest) {
		return
	}
	kept := b.order[:0]
	seen := make(map[Key]bool, len(b.latest))
	for _, key := range b.order {
		if _, ok := b.latest[key]; ok && !seen[key] {
			seen[key] = true
			kept = append(kept, key)
		}
	}
	b.order = kept
}

// Subscribe starts a subscription that begins with a snapshot of the kinds
// named, or of all kinds if none is named. The caller ends it with Close.
func (b *Bus) Subscribe(kinds ...string) *Subscription {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := &Subscription{
		bus:     b,
		ready:   make(chan struct{}, 1),
		pending: make(map[Key]Event),
		told:    make(map[Key]struct{}),
	}
	for _, k := range kinds {
		if s.kinds == nil {
			s.kinds = make(map[string]bool)
		}
		s.kinds[k] = true
	}
	for _, key := range b.order {
		if value, ok := b.latest[key]; ok {
			s.put(Event{Key: key, Value: value})
		}
	}
	b.subs[s] = struct{}{}
	return s
}

// Name returns the kind's name, as Subscribe takes it.
func (k Kind[T]) Name() string { return k.name }

// Subscription collects events for one reader.
type Subscription struct {
	bus   *Bus
	kinds map[string]bool // nil: all
	ready chan struct{}   // holds one token while something is pending

	mu      sync.Mutex
	order   []Key
	pending map[Key]Event
	told    map[Key]struct{} // things that the reader has been told of
}

func (s *Subscription) put(e Event) {
	if s.kinds != nil && !s.kinds[e.Kind] {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, waiting := s.pending[e.Key]
	if e.Gone {
		if _, told := s.told[e.Key]; !told {
			// It came and went unread: there is nothing to tell.
			if waiting {
				delete(s.pending, e.Key)
				s.drop(e.Key)
			}
			return
		}
	}
	if !waiting {
		s.order = append(s.order, e.Key)
	}
	s.pending[e.Key] = e
	select {
	case s.ready <- struct{}{}:
	default:
	}
}

func (s *Subscription) drop(key Key) {
	for i, k := range s.order {
		if k == key {
			s.order = append(s.order[:i], s.order[i+1:]...)
			return
		}
	}
}

// Next waits until something is pending and returns all of it, each thing once
// in its latest state, in the order in which the things first changed. It
// returns the context's error when that ends. One goroutine reads at a time.
func (s *Subscription) Next(ctx context.Context) ([]Event, error) {
	for {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-s.ready:
		}
		if events := s.take(); len(events) > 0 {
			return events, nil
		}
	}
}

func (s *Subscription) take() []Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	events := make([]Event, 0, len(s.order))
	for _, key := range s.order {
		e := s.pending[key]
		events = append(events, e)
		if e.Gone {
			delete(s.told, key)
		} else {
			s.told[key] = struct{}{}
		}
	}
	s.order = s.order[:0]
	clear(s.pending)
	return events
}

// Close ends the subscription. Next must not be called afterwards.
func (s *Subscription) Close() {
	s.bus.mu.Lock()
	defer s.bus.mu.Unlock()
	delete(s.bus.subs, s)
}
