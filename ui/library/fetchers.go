package library

import (
	"cmp"
	"context"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/ui/theme"
	"github.com/potluck-share/potluck/ui/widget"
	"github.com/potluck-share/potluck/ui/words"
)

// The height of a row of who fetched something, and how many are seen without
// scrolling.
const (
	fetcherHeight float32 = 48
	fetchersShown int     = 6
)

// showFetchers shows who fetched from a share, in a sheet.
func (v *View) showFetchers(share string) {
	who, now := v.who, time.Now()
	v.run.Go(func(ctx context.Context) func() {
		fetchers, err := v.core.Fetchers(ctx, share)
		if err != nil {
			return func() { v.OnError(err) }
		}
		rows := make([]fetcherRow, len(fetchers))
		for i, f := range fetchers {
			rows[i] = fetcherRowOf(f, who, now)
		}
		return func() {
			c := fyne.CurrentApp().Driver().CanvasForObject(v.list)
			if c == nil {
				return // the user has gone to another page
			}
			widget.ShowSheet(c, words.T("Who fetched %s", clip(share)), fetchersBody(rows), words.T("Close"), nil)
		}
	})
}

// fetcherRow is who fetched something at one time, in the words that are shown.
type fetcherRow struct {
	id   string
	peer domain.PeerID
	name string
	what string
	at   string
}

func fetcherRowOf(f domain.Fetcher, who names, now time.Time) fetcherRow {
	return fetcherRow{
		id: string(f.Peer) + f.At.String(), peer: f.Peer,
		name: cmp.Or(who[f.Peer], f.Name, words.T("Somebody")),
		what: words.T("%s, %s", words.N("%s files", f.Files), words.Size(f.Bytes)),
		at:   words.Time(f.At, now),
	}
}

// fetchersBody lists rows, or says that there are none.
func fetchersBody(rows []fetcherRow) fyne.CanvasObject {
	if len(rows) == 0 {
		return widget.NewParagraph(words.T("Nobody has fetched it yet."), theme.SecondText, fyne.TextAlignLeading).RichText
	}
	list := widget.NewList(fetcherHeight, newFetcherCells, func(i int, c widget.Cells) { c.(*fetcherCells).show(&rows[i]) })
	ids := make([]string, len(rows))
	for i := range rows {
		ids[i] = rows[i].id
	}
	list.SetIDs(ids)
	shown := float32(min(len(rows), fetchersShown))
	return widget.Fixed(0, shown*(fetcherHeight+2), list)
}

// fetcherCells show a row.
type fetcherCells struct {
	object *fyne.Container
	avatar *widget.Avatar
	name   *widget.Text
	what   *widget.Text
	at     *widget.Text
}

func newFetcherCells() widget.Cells {
	c := &fetcherCells{
		avatar: widget.NewAvatar(),
		name:   widget.NewText("", theme.TextBody, theme.Text).Shortened(widget.End),
		what:   widget.NewText("", theme.TextCaption, theme.SecondText).Shortened(widget.End),
		at:     widget.NewText("", theme.TextCaption, theme.SecondText),
	}
	c.object = container.New(c, c.avatar, c.name, c.what, c.at)
	return c
}

// Object returns what shows the row.
func (c *fetcherCells) Object() fyne.CanvasObject { return c.object }

func (c *fetcherCells) show(r *fetcherRow) {
	c.avatar.Set(r.peer, false)
	c.name.SetText(r.name)
	c.what.SetText(r.what)
	c.at.SetText(r.at)
	c.Layout(nil, c.object.Size())
}

// MinSize is called by Fyne.
func (c *fetcherCells) MinSize([]fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(0, fetcherHeight)
}

// Layout is called by Fyne.
func (c *fetcherCells) Layout(_ []fyne.CanvasObject, size fyne.Size) {
	side := c.avatar.MinSize().Width
	c.avatar.Move(fyne.NewPos(0, (size.Height-side)/2))
	c.avatar.Resize(fyne.NewSquareSize(side))
	at := c.at.MinSize()
	c.at.Move(fyne.NewPos(size.Width-at.Width, (size.Height-at.Height)/2))
	c.at.Resize(at)
	x := side + theme.Space12
	width := max(0, size.Width-x-at.Width-theme.Space12)
	c.name.Move(fyne.NewPos(x, 5))
	c.name.Resize(fyne.NewSize(width, 20))
	c.what.Move(fyne.NewPos(x, 25))
	c.what.Resize(fyne.NewSize(width, 17))
}
