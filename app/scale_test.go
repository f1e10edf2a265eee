package app_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/control"
	"github.com/potluck-share/potluck/app/desktop"
	"github.com/potluck-share/potluck/app/lab"
	"github.com/potluck-share/potluck/app/programs"
)

// scale skips a measurement that takes minutes unless `make bench-scale` runs it.
func scale(t *testing.T) {
	t.Helper()
	if os.Getenv("POTLUCK_SCALE") != "1" {
		t.Skip("skipped: measures for minutes; run it with: make bench-scale")
	}
}

const (
	scaleFiles  = 100_000
	scaleFolder = 1000 // files of one folder
)

// crowded makes a folder with so many files of 1 to 7 KiB in folders of a
// thousand, and returns how many bytes they hold.
func crowded(t *testing.T, root string, files int) (bytes int64) {
	t.Helper()
	data := random(t, 8<<10)
	for i := range files {
		folder := filepath.Join(root, fmt.Sprintf("album %03d", i/scaleFolder))
		if i%scaleFolder == 0 {
			if err := os.MkdirAll(folder, 0o700); err != nil {
				t.Fatal(err)
			}
		}
		size := 1<<10 + i%7<<10
		one := append([]byte(strconv.Itoa(i)), data[:size]...)
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("IMG_%06d picture.jpg", i)), one, 0o600); err != nil {
			t.Fatal(err)
		}
		bytes += int64(len(one))
	}
	return bytes
}

// entries returns how many files are shared, as far as they are read.
func (m *mortal) entries(ctx context.Context, t *testing.T) (n int) {
	t.Helper()
	for _, s := range ask[[]struct {
		Entries int `json:"entries"`
	}](ctx, t, m.copyOfPotluck, "shares") {
		n += s.Entries
	}
	return n
}

// rows returns how long it takes until a folder of somebody has so many rows, as
// the command lists them: it waits for the whole list.
func (m *mortal) rows(ctx context.Context, t *testing.T, peer, folder string, least int) time.Duration {
	t.Helper()
	begun := time.Now()
	for ctx.Err() == nil {
		client, err := control.Dial(ctx, m.data)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		err = client.Call(ctx, "browse", map[string]string{"peer": peer, "folder": folder}, func(json.RawMessage) error {
			n++
			return nil
		})
		if err == nil && n >= least {
			return time.Since(begun)
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("%s never lists %d rows of %s:%s", m.name, least, peer, folder)
	return 0
}

// TestScaleOfAShare measures a share of 100,000 files: reading it, being killed in
// the midst of that, its list for somebody else, and what one changed file costs.
func TestScaleOfAShare(t *testing.T) {
	scale(t)
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
	defer cancel()
	all := unborn(t, "ana", "ben")
	ana, ben := all[0], all[1]
	folder := filepath.Join(t.TempDir(), "Big")
	bytes := crowded(t, folder, scaleFiles)
	start(ctx, t, ana)

	hash := time.Now()
	if out, err := exec.CommandContext(ctx, "sh", "-c", `find "$1" -type f -print0 | xargs -0 -P 2 -n 2000 b3sum --num-threads 1 >/dev/null`, "sh", folder).CombinedOutput(); err != nil {
		t.Fatalf("b3sum: %v %s", err, out)
	}
	plain := time.Since(hash)
	share := ana.command(ctx, "--data", ana.data, "share", folder)
	if err := share.Start(); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	eventually(ctx, t, "half of it is read", func() bool { return ana.entries(ctx, t) > scaleFiles/2 })
	half := time.Since(begun)
	before := ana.entries(ctx, t)
	ana.kill(t)
	_ = share.Wait() // its Potluck was killed
	start(ctx, t, ana)
	after := ana.entries(ctx, t)
	begun = time.Now()
	eventually(ctx, t, "the rest is read", func() bool { return ana.entries(ctx, t) == scaleFiles })
	rest := time.Since(begun)
	t.Logf("%d files, %d MB: read in %.1f s + %.1f s, %.0f files/s; b3sum in two processes %.1f s; ratio %.2f",
		scaleFiles, bytes/1e6, half.Seconds(), rest.Seconds(), scaleFiles/(half+rest).Seconds(), plain.Seconds(), (half+rest).Seconds()/plain.Seconds())
	t.Logf("killed at %d files, it goes on from %d", before, after)
	if after < before*9/10 {
		t.Errorf("killed at %d files, it goes on from %d", before, after)
	}

	// Somebody who comes now.
	sent := ana.host.Sent()
	start(ctx, t, ben)
	ben.meets(ctx, t, "ana")
	whole := ben.rows(ctx, t, "ana", "Big/album 099", scaleFolder)
	listed := ana.host.Sent() - sent
	t.Logf("all of it is listed %.1f s after they have met; %d KB over the cable, %.1f bytes a file", whole.Seconds(), listed>>10, float64(listed)/scaleFiles)

	// One changed file, against what passes in the same time without one, which
	// differs by some pings.
	var costs []int64
	for n := range 5 {
		time.Sleep(5 * time.Second)
		quiet := ana.host.Sent()
		time.Sleep(5 * time.Second)
		idle := ana.host.Sent() - quiet
		changed := filepath.Join(folder, "album 050", fmt.Sprintf("one more %d.txt", n))
		sent = ana.host.Sent()
		begun = time.Now()
		if err := os.WriteFile(changed, []byte("new"), 0o600); err != nil {
			t.Fatal(err)
		}
		ben.rows(ctx, t, "ana", "Big/album 050", scaleFolder+1+n)
		took := time.Since(begun)
		time.Sleep(time.Until(begun.Add(5 * time.Second)))
		costs = append(costs, ana.host.Sent()-sent-idle)
		t.Logf("one file more: seen after %.1f s, for %d bytes", took.Seconds(), costs[n])
		if took > 5*time.Second {
			t.Errorf("one file more takes %v", took)
		}
	}
	slices.Sort(costs)
	if median := costs[len(costs)/2]; median > 2000 {
		t.Errorf("one file more costs %d bytes", median)
	} else {
		t.Logf("the median is %d bytes", median)
	}
}

// TestScaleOfACatalogue measures what the list of 10,000 files costs.
func TestScaleOfACatalogue(t *testing.T) {
	scale(t)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	all := unborn(t, "ana", "ben")
	ana, ben := all[0], all[1]
	folder := filepath.Join(t.TempDir(), "Some")
	crowded(t, folder, 10_000)
	start(ctx, t, ana)
	ana.run(ctx, t, "share", folder)
	sent := ana.host.Sent()
	start(ctx, t, ben)
	ben.meets(ctx, t, "ana")
	ben.rows(ctx, t, "ana", "Some/album 009", scaleFolder)
	got := ana.host.Sent() - sent
	t.Logf("10,000 files are listed for %d KB over the cable, meeting included", got>>10)
	if got > 550<<10 {
		t.Errorf("the list of 10,000 files costs %d bytes", got)
	}
}

// TestScaleOfRest measures ten computers on one network of which nobody does
// anything: what passes over a cable, processor time and memory, of one that runs
// without a window, and of one whose window was open and is closed to the tray.
func TestScaleOfRest(t *testing.T) {
	scale(t)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	const many = 10
	var names []string
	for i := range many {
		names = append(names, fmt.Sprintf("host%d", i))
	}
	network := lab.New(t, names...)
	all := on(t, network, names[1:]...)
	start(ctx, t, all...)
	mira := inTray(ctx, t, network.Host(names[0]))
	mira.name = names[0]
	all = append(all, mira)
	for _, m := range all {
		folder := filepath.Join(t.TempDir(), "Share")
		crowded(t, folder, 100)
		m.run(ctx, t, "share", folder)
	}
	for _, m := range all {
		for _, other := range all {
			if m != other {
				m.meets(ctx, t, other.name)
			}
		}
	}
	time.Sleep(30 * time.Second) // until all has settled
	const span = 120 * time.Second
	watched := []*mortal{all[many/2], mira}
	var sent, received [2]int64
	var spent [2]time.Duration
	for i, one := range watched {
		sent[i], received[i], spent[i] = one.host.Sent(), one.host.Received(), processor(t, one.cmd.Process.Pid)
	}
	time.Sleep(span)
	hours := span.Hours()
	for i, one := range watched {
		resident, private := memory(t, one.cmd.Process.Pid)
		t.Logf("at rest, one of %d, %s: %.2f MB/h sent, %.2f MB/h received, %.0f s/h of processor time, %.0f MB resident, of which %.0f MB its own",
			many, []string{"without a window", "its window closed to the tray"}[i],
			float64(one.host.Sent()-sent[i])/hours/1e6, float64(one.host.Received()-received[i])/hours/1e6,
			(processor(t, one.cmd.Process.Pid)-spent[i]).Seconds()/hours, resident/1e6, private/1e6)
	}
}

// inTray starts the program with the window on a computer, opens the window by
// its icon in the tray, and closes it.
func inTray(ctx context.Context, t *testing.T, host *lab.Host) *mortal {
	t.Helper()
	bin := programs.Window(t)
	screen := desktop.Start(t, 1120, 780) //nolint:contextcheck // it ends with the test
	tray := screen.OpenTray(t)
	m := &mortal{t: t, host: host, bin: bin}
	m.copyOfPotluck = newCopy(t, "mira", func(ctx context.Context, args ...string) *exec.Cmd {
		cmd := host.Command(ctx, bin, args...)
		cmd.Env = screen.Command(ctx, bin).Env
		return cmd
	})
	if err := os.MkdirAll(m.data, 0o700); err != nil {
		t.Fatal(err)
	}
	settings := "introduced = true\nkeep_running = true\nname = \"" + host.Name() + "\"\n"
	if err := os.WriteFile(filepath.Join(m.data, "settings.toml"), []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	m.cmd = m.command(ctx, "--data", m.data, "--downloads", m.downloads, "--background")
	said := stderr(t)
	m.cmd.Stderr = said
	if err := m.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	end(t, m.name, m.cmd, said)
	icon, err := tray.Icon(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := icon.Click(ctx); err != nil {
		t.Fatal(err)
	}
	window, err := screen.FindWindow(ctx, desktop.Match{PID: m.cmd.Process.Pid})
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(3 * time.Second) // it is drawn
	if err := screen.Close(window); err != nil {
		t.Fatal(err)
	}
	eventually(ctx, t, "the window is hidden", func() bool {
		titles, err := screen.Windows()
		return err == nil && len(titles) == 0
	})
	return m
}

// processor returns the processor time that a process has used.
func processor(t *testing.T, pid int) (spent time.Duration) {
	t.Helper()
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range tasks {
		raw, err := os.ReadFile(task)
		if err != nil {
			continue // it has just ended
		}
		ns, err := strconv.ParseInt(strings.Fields(string(raw))[0], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		spent += time.Duration(ns)
	}
	return spent
}

// memory returns how many bytes of a process are in memory, and how many of them
// are its own: written by it, and shared with no other.
func memory(t *testing.T, pid int) (resident, private float64) {
	t.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(raw)) {
		var kB float64
		if _, err := fmt.Sscanf(line, "Rss: %f kB", &kB); err == nil {
			resident = kB * 1024
		}
		if _, err := fmt.Sscanf(line, "Private_Dirty: %f kB", &kB); err == nil {
			private = kB * 1024
		}
	}
	return resident, private
}
