package domain

import "errors"

// The kinds of error that a person may meet. They are wrapped with what
// happened and to what; errors.Is finds the kind again.
var (
	// ErrUsage is a request that cannot be meant: a malformed ID, an unknown
	// audience.
	ErrUsage = errors.New("not understood")
	// ErrNotRunning means that no Potluck runs on the data folder.
	ErrNotRunning = errors.New("Potluck is not running")
	// ErrNotFound is a peer, path or content that nobody around knows, or that
	// the asker may not know of.
	ErrNotFound = errors.New("not found")
	// ErrRefused means that the other side said no.
	ErrRefused = errors.New("refused")
	// ErrWaiting means that the time given ran out before it was done.
	ErrWaiting = errors.New("still waiting")
	// ErrChanged means that a file is not what its entry says any more.
	ErrChanged = errors.New("changed at the source")
	// ErrDamaged is data that does not fit its content ID.
	ErrDamaged = errors.New("damaged data")
	// ErrBusy means that the other side has no room at the moment; try later.
	ErrBusy = errors.New("busy")
	// ErrNoSpace means that the disk is full.
	ErrNoSpace = errors.New("disk full")
	// ErrUnwritable means that the destination cannot be written.
	ErrUnwritable = errors.New("cannot write")
	// ErrUnreadable is a path that cannot be read.
	ErrUnreadable = errors.New("cannot read")
	// ErrNotShareable is a path that is there but is never shared: a device, a
	// socket, Potluck's own data.
	ErrNotShareable = errors.New("cannot be shared")
	// ErrTooLarge is something over a limit.
	ErrTooLarge = errors.New("too large")
	// ErrMalformed is a message that breaks its protocol.
	ErrMalformed = errors.New("malformed")
	// ErrVersion means that the other side, or a file, speaks a newer version.
	ErrVersion = errors.New("made by another version of Potluck")
	// ErrOffline means that the peer is known and away.
	ErrOffline = errors.New("away")
)

// kinds is ordered: of several errors joined, the first one here gives the
// kind. Those with the higher exit code come first.
var kinds = []struct {
	err  error
	name string
}{
	{ErrWaiting, "waiting"},
	{ErrRefused, "refused"},
	{ErrNotFound, "not_found"},
	{ErrNotRunning, "not_running"},
	{ErrUsage, "usage"},
	{ErrChanged, "changed"},
	{ErrDamaged, "damaged"},
	{ErrBusy, "busy"},
	{ErrNoSpace, "no_space"},
	{ErrUnwritable, "unwritable"},
	{ErrUnreadable, "unreadable"},
	{ErrNotShareable, "not_shareable"},
	{ErrTooLarge, "too_large"},
	{ErrMalformed, "malformed"},
	{ErrVersion, "version"},
	{ErrOffline, "offline"},
}

// ErrorKind returns the stable name of err's kind, "failed" if it has none,
// and "" for nil. The names are part of the commands' JSON.
func ErrorKind(err error) string {
	if err == nil {
		return ""
	}
	for _, k := range kinds {
		if errors.Is(err, k.err) {
			return k.name
		}
	}
	return "failed"
}

// ErrorOfKind is the reverse of ErrorKind: the sentinel of that name, or nil.
func ErrorOfKind(name string) error {
	for _, k := range kinds {
		if k.name == name {
			return k.err
		}
	}
	return nil
}
