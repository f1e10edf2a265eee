//go:build preview && !headless

package ui

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/app/event"
	"github.com/potluck-share/potluck/ui/widget"
)

// many is how many rows are too many for doing anything to all of them on the
// UI thread.
const many = 100_000

// manyBrowse shares a folder of many files.
type manyBrowse struct {
	*fake
	folder, files []domain.Result
}

func newManyBrowse(f *fake) *manyBrowse {
	at := time.Date(2026, 11, 12, 9, 0, 0, 0, time.UTC)
	ana := domain.Provider{Peer: "12D3KooWpeer0", Name: "Ana", Online: true}
	m := &manyBrowse{fake: f, files: make([]domain.Result, many)}
	endings := []string{"jpg", "mp4", "mp3", "pdf", "tar.gz", "txt"}
	for i := range m.files {
		r := &m.files[i]
		r.Path = fmt.Sprintf("Many/Pictures of the year %d %06d.%s", 1990+i%37, i*7919%many, endings[i%len(endings)])
		r.Size, r.Modified = int64(i+77)*4217%400_000_000, at.Add(-time.Duration((i+33)*31%many)*time.Minute)
		r.Content[0], r.Content[1], r.Content[2], r.Content[3] = byte(i), byte(i>>8), byte(i>>16), 7
		r.Have = i%50 == 0
		p := ana
		p.Path, p.Online = r.Path, i%3 != 0
		r.Providers = []domain.Provider{p}
	}
	ana.Path = "Many"
	m.folder = []domain.Result{{Entry: domain.Entry{Path: "Many", Folder: true}, Entries: many, Providers: []domain.Provider{ana}}}
	return m
}

// List returns the folder, or its files.
func (m *manyBrowse) List(_ context.Context, _ domain.PeerID, folder string) ([]domain.Result, error) {
	if folder == "" {
		return m.folder, nil
	}
	return m.files, nil
}

// Search finds the first files whose names hold the words.
func (m *manyBrowse) Search(_ context.Context, words string, _ domain.PeerID, limit int, _ func(domain.Entry) bool) (found []domain.Result, _ error) {
	for _, r := range m.files {
		if len(found) < limit && strings.Contains(r.Path, words) {
			found = append(found, r)
		}
	}
	return found, nil
}

// manyLibrary shares a folder of many files, too.
type manyLibrary struct{ fakeLibrary }

// Files returns a page of them.
func (manyLibrary) Files(_ context.Context, share, _, after string, limit int) (rows []domain.ShareFile, next string, err error) {
	from := 0
	if after != "" {
		if _, err := fmt.Sscanf(after[strings.LastIndexByte(after, ' '):], "%d.jpg", &from); err != nil {
			return nil, "", err
		}
		from++
	}
	for i := from; i < min(many, from+limit); i++ {
		rows = append(rows, domain.ShareFile{Entry: domain.Entry{Path: fmt.Sprintf("%s/Picture %d.jpg", share, i), Size: int64(i)}})
	}
	if from+limit < many {
		next = rows[len(rows)-1].Path
	}
	return rows, next, nil
}

// manyTransfers has downloads of many files.
type manyTransfers struct{ *fake }

// Files returns them.
func (manyTransfers) Files(string) ([]domain.FileProgress, error) {
	all := make([]domain.FileProgress, many)
	for i := range all {
		all[i].Target, all[i].Size, all[i].State = fmt.Sprintf("Holiday/img/%06d.jpg", i), 4_200_000, domain.Queued
	}
	return all, nil
}

// measure opens the window, drives it through lists of many rows, prints how
// long that kept it busy, and closes it.
func measure(ctx context.Context, f *fake) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	core := f.core()
	core.Browse, core.Library, core.Transfers = newManyBrowse(f), manyLibrary{fakeLibrary{f}}, manyTransfers{f}
	core.Start = func(context.Context) error {
		f.fill()
		event.Publish(f.bus, event.Catalogues, "12D3KooWpeer0", event.CatalogueState{Peer: "12D3KooWpeer0", Known: many, Total: many})
		return nil
	}
	w, err := open(ctx, cancel, core)
	if err != nil {
		return err
	}
	m := newMeter(w)
	go func() {
		defer cancel()
		<-w.started
		m.run(ctx)
	}()
	w.live(ctx, nil)
	return nil
}

// meter drives the window and takes the times.
type meter struct {
	w       *window
	begin   *edge
	end     *edge
	longest atomic.Int64 // how long the UI thread let somebody wait, in ns
	frames  chan time.Duration
}

func newMeter(w *window) *meter {
	m := &meter{w: w, begin: newEdge(), end: newEdge(), frames: make(chan time.Duration, 1)}
	w.win.SetContent(container.NewStack(m.begin, w.frame, m.end))
	m.end.painted = func() {
		began := m.begin.walked
		// The loop takes this up when the frame is on screen.
		fyne.Do(func() {
			select {
			case m.frames <- time.Since(began):
			default:
			}
		})
	}
	return m
}

// watch lets one caller after the other ask the UI thread for nothing, and
// keeps how long it took at most.
func (m *meter) watch(ctx context.Context) {
	for ctx.Err() == nil {
		asked := time.Now()
		done := make(chan struct{})
		m.w.do(func() { close(done) })
		select {
		case <-done:
		case <-ctx.Done():
			return
		}
		if wait := int64(time.Since(asked)); wait > m.longest.Load() {
			m.longest.Store(wait)
		}
		time.Sleep(time.Millisecond)
	}
}

// on runs f on the UI thread and waits for it.
func (m *meter) on(f func()) { fyne.DoAndWait(f) }

func (m *meter) is(f func() bool) (yes bool) {
	m.on(func() { yes = f() })
	return yes
}

// patience is how long the meter waits for what a step is to bring.
const patience = 30 * time.Second

// step does something, waits until it is to be seen, and says how long that
// took and how long the UI thread was busy at a time.
func (m *meter) step(name string, do func(), done func() bool) {
	m.longest.Store(0)
	began := time.Now()
	m.on(do)
	for !m.is(done) {
		if time.Since(began) > patience {
			fmt.Printf("%-34s not there after %v, window busy at most %5.1f ms\n", name, patience, ms(time.Duration(m.longest.Load())))
			return
		}
		time.Sleep(time.Millisecond)
	}
	took := time.Since(began)
	m.frame(func() {}) // and what painting it costs
	m.frame(func() {})
	fmt.Printf("%-34s there after %4d ms, window busy at most %5.1f ms\n", name, took.Milliseconds(), ms(time.Duration(m.longest.Load())))
}

// frame does something on the UI thread and returns how long the frame took
// that shows it.
func (m *meter) frame(do func()) time.Duration {
	m.on(func() {
		do()
		m.begin.walked = time.Time{}
		m.end.mark.Refresh()
	})
	return <-m.frames
}

// scroll says how long frames take while a list is scrolled by a distance each.
func (m *meter) scroll(name string, list *widget.List, by float32) {
	const steps = 300
	var area *container.Scroll
	m.on(func() { area = test.WidgetRenderer(list).Objects()[0].(*container.Scroll) })
	var work time.Duration
	took := make([]time.Duration, steps)
	began := time.Now()
	for i := range took {
		if i == steps/2 {
			by = -by
		}
		took[i] = m.frame(func() {
			begun := time.Now()
			area.Scrolled(&fyne.ScrollEvent{Scrolled: fyne.NewDelta(0, -by)})
			work += time.Since(begun)
		})
	}
	rate := steps / time.Since(began).Seconds()
	slices.Sort(took)
	fmt.Printf("%-34s %5.1f ms for a frame, %5.1f for one of the slowest 20, %4.2f ms of it for the rows, %4.1f frames/s\n",
		name, ms(took[steps/2]), ms(took[steps*19/20]), ms(work/steps), rate)
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// memory says what the program's own memory holds. Whoever started it may look
// at the process then.
func (m *meter) memory(name string) {
	time.Sleep(300 * time.Millisecond)
	debug.FreeOSMemory()
	var heap runtime.MemStats
	runtime.ReadMemStats(&heap)
	fmt.Printf("%-34s %.0f MB of Go heap\n", name, float64(heap.HeapAlloc)/1e6)
}

// press taps the button of a text.
func press(in fyne.CanvasObject, text string) bool {
	return tap(in, func(o fyne.CanvasObject) bool {
		button, ok := o.(*widget.Button)
		return ok && button.Text() == text
	})
}

// sort taps the title of a column.
func sort(in fyne.CanvasObject, title string) bool {
	return tap(in, func(o fyne.CanvasObject) bool {
		return slices.ContainsFunc(objectsOf(o), func(below fyne.CanvasObject) bool {
			text, ok := below.(*widget.Text)
			return ok && text.Text() == title
		})
	})
}

// tap taps the first object of its kind that is to be seen.
func tap(in fyne.CanvasObject, kind func(fyne.CanvasObject) bool) bool {
	if !in.Visible() {
		return false
	}
	if t, ok := in.(fyne.Tappable); ok && kind(in) {
		t.Tapped(&fyne.PointEvent{})
		return true
	}
	return slices.ContainsFunc(objectsOf(in), func(o fyne.CanvasObject) bool { return tap(o, kind) })
}

// objectsOf returns what an object is made of.
func objectsOf(o fyne.CanvasObject) []fyne.CanvasObject {
	switch o := o.(type) {
	case *fyne.Container:
		return o.Objects
	case fyne.Widget:
		return test.WidgetRenderer(o).Objects()
	default:
		return nil
	}
}

// firstName returns the name in the first row of a list.
func firstName(list *widget.List) (name string) {
	var look func(o fyne.CanvasObject) bool
	look = func(o fyne.CanvasObject) bool {
		if text, ok := o.(*widget.Text); ok {
			name = text.Text()
			return true
		}
		for _, b := range objectsOf(o) {
			if look(b) {
				return true
			}
		}
		return false
	}
	look(list)
	return name
}

func (m *meter) run(ctx context.Context) {
	time.Sleep(time.Second) // the window has just opened
	go m.watch(ctx)
	m.browse()
	m.files()
	m.shares()
	fmt.Println("done")
}

// browse goes through a folder of many files and a search among them.
func (m *meter) browse() {
	w := m.w
	list := w.browse.List()
	rows := func(n int) func() bool { return func() bool { return list.Len() == n } }
	m.memory("memory before")
	m.step("a person", func() { w.browsePerson("12D3KooWpeer0", "Ana") }, rows(1))
	m.step("a folder of 100,000 files", func() {
		list.Select("12D3KooWpeer0/Many/")
		list.OnOpen(list.Cursor())
	}, rows(many))
	m.memory("memory with it")
	m.scroll("scrolled as by a wheel", list, 40)
	m.scroll("scrolled by whole screens", list, 600)
	m.on(list.ScrollToTop)
	for _, title := range []string{"Size", "Modified", "Name"} {
		for _, way := range []string{"up", "down"} {
			before := ""
			m.step("sorted by "+strings.ToLower(title)+", "+way, func() {
				before = firstName(list)
				sort(w.browse.Object(), title)
			}, func() bool { return firstName(list) != before })
		}
	}
	m.step("filtered", func() { press(w.browse.Object(), "Here now") }, func() bool { return list.Len() < many })
	m.step("not filtered", func() { press(w.browse.Object(), "Here now") }, rows(many))
	m.step("all selected", list.SelectAll, func() bool { return len(list.Selected()) == many })
	m.step("one selected", func() { list.TypedKey(&fyne.KeyEvent{Name: fyne.KeyEnd}) }, func() bool { return len(list.Selected()) == 1 })
	search := w.browse.Search().(*widget.Entry)
	m.step("a search with 1,000 results", func() { search.SetText("1999") }, rows(1000))
	m.step("its results sorted", func() { sort(w.browse.Object(), "Size") }, func() bool { return true })
	m.step("the folder again", func() { search.SetText("") }, rows(many))
	m.step("back to people", func() { w.show(pagePeople) }, func() bool { return true })
}

// files chooses among the files of a download.
func (m *meter) files() {
	w := m.w
	m.step("transfers", func() { w.show(pageTransfers) }, func() bool { return w.transfers.List().Len() > 0 })
	m.step("100,000 files to choose from", func() {
		w.transfers.List().Select("t0")
		w.transfers.List().OnOpen("t0")
	}, func() bool { return w.transfers.Files() != nil && w.transfers.Files().Len() == many })
	m.scroll("scrolled as by a wheel", w.transfers.Files(), 40)
	sheet := w.win.Canvas().Overlays().Top()
	m.step("none of them", func() { press(sheet, "None") }, func() bool { return true })
	m.step("all of them", func() { press(sheet, "All") }, func() bool { return true })
	m.step("closed", func() { sheet.(*widget.Sheet).Cancel() }, func() bool { return true })
}

// shares unfolds a folder of one's own, page by page to its end.
func (m *meter) shares() {
	w := m.w
	list := w.library.List()
	shares := list.Len()
	m.step("my shares", func() { w.show(pageShares) }, func() bool { return true })
	m.step("a share unfolded", func() {
		list.Select("Holiday")
		list.TypedKey(&fyne.KeyEvent{Name: fyne.KeyRight})
	}, func() bool { return list.Len() > shares+400 })
	m.step("100,000 files of it", func() {}, func() bool {
		if list.Len() < many {
			area := test.WidgetRenderer(list).Objects()[0].(*container.Scroll)
			area.Scrolled(&fyne.ScrollEvent{Scrolled: fyne.NewDelta(0, -math.MaxInt32)})
		}
		return list.Len() >= many
	})
	m.scroll("scrolled as by a wheel", list, -40)
}
