package race

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"
)

// fromMany is one who fetches what four have, by a link as fast as theirs
// together.
func fromMany(ctx context.Context, t *testing.T, hosts []place) {
	source := noise(t, "big.bin", gib)
	to, from := hosts[0], hosts[1:]
	results := alternate(ctx, t, *rounds, []entrant{
		potluckGather(ctx, t, source, from, to),
		torrentGather(ctx, t, source, from, to),
		httpGather(ctx, t, source, from, to),
	}, arrived(source))
	share := func(r result) float64 {
		return 8 * gib / of(r, wall).Seconds() / float64(int64(len(from))*linkRate)
	}
	report(t, "Row 7: 1 GiB from four providers, links of 200 Mbit/s, to one with 800 Mbit/s", gib, results,
		bar{what: "rate over the sum of their links", got: share(results[0]), want: 0.9, atLeast: true})
	fmt.Printf("  libtorrent reaches %s of it, plain HTTP %s\n", number(share(results[1])), number(share(results[2])))
}

// potluckGather gets a file that several share.
func potluckGather(ctx context.Context, t *testing.T, source string, from []place, to place) entrant {
	t.Helper()
	name := filepath.Base(source)
	var data []string
	for i, at := range from {
		data = append(data, shared(ctx, t, at, fmt.Sprintf("b%d", i), source))
	}
	return entrant{name: "potluck", copy: func(ctx context.Context, t *testing.T, folder string) sample {
		var providers []*potluck
		var pids []int
		for i, at := range from {
			p := serve(ctx, t, at, data[i], fmt.Sprintf("b%d", i))
			providers, pids = append(providers, p), append(pids, p.Process.Pid)
		}
		ana := serve(ctx, t, to, filepath.Join(memoryFolder(t), "ana"), "ana")
		ana.meet(ctx, t, name, 1, providers...)
		w := start(t, pids, []int{ana.Process.Pid})
		_, err := w.run(receiver, ana.ask(ctx, "get", "b0:"+name, "--to", folder))
		s := w.stop(t)
		if err != nil {
			t.Fatal(err)
		}
		ana.kill()
		for _, p := range providers {
			p.kill()
		}
		return s
	}}
}

// torrentGather is four seeds of libtorrent and one peer.
func torrentGather(ctx context.Context, t *testing.T, source string, from []place, to place) entrant {
	t.Helper()
	torrent := makeTorrent(ctx, t, source, forPairs)
	return entrant{name: "libtorrent", copy: func(ctx context.Context, t *testing.T, folder string) sample {
		var seeds []*process
		var pids []int
		var addresses []string
		for _, at := range from {
			p, address := torrentPeer(ctx, t, at, forPairs, "seed", torrent, filepath.Dir(source))
			seeds, pids, addresses = append(seeds, p), append(pids, p.Process.Pid), append(addresses, address)
		}
		peer, _ := torrentPeer(ctx, t, to, forPairs, "fetch", torrent, folder, addresses...)
		w := start(t, pids, []int{peer.Process.Pid})
		peer.tell(t, "go")
		peer.expect(ctx, t, "done")
		s := w.stop(t)
		kill(append(seeds, peer)...)
		return s
	}}
}

// httpGather is four servers, of each of which a client fetches a quarter.
func httpGather(ctx context.Context, t *testing.T, source string, from []place, to place) entrant {
	t.Helper()
	var urls []string
	var pids []int
	for _, at := range from {
		server, url := nginx(ctx, t, at, filepath.Dir(source))
		urls, pids = append(urls, url), append(pids, server.Process.Pid)
	}
	name := filepath.Base(source)
	return entrant{name: "nginx, curl", copy: func(ctx context.Context, t *testing.T, folder string) sample {
		quarter := gib / len(urls)
		parts := make([]string, len(urls))
		w := start(t, pids, nil)
		var fetching errgroup.Group
		for i, url := range urls {
			fetching.Go(func() error {
				parts[i] = filepath.Join(folder, strconv.Itoa(i))
				_, err := w.run(receiver, curl(ctx, t, to, url+name, parts[i],
					"-r", fmt.Sprintf("%d-%d", i*quarter, (i+1)*quarter-1)))
				return err
			})
		}
		err := fetching.Wait()
		s := w.stop(t)
		if err == nil {
			err = join(filepath.Join(folder, name), parts)
		}
		if err != nil {
			t.Fatal(err)
		}
		return s
	}}
}

// join makes one file of its parts.
func join(name string, parts []string) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // a copy that is not whole is noticed
	for _, part := range parts {
		b, err := os.ReadFile(part)
		if err == nil {
			_, err = f.Write(b)
		}
		if err != nil {
			return fmt.Errorf("join %s: %w", strings.Join(parts, ", "), err)
		}
	}
	return nil
}
