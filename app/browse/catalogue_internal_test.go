package browse

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/potluck-share/potluck/app/domain"
)

// What a full pull brings is the same catalogue as its changes one by one.
func TestWholeIsAllChanges(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	var changes []domain.Change
	var entries []domain.Entry
	for range 2000 {
		path := fmt.Sprint(r.IntN(300))
		c := domain.Change{Path: path}
		if r.IntN(4) > 0 {
			c.Entry = &domain.Entry{Path: path, Size: r.Int64N(1000), Content: domain.ContentID{byte(1 + r.IntN(50))}}
		}
		changes, entries = append(changes, c), append(entries, entryOf(c))
	}
	version := domain.Version{Epoch: 1, Sequence: 2}
	one, other := build(domain.Version{}, false, nil).with(version, true, changes), whole(version, true, entries)
	if !reflect.DeepEqual(one, other) {
		t.Errorf("%d entries one by one, %d as a whole", len(one.entries), len(other.entries))
	}
	for i := range 60 {
		id := domain.ContentID{byte(i)}
		found, ok := other.of(id)
		want := domain.Entry{}
		for _, e := range other.entries {
			if e.Content == id {
				want = e
			}
		}
		if found != want || ok != (want.Path != "") {
			t.Errorf("of content %d there is %+v, want %+v", i, found, want)
		}
	}
}
