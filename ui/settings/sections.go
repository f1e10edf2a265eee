package settings

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/ui/theme"
	"github.com/potluck-share/potluck/ui/widget"
	"github.com/potluck-share/potluck/ui/words"
)

func (v *View) you() fyne.CanvasObject {
	v.name = v.addLine(words.T("Your name"), words.T("What others see. It is a claim, not a proof."),
		func(s *domain.Settings) string { return s.Name },
		func(text string, s *domain.Settings) error { s.Name = text; return nil })
	return section(words.T("You"), v.name.object(nil))
}

func (v *View) sharing() fyne.CanvasObject {
	audience := v.addOptions([]string{words.T("Everyone nearby"), words.T("Friends only")},
		[]string{string(domain.Everyone), string(domain.Friends)},
		func(s *domain.Settings) *string { return (*string)(&s.Audience.Kind) })
	skip := v.addLine(words.T("Leave out of shared folders"),
		words.T("Names such as *.tmp or node_modules, with spaces between them."),
		func(s *domain.Settings) string { return strings.Join(s.Skip, " ") },
		func(text string, s *domain.Settings) error { s.Skip = strings.Fields(text); return nil })
	return section(words.T("Sharing"),
		audience.object(words.T("Who sees what you share"), hint(words.T("For what you share from now on. My shares changes it for each."))),
		skip.object(nil))
}

func (v *View) downloading() fyne.CanvasObject {
	v.downloads = v.addLine(words.T("Downloads go to"), words.T("What you get from others lies there."),
		func(s *domain.Settings) string { return s.Downloads },
		func(text string, s *domain.Settings) error { s.Downloads = text; return nil })
	change := widget.NewButton(words.T("Change…"), "folder", widget.Plain, func() {
		v.OnFolder(func(path string) {
			v.downloads.entry.SetText(path)
			v.downloads.save()
		})
	})
	atOnce := v.addLine(words.T("Downloads at once"), words.T("The others wait in the queue."),
		func(s *domain.Settings) string { return strconv.Itoa(s.DownloadsAtOnce) },
		func(text string, s *domain.Settings) error {
			n, err := strconv.Atoi(text)
			if err != nil || n < 1 {
				return domain.Fault(domain.ErrUsage, "choose a number from 1 to %s", domain.MostDownloadsAtOnce)
			}
			s.DownloadsAtOnce = n
			return nil
		})
	return section(words.T("Downloads"), v.downloads.object(change), short(atOnce.object(nil)))
}

// number adds a field for how many there may be, where 0 is no limit.
func (v *View) number(label, under string, limit func(*domain.Settings) *int) fyne.CanvasObject {
	return v.addLine(label, under,
		func(s *domain.Settings) string {
			if *limit(s) == 0 {
				return words.T("any number")
			}
			return strconv.Itoa(*limit(s))
		},
		func(text string, s *domain.Settings) error {
			n, err := strconv.Atoi(text)
			if text == words.T("any number") || text == "" {
				n, err = 0, nil
			}
			if err != nil || n < 0 || n > domain.MostUploadsAtOnce {
				return domain.Fault(domain.ErrUsage, "choose a number up to %s, or 0 for any", domain.MostUploadsAtOnce)
			}
			*limit(s) = n
			return nil
		}).object(nil)
}

// rate adds a field for a limit of speed.
func (v *View) rate(label, under string, limit func(*domain.Settings) *int64) fyne.CanvasObject {
	return v.addLine(label, under,
		func(s *domain.Settings) string {
			if *limit(s) == 0 {
				return words.T("none")
			}
			return domain.RateText(*limit(s))
		},
		func(text string, s *domain.Settings) (err error) {
			if text == words.T("none") {
				text = ""
			}
			*limit(s), err = domain.ParseRate(text)
			return err
		}).object(nil)
}

func (v *View) speed() fyne.CanvasObject {
	under := words.T("Such as 5 MB/s or 500 kB/s.")
	hours := v.addLine(words.T("Slow hours"), words.T("Such as 22:00-06:00. The limits below hold then."),
		func(s *domain.Settings) string {
			if s.SlowFrom == s.SlowUntil {
				return words.T("none")
			}
			return domain.HoursText(s.SlowFrom, s.SlowUntil)
		},
		func(text string, s *domain.Settings) (err error) {
			if text == words.T("none") {
				text = ""
			}
			s.SlowFrom, s.SlowUntil, err = domain.ParseHours(strings.ReplaceAll(text, "–", "-"))
			return err
		})
	return section(words.T("Speed"),
		pair(
			v.rate(words.T("Downloads at most"), under, func(s *domain.Settings) *int64 { return &s.DownloadLimit }),
			v.rate(words.T("Uploads at most"), under, func(s *domain.Settings) *int64 { return &s.UploadLimit })),
		pair(
			v.number(words.T("People served at once"), words.T("The others wait, and see their place."), func(s *domain.Settings) *int { return &s.UploadsAtOnce }),
			v.number(words.T("Large files for each at once"), words.T("Larger than 1 MB."), func(s *domain.Settings) *int { return &s.UploadsPerPerson })),
		hours.object(nil),
		pair(
			v.rate(words.T("Downloads in slow hours"), under, func(s *domain.Settings) *int64 { return &s.SlowDownload }),
			v.rate(words.T("Uploads in slow hours"), under, func(s *domain.Settings) *int64 { return &s.SlowUpload })))
}

func (v *View) app() fyne.CanvasObject {
	look := v.addOptions([]string{words.T("As the desktop"), words.T("Light"), words.T("Dark")},
		[]string{domain.ThemeSystem, domain.ThemeLight, domain.ThemeDark},
		func(s *domain.Settings) *string { return &s.Theme })
	language := v.addOptions([]string{words.T("As the system"), "English", "Deutsch"}, []string{"", words.English, words.German},
		func(s *domain.Settings) *string { return &s.Language })
	v.language = widget.NewText("", theme.TextCaption, theme.Waiting)
	v.tray = hint("")
	keep := v.addSwitch(words.T("Keep running in the tray when the window is closed"),
		func(s *domain.Settings) *bool { return &s.KeepRunning }, nil)
	login := v.addSwitch(words.T("Start when I log in"),
		func(s *domain.Settings) *bool { return &s.StartAtLogin }, v.desktop.StartAtLogin)
	notify := v.addSwitch(words.T("Tell me when downloads end while I'm not looking"),
		func(s *domain.Settings) *bool { return &s.Notify }, nil)
	v.links = widget.NewSwitch(words.T("Open potluck: links with this Potluck"))
	v.links.OnChanged = func(on bool) {
		v.run.Go(func(ctx context.Context) func() {
			err := v.desktop.OpenLinks(ctx, on)
			open := v.desktop.OpensLinks()
			return func() {
				v.links.Set(open)
				v.failed(err)
			}
		})
	}
	return section(words.T("App"),
		look.object(words.T("Look"), nil),
		language.object(words.T("Language"), v.language),
		widget.VBox(theme.Space4, leading(keep.knob), v.tray, leading(login.knob), leading(notify.knob), leading(v.links)))
}

// port writes a port's number as such, not as a count.
func port(n int) string { return strconv.Itoa(n) }

func (v *View) network() fyne.CanvasObject {
	number := v.addLine(words.T("Port"), words.T("A firewall rule may name it. 0 is the usual one."),
		func(s *domain.Settings) string { return port(s.Port) },
		func(text string, s *domain.Settings) error {
			n, err := strconv.Atoi(text)
			if err != nil {
				return domain.Fault(domain.ErrUsage, "choose a number from %s to %s, or 0", port(domain.LeastPort), port(domain.MostPort))
			}
			s.Port = n
			return nil
		})
	v.port = hint("")
	nearby := v.addLine(words.T("Count these networks as nearby"),
		words.T("Such as 192.168.3.0/24, with spaces between them. Both sides need it."),
		func(s *domain.Settings) string { return strings.Join(s.Nearby, " ") },
		func(text string, s *domain.Settings) error {
			s.Nearby = slices.Compact(slices.Sorted(slices.Values(strings.Fields(text))))
			return nil
		})
	v.own = widget.NewText("", theme.TextBody, theme.SecondText).Shortened(widget.Middle)
	copyOwn := widget.NewButton(words.T("Copy"), "copy", widget.Plain, func() { fyne.CurrentApp().Clipboard().SetContent(v.own.Text()) })
	v.ownLine = widget.VBox(theme.Space4,
		widget.NewText(words.T("This computer's address"), theme.TextBody, theme.Text),
		container.NewBorder(nil, nil, nil, widget.Inset(copyOwn, 0, 0, 0, theme.Space8), v.own))
	v.ownLine.Hide()
	v.address = newField(words.T("Connect to an address"), words.T("For somebody whom Potluck does not find by itself."))
	v.address.entry.SetPlaceHolder(words.T("192.168.1.7, or what the other window shows as its address"))
	v.address.entry.OnSubmitted = func(string) { v.dial() }
	v.connect = widget.NewButton(words.T("Connect"), "", widget.Plain, v.dial)
	seen := widget.NewButton(words.T("Who sees your shares…"), "visible", widget.Plain, func() { v.OnNetworks() })
	checkup := widget.NewButton(words.T("Check-up"), "search", widget.Plain, func() { v.OnCheckup() })
	return section(words.T("Network"), v.ownLine, widget.HBox(theme.Space8, seen, checkup), v.address.object(v.connect), nearby.object(nil),
		widget.VBox(0, short(number.object(nil)), v.port))
}

func (v *View) about(version string) fyne.CanvasObject {
	report := widget.NewButton(words.T("Copy report"), "copy", widget.Plain, func() {
		v.run.Go(func(context.Context) func() {
			text := v.desktop.Report()
			return func() { fyne.CurrentApp().Clipboard().SetContent(text) }
		})
	})
	log := widget.NewButton(words.T("Show the log"), "folder", widget.Plain, func() { v.OnLog() })
	return section(words.T("About"),
		widget.VBox(theme.Space4,
			widget.NewText(words.T("Potluck %s", version), theme.TextBody, theme.Text),
			hint(words.T("No server, no account, no cloud. Every copy of the app both serves and fetches."))),
		widget.VBox(theme.Space4, widget.HBox(theme.Space8, report, log),
			hint(words.T("The report says what Potluck runs on, for somebody who helps you. It names nobody and no file."))))
}

// pair puts two objects side by side, each as wide as the other.
func pair(left, right fyne.CanvasObject) fyne.CanvasObject {
	return container.New(pairLayout{}, left, right)
}

// short keeps a field for a number from taking the whole width.
func short(o fyne.CanvasObject) fyne.CanvasObject {
	return container.New(pairLayout{}, o)
}

// leading lets an object take no more width than it needs.
func leading(o fyne.CanvasObject) fyne.CanvasObject { return container.NewHBox(o) }

// pairLayout gives each object half of the width.
type pairLayout struct{}

// MinSize is called by Fyne.
func (pairLayout) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var size fyne.Size
	for _, o := range objects {
		m := o.MinSize()
		size.Width = max(size.Width, m.Width)
		size.Height = max(size.Height, m.Height)
	}
	size.Width = 2*size.Width + theme.Space16
	return size
}

// Layout is called by Fyne.
func (pairLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	width := (size.Width - theme.Space16) / 2
	for i, o := range objects {
		o.Move(fyne.NewPos(float32(i)*(width+theme.Space16), 0))
		o.Resize(fyne.NewSize(width, size.Height))
	}
}
