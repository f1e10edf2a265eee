package command

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/potluck-share/potluck/storage/names"
)

// array prints all as one JSON array, unless err says that there is none.
func (c *Commands) array(all any, err error) error {
	if err != nil {
		return err
	}
	enc := json.NewEncoder(c.Out)
	enc.SetIndent("", "  ")
	return enc.Encode(all)
}

// table prints rows under a heading, or a sentence if there are none.
func (c *Commands) table(heading []string, rows [][]string, none string) error {
	if len(rows) == 0 {
		_, err := fmt.Fprintln(c.Out, none)
		return err
	}
	w := tabwriter.NewWriter(c.Out, 0, 4, 2, ' ', 0)
	for _, row := range append([][]string{heading}, rows...) {
		for i, cell := range row {
			row[i] = names.Display(cell) // names come from peers
		}
		if _, err := fmt.Fprintln(w, strings.Join(row, "\t")); err != nil {
			return err
		}
	}
	return w.Flush()
}

// count tells how many there are: "1 file", "2 files".
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
