package domain

import "errors"

// fault is an error that says in a translatable way what happened.
type fault struct {
	kind error // nil if what it is wrapped with has the kind
	said Saying
}

// Fault makes an error of a kind that the window can tell in the user's
// language: SayingOf finds what it says. The form is written as errors are,
// without a capital and a full stop, which whoever shows it alone adds. Error
// puts the kind before it; a nil kind stands for none.
func Fault(kind error, form string, args ...any) error {
	return &fault{kind: kind, said: Say(form, args...)}
}

// Error returns the English text.
func (f *fault) Error() string {
	if f.kind == nil {
		return f.said.String()
	}
	return f.kind.Error() + ": " + f.said.String()
}

// Unwrap returns the kind.
func (f *fault) Unwrap() error { return f.kind }

// SayingOf returns what the outermost Fault in err says; false if there is
// none.
func SayingOf(err error) (Saying, bool) {
	var f *fault
	if errors.As(err, &f) {
		return f.said, true
	}
	return Saying{}, false
}

// KindSaying tells the user what an error of err's kind means, for an error
// that does not say more itself. It says nothing for an error without a kind.
func KindSaying(err error) Saying {
	for _, k := range kinds {
		if errors.Is(err, k.err) {
			return k.said
		}
	}
	return Saying{}
}
