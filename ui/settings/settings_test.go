package settings

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/ui/theme"
	"github.com/potluck-share/potluck/ui/work"
)

// keeper keeps settings, and refuses a name with a colon.
type keeper struct {
	values domain.Settings
	sets   int
	peer   domain.Peer
	err    error
	dialed string
	login  bool
	links  bool
	refuse error // what the desktop says
	told   error // what the page said
}

func (k *keeper) StartAtLogin(_ context.Context, on bool) error {
	if k.refuse == nil {
		k.login = on
	}
	return k.refuse
}

func (k *keeper) StartsAtLogin() bool { return k.login }

func (k *keeper) OpensLinks() bool { return k.links }

func (k *keeper) OpenLinks(_ context.Context, on bool) error {
	if k.refuse == nil {
		k.links = on
	}
	return k.refuse
}

func (k *keeper) Report() string { return "Potluck 1.2.3 on a test" }

func (k *keeper) Values() domain.Settings { return k.values }

func (k *keeper) Update(_ context.Context, change func(*domain.Settings)) error {
	k.sets++
	values := k.values
	change(&values)
	if strings.Contains(values.Name, ":") {
		return fmt.Errorf("a name has no colon: %w", domain.ErrUsage)
	}
	k.values = values
	return nil
}

func (k *keeper) Connect(_ context.Context, address string) (domain.Peer, error) {
	k.dialed = address
	return k.peer, k.err
}

func newView(t *testing.T) (*View, *keeper, fyne.Window) {
	t.Helper()
	app := test.NewTempApp(t)
	app.Settings().SetTheme(theme.Theme{})
	k := &keeper{values: domain.Settings{
		Name: "Mira", Downloads: "/home/mira/Downloads", Audience: domain.Audience{Kind: domain.Friends}, Nearby: []string{"10.0.0.0/8"},
	}}
	v := New(work.Inline(), k, k, k, "1.2.3")
	v.OnError = func(err error) { k.told = err }
	w := test.NewTempWindow(t, v.Object())
	w.Resize(fyne.NewSize(704, 600))
	v.Load()
	return v, k, w
}

func TestAChangeIsKeptOnLeaving(t *testing.T) {
	v, k, w := newView(t)
	shown := ""
	v.OnValues = func(values domain.Settings) { shown = values.Name }
	if v.name.entry.Text != "Mira" || v.downloads.entry.Text != "/home/mira/Downloads" {
		t.Fatalf("shown %q and %q", v.name.entry.Text, v.downloads.entry.Text)
	}
	w.Canvas().Focus(v.Name())
	v.name.entry.SetText("  Mira K ")
	if k.sets != 0 {
		t.Error("kept while typing")
	}
	w.Canvas().Unfocus()
	if k.values.Name != "Mira K" || shown != "Mira K" {
		t.Errorf("kept %q, shown %q", k.values.Name, shown)
	}
	if k.values.Audience.Kind != domain.Friends || len(k.values.Nearby) != 1 {
		t.Errorf("other settings were lost: %+v", k.values)
	}
	w.Canvas().Focus(v.Name())
	w.Canvas().Unfocus()
	if k.sets != 1 {
		t.Errorf("set %d times for one change", k.sets)
	}
}

func TestABadValueIsExplainedAndNotKept(t *testing.T) {
	v, k, w := newView(t)
	w.Canvas().Focus(v.Name())
	v.name.entry.SetText("a:b")
	w.Canvas().Unfocus()
	if k.values.Name != "Mira" || v.name.under.Text() != "A name has no colon." {
		t.Errorf("kept %q, said %q", k.values.Name, v.name.under.Text())
	}
	v.SetStatus(domain.Status{Name: "Other"}) // changed elsewhere: what is being explained stays
	if v.name.entry.Text != "a:b" {
		t.Errorf("the wrong value is gone: %q", v.name.entry.Text)
	}
	v.name.entry.SetText("Mira")
	v.name.entry.OnSubmitted("")
	if v.name.under.Text() != v.name.hint {
		t.Errorf("still says %q", v.name.under.Text())
	}
}

func TestChosenFolder(t *testing.T) {
	v, k, _ := newView(t)
	v.downloads.entry.SetText("/mnt/big")
	v.downloads.save()
	if k.values.Downloads != "/mnt/big" {
		t.Errorf("kept %q", k.values.Downloads)
	}
}

func TestConnect(t *testing.T) {
	v, k, _ := newView(t)
	v.dial()
	if k.dialed != "" {
		t.Error("dialled nothing")
	}
	for _, c := range []struct {
		peer domain.Peer
		err  error
		want string
		left string
	}{
		{domain.Peer{}, fmt.Errorf("nobody answered at 10.0.0.9: %w", domain.ErrNotFound), "Nobody answered at 10.0.0.9.", " 10.0.0.9 "},
		{domain.Peer{Name: "Ben", FarForThem: true}, nil, "Ben doesn't count you as nearby yet.", " 10.0.0.9 "},
		{domain.Peer{Name: "Ben"}, nil, "Ben is here. See People.", ""},
	} {
		k.peer, k.err = c.peer, c.err
		v.address.entry.SetText(" 10.0.0.9 ")
		v.dial()
		if k.dialed != "10.0.0.9" || v.address.under.Text() != c.want || v.address.entry.Text != c.left {
			t.Errorf("dialled %q, said %q, left %q; want %q", k.dialed, v.address.under.Text(), v.address.entry.Text, c.want)
		}
		if v.connect.Disabled() {
			t.Error("the button stays off")
		}
	}
}

func TestOwnAddress(t *testing.T) {
	v, _, _ := newView(t)
	if v.ownLine.Visible() {
		t.Error("an address is shown without one")
	}
	for _, c := range []struct {
		status domain.Status
		want   string
	}{
		{domain.Status{PeerID: "12D3", Addresses: []string{"/ip4/10.0.0.1/tcp/1"}}, "/ip4/10.0.0.1/tcp/1/p2p/12D3"},
		{domain.Status{PeerID: "12D3", Addresses: []string{"/ip4/10.0.0.1/tcp/1/p2p/12D3", "x"}}, "/ip4/10.0.0.1/tcp/1/p2p/12D3"},
	} {
		v.SetStatus(c.status)
		if got := v.own.Text(); got != c.want || !v.ownLine.Visible() {
			t.Errorf("shown %q, want %q", got, c.want)
		}
	}
	v.SetStatus(domain.Status{})
	if v.ownLine.Visible() {
		t.Error("the address stays without a network")
	}
}

// find returns the field with that label.
func find(t *testing.T, v *View, label string) *line {
	t.Helper()
	for _, c := range v.controls {
		if l, ok := c.(*line); ok && l.label == label {
			return l
		}
	}
	t.Fatalf("no field is called %q", label)
	return nil
}

// Each field shows its value, takes a good one and explains a bad one.
func TestFields(t *testing.T) {
	for _, c := range []struct {
		label, good, bad string
		kept             func(domain.Settings) any
		want             any
	}{
		{"Leave out of shared folders", "*.tmp  node_modules", "", func(s domain.Settings) any { return strings.Join(s.Skip, "|") }, "*.tmp|node_modules"},
		{"Downloads at once", "5", "many", func(s domain.Settings) any { return s.DownloadsAtOnce }, 5},
		{"Downloads at most", "5 MB/s", "fast", func(s domain.Settings) any { return s.DownloadLimit }, int64(5_000_000)},
		{"Uploads at most", "500k", "-1", func(s domain.Settings) any { return s.UploadLimit }, int64(500_000)},
		{"People served at once", "4", "many", func(s domain.Settings) any { return s.UploadsAtOnce }, 4},
		{"Large files for each at once", "2", "-1", func(s domain.Settings) any { return s.UploadsPerPerson }, 2},
		{"Slow hours", "22:00-06:30", "at night", func(s domain.Settings) any { return [2]int{s.SlowFrom, s.SlowUntil} }, [2]int{22 * 60, 6*60 + 30}},
		{"Downloads in slow hours", "1 MB/s", "slow", func(s domain.Settings) any { return s.SlowDownload }, int64(1_000_000)},
		{"Uploads in slow hours", "1 MB/s", "slow", func(s domain.Settings) any { return s.SlowUpload }, int64(1_000_000)},
		{"Port", "20000", "http", func(s domain.Settings) any { return s.Port }, 20000},
		{"Count these networks as nearby", "192.168.3.0/24 10.0.0.0/8", "", func(s domain.Settings) any { return strings.Join(s.Nearby, "|") }, "10.0.0.0/8|192.168.3.0/24"},
	} {
		t.Run(c.label, func(t *testing.T) {
			v, k, w := newView(t)
			l := find(t, v, c.label)
			before := l.entry.Text
			if c.bad != "" {
				w.Canvas().Focus(l.entry)
				l.entry.SetText(c.bad)
				w.Canvas().Unfocus()
				if k.sets != 0 || l.under.Text() == l.hint || l.entry.Text != c.bad {
					t.Errorf("%q is taken, or not explained: %q", c.bad, l.under.Text())
				}
				l.entry.SetText(before)
				l.entry.OnSubmitted("")
			}
			w.Canvas().Focus(l.entry)
			l.entry.SetText(c.good)
			w.Canvas().Unfocus()
			if got := c.kept(k.values); got != c.want || k.sets != 1 {
				t.Errorf("%q is kept as %v, want %v; set %d times", c.good, got, c.want, k.sets)
			}
			if l.under.Text() != l.hint {
				t.Errorf("%q is complained of: %q", c.good, l.under.Text())
			}
			again, err := fmt.Sprint(c.want), error(nil)
			if err = l.take(l.entry.Text, &k.values); err != nil || fmt.Sprint(c.kept(k.values)) != again {
				t.Errorf("it is shown as %q, which is read as %v, %v", l.entry.Text, c.kept(k.values), err)
			}
		})
	}
}

func TestASwitchShowsHowItStands(t *testing.T) {
	v, k, w := newView(t)
	w.Resize(fyne.NewSize(704, 2000))
	for _, c := range v.controls {
		if c, ok := c.(*turn); ok {
			before := w.Canvas().Capture()
			values := k.values
			*c.flag(&values) = !*c.flag(&values)
			v.show(values)
			if reflect.DeepEqual(w.Canvas().Capture(), before) {
				t.Error("a switch looks the same after it was turned")
			}
		}
	}
}

// The entries take what the mouse wheel turns over them, unless the page is
// quicker.
func TestTheWheelScrollsOverAnEntryToo(t *testing.T) {
	v, _, w := newView(t)
	place := func() fyne.Position {
		return fyne.CurrentApp().Driver().AbsolutePositionForObject(v.downloads.entry)
	}
	before := place()
	test.Scroll(w.Canvas(), before.AddXY(20, 10), 0, -40)
	if place() == before {
		t.Error("the page stays where it is")
	}
}

func TestSwitchesAndOptions(t *testing.T) {
	v, k, _ := newView(t)
	turns := 0
	for _, c := range v.controls {
		switch c := c.(type) {
		case *turn:
			turns++
			before := *c.flag(&k.values)
			test.Tap(c.knob)
			if *c.flag(&k.values) == before || c.knob.On() == before {
				t.Error("a switch does nothing")
			}
			c.knob.TypedKey(&fyne.KeyEvent{Name: fyne.KeySpace})
			if *c.flag(&k.values) != before {
				t.Error("the space bar does nothing")
			}
		case *options:
			for i := len(c.buttons) - 1; i >= 0; i-- {
				test.Tap(c.buttons[i])
				if *c.value(&k.values) != c.values[i] || !c.buttons[i].Chosen() {
					t.Errorf("%q is not chosen", c.values[i])
				}
			}
		}
	}
	if turns != 3 {
		t.Errorf("%d switches", turns)
	}
	test.Tap(v.links)
	if !k.links || !v.links.On() {
		t.Error("links are not opened")
	}
}

func TestWhatTheDesktopRefusesIsToldAndNotKept(t *testing.T) {
	v, k, _ := newView(t)
	k.refuse = fmt.Errorf("no folder for it: %w", domain.ErrUnwritable)
	for _, c := range v.controls {
		if c, ok := c.(*turn); ok && c.flag(&k.values) == &k.values.StartAtLogin {
			test.Tap(c.knob)
			if k.values.StartAtLogin || c.knob.On() || k.told == nil {
				t.Errorf("kept %v, shown %v, told %v", k.values.StartAtLogin, c.knob.On(), k.told)
			}
		}
	}
	k.told = nil
	test.Tap(v.links)
	if v.links.On() || k.told == nil {
		t.Errorf("links: shown %v, told %v", v.links.On(), k.told)
	}
}

func TestWhatNeedsARestartSaysSo(t *testing.T) {
	v, k, _ := newView(t)
	k.values.Language = "de"
	v.Load()
	if v.language.Text() == "" {
		t.Error("a new language is not said to need a restart")
	}
	k.values.Language = ""
	v.Load()
	if v.language.Text() != "" {
		t.Errorf("the old language needs a restart: %q", v.language.Text())
	}
	v.SetStatus(domain.Status{Port: 20001, PortTaken: 17685})
	if got := v.port.Text(); got != "Another program has 17685, so it is 20001 for now." {
		t.Errorf("%q", got)
	}
}

func TestTheDesktopsOwnSettingsCount(t *testing.T) {
	v, k, _ := newView(t)
	k.login = true // in the desktop's settings
	v.Load()
	for _, c := range v.controls {
		if c, ok := c.(*turn); ok && c.flag(&k.values) == &k.values.StartAtLogin && !c.knob.On() {
			t.Error("Potluck starts at login and the switch says that it does not")
		}
	}
}
