package widget

import (
	"slices"
	"strconv"
	"testing"
)

var letters = []string{"a", "b", "c", "d", "e"}

func selected(t *testing.T, s *Selection, ids []string, want ...string) {
	t.Helper()
	if got := s.In(ids); !slices.Equal(got, want) {
		t.Errorf("selected %v, want %v", got, want)
	}
}

func TestSelectionByPresses(t *testing.T) {
	var s Selection
	s.Only("b")
	s.Toggle("d")
	selected(t, &s, letters, "b", "d")
	s.Toggle("b")
	selected(t, &s, letters, "d")
	s.Only("b")
	s.Extend(letters, "d")
	selected(t, &s, letters, "b", "c", "d")
	s.Extend(letters, "a") // the anchor stays where the range began
	selected(t, &s, letters, "a", "b")
	s.Keep("b")
	selected(t, &s, letters, "a", "b")
	s.Keep("e")
	selected(t, &s, letters, "e")
}

func TestSelectionByKeys(t *testing.T) {
	var s Selection
	for _, step := range []struct {
		delta  int
		extend bool
		at     int
		want   []string
	}{
		{1, false, 0, []string{"a"}},
		{1, false, 1, []string{"b"}},
		{1, true, 2, []string{"b", "c"}},
		{-2, true, 0, []string{"a", "b"}},
		{-1, false, 0, []string{"a"}},
		{100, false, 4, []string{"e"}},
		{-100, true, 0, letters},
	} {
		if at := s.Move(letters, step.delta, step.extend); at != step.at {
			t.Errorf("moved by %d to row %d, want %d", step.delta, at, step.at)
		}
		selected(t, &s, letters, step.want...)
	}
	if at := s.Move(nil, 1, false); at != -1 {
		t.Errorf("moved to row %d of none", at)
	}
}

func TestSelectionSurvivesChanges(t *testing.T) {
	var s Selection
	s.Only("b")
	s.Extend(letters, "d")
	turned := []string{"e", "d", "c", "b", "a"}
	s.Retain(turned, 3)
	selected(t, &s, turned, "d", "c", "b")

	fewer := []string{"a", "c", "e"} // the cursor's row, 3, is gone
	s.Retain(fewer, 3)
	selected(t, &s, fewer, "c")
	if s.Cursor() != "e" {
		t.Errorf("the cursor went to %q, want the row that took the place", s.Cursor())
	}
	s.Retain(nil, 0)
	if s.Len() != 0 || s.Cursor() != "" {
		t.Errorf("%d selected of nothing, cursor at %q", s.Len(), s.Cursor())
	}
}

func TestSelectionOfAll(t *testing.T) {
	var s Selection
	s.All(letters)
	selected(t, &s, letters, letters...)
	s.Clear()
	selected(t, &s, letters)
	s.Extend([]string{"x"}, "x") // no anchor there: x alone
	selected(t, &s, []string{"x"}, "x")
}

// What a selection does does not depend on how rows are found.
func TestSelectionWithPlaces(t *testing.T) {
	var ids []string
	for i := range 100 {
		ids = append(ids, strconv.Itoa(i))
	}
	places := func(ids []string) map[string]int {
		m := make(map[string]int)
		for i, id := range ids {
			m[id] = i
		}
		return m
	}
	turned := slices.Clone(ids[10:])
	slices.Reverse(turned)
	var plain, quick Selection
	quick.places = places(ids)
	check := func(what string, ids []string) {
		t.Helper()
		if a, b := plain.In(ids), quick.In(ids); !slices.Equal(a, b) || plain.Len() != quick.Len() || plain.Cursor() != quick.Cursor() {
			t.Fatalf("%s: %v at %q, %v at %q", what, a, plain.Cursor(), b, quick.Cursor())
		}
	}
	for _, step := range []struct {
		what string
		do   func(s *Selection)
	}{
		{"one", func(s *Selection) { s.Only("50") }},
		{"two", func(s *Selection) { s.Toggle("7") }},
		{"on", func(s *Selection) { s.Move(ids, 3, false) }},
		{"range", func(s *Selection) { s.Extend(ids, "13") }},
		{"all", func(s *Selection) { s.All(ids) }},
		{"all but one", func(s *Selection) { s.Toggle("20") }},
		{"all again", func(s *Selection) { s.All(ids) }},
		{"kept", func(s *Selection) { s.Keep("3") }},
		{"one of all", func(s *Selection) { s.Only("3") }},
	} {
		step.do(&plain)
		step.do(&quick)
		check(step.what, ids)
	}
	if len(quick.places) != len(ids) {
		t.Fatal("the places were changed")
	}
	for _, before := range []func(s *Selection){
		func(s *Selection) { s.Only("3") }, func(s *Selection) { s.Only("30"); s.Toggle("4") }, func(s *Selection) { s.All(ids) },
	} {
		quick.places = places(ids)
		before(&plain)
		before(&quick)
		quick.places = places(turned)
		plain.Retain(turned, 3)
		quick.Retain(turned, 3)
		check("after another order", turned)
	}
}

func TestMoveFromNowhere(t *testing.T) {
	ids := []string{"a", "b", "c"}
	for delta, want := range map[int]string{1: "a", -1: "c", 2: "a", -3: "a", 3: "c"} {
		var s Selection
		s.Move(ids, delta, false)
		if s.Cursor() != want {
			t.Errorf("by %d: %q, want %q", delta, s.Cursor(), want)
		}
	}
}
