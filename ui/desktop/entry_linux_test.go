package desktop_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/potluck-share/potluck/assets"
	"github.com/potluck-share/potluck/ui/desktop"
)

const entryID = "io.github.potluck-share.potluck"

// home gives the test a home folder of its own and returns it.
func home(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("HOME", dir)
	for _, name := range []string{"XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CURRENT_DESKTOP", "DISPLAY", "DBUS_SESSION_BUS_ADDRESS"} {
		t.Setenv(name, "")
	}
	t.Setenv("XDG_DATA_DIRS", filepath.Join(dir, "shared"))
	return dir
}

// need skips a test for which a program is missing.
func need(t *testing.T, programs ...string) {
	t.Helper()
	for _, program := range programs {
		if _, err := exec.LookPath(program); err != nil {
			if os.Getenv("POTLUCK_STRICT") == "1" {
				t.Fatal(err)
			}
			t.Skipf("skipped: %v", err)
		}
	}
}

// recorder makes a program that writes its arguments to a file, each on a
// line, in a new folder of that name.
func recorder(t *testing.T, dir, name string) (exe, said string) {
	t.Helper()
	exe = filepath.Join(dir, name, "pot luck")
	said = filepath.Join(dir, "said")
	if err := os.Mkdir(filepath.Dir(exe), 0o700); err != nil {
		t.Fatal(err)
	}
	script := "#!/bin/sh\nprintf '%s\\n' \"$@\" >'" + said + ".new'\nmv '" + said + ".new' '" + said + "'\n"
	if err := os.WriteFile(exe, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	return exe, said
}

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput(); err != nil {
		t.Errorf("%s %q: %v\n%s", name, args, err, out)
	}
}

func text(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// heard waits for what the recorder wrote.
func heard(t *testing.T, said string, want ...string) {
	t.Helper()
	eventually(t, "the program was started", func() bool {
		_, err := os.Stat(said)
		return err == nil
	})
	if got := strings.Split(strings.TrimSuffix(text(t, said), "\n"), "\n"); !slices.Equal(got, want) {
		t.Errorf("the program got %q, want %q", got, want)
	}
	if err := os.Remove(said); err != nil {
		t.Fatal(err)
	}
}

func TestStartAtLogin(t *testing.T) {
	dir := home(t)
	path := filepath.Join(dir, ".config", "autostart", "potluck.desktop")
	if desktop.StartsAtLogin() {
		t.Error("it starts at login without having been told")
	}
	if err := desktop.StartAtLogin(false, ""); err != nil {
		t.Errorf("switching off what is off: %v", err)
	}
	if err := desktop.StartAtLogin(true, "potluck"); err == nil {
		t.Error("a program without a folder was taken")
	}
	for range 2 {
		if err := desktop.StartAtLogin(true, "/opt/pot luck/potluck", "--hidden", "--data", "/srv/100%"); err != nil {
			t.Fatal(err)
		}
	}
	want := "Exec=\"/opt/pot luck/potluck\" --hidden --data \"/srv/100%%\"\nTryExec=/opt/pot luck/potluck\n"
	if got := text(t, path); !strings.Contains(got, want) || strings.Contains(got, "MimeType") {
		t.Errorf("the entry is\n%s\nwant\n%s", got, want)
	}
	if !desktop.StartsAtLogin() {
		t.Error("it does not start at login")
	}
	names, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(names) != 1 {
		t.Errorf("the folder holds %v (%v), want the entry alone", names, err)
	}
	// As the settings of a desktop switch it off.
	off := text(t, path) + "Hidden=true\n"
	if err := os.WriteFile(path, []byte(off), 0o600); err != nil {
		t.Fatal(err)
	}
	if desktop.StartsAtLogin() {
		t.Error("the user has switched it off, and it says that it is on")
	}
	if err := desktop.StartAtLogin(true, "/opt/potluck"); err != nil || !desktop.StartsAtLogin() {
		t.Errorf("switching it on again: %v", err)
	}
	if err := desktop.StartAtLogin(false, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("the entry is still there: %v", err)
	}

	const foreign = "[Desktop Entry]\nType=Application\nName=Party planner\nExec=potluck\n"
	if err := os.WriteFile(path, []byte(foreign), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := desktop.StartAtLogin(true, "/opt/potluck"); err == nil || !strings.Contains(err.Error(), "move it away") {
		t.Errorf("over somebody else's entry: %v", err)
	}
	if err := desktop.StartAtLogin(false, ""); err != nil {
		t.Error(err)
	}
	if desktop.StartsAtLogin() || text(t, path) != foreign {
		t.Error("somebody else's entry was taken for ours")
	}

	config := filepath.Join(dir, "config")
	t.Setenv("XDG_CONFIG_HOME", config)
	if err := desktop.StartAtLogin(true, "/opt/potluck"); err != nil {
		t.Fatal(err)
	}
	if got := text(t, filepath.Join(config, "autostart", "potluck.desktop")); !strings.Contains(got, "Exec=/opt/potluck\n") {
		t.Errorf("the entry is\n%s", got)
	}
}

// The desktop's own reader of entries must give the program what it was meant
// to get, whatever is in it.
func TestEntriesAreReadAsMeant(t *testing.T) {
	need(t, "gio", "desktop-file-validate")
	dir := home(t)
	args := []string{"", "a b", `"quoted" 'single'`, "$HOME `id` ~", `back\slash \\ \n`, "100% %u %%", "tab\there", "ü=(1)&;|<>*?#"}
	path := filepath.Join(dir, ".config", "autostart", "potluck.desktop")
	for _, name := range []string{`Räk "smör" & $HOME \x`, "100% = all"} {
		exe, said := recorder(t, dir, name)
		if err := desktop.StartAtLogin(true, exe, args...); err != nil {
			t.Fatal(err)
		}
		run(t, "desktop-file-validate", path)
		run(t, "gio", "launch", path)
		heard(t, said, args...)
	}
}

func TestRegister(t *testing.T) {
	dir := home(t)
	exe, _ := recorder(t, dir, "pot luck")
	data := filepath.Join(dir, "data")
	t.Setenv("XDG_DATA_HOME", data)
	t.Setenv("PATH", t.TempDir()) // without the tools
	if desktop.Registered() {
		t.Error("registered from the start")
	}
	if err := desktop.Unregister(t.Context()); err != nil {
		t.Errorf("unregister what is not: %v", err)
	}
	if err := desktop.Register(t.Context(), "potluck", assets.AppDrawing); err == nil {
		t.Error("a program without a folder was taken")
	}
	for range 2 {
		if err := desktop.Register(t.Context(), exe, assets.AppDrawing); err != nil {
			t.Fatal(err)
		}
	}
	if !desktop.Registered() {
		t.Error("not registered")
	}
	entry := filepath.Join(data, "applications", entryID+".desktop")
	icon := filepath.Join(data, "icons", "hicolor", "scalable", "apps", entryID+".svg")
	if text(t, icon) != string(assets.AppDrawing) {
		t.Error("the icon is another one")
	}
	for _, want := range []string{
		"\nMimeType=x-scheme-handler/potluck;\n", "\nCategories=Network;FileTransfer;P2P;\n", " %u\n", "\nIcon=" + entryID + "\n",
	} {
		if got := text(t, entry); !strings.Contains(got, want) {
			t.Errorf("the entry lacks %q:\n%s", want, got)
		}
	}
	if err := desktop.Unregister(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{entry, icon} {
		if _, err := os.Stat(path); !os.IsNotExist(err) {
			t.Errorf("%s is still there: %v", path, err)
		}
	}
	if desktop.Registered() {
		t.Error("still registered")
	}

	// One that somebody made by hand stays as it is.
	const foreign = "[Desktop Entry]\nType=Application\nName=Potluck\nExec=/opt/mine\n"
	if err := os.WriteFile(entry, []byte(foreign), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := desktop.Register(t.Context(), exe, assets.AppDrawing); err == nil {
		t.Error("somebody else's entry was overwritten")
	}
	if err := desktop.Unregister(t.Context()); err != nil || text(t, entry) != foreign {
		t.Errorf("somebody else's entry was removed: %v", err)
	}
}

// A link opens the program, by the desktop's own tools.
func TestLinksOpenTheProgram(t *testing.T) {
	need(t, "gio", "desktop-file-validate", "update-desktop-database", "xdg-mime")
	dir := home(t)
	exe, said := recorder(t, dir, "pot luck")
	if err := desktop.Register(t.Context(), exe, assets.AppDrawing); err != nil {
		t.Fatal(err)
	}
	run(t, "desktop-file-validate", filepath.Join(dir, ".local", "share", "applications", entryID+".desktop"))
	const link = "potluck:content/0123456789abcdef?name=a%20b"
	run(t, "gio", "open", link)
	heard(t, said, link)
	if got := text(t, filepath.Join(dir, ".config", "mimeapps.list")); !strings.Contains(got, entryID+".desktop") {
		t.Errorf("the default for links is\n%s", got)
	}
}

// What `make install` puts on a computer is whole, and goes away again.
func TestInstall(t *testing.T) {
	need(t, "make", "desktop-file-validate")
	dir := home(t)
	program, stage := filepath.Join(dir, "program"), filepath.Join(dir, "stage")
	if err := os.WriteFile(program, []byte("a program"), 0o600); err != nil {
		t.Fatal(err)
	}
	target := func(name string) {
		t.Helper()
		run(t, "make", "-C", "../..", name, "BIN="+program, "DESTDIR="+stage, "PREFIX=/opt/potluck")
	}
	target("install")
	share := filepath.Join(stage, "opt", "potluck", "share")
	entry := filepath.Join(share, "applications", entryID+".desktop")
	run(t, "desktop-file-validate", entry)
	want := strings.Replace(assets.DesktopEntry, "Exec=potluck ", "Exec=/opt/potluck/bin/potluck ", 1)
	if got := text(t, entry); got != want {
		t.Errorf("the entry is\n%s\nwant\n%s", got, want)
	}
	installed := filepath.Join(stage, "opt", "potluck", "bin", "potluck")
	if info, err := os.Stat(installed); err != nil || info.Mode().Perm() != 0o755 || text(t, installed) != "a program" {
		t.Errorf("the program is %v (%v)", info, err)
	}
	if !bytes.Equal([]byte(text(t, filepath.Join(share, "icons", "hicolor", "scalable", "apps", entryID+".svg"))), assets.AppDrawing) {
		t.Error("the icon is another one")
	}
	t.Setenv("XDG_DATA_DIRS", share)
	if !desktop.Registered() {
		t.Error("installed for everybody, and not registered")
	}
	target("uninstall")
	err := filepath.WalkDir(stage, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			t.Errorf("left behind: %s", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
