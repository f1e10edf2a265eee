package app_test

import (
	"context"
	"image"
	"image/color"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// sends drops a file on the other one's row, which lights up, writes a note, and
// sends it; the other one accepts by the button of the card.
func (p *teller) sends(t *testing.T, other *teller) {
	ctx, cancel := context.WithTimeout(p.ctx, 40*time.Second)
	defer cancel()
	letter := filepath.Join(p.screen.Home, "letter.txt")
	writeFiles(t, map[string]int{letter: 4000})
	p.activate(t)
	p.keys(t, "ctrl+1")
	// The middle of the first row, below the heading.
	const x, y = 520, 100
	row := image.Rect(200, y-40, 236, y+40)
	before := p.count(t, row, teal)
	drag, err := p.screen.Drag(ctx, p.window, x, y, []string{letter})
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(300 * time.Millisecond)
	p.picture(t, "story-drag-person.png")
	eventually(ctx, t, "the row lights up under the drag", func() bool { return p.count(t, row, teal) > before+40 })
	p.picture(t, "story-drag-person.png")
	if err := drag.Drop(ctx); err != nil {
		t.Fatal(err)
	}
	eventually(ctx, t, "it is dark again after the drop", func() bool { return p.count(t, row, teal) < before+40 })
	time.Sleep(time.Second) // it counts what is to be sent
	p.picture(t, "story-send.png")
	p.activate(t) // a click beside the sheet
	p.keys(t, "tab")
	p.types(t, "for you")
	p.picture(t, "story-note.png")
	p.keys(t, "enter")

	top := image.Rect(400, 0, 4000, 80)
	eventually(ctx, t, other.name+" is asked", func() bool {
		all := ask[[]struct {
			State    string `json:"state"`
			Incoming bool   `json:"incoming"`
			Note     string `json:"note"`
		}](ctx, t, other.copyOfPotluck, "transfers")
		return len(all) > 0 && all[0].Incoming && all[0].State == "waiting" && all[0].Note == "for you"
	})
	eventually(ctx, t, "a card asks", func() bool { return other.count(t, top, teal) > 500 })
	other.picture(t, "story-offer.png")
	other.activate(t)
	place, err := other.screen.Place(other.window)
	if err != nil {
		t.Fatal(err)
	}
	accept := other.middle(t, top, teal)
	if err := other.screen.Click(place.Min.X+accept.X, place.Min.Y+accept.Y); err != nil {
		t.Fatal(err)
	}
	arrived := filepath.Join(other.downloads, "letter.txt")
	eventually(ctx, t, "it is here", func() bool { _, err := os.Stat(arrived); return err == nil })
	same(t, arrived, letter)
	p.keys(t, "ctrl+4")
	eventually(ctx, t, p.name+" is told that it has arrived", func() bool {
		all := ask[[]move](ctx, t, p.copyOfPotluck, "transfers")
		return len(all) > 0 && all[0].Kind == "offer" && all[0].State == "done"
	})
	p.picture(t, "story-sent.png")
}

// middle returns the middle of what is of a colour in a part of the window.
func (p *teller) middle(t *testing.T, part image.Rectangle, c color.RGBA) image.Point {
	t.Helper()
	found := p.find(t, part, c)
	return found.Min.Add(found.Max).Div(2)
}
