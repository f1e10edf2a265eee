package domain

import (
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"
)

// LinkScheme is what a link begins with.
const LinkScheme = "potluck:"

// MaxLink is the longest link, in bytes: 4 KiB.
const MaxLink = 4096

// The limits of what an invitation says.
const (
	// MaxLinkAddresses is how many addresses are read from a link.
	MaxLinkAddresses = 16
	// MinToken is how long a token is at least, in characters, to hold 16 random
	// bytes.
	MinToken = 22
	// MaxToken is how long a token is at most, in characters.
	MaxToken = 64

	maxLinkPeer    = 128
	maxLinkAddress = 512
)

// LinkKind says what a link names.
type LinkKind string

const (
	// LinkContent names a content, whoever has it.
	LinkContent LinkKind = "content"
	// LinkPeer names a file or a folder of somebody, or all that they share.
	LinkPeer LinkKind = "peer"
	// LinkInvite is somebody's invitation to become friends.
	LinkInvite LinkKind = "invite"
)

// Link is what a potluck: link says. It comes from anywhere, so that it is only
// ever a question to the user.
type Link struct {
	Kind LinkKind
	// Content is set for LinkContent. Name and Size, in bytes, are what the
	// link calls it, to be shown until more is known; "" and 0 if it does not
	// say. The name is a stranger's: clean it before it is shown.
	Content ContentID
	Name    string
	Size    int64
	// Peer is set for LinkPeer: a peer ID, or the nickname that somebody typed.
	// Path is what lies there, slash-separated, beginning with the share's
	// name; "" is all that they share.
	Peer string
	Path string
	// For LinkInvite Peer is the peer ID of who invites, Name what they call
	// themselves, Addresses where they are, as multiaddresses without the peer
	// ID, and Token what proves that they have invited: a secret.
	Addresses []string
	Token     string
}

// IsLink reports whether a text is meant to be a link.
func IsLink(text string) bool { return strings.HasPrefix(text, LinkScheme) }

// ParseLink reads a link:
//
//	potluck:content/CONTENT-ID?name=NAME&size=BYTES
//	potluck:peer/PEER/ESCAPED/PATH
//	potluck:invite/PEER-ID/TOKEN?name=NAME&at=ADDRESS&at=ADDRESS
//
// What follows a question mark and is not known is skipped. The error is
// ErrUsage; for another kind of link it says that this Potluck is too old.
func ParseLink(text string) (Link, error) {
	if len(text) > MaxLink {
		return Link{}, Fault(ErrUsage, "the link %s is longer than links are", clip(text))
	}
	body, ok := strings.CutPrefix(text, LinkScheme)
	if !ok {
		return Link{}, Fault(ErrUsage, "%s is no link; one begins with %s", clip(text), LinkScheme)
	}
	body, query, _ := strings.Cut(body, "?")
	kind, rest, _ := strings.Cut(body, "/")
	switch LinkKind(kind) {
	case LinkContent:
		return parseContentLink(rest, query)
	case LinkPeer:
		return parsePeerLink(text, rest)
	case LinkInvite:
		return parseInviteLink(rest, query)
	default:
		return Link{}, Fault(ErrUsage, "the link %s was made by a newer Potluck; update this one", clip(text))
	}
}

func parseContentLink(rest, query string) (Link, error) {
	id, err := ParseContentID(rest)
	if err != nil {
		return Link{}, err
	}
	link := Link{Kind: LinkContent, Content: id}
	// What is there for showing only is no reason to refuse the link.
	values, _ := url.ParseQuery(query)
	link.Name = strings.ToValidUTF8(values.Get("name"), "")
	if size, err := strconv.ParseInt(values.Get("size"), 10, 64); err == nil && size > 0 && size <= MaxFileSize {
		link.Size = size
	}
	return link, nil
}

func parsePeerLink(text, rest string) (Link, error) {
	peer, path, _ := strings.Cut(rest, "/")
	peer, err := url.PathUnescape(peer)
	if err == nil {
		path, err = url.PathUnescape(path)
	}
	if err != nil || peer == "" || strings.ContainsAny(peer, ":/") || !utf8.ValidString(peer+path) {
		return Link{}, Fault(ErrUsage, "the link %s names nobody", clip(text))
	}
	return Link{Kind: LinkPeer, Peer: peer, Path: strings.Trim(path, "/")}, nil
}

// parseInviteLink reads an invitation. It is a secret, so that no error repeats
// it.
func parseInviteLink(rest, query string) (Link, error) {
	peer, token, _ := strings.Cut(rest, "/")
	if peer == "" || len(peer) > maxLinkPeer || !plainText(peer) ||
		len(token) < MinToken || len(token) > MaxToken || !plainText(token) {
		return Link{}, Fault(ErrUsage, "the invitation is not whole; copy all of it")
	}
	link := Link{Kind: LinkInvite, Peer: peer, Token: token}
	values, _ := url.ParseQuery(query)
	link.Name = strings.ToValidUTF8(values.Get("name"), "")
	for _, at := range values["at"] {
		if len(link.Addresses) == MaxLinkAddresses {
			break
		}
		if strings.HasPrefix(at, "/") && len(at) <= maxLinkAddress && utf8.ValidString(at) {
			link.Addresses = append(link.Addresses, at)
		}
	}
	return link, nil
}

// plainText reports whether a text has only letters and digits of ASCII, '-'
// and '_'.
func plainText(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
	})
}

// String returns the link, which ParseLink reads unless it is longer than
// MaxLink. A name that would make it too long is left out. But for the colon
// it holds nothing that means something to a shell within quotes, or that ends
// a link within a text.
func (l Link) String() string {
	text := LinkScheme + string(l.Kind) + "/"
	if l.Kind == LinkPeer {
		text += escape(l.Peer)
		for part := range strings.SplitSeq(l.Path, "/") {
			if part != "" {
				text += "/" + escape(part)
			}
		}
		return text
	}
	if l.Kind == LinkInvite {
		text += l.Peer + "/" + l.Token
	} else {
		text += l.Content.String()
	}
	var said []string
	if l.Name != "" {
		said = append(said, "name="+escape(l.Name))
	}
	if l.Size > 0 {
		said = append(said, "size="+strconv.FormatInt(l.Size, 10))
	}
	for _, at := range l.Addresses {
		said = append(said, "at="+escape(at))
	}
	if len(said) == 0 {
		return text
	}
	whole := text + "?" + strings.Join(said, "&")
	if len(whole) > MaxLink && l.Name != "" {
		l.Name = ""
		return l.String()
	}
	return whole
}

// escape writes a part of a link. Spaces as a plus sign are for forms; others
// would show the sign.
func escape(part string) string {
	return strings.ReplaceAll(url.QueryEscape(part), "+", "%20")
}

// LinkTarget is what is known here of what a link names.
type LinkTarget struct {
	Link Link
	// Name is what to call it, clean; "" if nobody says. Size is in bytes, -1
	// if nobody knows. Files counts those of a Folder, if it is somebody else's.
	Name   string
	Size   int64
	Folder bool
	Files  int
	// Owner is whom a LinkPeer or LinkInvite names, as far as known.
	Owner Peer
	// Own is true for an invitation that was made here.
	Own bool
	// Providers have it, those who are here first.
	Providers []Provider
	// Here is the path at which it lies on this computer already, "" if it
	// does not.
	Here string
}
