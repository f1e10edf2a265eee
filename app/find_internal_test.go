package app

import (
	"errors"
	"testing"

	"github.com/potluck-share/potluck/app/domain"
)

// A question for words is answered with what the asker may see of what is shared.
func TestQuestionsReachTheLibrary(t *testing.T) {
	t.Parallel()
	ana, ben := startPotluck(t, "ana"), startPotluck(t, "ben")
	meet(t, ana, ben)
	ana.shares(t, "Jazz in public.ogg", 100, 100, domain.Everyone)
	ana.shares(t, "jazz for friends.ogg", 200, 200, domain.Friends)
	found, err := ben.catalogues.Find(t.Context(), ana.host.ID(), []string{"ogg", "JAZZ"})
	if err != nil || len(found) != 1 || found[0].Path != "Jazz in public.ogg" || found[0].Size != 100 {
		t.Errorf("found %+v, %v", found, err)
	}
	if err := ana.people.Block(t.Context(), ben.host.ID()); err != nil {
		t.Fatal(err)
	}
	until(t, "who is blocked is told nothing", func() error {
		if found, err := ben.catalogues.Find(t.Context(), ana.host.ID(), []string{"jazz"}); err == nil {
			return errors.New(found[0].Path)
		}
		return nil
	})
}
