// Package settings is the page of what the user may choose.
//
// A View belongs to the UI thread.
package settings

import (
	"context"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/ui/format"
	"github.com/potluck-share/potluck/ui/theme"
	"github.com/potluck-share/potluck/ui/widget"
	"github.com/potluck-share/potluck/ui/words"
	"github.com/potluck-share/potluck/ui/work"
)

// Settings is what the page needs of the use case. Its methods may be called
// from any goroutine and may block.
type Settings interface {
	Values() domain.Settings
	// Update lets change alter the values, applies and keeps them, or returns
	// why they cannot be and changes nothing.
	Update(ctx context.Context, change func(*domain.Settings)) error
}

// Connector reaches people by an address. Its method may be called from any
// goroutine and may block.
type Connector interface {
	Connect(ctx context.Context, address string) (domain.Peer, error)
}

// Desktop is what the page needs of the desktop. Its methods may be called
// from any goroutine and may block.
type Desktop interface {
	// StartsAtLogin reports whether Potluck starts when the user logs in, which
	// the desktop's own settings may have changed.
	StartsAtLogin() bool
	// StartAtLogin lets Potluck start when the user logs in, or not any more.
	StartAtLogin(ctx context.Context, on bool) error
	// OpensLinks reports whether links lead to this Potluck.
	OpensLinks() bool
	// OpenLinks lets them lead here, or not any more.
	OpenLinks(ctx context.Context, on bool) error
	// Report describes the program and what it runs on, without names and
	// paths, for somebody who is to help.
	Report() string
}

// columnWidth is the widest that the page's column gets.
const columnWidth float32 = 640

// View is the page.
type View struct {
	// OnFolder is called to choose a folder; it hands the choice to chosen.
	OnFolder func(chosen func(path string))
	// OnValues is called with what is chosen, at first and after each change.
	OnValues func(values domain.Settings)
	// OnError is called with what could not be done.
	OnError func(err error)
	// OnLog is called to show the program's own log.
	OnLog func()
	// OnNetworks is called to choose on which networks shares are shown.
	OnNetworks func()
	// OnCheckup is called to find out why people cannot be seen.
	OnCheckup func()

	run      *work.Runner
	settings Settings
	people   Connector
	desktop  Desktop
	saved    domain.Settings
	spoken   string // the language that was chosen when the window opened
	loaded   bool
	controls []control

	name      *line
	downloads *line
	language  *widget.Text
	tray      *widget.Text
	links     *widget.Switch
	port      *widget.Text
	address   *field
	connect   *widget.Button
	own       *widget.Text
	ownLine   *fyne.Container
	object    fyne.CanvasObject
}

// New returns the page for version of the program. Load fills it.
func New(run *work.Runner, settings Settings, people Connector, desktop Desktop, version string) *View {
	v := &View{run: run, settings: settings, people: people, desktop: desktop, OnValues: func(domain.Settings) {}}
	column := widget.VBox(theme.Space32, v.you(), v.sharing(), v.downloading(), v.speed(), v.app(), v.network(), v.about(version))
	scroll := container.NewVScroll(container.New(columnLayout{}, widget.Inset(column, 0, theme.Space16, theme.Space24, 0)))
	widget.ScrollOver(scroll)
	v.object = widget.NewPage(widget.NewHeading(words.T("Settings")), nil, nil, scroll, nil)
	return v
}

// Object returns the page.
func (v *View) Object() fyne.CanvasObject { return v.object }

// Name returns what takes the keyboard to change the name.
func (v *View) Name() fyne.Focusable { return v.name.entry }

// Address returns what takes the keyboard to type an address.
func (v *View) Address() fyne.Focusable { return v.address.entry }

// Load asks for the present values and shows them.
func (v *View) Load() {
	v.run.Go(func(context.Context) func() {
		values, links := v.values(), v.desktop.OpensLinks()
		return func() {
			if !v.loaded {
				v.spoken = values.Language
			}
			v.links.Set(links)
			v.show(values)
		}
	})
}

// values returns what is chosen. It is called off the UI thread.
func (v *View) values() domain.Settings {
	values := v.settings.Values()
	values.StartAtLogin = v.desktop.StartsAtLogin() // which may have been changed there
	return values
}

// show fills the controls, except for a field that is being typed into.
func (v *View) show(values domain.Settings) {
	v.saved, v.loaded = values, true
	for _, c := range v.controls {
		c.show(&values)
	}
	v.language.SetText("")
	if values.Language != v.spoken {
		v.language.SetText(words.T("From the next start of Potluck on."))
	}
	v.OnValues(values)
}

// update changes the values and shows what they are then. done is told how it
// went.
func (v *View) update(change func(*domain.Settings), done func(error)) {
	v.run.Go(func(ctx context.Context) func() {
		err := v.settings.Update(ctx, change)
		values := v.values()
		return func() {
			done(err)
			v.show(values)
		}
	})
}

// failed tells what could not be changed, and shows what is chosen still.
func (v *View) failed(err error) {
	if err == nil {
		return
	}
	for _, c := range v.controls {
		c.show(&v.saved)
	}
	v.OnError(err)
}

// SetTray says whether the desktop has a tray.
func (v *View) SetTray(there bool) {
	v.tray.SetText("")
	if !there {
		v.tray.SetText(words.T("This desktop shows no tray, so closing the window quits."))
	}
}

// SetStatus shows where this computer can be reached.
func (v *View) SetStatus(status domain.Status) {
	address := ""
	if len(status.Addresses) > 0 {
		address = status.Addresses[0]
		if status.PeerID != "" && !strings.Contains(address, "/p2p/") && strings.HasPrefix(address, "/") {
			address += "/p2p/" + string(status.PeerID)
		}
	}
	v.own.SetText(address)
	if address == "" {
		v.ownLine.Hide()
	} else {
		v.ownLine.Show()
	}
	switch {
	case status.PortTaken != 0:
		v.port.Set(words.T("Another program has %s, so it is %s for now.", port(status.PortTaken), port(status.Port)), theme.Waiting)
	case status.Port != 0:
		v.port.Set(words.T("It is %s at this moment. A change counts from the next start on.", port(status.Port)), theme.SecondText)
	}
	if v.loaded && status.Name != "" && status.Name != v.saved.Name {
		v.saved.Name = status.Name
		v.name.show(&v.saved)
		v.OnValues(v.saved)
	}
}

// dial connects to the typed address.
func (v *View) dial() {
	address := strings.TrimSpace(v.address.entry.Text)
	if address == "" || v.connect.Disabled() {
		return
	}
	v.connect.SetDisabled(true)
	v.address.say(words.T("Connecting…"), theme.SecondText)
	v.run.Go(func(ctx context.Context) func() {
		peer, err := v.people.Connect(ctx, address)
		return func() {
			v.connect.SetDisabled(false)
			switch {
			case err != nil:
				v.address.explain(format.Sentence(err))
			case peer.FarForThem:
				v.address.say(words.T("%s doesn't count you as nearby yet.", peer.Name), theme.Waiting)
			default:
				v.address.entry.SetText("")
				v.address.say(words.T("%s is here. See People.", peer.Name), theme.Done)
			}
		}
	})
}
