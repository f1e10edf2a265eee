package domain

// Ear is how calling and listening goes on one network interface.
type Ear struct {
	Interface string
	Network   Network
	// Sends is whether the last call was taken by the system, Echoes whether it
	// was heard here, as by everybody else on the link.
	Sends  bool
	Echoes bool
	// Unaddressed is whether there is no address there at which others could
	// connect to this machine.
	Unaddressed bool
	// Heard is how many peers were heard there lately, Multicast whether one of
	// them was by multicast, from another machine.
	Heard     int
	Multicast bool
}

// Reach is what somebody says who has tried to connect to this machine.
type Reach string

// The outcomes of such a try.
const (
	ReachOK      Reach = "ok"
	ReachRefused Reach = "refused" // the connection was refused at once
	ReachTimeout Reach = "timeout" // nothing came back
)

// Finding is something that the check-up looked at.
type Finding struct {
	// Kind is stable, for programs: "network", "multicast", "heard", "port",
	// "reach", "hidden", "friends_only", "person", …
	Kind string
	OK   bool
	// What says what was found, Do what helps; Do is empty if nothing has to be
	// done.
	What Saying
	Do   Saying
}
