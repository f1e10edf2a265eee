package desktop

import "context"

// Choice is what the user is to choose.
type Choice struct {
	Title  string
	Accept string // names the button that takes the choice
	// Folders has folders chosen instead of files.
	Folders  bool
	Multiple bool
	// From is the folder to begin in; "" leaves that to the desktop.
	From string
}

// Choose lets the user choose with the desktop's own chooser, above the X11
// window of that number, 0 for none. It returns the absolute paths, none if
// the user thought better of it, when the chooser is closed or ctx ends; ok is
// false where the desktop has no chooser to ask.
func Choose(ctx context.Context, window uintptr, c Choice) (paths []string, ok bool) {
	return choose(ctx, window, c)
}
