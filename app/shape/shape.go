// Package shape has the forms in which the running Potluck and the commands speak
// to each other, which are also what the commands print with --json. Fields may be
// added, never changed. Sizes are in bytes, rates in bytes per second, times in UTC.
package shape

import (
	"strings"
	"time"

	"github.com/potluck-share/potluck/app/domain"
)

// Status is what is running.
type Status struct {
	PeerID    domain.PeerID `json:"peer_id"`
	Name      string        `json:"name"`
	Version   string        `json:"version"`
	Data      string        `json:"data"`
	Downloads string        `json:"downloads"`
	Addresses []string      `json:"addresses"`
	Peers     int           `json:"peers"`
	Shares    int           `json:"shares"`
	Entries   int           `json:"entries"`
	Bytes     int64         `json:"bytes"`
	Network   bool          `json:"network"`
	Port      int           `json:"port"`
	PortTaken int           `json:"port_taken"` // 0: it was free
	Hidden    bool          `json:"hidden"`
	Free      int64         `json:"free"` // bytes where downloads go; -1: not known
	// Unwatched is true if not all shared folders can be watched for changes.
	Unwatched bool `json:"unwatched"`
}

// OfStatus gives the form of the status.
func OfStatus(s domain.Status) Status {
	shape := Status(s)
	shape.Addresses = list(s.Addresses)
	return shape
}

// Peer is somebody.
type Peer struct {
	PeerID    domain.PeerID `json:"peer_id"`
	Name      string        `json:"name"`
	Friend    bool          `json:"friend"`
	Near      bool          `json:"near"`
	Online    bool          `json:"online"`
	LastSeen  *time.Time    `json:"last_seen"`
	Addresses []string      `json:"addresses"`
	Entries   int           `json:"entries"`
	Bytes     int64         `json:"bytes"`
	// NearForThem is false while the peer does not count us as near.
	NearForThem bool `json:"near_for_them"`
	// Claimed is what the peer calls itself where the user calls it otherwise,
	// LooksLike the friend whose name this stranger bears.
	Claimed    string `json:"claimed"`
	LooksLike  string `json:"looks_like"`
	Blocked    bool   `json:"blocked"`
	AcceptUpTo int64  `json:"accept_up_to"` // 0: always ask
}

// OfPeer gives the form of a peer.
func OfPeer(p domain.Peer) Peer {
	return Peer{
		PeerID: p.ID, Name: p.Name, Friend: p.Friend, Near: p.Near, Online: p.Online,
		LastSeen: Moment(p.LastSeen), Addresses: list(p.Addresses), Entries: p.Entries, Bytes: p.Bytes,
		NearForThem: !p.FarForThem, Claimed: p.Claimed, LooksLike: p.LooksLike, Blocked: p.Blocked, AcceptUpTo: p.AcceptUpTo,
	}
}

// Introduction is how far two people are on the way to being friends.
type Introduction struct {
	PeerID domain.PeerID            `json:"peer_id"`
	Name   string                   `json:"name"`
	Theirs bool                     `json:"theirs"` // the other side began it
	Words  []string                 `json:"words"`
	State  domain.IntroductionState `json:"state"`
	Reason string                   `json:"reason"`
	Begun  *time.Time               `json:"begun"`
}

// OfIntroduction gives the form of an introduction.
func OfIntroduction(i domain.Introduction) Introduction {
	return Introduction{
		PeerID: i.Peer, Name: i.Name, Theirs: i.Theirs, Words: list(i.Words), State: i.State, Reason: i.Reason.String(), Begun: Moment(i.Begun),
	}
}

// Invitation is a link with which somebody may ask to be a friend.
type Invitation struct {
	Link    string     `json:"link"` // a secret
	Expires *time.Time `json:"expires"`
}

// Share is something that is shared.
type Share struct {
	Name     string            `json:"name"`
	Path     string            `json:"path"`
	Audience string            `json:"audience"`
	Chosen   []string          `json:"chosen,omitempty"` // the names of chosen people
	Entries  int               `json:"entries"`
	Bytes    int64             `json:"bytes"`
	Fetched  int               `json:"fetched"` // how often
	State    domain.ShareState `json:"state"`
	Problem  string            `json:"problem"`
}

// OfShare gives the form of a share. nameOf tells what somebody is called.
func OfShare(s domain.Share, nameOf func(domain.PeerID) string) Share {
	form := Share{
		Name: s.Name, Path: s.Path, Audience: s.Audience.String(), Entries: s.Entries, Bytes: s.Bytes,
		Fetched: s.Fetched, State: s.State, Problem: s.Problem.String(),
	}
	for _, id := range s.Audience.Peers {
		form.Chosen = append(form.Chosen, nameOf(id))
	}
	return form
}

// SeenBy tells in words who sees the share.
func (s *Share) SeenBy() string {
	if len(s.Chosen) > 0 {
		return strings.Join(s.Chosen, ", ")
	}
	return s.Audience
}

// Provider is who has a result.
type Provider struct {
	PeerID domain.PeerID `json:"peer_id"`
	Name   string        `json:"name"`
	Path   string        `json:"path"`
	Online bool          `json:"online"`
}

// Result is a file or folder of somebody.
type Result struct {
	Kind      string     `json:"kind"` // file or folder
	Path      string     `json:"path"`
	Size      int64      `json:"size"`
	Modified  *time.Time `json:"modified"`
	ContentID string     `json:"content_id,omitempty"`
	Entries   int        `json:"entries,omitempty"`
	Providers []Provider `json:"providers"`
}

// OfResult gives the form of a result.
func OfResult(r domain.Result) Result {
	shape := Result{
		Kind: "file", Path: r.Path, Size: r.Size, Modified: Moment(r.Modified), Entries: r.Entries,
		Providers: make([]Provider, len(r.Providers)),
	}
	if r.Folder {
		shape.Kind = "folder"
	} else {
		shape.ContentID = r.Content.String()
	}
	for i, p := range r.Providers {
		shape.Providers[i] = Provider{PeerID: p.Peer, Name: p.Name, Path: p.Path, Online: p.Online}
	}
	return shape
}

// ShortOffer is how many characters of an offer's ID are enough for a person.
const ShortOffer = 8

// Transfer is a download, an upload or an offer.
type Transfer struct {
	ID        string               `json:"id"`
	Kind      domain.TransferKind  `json:"kind"`
	PeerID    domain.PeerID        `json:"peer_id"`
	Name      string               `json:"name"` // the peer's nickname
	Path      string               `json:"path"`
	Size      int64                `json:"size"`
	Done      int64                `json:"done"`
	Rate      int64                `json:"rate"`
	State     domain.TransferState `json:"state"`
	Reason    string               `json:"reason"`
	Providers int                  `json:"providers"`
	Final     string               `json:"final,omitempty"` // where it lies
	Queue     int                  `json:"queue,omitempty"` // its place in the queue, from 1
	Incoming  bool                 `json:"incoming"`        // an offer that somebody else makes
	Note      string               `json:"note,omitempty"`  // that came with an offer
}

// OfTransfer gives the form of a transfer.
func OfTransfer(t domain.Transfer) Transfer {
	return Transfer{
		ID: t.ID, Kind: t.Kind, PeerID: t.Peer, Name: t.PeerName, Path: t.Path, Size: t.Size, Done: t.Done,
		Rate: int64(t.Rate), State: t.State, Reason: t.Reason.String(), Providers: t.Providers, Final: t.Final,
		Queue: t.Queue, Incoming: t.Incoming, Note: t.Note,
	}
}

// File is a file of a download.
type File struct {
	Path    string               `json:"path"` // below the folder that is downloaded
	Size    int64                `json:"size"`
	Done    int64                `json:"done"`
	State   domain.TransferState `json:"state"`
	Skipped bool                 `json:"skipped"` // left out by the user
	Final   string               `json:"final,omitempty"`
}

// OfFile gives the form of a file of a download.
func OfFile(f domain.FileProgress) File {
	_, below, ok := strings.Cut(f.Target, "/")
	if !ok {
		below = f.Target
	}
	return File{Path: below, Size: f.Size, Done: f.Done, State: f.State, Skipped: f.Skipped, Final: f.Final}
}

// Limit tells the limits, rates in bytes per second, 0 for none.
type Limit struct {
	Upload       int64  `json:"upload"`
	Download     int64  `json:"download"`
	AtOnce       int    `json:"at_once"`
	People       int    `json:"people"`     // served at once, 0 for no limit
	PerPerson    int    `json:"per_person"` // large files for each of them at once, 0 for no limit
	SlowHours    string `json:"slow_hours"` // "22:00-06:00" or "none"
	SlowUpload   int64  `json:"slow_upload"`
	SlowDownload int64  `json:"slow_download"`
}

// OfLimits gives the form of the limits in the settings.
func OfLimits(v domain.Settings) Limit {
	return Limit{
		Upload: v.UploadLimit, Download: v.DownloadLimit, AtOnce: v.DownloadsAtOnce,
		People: v.UploadsAtOnce, PerPerson: v.UploadsPerPerson,
		SlowHours: domain.HoursText(v.SlowFrom, v.SlowUntil), SlowUpload: v.SlowUpload, SlowDownload: v.SlowDownload,
	}
}

// Progress is what a running get prints.
type Progress struct {
	Item      string               `json:"item"` // as it was asked for
	ID        string               `json:"id"`   // of the transfer
	State     domain.TransferState `json:"state"`
	Done      int64                `json:"done"`
	Size      int64                `json:"size"`
	Rate      int64                `json:"rate"`
	Reason    string               `json:"reason,omitempty"`
	Path      string               `json:"path,omitempty"`       // where it lies, once done
	ContentID string               `json:"content_id,omitempty"` // of a single file, once done
}

// list makes JSON print [] for an empty list, not null.
func list[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

// Moment makes JSON print a time in UTC to the second, and null for none.
func Moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC().Truncate(time.Second)
	return &t
}

// Network is one that this computer is on, or was.
type Network struct {
	ID      string               `json:"id"`
	Name    string               `json:"name"`
	Answer  domain.NetworkAnswer `json:"answer"` // show, friends, or empty: not asked yet
	Present bool                 `json:"present"`
}

// OfNetwork gives the form of a network.
func OfNetwork(n domain.Network) Network { return Network(n) }

// Finding is something that the check-up looked at.
type Finding struct {
	Kind string `json:"kind"`
	OK   bool   `json:"ok"`
	What string `json:"what"`
	Do   string `json:"do"` // what helps; empty if nothing has to be done
}

// OfFinding gives the form of a finding of the check-up.
func OfFinding(f domain.Finding) Finding {
	return Finding{Kind: f.Kind, OK: f.OK, What: f.What.String(), Do: f.Do.String()}
}
