package app

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/domain"
)

// throttle sets how fast the node downloads, in bytes per second; 0: freely.
func (n *node) throttle(t *testing.T, rate int64) {
	t.Helper()
	if err := n.settings.Update(t.Context(), func(s *domain.Settings) { s.DownloadLimit = rate }); err != nil {
		t.Fatal(err)
	}
}

// awaits waits until a transfer is so, and returns it.
func (n *node) awaits(t *testing.T, id, what string, is func(domain.Transfer) bool) (last domain.Transfer) {
	t.Helper()
	until(t, what, func() error {
		if last, _ = n.transfers.Transfer(id); !is(last) {
			return fmt.Errorf("it is %s: %s; %d of %d bytes", last.State, last.Reason, last.Done, last.Size)
		}
		return nil
	})
	return last
}

// A download that was cancelled by mistake goes on where it was; what was
// finished can be looked through, got again, and deleted.
func TestWhatIsDoneWithADownload(t *testing.T) {
	t.Parallel()
	ana, ben := startPotluck(t, "ana"), startPotluck(t, "ben")
	if _, err := ben.people.Connect(t.Context(), ana.describe().Addresses[0]); err != nil {
		t.Fatal(err)
	}
	const size = 24 * mib
	film, req := ana.shares(t, "film.bin", size, size, domain.Everyone)
	ben.throttle(t, 8_000_000)
	var id string
	until(t, "Ben finds it", func() (err error) {
		id, err = ben.transfers.Get(t.Context(), domain.GetRequest{Peer: req.Peer, Path: req.Path})
		return err
	})
	ben.awaits(t, id, "Ana serves it", func(d domain.Transfer) bool {
		return d.Done >= 8*mib && slices.Equal(d.From, []string{"ana"}) && d.Providers == 1
	})
	all, err := ben.transfers.Providers(id)
	if err != nil || len(all) != 1 || all[0].Name != "ana" || !all[0].Online || !all[0].Serving || all[0].Done < 8*mib || all[0].Rate <= 0 {
		t.Errorf("it comes from %+v, %v", all, err)
	}
	if err := ben.transfers.Cancel(t.Context(), []string{id}); err != nil {
		t.Fatal(err)
	}
	here := ben.awaits(t, id, "it is cancelled", func(d domain.Transfer) bool { return d.State == domain.Cancelled }).Done
	if err := ben.transfers.Retry(t.Context(), []string{id}); err != nil {
		t.Fatal(err)
	}
	ben.throttle(t, 0)
	done := ben.awaits(t, id, "it is done", func(d domain.Transfer) bool { return d.State == domain.Done })
	// What was on its way when it was cancelled comes twice.
	until(t, "what was sent is told", func() error {
		if got := ana.sent("film.bin"); got < size {
			return fmt.Errorf("%d bytes", got)
		}
		return nil
	})
	if all, _ := ben.transfers.Providers(id); len(all) != 1 || all[0].Done != size {
		t.Errorf("%d bytes were here when it was undone; in the end it came from %+v, want each piece once", here, all)
	}

	is := func(state domain.TransferState, reason string) func(domain.Transfer) bool {
		return func(d domain.Transfer) bool { return d.State == state && strings.HasPrefix(d.Reason.String(), reason) }
	}
	check := func() {
		t.Helper()
		if err := ben.transfers.CheckAgain(t.Context(), []string{id}); err != nil {
			t.Fatal(err)
		}
	}
	check()
	ben.awaits(t, id, "it is found sound", is(domain.Done, "All of it is as it was, checked "))
	if err := os.Remove(done.Final); err != nil {
		t.Fatal(err)
	}
	check()
	ben.awaits(t, id, "it is found gone", is(domain.Failed, "It is damaged or gone. Try again to get it."))
	if err := ben.transfers.Retry(t.Context(), []string{id}); err != nil {
		t.Fatal(err)
	}
	done = ben.awaits(t, id, "it is here again", is(domain.Done, ""))
	if got, err := os.ReadFile(done.Final); err != nil || string(got) != string(film) {
		t.Errorf("it has %d bytes of its own, %v", len(got), err)
	}
	if left, err := ben.transfers.DeleteFiles(t.Context(), []string{id}); left != 0 || err != nil {
		t.Errorf("%d files are left, %v", left, err)
	}
	if _, err := os.Stat(done.Final); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it is there still: %v", err)
	}
}

// What was fetched of a cancelled download is not left lying about.
func TestACancelledDownloadLeavesNothing(t *testing.T) {
	t.Parallel()
	ana, ben := startPotluck(t, "ana"), startPotluck(t, "ben")
	if _, err := ben.people.Connect(t.Context(), ana.describe().Addresses[0]); err != nil {
		t.Fatal(err)
	}
	_, req := ana.shares(t, "film.bin", 16*mib, 16*mib, domain.Everyone)
	ben.throttle(t, 4_000_000)
	var id string
	until(t, "Ben finds it", func() (err error) {
		id, err = ben.transfers.Get(t.Context(), domain.GetRequest{Peer: req.Peer, Path: req.Path})
		return err
	})
	ben.awaits(t, id, "some of it is here", func(d domain.Transfer) bool { return d.Done > 0 })
	parts := func() int {
		found, err := filepath.Glob(filepath.Join(ben.settings.Values().Downloads, ".potluck-*"))
		if err != nil {
			t.Fatal(err)
		}
		return len(found)
	}
	begun := time.Now()
	if err := ben.transfers.Cancel(t.Context(), []string{id}); err != nil {
		t.Fatal(err)
	}
	if parts() == 0 {
		t.Error("nothing is kept for those who change their mind")
	}
	until(t, "it is removed", func() error {
		if n := parts(); n > 0 {
			return fmt.Errorf("%d files are left", n)
		}
		return nil
	})
	if after := time.Since(begun); after < 9*time.Second {
		t.Errorf("it was removed after %v", after)
	}
}
