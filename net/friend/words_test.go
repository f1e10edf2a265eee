package friend

import (
	"slices"
	"testing"
)

func nonceOf(b byte) (n nonce) {
	for i := range n {
		n[i] = b
	}
	return n
}

// The words must be the same in every Potluck there will be.
func TestWordsStayTheSame(t *testing.T) {
	t.Parallel()
	s := sides{"12D3KooWAna", "12D3KooWBen"}
	if got, want := s.words(nonceOf(1), nonceOf(2)), []string{"fun", "series", "tribe", "require"}; !slices.Equal(got, want) {
		t.Errorf("words %q, want %q", got, want)
	}
}

func TestWordsDependOnEverything(t *testing.T) {
	t.Parallel()
	seen := make(map[string]int)
	for i, words := range [][]string{
		sides{"a", "b"}.words(nonceOf(1), nonceOf(2)),
		sides{"b", "a"}.words(nonceOf(1), nonceOf(2)),
		sides{"a", "c"}.words(nonceOf(1), nonceOf(2)),
		sides{"ab", ""}.words(nonceOf(1), nonceOf(2)),
		sides{"a", "b"}.words(nonceOf(2), nonceOf(1)),
		sides{"a", "b"}.words(nonceOf(1), nonceOf(3)),
		sides{"a", "b"}.words(nonceOf(3), nonceOf(2)),
	} {
		text := ""
		for _, w := range words {
			text += w + " "
		}
		if other, twice := seen[text]; twice {
			t.Errorf("number %d and %d have the words %s", i, other, text)
		}
		seen[text] = i
		if len(words) != wordCount {
			t.Errorf("%d words", len(words))
		}
	}
}

func TestACommitmentBindsToTheNonce(t *testing.T) {
	t.Parallel()
	s := sides{"a", "b"}
	c := s.commitment(nonceOf(1))
	if !s.keeps(c[:], nonceOf(1)) {
		t.Error("the nonce itself does not fit")
	}
	if s.keeps(c[:], nonceOf(2)) || s.keeps(c[:16], nonceOf(1)) || s.keeps(nil, nonceOf(1)) || (sides{"b", "a"}).keeps(c[:], nonceOf(1)) {
		t.Error("another one fits as well")
	}
}
