package app_test

import (
	"os"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"

	"github.com/potluck-share/potluck/app"
)

// TestFyneMetadata keeps what the fyne tool packages with in step with what
// the program says of itself.
func TestFyneMetadata(t *testing.T) {
	t.Parallel()
	var metadata struct {
		Details struct {
			Icon, Name, ID, Version string
			Build                   int
		}
		Migrations struct {
			FyneDo bool `toml:"fyneDo"`
		}
	}
	if _, err := toml.DecodeFile("../FyneApp.toml", &metadata); err != nil {
		t.Fatal(err)
	}
	if metadata.Details.Version != app.Version {
		t.Errorf("FyneApp.toml is for version %s, the program is %s", metadata.Details.Version, app.Version)
	}
	if _, err := os.Stat("../" + metadata.Details.Icon); err != nil {
		t.Error(err)
	}
	if !metadata.Migrations.FyneDo {
		t.Error("FyneApp.toml does not say that the window is changed on its own thread only")
	}
	// The window names itself to the desktop with the same ID.
	window, err := os.ReadFile("../ui/run.go")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(window), `"`+metadata.Details.ID+`"`) {
		t.Errorf("ui/run.go does not name the program %s as FyneApp.toml does", metadata.Details.ID)
	}
}
