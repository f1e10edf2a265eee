package talk_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/host/talk"
)

func TestLengthsAreChecked(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		raw  []byte
		want error
	}{
		"as long as it may be":        {append([]byte{4}, "abcd"...), nil},
		"one byte too long":           {append([]byte{5}, "abcde"...), domain.ErrTooLarge},
		"2^63 - 1":                    {[]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}, domain.ErrTooLarge},
		"2^63":                        {[]byte{0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1}, domain.ErrMalformed},
		"-1":                          {[]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1}, domain.ErrMalformed},
		"in more bytes than it takes": {[]byte{0x84, 0, 'a', 'b', 'c', 'd'}, domain.ErrMalformed},
		"nothing":                     {nil, domain.ErrOffline},
		"half of it":                  {[]byte{4, 'a', 'b'}, domain.ErrOffline},
	} {
		if raw, err := talk.ReadRaw(bytes.NewReader(tt.raw), 4); !errors.Is(err, tt.want) || tt.want == nil && string(raw) != "abcd" {
			t.Errorf("%s: %q, %v, want %v", name, raw, err, tt.want)
		}
	}
}

func TestNamesAreCutBetweenCharacters(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"Ana": "Ana", "aßßß": "aß", "": "", "ßßßß": "ßß", "\x80\x80\x80\x80\x80": ""} {
		if got := talk.Cut(text, 4); got != want {
			t.Errorf("%q is cut to %q, want %q", text, got, want)
		}
	}
}
