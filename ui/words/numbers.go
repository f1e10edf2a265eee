package words

import (
	"strconv"
	"strings"
	"time"

	"github.com/potluck-share/potluck/app/domain"
)

// Count writes a number in groups of three digits: "2,140".
func Count(n int) string {
	text := strconv.Itoa(n)
	start := 0
	if n < 0 {
		start = 1
	}
	group := ","
	if Language() == German {
		group = "."
	}
	for i := len(text) - 3; i > start; i -= 3 {
		text = text[:i] + group + text[i:]
	}
	return text
}

// Size writes a number of bytes in decimal units: "0 B", "512 B", "4.2 MB".
func Size(bytes int64) string {
	text := domain.SizeText(bytes)
	if Language() == German {
		text = strings.Replace(text, ".", ",", 1)
	}
	return text
}

// Time writes when something was or will be, as near as a list needs: "14:02"
// for today, "yesterday", "12 Nov", "12 Nov 2024". The zero time is nothing.
func Time(t, now time.Time) string {
	if t.IsZero() {
		return ""
	}
	t = t.In(now.Location())
	year, month, day := now.Date()
	today := time.Date(year, month, day, 0, 0, 0, 0, now.Location())
	switch {
	case !t.Before(today) && t.Before(today.AddDate(0, 0, 1)):
		return t.Format("15:04")
	case !t.Before(today.AddDate(0, 0, -1)) && t.Before(today):
		return T("yesterday")
	case t.Year() == year:
		return T("%s %s", strconv.Itoa(t.Day()), monthName(t.Month()))
	default:
		return T("%s %s %s", strconv.Itoa(t.Day()), monthName(t.Month()), strconv.Itoa(t.Year()))
	}
}

// monthName returns a month's short name.
func monthName(m time.Month) string {
	return [...]string{
		T("Jan"), T("Feb"), T("Mar"), T("Apr"), T("May"), T("Jun"),
		T("Jul"), T("Aug"), T("Sep"), T("Oct"), T("Nov"), T("Dec"),
	}[m-1]
}
