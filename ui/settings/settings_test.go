package settings

import (
	"context"
	"fmt"
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
}

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
	v := New(work.Inline(), k, k, "1.2.3")
	w := test.NewTempWindow(t, v.Object())
	w.Resize(fyne.NewSize(704, 600))
	v.Load()
	return v, k, w
}

func TestAChangeIsKeptOnLeaving(t *testing.T) {
	v, k, w := newView(t)
	shown := ""
	v.OnValues = func(values domain.Settings) { name := values.Name; shown = name }
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
	v.saveDownloads()
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
