package browse

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/ui/format"
	"github.com/potluck-share/potluck/ui/words"
)

// row is a file or folder, in the words that are shown. It does not change once
// it is made, so that sorting off the UI thread needs no copy.
type row struct {
	id        string
	result    domain.Result
	name      string
	lower     string
	kind      string // as the filter knows it
	kindWords string
	size      string
	modified  string
	from      string
	lowerFrom string
	owner     string // who is asked for it
	away      bool   // nobody who has it is around, and nothing else on the page says so
	here      bool   // somebody who has it is around
}

// table is rows together with what finds them, all made off the UI thread.
type table struct {
	all     []*row // before filters, as they came
	rows    []*row // those shown, in order
	ids     []string
	byID    map[string]int
	folders int
	sum     sum // of all rows
}

// wish is how the user wants to see the rows.
type wish struct {
	order  order
	filter filter
}

// arrange makes the table of rows as the user wants it.
func arrange(all []*row, want wish, at place) table {
	t := table{all: all, rows: want.filter.apply(all, at)}
	want.order.apply(t.rows, at)
	t.ids = make([]string, len(t.rows))
	t.byID = make(map[string]int, len(t.rows))
	for i, r := range t.rows {
		t.ids[i] = r.id
		t.byID[r.id] = i
		if r.result.Folder {
			t.folders++
		}
	}
	t.sum = sumOf(t.rows)
	return t
}

// sum is what several rows come to.
type sum struct {
	bytes int64
	sized bool   // the size of each is known
	away  bool   // all of them only lie with people who are away
	owner string // whose they are; severalOwners if those are several people
}

// severalOwners stands for several people; no name holds a slash.
const severalOwners = "/"

func sumOf(rows []*row) sum {
	s := sum{sized: true, away: len(rows) > 0}
	for i, r := range rows {
		s.bytes += r.result.Size
		s.sized = s.sized && (!r.result.Folder || r.result.Size > 0)
		s.away = s.away && !r.here
		switch {
		case i == 0:
			s.owner = r.owner
		case r.owner != s.owner:
			s.owner = severalOwners
		}
	}
	return s
}

// rowsOf puts results into words.
func rowsOf(results []domain.Result, at place, now time.Time) []*row {
	made := make([]row, len(results)) // one piece of memory for all of them
	rows := make([]*row, len(results))
	for i, r := range results {
		made[i] = rowOf(r, at, now)
		rows[i] = &made[i]
	}
	return rows
}

func rowOf(r domain.Result, at place, now time.Time) row {
	out := row{result: r, name: format.Name(r.Name()), modified: format.Day(r.Modified, now)}
	out.lower = strings.ToLower(out.name)
	if r.Folder {
		out.kind, out.kindWords = folders, words.T("Folder")
		if r.Entries > 0 {
			out.size = format.Files(r.Entries)
		}
		if r.Size > 0 {
			out.size = format.Size(r.Size)
		}
	} else {
		out.kind = format.KindOf(out.name)
		out.kindWords = format.KindName(out.kind)
		out.size = format.Size(r.Size)
	}
	for _, p := range r.Providers {
		out.here = out.here || p.Online
	}
	out.away = !out.here && at.peer == ""
	out.id = r.Path
	if p, ok := out.provider(at.peer); ok {
		out.from, out.owner = nameOf(p), nameOf(p)
		out.id = string(p.Peer) + "/" + p.Path
		if r.Folder {
			out.id += "/"
		}
	}
	if !r.Content.IsZero() && at.peer == "" {
		// The same content of several people is one row, whoever is first.
		out.id = r.Content.String() + "/" + r.Path
	}
	if n := len(r.Providers); n > 1 {
		out.from = words.T("%s +%s", out.from, words.Count(n-1))
	}
	out.lowerFrom = strings.ToLower(out.from)
	return out
}

// provider chooses whom to ask: peer if that has it, else somebody around,
// else the first.
func (r *row) provider(peer domain.PeerID) (domain.Provider, bool) {
	if len(r.result.Providers) == 0 {
		return domain.Provider{}, false
	}
	best := r.result.Providers[0]
	for _, p := range r.result.Providers {
		if peer != "" && p.Peer == peer {
			return p, true
		}
		if p.Online && !best.Online {
			best = p
		}
	}
	return best, true
}

// request asks for the row's content at a place, into a folder.
func (r *row) request(at place, to string) domain.GetRequest {
	p, ok := r.provider(at.peer)
	switch {
	case ok:
		return domain.GetRequest{Peer: p.Peer, Path: p.Path, To: to}
	case at.peer != "":
		return domain.GetRequest{Peer: at.peer, Path: r.result.Path, To: to}
	default:
		return domain.GetRequest{Content: r.result.Content, To: to}
	}
}

// order is how rows are sorted. Without a key, everyone's newest come first,
// what is found stays as it came, and a folder goes by name.
type order struct {
	key        string
	descending bool
}

// apply sorts rows. Folders come first, whichever way the rest goes.
func (o order) apply(rows []*row, at place) {
	if o.key == "" && at.query != "" {
		return
	}
	newest := o.key == "" && at.peer == "" && at.folder == ""
	slices.SortStableFunc(rows, func(a, b *row) int {
		if a.result.Folder != b.result.Folder && !newest {
			if a.result.Folder {
				return -1
			}
			return 1
		}
		var by int
		switch {
		case newest:
			by = b.result.Modified.Compare(a.result.Modified)
		case o.key == "size":
			if by = cmp.Compare(a.result.Size, b.result.Size); by == 0 {
				by = cmp.Compare(a.result.Entries, b.result.Entries)
			}
		case o.key == "modified":
			by = a.result.Modified.Compare(b.result.Modified)
		case o.key == "from":
			by = strings.Compare(a.lowerFrom, b.lowerFrom)
		case o.key == "kind":
			by = strings.Compare(a.kindWords, b.kindWords)
		default:
			by = strings.Compare(a.lower, b.lower)
		}
		if o.descending {
			by = -by
		}
		if by == 0 {
			by = strings.Compare(a.lower, b.lower)
		}
		if by == 0 {
			by = strings.Compare(a.id, b.id)
		}
		return by
	})
}

// moves reports whether showing the newer rows would move or remove one that
// is on screen.
func moves(old, latest []*row) bool {
	if len(latest) < len(old) {
		return true
	}
	for i := range old {
		if old[i].id != latest[i].id {
			return true
		}
	}
	return false
}
