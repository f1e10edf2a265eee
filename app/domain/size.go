package domain

import "fmt"

// SizeText tells a size in decimal units, as the commands and the reasons of
// transfers do: "0 B", "999 B", "1.0 kB", "3.1 GB".
func SizeText(n int64) string {
	const unit = 1000
	if n < unit {
		return fmt.Sprintf("%d B", n)
	}
	value, at := float64(n)/unit, 0
	// What would round to 1000.0 belongs to the next unit.
	for value >= unit-0.05 && at < 4 {
		value /= unit
		at++
	}
	return fmt.Sprintf("%.1f %cB", value, "kMGTP"[at])
}
