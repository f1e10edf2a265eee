// Package ui is Potluck's window: the frame around the pages, which share,
// drop, keys and notices go through, and the pump that brings the core's
// events to them.
//
// Run is called once, on the main goroutine. The pages' packages know neither
// each other nor this one: they ask for what they need through functions that
// are set here.
package ui

import (
	"context"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/event"
	"github.com/potluck-share/potluck/ui/browse"
	"github.com/potluck-share/potluck/ui/library"
	"github.com/potluck-share/potluck/ui/people"
	"github.com/potluck-share/potluck/ui/settings"
	"github.com/potluck-share/potluck/ui/transfers"
)

// The use cases that the window drives. All their methods may be called from
// any goroutine and may block; the window calls them off its own thread.
type (
	// People is who is around.
	People = people.People
	// Browse is what others share.
	Browse = browse.Browse
	// Library is what this user shares.
	Library = library.Library
	// Transfers is what moves.
	Transfers = transfers.Transfers
	// Settings is what the user chose.
	Settings = settings.Settings
)

// Program is what concerns all of Potluck. Its methods may be called from any
// goroutine and may block.
type Program interface {
	// Hide makes this computer and what it shares vanish for others, or come
	// back.
	Hide(ctx context.Context, hidden bool) error
	// Link tells what a link names.
	Link(ctx context.Context, text string) (domain.LinkTarget, error)
	// LastCrash returns the report of a run before that ended by a fault of the
	// program; ok is false if it ended well.
	LastCrash() (report string, ok bool)
}

// Memory keeps what the window remembers of itself. Its methods may be called
// from any goroutine and may block.
type Memory interface {
	Window() domain.WindowState
	KeepWindow(ctx context.Context, state domain.WindowState) error
}

// Core is what the window stands on. All fields but Start and Stop must be
// set.
type Core struct {
	Bus       *event.Bus
	People    People
	Browse    Browse
	Library   Library
	Transfers Transfers
	Offers    Offers
	Networks  Networks
	Doctor    Doctor
	Settings  Settings
	Program   Program
	Memory    Memory
	Version   string
	// Background is whether the window stays closed at first, if the desktop has
	// a tray to open it from.
	Background bool
	// Start is called once, off the window's thread, when the window is on
	// screen and the user has answered the sheet of the first launch. Its
	// context ends with the window. Its error is shown in the window.
	Start func(ctx context.Context) error
	// Stop is called after the window is closed and Start has returned.
	Stop func()
}
