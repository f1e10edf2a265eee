package settings

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"github.com/potluck-share/potluck/app/domain"
)

// file is the form on disk. Unknown keys are kept out of the way, not an
// error: a newer Potluck may have written them. What is a pointer means
// something else when it is absent than when it is false.
type file struct {
	Name         string   `toml:"name"`
	Downloads    string   `toml:"downloads"`
	Audience     string   `toml:"audience"`
	Nearby       []string `toml:"nearby,omitempty"`
	Skip         []string `toml:"skip,omitempty"`
	AtOnce       int      `toml:"downloads_at_once"`
	People       int      `toml:"uploads_at_once"`
	PerPerson    int      `toml:"uploads_per_person"`
	Upload       string   `toml:"upload_limit"`
	Download     string   `toml:"download_limit"`
	SlowHours    string   `toml:"slow_hours"`
	SlowUpload   string   `toml:"slow_upload_limit"`
	SlowDownload string   `toml:"slow_download_limit"`
	Port         int      `toml:"port"`
	Theme        string   `toml:"theme"`
	Language     string   `toml:"language"`
	StartAtLogin bool     `toml:"start_at_login"`
	KeepRunning  *bool    `toml:"keep_running"`
	Notify       *bool    `toml:"notify"`
	Hidden       bool     `toml:"hidden"`
	Introduced   *bool    `toml:"introduced"`
	Window       *window  `toml:"window,omitempty"`
	Networks     []answer `toml:"network,omitempty"`
}

// answer is what the user said about a network.
type answer struct {
	ID   string `toml:"id"`
	Name string `toml:"name"`
	Show string `toml:"shares"` // show or friends
}

// window is what the window remembers of itself.
type window struct {
	Width  float32 `toml:"width"`
	Height float32 `toml:"height"`
	Page   string  `toml:"page"`
}

const heading = `# Potluck's settings. Potluck reads this file when it starts and writes it
# when something is changed in the window.
# audience: everyone (nearby) or friends; nearby: networks such as
# "192.168.3.0/24" whose people count as nearby; skip: names such as "*.tmp" that
# are left out of shared folders; downloads_at_once: the others wait in the
# queue; uploads_at_once: how many people are served at once, uploads_per_person:
# how many large files for each of them, 0 for no limit; upload_limit, download_limit: "5 MB/s", "500 kB/s" or "none";
# slow_hours: "22:00-06:00" or "none", when the slow limits hold instead;
# port: 0 is the usual one; theme: system, light or dark; language: system, en
# or de; start_at_login, keep_running (in the tray, without the window), notify;
# hidden: true while others are not to see this computer;
# network: where your shares are shown to everyone nearby, or to friends only;
# introduced: false shows the welcome again that comes before the first start.

`

// system is how the file calls the system's own language.
const system = "system"

// read puts into s what the file at its path says. A missing one says nothing.
func (s *Settings) read() error {
	var f file
	data, err := os.ReadFile(s.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("reading the settings: %w", err)
	}
	if err := toml.Unmarshal(data, &f); err != nil {
		return fmt.Errorf("the settings file %s cannot be understood; mend it, or move it away to start with the defaults: %w", s.path, err)
	}
	if err := f.into(&s.stored); err != nil {
		return fmt.Errorf("the settings file %s: %w", s.path, err)
	}
	if err := Check(s.stored); err != nil {
		return fmt.Errorf("the settings file %s: %w", s.path, err)
	}
	if f.Window != nil && f.Window.Width >= 0 && f.Window.Height >= 0 {
		s.window = domain.WindowState(*f.Window)
	}
	return nil
}

// into puts into values, which hold the defaults, what the file says.
func (f *file) into(values *domain.Settings) error {
	values.Name = cmp.Or(f.Name, values.Name)
	values.Downloads = cmp.Or(f.Downloads, values.Downloads)
	if f.Audience != "" {
		values.Audience = audienceOf(f.Audience)
	}
	values.Nearby, values.Skip = f.Nearby, f.Skip
	values.DownloadsAtOnce, values.Port, values.StartAtLogin = f.AtOnce, f.Port, f.StartAtLogin
	values.Hidden = f.Hidden
	values.UploadsAtOnce, values.UploadsPerPerson = f.People, f.PerPerson
	// Looks are not worth refusing to start: a newer Potluck may know more.
	if slices.Contains([]string{domain.ThemeLight, domain.ThemeDark}, f.Theme) {
		values.Theme = f.Theme
	}
	if slices.Contains(domain.Languages, f.Language) {
		values.Language = f.Language
	}
	for _, one := range []struct {
		said *bool
		into *bool
	}{{f.KeepRunning, &values.KeepRunning}, {f.Notify, &values.Notify}} {
		if one.said != nil {
			*one.into = *one.said
		}
	}
	for _, n := range f.Networks {
		if n.ID != "" { // an unknown answer means friends
			values.Networks = append(values.Networks, domain.Network{ID: n.ID, Name: n.Name, Answer: answerOf(n.Show)})
		}
	}
	// A file from before there was a first-launch sheet belongs to somebody who
	// uses Potluck already.
	if f.Introduced == nil || *f.Introduced {
		values.Introduced = true
	}
	return f.limits(values)
}

// limits reads the limits of speed and when they hold.
func (f *file) limits(into *domain.Settings) (err error) {
	for _, one := range []struct {
		key, text string
		into      *int64
	}{
		{"upload_limit", f.Upload, &into.UploadLimit},
		{"download_limit", f.Download, &into.DownloadLimit},
		{"slow_upload_limit", f.SlowUpload, &into.SlowUpload},
		{"slow_download_limit", f.SlowDownload, &into.SlowDownload},
	} {
		if *one.into, err = domain.ParseRate(one.text); err != nil {
			return fmt.Errorf("%s: %w", one.key, err)
		}
	}
	into.SlowFrom, into.SlowUntil, err = domain.ParseHours(f.SlowHours)
	return err
}

// audienceOf reads a default audience; what this version does not know means
// nobody.
func audienceOf(text string) domain.Audience {
	switch kind := domain.AudienceKind(text); kind {
	case domain.Everyone, domain.Friends:
		return domain.Audience{Kind: kind}
	default:
		return domain.Audience{}
	}
}

func answerOf(text string) domain.NetworkAnswer {
	if domain.NetworkAnswer(text) == domain.NetworkShow {
		return domain.NetworkShow
	}
	return domain.NetworkFriends
}

// write replaces the file at path at once, so that a crash leaves the old one
// or the new one.
func write(path string, values domain.Settings, state domain.WindowState) error {
	f := file{
		Name:         values.Name,
		Downloads:    values.Downloads,
		Audience:     values.Audience.String(),
		Nearby:       values.Nearby,
		Skip:         values.Skip,
		People:       values.UploadsAtOnce,
		PerPerson:    values.UploadsPerPerson,
		AtOnce:       cmp.Or(values.DownloadsAtOnce, domain.UsualDownloadsAtOnce),
		Upload:       domain.RateText(values.UploadLimit),
		Download:     domain.RateText(values.DownloadLimit),
		SlowHours:    domain.HoursText(values.SlowFrom, values.SlowUntil),
		SlowUpload:   domain.RateText(values.SlowUpload),
		SlowDownload: domain.RateText(values.SlowDownload),
		Port:         values.Port,
		Theme:        cmp.Or(values.Theme, domain.ThemeSystem),
		Language:     cmp.Or(values.Language, system),
		StartAtLogin: values.StartAtLogin,
		KeepRunning:  &values.KeepRunning,
		Notify:       &values.Notify,
		Hidden:       values.Hidden,
		Introduced:   &values.Introduced,
	}
	for _, n := range values.Networks {
		f.Networks = append(f.Networks, answer{n.ID, n.Name, string(n.Answer)})
	}
	if state != (domain.WindowState{}) {
		f.Window = &window{state.Width, state.Height, state.Page}
	}
	var text strings.Builder
	text.WriteString(heading)
	if err := toml.NewEncoder(&text).Encode(f); err != nil {
		return err
	}
	out, err := os.CreateTemp(filepath.Dir(path), ".settings-*")
	if err != nil {
		return err
	}
	_, err = out.WriteString(text.String())
	err = errors.Join(err, out.Sync(), out.Close())
	if err == nil {
		err = os.Rename(out.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(out.Name()))
	}
	return nil
}
