package domain

import "strings"

// HoldsWords reports whether a path holds all the words, which are in lower
// case, in any order and either case.
func HoldsWords(path string, words []string) bool {
	path = strings.ToLower(path)
	for _, w := range words {
		if !strings.Contains(path, w) {
			return false
		}
	}
	return true
}
