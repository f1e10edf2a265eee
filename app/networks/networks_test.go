package networks_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/event"
	"github.com/potluck-share/potluck/app/networks"
)

// world is where this machine is, and what is kept.
type world struct {
	*networks.Networks
	present []string // IDs
	kept    []domain.Network
	changes int
	bus     *event.Bus
	always  bool
}

func newWorld(t *testing.T, kept ...domain.Network) *world {
	t.Helper()
	w := &world{kept: kept}
	w.restart()
	return w
}

func (w *world) restart() {
	w.bus = event.NewBus()
	w.Networks = networks.New(networks.Config{
		Present: func() (all []domain.Network) {
			for _, id := range w.present {
				all = append(all, domain.Network{ID: id, Name: "called " + id})
			}
			return all
		},
		Kept: func() []domain.Network { return w.kept },
		Keep: func(_ context.Context, all []domain.Network) error {
			w.kept = all
			return nil
		},
		Always: w.always, Changed: func() { w.changes++ },
		Bus: w.bus, Log: slog.New(slog.DiscardHandler),
	})
}

func (w *world) goTo(t *testing.T, ids ...string) {
	t.Helper()
	w.present = ids
	w.Look(t.Context())
}

func (w *world) want(t *testing.T, shown, reserved bool, ids ...string) {
	t.Helper()
	for _, id := range ids {
		if w.Shown(id) != shown {
			t.Errorf("%s is shown: %v", id, !shown)
		}
	}
	if w.Reserved() != reserved {
		t.Errorf("reserved: %v", !reserved)
	}
}

// The first network ever is shown, further ones are when the user says so, and
// that holds over a restart.
func TestNetworksAreAskedAbout(t *testing.T) {
	w := newWorld(t)
	w.want(t, true, false, "")
	w.goTo(t, "prefix:home")
	w.want(t, true, false, "prefix:home", "")
	w.goTo(t, "prefix:home", "prefix:cafe")
	w.want(t, true, true, "prefix:home")
	w.want(t, false, true, "prefix:cafe", "prefix:elsewhere")
	w.restart()
	w.goTo(t, "prefix:cafe")
	w.want(t, false, true, "prefix:cafe")
	if err := w.Answer(t.Context(), "prefix:cafe", domain.NetworkShow); err != nil {
		t.Fatal(err)
	}
	w.want(t, true, false, "prefix:cafe")
	if err := w.Answer(t.Context(), "prefix:home", domain.NetworkFriends); err != nil {
		t.Fatal(err)
	}
	w.restart()
	w.goTo(t, "prefix:home")
	w.want(t, false, true, "prefix:home")
	want := []domain.Network{
		{ID: "prefix:home", Name: "called prefix:home", Answer: domain.NetworkFriends, Present: true},
		{ID: "prefix:cafe", Name: "called prefix:cafe", Answer: domain.NetworkShow},
	}
	if got := w.Networks.Networks(); !slices.Equal(got, want) {
		t.Errorf("the networks are\n%+v, want\n%+v", got, want)
	}
	for _, bad := range []struct {
		id     string
		answer domain.NetworkAnswer
		kind   error
	}{{"prefix:none", domain.NetworkShow, domain.ErrNotFound}, {"prefix:home", "maybe", domain.ErrUsage}, {"prefix:home", "", domain.ErrUsage}} {
		if err := w.Answer(t.Context(), bad.id, bad.answer); !errors.Is(err, bad.kind) {
			t.Errorf("%q for %s: %v", bad.answer, bad.id, err)
		}
	}
}

// What is there before the network has an address is not the first one yet.
func TestTheFirstNetworkIsARealOne(t *testing.T) {
	w := newWorld(t)
	w.goTo(t, "prefix:fe80::/64")
	w.goTo(t, "unknown:1")
	w.goTo(t, "gateway:1")
	w.want(t, true, false, "gateway:1")
	w.goTo(t, "gateway:2")
	w.want(t, false, true, "gateway:2")
}

// A network that cannot be told from others is asked about each time, and keeps
// its answer when it turns out which one it is.
func TestNetworksThatAreNotClear(t *testing.T) {
	w := newWorld(t, domain.Network{ID: "prefix:home", Answer: domain.NetworkShow})
	w.goTo(t, "unknown:1")
	w.want(t, false, true, "unknown:1")
	if err := w.Answer(t.Context(), "unknown:1", domain.NetworkShow); err != nil {
		t.Fatal(err)
	}
	w.want(t, true, false, "unknown:1")
	if len(w.kept) != 1 {
		t.Errorf("kept: %+v", w.kept)
	}
	w.Renamed("unknown:1", "gateway:1")
	w.goTo(t, "gateway:1")
	w.want(t, true, false, "gateway:1")
	w.goTo(t, "unknown:2")
	w.want(t, false, true, "unknown:2", "unknown:1")
	// What was said about one that is known already is not overruled.
	if err := w.Answer(t.Context(), "unknown:2", domain.NetworkShow); err != nil {
		t.Fatal(err)
	}
	if err := w.Answer(t.Context(), "gateway:1", domain.NetworkFriends); err != nil {
		t.Fatal(err)
	}
	w.Renamed("unknown:2", "gateway:1")
	w.goTo(t, "gateway:1")
	w.want(t, false, true, "gateway:1")
}

// Where nobody can be asked all networks are shown but those about which the
// user has said otherwise.
func TestNetworksWithoutAWindow(t *testing.T) {
	w := newWorld(t, domain.Network{ID: "prefix:home", Answer: domain.NetworkFriends})
	w.always = true
	w.restart()
	w.goTo(t, "prefix:cafe", "unknown:1")
	w.want(t, true, false, "prefix:cafe", "unknown:1")
	w.goTo(t, "prefix:home")
	w.want(t, false, true, "prefix:home")
}

// Whoever watches sees the present networks with their answers; the others are
// told of each change.
func TestNetworksAreTold(t *testing.T) {
	w := newWorld(t)
	told := func() string {
		sub := w.bus.Subscribe(event.Networks.Name())
		defer sub.Close()
		ctx, cancel := context.WithCancel(t.Context())
		if w.present == nil {
			cancel()
		}
		defer cancel()
		all, err := sub.Next(ctx)
		if err != nil {
			return ""
		}
		text := ""
		for _, e := range all {
			n, _ := event.As(event.Networks, e)
			text += fmt.Sprintf("%s %s %v;", n.ID, n.Answer, n.Present)
		}
		return text
	}
	w.goTo(t, "prefix:home")
	w.goTo(t, "prefix:cafe")
	if got := told(); got != "prefix:cafe  true;" {
		t.Errorf("told %q", got)
	}
	if err := w.Answer(t.Context(), "prefix:cafe", domain.NetworkFriends); err != nil {
		t.Fatal(err)
	}
	if got := told(); got != "prefix:cafe friends true;" {
		t.Errorf("told %q", got)
	}
	if w.changes != 3 {
		t.Errorf("%d changes", w.changes)
	}
	w.goTo(t, "prefix:cafe")
	if w.changes != 3 {
		t.Error("nothing has changed")
	}
}

// Not more answers are kept than a person gives in years.
func TestNetworksAreBounded(t *testing.T) {
	w := newWorld(t)
	for i := range 600 {
		id := fmt.Sprintf("prefix:%d", i)
		w.goTo(t, id)
		if err := w.Answer(t.Context(), id, domain.NetworkShow); err != nil {
			t.Fatal(err)
		}
	}
	if len(w.kept) != 500 || w.kept[0].ID != "prefix:100" {
		t.Errorf("%d are kept, from %s", len(w.kept), w.kept[0].ID)
	}
}
