package talk

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/potluck-share/potluck/app/domain"
)

// Repeats bounds a repeated field: how often it may stand in a message, and how
// many bytes each time; no bound on those if it is 0.
type Repeats struct{ Most, Bytes int }

// Scan counts and measures what a message repeats, by the fields' numbers, before
// any of it is unmarshalled: an empty item takes two bytes here and a hundred in
// memory. The error wraps domain.ErrMalformed or domain.ErrTooLarge.
func Scan(raw []byte, fields map[protowire.Number]Repeats) error {
	counts := make(map[protowire.Number]int, len(fields))
	for len(raw) > 0 {
		num, typ, n := protowire.ConsumeTag(raw)
		if n < 0 {
			return fmt.Errorf("%w: %w", domain.ErrMalformed, protowire.ParseError(n))
		}
		raw = raw[n:]
		if n = protowire.ConsumeFieldValue(num, typ, raw); n < 0 {
			return fmt.Errorf("%w: %w", domain.ErrMalformed, protowire.ParseError(n))
		}
		raw = raw[n:]
		bound, repeated := fields[num]
		if !repeated {
			continue
		}
		if counts[num]++; counts[num] > bound.Most || bound.Bytes > 0 && n > bound.Bytes {
			return fmt.Errorf("item %d of %d bytes: %w", counts[num], n, domain.ErrTooLarge)
		}
	}
	return nil
}
