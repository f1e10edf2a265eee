//go:build preview && !headless

package ui

import (
	"context"
	"fmt"
	"os"
	"runtime/pprof"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/event"
)

// TestMain opens the real window on made-up data, to look at:
//
//	go test -c -tags gles,no_animations,migrated_fynedo,preview -o /tmp/preview ./ui && /tmp/preview
//
// PREVIEW=empty shows it without anything, PREVIEW=broken with a core that does
// not start, PREVIEW=still while nothing happens, PREVIEW=busy with 50 downloads
// that change ten times a second. PREVIEW=measure drives it through lists of
// 100,000 rows, prints how long that takes, and closes it.
// PREVIEW_LANGUAGE=de has it speak German. What PREVIEW_PROFILE names gets a
// profile of what it computed.
func TestMain(*testing.M) {
	if err := preview(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func preview() error {
	if path := os.Getenv("PREVIEW_PROFILE"); path != "" {
		out, err := os.Create(path)
		if err != nil {
			return err
		}
		if err := pprof.StartCPUProfile(out); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	f := newFake()
	f.slow = 500 * time.Millisecond
	f.values.Language = os.Getenv("PREVIEW_LANGUAGE")
	core := f.core()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	switch os.Getenv("PREVIEW") {
	case "empty":
	case "broken":
		core.Start = func(context.Context) error {
			return fmt.Errorf("the data in /home/mira/.local/share/potluck was %w; start that one", domain.ErrVersion)
		}
	case "measure":
		return measure(ctx, f)
	case "still":
		f.memory.Page = pageNames[pageTransfers]
		core.Start = func(context.Context) error {
			f.fill()
			return nil
		}
	case "busy":
		f.memory.Page = pageNames[pageTransfers]
		core.Start = func(ctx context.Context) error {
			f.fill()
			go f.rush(ctx)
			return nil
		}
	default:
		core.Start = func(ctx context.Context) error {
			f.fill()
			go f.play(ctx)
			return nil
		}
	}
	return Run(ctx, core, nil)
}

// fill publishes people, shares and transfers in all their states.
func (f *fake) fill() {
	now := time.Now()
	for i, name := range []string{"Ana", "Ben", "Grandma's laptop with a rather long name that does not fit", "Zoë"} {
		p := domain.Peer{ID: domain.PeerID(fmt.Sprintf("12D3KooWpeer%d", i)), Name: name, Online: true, Near: true, LastSeen: now}
		if name != "Ben" {
			p.Entries, p.Bytes = 214*(i+1), int64(3_100_000_000*(i+1))
		}
		p.FarForThem, p.Friend = name == "Zoë", name == "Ana" || i == 2
		event.Publish(f.bus, event.Peers, string(p.ID), p)
	}
	event.Publish(f.bus, event.Peers, "12D3KooWana2", domain.Peer{ID: "12D3KooWana2", Name: "Ana", Online: true})
	event.Publish(f.bus, event.Peers, "12D3KooWcleo", domain.Peer{ID: "12D3KooWcleo", Name: "Cleo", LastSeen: now.Add(-40 * time.Minute), Entries: 80, Bytes: 1e9})
	event.Publish(f.bus, event.Peers, "12D3KooWdan", domain.Peer{ID: "12D3KooWdan", Name: "Dan", LastSeen: now.Add(-60 * time.Hour)})
	everyone := domain.Audience{Kind: domain.Everyone}
	for _, s := range []domain.Share{
		{Name: "Holiday", Path: "/home/mira/Holiday", Folder: true, Audience: everyone, Entries: 214, Bytes: 3_100_000_000, Fetched: 12, State: domain.ShareReady},
		{Name: "notes.txt", Path: "/home/mira/notes.txt", Audience: everyone, Entries: 1, Bytes: 4200, State: domain.ShareReading, Read: 40, ToRead: 100},
		{Name: "Talk.mp4", Path: "/home/mira/Talk.mp4", Audience: domain.Audience{Kind: domain.Friends}, Entries: 1, Bytes: 812_000_000, State: domain.ShareGone, Problem: domain.Say("Talk.mp4 has moved.")},
		{Name: "A very long name of a folder that somebody shares with all the people in the building.tar.gz", Path: "/home/mira/A", Audience: everyone, Entries: 12_345, Bytes: 99_000_000_000, State: domain.ShareReady, Problem: domain.Say("Can't read diary.doc and 3 more.")},
		{Name: "slides", Path: "/home/mira/slides", Folder: true, Audience: domain.Audience{Kind: domain.Chosen, Peers: []domain.PeerID{"12D3KooWpeer0", "12D3KooWcleo"}}, Entries: 3, Bytes: 7_000_000, State: domain.ShareReady},
		{Name: "Papers", Path: "/home/mira/Papers", Folder: true, Audience: everyone, Entries: 12, Bytes: 7_000_000, State: domain.ShareReady, Problem: domain.Say("Can't read %s; the other %s are shared.", "diary.doc", 12)},
	} {
		f.mu.Lock()
		f.shares[s.Name] = s
		f.mu.Unlock()
		event.Publish(f.bus, event.Shares, s.Name, s)
	}
	for i, t := range []domain.Transfer{
		{Kind: domain.Download, Peer: "12D3KooWpeer0", PeerName: "Ana", Path: "Holiday", Size: 3_100_000_000, Done: 1_900_000_000, Rate: 48e6, State: domain.Running, Count: 214},
		{Kind: domain.Download, Peer: "12D3KooWcleo", PeerName: "Cleo", Path: "Films/Talk.mp4", Size: 812_000_000, Done: 65_000_000, State: domain.Waiting, Reason: domain.Say("%s is away since %s. Continues when %s is back.", "Cleo", now.Add(-40*time.Minute), "Cleo"), Failure: "away"},
		{Kind: domain.Download, Peer: "12D3KooWpeer0", PeerName: "Ana", Path: "Holiday/IMG_0003.jpg", Size: 4_200_000, Done: 1_300_000, Rate: 1e6, State: domain.Running, Count: 1},
		{Kind: domain.Upload, PeerName: "Ben", Path: "notes.txt", Size: 42_000_000, Done: 21_000_000, Rate: 2e6, State: domain.Running, Count: 1},
		{Kind: domain.Download, PeerName: "Ana", Path: "backup/An extraordinarily long file name that goes on and on and does not end soon enough.iso", Size: 9_000_000_000, Done: 8_000_000_000, State: domain.Waiting, Failure: "no_space", Reason: domain.Say("Disk full. Free %s and it continues.", domain.Bytes(2_100_000_000))},
		{Kind: domain.Download, PeerName: "Ana", Path: "book.pdf", Size: 9_000_000, Done: 1_000_000, State: domain.Paused},
		{Kind: domain.Download, PeerName: "Ana", Path: "song.mp3", Size: 9_000_000, Done: 9_000_000, State: domain.Done, Final: "/etc/hosts", Count: 1, Ended: now.Add(-5 * time.Minute)},
		{Kind: domain.Download, PeerName: "Ben", Path: "old.zip", Size: 9_000_000, State: domain.Failed, Failure: "changed", Reason: domain.Say("%s changed this file meanwhile.", "Ben")},
		{Kind: domain.Download, PeerName: "Ben", Path: "never.zip", Size: 9_000_000, State: domain.Cancelled, Ended: now.Add(-time.Hour)},
	} {
		t.ID, t.Folder = fmt.Sprintf("t%d", i), "/home/mira/Downloads/Potluck"
		t.Added = now.Add(time.Duration(i) * time.Second)
		event.Publish(f.bus, event.Transfers, t.ID, t)
	}
	event.Publish(f.bus, event.Catalogues, "12D3KooWpeer0", event.CatalogueState{Peer: "12D3KooWpeer0", Known: 214, Total: 214})
	event.Publish(f.bus, event.Catalogues, "12D3KooWpeer2", event.CatalogueState{Peer: "12D3KooWpeer2", Known: 40, Total: 642, Pulling: true})
	event.Publish(f.bus, event.Statuses, "", domain.Status{PeerID: "12D3KooWme", Name: "Mira", Network: true, Free: 220_000_000_000, Addresses: []string{"/ip4/192.168.1.23/tcp/4711"}})
}

// play moves the first transfer on.
func (f *fake) play(ctx context.Context) {
	t := domain.Transfer{ID: "t0", Kind: domain.Download, Peer: "12D3KooWpeer0", PeerName: "Ana", Path: "Holiday", Size: 3_100_000_000, Done: 1_900_000_000, Rate: 48e6, State: domain.Running, Count: 214, Folder: "/home/mira/Downloads/Potluck", From: []string{"Ana", "Ben"}, Added: time.Now()}
	for t.Done < t.Size {
		select {
		case <-ctx.Done():
			return
		case <-time.After(100 * time.Millisecond):
		}
		t.Done += 4_800_000
		event.Publish(f.bus, event.Transfers, t.ID, t)
	}
}

// rush moves 50 downloads on, all of them ten times a second.
func (f *fake) rush(ctx context.Context) {
	all := make([]domain.Transfer, 50)
	for i := range all {
		all[i] = domain.Transfer{
			ID: fmt.Sprintf("rush%d", i), Kind: domain.Download, PeerName: "Ana", Path: fmt.Sprintf("Films/Film %d.mp4", i),
			Size: 4_000_000_000, Done: int64(i) * 40_000_000, State: domain.Running, Count: 1, Added: time.Now(), Order: int64(i),
		}
	}
	for step := 0; ; step++ {
		for i := range all {
			t := &all[i]
			t.Rate = 1e6 * float64(1+(i+step/10)%9)
			t.Done = (t.Done + int64(t.Rate/10)) % t.Size
			event.Publish(f.bus, event.Transfers, t.ID, *t)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(100 * time.Millisecond):
		}
	}
}
