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
	said Saying
}{
	{ErrWaiting, "waiting", Say("It takes longer than expected. It goes on by itself.")},
	{ErrRefused, "refused", Say("The other side said no. Ask there whether you may have it.")},
	{ErrNotFound, "not_found", Say("It isn't there any more, or isn't shared with you.")},
	{ErrNotRunning, "not_running", Say("Potluck isn't running. Start it and try again.")},
	{ErrUsage, "usage", Say("That can't be understood. Look at what you entered.")},
	{ErrChanged, "changed", Say("The file changed meanwhile. Get the new one.")},
	{ErrDamaged, "damaged", Say("The data is damaged. Try again, or get it from somebody else.")},
	{ErrBusy, "busy", Say("It's busy at the moment. Try again in a while.")},
	{ErrNoSpace, "no_space", Say("The disk is full. Free some space and try again.")},
	{ErrUnwritable, "unwritable", Say("It can't be written there. Choose another folder.")},
	{ErrUnreadable, "unreadable", Say("It can't be read. Look whether you may open it.")},
	{ErrNotShareable, "not_shareable", Say("That can't be shared. Choose a file or a folder.")},
	{ErrTooLarge, "too_large", Say("That is too large for Potluck.")},
	{ErrMalformed, "malformed", Say("The other side sent something that makes no sense. Update Potluck there.")},
	{ErrVersion, "version", Say("It was made by another version of Potluck. Update the older one.")},
	{ErrOffline, "offline", Say("Nobody who has it is here. Try again when they are back.")},
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
