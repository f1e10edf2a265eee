package ui

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/ui/format"
	"github.com/potluck-share/potluck/ui/theme"
	"github.com/potluck-share/potluck/ui/widget"
	"github.com/potluck-share/potluck/ui/words"
)

// welcome is the sheet of the first launch. Nobody can notice this Potluck
// before it is answered.
type welcome struct {
	win       *window
	name      *widget.Entry
	downloads *widget.Text
	folder    string // that the downloads go to
	audience  *widget.Radio
	problem   *widget.Paragraph
	start     *widget.Button
	object    fyne.CanvasObject
}

// welcomeWidth is how wide the sheet is.
const welcomeWidth float32 = 496

// audiences are the choices of the sheet, in its order.
var audiences = []domain.AudienceKind{domain.Everyone, domain.Friends}

func newWelcome(w *window, values domain.Settings) *welcome {
	s := &welcome{win: w}
	s.name = widget.NewEntry("")
	s.name.SetText(values.Name)
	s.name.CursorColumn = len([]rune(values.Name))
	s.name.OnSubmitted = func(string) { s.answer() }
	s.downloads = widget.NewText("", theme.TextBody, theme.Text).Shortened(widget.Middle)
	s.choose(values.Downloads)
	s.audience = widget.NewRadio(words.T("Everyone nearby"), words.T("Friends only"))
	if values.Audience.Kind == domain.Friends {
		s.audience.Choose(1)
	}
	s.problem = widget.NewParagraph("", theme.Error, fyne.TextAlignLeading).Small()
	s.start = widget.NewButton(words.T("Start"), "", widget.Primary, s.answer)
	change := widget.NewButton(words.T("Change…"), "", widget.Plain, func() {
		w.pickFolder(s.choose)
	})

	icon := canvas.NewImageFromResource(theme.AppIcon())
	icon.SetMinSize(fyne.NewSquareSize(56))
	icon.ScaleMode = canvas.ImageScaleSmooth
	label := func(text string) fyne.CanvasObject { return widget.NewText(text, theme.TextBody, theme.SecondText) }
	body := widget.VBox(theme.Space16,
		container.NewCenter(icon),
		container.NewCenter(widget.NewBold(words.T("Welcome to Potluck"), theme.TextHeading, theme.Text)),
		widget.NewParagraph(words.T("Share files with the people around you. No server, no account."), theme.SecondText, fyne.TextAlignCenter).RichText,
		widget.VBox(theme.Space4, label(words.T("Your name")), s.name),
		widget.VBox(theme.Space4, label(words.T("Downloads go to")),
			container.NewBorder(nil, nil, nil, widget.Inset(change, 0, 0, 0, theme.Space8), s.downloads)),
		widget.VBox(theme.Space4, label(words.T("Who sees what you share")), s.audience),
		container.NewBorder(nil, nil, nil, container.NewCenter(s.start), s.problem.RichText),
	)
	card := widget.NewRaised(widget.Inset(body, theme.Space32, theme.Space32, theme.Space24, theme.Space32))
	s.object = widget.NewBackdrop(container.NewCenter(widget.Fixed(welcomeWidth, 0, card)), theme.Ground)
	return s
}

// choose takes a folder for the downloads. The user's own folder is shown as ~,
// as everywhere on the systems that write paths with slashes.
func (s *welcome) choose(folder string) {
	s.folder = folder
	if home, err := os.UserHomeDir(); err == nil && filepath.Separator == '/' {
		if below, ok := strings.CutPrefix(folder, home+"/"); ok {
			folder = "~/" + below
		}
	}
	s.downloads.SetText(folder)
}

// answer keeps what was chosen and lets everything begin, or says why it
// cannot be.
func (s *welcome) answer() {
	if s.start.Disabled() {
		return
	}
	s.start.SetDisabled(true)
	name, downloads := strings.TrimSpace(s.name.Text), s.folder
	audience := domain.Audience{Kind: audiences[s.audience.Chosen()]}
	s.win.run.Go(func(ctx context.Context) func() {
		err := s.win.core.Settings.Update(ctx, func(values *domain.Settings) {
			values.Name, values.Downloads, values.Audience = name, downloads, audience
			values.Introduced = true
		})
		return func() {
			s.start.SetDisabled(false)
			if err != nil {
				s.problem.SetText(format.Sentence(err))
				return
			}
			s.win.introduce()
		}
	})
}

// introduce shows the pages and lets the core start.
func (w *window) introduce() {
	w.welcome = nil
	w.win.SetContent(w.frame)
	close(w.introduced)
	w.show(pagePeople)
}
