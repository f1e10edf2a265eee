package catalogue

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/domain"
)

func TestFoundEntriesFitTheirRoom(t *testing.T) {
	t.Parallel()
	entries := make([]domain.Entry, 2*MostFound)
	for i := range entries {
		entries[i] = domain.Entry{Path: fmt.Sprintf("Jazz/%03d.ogg", i), Size: int64(i), Modified: time.Unix(1.7e9, 0).UTC()}
		_, _ = rand.Read(entries[i].Content[:])
	}
	c, err := NewClient(nil, Config{})
	if err != nil {
		t.Fatal(err)
	}
	packed, err := c.Pack(entries, 2048)
	if err != nil || len(packed) > 2048 {
		t.Fatalf("%d bytes, %v", len(packed), err)
	}
	got, err := c.Unpack(packed)
	if err != nil || len(got) < 20 || got[0] != entries[0] || got[len(got)-1] != entries[len(got)-1] {
		t.Errorf("%d entries came back, %v", len(got), err)
	}
	if packed, err = c.Pack(entries, 1<<20); err != nil {
		t.Fatal(err)
	}
	if got, err = c.Unpack(packed); err != nil || len(got) != MostFound {
		t.Errorf("of many, %d entries are taken, %v", len(got), err)
	}
	var long string
	for i := range 1000 {
		long += fmt.Sprint(i)
	}
	if _, err := c.Pack([]domain.Entry{{Path: long, Content: entries[0].Content}}, 100); !errors.Is(err, domain.ErrTooLarge) {
		t.Errorf("an entry without room: %v", err)
	}
	if _, err := c.Unpack([]byte(strings.Repeat("x", 100))); !errors.Is(err, domain.ErrMalformed) {
		t.Errorf("no entries at all: %v", err)
	}
}
