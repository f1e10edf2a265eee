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
		return "Nobody who has this is here." + t.lastSeen(d)
	}
	return fmt.Sprintf("%s is away since %s. Continues when %s is back.", who.Name, clock(who.LastSeen, t.cfg.Now()), who.Name)
}

// lastSeen says who of those that have what d lacks was here last, if anybody
// is known. The lock is held.
func (t *Transfers) lastSeen(d *transfer) string {
	var last domain.Peer
	for i := range d.Files {
		if f := &d.Files[i]; lacks(f) && !f.Folder {
			providers, _ := t.cfg.Catalogue.Providers(f.Content)
			for _, p := range providers {
				if who, ok := t.cfg.People.Peer(p.Peer); ok && who.LastSeen.After(last.LastSeen) {
					last = who
				}
			}
			break // the others come from the same
		}
	}
	if last.Name == "" {
		return ""
	}
	return fmt.Sprintf(" Last seen: %s, %s.", last.Name, clock(last.LastSeen, t.cfg.Now()))
}

// damagedReason says who sent damaged data and what is done about it. The lock
// is held.
func (t *Transfers) damagedReason(d *transfer, providers int) string {
	who := "Somebody"
	if liar, _ := t.cfg.People.Peer(d.liar); liar.Name != "" {
		who = liar.Name
	}
	owner, _ := t.cfg.People.Peer(d.Peer)
	switch {
	case providers == 0:
		return who + " sent damaged data. Nobody else who has this is here."
	case owner.Online && owner.Name != "" && d.Peer != d.liar && providers == 1:
		return fmt.Sprintf("%s sent damaged data. Getting it from %s instead.", who, owner.Name)
	default:
		return who + " sent damaged data. Getting it from others instead."
	}
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
