package transfers

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/potluck-share/potluck/app/domain"
)

// absenceReason says for whom d waits. The lock is held.
func (t *Transfers) absenceReason(d *transfer) domain.Saying {
	if t.cfg.Network != nil && !t.cfg.Network() {
		return domain.Say("No network. Continues when it's back.")
	}
	who, known := t.cfg.People.Peer(d.Peer)
	if d.Peer != "" && known {
		return domain.Say("%s is away since %s. Continues when %s is back.", who.Name, who.LastSeen, who.Name)
	}
	if last := t.lastSeen(d); last.Name != "" {
		return domain.Say("Nobody who has this is here. Last seen: %s, %s.", last.Name, last.LastSeen)
	}
	return domain.Say("Nobody who has this is here.")
}

// lastSeen returns who of those that have what d lacks was here last; no name
// if nobody is known. The lock is held.
func (t *Transfers) lastSeen(d *transfer) domain.Peer {
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
	return last
}

// damagedReason says who sent damaged data and what is done about it. The lock
// is held.
func (t *Transfers) damagedReason(d *transfer, providers int) domain.Saying {
	liar, _ := t.cfg.People.Peer(d.liar)
	owner, _ := t.cfg.People.Peer(d.Peer)
	fromOwner := owner.Online && owner.Name != "" && d.Peer != d.liar && providers == 1
	switch who := liar.Name; {
	case who == "" && providers == 0:
		return domain.Say("Somebody sent damaged data. Nobody else who has this is here.")
	case who == "" && fromOwner:
		return domain.Say("Somebody sent damaged data. Getting it from %s instead.", owner.Name)
	case who == "":
		return domain.Say("Somebody sent damaged data. Getting it from others instead.")
	case providers == 0:
		return domain.Say("%s sent damaged data. Nobody else who has this is here.", who)
	case fromOwner:
		return domain.Say("%s sent damaged data. Getting it from %s instead.", who, owner.Name)
	default:
		return domain.Say("%s sent damaged data. Getting it from others instead.", who)
	}
}

// lineReason says where d waits in somebody's queue. The lock is held.
func (t *Transfers) lineReason(d *transfer) domain.Saying {
	who, _ := t.cfg.People.Peer(d.lineOf)
	n := d.line
	switch {
	case n%10 == 1 && n%100 != 11:
		return domain.Say("You're %sst in %s's queue.", n, who.Name)
	case n%10 == 2 && n%100 != 12:
		return domain.Say("You're %snd in %s's queue.", n, who.Name)
	case n%10 == 3 && n%100 != 13:
		return domain.Say("You're %srd in %s's queue.", n, who.Name)
	default:
		return domain.Say("You're %sth in %s's queue.", n, who.Name)
	}
}

// diskReason says what is wrong with the place that d goes to. The lock is
// held.
func (t *Transfers) diskReason(d *transfer, err error) domain.Saying {
	if errors.Is(err, domain.ErrNoSpace) {
		if free, freeErr := t.cfg.Engine.Free(d.Folder); freeErr == nil {
			if more := d.Size - d.Done - free; more > 0 {
				return domain.Say("Disk full. Free %s and it continues.", domain.Bytes(more))
			}
		}
		return domain.Say("Disk full. Free some space and it continues.")
	}
	if _, statErr := os.Stat(d.Folder); errors.Is(statErr, fs.ErrNotExist) {
		return domain.Say("The download folder is gone. Plug it in or choose another.")
	}
	return domain.Say("Can't write to %s. Choose another folder.", filepath.Base(d.Folder))
}

// failureReason says why a download of something from name ended.
func failureReason(name string, err error) domain.Saying {
	if name == "" {
		return namelessFailure(err)
	}
	switch {
	case errors.Is(err, domain.ErrChanged):
		return domain.Say("%s changed this file meanwhile.", name)
	case errors.Is(err, domain.ErrNotFound), errors.Is(err, domain.ErrRefused):
		return domain.Say("%s no longer shares this with you.", name)
	case errors.Is(err, domain.ErrVersion):
		return domain.Say("%s uses another version of Potluck. Update the older one.", name)
	case errors.Is(err, domain.ErrDamaged):
		return domain.Say("%s sent damaged data.", name)
	default:
		return otherFailure(err)
	}
}

// otherFailure says what an error means that is nobody's doing.
func otherFailure(err error) domain.Saying {
	if s := domain.KindSaying(err); !s.IsZero() {
		return s
	}
	return domain.Say("It stopped: %s", err.Error())
}

// namelessFailure is failureReason for what came from nobody in particular.
func namelessFailure(err error) domain.Saying {
	switch {
	case errors.Is(err, domain.ErrChanged):
		return domain.Say("Somebody changed this file meanwhile.")
	case errors.Is(err, domain.ErrNotFound), errors.Is(err, domain.ErrRefused):
		return domain.Say("Somebody no longer shares this with you.")
	case errors.Is(err, domain.ErrVersion):
		return domain.Say("Somebody uses another version of Potluck. Update the older one.")
	case errors.Is(err, domain.ErrDamaged):
		return domain.Say("Somebody sent damaged data.")
	default:
		return otherFailure(err)
	}
}
