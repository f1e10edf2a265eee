// Package hostile has tests only: it speaks Potluck's protocols as somebody does
// who wants more than is meant for them, against the program as its users have
// it.
package hostile
