package race

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

// wire is copies of two hosts over a link as fast as that of most homes.
func wire(ctx context.Context, t *testing.T, hosts []place) {
	source := noise(t, "big.bin", gib)
	from, to := hosts[0], hosts[1]
	results := alternate(ctx, t, *rounds, []entrant{
		potluckGet(ctx, t, source, 1, from, to),
		plainCopy(overTCP, source, from, to),
		iperfCopy(t, source, from, to),
		httpCopy(ctx, t, source, from, to),
	}, arrived(source))
	report(t, "Row 4: 1 GiB over a link of 1 Gbit/s", gib, results,
		bar{what: "time over that of bare TCP", got: times(results[0], results[1]), want: 1.03, unit: " ×"})
}

// crowd is how many fetch the same at once.
const crowd = 4

// A swarm is a way for all of a crowd to fetch the same from one provider, each
// into a folder of its own; provider is the one that leaves in row 6.
type swarm struct {
	name string
	// begin makes everything ready.
	begin func(ctx context.Context, t *testing.T, folders []string) (providers, receivers []int, leave func())
	// fetch fetches for one of the crowd.
	fetch func(ctx context.Context, w *watch, i int) error
}

// folders makes one for each of a crowd.
func folders(t *testing.T, below string, n int) (names []string) {
	t.Helper()
	for i := range n {
		name := filepath.Join(below, strconv.Itoa(i))
		if err := os.Mkdir(name, 0o700); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	return names
}

// allArrived checks the copies in all folders of a crowd.
func allArrived(source string) func(string) error {
	return func(below string) error {
		copies, err := os.ReadDir(below)
		if err != nil {
			return err
		}
		for _, c := range copies {
			if err := arrived(source)(filepath.Join(below, c.Name())); err != nil {
				return err
			}
		}
		return nil
	}
}

// swarmEntrant lets a crowd of so many fetch at once; the last one counts.
func swarmEntrant(s swarm, n int) entrant {
	return entrant{name: s.name, copy: func(ctx context.Context, t *testing.T, to string) sample {
		all := folders(t, to, n)
		providers, receivers, leave := s.begin(ctx, t, all)
		w := start(t, providers, receivers)
		var fetching errgroup.Group
		for i := range n {
			fetching.Go(func() error { return s.fetch(ctx, w, i) })
		}
		err := fetching.Wait()
		took := w.stop(t)
		if err != nil {
			t.Fatal(err)
		}
		leave()
		return took
	}}
}

// httpSwarm is a server and its clients.
func httpSwarm(ctx context.Context, t *testing.T, title, source string, from place, to []place) swarm {
	t.Helper()
	server, url := nginx(ctx, t, from, filepath.Dir(source))
	name := filepath.Base(source)
	var into []string
	return swarm{
		name: title,
		begin: func(_ context.Context, _ *testing.T, folders []string) (providers, receivers []int, leave func()) {
			into = folders
			return []int{server.Process.Pid}, nil, func() {}
		},
		fetch: func(ctx context.Context, w *watch, i int) error {
			_, err := w.run(receiver, curl(ctx, t, to[i], url+name, filepath.Join(into[i], name)))
			return err
		},
	}
}

// torrentSwarm is one seed of libtorrent, and peers that know each other.
func torrentSwarm(ctx context.Context, t *testing.T, source string, from place, to []place) swarm {
	t.Helper()
	torrent := makeTorrent(ctx, t, source, forSwarms)
	var peers []*process
	return swarm{
		name: "libtorrent",
		begin: func(ctx context.Context, t *testing.T, folders []string) (providers, receivers []int, leave func()) {
			seed, address := torrentPeer(ctx, t, from, forSwarms, "seed", torrent, filepath.Dir(source))
			peers = nil
			known := []string{address}
			for i, folder := range folders {
				p, address := torrentPeer(ctx, t, to[i], forSwarms, "fetch", torrent, folder, known...)
				peers, receivers, known = append(peers, p), append(receivers, p.Process.Pid), append(known, address)
			}
			return []int{seed.Process.Pid}, receivers, func() { kill(append(peers, seed)...) }
		},
		fetch: func(ctx context.Context, _ *watch, i int) error {
			if _, err := peers[i].in.WriteString("go\n"); err != nil {
				return err
			}
			_, err := peers[i].line(ctx)
			return err
		},
	}
}

// kill ends programs at once.
func kill(all ...*process) {
	for _, p := range all {
		p.kill()
	}
}

// potluckSwarm is one who shares and those who get it.
func potluckSwarm(ctx context.Context, t *testing.T, source string, from place, to []place) swarm {
	t.Helper()
	data := shared(ctx, t, from, "ana", source)
	name := filepath.Base(source)
	var crowd []*potluck
	var into []string
	return swarm{
		name: "potluck",
		begin: func(ctx context.Context, t *testing.T, folders []string) (providers, receivers []int, leave func()) {
			ana := serve(ctx, t, from, data, "ana")
			crowd, into = nil, folders
			for i := range folders {
				who := fmt.Sprintf("ben%d", i)
				p := serve(ctx, t, to[i], filepath.Join(memoryFolder(t), who), who)
				p.meet(ctx, t, name, 1, ana)
				crowd, receivers = append(crowd, p), append(receivers, p.Process.Pid)
			}
			return []int{ana.Process.Pid}, receivers, func() {
				ana.kill()
				for _, p := range crowd {
					p.kill()
				}
			}
		},
		fetch: func(ctx context.Context, w *watch, i int) error {
			_, err := w.run(receiver, crowd[i].ask(ctx, "get", "ana:"+name, "--to", into[i]))
			return err
		},
	}
}

// swarmSize is what a crowd fetches, in bytes.
const swarmSize = 256 * mib

// fromOne is a crowd that fetches the same from one provider.
func fromOne(ctx context.Context, t *testing.T, hosts []place) {
	source := noise(t, "big.bin", swarmSize)
	from, to := hosts[0], hosts[1:]
	results := alternate(ctx, t, *rounds, []entrant{
		swarmEntrant(potluckSwarm(ctx, t, source, from, to), crowd),
		swarmEntrant(torrentSwarm(ctx, t, source, from, to), crowd),
		swarmEntrant(httpSwarm(ctx, t, "client-server", source, from, to), crowd),
		swarmEntrant(httpSwarm(ctx, t, "one copy", source, from, to), 1),
	}, allArrived(source))
	potluck, torrent, server, one := results[0], results[1], results[2], results[3]
	report(t, "Row 5: 256 MiB from one provider to four at once, links of 200 Mbit/s, until the last has it", swarmSize, results,
		bar{what: "time over that of one copy", got: times(potluck, one), want: 1.25, stretch: 1.1, unit: " ×"})
	fmt.Printf("  libtorrent takes %s × one copy, client-server %s ×\n", number(times(torrent, one)), number(times(server, one)))
}

const (
	// copiesSent is how much the provider that leaves has sent.
	copiesSent = 1.1
	// onTheWire is what a byte of a file is on the wire, in full packets.
	onTheWire = 1514.0 / 1448
	// patience is how long the crowd may go on without it.
	patience = 20 * time.Second
)

// providerLeaves is the same with a provider that is killed when it has sent
// little more than what all need.
func providerLeaves(ctx context.Context, t *testing.T, hosts []place) {
	source := noise(t, "big.bin", swarmSize)
	from, to := hosts[0], hosts[1:]
	fmt.Printf("\nRow 6: the same, the provider killed when it has sent %v copies; rounds: %d\n", copiesSent, *rounds)
	for n, s := range []swarm{
		potluckSwarm(ctx, t, source, from, to),
		torrentSwarm(ctx, t, source, from, to),
	} {
		least, took := crowd, []time.Duration{}
		for range *rounds {
			finished, last := withoutProvider(ctx, t, s, source, from)
			least, took = min(least, finished), append(took, last)
		}
		fmt.Printf("  %s: %d of %d finish at the least, the last one after %s s\n", s.name, least, crowd, number(median(took).Seconds()))
		if n == 0 {
			judge(t, bar{what: "who finishes", got: float64(least), want: crowd, atLeast: true})
		}
	}
}

// withoutProvider returns how many of a crowd finish, and when the last one did.
func withoutProvider(ctx context.Context, t *testing.T, s swarm, source string, from place) (finished int, last time.Duration) {
	t.Helper()
	to := memoryFolder(t)
	all := folders(t, to, crowd)
	providers, receivers, leave := s.begin(ctx, t, all)
	defer leave()
	sent := from.host.Sent()
	w := start(t, providers, receivers)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan int, crowd)
	var fetching errgroup.Group
	for i := range crowd {
		fetching.Go(func() error {
			err := s.fetch(ctx, w, i)
			if err == nil {
				done <- i
			}
			return err
		})
	}
	// All may have it before the provider has sent so much.
	for float64(from.host.Sent()-sent) < copiesSent*swarmSize*onTheWire && len(done) < crowd && ctx.Err() == nil {
		time.Sleep(5 * time.Millisecond)
	}
	if len(done) == crowd {
		fmt.Printf("  %s: all have it when the provider has sent %.2f copies\n", s.name, float64(from.host.Sent()-sent)/swarmSize/onTheWire)
	}
	for _, pid := range providers {
		if p, err := os.FindProcess(pid); err != nil || p.Kill() != nil {
			t.Fatalf("the provider is gone already: %v", err)
		}
	}
	late := time.AfterFunc(patience, cancel)
	defer late.Stop()
	err := fetching.Wait()
	last = time.Since(w.begun)
	finished = len(done)
	if err != nil {
		t.Logf("%s: %v", s.name, err)
	}
	for range finished {
		if err := arrived(source)(all[<-done]); err != nil {
			t.Errorf("%s: %v", s.name, err)
		}
	}
	w.stop(t)
	if err := os.RemoveAll(to); err != nil {
		t.Fatal(err)
	}
	return finished, last
}
