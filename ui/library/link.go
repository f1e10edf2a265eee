package library

import (
	"context"
	"strings"

	"fyne.io/fyne/v2"

	"github.com/potluck-share/potluck/app/domain"
)

// copyLinks puts links to rows into the clipboard, a line for each: to a file's
// content, whoever has it, and to a folder at this user's.
func (v *View) copyLinks(ids []string) {
	var rows []row
	for _, id := range ids {
		if r := v.row(id); r != nil && r.kind != noteRow {
			rows = append(rows, *r)
		}
	}
	self := v.self
	v.run.Go(func(ctx context.Context) func() {
		links := make([]string, len(rows))
		for i := range rows {
			links[i] = v.linkTo(ctx, &rows[i], self)
		}
		return func() { fyne.CurrentApp().Clipboard().SetContent(strings.Join(links, "\n")) }
	})
}

// linkTo makes the link to a row. It is called off the UI thread.
func (v *View) linkTo(ctx context.Context, r *row, self domain.PeerID) string {
	file := r.file
	if r.share != nil && !r.folder {
		// What it holds is not known until it has been read.
		if files, _, err := v.core.Files(ctx, r.owner, "", "", 1); err == nil && len(files) == 1 {
			file = files[0].Entry
		}
	}
	if !file.Folder && !file.Content.IsZero() {
		return domain.Link{Kind: domain.LinkContent, Content: file.Content, Name: r.name, Size: file.Size}.String()
	}
	return domain.Link{Kind: domain.LinkPeer, Peer: string(self), Path: r.id}.String()
}
