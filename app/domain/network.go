package domain

// Network is a network on which this machine is, or was.
type Network struct {
	// ID is as the discovery names it; it means nothing elsewhere.
	ID string
	// Name is what to call it, in the user's sight: its addresses, such as
	// "192.168.3.x".
	Name string
	// Answer is whether everyone on it may see what is shared with everyone
	// nearby.
	Answer NetworkAnswer
	// Present is whether this machine is on it now.
	Present bool
}

// NetworkAnswer is what the user said about a network.
type NetworkAnswer string

// The answers. What is not known means no.
const (
	NetworkUnasked NetworkAnswer = ""        // the user has not said anything yet: friends only
	NetworkShow    NetworkAnswer = "show"    // show shares to everyone on it
	NetworkFriends NetworkAnswer = "friends" // show shares to friends only
)
