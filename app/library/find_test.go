package library_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/potluck-share/potluck/app/domain"
)

// A question is answered with what the asker may see.
func TestFindKnowsTheAudience(t *testing.T) {
	k := newKitchen(t)
	k.write("soup public.txt", "1")
	k.write("soup private.txt", "2")
	k.write("Salad.txt", "3")
	k.share(everyone, "soup public.txt", "Salad.txt")
	k.share(friends, "soup private.txt")
	find := func(asker domain.Asker, most int, words ...string) (paths []string) {
		t.Helper()
		found, err := k.Find(t.Context(), asker, words, most)
		must(t, err)
		for _, e := range found {
			paths = append(paths, e.Path)
		}
		slices.Sort(paths)
		return paths
	}
	same(t, "near", find(near, 9, "soup"), []string{"soup public.txt"})
	same(t, "a friend", find(friend, 9, "soup", "txt"), []string{"soup private.txt", "soup public.txt"})
	same(t, "one only", len(find(friend, 1, "txt")), 1)
	same(t, "either case", find(near, 9, "salad"), []string{"Salad.txt"})
	if _, err := k.Find(t.Context(), far, []string{"soup"}, 9); !errors.Is(err, domain.ErrRefused) {
		t.Errorf("a stranger from afar: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if found, err := k.Find(ended, near, []string{"soup"}, 9); err != nil || len(found) > 0 {
		t.Errorf("without time: %v, %v", found, err)
	}
}
