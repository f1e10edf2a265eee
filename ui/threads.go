//go:build !headless && !thread_checks

package ui

// migrated tells the toolkit that all changes to the window are made on its
// own thread, so that it need not look.
const migrated = true
