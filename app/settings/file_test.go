package settings_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/settings"
)

// chosen has another value in each field than usual has.
func chosen(t *testing.T) domain.Settings {
	t.Helper()
	return domain.Settings{
		Name: "Ana", Downloads: t.TempDir(), Audience: domain.Audience{Kind: domain.Friends},
		Nearby: []string{"192.168.3.0/24"}, UploadLimit: 1_000_000, DownloadLimit: 2_000_000, DownloadsAtOnce: 7, UploadsAtOnce: 4, UploadsPerPerson: 2,
		SlowFrom: 22 * 60, SlowUntil: 6*60 + 30, SlowUpload: 100_000, SlowDownload: 200_000,
		Skip: []string{"*.tmp", "node_modules"}, Port: 20_000,
		Theme: domain.ThemeDark, Language: "de", StartAtLogin: true, KeepRunning: false, Notify: false, Hidden: true, Introduced: true,
		Networks: []domain.Network{
			{ID: "gateway:02:00", Name: "192.168.3.x", Answer: domain.NetworkShow}, {ID: "prefix:10.0.0.0/8", Name: "10.0.0.0/8", Answer: domain.NetworkFriends},
		},
	}
}

func usual(t *testing.T) domain.Settings {
	t.Helper()
	v := base(t)
	v.KeepRunning, v.Notify = true, true
	return v
}

func TestEveryFieldIsKept(t *testing.T) {
	path, want := filepath.Join(t.TempDir(), "settings.toml"), chosen(t)
	for i, fields := 0, reflect.ValueOf(want); i < fields.NumField(); i++ {
		if reflect.DeepEqual(fields.Field(i).Interface(), reflect.ValueOf(usual(t)).Field(i).Interface()) {
			t.Errorf("nothing is tried of %s", fields.Type().Field(i).Name)
		}
	}
	s, err := settings.Open(path, usual(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Update(t.Context(), to(want)); err != nil {
		t.Fatal(err)
	}
	again, err := settings.Open(path, usual(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, got := range []domain.Settings{s.Values(), again.Values()} {
		if !reflect.DeepEqual(got, want) {
			t.Errorf("kept\n%+v, want\n%+v", got, want)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{`slow_hours = "22:00-06:30"`, `slow_upload_limit = "100 kB/s"`, `skip = ["*.tmp", "node_modules"]`, "keep_running = false"} {
		if !strings.Contains(string(text), line) {
			t.Errorf("no line %s in\n%s", line, text)
		}
	}
}

func TestAFileFromBeforeAFieldMeansItsDefault(t *testing.T) {
	path := filepath.Join(t.TempDir(), "settings.toml")
	before := "name = \"Ana\"\naudience = \"friends\"\ndownloads_at_once = 5\nupload_limit = \"none\"\ndownload_limit = \"none\"\n"
	if err := os.WriteFile(path, []byte(before), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := settings.Open(path, usual(t))
	if err != nil {
		t.Fatal(err)
	}
	v := s.Values()
	if !v.KeepRunning || !v.Notify || v.Theme != domain.ThemeSystem || v.SlowFrom != v.SlowUntil || v.StartAtLogin {
		t.Errorf("read as %+v", v)
	}
	if !v.Introduced {
		t.Error("somebody who uses Potluck already would be welcomed")
	}
}

func TestIntroducedOnlyByTheUser(t *testing.T) {
	path := filepath.Join(t.TempDir(), "settings.toml")
	introduced := func(defaults domain.Settings) bool {
		t.Helper()
		s, err := settings.Open(path, defaults)
		if err != nil {
			t.Fatal(err)
		}
		// What is said for a run is no answer.
		if err := s.Override(domain.Settings{Name: "Other"}); err != nil {
			t.Fatal(err)
		}
		return s.Values().Introduced
	}
	if introduced(usual(t)) {
		t.Error("introduced without a file")
	}
	s, err := settings.Open(path, usual(t))
	if err != nil {
		t.Fatal(err)
	}
	// The window may remember its size before its question was answered.
	if err := s.KeepWindow(t.Context(), domain.WindowState{Width: 1000, Height: 700}); err != nil {
		t.Fatal(err)
	}
	if introduced(usual(t)) {
		t.Error("introduced by the size of a window")
	}
	older := usual(t)
	older.Introduced = true // there is a database
	if !introduced(older) {
		t.Error("not introduced in spite of a database")
	}
	if err := s.Update(t.Context(), func(v *domain.Settings) { v.Introduced = true }); err != nil {
		t.Fatal(err)
	}
	if !introduced(usual(t)) {
		t.Error("the answer was forgotten")
	}
}

func TestTheWindowIsRemembered(t *testing.T) {
	path := filepath.Join(t.TempDir(), "settings.toml")
	s, err := settings.Open(path, usual(t))
	if err != nil {
		t.Fatal(err)
	}
	s.OnChange(func(domain.Settings) { t.Error("told of the window's size") })
	want := domain.WindowState{Width: 1040.5, Height: 700, Page: "transfers"}
	if err := s.KeepWindow(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	again, err := settings.Open(path, usual(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Update(t.Context(), func(v *domain.Settings) { v.Name = "Ana" }); err != nil {
		t.Fatal(err)
	}
	last, err := settings.Open(path, usual(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, got := range []domain.WindowState{s.Window(), again.Window(), last.Window()} {
		if got != want {
			t.Errorf("remembered %+v, want %+v", got, want)
		}
	}
}

func TestChangesAtTheSameTimeAllCount(t *testing.T) {
	path := filepath.Join(t.TempDir(), "settings.toml")
	s, err := settings.Open(path, usual(t))
	if err != nil {
		t.Fatal(err)
	}
	var last domain.Settings // guarded: changes do not overtake each other
	s.OnChange(func(v domain.Settings) { last = v })
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() { _ = s.Update(t.Context(), func(v *domain.Settings) { v.Port = max(v.Port, 20_000) + 1 }) })
		all.Go(func() { _ = s.Update(t.Context(), func(v *domain.Settings) { v.DownloadsAtOnce++ }) })
		all.Go(func() { _ = s.KeepWindow(t.Context(), domain.WindowState{Width: 1, Height: 2}) })
	}
	all.Wait()
	again, err := settings.Open(path, usual(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []domain.Settings{s.Values(), again.Values(), last} {
		if v.Port != 20_010 || v.DownloadsAtOnce != domain.UsualDownloadsAtOnce+10 {
			t.Errorf("after all changes: %+v", v)
		}
	}
	if again.Window().Width != 1 {
		t.Error("the window's size was lost")
	}
}

func TestValuesAreTheCallersOwn(t *testing.T) {
	s, err := settings.Open(filepath.Join(t.TempDir(), "settings.toml"), chosen(t))
	if err != nil {
		t.Fatal(err)
	}
	v := s.Values()
	v.Skip[0], v.Nearby[0] = "spoilt", "spoilt"
	if got := s.Values(); got.Skip[0] == "spoilt" || got.Nearby[0] == "spoilt" {
		t.Errorf("a caller changed the settings to %+v", got)
	}
}

func TestNetworksOfThisRunAreNotKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "settings.toml")
	s, err := settings.Open(path, usual(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Override(domain.Settings{Nearby: []string{"10.1.0.0/16"}}); err != nil {
		t.Fatal(err)
	}
	add := func(v *domain.Settings) { v.Nearby = append(v.Nearby, "192.168.3.0/24") }
	if err := s.Update(t.Context(), add); err != nil {
		t.Fatal(err)
	}
	if got := s.Values().Nearby; len(got) != 2 {
		t.Errorf("in force are %q", got)
	}
	again, err := settings.Open(path, usual(t))
	if err != nil {
		t.Fatal(err)
	}
	if got := again.Values().Nearby; len(got) != 1 || got[0] != "192.168.3.0/24" {
		t.Errorf("kept %q", got)
	}
}
