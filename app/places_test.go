package app_test

import (
	"context"
	"encoding/json"
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestNetworksWhereOnlyFriendsSeeSomething says on a running network that only
// friends are to see what is shared: from that moment on the other one sees
// nothing and gets nothing, also what it has listed before, until the user says
// otherwise.
func TestNetworksWhereOnlyFriendsSeeSomething(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	all := mortals(ctx, t, "ana", "ben")
	ana, ben := all[0], all[1]
	source := ana.share(ctx, t, "note.txt", 3000)
	ben.meets(ctx, t, "ana")
	var id string
	eventually(ctx, t, "ben sees it", func() bool {
		out, err := ben.command(ctx, "--data", ben.data, "--json", "browse", "ana").Output()
		var row struct {
			ContentID string `json:"content_id"`
		}
		if err != nil || json.Unmarshal(out, &row) != nil {
			return false
		}
		id = row.ContentID
		return true
	})

	here := ask[[]struct {
		ID, Name, Answer string
		Present          bool
	}](ctx, t, ana.copyOfPotluck, "networks")
	if len(here) != 1 || !here[0].Present || here[0].Answer != "show" || !strings.HasSuffix(here[0].Name, ".x") && here[0].Name == "" {
		t.Fatalf("ana is on %+v", here)
	}
	ana.run(ctx, t, "networks", here[0].Name, "friends")
	eventually(ctx, t, "ben sees nothing", func() bool {
		out, err := ben.command(ctx, "--data", ben.data, "--json", "browse", "ana").Output()
		return err == nil && len(out) == 0
	})
	get := ben.command(ctx, "--data", ben.data, "get", id)
	var exit *exec.ExitError
	if out, err := get.CombinedOutput(); !errors.As(err, &exit) || exit.ExitCode() != 4 {
		t.Errorf("ben asks for what he knows: %v\n%s", err, out)
	}
	ana.share(ctx, t, "secret-number-two.txt", 3000)
	out, err := ben.command(ctx, "--data", ben.data, "--json", "peers").Output()
	if err != nil || strings.Contains(string(out), "secret") || !strings.Contains(string(out), `"entries": 0`) {
		t.Errorf("ben knows %s, %v", out, err)
	}

	ana.run(ctx, t, "networks", here[0].ID, "show")
	eventually(ctx, t, "ben sees everything", func() bool {
		out, err := ben.command(ctx, "--data", ben.data, "--json", "browse", "ana").Output()
		return err == nil && strings.Count(string(out), "\n") == 2
	})
	ben.run(ctx, t, "get", "ana:note.txt")
	sameFile(ctx, t, filepath.Join(ben.downloads, "note.txt"), source)
}
