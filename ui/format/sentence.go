package format

import (
	"errors"
	"strings"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/ui/words"
)

// Sentence puts an error into words for a person: what it says in a form that
// can be translated, or else its own text without the name of its kind at
// either end; beginning in upper case, unless that is a name, and ending with a full stop.
func Sentence(err error) string {
	if err == nil {
		return ""
	}
	text := err.Error()
	upper := Upper
	if said, ok := domain.SayingOf(err); ok {
		text = words.Say(said)
		if said.NameFirst() {
			upper = func(text string) string { return text }
		}
	} else if said := domain.KindSaying(err); !said.IsZero() && words.Language() != words.English {
		text = words.Say(said)
	} else if kind := domain.ErrorOfKind(domain.ErrorKind(err)); kind != nil && errors.Is(err, kind) && text != kind.Error() {
		text = strings.TrimSuffix(text, ": "+kind.Error())
		text = strings.TrimPrefix(text, kind.Error()+": ")
	}
	text = upper(strings.TrimSpace(text))
	if text != "" && !strings.ContainsAny(text[len(text)-1:], ".!?") && !strings.HasSuffix(text, "…") {
		text += "."
	}
	return text
}
