package race

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
)

// tarCopy is tar packing and tar unpacking, which checks and flushes nothing.
func tarCopy(source string) entrant {
	return entrant{name: "tar | tar", copy: func(ctx context.Context, t *testing.T, to string) sample {
		w := start(t, nil, nil)
		_, err := w.run(receiver, exec.CommandContext(ctx, "sh", "-c", `tar -C "$1" -c "$2" | tar -C "$3" -x`,
			"sh", filepath.Dir(source), filepath.Base(source), to))
		s := w.stop(t)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}}
}

// Row 3 has so many files of so many bytes.
const (
	manyFiles = 10_000
	manySize  = 10 << 10
)

// manyFolder makes the folder of row 3.
func manyFolder(t *testing.T) string {
	t.Helper()
	folder := filepath.Join(memoryFolder(t), "many")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	all, err := os.ReadFile(noise(t, "all", manyFiles*manySize))
	if err != nil {
		t.Fatal(err)
	}
	for i := range manyFiles {
		write(t, filepath.Join(folder, strconv.Itoa(i)+".dat"), string(all[i*manySize:(i+1)*manySize]))
	}
	return folder
}

// smallFiles is the copy of a folder with many.
func smallFiles(ctx context.Context, t *testing.T, _ []place) {
	source := manyFolder(t)
	entrants := []entrant{potluckGet(ctx, t, source, manyFiles, here, here)}
	if !*alone {
		entrants = append(entrants,
			rsyncCopy(ctx, t, source),
			torrentCopy(ctx, t, source, here, here),
			tarCopy(source))
	}
	results := alternate(ctx, t, *rounds, entrants, arrived(source))
	report(t, "Row 3: a folder with 10,000 files of 10 KiB, on loopback, in memory", manyFiles*manySize, results)
	if !*alone {
		judge(t,
			bar{what: "time over that of libtorrent", got: times(results[0], results[2]), want: 1, unit: " ×"},
			bar{what: "time over that of tar | tar, a stretch", got: times(results[0], results[3]), want: 2.5, unit: " ×"})
	}
}

// hashing is what it takes to share a file whose bytes are in memory.
func hashing(ctx context.Context, t *testing.T, _ []place) {
	const size = 4 * gib
	source := noise(t, "big.bin", size)
	entrants := []entrant{potluckShare(source)}
	threads := runtime.GOMAXPROCS(0) // Potluck's too
	if !*alone {
		entrants = append(entrants, entrant{name: "b3sum", unchecked: true, copy: func(ctx context.Context, t *testing.T, _ string) sample {
			w := start(t, nil, nil)
			_, err := w.run(provider, exec.CommandContext(ctx, tool(t, "b3sum"), "--num-threads", strconv.Itoa(threads), source))
			s := w.stop(t)
			if err != nil {
				t.Fatal(err)
			}
			return s
		}})
	}
	results := alternate(ctx, t, *rounds, entrants, arrived(source))
	report(t, fmt.Sprintf("Row 8: sharing 4 GiB (hash and catalogue), %d threads", threads), size, results)
	if !*alone {
		judge(t, bar{what: "rate over that of b3sum", got: times(results[1], results[0]), want: 0.8, atLeast: true, unit: " ×"})
	}
}

// potluckShare is a Potluck that is told to share what it does not know yet.
func potluckShare(source string) entrant {
	return entrant{name: "potluck", unchecked: true, copy: func(ctx context.Context, t *testing.T, _ string) sample {
		ana := serve(ctx, t, here, filepath.Join(memoryFolder(t), "ana"), "ana")
		w := start(t, []int{ana.Process.Pid}, nil)
		_, err := w.run(provider, ana.ask(ctx, "share", source))
		s := w.stop(t)
		if err != nil {
			t.Fatal(err)
		}
		ana.stop(ctx, t)
		return s
	}}
}
