package library

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/potluck-share/potluck/app/domain"
)

const (
	// pageLength is how many entries a page of the catalogue has at most.
	pageLength = 1000
	// pageBytes is how many bytes of paths a page has at most, about.
	pageBytes = 512 << 10
)

// privateView is the numbering of what one peer sees that may see more than
// everyone nearby, or something else. It tells nothing of the public numbering:
// it counts only the changes of what that peer sees, from 1, in an epoch of its
// own.
type privateView struct {
	sequence uint64
	seen     [sha256.Size]byte // digest of the shares that the number stands for
}

// sight is what an asker sees of the catalogue at one moment.
type sight struct {
	version domain.Version
	private bool
	shares  map[string]bool // the names of those it sees
	entries int
	bytes   int64
}

// look finds out what an asker sees. ok is false for somebody who sees nothing,
// not even an empty catalogue: a stranger from afar, somebody blocked, anybody
// while the user is hidden.
func (l *Library) look(asker domain.Asker) (s sight, ok bool) {
	if !l.serves(asker) {
		return sight{}, false
	}
	// The version comes first: whatever is stored after it is told again.
	s.version = l.store.Version()
	l.mu.Lock()
	defer l.mu.Unlock()
	s.private = asker.Friend || asker.Withheld || l.views[asker.Peer] != nil
	s.shares = make(map[string]bool)
	var seen []*share
	for _, sh := range l.shares {
		if sh.Offer != "" {
			continue
		}
		if sh.Audience.Kind == domain.Chosen && sh.Audience.Includes(asker) {
			s.private = true
		}
		if offers(sh.Share) && sh.Audience.Includes(asker) {
			seen = append(seen, sh)
		}
	}
	if !s.private && !asker.Near {
		return sight{}, false
	}
	for _, sh := range seen {
		if s.private || sh.Audience.Kind == domain.Everyone {
			s.shares[sh.Name] = true
			s.entries += sh.Entries
			s.bytes += sh.Bytes
		}
	}
	if s.private {
		s.version = l.privateVersion(asker.Peer, seen)
	}
	return s, true
}

// privateVersion numbers what a peer sees, giving a new number if it is not
// what it was before. The caller holds l.mu.
func (l *Library) privateVersion(peer domain.PeerID, seen []*share) domain.Version {
	slices.SortFunc(seen, func(a, b *share) int { return cmp.Compare(a.Name, b.Name) })
	digest := sha256.New()
	for _, sh := range seen {
		digest.Write(binary.BigEndian.AppendUint64(nil, sh.revision))
	}
	v := l.views[peer]
	if v == nil {
		v = &privateView{}
		l.views[peer] = v
	}
	if now := [sha256.Size]byte(digest.Sum(nil)); v.sequence == 0 || v.seen != now {
		v.sequence++
		v.seen = now
	}
	return domain.Version{Epoch: l.epoch, Sequence: v.sequence}
}

// Head returns the summary of what the asker may see: version, entries and
// bytes. It is zero for a far stranger and for somebody blocked. What everyone
// nearby sees has one numbering; somebody with a view of its own has another.
func (l *Library) Head(asker domain.Asker) domain.Head {
	s, ok := l.look(asker)
	if !ok {
		return domain.Head{}
	}
	return domain.Head{Version: s.version, Entries: s.entries, Bytes: s.bytes}
}

// Page returns a page of what the asker may see: the changes since a version if
// they are known, else all of it. cursor is empty for the first page and the
// Next of the last one for the others, whose since does not matter. The version
// of all pages is that at the first one; what changes meanwhile may or may not
// be in them and is told as a change after it.
//
// The error wraps domain.ErrRefused for a far stranger and for somebody blocked,
// domain.ErrMalformed for a cursor that was not made here, and domain.ErrChanged
// if so much has changed since the first page that the pull must begin anew.
func (l *Library) Page(ctx context.Context, asker domain.Asker, since domain.Version, cursor string) (domain.Page, error) {
	if err := ctx.Err(); err != nil {
		return domain.Page{}, err
	}
	s, ok := l.look(asker)
	if !ok {
		return domain.Page{}, fmt.Errorf("the catalogue: %w", domain.ErrRefused)
	}
	if cursor == "" {
		return l.firstPage(s, since)
	}
	c, err := parseCursor(cursor)
	if err != nil {
		return domain.Page{}, err
	}
	if c.full {
		return l.fullPage(s, c.version, c.after)
	}
	if s.private || c.version.Epoch != s.version.Epoch {
		return domain.Page{}, fmt.Errorf("the catalogue: %w", domain.ErrChanged)
	}
	page, ok, err := l.deltaPage(c.version, c.reached)
	if err == nil && !ok {
		err = fmt.Errorf("the catalogue: %w", domain.ErrChanged)
	}
	return page, err
}

func (l *Library) firstPage(s sight, since domain.Version) (domain.Page, error) {
	if since == s.version {
		return domain.Page{Version: s.version}, nil
	}
	if !s.private && since.Epoch == s.version.Epoch {
		if page, ok, err := l.deltaPage(s.version, since.Sequence); err != nil || ok {
			return page, err
		}
	}
	return l.fullPage(s, s.version, "")
}

// fullPage returns the entries after a path.
func (l *Library) fullPage(s sight, v domain.Version, after string) (domain.Page, error) {
	entries, next, err := l.store.FilePage(after, pageLength, func(share string) bool { return s.shares[share] })
	if err != nil {
		return domain.Page{}, err
	}
	page := domain.Page{Version: v, Full: true}
	bytes := 0
	for i := range entries {
		if bytes += len(entries[i].Path); bytes > pageBytes && i > 0 {
			next = entries[i-1].Path
			break
		}
		page.Changes = append(page.Changes, domain.Change{Path: entries[i].Path, Entry: &entries[i]})
	}
	if next != "" {
		page.Next = cursor{full: true, version: v, after: next}.String()
	}
	return page, nil
}

// deltaPage returns public changes after the sequence reached, up to the
// version v. ok is false if the log does not reach back so far.
func (l *Library) deltaPage(v domain.Version, reached uint64) (page domain.Page, ok bool, err error) {
	if reached > v.Sequence {
		return domain.Page{}, false, nil
	}
	limit := int(min(pageLength, v.Sequence-reached))
	changes, _, ok, err := l.store.Changes(domain.Version{Epoch: v.Epoch, Sequence: reached}, limit)
	if err != nil || !ok || len(changes) < limit {
		return domain.Page{}, false, err
	}
	page = domain.Page{Version: v}
	bytes := 0
	for i, c := range changes {
		if bytes += len(c.Path); bytes > pageBytes && i > 0 {
			break
		}
		page.Changes = append(page.Changes, c)
	}
	if reached += uint64(len(page.Changes)); reached < v.Sequence {
		page.Next = cursor{version: v, reached: reached}.String()
	}
	return page, true, nil
}
