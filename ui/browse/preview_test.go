package browse

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/png"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/ui/work"
)

// drawn is a picture of a size, as a file.
func drawn(t *testing.T, width, height int) []byte {
	t.Helper()
	var data bytes.Buffer
	if err := png.Encode(&data, image.NewRGBA(image.Rect(0, 0, width, height))); err != nil {
		t.Fatal(err)
	}
	return data.Bytes()
}

// answer is a peek at data for every question.
func answer(data []byte) func(context.Context, domain.PeekRequest) (domain.Peek, error) {
	return func(_ context.Context, req domain.PeekRequest) (domain.Peek, error) {
		part := data[:min(int64(len(data)), req.Most)]
		return domain.Peek{Content: req.Content, Size: int64(len(data)), Data: part, Whole: len(part) == len(data)}, nil
	}
}

// facts reads what the preview tells.
func facts(p *preview) string {
	var lines []string
	for _, o := range p.facts.Objects {
		var line []string
		for _, part := range o.(*fyne.Container).Objects {
			line = append(line, part.(interface{ Text() string }).Text())
		}
		lines = append(lines, strings.Join(line, "="))
	}
	return strings.Join(lines, " ")
}

func widen(t *testing.T, v *View, width float32) {
	t.Helper()
	canvasOf(v.object).Content().Resize(fyne.NewSize(width, 600))
}

func TestPreviewStandsBesideInAWideWindow(t *testing.T) {
	v, s := newView(t, work.Inline())
	data := drawn(t, 40, 20)
	s.peek = answer(data)
	s.places["a:Holiday"][1].Size = int64(len(data))
	v.visit(place{peer: "a", name: "Ana", folder: "Holiday"})
	pick(t, v, "a.jpg")
	if v.preview.Visible() || len(s.peeked) != 0 {
		t.Error("there is a preview in a narrow window, which nobody has opened")
	}
	widen(t, v, 1200-196)
	p := v.preview
	if !p.Visible() || p.Size().Width != 288 || v.sheet.Size().Width+288 > v.body.Size().Width {
		t.Errorf("the preview is %v wide beside rows of %v in %v", p.Size().Width, v.sheet.Size().Width, v.body.Size().Width)
	}
	if p.peek.picture == nil || !p.picture.Visible() || p.iconBox.Visible() {
		t.Error("the picture is not shown")
	}
	want := domain.PeekRequest{Peer: "a", Path: "Holiday/a.jpg", Content: v.row(v.list.Selected()[0]).result.Content, Size: int64(len(data))}
	if got := s.peeked[0]; got.Most <= 0 || got.Most > domain.MostPeek {
		t.Errorf("asked for %d bytes", got.Most)
	} else if got.Most = 0; got != want {
		t.Errorf("asked for %+v, want %+v", got, want)
	}
	v.key(&fyne.KeyEvent{Name: fyne.KeySpace})
	if !p.Visible() || p.opened {
		t.Error("Space changes the preview in a wide window")
	}
	// Where there are no rows, there is nothing to preview.
	v.visit(place{peer: "c", name: "Cleo"})
	if p.Visible() || v.empty.Size().Width != v.body.Size().Width {
		t.Error("an empty place has a preview")
	}
	widen(t, v, 1199-196)
	v.visit(place{peer: "a", name: "Ana", folder: "Holiday"})
	if p.Visible() {
		t.Error("the preview stays in a narrow window")
	}
}

func TestSpaceOpensThePreviewOverTheRows(t *testing.T) {
	v, s := newView(t, work.Inline())
	s.peek = answer([]byte("first line\nsecond line"))
	v.Person("a", "Ana")
	canvasOf(v.list).Focus(v.list) // the cursor is on the first row, and nothing is selected
	v.list.TypedKey(&fyne.KeyEvent{Name: fyne.KeySpace})
	p := v.preview
	if !p.Visible() || p.name.Text() != "Holiday" || v.sheet.Size().Width != v.body.Size().Width {
		t.Errorf("shown %v: %q", p.Visible(), p.name.Text())
	}
	if got := facts(p); got != "Kind=Folder Size=100 B Modified=12 Nov Who has it=Person A" {
		t.Errorf("told %q", got)
	}
	v.list.TypedKey(&fyne.KeyEvent{Name: fyne.KeyDown})
	if p.name.Text() != "readme.md" || p.peek.text != "first line\nsecond line" || !p.textBox.Visible() {
		t.Errorf("%q: %q", p.name.Text(), p.peek.text)
	}
	if !v.key(&fyne.KeyEvent{Name: fyne.KeyEscape}) || p.Visible() {
		t.Error("Escape does not close it")
	}
	if v.key(&fyne.KeyEvent{Name: fyne.KeyEscape}) {
		t.Error("Escape does nothing else any more")
	}
	v.key(&fyne.KeyEvent{Name: fyne.KeySpace})
	v.key(&fyne.KeyEvent{Name: fyne.KeySpace})
	if p.Visible() {
		t.Error("Space does not close it")
	}
	v.key(&fyne.KeyEvent{Name: fyne.KeySpace})
	test.Tap(p.cross)
	if p.Visible() {
		t.Error("the cross does not close it")
	}
	if len(s.peeked) != 1 {
		t.Errorf("what was seen is asked for again: %d times", len(s.peeked))
	}
}

func TestPreviewOfSeveralAndOfNone(t *testing.T) {
	v, _ := newView(t, work.Inline())
	widen(t, v, 1100)
	v.visit(place{peer: "a", name: "Ana", folder: "Holiday"})
	p := v.preview
	if p.name.Text() != "Holiday" || facts(p) != "Holds=1 folder, 2 files Size=14 B" {
		t.Errorf("%q: %q", p.name.Text(), facts(p))
	}
	v.list.SelectAll()
	if p.name.Text() != "3 selected" || facts(p) != "Size=14 B" || p.here.Visible() {
		t.Errorf("%q: %q", p.name.Text(), facts(p))
	}
}

func TestPreviewOfWhatIsHere(t *testing.T) {
	v, s := newView(t, work.Inline())
	s.places["a:"][1].Have = true
	v.Person("a", "Ana")
	widen(t, v, 1100)
	pick(t, v, "readme.md")
	if !v.preview.here.Visible() || facts(v.preview) != "Kind=Document Size=7 B Modified=12 Nov Who has it=Person A =Person b, away" {
		t.Errorf("told %q", facts(v.preview))
	}
	v.list.Unselect()
	if v.preview.here.Visible() {
		t.Error("the place is said to be here")
	}
}

func TestPreviewSaysWhyThereIsNone(t *testing.T) {
	v, s := newView(t, work.Inline())
	widen(t, v, 1100)
	v.visit(place{peer: "a", name: "Ana", folder: "Holiday"})
	s.peek = func(context.Context, domain.PeekRequest) (domain.Peek, error) {
		return domain.Peek{}, domain.Fault(domain.ErrOffline, "%s went away", "Ana")
	}
	pick(t, v, "a.jpg")
	if got := v.preview.said.Text(); got != "No preview: Ana went away." {
		t.Errorf("said %q", got)
	}
	s.peek = answer([]byte("this is no picture"))
	pick(t, v, "b.jpg")
	if got := v.preview.peek; got.picture != nil || !strings.HasPrefix(got.words, "No preview: ") {
		t.Errorf("shown %+v", got)
	}
	s.places["b:Music"] = []domain.Result{from("Music/a.png", 9, "b"), from("Music/b.mp3", 9, "b")}
	s.places["b:Music"][0].Content[31] = 1
	v.visit(place{peer: "b", name: "Ben", folder: "Music"})
	before := len(s.peeked)
	pick(t, v, "a.png")
	if got := v.preview.said.Text(); got != "There is a preview when Person b is back." {
		t.Errorf("said %q", got)
	}
	pick(t, v, "b.mp3")
	if v.preview.saidBox.Visible() || !v.preview.iconBox.Visible() || len(s.peeked) != before {
		t.Errorf("of music: %q, asked %d times", v.preview.said.Text(), len(s.peeked)-before)
	}
}

// Whoever walks over rows asks for nothing, and whoever moves on takes back
// what was asked.
func TestPreviewIsAskedForAfterARest(t *testing.T) {
	run, answers := later(t)
	v, s := newView(t, run)
	asked, ended := make(chan string, 8), make(chan error, 8)
	s.peek = func(ctx context.Context, req domain.PeekRequest) (domain.Peek, error) {
		asked <- req.Path
		<-ctx.Done()
		ended <- ctx.Err()
		return domain.Peek{}, ctx.Err()
	}
	v.visit(place{peer: "a", name: "Ana", folder: "Holiday"})
	(<-answers)()
	widen(t, v, 1100)
	v.rest = 2 * time.Second
	begun := time.Now()
	pick(t, v, "b.jpg")
	pick(t, v, "a.jpg")
	select {
	case path := <-asked:
		if path != "Holiday/a.jpg" || time.Since(begun) < v.rest {
			t.Errorf("asked for %s after %v", path, time.Since(begun))
		}
	case <-time.After(10 * time.Second):
		t.Fatal("never asked for")
	}
	if v.preview.said.Text() != "Getting a preview…" {
		t.Errorf("said %q", v.preview.said.Text())
	}
	v.list.Unselect()
	select {
	case err := <-ended:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("ended with %v", err)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("goes on after the selection has moved on")
	}
	if len(asked) != 0 {
		t.Errorf("asked for %s too", <-asked)
	}
}
