package library

import (
	"context"

	"github.com/potluck-share/potluck/app/domain"
)

// mostChanges is how many changes of a catalogue are told one by one. It is the
// length of the change log: of more, it would only keep the end.
const mostChanges = 20_000

// pageOfFiles is how many stored files are looked at in one go.
const pageOfFiles = 1000

// delta is a change of what a share holds.
type delta struct {
	put  []domain.File
	drop []string // entry paths
	// entries and bytes are by how much the share's counts change.
	entries int
	bytes   int64
}

func (d delta) empty() bool { return len(d.put) == 0 && len(d.drop) == 0 }

// commit stores d and what edit, which may be nil, makes of the share, and
// tells it in the public change log as far as everyone nearby may know. An edit
// that changes whether the share is public comes with an empty delta.
func (l *Library) commit(ctx context.Context, sh *share, d delta, edit func(*domain.Share)) error {
	sh.storing.Lock()
	defer sh.storing.Unlock()
	before, ok := l.stored(sh)
	if !ok {
		return errUnshared
	}
	after := before
	after.Entries += d.entries
	after.Bytes += d.bytes
	if edit != nil {
		edit(&after)
	}
	b := domain.CatalogueBatch{PutShares: []domain.Share{after}, PutFiles: d.put, DropPaths: d.drop}
	if public(before) != public(after) {
		if err := l.tellAll(&b, after.Name, public(after)); err != nil {
			return err
		}
	} else if public(after) {
		b.Public = d.changes()
	}
	if edit != nil {
		// Who reads the catalogue meanwhile goes on from the version before, so
		// it may see the change early but must not miss it.
		l.become(sh, after)
	}
	if _, err := l.store.Apply(ctx, b); err != nil {
		l.become(sh, before)
		return err
	}
	touched := !d.empty() || offers(before) != offers(after) || before.Audience.String() != after.Audience.String()
	l.mu.Lock()
	sh.Share = after
	if touched {
		l.counter++
		sh.revision = l.counter
	}
	if !sh.reading {
		l.publish(sh) // while it is read, this is done a few times a second
	}
	l.mu.Unlock()
	if touched && after.Offer == "" {
		l.changed()
	}
	return nil
}

// become sets what is known of a share in memory.
func (l *Library) become(sh *share, s domain.Share) {
	l.mu.Lock()
	defer l.mu.Unlock()
	sh.Share = s
}

// stored returns the share as it is stored; ok is false once it is not shared
// any more.
func (l *Library) stored(sh *share) (s domain.Share, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return sh.Share, !sh.removed
}

func (d delta) changes() []domain.Change {
	changes := make([]domain.Change, 0, len(d.put)+len(d.drop))
	for _, path := range d.drop {
		changes = append(changes, domain.Change{Path: path})
	}
	for i := range d.put {
		changes = append(changes, domain.Change{Path: d.put[i].Path, Entry: &d.put[i].Entry})
	}
	return changes
}

// tellAll adds to b that all entries of a share have appeared or vanished for
// everyone nearby.
func (l *Library) tellAll(b *domain.CatalogueBatch, name string, appear bool) error {
	after := ""
	for {
		files, err := l.store.FilesFrom(name, after, pageOfFiles)
		if err != nil {
			return err
		}
		for _, f := range files {
			c := domain.Change{Path: f.Path}
			if appear {
				c.Entry = &f.Entry
			}
			b.Public = append(b.Public, c)
		}
		if len(files) < pageOfFiles {
			return nil
		}
		if len(b.Public) > mostChanges {
			b.Public, b.ForgetLog = nil, true
			return nil
		}
		after = files[len(files)-1].Path
	}
}
