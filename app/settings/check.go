package settings

import (
	"errors"
	"net/netip"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/storage/names"
)

// mostPatterns is how many patterns of names may be left out, each at most
// longestPattern bytes long.
const (
	mostPatterns   = 200
	longestPattern = 255
)

// Check reports the first value that cannot be used, in words for the user;
// the error is domain.ErrUsage.
func Check(values domain.Settings) error {
	for _, check := range []func(*domain.Settings) error{
		checkName, checkDownloads, checkLimits, checkNetwork, checkSkip, checkLooks,
	} {
		if err := check(&values); err != nil {
			return err
		}
	}
	return nil
}

func checkName(values *domain.Settings) error {
	if values.Name == "" {
		return domain.Fault(domain.ErrUsage, "a name is needed, so that others know who you are")
	}
	if names.Nickname(values.Name) != values.Name {
		return domain.Fault(domain.ErrUsage, "the name \"%s\": use up to 40 characters, without ':' and '/'", values.Name)
	}
	return nil
}

func checkDownloads(values *domain.Settings) error {
	if !filepath.IsAbs(values.Downloads) {
		return domain.Fault(domain.ErrUsage, "the download folder \"%s\": give the whole path", values.Downloads)
	}
	if info, err := os.Stat(values.Downloads); err == nil && !info.IsDir() {
		return domain.Fault(domain.ErrUsage, "the download folder \"%s\" is a file", values.Downloads)
	}
	return nil
}

// checkWritable reports that nothing can be kept in a folder that was chosen
// just now; one that was there before may be on a drive that is unplugged. The
// folder need not exist yet, but then it must be possible to make it.
func checkWritable(folder string) error {
	there := folder
	for {
		if _, err := os.Stat(there); err == nil || there == filepath.Dir(there) {
			break
		}
		there = filepath.Dir(there)
	}
	// The rights alone do not tell: a drive may be mounted for reading only.
	f, err := os.CreateTemp(there, ".potluck-*")
	if err != nil {
		if errors.Is(err, syscall.ENOSPC) {
			return nil // the downloads say so, and go on when there is room
		}
		return domain.Fault(domain.ErrUsage, "can't write to %s; choose another folder", filepath.Base(folder))
	}
	_ = f.Close() // nothing was written
	return os.Remove(f.Name())
}

func checkLimits(values *domain.Settings) error {
	if n := values.DownloadsAtOnce; n < 0 || n > domain.MostDownloadsAtOnce {
		return domain.Fault(domain.ErrUsage, "%s downloads at once: choose 1 to %s", n, domain.MostDownloadsAtOnce)
	}
	for _, n := range []int{values.UploadsAtOnce, values.UploadsPerPerson} {
		if n < 0 || n > domain.MostUploadsAtOnce {
			return domain.Fault(domain.ErrUsage, "%s uploads at once: choose 1 to %s, or 0 for no limit", n, domain.MostUploadsAtOnce)
		}
	}
	for _, rate := range []int64{values.UploadLimit, values.DownloadLimit, values.SlowUpload, values.SlowDownload} {
		if rate == 0 {
			continue
		}
		if _, err := domain.ParseRate(domain.RateText(rate)); err != nil || rate < 0 {
			return domain.Fault(domain.ErrUsage, "a limit of %s B/s: choose %s to %s, or none",
				int(rate), domain.RateText(domain.LeastRate), domain.RateText(domain.MostRate))
		}
	}
	if !domain.IsMinuteOfDay(values.SlowFrom) || !domain.IsMinuteOfDay(values.SlowUntil) {
		return domain.Fault(domain.ErrUsage, "slow hours begin and end between 00:00 and 23:59")
	}
	return nil
}

func checkNetwork(values *domain.Settings) error {
	for _, cidr := range values.Nearby {
		if _, err := netip.ParsePrefix(cidr); err != nil {
			return domain.Fault(domain.ErrUsage, "\"%s\" is not a network; write it like 192.168.3.0/24", cidr)
		}
	}
	if p := values.Port; p != 0 && (p < domain.LeastPort || p > domain.MostPort) {
		return domain.Fault(domain.ErrUsage, "the port %s: choose %s to %s",
			strconv.Itoa(p), strconv.Itoa(domain.LeastPort), strconv.Itoa(domain.MostPort))
	}
	return nil
}

func checkSkip(values *domain.Settings) error {
	if len(values.Skip) > mostPatterns {
		return domain.Fault(domain.ErrUsage, "%s names to leave out: at most %s", len(values.Skip), mostPatterns)
	}
	for _, pattern := range values.Skip {
		if _, err := path.Match(pattern, ""); err != nil || pattern == "" || len(pattern) > longestPattern || strings.Contains(pattern, "/") {
			return domain.Fault(domain.ErrUsage, "\"%s\" is not the pattern of a name; write it like *.tmp", pattern)
		}
	}
	return nil
}

func checkLooks(values *domain.Settings) error {
	if !slices.Contains([]string{"", domain.ThemeSystem, domain.ThemeLight, domain.ThemeDark}, values.Theme) {
		return domain.Fault(domain.ErrUsage, "the theme \"%s\": choose system, light or dark", values.Theme)
	}
	if values.Language != "" && !slices.Contains(domain.Languages, values.Language) {
		return domain.Fault(domain.ErrUsage, "the language \"%s\": choose %s, or the system's", values.Language, strings.Join(domain.Languages, " or "))
	}
	return nil
}
