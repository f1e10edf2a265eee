package domain

// CannotShare says that a file or folder, and so many more besides, is never
// shared, and how many others are.
func CannotShare(what string, more, shared int) Saying {
	switch {
	case more == 0 && shared == 0:
		return Say("Can't share %s.", what)
	case more == 0 && shared == 1:
		return Say("Can't share %s; the other one is shared.", what)
	case more == 0:
		return Say("Can't share %s; the other %s are shared.", what, shared)
	case shared == 0:
		return Say("Can't share %s and %s more.", what, more)
	case shared == 1:
		return Say("Can't share %s and %s more; the other one is shared.", what, more)
	default:
		return Say("Can't share %s and %s more; the other %s are shared.", what, more, shared)
	}
}

// CannotRead is CannotShare for what cannot be read.
func CannotRead(what string, more, shared int) Saying {
	switch {
	case more == 0 && shared == 0:
		return Say("Can't read %s.", what)
	case more == 0 && shared == 1:
		return Say("Can't read %s; the other one is shared.", what)
	case more == 0:
		return Say("Can't read %s; the other %s are shared.", what, shared)
	case shared == 0:
		return Say("Can't read %s and %s more.", what, more)
	case shared == 1:
		return Say("Can't read %s and %s more; the other one is shared.", what, more)
	default:
		return Say("Can't read %s and %s more; the other %s are shared.", what, more, shared)
	}
}
