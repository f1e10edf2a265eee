package library

import (
	"context"
	"slices"

	"fyne.io/fyne/v2"
	fwidget "fyne.io/fyne/v2/widget"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/ui/theme"
	"github.com/potluck-share/potluck/ui/words"
)

// Choose asks whether a file or a folder is to be shared.
func (v *View) Choose() {
	c := fyne.CurrentApp().Driver().CanvasForObject(v.share)
	if c == nil {
		return
	}
	menu := fwidget.NewPopUpMenu(fyne.NewMenu("",
		fyne.NewMenuItem(words.T("A file…"), func() { v.OnFile() }),
		fyne.NewMenuItem(words.T("A folder…"), func() { v.OnFolder() }),
	), c)
	at := fyne.CurrentApp().Driver().AbsolutePositionForObject(v.share)
	size := v.share.Size()
	menu.ShowAtPosition(at.AddXY(size.Width-menu.MinSize().Width, size.Height+theme.Space4))
}

func (v *View) menu(at fyne.Position) {
	items := v.menuItems(v.list.Selected())
	if len(items) == 0 {
		return
	}
	fwidget.ShowPopUpMenuAtPosition(fyne.NewMenu("", items...), fyne.CurrentApp().Driver().CanvasForObject(v.list), at)
}

// menuItems are what can be done with the rows selected.
func (v *View) menuItems(ids []string) []*fyne.MenuItem {
	shares := v.chosen(ids)
	if len(ids) == 1 {
		return v.oneMenu(v.row(ids[0]))
	}
	if len(shares) == 0 {
		return nil
	}
	sees := fyne.NewMenuItem(words.T("Who sees it"), nil)
	sees.ChildMenu = fyne.NewMenu("", v.audienceItems(shares)...)
	return []*fyne.MenuItem{
		sees,
		fyne.NewMenuItem(words.T("Copy link"), func() { v.copyLinks(ids) }),
		fyne.NewMenuItemSeparator(),
		fyne.NewMenuItem(words.T("Stop sharing"), func() { v.OnUnshare(shares) }),
	}
}

func (v *View) oneMenu(r *row) []*fyne.MenuItem {
	if r == nil {
		return nil
	}
	reveal := fyne.NewMenuItem(words.T("Show in folder"), func() { v.OnReveal(v.place(r)) })
	link := fyne.NewMenuItem(words.T("Copy link"), func() { v.copyLinks([]string{r.id}) })
	if r.share == nil {
		return []*fyne.MenuItem{link, reveal}
	}
	s := *r.share
	sees := fyne.NewMenuItem(words.T("Who sees it"), nil)
	sees.ChildMenu = fyne.NewMenu("", v.audienceItems([]domain.Share{s})...)
	items := []*fyne.MenuItem{sees, link, reveal}
	if s.State == domain.ShareGone {
		items[2] = fyne.NewMenuItem(words.T("Find…"), func() { v.OnFind(s) })
	}
	return append(items,
		fyne.NewMenuItem(words.T("Who fetched it"), func() { v.showFetchers(s.Name) }),
		fyne.NewMenuItemSeparator(),
		fyne.NewMenuItem(words.T("Stop sharing"), func() { v.OnUnshare([]domain.Share{s}) }),
	)
}

// choose opens the choice of who sees a share, below its chip.
func (v *View) choose(id string, chip fyne.CanvasObject) {
	shares := v.chosen([]string{id})
	if selected := v.list.Selected(); slices.Contains(selected, id) {
		shares = v.chosen(selected)
	}
	if len(shares) == 0 {
		return
	}
	driver := fyne.CurrentApp().Driver()
	fwidget.ShowPopUpMenuAtPosition(fyne.NewMenu("", v.audienceItems(shares)...), driver.CanvasForObject(chip),
		driver.AbsolutePositionForObject(chip).AddXY(0, chip.Size().Height+theme.Space4))
}

// audienceItems offer who may see shares, with a mark at what all of them have
// now.
func (v *View) audienceItems(shares []domain.Share) []*fyne.MenuItem {
	return v.AudienceItems(shares, func(a domain.Audience) { v.setAudience(shares, a) })
}

// AudienceItems offer who may see shares, with a mark at what all of them have
// now. People who were chosen one by one are named if the names are known.
func (v *View) AudienceItems(shares []domain.Share, set func(domain.Audience)) []*fyne.MenuItem {
	now := shares[0].Audience
	for _, s := range shares[1:] {
		if s.Audience.String() != now.String() {
			now = domain.Audience{}
			break
		}
	}
	var items []*fyne.MenuItem
	for _, a := range []domain.Audience{{Kind: domain.Everyone}, {Kind: domain.Friends}} {
		item := fyne.NewMenuItem(audienceWords(a, nil), func() { set(a) })
		item.Checked = now.Kind == a.Kind
		items = append(items, item)
	}
	chosen := fyne.NewMenuItem(words.T("Chosen people…"), func() { v.choosePeople(now, set) })
	if chosen.Checked = now.Kind == domain.Chosen; chosen.Checked {
		chosen.Label = words.T("%s…", audienceWords(now, v.who))
	}
	return append(items, chosen)
}

func (v *View) setAudience(shares []domain.Share, a domain.Audience) {
	v.run.Go(func(ctx context.Context) func() {
		for _, s := range shares {
			if err := v.core.SetAudience(ctx, s.Name, a); err != nil {
				return func() { v.OnError(err) }
			}
		}
		return nil
	})
}
