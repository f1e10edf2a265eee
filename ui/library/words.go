package library

import (
	"errors"
	"path/filepath"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/ui/format"
)

// ProblemWords says what could not be shared and that the rest is, or nothing
// if all went well.
func ProblemWords(report domain.ShareReport) string {
	if len(report.Problems) == 0 {
		return ""
	}
	first := report.Problems[0]
	words := "Can't share "
	if errors.Is(first.Err, domain.ErrUnreadable) || errors.Is(first.Err, domain.ErrNotFound) {
		words = "Can't read "
	}
	words += clip(filepath.Base(first.Path))
	if n := len(report.Problems) - 1; n > 0 {
		words += " and " + format.Count(n) + " more"
	}
	switch shared := len(report.Shared) + len(report.Already); shared {
	case 0:
		return words + "."
	case 1:
		return words + "; the other one is shared."
	default:
		return words + "; the other " + format.Count(shared) + " are shared."
	}
}

// RiskWords asks whether a risky path is really to be shared: the question,
// and what it would mean.
func RiskWords(risk domain.Risk, audience domain.Audience) (question, meaning string) {
	name := clip(filepath.Base(risk.Path))
	switch risk.Kind {
	case domain.RiskHome:
		question = "Share your whole home folder?"
	case domain.RiskRoot:
		question = "Share a whole drive?"
	case domain.RiskHidden:
		question = "Share " + name + "? It may hold keys or passwords."
	default:
		question = "Share " + name + "?"
	}
	if risk.Files == 0 {
		return question, "It would be visible to " + whom(audience) + "."
	}
	files := format.Files(risk.Files)
	if risk.More {
		files = "Over " + files
	}
	return question, files + " would be visible to " + whom(audience) + "."
}

// whom names an audience within a sentence.
func whom(a domain.Audience) string {
	switch a.Kind {
	case domain.Everyone:
		return "everyone nearby"
	case domain.Friends:
		return "friends"
	case domain.Chosen:
		return format.Number(len(a.Peers), "person", "people")
	default:
		return "nobody"
	}
}
