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

// columnWidth is the widest that the page's column gets.
const columnWidth float32 = 640

// View is the page.
type View struct {
	// OnFolder is called to choose a folder; it hands the choice to chosen.
	OnFolder func(chosen func(path string))
	// OnValues is called with what is chosen, at first and after each change.
	OnValues func(values domain.Settings)

	run      *work.Runner
	settings Settings
	people   Connector
	saved    domain.Settings
	loaded   bool

	name      *field
	downloads *field
	address   *field
	connect   *widget.Button
	own       *widget.Text
	copy      *widget.Button
	ownLine   *fyne.Container
	object    fyne.CanvasObject
}

// New returns the page for version of the program. Load fills it.
func New(run *work.Runner, settings Settings, people Connector, version string) *View {
	v := &View{run: run, settings: settings, people: people, OnValues: func(domain.Settings) {}}
	v.name = newField("Your name", "What others see. It is a claim, not a proof.")
	v.name.onLeave = v.saveName
	v.downloads = newField("Downloads go to", "What you get from others lies there.")
	v.downloads.onLeave = v.saveDownloads
	change := widget.NewButton("Change…", "folder", widget.Plain, func() {
		v.OnFolder(func(path string) {
			v.downloads.entry.SetText(path)
			v.saveDownloads()
		})
	})
	v.address = newField("Connect to an address", "For somebody whom Potluck does not find by itself.")
	v.address.entry.SetPlaceHolder("192.168.1.7, or what the other window shows as its address")
	v.address.entry.OnSubmitted = func(string) { v.dial() }
	v.connect = widget.NewButton("Connect", "", widget.Plain, v.dial)
	v.own = widget.NewText("", theme.TextBody, theme.SecondText).Shortened(widget.Middle)
	v.copy = widget.NewButton("Copy", "copy", widget.Plain, func() { fyne.CurrentApp().Clipboard().SetContent(v.own.Text()) })
	v.ownLine = widget.VBox(theme.Space4,
		widget.NewText("This computer's address", theme.TextBody, theme.Text),
		container.NewBorder(nil, nil, nil, widget.Inset(v.copy, 0, 0, 0, theme.Space8), v.own))
	v.ownLine.Hide()

	column := widget.VBox(theme.Space24,
		section("You", v.name.object(nil)),
		section("Downloads", v.downloads.object(change)),
		section("Network", v.ownLine, v.address.object(v.connect)),
		section("About", widget.NewText("Potluck "+version, theme.TextBody, theme.Text),
			widget.NewText("No server, no account, no cloud. Every copy of the app both serves and fetches.", theme.TextCaption, theme.SecondText)),
	)
	scroll := container.NewVScroll(container.New(columnLayout{}, widget.Inset(column, 0, theme.Space16, theme.Space16, 0)))
	v.object = widget.NewPage(widget.NewHeading("Settings"), nil, nil, scroll, nil)
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
		values := v.settings.Values()
		return func() { v.show(values) }
	})
}

// show fills the fields, except for one that is being typed into.
func (v *View) show(values domain.Settings) {
	v.saved, v.loaded = values, true
	v.name.set(values.Name)
	v.downloads.set(values.Downloads)
	v.OnValues(values)
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
	if (address != "") != v.ownLine.Visible() {
		if address == "" {
			v.ownLine.Hide()
		} else {
			v.ownLine.Show()
		}
	}
	if v.loaded && status.Name != "" && status.Name != v.saved.Name {
		v.saved.Name = status.Name
		v.name.set(status.Name)
		v.OnValues(v.saved)
	}
}

func (v *View) saveName() {
	name := strings.TrimSpace(v.name.entry.Text)
	v.save(v.name, func(values *domain.Settings) { values.Name = name })
}

func (v *View) saveDownloads() {
	folder := strings.TrimSpace(v.downloads.entry.Text)
	v.save(v.downloads, func(values *domain.Settings) { values.Downloads = folder })
}

// save applies what changed, or says underneath its field why that cannot be.
func (v *View) save(f *field, change func(*domain.Settings)) {
	values := v.saved
	change(&values)
	if !v.loaded || (values.Name == v.saved.Name && values.Downloads == v.saved.Downloads) {
		f.explain("")
		return
	}
	v.run.Go(func(ctx context.Context) func() {
		err := v.settings.Update(ctx, change)
		return func() {
			if err != nil {
				f.explain(format.Sentence(err))
				return
			}
			f.explain("")
			f.typing = false
			change(&v.saved)
			v.OnValues(v.saved)
		}
	})
}

// dial connects to the typed address.
func (v *View) dial() {
	address := strings.TrimSpace(v.address.entry.Text)
	if address == "" || v.connect.Disabled() {
		return
	}
	v.connect.SetDisabled(true)
	v.address.say("Connecting…", theme.SecondText)
	v.run.Go(func(ctx context.Context) func() {
		peer, err := v.people.Connect(ctx, address)
		return func() {
			v.connect.SetDisabled(false)
			switch {
			case err != nil:
				v.address.explain(format.Sentence(err))
			case peer.FarForThem:
				v.address.say(peer.Name+" doesn't count you as nearby yet.", theme.Waiting)
			default:
				v.address.entry.SetText("")
				v.address.say(peer.Name+" is here. See People.", theme.Done)
			}
		}
	})
}
