package browse

import (
	"path"
	"slices"
	"strings"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/storage/names"
)

// Shown returns the path of what lists show as text: names are shown without
// what could deceive, such as invisible characters, so they cannot be typed as
// they are. It is text itself if that is there, if nothing looks so, or if
// several things do.
func (b *Browse) Shown(id domain.PeerID, text string) string {
	if id == "" {
		return text
	}
	there := ""
	for name := range strings.SplitSeq(text, "/") {
		found := name
		if there != "" {
			found = there + "/" + name
		}
		if !b.holds(id, found) {
			looks := b.lookAlike(id, there, name)
			if len(looks) != 1 {
				return text
			}
			found = looks[0]
		}
		there = found
	}
	return there
}

// holds reports whether a peer has something of that path.
func (b *Browse) holds(id domain.PeerID, path string) bool {
	for _, v := range b.views(id) {
		if _, there := v.find(path); there || path != "" && len(v.known.below(path)) > 0 {
			return true
		}
	}
	return false
}

// lookAlike returns the paths of what is shown as name in a folder.
func (b *Browse) lookAlike(id domain.PeerID, folder, name string) (paths []string) {
	for _, v := range b.views(id) {
		rows := v.known.children(folder)
		if v.told != nil {
			rows = append(rows, v.told.children(folder)...)
		}
		for _, row := range rows {
			if names.Display(path.Base(row.Path)) == name && !slices.Contains(paths, row.Path) {
				paths = append(paths, row.Path)
			}
		}
	}
	return paths
}
