package app

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/settings"
	"github.com/potluck-share/potluck/net/host"
	"github.com/potluck-share/potluck/storage/names"
)

// options is what the flags before the command say.
type options struct {
	data      string
	downloads string
	name      string
	listen    []string
	nearby    []string
	verbose   bool
	serving   bool // without a window: there is nobody to ask
}

// loopbackOnly reports whether only this machine itself can reach what is
// listened on.
func (o *options) loopbackOnly() bool {
	for _, address := range o.listen {
		if !strings.HasPrefix(address, "/ip4/127.") && !strings.HasPrefix(address, "/ip6/::1/") {
			return false
		}
	}
	return len(o.listen) > 0
}

// absolute makes the folders absolute and fills in the platform's own places.
func (o *options) absolute() error {
	var err error
	if o.data == "" {
		if o.data, err = dataFolder(); err != nil {
			return fmt.Errorf("%w; say where with --data", err)
		}
	}
	if o.data, err = filepath.Abs(o.data); err != nil {
		return err
	}
	if o.downloads != "" {
		o.downloads, err = filepath.Abs(o.downloads)
	}
	return err
}

// check refuses what no start would take, also before commands that have no use
// for it: whoever mistypes wants to know.
func (o *options) check() error {
	if err := host.CheckListen(o.listen); err != nil {
		return err
	}
	root := filepath.VolumeName(o.data) + string(filepath.Separator)
	return settings.Check(domain.Settings{
		Name: cmp.Or(o.name, "somebody"), Downloads: cmp.Or(o.downloads, root), Nearby: o.nearby,
	})
}

// dataFolder is where Potluck keeps everything unless --data says otherwise.
func dataFolder() (string, error) {
	home, err := os.UserHomeDir()
	switch runtime.GOOS {
	case "windows", "darwin":
		config, err := os.UserConfigDir()
		return filepath.Join(config, "Potluck"), err
	default:
		if base := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(base) {
			return filepath.Join(base, "potluck"), nil
		}
		return filepath.Join(home, ".local", "share", "potluck"), err
	}
}

// defaults are the settings of somebody who has not chosen yet.
func defaults(data string) domain.Settings {
	downloads := filepath.Join(data, "Downloads")
	if home, err := os.UserHomeDir(); err == nil {
		downloads = filepath.Join(home, "Downloads", "Potluck")
	}
	// A database without settings is that of somebody who never changed any.
	_, err := os.Lstat(databasePath(data))
	return domain.Settings{
		Name:        ownName(),
		Downloads:   downloads,
		Audience:    domain.Audience{Kind: domain.Everyone},
		Theme:       domain.ThemeSystem,
		KeepRunning: true,
		Notify:      true,
		Introduced:  err == nil,
	}
}

// databasePath and settingsPath are where the data folder holds them.
func databasePath(data string) string { return filepath.Join(data, "potluck.db") }
func settingsPath(data string) string { return filepath.Join(data, "settings.toml") }

// ownName is the user's first name, else the login name, else the computer's.
func ownName() string {
	if me, err := user.Current(); err == nil {
		for _, text := range []string{me.Name, me.Username} {
			if name := names.Nickname(filepath.Base(text)); name != "" && name != "root" {
				return name
			}
		}
	}
	if computer, err := os.Hostname(); err == nil {
		if name := names.Nickname(computer); name != "" {
			return name
		}
	}
	return "somebody"
}

// prefixes reads networks in CIDR form, or single addresses.
func prefixes(texts []string) ([]netip.Prefix, error) {
	var all []netip.Prefix
	var problems []error
	for _, text := range texts {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			problems = append(problems, fmt.Errorf("%w: --nearby %q is not a network; write it like 192.168.3.0/24", domain.ErrUsage, text))
			continue
		}
		all = append(all, p.Masked())
	}
	return all, errors.Join(problems...)
}
