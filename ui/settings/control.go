package settings

import (
	"context"
	"strings"

	"fyne.io/fyne/v2"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/ui/format"
	"github.com/potluck-share/potluck/ui/theme"
	"github.com/potluck-share/potluck/ui/widget"
)

// control is a part of the page that shows and changes a value.
type control interface {
	show(values *domain.Settings)
}

// line is a field for one value: what is typed into it counts when the
// keyboard leaves it or with Enter. A bad value is explained underneath and not
// applied.
type line struct {
	*field
	view *View
	text func(values *domain.Settings) string
	take func(text string, values *domain.Settings) error
}

// addLine adds a field to the page's controls.
func (v *View) addLine(label, hint string, text func(*domain.Settings) string, take func(string, *domain.Settings) error) *line {
	l := &line{field: newField(label, hint), view: v, text: text, take: take}
	l.onLeave = l.save
	v.controls = append(v.controls, l)
	return l
}

func (l *line) show(values *domain.Settings) { l.set(l.text(values)) }

func (l *line) save() {
	v, text := l.view, strings.TrimSpace(l.entry.Text)
	if !v.loaded || text == l.text(&v.saved) {
		l.explain("")
		return
	}
	trial := v.saved
	if err := l.take(text, &trial); err != nil {
		l.explain(format.Sentence(err))
		return
	}
	v.update(func(values *domain.Settings) { _ = l.take(text, values) }, // tried a moment ago
		func(err error) {
			if err != nil {
				l.explain(format.Sentence(err))
				return
			}
			l.typing = false
			l.explain("")
		})
}

// turn is a switch for one value.
type turn struct {
	knob *widget.Switch
	flag func(values *domain.Settings) *bool
}

// addSwitch adds a switch to the page's controls. done, which may be nil, does
// what the change means; if it cannot be, nothing is changed.
func (v *View) addSwitch(text string, flag func(*domain.Settings) *bool, done func(ctx context.Context, on bool) error) *turn {
	t := &turn{widget.NewSwitch(text), flag}
	t.knob.OnChanged = func(on bool) {
		v.run.Go(func(ctx context.Context) func() {
			if done != nil {
				if err := done(ctx, on); err != nil {
					return func() { v.failed(err) }
				}
			}
			return func() {
				v.update(func(values *domain.Settings) { *flag(values) = on }, v.failed)
			}
		})
	}
	v.controls = append(v.controls, t)
	return t
}

func (t *turn) show(values *domain.Settings) { t.knob.Set(*t.flag(values)) }

// options is one of several values, side by side.
type options struct {
	buttons []*widget.Button
	values  []string
	value   func(values *domain.Settings) *string
}

// addOptions adds buttons of which one is lit.
func (v *View) addOptions(names, values []string, value func(*domain.Settings) *string) *options {
	o := &options{values: values, value: value}
	for i, name := range names {
		o.buttons = append(o.buttons, widget.NewButton(name, "", widget.Choice, func() {
			v.update(func(s *domain.Settings) { *value(s) = values[i] }, v.failed)
		}))
	}
	v.controls = append(v.controls, o)
	return o
}

func (o *options) show(values *domain.Settings) {
	for i, b := range o.buttons {
		b.SetChosen(o.values[i] == *o.value(values))
	}
}

// object puts a label above the buttons, and below them what is to be known.
func (o *options) object(label string, under fyne.CanvasObject) fyne.CanvasObject {
	row := widget.HBox(theme.Space4)
	for _, b := range o.buttons {
		row.Add(b)
	}
	box := widget.VBox(theme.Space4, widget.NewText(label, theme.TextBody, theme.Text), leading(widget.NewCard(row)))
	if under != nil {
		box.Add(under)
	}
	return box
}

// hint is a line of second text.
func hint(text string) *widget.Text {
	return widget.NewText(text, theme.TextCaption, theme.SecondText).Shortened(widget.End)
}
