package app

import (
	"errors"
	"testing"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/catalogue"
)

// Of a small change others hear in the announcement itself: they see it although
// the list cannot be pulled any more.
func TestASmallChangeNeedsNoPull(t *testing.T) {
	t.Parallel()
	ana, ben := startPotluck(t, "ana"), startPotluck(t, "ben")
	meet(t, ana, ben)
	sees := func(name string) func() error {
		return func() error {
			if _, _, err := ben.browse.Below(ana.host.ID(), name); err != nil {
				return err
			}
			if !ben.browse.Current(ana.host.ID()) {
				return errors.New("what is announced is not all here")
			}
			return nil
		}
	}
	ana.shares(t, "one.txt", 100, 100, domain.Everyone)
	until(t, "ben sees the first file", sees("one.txt"))
	ana.host.Libp2p().RemoveStreamHandler(catalogue.Protocol)
	ana.shares(t, "two.txt", 100, 100, domain.Everyone)
	until(t, "ben sees the second file", sees("two.txt"))
	if err := ana.library.Unshare(t.Context(), []string{"one.txt"}); err != nil {
		t.Fatal(err)
	}
	until(t, "ben sees that the first one is gone", func() error {
		if err := sees("one.txt")(); !errors.Is(err, domain.ErrNotFound) || !ben.browse.Current(ana.host.ID()) {
			return errors.New("it is there, or more is announced")
		}
		return nil
	})
}
