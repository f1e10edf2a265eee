package library

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/potluck-share/potluck/app/domain"
)

// cursor is where a pull of the catalogue goes on. It is given away and comes
// back, so that nothing needs to be kept for those who pull. Whoever doctors it
// gets nothing that it may not see.
type cursor struct {
	full    bool
	version domain.Version // at the first page
	after   string         // the last path that was told, in a full pull
	reached uint64         // the last change that was told, otherwise
}

func (c cursor) String() string {
	if c.full {
		return fmt.Sprintf("f.%d.%d.%s", c.version.Epoch, c.version.Sequence, c.after)
	}
	return fmt.Sprintf("d.%d.%d.%d", c.version.Epoch, c.version.Sequence, c.reached)
}

// parseCursor reads what String wrote.
func parseCursor(text string) (cursor, error) {
	malformed := fmt.Errorf("the page asked for: %w", domain.ErrMalformed)
	if len(text) > domain.MaxPath+64 {
		return cursor{}, malformed
	}
	parts := strings.SplitN(text, ".", 4)
	if len(parts) != 4 || parts[3] == "" {
		return cursor{}, malformed
	}
	var c cursor
	var err error
	if c.version.Epoch, err = strconv.ParseUint(parts[1], 10, 64); err != nil {
		return cursor{}, malformed
	}
	if c.version.Sequence, err = strconv.ParseUint(parts[2], 10, 64); err != nil {
		return cursor{}, malformed
	}
	switch parts[0] {
	case "f":
		c.full, c.after = true, parts[3]
	case "d":
		if c.reached, err = strconv.ParseUint(parts[3], 10, 64); err != nil {
			return cursor{}, malformed
		}
	default:
		return cursor{}, malformed
	}
	return c, nil
}
