package transfers

import (
	"cmp"
	"math"
	"slices"
	"time"

	"fyne.io/fyne/v2"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/ui/format"
	"github.com/potluck-share/potluck/ui/theme"
	"github.com/potluck-share/potluck/ui/words"
)

// row is a transfer, with the words that are shown on a day. It does not
// change: another state is another row.
type row struct {
	id       string
	transfer domain.Transfer
	day      int
	rank     int
	look     look
}

// look is all that is to be seen of a row: two rows that look the same are
// equal.
type look struct {
	name     string
	who      string // "from Ana", "to Ben"
	sentence string
	ink      fyne.ThemeColorName // of the sentence
	icon     string
	tint     fyne.ThemeColorName // of icon and bar
	bar      bool
	fraction float64 // in steps that can be seen
	percent  string
	remedy   string    // on the button that mends it; empty: there is none
	mend     action    // what that button does
	buttons  [2]action // from the left; none where there is none
}

// steps is how many parts of a bar can be told apart.
const steps = 2 * float64(barWidth)

// upwards reports whether files go from here to somebody else.
func upwards(t *domain.Transfer) bool {
	return t.Kind == domain.Upload || t.Kind == domain.Offering && !t.Incoming
}

// rank is a state's place in the list: what needs the user comes first.
func rank(t *domain.Transfer) int {
	switch t.State {
	case domain.Failed:
		return 0
	case domain.Waiting:
		if NeedsUser(t) {
			return 0
		}
		return 2
	case domain.Running:
		return 1
	case domain.Queued:
		return 2
	case domain.Paused:
		return 3
	default:
		return 4
	}
}

// NeedsUser reports whether a waiting transfer goes on only when the user has
// done something.
func NeedsUser(t *domain.Transfer) bool {
	return t.State == domain.Waiting &&
		(t.Failure == domain.ErrorKind(domain.ErrNoSpace) || t.Failure == domain.ErrorKind(domain.ErrUnwritable))
}

// rowsOf sorts transfers, within a state the ended ones newest first and the
// others as they will run, and puts them into words. Rows of before, by their
// ID, are taken again where they say the same: most have ended long ago.
func rowsOf(transfers []domain.Transfer, now time.Time, before map[string]*row) []*row {
	day := dayOf(now)
	rows := make([]*row, len(transfers))
	for i := range transfers {
		t := &transfers[i]
		if old := before[t.ID]; old != nil && old.day == day && alike(&old.transfer, t) {
			rows[i] = old
			continue
		}
		rows[i] = &row{id: t.ID, transfer: *t, day: day, rank: rank(t), look: lookOf(t, now)}
	}
	slices.SortFunc(rows, compare)
	return rows
}

// compare tells how two rows stand in the list.
func compare(x, y *row) int {
	if x.rank != y.rank {
		return x.rank - y.rank
	}
	a, b := &x.transfer, &y.transfer
	ended := a.State.Ended() && b.State.Ended()
	if c := b.Ended.Compare(a.Ended); ended && c != 0 {
		return c
	}
	c := cmp.Or(cmp.Compare(a.Order, b.Order), a.Added.Compare(b.Added), cmp.Compare(a.ID, b.ID))
	if ended {
		return -c
	}
	return c
}

// alike reports whether two states of a transfer are the same to the page.
func alike(a, b *domain.Transfer) bool {
	return a.State == b.State && a.Done == b.Done && a.Rate == b.Rate && a.Size == b.Size && a.Count == b.Count &&
		a.Reason == b.Reason && a.Failure == b.Failure && a.Order == b.Order && a.Parts == b.Parts &&
		a.Kind == b.Kind && a.PeerName == b.PeerName && a.Path == b.Path && a.Folder == b.Folder && a.Final == b.Final &&
		a.Added.Equal(b.Added) && a.Ended.Equal(b.Ended) && slices.Equal(a.From, b.From)
}

// dayOf numbers the days: what was "14:02" is "yesterday" on the next one.
func dayOf(now time.Time) int { return now.Year()*1000 + now.YearDay() }

func lookOf(t *domain.Transfer, now time.Time) look {
	l := look{
		name: Name(t), who: whoOf(t), sentence: sentenceOf(t, now),
		icon: "download", tint: theme.Primary, ink: theme.SecondText,
	}
	if upwards(t) {
		l.icon, l.tint = "upload", theme.Upload
	}
	switch {
	case t.State == domain.Done:
		l.icon, l.tint = "check", theme.Done
	case t.State == domain.Failed, NeedsUser(t):
		l.icon, l.tint, l.ink = "warning", theme.Error, theme.Error
	case t.State == domain.Waiting, t.State == domain.Queued:
		l.tint = theme.Waiting
	case t.State == domain.Cancelled:
		l.icon, l.tint = "close", theme.SecondText
	case t.State == domain.Paused:
		l.tint = theme.SecondText
	}
	l.remedy, l.mend = remedyOf(t)
	if l.bar = !t.State.Ended() && l.remedy == "" && (t.Kind != domain.Offering || t.State == domain.Running || t.Done > 0); l.bar && t.Size > 0 {
		l.fraction = math.Round(format.Fraction(t.Done, t.Size)*steps) / steps
		l.percent = format.Percent(t.Done, t.Size)
	}
	l.buttons = buttonsOf(t, l.mend)
	return l
}

// remedyOf names what mends a transfer that has a problem, or what else its
// sentence asks for.
func remedyOf(t *domain.Transfer) (name string, mend action) {
	switch {
	case can(t, renewing):
		return words.T("Get the new one"), renewing
	case t.State == domain.Failed && can(t, retrying):
		return words.T("Try again"), retrying
	case NeedsUser(t) && can(t, moving):
		return words.T("Choose another folder"), moving
	case t.State == domain.Done && told(t) && can(t, revealing):
		return words.T("Show in folder"), revealing
	default:
		return "", none
	}
}

// icons are those of the actions that are buttons in a row, in their order.
var icons = []struct {
	action action
	icon   string
}{
	{revealing, "folder"}, {opening, "open"}, {pausing, "pause"}, {resuming, "play"}, {retrying, "retry"}, {cancelling, "close"},
}

func iconOf(a action) string {
	for _, i := range icons {
		if i.action == a {
			return i.icon
		}
	}
	return ""
}

// buttonsOf says which actions are buttons in a transfer's row, beside its
// remedy.
func buttonsOf(t *domain.Transfer, mend action) (buttons [2]action) {
	at := len(buttons)
	for _, i := range slices.Backward(icons) {
		if at > 0 && i.action != mend && can(t, i.action) {
			at--
			buttons[at] = i.action
		}
	}
	return buttons
}
