package ui

import (
	"context"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/ui/theme"
	"github.com/potluck-share/potluck/ui/widget"
	"github.com/potluck-share/potluck/ui/words"
)

// Doctor finds out why people cannot be seen or reached. It takes a few seconds.
type Doctor interface {
	Check(ctx context.Context) []domain.Finding
	CheckPerson(ctx context.Context, id domain.PeerID) ([]domain.Finding, error)
}

// checkup looks why nobody, or not this one person, can be seen or reached, and
// shows in a sheet what was found.
func (w *window) checkup(who *domain.Peer) {
	title := words.T("Check-up")
	if who != nil {
		title = words.T("Check-up: %s", who.Name)
	}
	ctx, cancel := context.WithCancel(context.Background())
	body := container.NewStack(aligned(widget.NewText(words.T("Looking around…"), theme.TextBody, theme.SecondText)))
	sheet := widget.ShowSheet(w.win.Canvas(), title, widget.Fixed(0, checkupHeight, body), words.T("Close"), cancel)
	w.run.Go(func(life context.Context) func() {
		defer context.AfterFunc(life, cancel)()
		var found []domain.Finding
		var err error
		if who == nil {
			found = w.core.Doctor.Check(ctx)
		} else {
			found, err = w.core.Doctor.CheckPerson(ctx, who.ID)
		}
		return func() {
			switch {
			case ctx.Err() != nil: // nobody waits for it any more
			case err != nil:
				sheet.Cancel()
				w.problem(err)
			default:
				body.Objects = []fyne.CanvasObject{container.NewVScroll(findings(found))}
				body.Refresh()
			}
		}
	})
}

// checkupHeight is the room for what was found; more scrolls.
const checkupHeight float32 = 280

// findings shows what was found: first what is wrong.
func findings(all []domain.Finding) fyne.CanvasObject {
	box := widget.VBox(0) // paragraphs have room of their own
	for _, ok := range []bool{false, true} {
		for _, f := range all {
			if f.OK == ok {
				box.Add(findingRow(f))
			}
		}
	}
	return aligned(box)
}

func findingRow(f domain.Finding) fyne.CanvasObject {
	icon := widget.NewIcon("check", theme.Done)
	text := widget.VBox(-theme.Space12, widget.NewParagraph(words.Say(f.What), theme.Text, fyne.TextAlignLeading).RichText)
	if !f.OK {
		icon = widget.NewIcon("warning", theme.Waiting)
	}
	if !f.Do.IsZero() {
		text.Add(widget.NewParagraph(words.Say(f.Do), theme.SecondText, fyne.TextAlignLeading).RichText)
	}
	return container.NewBorder(nil, nil, container.NewVBox(widget.Inset(icon, theme.Space8, theme.Space4, 0, 0)), nil, text)
}
