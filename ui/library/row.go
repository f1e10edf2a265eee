package library

import (
	"cmp"
	"slices"
	"strings"

	"fyne.io/fyne/v2"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/ui/format"
	"github.com/potluck-share/potluck/ui/theme"
	"github.com/potluck-share/potluck/ui/words"
)

// kind says what a row shows.
type kind int

const (
	shareRow kind = iota
	fileRow       // a file or folder below a share
	noteRow       // says something about the folder above, as that more is coming
)

// row is a share, or what lies below one, in the words that are shown.
type row struct {
	id    string
	kind  kind
	owner string        // the share's name
	share *domain.Share // nil for what lies below one
	file  domain.Entry  // for what lies below a share
	depth int

	name     string
	lower    string
	folder   bool
	open     bool // the folder is unfolded
	audience string
	fetched  string
	state    string
	icon     string // of the state; empty: none
	tint     fyne.ThemeColorName
	broken   bool
	progress float64 // of the reading; below 0: none to show
	more     *branch // of a note: its folder goes on below
}

// names are the people that are known, by their IDs.
type names map[domain.PeerID]string

func rowsOf(shares []domain.Share, who names) []row {
	rows := make([]row, len(shares))
	for i, s := range shares {
		rows[i] = rowOf(s, who)
	}
	return rows
}

func rowOf(s domain.Share, who names) row {
	r := row{
		id: s.Name, owner: s.Name, share: &s, name: s.Name, lower: strings.ToLower(s.Name), folder: s.Folder,
		audience: chipWords(s.Audience, who), fetched: fetchedWords(s.Fetched),
		icon: "check", tint: theme.Done, state: heldWords(s), progress: -1,
	}
	switch s.State {
	case domain.ShareReading:
		r.icon, r.tint, r.state = "clock", theme.Waiting, words.T("Reading…")
		if s.ToRead > 0 {
			r.state = words.T("Reading %s", format.Percent(s.Read, s.ToRead))
			r.progress = format.Fraction(s.Read, s.ToRead)
		}
	case domain.ShareGone:
		r.icon, r.tint, r.state, r.broken = "warning", theme.Error, words.T("Gone"), true
	case domain.ShareUnreadable:
		r.icon, r.tint, r.state, r.broken = "warning", theme.Error, words.T("Can't be read"), true
		if !s.Problem.IsZero() {
			r.state = words.Say(s.Problem)
		}
	default:
		if !s.Problem.IsZero() {
			r.icon, r.tint, r.state, r.broken = "warning", theme.Waiting, words.Say(s.Problem), true
		}
	}
	return r
}

// heldWords says what a share holds.
func heldWords(s domain.Share) string {
	if !s.Folder {
		return words.Size(s.Bytes)
	}
	return words.T("%s, %s", words.N("%s files", s.Entries), words.Size(s.Bytes))
}

// rank sorts states: what needs the user first, then what is being read.
func (r *row) rank() int {
	switch {
	case r.broken:
		return 0
	case r.share.State == domain.ShareReading:
		return 1
	default:
		return 2
	}
}

// sortRows sorts by a column; equal ones by name.
func sortRows(rows []row, key string, descending bool) {
	slices.SortStableFunc(rows, func(a, b row) int {
		var order int
		switch key {
		case "audience":
			order = strings.Compare(a.audience, b.audience)
		case "fetched":
			order = cmp.Compare(b.share.Fetched, a.share.Fetched) // the most first
		case "state":
			order = cmp.Or(cmp.Compare(a.rank(), b.rank()), cmp.Compare(b.share.Bytes, a.share.Bytes))
		default:
			order = strings.Compare(a.lower, b.lower)
		}
		if descending {
			order = -order
		}
		return cmp.Or(order, strings.Compare(a.lower, b.lower), strings.Compare(a.id, b.id))
	})
}
