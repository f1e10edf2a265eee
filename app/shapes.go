package app

import (
	"strings"
	"time"

	"github.com/potluck-share/potluck/app/domain"
)

// The shapes of what the commands print with --json, and of what they send to
// the running Potluck. Fields may be added, never changed. Sizes are in bytes,
// rates in bytes per second, times in UTC.

type statusShape struct {
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

func shapeStatus(s domain.Status) statusShape {
	shape := statusShape(s)
	shape.Addresses = list(s.Addresses)
	return shape
}

type peerShape struct {
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

func shapePeer(p domain.Peer) peerShape {
	return peerShape{
		PeerID: p.ID, Name: p.Name, Friend: p.Friend, Near: p.Near, Online: p.Online,
		LastSeen: moment(p.LastSeen), Addresses: list(p.Addresses), Entries: p.Entries, Bytes: p.Bytes,
		NearForThem: !p.FarForThem, Claimed: p.Claimed, LooksLike: p.LooksLike, Blocked: p.Blocked, AcceptUpTo: p.AcceptUpTo,
	}
}

// introductionShape is how far two people are on the way to being friends.
type introductionShape struct {
	PeerID domain.PeerID            `json:"peer_id"`
	Name   string                   `json:"name"`
	Theirs bool                     `json:"theirs"` // the other side began it
	Words  []string                 `json:"words"`
	State  domain.IntroductionState `json:"state"`
	Reason string                   `json:"reason"`
	Begun  *time.Time               `json:"begun"`
}

func shapeIntroduction(i domain.Introduction) introductionShape {
	return introductionShape{
		PeerID: i.Peer, Name: i.Name, Theirs: i.Theirs, Words: list(i.Words), State: i.State, Reason: i.Reason.String(), Begun: moment(i.Begun),
	}
}

type invitationShape struct {
	Link    string     `json:"link"` // a secret
	Expires *time.Time `json:"expires"`
}

type shareShape struct {
	Name     string            `json:"name"`
	Path     string            `json:"path"`
	Audience string            `json:"audience"`
	Entries  int               `json:"entries"`
	Bytes    int64             `json:"bytes"`
	Fetched  int               `json:"fetched"` // how often
	State    domain.ShareState `json:"state"`
	Problem  string            `json:"problem"`
}

func shapeShare(s domain.Share) shareShape {
	return shareShape{
		Name: s.Name, Path: s.Path, Audience: s.Audience.String(), Entries: s.Entries, Bytes: s.Bytes,
		Fetched: s.Fetched, State: s.State, Problem: s.Problem.String(),
	}
}

type providerShape struct {
	PeerID domain.PeerID `json:"peer_id"`
	Name   string        `json:"name"`
	Path   string        `json:"path"`
	Online bool          `json:"online"`
}

type resultShape struct {
	Kind      string          `json:"kind"` // file or folder
	Path      string          `json:"path"`
	Size      int64           `json:"size"`
	Modified  *time.Time      `json:"modified"`
	ContentID string          `json:"content_id,omitempty"`
	Entries   int             `json:"entries,omitempty"`
	Providers []providerShape `json:"providers"`
}

func shapeResult(r domain.Result) resultShape {
	shape := resultShape{
		Kind: "file", Path: r.Path, Size: r.Size, Modified: moment(r.Modified), Entries: r.Entries,
		Providers: make([]providerShape, len(r.Providers)),
	}
	if r.Folder {
		shape.Kind = "folder"
	} else {
		shape.ContentID = r.Content.String()
	}
	for i, p := range r.Providers {
		shape.Providers[i] = providerShape{PeerID: p.Peer, Name: p.Name, Path: p.Path, Online: p.Online}
	}
	return shape
}

type transferShape struct {
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

func shapeTransfer(t domain.Transfer) transferShape {
	return transferShape{
		ID: t.ID, Kind: t.Kind, PeerID: t.Peer, Name: t.PeerName, Path: t.Path, Size: t.Size, Done: t.Done,
		Rate: int64(t.Rate), State: t.State, Reason: t.Reason.String(), Providers: t.Providers, Final: t.Final,
		Queue: t.Queue, Incoming: t.Incoming, Note: t.Note,
	}
}

// fileShape is a file of a download.
type fileShape struct {
	Path    string               `json:"path"` // below the folder that is downloaded
	Size    int64                `json:"size"`
	Done    int64                `json:"done"`
	State   domain.TransferState `json:"state"`
	Skipped bool                 `json:"skipped"` // left out by the user
	Final   string               `json:"final,omitempty"`
}

func shapeFile(f domain.FileProgress) fileShape {
	_, below, ok := strings.Cut(f.Target, "/")
	if !ok {
		below = f.Target
	}
	return fileShape{Path: below, Size: f.Size, Done: f.Done, State: f.State, Skipped: f.Skipped, Final: f.Final}
}

// limitShape tells the limits, rates in bytes per second, 0 for none.
type limitShape struct {
	Upload       int64  `json:"upload"`
	Download     int64  `json:"download"`
	AtOnce       int    `json:"at_once"`
	People       int    `json:"people"`     // served at once, 0 for no limit
	PerPerson    int    `json:"per_person"` // large files for each of them at once, 0 for no limit
	SlowHours    string `json:"slow_hours"` // "22:00-06:00" or "none"
	SlowUpload   int64  `json:"slow_upload"`
	SlowDownload int64  `json:"slow_download"`
}

func shapeLimits(v domain.Settings) limitShape {
	return limitShape{
		Upload: v.UploadLimit, Download: v.DownloadLimit, AtOnce: v.DownloadsAtOnce,
		People: v.UploadsAtOnce, PerPerson: v.UploadsPerPerson,
		SlowHours: domain.HoursText(v.SlowFrom, v.SlowUntil), SlowUpload: v.SlowUpload, SlowDownload: v.SlowDownload,
	}
}

// progressShape is what a running get prints.
type progressShape struct {
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

// moment makes JSON print a time in UTC to the second, and null for none.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC().Truncate(time.Second)
	return &t
}

type networkShape struct {
	ID      string               `json:"id"`
	Name    string               `json:"name"`
	Answer  domain.NetworkAnswer `json:"answer"` // show, friends, or empty: not asked yet
	Present bool                 `json:"present"`
}

func shapeNetwork(n domain.Network) networkShape { return networkShape(n) }

// findingShape is something that the check-up looked at.
type findingShape struct {
	Kind string `json:"kind"`
	OK   bool   `json:"ok"`
	What string `json:"what"`
	Do   string `json:"do"` // what helps; empty if nothing has to be done
}

func shapeFinding(f domain.Finding) findingShape {
	return findingShape{Kind: f.Kind, OK: f.OK, What: f.What.String(), Do: f.Do.String()}
}

// The requests.

// networkRequest says who sees what is shared on a network.
type networkRequest struct {
	Network string               `json:"network"`
	Answer  domain.NetworkAnswer `json:"answer"`
}

// raiseRequest brings the window to the front.
type raiseRequest struct {
	Link string `json:"link,omitempty"` // to ask about; empty: none
}

type shareRequest struct {
	Paths    []string `json:"paths"`
	Audience string   `json:"audience"` // empty: the default
}

// unshareRequest names shares by their paths. For each a name may be given that
// holds if nothing is shared from there.
type unshareRequest struct {
	Paths []string `json:"paths"`
	Names []string `json:"names,omitempty"`
}

type connectRequest struct {
	Address string `json:"address"`
}

// joinRequest accepts an invitation.
type joinRequest struct {
	Link string        `json:"link"`
	Wait time.Duration `json:"wait"` // for the other side to confirm; 0: not at all
}

// peerRequest names somebody.
type peerRequest struct {
	Peer string `json:"peer"`
}

// answerRequest confirms that somebody is to be a friend, or declines.
type answerRequest struct {
	Peer string        `json:"peer"`
	Yes  bool          `json:"yes"`
	Wait time.Duration `json:"wait"` // for the other side; 0: for as long as it takes
}

type renameRequest struct {
	Peer string `json:"peer"`
	Name string `json:"name"` // empty: as they call themselves
}

type acceptRequest struct {
	Peer string `json:"peer"`
	UpTo int64  `json:"up_to"` // bytes; 0: always ask
}

type browseRequest struct {
	Peer   string `json:"peer"`
	Folder string `json:"folder"`
}

type searchRequest struct {
	Words string `json:"words"`
	Limit int    `json:"limit"`
}

type getRequest struct {
	Items []string      `json:"items"`
	To    string        `json:"to"`
	Wait  time.Duration `json:"wait"` // 0: for as long as it takes
	Only  []string      `json:"only"` // patterns of files; empty: all
}

type chooseRequest struct {
	ID   string   `json:"id"`
	Skip []string `json:"skip"` // patterns
	Take []string `json:"take"` // patterns, after Skip
}

// limitRequest sets what is not nil.
type limitRequest struct {
	Upload       *int64  `json:"upload"`
	Download     *int64  `json:"download"`
	AtOnce       *int    `json:"at_once"`
	People       *int    `json:"people"`
	PerPerson    *int    `json:"per_person"`
	SlowHours    *string `json:"slow_hours"` // "22:00-06:00" or "none"
	SlowUpload   *int64  `json:"slow_upload"`
	SlowDownload *int64  `json:"slow_download"`
}

type hideRequest struct {
	Hidden bool `json:"hidden"`
}

// sendRequest gives files to one person.
type sendRequest struct {
	Peer  string        `json:"peer"`
	Paths []string      `json:"paths"`
	Note  string        `json:"note"`
	Wait  time.Duration `json:"wait"` // 0: for as long as it takes
}

type acceptOfferRequest struct {
	IDs []string `json:"ids"`
	To  string   `json:"to"` // empty: the download folder
}

type idsRequest struct {
	IDs []string `json:"ids"`
}
