package settings_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/settings"
)

func base(t *testing.T) domain.Settings {
	t.Helper()
	return domain.Settings{Name: "Mira", Downloads: t.TempDir(), Audience: domain.Audience{Kind: domain.Everyone}}
}

// to changes everything to values.
func to(values domain.Settings) func(*domain.Settings) {
	return func(v *domain.Settings) { *v = values }
}

func TestAChangeIsKeptAndTold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "settings.toml")
	s, err := settings.Open(path, base(t))
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	s.OnChange(func(v domain.Settings) { told = append(told, v.Name) })
	v := s.Values()
	v.Name, v.Audience.Kind = "Mira & Co", domain.Friends
	if err := s.Update(t.Context(), to(v)); err != nil {
		t.Fatal(err)
	}
	if len(told) != 1 || told[0] != "Mira & Co" {
		t.Errorf("told %q", told)
	}
	again, err := settings.Open(path, base(t))
	if err != nil {
		t.Fatal(err)
	}
	if got := again.Values(); got.Name != "Mira & Co" || got.Downloads != v.Downloads || got.Audience.Kind != domain.Friends {
		t.Errorf("kept %+v", got)
	}
}

func TestBadValuesAreRefusedAndChangeNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "settings.toml")
	s, err := settings.Open(path, base(t))
	if err != nil {
		t.Fatal(err)
	}
	before := s.Values()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, spoil := range []func(*domain.Settings){
		func(v *domain.Settings) { v.Name = "" },
		func(v *domain.Settings) { v.Name = "a:b" },
		func(v *domain.Settings) { v.Name = "a/b" },
		func(v *domain.Settings) { v.Name = "a\u202eb" },
		func(v *domain.Settings) { v.Name = strings.Repeat("x", 41) },
		func(v *domain.Settings) { v.Downloads = "relative" },
		func(v *domain.Settings) { v.Downloads = file },
		func(v *domain.Settings) { v.Nearby = []string{"here"} },
		func(v *domain.Settings) { v.DownloadsAtOnce = -1 },
		func(v *domain.Settings) { v.UploadsAtOnce = -1 },
		func(v *domain.Settings) { v.UploadsPerPerson = domain.MostUploadsAtOnce + 1 },
		func(v *domain.Settings) { v.DownloadsAtOnce = domain.MostDownloadsAtOnce + 1 },
		func(v *domain.Settings) { v.UploadLimit = domain.LeastRate - 1 },
		func(v *domain.Settings) { v.DownloadLimit = -1 },
		func(v *domain.Settings) { v.SlowUpload = 1 },
		func(v *domain.Settings) { v.SlowDownload = domain.MostRate + 1 },
		func(v *domain.Settings) { v.SlowFrom = -1 },
		func(v *domain.Settings) { v.SlowUntil = 24 * 60 },
		func(v *domain.Settings) { v.Port = domain.LeastPort - 1 },
		func(v *domain.Settings) { v.Port = domain.MostPort + 1 },
		func(v *domain.Settings) { v.Skip = []string{"*.tmp", ""} },
		func(v *domain.Settings) { v.Skip = []string{"a/b"} },
		func(v *domain.Settings) { v.Skip = []string{"[a"} },
		func(v *domain.Settings) { v.Skip = make([]string, 1000) },
		func(v *domain.Settings) { v.Theme = "pink" },
		func(v *domain.Settings) { v.Language = "tlh" },
	} {
		bad := s.Values()
		spoil(&bad)
		if err := s.Update(t.Context(), to(bad)); !errors.Is(err, domain.ErrUsage) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	if got := s.Values(); got.Name != before.Name || got.Downloads != before.Downloads {
		t.Errorf("changed to %+v", got)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Error("a refused value was written")
	}
}

func TestOverridesAreForThisRunOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "settings.toml")
	s, err := settings.Open(path, base(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Override(domain.Settings{Name: "Other", Nearby: []string{"10.1.0.0/16"}}); err != nil {
		t.Fatal(err)
	}
	v := s.Values()
	if v.Name != "Other" || len(v.Nearby) != 1 {
		t.Errorf("override not in force: %+v", v)
	}
	v.Audience.Kind = domain.Friends
	if err := s.Update(t.Context(), to(v)); err != nil {
		t.Fatal(err)
	}
	again, err := settings.Open(path, base(t))
	if err != nil {
		t.Fatal(err)
	}
	if got := again.Values(); got.Name != "Mira" || len(got.Nearby) != 0 || got.Audience.Kind != domain.Friends {
		t.Errorf("kept %+v", got)
	}
}

func TestFileByHand(t *testing.T) {
	path := filepath.Join(t.TempDir(), "settings.toml")
	for text, check := range map[string]func(domain.Settings, error) bool{
		"name = \"Ana\"\n": func(v domain.Settings, err error) bool { return err == nil && v.Name == "Ana" },
		"name = ":          func(_ domain.Settings, err error) bool { return err != nil && strings.Contains(err.Error(), path) },
		// Guessing could show files to the wrong people.
		"audience = \"neighbours\"": func(v domain.Settings, err error) bool { return err == nil && v.Audience.Kind == domain.Nobody },
		"nearby = [\"x\"]":          func(_ domain.Settings, err error) bool { return errors.Is(err, domain.ErrUsage) },
		"theme = \"pink\"\nlanguage = \"tlh\"": func(v domain.Settings, err error) bool {
			return err == nil && v.Theme == domain.ThemeSystem && v.Language == ""
		},
		"slow_hours = \"at night\"": func(_ domain.Settings, err error) bool {
			return errors.Is(err, domain.ErrUsage) && strings.Contains(err.Error(), "22:00-06:00")
		},
		"port = 80":              func(_ domain.Settings, err error) bool { return errors.Is(err, domain.ErrUsage) },
		"skip = [\"[\"]":         func(_ domain.Settings, err error) bool { return errors.Is(err, domain.ErrUsage) },
		"[window]\nwidth = -1.0": func(v domain.Settings, err error) bool { return err == nil && v.Name == "Mira" },
		"later = true":           func(v domain.Settings, err error) bool { return err == nil && v.Name == "Mira" },
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := settings.Open(path, base(t))
		var v domain.Settings
		if err == nil {
			v = s.Values()
		}
		if !check(v, err) {
			t.Errorf("%q: %+v, %v", text, v, err)
		}
	}
}

func TestLimitsAreWrittenForPeople(t *testing.T) {
	path := filepath.Join(t.TempDir(), "settings.toml")
	s, err := settings.Open(path, base(t))
	if err != nil {
		t.Fatal(err)
	}
	v := s.Values()
	if v.DownloadsAtOnce != domain.UsualDownloadsAtOnce || v.UploadLimit != 0 || v.DownloadLimit != 0 {
		t.Errorf("the defaults are %+v", v)
	}
	v.UploadLimit, v.DownloadsAtOnce = 1_500_000, 5
	if err := s.Update(t.Context(), to(v)); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{`upload_limit = "1.5 MB/s"`, `download_limit = "none"`, "downloads_at_once = 5"} {
		if !strings.Contains(string(text), line) {
			t.Errorf("no line %s in\n%s", line, text)
		}
	}
	again, err := settings.Open(path, base(t))
	if err != nil {
		t.Fatal(err)
	}
	if got := again.Values(); got.UploadLimit != 1_500_000 || got.DownloadsAtOnce != 5 {
		t.Errorf("kept %+v", got)
	}
	if err := os.WriteFile(path, []byte("upload_limit = \"fast\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := settings.Open(path, base(t)); !errors.Is(err, domain.ErrUsage) || !strings.Contains(err.Error(), "5 MB/s") {
		t.Errorf("a limit that is none: %v", err)
	}
}

// A download folder is tried when it is chosen, and not again: the drive that
// it is on may be unplugged while something else is changed.
func TestADownloadFolderIsTriedWhenItIsChosen(t *testing.T) {
	values := base(t)
	s, err := settings.Open(filepath.Join(t.TempDir(), "settings.toml"), values)
	if err != nil {
		t.Fatal(err)
	}
	parent := t.TempDir()
	inFile := filepath.Join(parent, "notes.txt", "Potluck")
	if err := os.WriteFile(filepath.Dir(inFile), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	err = s.Update(t.Context(), func(v *domain.Settings) { v.Downloads = inFile })
	if !errors.Is(err, domain.ErrUsage) || s.Values().Downloads != values.Downloads {
		t.Errorf("a folder that cannot be made: %v, %s", err, s.Values().Downloads)
	}
	unplugged := filepath.Join(parent, "drive", "Potluck")
	if err := s.Update(t.Context(), func(v *domain.Settings) { v.Downloads = unplugged }); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(parent); err != nil || len(left) != 1 {
		t.Errorf("trying left %v (%v)", left, err)
	}
	if err := os.WriteFile(filepath.Dir(unplugged), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Update(t.Context(), func(v *domain.Settings) { v.Name = "Mira K" }); err != nil {
		t.Errorf("another change while the folder is away: %v", err)
	}
}
