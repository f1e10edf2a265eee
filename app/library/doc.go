// Package library is what this peer shares: it adds files and folders, hashes
// them, keeps watching them, and answers who may see and fetch what.
//
// It reads what is shared through an os.Root on the share, so that no link
// leads out of it, and it never writes to or deletes a shared file. What it
// knows is stored before it is told to anybody. Every method of Library may be
// called from any goroutine; its own goroutines end in Close.
package library
