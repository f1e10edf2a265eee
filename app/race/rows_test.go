package race

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/potluck-share/potluck/app/lab"
)

var (
	rows   = flag.String("rows", "", "the rows to run, such as 1,3 or all; none if not given")
	rounds = flag.Int("rounds", 5, "how often each takes part")
	strict = flag.Bool("strict", false, "fail where a bar is missed")
	alone  = flag.Bool("alone", false, "run Potluck only")
)

// A row is a piece of work and those who are measured at it.
type row struct {
	numbers []string
	limit   time.Duration // for all rounds
	// rates are those of the links of the hosts that it needs, in bits per
	// second; without any it runs on this machine.
	rates []int64
	run   func(ctx context.Context, t *testing.T, hosts []place)
}

// linkRate is that of the links of rows 5 to 7, both ways, in bits per second.
const linkRate = 200_000_000

var table = []row{
	{[]string{"1", "2"}, 5 * time.Minute, nil, oneFile},
	{[]string{"3"}, 5 * time.Minute, nil, smallFiles},
	{[]string{"4"}, 8 * time.Minute, []int64{1_000_000_000, 1_000_000_000}, wire},
	{[]string{"5"}, 15 * time.Minute, []int64{linkRate, linkRate, linkRate, linkRate, linkRate}, fromOne},
	{[]string{"6"}, 12 * time.Minute, []int64{linkRate, linkRate, linkRate, linkRate, linkRate}, providerLeaves},
	{[]string{"7"}, 8 * time.Minute, []int64{4 * linkRate, linkRate, linkRate, linkRate, linkRate}, fromMany},
	{[]string{"8"}, 3 * time.Minute, nil, hashing},
}

// TestRows runs the rows that are asked for, one after the other.
func TestRows(t *testing.T) {
	if *rows == "" {
		t.Skip("skipped: it takes minutes; make bench-peers runs it")
	}
	wanted := strings.Split(*rows, ",")
	for _, r := range table {
		if *rows != "all" && !slices.ContainsFunc(wanted, func(w string) bool { return slices.Contains(r.numbers, w) }) {
			continue
		}
		t.Run(strings.Join(r.numbers, " and "), func(t *testing.T) {
			hosts := network(t, r.rates)
			ctx, cancel := context.WithTimeout(t.Context(), r.limit)
			defer cancel()
			r.run(ctx, t, hosts)
		})
	}
}

// network makes a lab with a host for each rate of a link.
func network(t *testing.T, rates []int64) (hosts []place) {
	t.Helper()
	var names []string
	for i := range rates {
		names = append(names, fmt.Sprintf("host%d", i))
	}
	if len(names) == 0 {
		return nil
	}
	l := lab.New(t, names...)
	for i, rate := range rates {
		l.Host(names[i]).SetRate(rate)
		hosts = append(hosts, place{host: l.Host(names[i]), ip: fmt.Sprintf("10.77.0.%d", i+1)})
	}
	return hosts
}

// Sizes in bytes.
const (
	mib = 1 << 20
	gib = 1 << 30
)

// noise makes a file of bytes that nobody can compress.
func noise(t *testing.T, name string, size int64) string {
	t.Helper()
	path := filepath.Join(memoryFolder(t), name)
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.CopyN(f, rand.NewChaCha8([32]byte{1}), size)
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// arrived checks that a copy of source has come into a folder.
func arrived(source string) func(to string) error {
	return func(to string) error { return same(source, filepath.Join(to, filepath.Base(source))) }
}

// oneFile is the copy of one large file between two programs on this machine.
func oneFile(ctx context.Context, t *testing.T, _ []place) {
	source := noise(t, "big.bin", gib)
	entrants := []entrant{potluckGet(ctx, t, source, 1, here, here)}
	if !*alone {
		entrants = append(entrants,
			rsyncCopy(ctx, t, source),
			torrentCopy(ctx, t, source, here, here),
			httpCopy(ctx, t, source, here, here),
			plainCopy(overTLS, source, here, here))
	}
	results := alternate(ctx, t, *rounds, entrants, arrived(source))
	potluck := results[0]
	report(t, "Row 1: 1 GiB between two programs on loopback, in memory, until it is verified, in place and flushed", gib, results)
	if !*alone {
		judge(t,
			bar{what: "time over that of the rsync daemon", got: times(potluck, results[1]), want: 1.2, stretch: 1, unit: " ×"},
			bar{what: "time over that of libtorrent", got: times(potluck, results[2]), want: 0.5, unit: " ×"})
	}
	fmt.Printf("  before the first bytes %s s, after the last %s s\n",
		number(of(potluck, func(s sample) time.Duration { return s.before }).Seconds()),
		number(of(potluck, func(s sample) time.Duration { return s.after }).Seconds()))
	memory := func(end int) float64 {
		return float64(of(potluck, func(s sample) int64 { return s.memory[end] })) / 1e6
	}
	fmt.Println("Row 2: what that uses")
	judge(t,
		bar{what: "processor time of both ends and the command", got: of(potluck, cpu).Seconds(), want: 3.4, stretch: 2.8, unit: " s"},
		bar{what: "memory of the provider over idle", got: memory(provider), want: 120, stretch: 64, unit: " MB"},
		bar{what: "memory of the receiver over idle", got: memory(receiver), want: 120, stretch: 64, unit: " MB"})
	fmt.Printf("  %s MB of the receiver's memory are the command's\n",
		number(float64(of(potluck, func(s sample) int64 { return s.command }))/1e6))
}
