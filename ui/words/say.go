package words

import (
	"fmt"
	"time"

	"github.com/potluck-share/potluck/app/domain"
)

// Say puts a sentence of the core into the user's language, at this moment.
func Say(s domain.Saying) string { return sayAt(s, time.Now()) }

func sayAt(s domain.Saying, now time.Time) string {
	if s.IsZero() {
		return ""
	}
	return s.In(translated(s.Form()), func(arg any) string {
		switch arg := arg.(type) {
		case int:
			return Count(arg)
		case domain.Bytes:
			return Size(int64(arg))
		case time.Time:
			if arg.IsZero() {
				return T("long ago")
			}
			return Time(arg, now)
		default:
			return fmt.Sprint(arg)
		}
	})
}
