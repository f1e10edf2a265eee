package transfers

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/potluck-share/potluck/app/domain"
)

// absenceReason says for whom d waits. The lock is held.
func (t *Transfers) absenceReason(d *transfer) string {
	if t.cfg.Network != nil && !t.cfg.Network() {
		return "No network. Continues when it's back."
	}
	who, known := t.cfg.People.Peer(d.Peer)
	if d.Peer == "" || !known {
		return "Nobody who has this is here."
	}
	return fmt.Sprintf("%s is away since %s. Continues when %s is back.", who.Name, clock(who.LastSeen, t.cfg.Now()), who.Name)
}

// clock tells a moment in the user's own time, as short as is clear.
func clock(at, now time.Time) string {
	at, now = at.Local(), now.Local()
	if at.IsZero() {
		return "long ago"
	}
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

// diskReason says what is wrong with the place that d goes to. The lock is
// held.
func (t *Transfers) diskReason(d *transfer, err error) string {
	if errors.Is(err, domain.ErrNoSpace) {
		if free, freeErr := t.cfg.Engine.Free(d.Folder); freeErr == nil {
			if more := d.Size - d.Done - free; more > 0 {
				return fmt.Sprintf("Disk full. Free %s and it continues.", domain.SizeText(more))
			}
		}
		return "Disk full. Free some space and it continues."
	}
	if _, statErr := os.Stat(d.Folder); errors.Is(statErr, fs.ErrNotExist) {
		return "The download folder is gone. Plug it in or choose another."
	}
	return fmt.Sprintf("Can't write to %s. Choose another folder.", filepath.Base(d.Folder))
}

// failureReason says why a download of something from name ended.
func failureReason(name string, err error) string {
	if name == "" {
		name = "Somebody"
	}
	switch {
	case errors.Is(err, domain.ErrChanged):
		return name + " changed this file meanwhile."
	case errors.Is(err, domain.ErrNotFound), errors.Is(err, domain.ErrRefused):
		return name + " no longer shares this with you."
	case errors.Is(err, domain.ErrVersion):
		return name + " uses another version of Potluck. Update the older one."
	case errors.Is(err, domain.ErrDamaged):
		return name + " sent damaged data."
	default:
		return "It stopped: " + err.Error()
	}
}
