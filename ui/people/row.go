package people

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/ui/words"
)

// headingID is the row that says "Away".
const headingID = "\x00away"

// row is a person, in the words that are shown.
type row struct {
	id     string
	peer   domain.Peer
	ending string // of the ID, where somebody else has the same name; or what somebody calls itself who is called otherwise here
	detail string
	online bool
	browse bool // there is something to browse
}

// rowsOf sorts peers, friends first and then by name, those around before
// those who are away, and puts them into words.
func rowsOf(peers []domain.Peer, now time.Time) []row {
	peers = slices.Clone(peers)
	slices.SortFunc(peers, func(a, b domain.Peer) int {
		return cmp.Or(
			before(a.Online, b.Online),
			before(a.Friend, b.Friend),
			strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)),
			cmp.Compare(a.ID, b.ID),
		)
	})
	endings := endingsOf(peers)
	rows := make([]row, 0, len(peers)+1)
	for i, p := range peers {
		if !p.Online && (i == 0 || peers[i-1].Online) {
			rows = append(rows, row{id: headingID})
		}
		if p.Claimed != "" {
			endings[p.ID] = "· " + p.Claimed
		}
		rows = append(rows, row{
			id: string(p.ID), peer: p, ending: endings[p.ID], detail: detail(p, now), online: p.Online,
			browse: p.Entries > 0 && !p.FarForThem,
		})
	}
	return rows
}

// before sorts true before false.
func before(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	default:
		return 1
	}
}

// endingsOf tells apart people of the same name by the ends of their IDs, which
// are shown for nothing else.
func endingsOf(peers []domain.Peer) map[domain.PeerID]string {
	named := make(map[string][]domain.PeerID, len(peers))
	for _, p := range peers {
		name := strings.ToLower(p.Name)
		named[name] = append(named[name], p.ID)
	}
	endings := make(map[domain.PeerID]string)
	for _, ids := range named {
		if len(ids) < 2 {
			continue
		}
		letters := enoughLetters(ids)
		for _, id := range ids {
			endings[id] = "· …" + end(id, letters)
		}
	}
	return endings
}

// enoughLetters is how many letters at the end tell IDs apart: four, or more
// where those are the same.
func enoughLetters(ids []domain.PeerID) int {
	for letters := 4; letters < 12; letters++ {
		seen := make(map[string]bool, len(ids))
		for _, id := range ids {
			seen[end(id, letters)] = true
		}
		if len(seen) == len(ids) {
			return letters
		}
	}
	return 12
}

func end(id domain.PeerID, letters int) string { return string(id[max(0, len(id)-letters):]) }

// detail says what a person shares, or why that cannot be seen.
func detail(p domain.Peer, now time.Time) string {
	files, since := "", words.Time(p.LastSeen, now)
	if p.Entries > 0 {
		files = words.N("%s files", p.Entries)
	}
	switch {
	case p.LooksLike != "":
		return words.T("This looks like %s, but it's a different computer.", p.LooksLike)
	case !p.Online && since == "" && files == "":
		return words.T("away")
	case !p.Online && since == "":
		return words.T("away · %s", files)
	case !p.Online && files == "":
		return words.T("away since %s", since)
	case !p.Online:
		return words.T("away since %s · %s", since, files)
	case p.FarForThem:
		return words.T("%s doesn't count you as nearby yet.", p.Name)
	case files == "":
		return words.T("shares nothing yet")
	default:
		return words.T("%s · %s", files, words.Size(p.Bytes))
	}
}

// steady gives the newest rows the order of those on screen: what was there
// keeps its place, what is new comes last.
func steady(old, latest []row) []row {
	byID := make(map[string]row, len(latest))
	for _, r := range latest {
		byID[r.id] = r
	}
	rows := make([]row, 0, len(latest))
	for _, r := range old {
		if now, ok := byID[r.id]; ok {
			rows = append(rows, now)
			delete(byID, r.id)
		}
	}
	for _, r := range latest {
		if _, left := byID[r.id]; left {
			rows = append(rows, r)
		}
	}
	return rows
}
