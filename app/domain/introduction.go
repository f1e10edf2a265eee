package domain

import "time"

// IntroductionState is how far two people are on the way to being friends.
type IntroductionState string

// The states of an introduction.
const (
	// IntroductionAsked: the other side is being reached; there is no code yet.
	IntroductionAsked IntroductionState = "asked"
	// IntroductionComparing: both sides show the same words, and this side has
	// not confirmed them yet.
	IntroductionComparing IntroductionState = "comparing"
	// IntroductionInvited: they brought an invitation that was made here, so
	// that there is nothing to compare; this side has not confirmed yet.
	IntroductionInvited IntroductionState = "invited"
	// IntroductionWaiting: this side has confirmed, the other has not yet.
	IntroductionWaiting IntroductionState = "waiting"
	// IntroductionDone: both have confirmed, they are friends.
	IntroductionDone IntroductionState = "done"
	// IntroductionEnded: one side declined, or it came to nothing; Reason says
	// why.
	IntroductionEnded IntroductionState = "ended"
)

// Introduction is how this side sees the way of two people to being friends.
type Introduction struct {
	Peer PeerID
	Name string // what the peer calls itself, cleaned for display
	// Theirs is true if the other side began it.
	Theirs bool
	// Words is the word code that both sides show, if nobody is in between;
	// empty where an invitation stands for it, or as long as it is not known.
	Words []string
	State IntroductionState
	// Reason says why it ended, or what it waits for.
	Reason Saying
	Begun  time.Time
}

// Invitation lets one person ask to be a friend without comparing words, once.
type Invitation struct {
	Link    string // a potluck: link, a secret until it is used
	Expires time.Time
}

// FriendAsk is what a peer sends on the way to being friends, see net/friend.
type FriendAsk string

// The things that peers tell each other on that way.
const (
	// FriendConfirm: the sender's user has confirmed the receiver.
	FriendConfirm FriendAsk = "confirm"
	// FriendDecline: the sender's user does not want to, or the words differ.
	FriendDecline FriendAsk = "decline"
)
