package domain

import (
	"math"
	"strconv"
	"strings"
)

// units are the decimal units of sizes, each a thousand times the last.
var units = []string{"B", "kB", "MB", "GB", "TB", "PB", "EB"}

// SizeText tells a size in decimal units, in the window as in the commands:
// "0 B", "999 B", "1.0 kB", "4.2 MB", "122 MB".
func SizeText(n int64) string {
	if n < 1000 {
		return strconv.FormatInt(max(0, n), 10) + " B"
	}
	value, at := float64(n), 0
	for value >= 999.5 && at < len(units)-1 { // 999.5 would be written as 1000
		value /= 1000
		at++
	}
	if value < 9.95 {
		return strconv.FormatFloat(value, 'f', 1, 64) + " " + units[at]
	}
	return strconv.FormatFloat(math.Round(value), 'f', 0, 64) + " " + units[at]
}

// LeastRate and MostRate are what a limit of speed may be, in bytes per second.
// Below the least, others would take this computer for one that has stopped.
const (
	LeastRate int64 = 10_000
	MostRate  int64 = 1_000_000_000_000
)

// RateText writes a limit of speed, in bytes per second, so that ParseRate
// reads the same again: "5 MB/s", "1.5 MB/s", and "none" for 0.
func RateText(n int64) string {
	if n <= 0 {
		return "none"
	}
	value, at := float64(n), 0
	for value >= 1000 && at < len(units)-1 {
		value /= 1000
		at++
	}
	return strconv.FormatFloat(value, 'f', -1, 64) + " " + units[at] + "/s"
}

// ParseRate reads a limit of speed as people write it, "5 MB/s", "500k",
// "1.5mb", "250000", and returns it in bytes per second; 0 for "none" and for
// nothing. The error is ErrUsage and says what is allowed.
func ParseRate(text string) (int64, error) {
	bad := Fault(ErrUsage, "the speed \"%s\": write it like 5 MB/s or 500 kB/s, from %s to %s, or none",
		text, RateText(LeastRate), RateText(MostRate))
	t := strings.ToLower(strings.TrimSpace(text))
	if t == "" || t == "none" || t == "0" {
		return 0, nil
	}
	n, ok := parseUnits(strings.TrimSuffix(t, "/s"))
	if !ok || !(n >= float64(LeastRate) && n <= float64(MostRate)) {
		return 0, bad
	}
	return int64(math.Round(n)), nil
}

// ParseSize reads a size as people write it, "500 MB", "1.5gb", "250000", and
// returns it in bytes. The error is ErrUsage and says what is allowed.
func ParseSize(text string) (int64, error) {
	n, ok := parseUnits(strings.ToLower(strings.TrimSpace(text)))
	if !ok || !(n >= 1 && n <= float64(MaxFileSize)) {
		return 0, Fault(ErrUsage, "the size \"%s\": write it like 500 MB or 2 GB", text)
	}
	return int64(math.Round(n)), nil
}

// parseUnits reads a number with a decimal unit in lower case, or without.
func parseUnits(t string) (n float64, ok bool) {
	t = strings.TrimSuffix(t, "b")
	factor := 1.0
	for i, unit := range []string{"k", "m", "g", "t"} {
		if rest, ok := strings.CutSuffix(t, unit); ok {
			t, factor = rest, math.Pow10(3*(i+1))
			break
		}
	}
	value, err := strconv.ParseFloat(strings.TrimSpace(t), 64)
	return value * factor, err == nil
}
