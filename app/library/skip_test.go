package library_test

import (
	"os"
	"strconv"
	"testing"

	"github.com/potluck-share/potluck/app/domain"
)

func TestOwnPatternsAreLeftOut(t *testing.T) {
	t.Parallel()
	k := newKitchen(t)
	k.skip = []string{"*.tmp", "node_modules", "draft ?.txt"}
	k.restart()
	k.write("Work/letter.txt", "one")
	k.write("Work/letter.tmp", "clutter")
	k.write("Work/draft 1.txt", "clutter")
	k.write("Work/draft 12.txt", "no clutter")
	k.write("Work/deep/node_modules/x/y.js", "clutter")
	k.write("Work/deep/x.js", "four")
	k.write("Work/only/x.tmp", "clutter")
	// A link is no way around a pattern.
	must(t, os.Symlink("letter.tmp", k.path("Work/link")))
	must(t, os.Symlink("deep/node_modules/x/y.js", k.path("Work/link.js")))
	report := k.share(everyone, "Work")
	same(t, "skipped", report.Skipped, 6)
	same(t, "seen", k.seen(near), []string{"Work/deep/x.js=4", "Work/draft 12.txt=10", "Work/letter.txt=3", "Work/only/"})

	// What is shared by its own name is meant.
	k.write("single.tmp", "meant")
	report = k.share(everyone, "single.tmp")
	same(t, "single", []int{len(report.Shared), len(report.Problems)}, []int{1, 0})
}

func TestAChangedPatternCountsAtOnce(t *testing.T) {
	t.Parallel()
	k := newKitchen(t)
	k.write("Work/a.txt", "one")
	k.write("Work/b.tmp", "four")
	k.share(everyone, "Work")
	k.Start(t.Context())
	k.write("Work/raw/c.txt", "seven") // in a folder that is watched from now on
	k.eventuallySeen(near, "Work/a.txt=3", "Work/b.tmp=4", "Work/raw/c.txt=5")
	id := k.content("Work/b.tmp")

	before := k.changes.Load()
	k.SetSkip([]string{"*.tmp", "raw"})
	k.eventuallySeen(near, "Work/a.txt=3")
	eventually(t, "counts", "1", func() string { return strconv.Itoa(k.only().Entries) })
	if k.changes.Load() == before {
		t.Error("nobody was told")
	}
	if k.Allowed(near, id) {
		t.Error("what is left out may still be fetched")
	}

	// A folder that was watched before stays out of sight when it changes.
	k.write("Work/raw/d.txt", "late")
	k.write("Work/e.txt", "later")
	k.eventuallySeen(near, "Work/a.txt=3", "Work/e.txt=5")
	k.write("Work/f.txt", "last") // by when the others were looked at
	k.eventuallySeen(near, "Work/a.txt=3", "Work/e.txt=5", "Work/f.txt=4")
	k.restart() // without patterns
	k.Start(t.Context())
	all := []string{"Work/a.txt=3", "Work/b.tmp=4", "Work/e.txt=5", "Work/f.txt=4", "Work/raw/c.txt=5", "Work/raw/d.txt=4"}
	k.eventuallySeen(near, all...)
	k.SetSkip([]string{"*"})
	k.eventuallySeen(near, "Work/")
	k.SetSkip(nil)
	k.eventuallySeen(near, all...)
}

func TestTheRiskLeavesOutPatterns(t *testing.T) {
	t.Parallel()
	k := newKitchen(t)
	k.skip = []string{"*.tmp"}
	k.restart()
	k.write(".hidden/a.txt", "one")
	k.write(".hidden/b.tmp", "four")
	risks := k.Assess(t.Context(), []string{k.path(".hidden")})
	same(t, "risks", risks, []domain.Risk{{Kind: domain.RiskHidden, Path: k.path(".hidden"), Files: 1}})
}
