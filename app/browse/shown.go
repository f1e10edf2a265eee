package browse

import (
	"path"
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
	real := ""
	for name := range strings.SplitSeq(text, "/") {
		found := path.Join(real, name)
		if !b.holds(id, found) {
			looks := b.lookAlike(id, real, name)
			if len(looks) != 1 {
				return text
			}
			found = looks[0]
		}
		real = found
	}
	return real
}

// holds reports whether a peer has something of that path.
func (b *Browse) holds(id domain.PeerID, path string) bool {
	_, _, err := b.Below(id, path)
	return err == nil
}

// lookAlike returns the paths of what is shown as name in a folder.
func (b *Browse) lookAlike(id domain.PeerID, folder, name string) (paths []string) {
	for _, v := range b.views(id) {
		for _, row := range v.known.children(folder) {
			if names.Display(path.Base(row.Path)) == name {
				paths = append(paths, row.Path)
			}
		}
	}
	return paths
}
