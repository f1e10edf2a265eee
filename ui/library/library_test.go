package library

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/ui/theme"
)

var everyone = domain.Audience{Kind: domain.Everyone}

func newView(t *testing.T) *View {
	t.Helper()
	app := test.NewTempApp(t)
	app.Settings().SetTheme(theme.Theme{})
	v := New()
	w := test.NewTempWindow(t, v.Object())
	w.Resize(fyne.NewSize(704, 600))
	return v
}

func order(v *View) []string {
	out := make([]string, len(v.rows))
	for i, r := range v.rows {
		out[i] = r.id
	}
	return out
}

func TestStatesInWords(t *testing.T) {
	for _, c := range []struct {
		share  domain.Share
		want   string
		broken bool
	}{
		{domain.Share{State: domain.ShareReady}, "Shared", false},
		{domain.Share{State: domain.ShareReading, Read: 40, ToRead: 100}, "Reading 40 %…", false},
		{domain.Share{State: domain.ShareReading}, "Reading…", false},
		{domain.Share{State: domain.ShareGone, Problem: domain.Say("x")}, "Gone", true},
		{domain.Share{State: domain.ShareUnreadable}, "Can't be read", true},
		{domain.Share{State: domain.ShareReady, Problem: domain.Say("Can't read diary.doc.")}, "Can't read diary.doc.", true},
	} {
		if r := rowOf(c.share); r.state != c.want || r.broken != c.broken {
			t.Errorf("%+v: %q, broken %v", c.share, r.state, r.broken)
		}
	}
}

func TestEmptyThenFilled(t *testing.T) {
	v := newView(t)
	if !v.empty.Visible() || v.table.Visible() {
		t.Error("nothing shared, and no place to drop")
	}
	v.Prepare([]domain.Share{
		{Name: "b", Entries: 214, Bytes: 3_100_000_000, Audience: everyone, State: domain.ShareReady},
		{Name: "A", Entries: 1, Bytes: 5, State: domain.ShareGone},
	})()
	if v.empty.Visible() || v.count.Text() != "215 files, 3.1 GB" || v.Problems() != 1 {
		t.Errorf("%q with %d problems", v.count.Text(), v.Problems())
	}
	if want := []string{"A", "b"}; !slices.Equal(order(v), want) {
		t.Errorf("order %v", order(v))
	}
	v.header.OnSort("size", true)
	if want := []string{"b", "A"}; !slices.Equal(order(v), want) {
		t.Errorf("largest first: %v", order(v))
	}
}

func TestDeleteStopsSharing(t *testing.T) {
	v := newView(t)
	var got []string
	v.OnUnshare = func(shares []domain.Share) {
		for _, s := range shares {
			got = append(got, s.Name)
		}
	}
	v.Prepare([]domain.Share{{Name: "a"}, {Name: "b"}, {Name: "c"}})()
	v.list.TypedKey(&fyne.KeyEvent{Name: fyne.KeyDelete})
	v.list.Select("b")
	v.list.TypedKey(&fyne.KeyEvent{Name: fyne.KeyDelete})
	if !slices.Equal(got, []string{"b"}) {
		t.Errorf("stopped %v", got)
	}
}

func TestSelectWaitsForTheShare(t *testing.T) {
	v := newView(t)
	v.Select("later")
	v.Prepare([]domain.Share{{Name: "a"}})()
	v.Prepare([]domain.Share{{Name: "a"}, {Name: "later"}})()
	if got := v.list.Selected(); !slices.Equal(got, []string{"later"}) {
		t.Errorf("selected %v", got)
	}
}

func TestOpenShowsInFolder(t *testing.T) {
	v := newView(t)
	got := ""
	v.OnReveal = func(path string) { got = path }
	v.Prepare([]domain.Share{{Name: "a", Path: "/x/a"}})()
	v.list.OnOpen("a")
	if got != "/x/a" {
		t.Errorf("shown %q", got)
	}
}

func TestAudienceWords(t *testing.T) {
	for want, a := range map[string]domain.Audience{
		"Everyone nearby": everyone,
		"Friends":         {Kind: domain.Friends},
		"2 people":        {Kind: domain.Chosen, Peers: []domain.PeerID{"a", "b"}},
		"Nobody":          {Kind: "from a later version"},
	} {
		if got := AudienceWords(a); got != want {
			t.Errorf("%v: %q, want %q", a, got, want)
		}
	}
}

func TestSharedWords(t *testing.T) {
	for _, c := range []struct {
		shares int
		want   string
	}{
		{1, "Holiday is now shared with everyone nearby."},
		{2, "Holiday and notes.txt are now shared with everyone nearby."},
		{3, "Holiday and 2 others are now shared with everyone nearby."},
	} {
		shares := []domain.Share{{Name: "Holiday"}, {Name: "notes.txt"}, {Name: "more"}}[:c.shares]
		if got := SharedWords(shares, everyone); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

func TestProblemWords(t *testing.T) {
	unreadable := fmt.Errorf("open: %w", domain.ErrUnreadable)
	problem := func(path string, err error) domain.Problem { return domain.Problem{Path: path, Err: err} }
	shares := func(n int) []domain.Share { return make([]domain.Share, n) }
	for _, c := range []struct {
		report domain.ShareReport
		want   string
	}{
		{domain.ShareReport{Shared: shares(1)}, ""},
		{domain.ShareReport{Problems: []domain.Problem{problem("/x/diary.doc", unreadable)}, Shared: shares(12)}, "Can't read diary.doc; the other 12 are shared."},
		{domain.ShareReport{Problems: []domain.Problem{problem("/x/diary.doc", unreadable)}, Already: shares(1)}, "Can't read diary.doc; the other one is shared."},
		{domain.ShareReport{Problems: []domain.Problem{problem("/dev/null", domain.ErrNotShareable)}}, "Can't share null."},
		{domain.ShareReport{Problems: []domain.Problem{problem("/x/a", errors.New("?")), problem("/x/b", unreadable), problem("/x/c", unreadable)}}, "Can't share a and 2 more."},
	} {
		if got := ProblemWords(c.report); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

func TestRiskWords(t *testing.T) {
	for _, c := range []struct {
		risk     domain.Risk
		question string
		meaning  string
	}{
		{domain.Risk{Kind: domain.RiskHome, Path: "/home/mira", Files: 412_000}, "Share your whole home folder?", "412,000 files would be visible to everyone nearby."},
		{domain.Risk{Kind: domain.RiskRoot, Path: "/", Files: 50_000, More: true}, "Share a whole drive?", "Over 50,000 files would be visible to everyone nearby."},
		{domain.Risk{Kind: domain.RiskHidden, Path: "/home/mira/.ssh", Files: 1}, "Share .ssh? It may hold keys or passwords.", "1 file would be visible to everyone nearby."},
		{domain.Risk{Kind: domain.RiskMany, Path: "/data"}, "Share data?", "It would be visible to everyone nearby."},
	} {
		question, meaning := RiskWords(c.risk, everyone)
		if question != c.question || meaning != c.meaning {
			t.Errorf("%q %q, want %q %q", question, meaning, c.question, c.meaning)
		}
	}
}
