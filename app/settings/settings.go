// Package settings keeps what the user chose in one file that a person can
// read and edit: settings.toml in the data folder.
//
// A Settings value may be used from any goroutine. The callback given to
// OnChange runs on the goroutine that called Set.
package settings

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/BurntSushi/toml"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/storage/names"
)

// file is the form on disk. Unknown keys are kept out of the way, not an
// error: a newer Potluck may have written them.
type file struct {
	Name      string   `toml:"name"`
	Downloads string   `toml:"downloads"`
	Audience  string   `toml:"audience"`
	Nearby    []string `toml:"nearby,omitempty"`
	AtOnce    int      `toml:"downloads_at_once"`
	Upload    string   `toml:"upload_limit"`
	Download  string   `toml:"download_limit"`
}

const heading = `# Potluck's settings. Potluck reads this file when it starts and writes it
# when something is changed in the window.
# audience: everyone (nearby) or friends; nearby: networks such as
# "192.168.3.0/24" whose people count as nearby; downloads_at_once: the others
# wait in the queue; upload_limit, download_limit: "5 MB/s", "500 kB/s" or "none".

`

// Settings holds the current choices.
type Settings struct {
	path string

	mu       sync.Mutex
	stored   domain.Settings
	override domain.Settings // zero fields do not override
	changed  []func(domain.Settings)
}

// Open reads the settings at path, with defaults for what it does not say. A
// missing file is no error; one that cannot be understood is, since guessing
// could show files to the wrong people.
func Open(path string, defaults domain.Settings) (*Settings, error) {
	s := &Settings{path: path, stored: defaults}
	var f file
	data, err := os.ReadFile(path) //nolint:gosec // the path is the program's own
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return s, nil
	case err != nil:
		return nil, fmt.Errorf("reading the settings: %w", err)
	}
	if err := toml.Unmarshal(data, &f); err != nil {
		return nil, fmt.Errorf("the settings file %s cannot be understood; mend it, or move it away to start with the defaults: %w", path, err)
	}
	if f.Name != "" {
		s.stored.Name = f.Name
	}
	if f.Downloads != "" {
		s.stored.Downloads = f.Downloads
	}
	if f.Audience != "" {
		s.stored.Audience = audienceOf(f.Audience)
	}
	s.stored.Nearby = f.Nearby
	s.stored.DownloadsAtOnce = f.AtOnce
	if err := readLimits(f, &s.stored); err != nil {
		return nil, fmt.Errorf("the settings file %s: %w", path, err)
	}
	if err := Check(s.stored); err != nil {
		return nil, fmt.Errorf("the settings file %s: %w", path, err)
	}
	return s, nil
}

// readLimits reads the limits of speed.
func readLimits(f file, into *domain.Settings) (err error) {
	if into.UploadLimit, err = domain.ParseRate(f.Upload); err != nil {
		return fmt.Errorf("upload_limit: %w", err)
	}
	if into.DownloadLimit, err = domain.ParseRate(f.Download); err != nil {
		return fmt.Errorf("download_limit: %w", err)
	}
	return nil
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

// Override sets values for this run only; zero fields leave what is stored.
func (s *Settings) Override(values domain.Settings) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := Check(merge(s.stored, values)); err != nil {
		return err
	}
	s.override = values
	return nil
}

// Values returns the choices in force.
func (s *Settings) Values() domain.Settings {
	s.mu.Lock()
	defer s.mu.Unlock()
	return merge(s.stored, s.override)
}

func merge(base, over domain.Settings) domain.Settings {
	if over.Name != "" {
		base.Name = over.Name
	}
	if over.Downloads != "" {
		base.Downloads = over.Downloads
	}
	if over.Audience.Kind != domain.Nobody {
		base.Audience = over.Audience
	}
	base.Nearby = append(append([]string(nil), base.Nearby...), over.Nearby...)
	if base.DownloadsAtOnce == 0 {
		base.DownloadsAtOnce = domain.UsualDownloadsAtOnce
	}
	return base
}

// OnChange calls f with the new values after each Set. Register before use.
func (s *Settings) OnChange(f func(domain.Settings)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changed = append(s.changed, f)
}

// Set checks and stores values: all but the networks. A bad value is refused
// with domain.ErrUsage and nothing is changed.
func (s *Settings) Set(_ context.Context, values domain.Settings) error {
	if err := Check(values); err != nil {
		return err
	}
	s.mu.Lock()
	current := merge(s.stored, s.override)
	next := s.stored
	// What was overridden for this run and left alone stays as stored.
	if values.Name != current.Name {
		next.Name, s.override.Name = values.Name, ""
	}
	if values.Downloads != current.Downloads {
		next.Downloads, s.override.Downloads = values.Downloads, ""
	}
	if values.Audience.Kind != current.Audience.Kind {
		next.Audience, s.override.Audience = values.Audience, domain.Audience{}
	}
	next.UploadLimit, next.DownloadLimit = values.UploadLimit, values.DownloadLimit
	next.DownloadsAtOnce = values.DownloadsAtOnce
	if err := write(s.path, next); err != nil {
		s.mu.Unlock()
		return fmt.Errorf("keeping the settings: %w", err)
	}
	s.stored = next
	now, told := merge(s.stored, s.override), s.changed
	s.mu.Unlock()
	for _, f := range told {
		f(now)
	}
	return nil
}

// Check reports the first value that cannot be used, in words for the user.
func Check(values domain.Settings) error {
	if values.Name == "" {
		return fmt.Errorf("%w: a name is needed, so that others know who you are", domain.ErrUsage)
	}
	if names.Nickname(values.Name) != values.Name {
		return fmt.Errorf("%w: the name %q: use up to 40 characters, without ':' and '/'", domain.ErrUsage, values.Name)
	}
	if !filepath.IsAbs(values.Downloads) {
		return fmt.Errorf("%w: the download folder %q: give the whole path", domain.ErrUsage, values.Downloads)
	}
	if info, err := os.Stat(values.Downloads); err == nil && !info.IsDir() {
		return fmt.Errorf("%w: the download folder %q is a file", domain.ErrUsage, values.Downloads)
	}
	if n := values.DownloadsAtOnce; n < 0 || n > domain.MostDownloadsAtOnce {
		return fmt.Errorf("%w: %d downloads at once: choose 1 to %d", domain.ErrUsage, n, domain.MostDownloadsAtOnce)
	}
	for _, rate := range []int64{values.UploadLimit, values.DownloadLimit} {
		if rate == 0 {
			continue
		}
		if _, err := domain.ParseRate(domain.RateText(rate)); err != nil || rate < 0 {
			return fmt.Errorf("%w: a limit of %d B/s: choose %s to %s, or none",
				domain.ErrUsage, rate, domain.RateText(domain.LeastRate), domain.RateText(domain.MostRate))
		}
	}
	for _, cidr := range values.Nearby {
		if _, err := netip.ParsePrefix(cidr); err != nil {
			return fmt.Errorf("%w: %q is not a network; write it like 192.168.3.0/24", domain.ErrUsage, cidr)
		}
	}
	return nil
}

func write(path string, values domain.Settings) error {
	var text strings.Builder
	text.WriteString(heading)
	if err := toml.NewEncoder(&text).Encode(file{
		Name:      values.Name,
		Downloads: values.Downloads,
		Audience:  values.Audience.String(),
		Nearby:    values.Nearby,
		AtOnce:    cmp.Or(values.DownloadsAtOnce, domain.UsualDownloadsAtOnce),
		Upload:    domain.RateText(values.UploadLimit),
		Download:  domain.RateText(values.DownloadLimit),
	}); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".settings-*")
	if err != nil {
		return err
	}
	_, err = f.WriteString(text.String())
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
