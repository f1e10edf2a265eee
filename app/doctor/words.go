package doctor

import "strconv"

// number writes a port, which has no marks between its thousands.
func number(n int) string { return strconv.Itoa(n) }
