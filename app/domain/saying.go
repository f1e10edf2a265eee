package domain

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Bytes is a size in a Saying, in bytes; the window writes it in units.
type Bytes int64

// Saying is a sentence that the core tells and the window puts into the user's
// language: an English form with %s for each argument, and the arguments. The
// zero value says nothing. Two sayings that say the same are equal by ==.
//
// A form is written out in the source, never put together, since whoever
// translates it needs it whole; what counts something has a form for one and
// another for more.
type Saying struct {
	form string
	args [mostArgs]any // string, int, time.Time in UTC or Bytes; nil after the last one
}

// NameFirst reports whether the sentence begins with a name that somebody gave, of
// a file or a person, which is written as it is.
func (s Saying) NameFirst() bool {
	_, text := s.args[0].(string)
	return text && strings.HasPrefix(s.form, "%s")
}

// What is kept of a saying. Arguments are names that others gave, so that they
// may be long.
const (
	mostArgs    = 5
	longestForm = 1 << 12 // bytes
	longestArg  = 1 << 10 // bytes
	// MaxSaying is the longest text that MarshalText makes, in bytes.
	MaxSaying = 1 << 16
)

// Say makes a saying. An argument is a string, which is a name and stays as it
// is, an int, a time.Time or Bytes; of anything else the text is taken. A form
// without arguments is said as it is, signs and all; one with arguments writes
// %% for a per cent sign.
func Say(form string, args ...any) Saying {
	s := Saying{form: cut(form, longestForm)}
	for i, arg := range args[:min(len(args), mostArgs)] {
		switch arg := arg.(type) {
		case int, Bytes:
			s.args[i] = arg
		case time.Time:
			if !arg.IsZero() {
				arg = time.Unix(0, arg.UnixNano()) // alone comparable by ==
			}
			s.args[i] = arg.UTC()
		case string:
			s.args[i] = cut(arg, longestArg)
		default:
			s.args[i] = cut(fmt.Sprint(arg), longestArg)
		}
	}
	return s
}

// cut makes a text valid and short enough to be stored.
func cut(text string, most int) string {
	if text = strings.ToValidUTF8(text, "�"); len(text) <= most {
		return text
	}
	for !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most]
}

// IsZero reports whether it says nothing.
func (s Saying) IsZero() bool { return s.form == "" }

// Form returns the English form, under which a translation is found.
func (s Saying) Form() string { return s.form }

// Args returns the arguments in the order of the form: each is a string, an
// int, a time.Time or Bytes.
func (s Saying) Args() []any {
	for i, arg := range s.args {
		if arg == nil {
			return append([]any(nil), s.args[:i]...)
		}
	}
	return append([]any(nil), s.args[:]...)
}

// String returns the English sentence at this moment.
func (s Saying) String() string { return s.English(time.Now()) }

// English returns the English sentence at the moment now, in its time zone.
func (s Saying) English(now time.Time) string {
	return s.In(s.form, func(arg any) string {
		switch arg := arg.(type) {
		case int:
			return strconv.Itoa(arg)
		case Bytes:
			return SizeText(int64(arg))
		case time.Time:
			return clock(arg, now)
		default:
			return arg.(string)
		}
	})
}

// In returns the sentence in another form, that of a language, with the
// arguments as text writes them. A form may take the arguments in another order:
// %[2]s is the second one. What it asks for beyond them is left out.
func (s Saying) In(form string, text func(arg any) string) string {
	args := s.Args()
	if len(args) == 0 {
		return form
	}
	var b strings.Builder
	for next := 0; ; {
		before, rest, found := strings.Cut(form, "%")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		var at int
		switch n, after := index(rest); {
		case strings.HasPrefix(rest, "s"):
			at, form = next, rest[1:]
		case n > 0:
			at, form = n-1, after
		case strings.HasPrefix(rest, "%"):
			b.WriteByte('%')
			form = rest[1:]
			continue
		default:
			b.WriteByte('%')
			form = rest
			continue
		}
		next = at + 1
		if at < len(args) {
			b.WriteString(text(args[at]))
		}
	}
}

// index reads the "[2]s" of "%[2]s"; n is 0 if it is not there.
func index(text string) (n int, rest string) {
	if len(text) > 3 && text[0] == '[' && text[1] >= '1' && text[1] <= '9' && text[2:4] == "]s" {
		return int(text[1] - '0'), text[4:]
	}
	return 0, text
}

// clock tells a moment in the user's own time, as short as is clear.
func clock(at, now time.Time) string {
	if at.IsZero() {
		return "long ago"
	}
	at, now = at.Local(), now.Local()
	day := func(t time.Time) time.Time {
		y, m, d := t.Date()
		return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	}
	switch days := int(day(now).Sub(day(at)).Hours() / 24); {
	case days <= 0:
		return at.Format("15:04")
	case days == 1:
		return "yesterday"
	default:
		return at.Format("2 Jan")
	}
}

// storedArg is how an argument is stored that is neither a name nor a count.
type storedArg struct {
	Time  *int64 `json:"time,omitempty"` // in nanoseconds since 1970; 0 for no time
	Bytes *int64 `json:"bytes,omitempty"`
}

// MarshalText writes the saying so that UnmarshalText reads the same again: a
// JSON array, or the form alone if it has no arguments.
func (s Saying) MarshalText() ([]byte, error) {
	args := s.Args()
	if len(args) == 0 && !strings.HasPrefix(s.form, "[") {
		return []byte(s.form), nil
	}
	parts := []any{s.form}
	for _, arg := range args {
		switch one := arg.(type) {
		case time.Time:
			var nanos int64
			if !one.IsZero() {
				nanos = one.UnixNano()
			}
			arg = storedArg{Time: &nanos}
		case Bytes:
			size := int64(one)
			arg = storedArg{Bytes: &size}
		}
		parts = append(parts, arg)
	}
	return json.Marshal(parts)
}

// UnmarshalText reads what MarshalText wrote. Any other text is a sentence of
// its own, without arguments. The error is ErrTooLarge.
func (s *Saying) UnmarshalText(text []byte) error {
	if len(text) > MaxSaying {
		return fmt.Errorf("%w: a sentence of %d bytes", ErrTooLarge, len(text))
	}
	if said, ok := stored(text); ok {
		*s = said
		return nil
	}
	*s = Say(string(text))
	return nil
}

// stored reads the JSON form of a saying; false if it is none.
func stored(text []byte) (Saying, bool) {
	if !bytes.HasPrefix(text, []byte(`["`)) {
		return Saying{}, false
	}
	var parts []json.RawMessage
	var form string
	if json.Unmarshal(text, &parts) != nil || len(parts) > 1+mostArgs || json.Unmarshal(parts[0], &form) != nil {
		return Saying{}, false
	}
	args := make([]any, len(parts)-1)
	for i, part := range parts[1:] {
		var name string
		var count int
		var other storedArg
		switch {
		case bytes.Equal(part, []byte("null")):
			return Saying{}, false
		case json.Unmarshal(part, &name) == nil:
			args[i] = name
		case json.Unmarshal(part, &count) == nil:
			args[i] = count
		case json.Unmarshal(part, &other) != nil:
			return Saying{}, false
		case other.Bytes != nil:
			args[i] = Bytes(*other.Bytes)
		case other.Time != nil && *other.Time != 0:
			args[i] = time.Unix(0, *other.Time)
		case other.Time != nil:
			args[i] = time.Time{}
		default:
			return Saying{}, false
		}
	}
	return Say(form, args...), true
}
