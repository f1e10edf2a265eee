// Package people is the page that says who is around, and who was.
//
// A View belongs to the UI thread, except for Prepare.
package people

import (
	"context"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	fwidget "fyne.io/fyne/v2/widget"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/ui/theme"
	"github.com/potluck-share/potluck/ui/widget"
	"github.com/potluck-share/potluck/ui/words"
	"github.com/potluck-share/potluck/ui/work"
)

// People is what the window needs of the use case. Its methods may be called
// from any goroutine and may block.
type People interface {
	// Connect dials a typed address and returns who answered there.
	Connect(ctx context.Context, address string) (domain.Peer, error)
	// AddFriend asks somebody to become a friend; how that goes on is told by
	// events. ConfirmFriend says that the words are the same, or that an
	// invitation's bearer is to be a friend, DeclineFriend that nothing is to
	// come of it.
	AddFriend(ctx context.Context, id domain.PeerID) error
	ConfirmFriend(ctx context.Context, id domain.PeerID) error
	DeclineFriend(ctx context.Context, id domain.PeerID) error
	// RemoveFriend ends a friendship, RestoreFriend takes that back.
	RemoveFriend(ctx context.Context, id domain.PeerID) error
	RestoreFriend(ctx context.Context, id domain.PeerID) error
	// Block cuts somebody off for good, Unblock takes that back.
	Block(ctx context.Context, id domain.PeerID) error
	Unblock(ctx context.Context, id domain.PeerID) error
	// Blocked returns who is blocked.
	Blocked() []domain.Peer
	// Rename sets what this user calls somebody; "" takes that back.
	Rename(ctx context.Context, id domain.PeerID, given string) error
	// AcceptUpTo sets up to how many bytes of a friend's offer are accepted
	// unasked; 0: none.
	AcceptUpTo(ctx context.Context, id domain.PeerID, bytes int64) error
	// Invite makes an invitation, Join accepts somebody else's.
	Invite(ctx context.Context) (domain.Invitation, error)
	Join(ctx context.Context, link domain.Link) (domain.Peer, error)
}

// lookingFor is how long an empty page says that it is still looking.
const lookingFor = 3 * time.Second

// View is the page.
type View struct {
	// OnBrowse is called to see what somebody shares.
	OnBrowse func(peer domain.PeerID, name string)
	// OnAddress is called to connect to somebody who was not found, OnInvite to
	// invite somebody.
	OnAddress, OnInvite func()
	// OnCheckup is called to find out why nobody, or not this person, can be seen.
	OnCheckup func(who *domain.Peer)
	// OnAdd is called to add one of the people around as a friend.
	OnAdd func(around []domain.Peer)
	// OnFriend is called to become friends with somebody, OnUnfriend to end
	// that, OnRename to call somebody otherwise, OnBlock to cut somebody off,
	// and OnBlocked to see who is.
	OnFriend, OnUnfriend, OnRename, OnBlock func(domain.Peer)
	OnBlocked                               func()
	// OnSend is called to choose files, or folders, for some people;
	// OnAcceptUpTo to accept what a friend sends, up to a size in bytes, unasked.
	OnSend       func(to []domain.Peer, folders bool)
	OnAcceptUpTo func(p domain.Peer, bytes int64)

	run     *work.Runner
	rows    []row
	byID    map[string]int
	pending []row // the latest order, held back while the pointer is over the rows
	looking bool

	list   *widget.List
	empty  *widget.Empty
	body   *fyne.Container
	object fyne.CanvasObject
	count  *widget.Text
	cutOff *widget.Button // leads to those who are blocked
}

// New returns the page, empty.
func New(run *work.Runner) *View {
	v := &View{run: run, looking: true}
	v.list = widget.NewList(rowHeight, newCells, v.update)
	v.list.Heading = func(id string) bool { return id == headingID }
	v.list.OnOpen = v.open
	v.list.OnMenu = v.menu
	v.list.Label = v.name
	v.list.OnHover = func(over bool) {
		if !over && v.pending != nil {
			v.show(v.pending)
		}
	}
	v.empty = widget.NewEmpty("", "",
		widget.NewButton(words.T("Find out why"), "", widget.Plain, func() { v.OnCheckup(nil) }),
		widget.NewButton(words.T("Type an address…"), "", widget.Plain, func() { v.OnAddress() }),
		widget.NewButton(words.T("Invite"), "", widget.Plain, func() { v.OnInvite() }))
	v.body = container.NewStack(v.list, v.empty.Container)
	v.count = widget.NewText("", theme.TextCaption, theme.SecondText)
	v.cutOff = widget.NewButton(words.T("Blocked people"), "", widget.Quiet, func() { v.OnBlocked() }).Small()
	v.cutOff.Hide()
	add := widget.NewButton(words.T("Add a friend"), "", widget.Primary, func() { v.OnAdd(v.people()) })
	v.list.OnKey = func(ev *fyne.KeyEvent) bool {
		if p, one := v.selected(); one && ev.Name == fyne.KeyF2 {
			v.OnRename(p)
			return true
		}
		return false
	}
	v.object = widget.NewPage(widget.NewHeading(words.T("People")), []fyne.CanvasObject{add}, nil, v.body,
		container.NewBorder(nil, nil, nil, v.cutOff, v.count))
	v.show(nil)
	run.After(lookingFor, func(context.Context) func() {
		return func() {
			v.looking = false
			v.words()
		}
	})
	return v
}

// Object returns the page.
func (v *View) Object() fyne.CanvasObject { return v.object }

// List returns what takes the keyboard.
func (v *View) List() *widget.List { return v.list }

// Prepare makes rows of peers. It may be called from any goroutine; what it
// returns shows them and belongs to the UI thread.
func (v *View) Prepare(peers []domain.Peer, now time.Time) (show func()) {
	rows := rowsOf(peers, now)
	return func() {
		if v.list.Hovered() && len(v.rows) > 0 {
			// What the pointer is about to press must not move away.
			v.pending = rows
			rows = steady(v.rows, rows)
		} else {
			v.pending = nil
		}
		v.set(rows)
	}
}

func (v *View) show(rows []row) {
	v.pending = nil
	v.set(rows)
}

func (v *View) set(rows []row) {
	v.rows = rows
	ids := make([]string, len(rows))
	v.byID = make(map[string]int, len(rows))
	around := 0
	for i, r := range rows {
		ids[i] = r.id
		v.byID[r.id] = i
		if r.online {
			around++
		}
	}
	v.list.SetIDs(ids)
	text := ""
	if around > 0 {
		text = words.N("%s people around", around)
	}
	v.count.SetText(text)
	v.words()
}

// words says why there are no rows, if there are none.
func (v *View) words() {
	if len(v.rows) > 0 {
		v.empty.Hide()
		v.list.Show()
		return
	}
	v.list.Hide()
	if v.looking {
		v.empty.Set(words.T("Looking around…"), "")
	} else {
		v.empty.Set(words.T("Nobody here yet. Open Potluck on another computer on this network."), "")
	}
	v.empty.Actions().Hidden = v.looking
	v.empty.Show()
	v.empty.Refresh()
}

func (v *View) open(id string) {
	if i, ok := v.byID[id]; ok && id != headingID {
		v.OnBrowse(v.rows[i].peer.ID, v.rows[i].peer.Name)
	}
}

// name returns what a row is called, for the keyboard to jump to.
func (v *View) name(id string) string {
	if i, ok := v.byID[id]; ok {
		return v.rows[i].peer.Name
	}
	return ""
}

func (v *View) menu(at fyne.Position) {
	ids := v.list.Selected()
	if len(ids) == 0 {
		return
	}
	c := fyne.CurrentApp().Driver().CanvasForObject(v.list)
	fwidget.ShowPopUpMenuAtPosition(fyne.NewMenu("", v.menuItems(ids)...), c, at)
}

// menuItems are what can be done with the people selected.
func (v *View) menuItems(ids []string) []*fyne.MenuItem {
	copyIDs := func() { fyne.CurrentApp().Clipboard().SetContent(strings.Join(ids, "\n")) }
	to := v.of(ids)
	send := []*fyne.MenuItem{
		fyne.NewMenuItem(words.T("Send files…"), func() { v.OnSend(to, false) }),
		fyne.NewMenuItem(words.T("Send a folder…"), func() { v.OnSend(to, true) }),
	}
	if len(ids) > 1 {
		return append(send, fyne.NewMenuItemSeparator(), fyne.NewMenuItem(words.T("Copy IDs"), copyIDs))
	}
	items := append([]*fyne.MenuItem{fyne.NewMenuItem(words.T("Browse"), func() { v.open(ids[0]) })}, send...)
	if p, one := v.selected(); one {
		items = append(items, fyne.NewMenuItemSeparator())
		if p.Friend {
			automatic := fyne.NewMenuItem(words.T("Accept unasked"), nil)
			automatic.ChildMenu = fyne.NewMenu("", v.acceptItems(p)...)
			items = append(items, automatic)
		}
		friend := fyne.NewMenuItem(words.T("Add as friend"), func() { v.OnFriend(p) })
		if p.Friend {
			friend = fyne.NewMenuItem(words.T("Remove friend"), func() { v.OnUnfriend(p) })
		} else if !p.Online {
			friend.Disabled = true
		}
		items = append(items, friend,
			fyne.NewMenuItem(words.T("Rename…"), func() { v.OnRename(p) }),
			fyne.NewMenuItem(words.T("Block"), func() { v.OnBlock(p) }),
			fyne.NewMenuItem(words.T("Check-up"), func() { v.OnCheckup(&p) }))
	}
	return append(items, fyne.NewMenuItemSeparator(), fyne.NewMenuItem(words.T("Copy ID"), copyIDs))
}

// upTo are the sizes up to which what a friend sends may be accepted unasked, in
// bytes.
var upTo = []int64{100e6, 1e9, 10e9, 100e9}

// acceptItems offer what of a friend's offers is accepted unasked, with a mark at
// what holds.
func (v *View) acceptItems(p domain.Peer) []*fyne.MenuItem {
	item := func(text string, bytes int64) *fyne.MenuItem {
		i := fyne.NewMenuItem(text, func() { v.OnAcceptUpTo(p, bytes) })
		i.Checked = p.AcceptUpTo == bytes
		return i
	}
	items := []*fyne.MenuItem{item(words.T("Nothing, ask me"), 0)}
	known := p.AcceptUpTo == 0
	for _, bytes := range upTo {
		items = append(items, item(words.T("Up to %s", words.Size(bytes)), bytes))
		known = known || p.AcceptUpTo == bytes
	}
	if !known { // set by the command
		items = append(items, item(words.T("Up to %s", words.Size(p.AcceptUpTo)), p.AcceptUpTo))
	}
	return items
}

// of returns the people of IDs.
func (v *View) of(ids []string) (all []domain.Peer) {
	for _, id := range ids {
		if i, known := v.byID[id]; known && id != headingID {
			all = append(all, v.rows[i].peer)
		}
	}
	return all
}

// Around returns who is here, in the order of the list.
func (v *View) Around() (all []domain.Peer) {
	for _, p := range v.people() {
		if p.Online {
			all = append(all, p)
		}
	}
	return all
}

// At returns the person at a place of the canvas.
func (v *View) At(at fyne.Position) (p domain.Peer, ok bool) {
	id, ok := v.list.At(at)
	if !ok || id == headingID {
		return domain.Peer{}, false
	}
	return v.rows[v.byID[id]].peer, true
}

// Place returns where a person's row is on the canvas.
func (v *View) Place(id domain.PeerID) (fyne.Position, fyne.Size) { return v.list.Place(string(id)) }

// selected returns the only person that is selected.
func (v *View) selected() (p domain.Peer, one bool) {
	ids := v.list.Selected()
	if len(ids) != 1 {
		return domain.Peer{}, false
	}
	i, known := v.byID[ids[0]]
	if !known || ids[0] == headingID {
		return domain.Peer{}, false
	}
	return v.rows[i].peer, true
}

// people returns everybody in the list.
func (v *View) people() (all []domain.Peer) {
	for _, r := range v.rows {
		if r.id != headingID {
			all = append(all, r.peer)
		}
	}
	return all
}

// SetBlocked says how many people are blocked.
func (v *View) SetBlocked(n int) { widget.SetVisible(v.cutOff, n > 0) }

func (v *View) update(i int, c widget.Cells) {
	c.(*cells).show(&v.rows[i], v.open)
}
