package widget

import (
	"strings"
	"time"
	"unicode"
)

// typingPause is the longest time between two letters of one name.
const typingPause = time.Second

// typing is what was typed into a list to jump to a name.
type typing struct {
	text string
	at   time.Time
}

// TypedRune jumps to the next row whose label begins with the letters that
// were typed one soon after the other.
func (l *List) TypedRune(r rune) {
	if l.Label == nil || len(l.ids) == 0 {
		return
	}
	now := l.now()
	from := max(l.at, 0)
	if now.Sub(l.typing.at) > typingPause {
		if unicode.IsSpace(r) {
			return // no name begins with it, and it is a key of its own
		}
		l.typing.text = ""
		from = l.at + 1
	}
	l.typing.at = now
	l.typing.text += string(unicode.ToLower(r))
	for i := range l.ids {
		at := (from + i) % len(l.ids)
		id := l.ids[at]
		if !l.heading(id) && strings.HasPrefix(strings.ToLower(l.Label(id)), l.typing.text) {
			l.byKeys = true
			l.sel.Only(id)
			l.moved(at)
			return
		}
	}
}
