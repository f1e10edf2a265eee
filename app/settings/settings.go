// Package settings keeps what the user chose in one file that a person can
// read and edit: settings.toml in the data folder. The window remembers there
// how it looked, too.
//
// A Settings value may be used from any goroutine. The callbacks given to
// OnChange run on the goroutine that called Update.
package settings

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/potluck-share/potluck/app/domain"
)

// Settings holds the current choices.
type Settings struct {
	path string

	// changing is held from before a change until all have been told of it, so
	// that changes do not overtake each other.
	changing sync.Mutex

	mu       sync.Mutex
	stored   domain.Settings
	override domain.Settings // zero fields do not override
	window   domain.WindowState
	changed  []func(domain.Settings)
}

// Open reads the settings at path, with defaults for what it does not say. A
// missing file is no error; one that cannot be understood is, since guessing
// could show files to the wrong people.
func Open(path string, defaults domain.Settings) (*Settings, error) {
	s := &Settings{path: path, stored: defaults}
	if err := s.read(); err != nil {
		return nil, err
	}
	return s, nil
}

// Override sets the name, the download folder and the audience for this run
// only, and adds networks; zero fields leave what is stored.
func (s *Settings) Override(values domain.Settings) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := Check(merge(s.stored, values)); err != nil {
		return err
	}
	s.override = values
	return nil
}

// Values returns the choices in force. They are the caller's own.
func (s *Settings) Values() domain.Settings {
	s.mu.Lock()
	defer s.mu.Unlock()
	return merge(s.stored, s.override)
}

// merge returns base with what over says, sharing nothing with either.
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
	base.Audience.Peers = slices.Clone(base.Audience.Peers)
	base.Nearby = slices.Clone(base.Nearby)
	for _, network := range over.Nearby {
		if !slices.Contains(base.Nearby, network) {
			base.Nearby = append(base.Nearby, network)
		}
	}
	base.Skip = slices.Clone(base.Skip)
	base.Networks = slices.Clone(base.Networks)
	if base.DownloadsAtOnce == 0 {
		base.DownloadsAtOnce = domain.UsualDownloadsAtOnce
	}
	if base.Theme == "" {
		base.Theme = domain.ThemeSystem
	}
	return base
}

// OnChange calls f with the new values after each Update; f must not call
// Update itself. Register before use.
func (s *Settings) OnChange(f func(domain.Settings)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changed = append(s.changed, f)
}

// Update lets change alter the values in force, checks them, keeps them and
// tells everybody. What change leaves alone stays as it is, even if it was
// changed a moment ago; what was said for this run only is not kept unless
// change alters it. A bad value is refused with domain.ErrUsage and nothing is
// changed. change must not use the Settings.
func (s *Settings) Update(_ context.Context, change func(*domain.Settings)) error {
	s.changing.Lock()
	defer s.changing.Unlock()
	s.mu.Lock()
	stored, override, state := s.stored, s.override, s.window
	s.mu.Unlock()

	values := merge(stored, override)
	before := values
	change(&values)
	if err := Check(values); err != nil {
		return err
	}
	if values.Downloads != before.Downloads || values.Introduced && !before.Introduced {
		if err := checkWritable(values.Downloads); err != nil {
			return err
		}
	}
	next, override := keep(values, stored, override)
	if err := write(s.path, next, state); err != nil {
		return fmt.Errorf("%w: %w", domain.Fault(nil, "the settings cannot be kept"), err)
	}
	s.mu.Lock()
	s.stored, s.override = next, override
	now, told := merge(s.stored, s.override), s.changed
	s.mu.Unlock()
	for _, f := range told {
		f(now)
	}
	return nil
}

// keep divides values into what is to be stored and what holds for this run
// only: the latter is what over says and values still agree to.
func keep(values, stored, over domain.Settings) (next, override domain.Settings) {
	next = merge(values, domain.Settings{})
	if over.Name != "" && values.Name == over.Name {
		next.Name, override.Name = stored.Name, over.Name
	}
	if over.Downloads != "" && values.Downloads == over.Downloads {
		next.Downloads, override.Downloads = stored.Downloads, over.Downloads
	}
	if over.Audience.Kind != domain.Nobody && values.Audience.Kind == over.Audience.Kind {
		next.Audience, override.Audience = stored.Audience, over.Audience
	}
	next.Nearby = slices.DeleteFunc(next.Nearby, func(network string) bool {
		temporary := slices.Contains(over.Nearby, network)
		if temporary {
			override.Nearby = append(override.Nearby, network)
		}
		return temporary && !slices.Contains(stored.Nearby, network)
	})
	return next, override
}

// Window returns what the window remembers of itself.
func (s *Settings) Window() domain.WindowState {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.window
}

// KeepWindow remembers state for the next start. Nobody is told of it.
func (s *Settings) KeepWindow(_ context.Context, state domain.WindowState) error {
	s.changing.Lock()
	defer s.changing.Unlock()
	s.mu.Lock()
	stored := s.stored
	s.mu.Unlock()
	if err := write(s.path, stored, state); err != nil {
		return fmt.Errorf("keeping the window's size: %w", err)
	}
	s.mu.Lock()
	s.window = state
	s.mu.Unlock()
	return nil
}
