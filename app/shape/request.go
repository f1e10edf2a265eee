package shape

import (
	"time"

	"github.com/potluck-share/potluck/app/domain"
)

// NetworkRequest says who sees what is shared on a network.
type NetworkRequest struct {
	Network string               `json:"network"`
	Answer  domain.NetworkAnswer `json:"answer"`
}

// RaiseRequest brings the window to the front.
type RaiseRequest struct {
	Link string `json:"link,omitempty"` // to ask about; empty: none
}

// ShareRequest shares files and folders.
type ShareRequest struct {
	Paths    []string `json:"paths"`
	Audience string   `json:"audience"` // empty: the default
}

// UnshareRequest names shares by their paths. For each a name may be given that
// holds if nothing is shared from there.
type UnshareRequest struct {
	Paths []string `json:"paths"`
	Names []string `json:"names,omitempty"`
}

// ConnectRequest reaches an address.
type ConnectRequest struct {
	Address string `json:"address"`
}

// JoinRequest accepts an invitation.
type JoinRequest struct {
	Link string        `json:"link"`
	Wait time.Duration `json:"wait"` // for the other side to confirm; 0: not at all
}

// PeerRequest names somebody.
type PeerRequest struct {
	Peer string `json:"peer"`
}

// AnswerRequest confirms that somebody is to be a friend, or declines.
type AnswerRequest struct {
	Peer string        `json:"peer"`
	Yes  bool          `json:"yes"`
	Wait time.Duration `json:"wait"` // for the other side; 0: for as long as it takes
}

// RenameRequest says what somebody is called here.
type RenameRequest struct {
	Peer string `json:"peer"`
	Name string `json:"name"` // empty: as they call themselves
}

// AcceptRequest says up to which size what a friend sends is taken unasked.
type AcceptRequest struct {
	Peer string `json:"peer"`
	UpTo int64  `json:"up_to"` // bytes; 0: always ask
}

// BrowseRequest lists a folder of somebody's.
type BrowseRequest struct {
	Peer   string `json:"peer"`
	Folder string `json:"folder"`
}

// SearchRequest looks for words.
type SearchRequest struct {
	Words string `json:"words"`
	Limit int    `json:"limit"`
}

// GetRequest downloads.
type GetRequest struct {
	Items []string      `json:"items"`
	To    string        `json:"to"`
	Wait  time.Duration `json:"wait"` // 0: for as long as it takes
	Only  []string      `json:"only"` // patterns of files; empty: all
}

// ChooseRequest chooses files of a download.
type ChooseRequest struct {
	ID   string   `json:"id"`
	Skip []string `json:"skip"` // patterns
	Take []string `json:"take"` // patterns, after Skip
}

// LimitRequest sets what is not nil.
type LimitRequest struct {
	Upload       *int64  `json:"upload"`
	Download     *int64  `json:"download"`
	AtOnce       *int    `json:"at_once"`
	People       *int    `json:"people"`
	PerPerson    *int    `json:"per_person"`
	SlowHours    *string `json:"slow_hours"` // "22:00-06:00" or "none"
	SlowUpload   *int64  `json:"slow_upload"`
	SlowDownload *int64  `json:"slow_download"`
}

// HideRequest hides this computer from others, or shows it.
type HideRequest struct {
	Hidden bool `json:"hidden"`
}

// SendRequest gives files to one person.
type SendRequest struct {
	Peer  string        `json:"peer"`
	Paths []string      `json:"paths"`
	Note  string        `json:"note"`
	Wait  time.Duration `json:"wait"` // 0: for as long as it takes
}

// AcceptOfferRequest accepts what others send.
type AcceptOfferRequest struct {
	IDs []string `json:"ids"`
	To  string   `json:"to"` // empty: the download folder
}

// IDsRequest names transfers.
type IDsRequest struct {
	IDs []string `json:"ids"`
}
