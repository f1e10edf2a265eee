package desktop

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestIsProgram(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, c := range []struct {
		path string
		want bool
	}{
		{write("notes.txt", "hello", 0o600), false},
		{write("empty", "", 0o600), false},
		{write("img.jpg", "\xff\xd8\xff", 0o600), false},
		{write("setup.exe", "x", 0o600), true},
		{write("Setup.EXE", "x", 0o600), true},
		{write("setup.exe.", "x", 0o600), true},
		{write("invoice.pdf.lnk", "x", 0o600), true},
		{write("link.desktop", "x", 0o600), true},
		{write("script", "#!/bin/sh\n", 0o600), true},
		{write("photo.png", "\x7fELFxxxx", 0o600), true},
		{write("tool", "x", 0o700), true},
		{dir, false},
	} {
		if got := IsProgram(c.path); got != c.want {
			t.Errorf("IsProgram(%s) = %v", filepath.Base(c.path), got)
		}
	}
}

func TestOpenSaysWhatIsGone(t *testing.T) {
	for _, do := range []func(context.Context, string) error{Open, Reveal} {
		err := do(context.Background(), filepath.Join(t.TempDir(), "gone.txt"))
		if err == nil || !strings.Contains(err.Error(), "gone.txt is not there any more") {
			t.Errorf("got %v", err)
		}
		if err := do(context.Background(), "-rf"); err == nil {
			t.Error("a relative path was taken")
		}
	}
}
