package browse

import (
	"fyne.io/fyne/v2"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/ui/format"
	"github.com/potluck-share/potluck/ui/theme"
	"github.com/potluck-share/potluck/ui/words"
)

// target is what a download was asked for.
type target struct {
	peer domain.PeerID
	path string
}

// progress is how a row's download is doing, in the words that are shown.
type progress struct {
	words    string
	ink      fyne.ThemeColorName
	fraction float64
	bar      bool
	done     bool
	final    string // where it lies, once it is here
}

// progressOf finds the latest download of each target.
func progressOf(transfers []domain.Transfer) map[target]progress {
	latest := make(map[target]domain.Transfer)
	for _, t := range transfers {
		if t.Kind != domain.Download || t.Offer != "" || t.State == domain.Cancelled {
			continue
		}
		key := target{t.Peer, t.Path}
		if before, ok := latest[key]; !ok || before.Added.Before(t.Added) {
			latest[key] = t
		}
	}
	out := make(map[target]progress, len(latest))
	for key, t := range latest {
		out[key] = progressIn(&t)
	}
	return out
}

func progressIn(t *domain.Transfer) progress {
	p := progress{ink: theme.SecondText, fraction: format.Fraction(t.Done, t.Size)}
	if t.Size <= 0 {
		p.fraction = 0
	}
	switch t.State {
	case domain.Done:
		return progress{words: words.T("downloaded"), ink: theme.Done, done: true, final: t.Final}
	case domain.Failed:
		return progress{words: words.T("stopped"), ink: theme.Error}
	case domain.Running:
		p.bar, p.ink = true, theme.Primary
		p.words = words.T("starting")
		if t.Size > 0 {
			p.words = format.Percent(t.Done, t.Size)
		}
	case domain.Paused:
		p.words, p.bar = words.T("paused"), true
	default:
		p.words, p.bar, p.ink = words.T("waiting"), t.Done > 0, theme.Waiting
	}
	return p
}

// progressFor returns the progress of a row's download, if there is one.
func (v *View) progressFor(r *row) progress {
	if len(v.progress) == 0 {
		return progress{}
	}
	for _, provider := range r.result.Providers {
		if p, ok := v.progress[target{provider.Peer, provider.Path}]; ok {
			return p
		}
	}
	if p, ok := v.progress[target{v.at.peer, r.result.Path}]; ok {
		return p
	}
	if !r.result.Content.IsZero() {
		return v.progress[target{"", r.result.Content.String()}]
	}
	return progress{}
}
