package app

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"
)

// What a crash leaves in the data folder, and where it lies once it was read.
const (
	crashFile    = "crash.txt"
	oldCrashFile = "crash.old.txt"
)

// crashMost is how much of a report is read, in bytes. Its beginning says why.
const crashMost = 256 << 10

// LastCrash takes what the last run left in the data folder if it crashed: when
// and of which version it was, why, and where in the program. It tells of each
// crash once; the report stays beside the log. It must come before the next run
// begins to write its own.
func LastCrash(data string) (report string, ok bool) {
	path := filepath.Join(data, crashFile)
	f, err := os.Open(path) //nolint:gosec // in the program's own data folder
	if err != nil {
		return "", false
	}
	text, err := io.ReadAll(io.LimitReader(f, crashMost))
	if closing := f.Close(); err != nil || closing != nil {
		return "", false
	}
	report = strings.ToValidUTF8(string(text), "?")
	// Every run leaves its heading, and only a crash anything below it.
	if _, why, _ := strings.Cut(report, "\n\n"); strings.TrimSpace(why) == "" {
		return "", false
	}
	if err := os.Rename(path, filepath.Join(data, oldCrashFile)); err != nil {
		return "", false // else it would be told again and again
	}
	return report, true
}

// recordCrashes lets a crash of this run be written into the data folder.
// system says what it runs on.
func recordCrashes(data, system string) error {
	path := filepath.Join(data, crashFile)
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o600) //nolint:gosec // in the program's own data folder
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "Potluck %s on %s\nstarted %s\n\n", Version, system, time.Now().UTC().Format(time.RFC3339))
	if err == nil {
		err = debug.SetCrashOutput(f, debug.CrashOptions{}) // which keeps a file of its own open
	}
	return errors.Join(err, f.Close())
}

// watchCrashes does both, and returns the report of the last crash, "" if
// there was none.
func watchCrashes(data, system string, log *slog.Logger) (last string) {
	last, _ = LastCrash(data)
	if err := recordCrashes(data, system); err != nil {
		log.Warn("a crash would not be recorded", "err", err)
	}
	return last
}
