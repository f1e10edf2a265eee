package desktop

import (
	"strings"
	"testing"
)

func TestRelease(t *testing.T) {
	for text, want := range map[string]string{
		"NAME=\"Debian GNU/Linux\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n": "Debian GNU/Linux 12 (bookworm)",
		"PRETTY_NAME=Solus\n":                   "Solus",
		"PRETTY_NAME='Void Linux'\n":            "Void Linux",
		"PRETTY_NAME=\"a \\\"good\\\" system\"": `a "good" system`,
		"PRETTY_NAME=\"\x1b[31mred\"\n":         "Linux",
		"NAME=Alpine\n":                         "Linux",
		"":                                      "Linux",
	} {
		if got := release(text); got != want {
			t.Errorf("the release of %q is %q, want %q", text, got, want)
		}
	}
}

func TestDescribe(t *testing.T) {
	t.Setenv("XDG_CURRENT_DESKTOP", "ubuntu:GNOME")
	t.Setenv("XDG_SESSION_TYPE", "wayland")
	if got := Describe(); !strings.HasPrefix(got, system()+", ") || !strings.HasSuffix(got, ", ubuntu:GNOME, wayland") {
		t.Errorf("described as %q", got)
	}
	t.Setenv("XDG_CURRENT_DESKTOP", "/home/\nmira"+strings.Repeat("x", 1000))
	t.Setenv("XDG_SESSION_TYPE", "")
	if got := Describe(); strings.ContainsAny(strings.TrimPrefix(got, system()), "/\n") || len(got) > 200 {
		t.Errorf("described as %q", got)
	}
}
