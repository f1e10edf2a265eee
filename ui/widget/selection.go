package widget

import (
	"maps"
	"slices"
)

// Selection is a set of rows, known by their IDs so that it survives every
// change of order, with a cursor for the keyboard and the anchor of a range.
// The zero value is empty.
type Selection struct {
	set    map[string]int // of which only the keys count
	lent   bool           // set is places, and must not be changed
	anchor string
	cursor string
	// places are those of the IDs that are given to the methods. Nil: the IDs
	// are searched.
	places map[string]int
}

// Has reports whether id is selected.
func (s *Selection) Has(id string) bool {
	_, ok := s.set[id]
	return ok
}

// Len returns how many are selected.
func (s *Selection) Len() int { return len(s.set) }

// Cursor returns where the keyboard is; empty if nowhere.
func (s *Selection) Cursor() string { return s.cursor }

// In returns what is selected in the order of ids.
func (s *Selection) In(ids []string) []string {
	switch {
	case len(s.set) == 0:
		return nil
	case s.lent && len(s.set) == len(ids):
		return slices.Clone(ids)
	case s.few(ids):
		return s.fewIn(ids)
	}
	selected := make([]string, 0, len(s.set))
	for _, id := range ids {
		if s.Has(id) {
			selected = append(selected, id)
		}
	}
	return selected
}

// few reports whether it is quicker to look for what is selected than to look
// through ids.
func (s *Selection) few(ids []string) bool { return s.places != nil && len(s.set) < len(ids)/16 }

// fewIn is In for few.
func (s *Selection) fewIn(ids []string) []string {
	places := make([]int, 0, len(s.set))
	for id := range s.set {
		if at := s.index(ids, id); at >= 0 {
			places = append(places, at)
		}
	}
	slices.Sort(places)
	selected := make([]string, len(places))
	for i, at := range places {
		selected[i] = ids[at]
	}
	return selected
}

// index returns the place of id in ids, -1 if it is not there.
func (s *Selection) index(ids []string, id string) int {
	if s.places == nil || id == "" {
		return index(ids, id)
	}
	if at, ok := s.places[id]; ok {
		return at
	}
	return -1
}

// become replaces what is selected.
func (s *Selection) become(set map[string]int) { s.set, s.lent = set, false }

// own makes sure that what is selected may be changed.
func (s *Selection) own() {
	if s.lent {
		s.become(maps.Clone(s.set))
	}
}

// Only selects id alone.
func (s *Selection) Only(id string) {
	s.become(map[string]int{id: 0})
	s.anchor, s.cursor = id, id
}

// Toggle adds id or takes it away.
func (s *Selection) Toggle(id string) {
	s.own()
	if s.Has(id) {
		delete(s.set, id)
	} else {
		if s.set == nil {
			s.set = make(map[string]int)
		}
		s.set[id] = 0
	}
	s.anchor, s.cursor = id, id
}

// Extend selects everything in ids from the anchor to id, and nothing else.
func (s *Selection) Extend(ids []string, id string) {
	from, to := s.index(ids, s.anchor), s.index(ids, id)
	if from < 0 || to < 0 {
		s.Only(id)
		return
	}
	if from > to {
		from, to = to, from
	}
	s.become(make(map[string]int, to-from+1))
	for _, in := range ids[from : to+1] {
		s.set[in] = 0
	}
	s.cursor = id
}

// Keep makes id part of what a context menu acts on: the selection stays if
// id is in it, else id alone is selected.
func (s *Selection) Keep(id string) {
	if s.Has(id) {
		s.cursor = id
		return
	}
	s.Only(id)
}

// All selects everything.
func (s *Selection) All(ids []string) {
	if len(s.places) == len(ids) && len(ids) > 0 {
		s.set, s.lent = s.places, true
	} else {
		s.become(make(map[string]int, len(ids)))
		for _, id := range ids {
			s.set[id] = 0
		}
	}
	if s.cursor == "" && len(ids) > 0 {
		s.anchor, s.cursor = ids[0], ids[0]
	}
}

// Clear selects nothing and leaves the cursor.
func (s *Selection) Clear() { s.become(nil) }

// Move moves the cursor by delta rows, or to the first row if it is nowhere,
// and returns its row, or -1 if there is none. With extend it selects from the
// anchor to there, else only that row.
func (s *Selection) Move(ids []string, delta int, extend bool) int {
	if len(ids) == 0 {
		return -1
	}
	at := s.index(ids, s.cursor)
	switch {
	case at >= 0:
		at = min(max(at+delta, 0), len(ids)-1)
	case delta <= -len(ids): // to the first one
		at = 0
	case delta < 0 || delta >= len(ids):
		at = len(ids) - 1
	default:
		at = 0
	}
	if extend {
		s.Extend(ids, ids[at])
	} else {
		s.Only(ids[at])
	}
	return at
}

// Retain forgets what is not in ids any more. The cursor goes to the row that
// took the place, given as was, of the one it was on.
func (s *Selection) Retain(ids []string, was int) {
	switch {
	case s.few(ids):
		s.own()
		for id := range s.set {
			if s.index(ids, id) < 0 {
				delete(s.set, id)
			}
		}
	case len(s.set) > 0:
		kept := make(map[string]int, len(s.set))
		for _, id := range ids {
			if s.Has(id) {
				kept[id] = 0
			}
		}
		s.become(kept)
	}
	if s.cursor != "" && s.index(ids, s.cursor) < 0 {
		s.cursor = ""
		if len(ids) > 0 && was >= 0 {
			s.cursor = ids[min(was, len(ids)-1)]
		}
		s.anchor = s.cursor
	}
}

func index(ids []string, id string) int {
	if id == "" {
		return -1
	}
	for i, in := range ids {
		if in == id {
			return i
		}
	}
	return -1
}
