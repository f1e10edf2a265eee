package transfers

import (
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/ui/format"
	"github.com/potluck-share/potluck/ui/words"
)

// Name returns what a transfer is called: its file or folder.
func Name(t *domain.Transfer) string {
	if !bare(t) {
		return format.Name(path.Base(t.Path))
	}
	if t.Final != "" {
		return format.Name(filepath.Base(t.Final))
	}
	return words.T("A file from a link")
}

// bare reports whether all that is known of a transfer is its content ID,
// which is never shown.
func bare(t *domain.Transfer) bool {
	_, err := domain.ParseContentID(t.Path)
	return err == nil
}

// whoOf says with whom a transfer is: those who serve it at this moment, or
// else whom it was asked of.
func whoOf(t *domain.Transfer) string {
	if upwards(t) {
		if t.PeerName == "" {
			return ""
		}
		return words.T("to %s", t.PeerName)
	}
	if from := fromOf(t); len(from) > 0 {
		return words.T("from %s", list(from))
	}
	return ""
}

func fromOf(t *domain.Transfer) []string {
	if len(t.From) > 0 {
		return t.From
	}
	if t.PeerName != "" {
		return []string{t.PeerName}
	}
	return nil
}

// list writes names in the short room of a row: "Ana, Ben".
func list(names []string) string {
	if len(names) > 3 {
		return format.Names(names)
	}
	return strings.Join(names, ", ")
}

// sentenceOf says how a transfer is doing, and what happens next.
func sentenceOf(t *domain.Transfer, now time.Time) string {
	switch t.State {
	case domain.Running:
		return running(t)
	case domain.Paused:
		if t.Size > 0 && t.Done > 0 {
			return words.T("Paused by you. %s is here.", format.SizeOf(t.Done, t.Size))
		}
	case domain.Done:
		return ended(t, now)
	}
	switch {
	case told(t):
		return reason(t)
	case t.State == domain.Queued:
		return words.T("Waits for its turn.")
	case t.State == domain.Waiting && t.PeerName != "":
		return words.T("Waits for %s.", t.PeerName)
	case t.State == domain.Waiting:
		return words.T("Waits for somebody who has it.")
	default:
		return words.T("It stopped before it was done.")
	}
}

// running tells how far a running transfer is, how fast, and how long yet.
func running(t *domain.Transfer) string {
	switch {
	case told(t):
		return reason(t)
	case t.Size <= 0:
		return words.T("Asking for it…")
	}
	parts := []string{format.SizeOf(t.Done, t.Size)}
	if rate := format.Rate(t.Rate); rate != "" {
		parts = append(parts, rate)
	}
	if left := format.Left(t.Size-t.Done, t.Rate); left != "" && t.Kind != domain.Upload {
		parts = append(parts, left) // of an upload nobody knows what else is asked for
	}
	return strings.Join(parts, " · ")
}

// ended tells what a finished transfer brought, and when.
func ended(t *domain.Transfer, now time.Time) string {
	if told(t) {
		return reason(t) // it was here before
	}
	what := format.Size(t.Size)
	if t.Count > 1 {
		what = words.T("%s in %s", what, format.Files(t.Count))
	}
	if at := format.Day(t.Ended, now); at != "" {
		return words.T("%s, done %s.", what, at)
	}
	return words.T("%s, done.", what)
}

// told reports whether the core says why a transfer is as it is.
func told(t *domain.Transfer) bool { return !t.Reason.IsZero() }

func reason(t *domain.Transfer) string { return words.Say(t.Reason) }
