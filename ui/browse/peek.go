package browse

import (
	"context"
	"image"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/ui/format"
	look "github.com/potluck-share/potluck/ui/preview"
	"github.com/potluck-share/potluck/ui/words"
)

const (
	// restful is how long a row must be selected before its preview is asked
	// for: whoever walks over the rows asks nobody for anything.
	restful = 200 * time.Millisecond
	// sharp is how many pixels a picture gets along its longer side: enough for
	// a screen of double density.
	sharp = 2 * int(pictureWidth)
	// mostSeen is how many previews are kept.
	mostSeen = 32
)

// peek is what a file looks like: a picture, or text, or words that say why
// there is neither. None of it: there is nothing to be seen in such a file.
type peek struct {
	picture image.Image
	text    string
	words   string
}

// ask finds out what the selected row looks like, once it has been selected for
// a while.
func (p *preview) ask() {
	r := p.row
	p.forget()
	p.row = r
	if r == nil || r.result.Folder {
		return
	}
	key := r.result.Content.String()
	if seen, ok := p.seen[key]; ok {
		p.peek = seen
		return
	}
	kind, most := look.Plan(r.name, r.result.Size)
	if kind == look.KindNone || r.result.Size == 0 {
		return
	}
	if !r.here && !p.view.isHere(r) {
		p.peek.words = words.T("There is a preview when %s is back.", clip(r.owner))
		return
	}
	p.peek.words = words.T("Getting a preview…")
	asked := p.asked
	request := r.request(p.view.at, "")
	ctx, cancel := context.WithCancel(context.Background())
	stop := p.view.run.After(p.view.rest, func(life context.Context) func() {
		defer context.AfterFunc(life, cancel)()
		found, ok := p.fetch(ctx, kind, domain.PeekRequest{
			Peer: request.Peer, Path: request.Path, Content: r.result.Content, Size: r.result.Size, Most: most,
		})
		return func() {
			if asked != p.asked {
				return // another row is selected by now
			}
			p.peek = found
			if ok {
				p.keep(key, found)
			}
			p.fill()
		}
	})
	p.cancel = func() {
		stop()
		cancel()
	}
}

// keep remembers a preview, and forgets the others when those are too many.
func (p *preview) keep(key string, found peek) {
	if len(p.seen) >= mostSeen {
		clear(p.seen)
	}
	p.seen[key] = found
}

// fetch gets a preview, off the UI thread, and reports whether it is one.
func (p *preview) fetch(ctx context.Context, kind look.Kind, req domain.PeekRequest) (found peek, ok bool) {
	got, err := p.view.browse.Peek(ctx, req)
	if err == nil {
		found, err = p.decode(ctx, kind, got)
	}
	if err != nil {
		return peek{words: words.T("No preview: %s", format.Sentence(err))}, false
	}
	return found, true
}

// decode makes of bytes what is shown. Pictures are made one at a time, since
// one can take much memory for a moment.
func (p *preview) decode(ctx context.Context, kind look.Kind, got domain.Peek) (found peek, err error) {
	select {
	case p.decoding <- struct{}{}:
		defer func() { <-p.decoding }()
	case <-ctx.Done():
		return peek{}, ctx.Err()
	}
	if kind == look.KindImage {
		found.picture, err = look.Image(got.Data, got.Whole, sharp)
		return found, err
	}
	text, ok := look.Text(got.Data)
	if !ok {
		text = "" // the name says text, the bytes do not: there is nothing to be seen
	}
	return peek{text: text}, nil
}
