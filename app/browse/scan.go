package browse

import (
	"bytes"
	"slices"
	"strings"

	"github.com/potluck-share/potluck/app/domain"
)

const (
	// samples is at how many places of a blob it is looked how common a word
	// is, and sample how many bytes of each.
	samples = 16
	sample  = 4 << 10
)

// search calls each with the entries whose path holds all words, which are in
// lower case, until each returns false: a folder, which is in no list unless it
// is empty, before what is in it.
func (c *catalogue) search(words []string, each func(*domain.Entry) bool) {
	if len(words) == 0 || len(c.entries) == 0 {
		return
	}
	wanted := make([][]byte, len(words))
	for i, w := range words {
		wanted[i] = []byte(w)
	}
	rarest := c.rarest(wanted)
	others := slices.DeleteFunc(slices.Clone(wanted), func(w []byte) bool { return bytes.Equal(w, rarest) })
	folders := make(map[string]bool)
	for at, i := 0, 0; at < len(c.blob); i++ {
		hit := bytes.Index(c.blob[at:], rarest)
		if hit < 0 {
			return
		}
		at += hit
		// Hits come in order, so the entry is found by going on, not by searching.
		for i+1 < len(c.starts) && int(c.starts[i+1]) <= at {
			i++
		}
		end := c.end(i)
		line := c.blob[c.starts[i]:end]
		if holdsAll(line, others) {
			// The first hit is the earliest: without a slash behind it no folder has it.
			if bytes.IndexByte(c.blob[at:end], '/') >= 0 && holdsAll(line[:bytes.LastIndexByte(line, '/')], wanted) &&
				!c.foldersOf(c.entries[i].Path, words, folders, each) {
				return
			}
			if !each(&c.entries[i]) {
				return
			}
		}
		at = end
	}
}

// end is where the line of entry i ends.
func (c *catalogue) end(i int) int {
	if i+1 < len(c.starts) {
		return int(c.starts[i+1])
	}
	return len(c.blob)
}

func holdsAll(line []byte, words [][]byte) bool {
	for _, w := range words {
		if !bytes.Contains(line, w) {
			return false
		}
	}
	return true
}

// rarest returns the word that is found least often in samples of the names, of
// those alike the longest: the fewer lines hold it, the fewer are looked at.
func (c *catalogue) rarest(words [][]byte) (best []byte) {
	fewest := 0
	step := max(sample, len(c.blob)/samples)
	for _, w := range words {
		n := 0
		for at := 0; len(words) > 1 && at < len(c.blob); at += step {
			n += bytes.Count(c.blob[at:min(at+sample, len(c.blob))], w)
		}
		if best == nil || n < fewest || n == fewest && len(w) > len(best) {
			best, fewest = w, n
		}
	}
	return best
}

// foldersOf calls each with the folders in which path lies that hold all words,
// one of them in their own name, unless they are among those that were told.
func (c *catalogue) foldersOf(path string, words []string, told map[string]bool, each func(*domain.Entry) bool) bool {
	for at := 0; ; {
		slash := strings.IndexByte(path[at:], '/')
		if slash < 0 {
			return true
		}
		folder, name := path[:at+slash], path[at:at+slash]
		at += slash + 1
		if told[folder] {
			continue
		}
		told[folder] = true
		name = strings.ToLower(name)
		own := slices.ContainsFunc(words, func(w string) bool { return strings.Contains(name, w) })
		if own && domain.HoldsWords(folder, words) && !each(&domain.Entry{Path: folder, Folder: true}) {
			return false
		}
	}
}
