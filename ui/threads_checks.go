//go:build !headless && thread_checks

package ui

// migrated is false in the build of make test-threads, whose toolkit looks, and
// complains on standard error of what is called from elsewhere.
const migrated = false
