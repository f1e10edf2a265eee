package library

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/potluck-share/potluck/app/domain"
)

func TestAudienceWords(t *testing.T) {
	who := names{"ana": "Ana", "ben": "Ben"}
	for _, c := range []struct {
		audience   domain.Audience
		who        names
		full, chip string
	}{
		{everyone, nil, "Everyone nearby", "Everyone"},
		{friends, nil, "Friends", "Friends"},
		{chosen, nil, "2 people", "2 people"},
		{chosen, who, "Ana and Ben", "2 people"},
		{domain.Audience{Kind: domain.Chosen, Peers: []domain.PeerID{"ana"}}, who, "Ana", "Ana"},
		{domain.Audience{Kind: domain.Chosen, Peers: []domain.PeerID{"eve"}}, who, "1 person", "1 person"},
		{domain.Audience{Kind: "from a later version"}, nil, "Nobody", "Nobody"},
	} {
		if full, chip := audienceWords(c.audience, c.who), chipWords(c.audience, c.who); full != c.full || chip != c.chip {
			t.Errorf("%v: %q and %q, want %q and %q", c.audience, full, chip, c.full, c.chip)
		}
	}
}

func TestSharedWords(t *testing.T) {
	for _, c := range []struct {
		shares   int
		audience domain.Audience
		want     string
	}{
		{1, everyone, "Holiday is now shared with everyone nearby."},
		{2, everyone, "Holiday and notes.txt are now shared with everyone nearby."},
		{3, everyone, "Holiday and 2 others are now shared with everyone nearby."},
		{1, friends, "Holiday is now shared with friends."},
		{2, friends, "Holiday and notes.txt are now shared with friends."},
		{3, friends, "Holiday and 2 others are now shared with friends."},
		{1, chosen, "Holiday is now shared."},
		{2, chosen, "Holiday and notes.txt are now shared."},
		{3, chosen, "Holiday and 2 others are now shared."},
	} {
		shares := []domain.Share{{Name: "Holiday"}, {Name: "notes.txt"}, {Name: "more"}}[:c.shares]
		if got := SharedWords(shares, c.audience); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
	if got := UnsharedWords(make([]domain.Share, 2)); got != "2 shares are no longer shared." {
		t.Errorf("%q", got)
	}
	if got := UnsharedWords([]domain.Share{{Name: "Holiday"}}); got != "Holiday is no longer shared." {
		t.Errorf("%q", got)
	}
}

func TestProblemWords(t *testing.T) {
	unreadable := fmt.Errorf("open: %w", domain.ErrUnreadable)
	problem := func(path string, err error) domain.Problem { return domain.Problem{Path: path, Err: err} }
	folder := []domain.Share{{Folder: true, Entries: 12}}
	file := []domain.Share{{Entries: 1}}
	doc := problem("/x/diary.doc", unreadable)
	null := problem("/dev/null", domain.ErrNotShareable)
	for _, c := range []struct {
		report domain.ShareReport
		want   string
	}{
		{domain.ShareReport{Shared: file}, ""},
		{domain.ShareReport{Problems: []domain.Problem{doc}, Shared: folder}, "Can't read diary.doc; the other 12 are shared."},
		{domain.ShareReport{Problems: []domain.Problem{doc}, Already: file}, "Can't read diary.doc; the other one is shared."},
		{domain.ShareReport{Problems: []domain.Problem{doc}}, "Can't read diary.doc."},
		{domain.ShareReport{Problems: []domain.Problem{doc, null, null}}, "Can't read diary.doc and 2 more."},
		{domain.ShareReport{Problems: []domain.Problem{doc, null}, Shared: file}, "Can't read diary.doc and 1 more; the other one is shared."},
		{domain.ShareReport{Problems: []domain.Problem{doc, null}, Shared: folder}, "Can't read diary.doc and 1 more; the other 12 are shared."},
		{domain.ShareReport{Problems: []domain.Problem{null}}, "Can't share null."},
		{domain.ShareReport{Problems: []domain.Problem{null}, Shared: file}, "Can't share null; the other one is shared."},
		{domain.ShareReport{Problems: []domain.Problem{null}, Shared: folder}, "Can't share null; the other 12 are shared."},
		{domain.ShareReport{Problems: []domain.Problem{problem("/x/a", errors.New("?")), doc, doc}}, "Can't share a and 2 more."},
		{domain.ShareReport{Problems: []domain.Problem{null, doc}, Shared: file}, "Can't share null and 1 more; the other one is shared."},
		{domain.ShareReport{Problems: []domain.Problem{null, doc}, Shared: folder}, "Can't share null and 1 more; the other 12 are shared."},
	} {
		if got := ProblemWords(c.report); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

func TestRiskWords(t *testing.T) {
	for _, c := range []struct {
		risk     domain.Risk
		audience domain.Audience
		question string
		meaning  string
	}{
		{domain.Risk{Kind: domain.RiskHome, Path: "/home/mira", Files: 412_000}, everyone, "Share your whole home folder?", "412,000 files would be visible to everyone nearby."},
		{domain.Risk{Kind: domain.RiskHome, Path: "/home/mira", Files: 412_000}, friends, "Share your whole home folder?", "412,000 files would be visible to friends."},
		{domain.Risk{Kind: domain.RiskRoot, Path: "/", Files: 50_000, More: true}, everyone, "Share a whole drive?", "Over 50,000 files would be visible to everyone nearby."},
		{domain.Risk{Kind: domain.RiskRoot, Path: "/", Files: 50_000, More: true}, friends, "Share a whole drive?", "Over 50,000 files would be visible to friends."},
		{domain.Risk{Kind: domain.RiskHidden, Path: "/home/mira/.ssh", Files: 1}, everyone, "Share .ssh? It may hold keys or passwords.", "1 file would be visible to everyone nearby."},
		{domain.Risk{Kind: domain.RiskMany, Path: "/data"}, everyone, "Share data?", "It would be visible to everyone nearby."},
		{domain.Risk{Kind: domain.RiskMany, Path: "/data"}, friends, "Share data?", "It would be visible to friends."},
	} {
		question, meaning := RiskWords(c.risk, c.audience)
		if question != c.question || meaning != c.meaning {
			t.Errorf("%q %q, want %q %q", question, meaning, c.question, c.meaning)
		}
	}
	question, lines := RisksWords([]domain.Risk{
		{Kind: domain.RiskHome, Path: "/home/mira", Files: 5},
		{Kind: domain.RiskHidden, Path: "/x/.ssh", Files: 1},
		{Kind: domain.RiskRoot, Path: "/"},
		{Kind: domain.RiskMany, Path: "/data", Files: 60_000},
	}, everyone)
	want := []string{
		"Your whole home folder: 5 files would be visible to everyone nearby.",
		".ssh, which may hold keys or passwords: 1 file would be visible to everyone nearby.",
		"A whole drive: It would be visible to everyone nearby.",
		"data: 60,000 files would be visible to everyone nearby.",
	}
	if question != "Share all of this?" || !slices.Equal(lines, want) {
		t.Errorf("%q %q", question, lines)
	}
}

func TestSplit(t *testing.T) {
	letters := func(text string) float32 { return float32(len(text)) }
	for _, c := range []struct{ text, first, second string }{
		{"Can't read diary.doc; the other 12 are shared.", "Can't read", "diary.doc; the other 12 are shared."},
		{"short", "short", ""},
		{"unbreakable-and-long and more", "unbreakable-and-long", "and more"},
		{"", "", ""},
	} {
		if first, second := split(c.text, 12, letters); first != c.first || second != c.second {
			t.Errorf("%q and %q, want %q and %q", first, second, c.first, c.second)
		}
	}
}
