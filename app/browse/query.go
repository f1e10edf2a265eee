package browse

import (
	"context"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/potluck-share/potluck/app/domain"
)

// mostSummed is how many entries are looked at to tell how large found folders
// are.
const mostSummed = 1_000_000

// view is a peer with its catalogue as it was at one moment.
type view struct {
	peer  domain.Peer
	known *catalogue
	told  *catalogue // what it answered to searches; nil for nothing
}

// find returns the entry at path.
func (v view) find(path string) (domain.Entry, bool) {
	e, ok := v.known.find(path)
	if !ok && v.told != nil {
		e, ok = v.told.find(path)
	}
	return e, ok
}

// of returns an entry with that content.
func (v view) of(id domain.ContentID) (domain.Entry, bool) {
	e, ok := v.known.of(id)
	if !ok && v.told != nil {
		e, ok = v.told.of(id)
	}
	return e, ok
}

// search calls each with the entries whose path holds all words, which are in
// lower case, until each returns false.
func (v view) search(words []string, each func(*domain.Entry) bool) {
	if v.told == nil {
		v.known.search(words, each)
		return
	}
	going := true
	v.known.search(words, func(e *domain.Entry) bool {
		going = each(e)
		return going
	})
	if !going {
		return
	}
	v.told.search(words, func(e *domain.Entry) bool {
		_, known := v.known.find(e.Path)
		return known || e.Folder || each(e) // what a folder holds is not known
	})
}

// views returns the catalogues of one peer, or of all if id is empty: of those
// online first.
func (b *Browse) views(id domain.PeerID) []view {
	b.mu.Lock()
	known := make(map[domain.PeerID]view, len(b.peers))
	for peer, p := range b.peers {
		if id == "" || peer == id {
			v := view{known: p.known}
			if p.told.lasts() {
				v.told = p.told.entries
			}
			known[peer] = v
		}
	}
	b.mu.Unlock()
	all := make([]view, 0, len(known))
	for peer, v := range known {
		if v.peer, _ = b.cfg.People.Peer(peer); !v.peer.Blocked {
			all = append(all, v)
		}
	}
	slices.SortFunc(all, func(a, b view) int {
		if a.peer.Online != b.peer.Online {
			if a.peer.Online {
				return -1
			}
			return 1
		}
		return strings.Compare(a.peer.Name+string(a.peer.ID), b.peer.Name+string(b.peer.ID))
	})
	return all
}

func (v view) provider(path string) domain.Provider {
	return domain.Provider{Peer: v.peer.ID, Name: v.peer.Name, Path: path, Online: v.peer.Online}
}

// List returns the rows of a folder of a peer: its top level for "", and that
// of everyone for no peer. A folder that is not there is domain.ErrNotFound.
func (b *Browse) List(_ context.Context, id domain.PeerID, folder string) ([]domain.Result, error) {
	folder = strings.Trim(folder, "/")
	var rows []domain.Result
	for _, v := range b.views(id) {
		for _, row := range v.known.children(folder) {
			row.Providers = []domain.Provider{v.provider(row.Path)}
			row.Have = !row.Folder && b.have(row.Content)
			rows = append(rows, row)
		}
	}
	if id != "" {
		b.alsoFrom(rows, id)
		if len(rows) == 0 && folder != "" {
			if e, ok := b.entry(id, folder); ok && e.Folder {
				return nil, nil
			}
			who, _ := b.cfg.People.Peer(id)
			return nil, domain.Fault(domain.ErrNotFound, "%s has no folder \"%s\"", who.Name, folder)
		}
		return rows, nil
	}
	return merge(rows), nil
}

func (b *Browse) have(id domain.ContentID) bool { return b.cfg.Have != nil && b.cfg.Have(id) }

// alsoFrom adds to the files in rows the other peers that have them.
func (b *Browse) alsoFrom(rows []domain.Result, except domain.PeerID) {
	for _, v := range b.views("") {
		if v.peer.ID == except {
			continue
		}
		for i := range rows {
			if rows[i].Folder {
				continue
			}
			if e, ok := v.of(rows[i].Content); ok {
				rows[i].Providers = also(rows[i].Providers, v.provider(e.Path))
			}
		}
	}
}

// also adds a provider, unless they are there: one person may have the same in
// several places.
func also(all []domain.Provider, p domain.Provider) []domain.Provider {
	if slices.ContainsFunc(all, func(one domain.Provider) bool { return one.Peer == p.Peer }) {
		return all
	}
	return append(all, p)
}

// merge joins the files of equal content and name into one row with several
// providers.
func merge(rows []domain.Result) []domain.Result {
	type key struct {
		content domain.ContentID
		size    int64
	}
	at := make(map[key]int, len(rows))
	merged := rows[:0:0]
	for _, row := range rows {
		if row.Folder {
			merged = append(merged, row)
			continue
		}
		k := key{row.Content, row.Size}
		if i, known := at[k]; known {
			for _, p := range row.Providers {
				merged[i].Providers = also(merged[i].Providers, p)
			}
			continue
		}
		at[k] = len(merged)
		merged = append(merged, row)
	}
	return merged
}

// Search returns up to limit entries whose path holds all the words, in any
// order and either case, of one peer or of everyone; no limit if it is 0.
// Equal content is one row with several providers. Folders match by their own
// name. Of what matches only that counts which keep, unless it is nil, wants; it is
// called from several goroutines. It looks at what is here; Ask brings more.
func (b *Browse) Search(ctx context.Context, words string, id domain.PeerID, limit int, keep func(domain.Entry) bool) ([]domain.Result, error) {
	wanted, err := wordsOf(words)
	if err != nil {
		return nil, err
	}
	views := b.views(id)
	found := make([][]domain.Result, len(views))
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, v := range views {
		group.Go(func() error {
			found[i] = b.searchOne(ctx, v, wanted, limit, keep)
			return ctx.Err()
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	rows := merge(slices.Concat(found...))
	if limit > 0 && len(rows) > limit {
		rows = rows[:limit]
	}
	// Others may have the same under a name that nobody looked for.
	b.alsoFrom(rows, "")
	b.sum(rows)
	return rows, nil
}

// searchOne returns what one person has.
func (b *Browse) searchOne(ctx context.Context, v view, words []string, limit int, keep func(domain.Entry) bool) (rows []domain.Result) {
	looked := 0
	v.search(words, func(e *domain.Entry) bool {
		if keep != nil && !keep(*e) {
			looked++
			return looked%1024 != 0 || ctx.Err() == nil
		}
		rows = append(rows, domain.Result{
			Entry: *e, Have: !e.Folder && b.have(e.Content),
			Providers: []domain.Provider{v.provider(e.Path)},
		})
		return (limit == 0 || len(rows) < limit) && ctx.Err() == nil
	})
	return rows
}

// sum tells of folders how much is in them, as far as that is quickly counted.
func (b *Browse) sum(rows []domain.Result) {
	views := make(map[domain.PeerID]view)
	for _, v := range b.views("") {
		views[v.peer.ID] = v
	}
	for i, left := 0, mostSummed; i < len(rows) && left > 0; i++ {
		row := &rows[i]
		if !row.Folder || len(row.Providers) == 0 {
			continue
		}
		below := views[row.Providers[0].Peer].below(row.Path)
		if left -= len(below); left < 0 {
			return
		}
		for _, e := range below {
			row.Modified = latest(row.Modified, e.Modified)
			if !e.Folder {
				row.Entries++
				row.Size += e.Size
			}
		}
	}
}

// below returns what is known to be in a folder.
func (v view) below(folder string) []domain.Entry {
	if v.known == nil {
		return nil // the person was blocked meanwhile
	}
	return v.known.below(folder)
}

func (b *Browse) entry(id domain.PeerID, path string) (domain.Entry, bool) {
	for _, v := range b.views(id) {
		if e, ok := v.find(path); ok {
			return e, true
		}
	}
	return domain.Entry{}, false
}

// Below returns what a download of path is made of: the file itself, or all
// entries in the folder. The error is domain.ErrNotFound if nothing is there.
func (b *Browse) Below(id domain.PeerID, path string) (entries []domain.Entry, folder bool, err error) {
	path = strings.Trim(path, "/")
	for _, v := range b.views(id) {
		if e, ok := v.find(path); ok && !e.Folder {
			return []domain.Entry{e}, false, nil
		} else if below := v.known.below(path); path != "" && (ok || len(below) > 0) {
			return slices.Clone(below), true, nil
		}
	}
	who, _ := b.cfg.People.Peer(id)
	return nil, false, domain.Fault(domain.ErrNotFound, "%s shares nothing called \"%s\"", who.Name, path)
}

// Providers returns who is known to have the content, those online first, and
// an entry that describes it.
func (b *Browse) Providers(id domain.ContentID) (providers []domain.Provider, entry domain.Entry) {
	for _, v := range b.views("") {
		if e, ok := v.of(id); ok {
			if len(providers) == 0 {
				entry = e
			}
			providers = append(providers, v.provider(e.Path))
		}
	}
	return providers, entry
}
