package library

import (
	"cmp"
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/ui/theme"
	"github.com/potluck-share/potluck/ui/widget"
	"github.com/potluck-share/potluck/ui/words"
)

// The list of people that may be chosen is as high as its rows, up to a limit.
const (
	choosingHeight float32 = 280
	choosingRow    float32 = 36
)

// choosePeople asks who may see something, of all who are known, and hands the
// audience to set.
func (v *View) choosePeople(now domain.Audience, set func(domain.Audience)) {
	known := make([]domain.PeerID, 0, len(v.who))
	for id := range v.who {
		known = append(known, id)
	}
	slices.SortFunc(known, func(a, b domain.PeerID) int {
		return cmp.Or(strings.Compare(strings.ToLower(v.who[a]), strings.ToLower(v.who[b])), cmp.Compare(a, b))
	})
	chosen := make(map[domain.PeerID]bool, len(now.Peers))
	for _, id := range now.Peers {
		chosen[id] = true
		if v.who[id] == "" {
			known = append(known, id) // it stays chosen unless it is taken out
		}
	}
	rows := widget.VBox(0)
	for _, id := range known {
		name := v.who[id]
		if name == "" {
			name = words.T("Somebody who isn't around")
		}
		one := widget.NewSwitch(clip(name))
		one.Set(chosen[id])
		one.OnChanged = func(on bool) { chosen[id] = on }
		rows.Add(container.NewHBox(one))
	}
	var body fyne.CanvasObject = container.NewVScroll(rows)
	if len(known) == 0 {
		body = widget.NewText(words.T("Nobody is known yet."), theme.TextBody, theme.SecondText)
	}
	widget.ShowSheet(fyne.CurrentApp().Driver().CanvasForObject(v.object), words.T("Who may see it?"),
		widget.Inset(widget.Fixed(0, min(choosingHeight, choosingRow*float32(max(1, len(known)))), body), theme.Space8, theme.Space8, 0, theme.Space8),
		words.T("Cancel"), nil,
		widget.NewButton(words.T("Share with them"), "", widget.Primary, func() {
			a := domain.Audience{Kind: domain.Chosen}
			for _, id := range known {
				if chosen[id] {
					a.Peers = append(a.Peers, id)
				}
			}
			if len(a.Peers) > 0 {
				set(a)
			}
		}))
}
