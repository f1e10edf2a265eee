// Package friend is the protocol by which two people become friends.
//
// Either of them asks. Both sides then show the same few words, if nobody is in
// between, and each user tells the own Potluck whether they are the same, which
// is told to the other side: they are friends once both have confirmed. Whoever
// brings an invitation needs no words: the link names the one who invites, and
// the token in it proves who was invited.
//
// Anybody who may connect at all may use this protocol, strangers from afar too.
// So messages are few and small, a stream lives for seconds, what strangers may
// do is limited for each and for all of them together, and nothing is said
// beyond what the user answers.
//
// The application wires a Friend and owns it. All methods may be called from any
// goroutine; the Handler is called from goroutines of this package, several at a
// time.
package friend

//go:generate protoc --proto_path=pb --go_out=pb --go_opt=paths=source_relative friend.proto
