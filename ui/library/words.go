package library

import (
	"errors"
	"path/filepath"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/ui/format"
	"github.com/potluck-share/potluck/ui/words"
)

// audienceWords names an audience in full.
func audienceWords(a domain.Audience, who names) string {
	switch a.Kind {
	case domain.Everyone:
		return words.T("Everyone nearby")
	case domain.Friends:
		return words.T("Friends")
	case domain.Chosen:
		var known []string
		for _, id := range a.Peers {
			if who[id] == "" {
				return words.N("%s people", len(a.Peers))
			}
			known = append(known, clip(who[id]))
		}
		return format.Names(known)
	default:
		return words.T("Nobody")
	}
}

// chipWords names an audience as short as a chip has room for.
func chipWords(a domain.Audience, who names) string {
	switch {
	case a.Kind == domain.Everyone:
		return words.T("Everyone")
	case a.Kind == domain.Chosen && len(a.Peers) > 1:
		return words.N("%s people", len(a.Peers))
	default:
		return audienceWords(a, who)
	}
}

// fetchedWords says how often something was fetched.
func fetchedWords(n int) string {
	if n == 0 {
		return "–"
	}
	return words.N("%s times", n)
}

// SharedWords says what was just shared, with whom.
func SharedWords(shares []domain.Share, a domain.Audience) string {
	first := clip(shares[0].Name)
	second := ""
	if len(shares) == 2 {
		second = clip(shares[1].Name)
	}
	others := len(shares) - 1
	switch {
	case len(shares) == 1 && a.Kind == domain.Everyone:
		return words.T("%s is now shared with everyone nearby.", first)
	case len(shares) == 1 && a.Kind == domain.Friends:
		return words.T("%s is now shared with friends.", first)
	case len(shares) == 1:
		return words.T("%s is now shared.", first)
	case len(shares) == 2 && a.Kind == domain.Everyone:
		return words.T("%s and %s are now shared with everyone nearby.", first, second)
	case len(shares) == 2 && a.Kind == domain.Friends:
		return words.T("%s and %s are now shared with friends.", first, second)
	case len(shares) == 2:
		return words.T("%s and %s are now shared.", first, second)
	case a.Kind == domain.Everyone:
		return words.T("%s and %s others are now shared with everyone nearby.", first, words.Count(others))
	case a.Kind == domain.Friends:
		return words.T("%s and %s others are now shared with friends.", first, words.Count(others))
	default:
		return words.T("%s and %s others are now shared.", first, words.Count(others))
	}
}

// UnsharedWords says what is not shared any more.
func UnsharedWords(shares []domain.Share) string {
	if len(shares) == 1 {
		return words.T("%s is no longer shared.", clip(shares[0].Name))
	}
	return words.N("%s shares are no longer shared.", len(shares))
}

// ProblemWords says what could not be shared and that the rest is, or nothing
// if all went well.
func ProblemWords(report domain.ShareReport) string {
	if len(report.Problems) == 0 {
		return ""
	}
	first := report.Problems[0]
	name, more, shared := clip(filepath.Base(first.Path)), len(report.Problems)-1, 0
	for _, list := range [][]domain.Share{report.Shared, report.Already} {
		for _, s := range list {
			shared += s.Entries
		}
	}
	if errors.Is(first.Err, domain.ErrUnreadable) || errors.Is(first.Err, domain.ErrNotFound) {
		return words.Say(domain.CannotRead(name, more, shared))
	}
	return words.Say(domain.CannotShare(name, more, shared))
}

// RiskWords asks whether a risky path is really to be shared: the question,
// and what it would mean.
func RiskWords(risk domain.Risk, audience domain.Audience) (question, meaning string) {
	name := clip(filepath.Base(risk.Path))
	switch risk.Kind {
	case domain.RiskHome:
		question = words.T("Share your whole home folder?")
	case domain.RiskRoot:
		question = words.T("Share a whole drive?")
	case domain.RiskHidden:
		question = words.T("Share %s? It may hold keys or passwords.", name)
	default:
		question = words.T("Share %s?", name)
	}
	return question, visibleWords(risk, audience)
}

// RisksWords asks about several risky paths at once: the question, and a line
// for each.
func RisksWords(risks []domain.Risk, audience domain.Audience) (question string, lines []string) {
	for _, risk := range risks {
		name := clip(filepath.Base(risk.Path))
		switch risk.Kind {
		case domain.RiskHome:
			name = words.T("Your whole home folder")
		case domain.RiskRoot:
			name = words.T("A whole drive")
		case domain.RiskHidden:
			name = words.T("%s, which may hold keys or passwords", name)
		}
		lines = append(lines, words.T("%s: %s", name, visibleWords(risk, audience)))
	}
	return words.T("Share all of this?"), lines
}

// visibleWords says how much would be visible, to whom.
func visibleWords(risk domain.Risk, audience domain.Audience) string {
	friends := audience.Kind == domain.Friends
	switch {
	case risk.Files == 0 && friends:
		return words.T("It would be visible to friends.")
	case risk.Files == 0:
		return words.T("It would be visible to everyone nearby.")
	case risk.More && friends:
		return words.T("Over %s files would be visible to friends.", words.Count(risk.Files))
	case risk.More:
		return words.T("Over %s files would be visible to everyone nearby.", words.Count(risk.Files))
	case friends:
		return words.N("%s files would be visible to friends.", risk.Files)
	default:
		return words.N("%s files would be visible to everyone nearby.", risk.Files)
	}
}

// clip keeps a name short enough for one line.
func clip(name string) string {
	const most = 40
	runes := []rune(name)
	if len(runes) <= most {
		return name
	}
	return string(runes[:most-1]) + "…"
}
