// Package app is the composition root: it reads the flags, wires the rooms of
// the house together, starts and stops them in order, and answers the commands,
// which app/command sends over the control socket in the forms of app/shape.
//
// A click or a command goes straight from here to a use case and on to net or
// storage; a fact comes back over the event bus. Only this package names every
// concrete type.
package app
