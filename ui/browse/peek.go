package browse

import (
	"context"
	"image"
	"time"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/ui/format"
	"github.com/potluck-share/potluck/ui/words"
)

const (
	// restful is how long a row must be selected before its preview is asked
	// for: whoever walks over the rows asks nobody for anything.
	restful = 200 * time.Millisecond
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
	plan, ok := planFor(r)
	if !ok {
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
	stop := p.view.run.After(restful, func(life context.Context) func() {
		defer context.AfterFunc(life, cancel)()
		found, whole := p.fetch(ctx, domain.PeekRequest{
			Peer: request.Peer, Path: request.Path, Content: r.result.Content, Size: r.result.Size, Most: plan.most,
		}, plan)
		return func() {
			if asked != p.asked {
				return // another row is selected by now
			}
			p.peek = found
			if whole {
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
func (p *preview) fetch(ctx context.Context, req domain.PeekRequest, plan plan) (found peek, ok bool) {
	got, err := p.view.browse.Peek(ctx, req)
	if err == nil {
		found, err = plan.decode(got)
	}
	if err != nil {
		return peek{words: words.T("No preview: %s", format.Sentence(err))}, false
	}
	return found, true
}
