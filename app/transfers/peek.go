package transfers

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"path"
	"sync"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/storage/names"
)

// peekedMost is how many bytes of what was looked into are kept.
const peekedMost = 32 << 20

// Peek returns the beginning of a file that somebody shares, verified, without
// downloading it. What is on this machine is read from there, what was looked
// into lately costs nothing. While this machine is hidden nobody is asked, since whoever
// only looks through a list is not to be seen by it. It waits until ctx ends at
// most; the error is
//   - the context's if it was cancelled, domain.ErrWaiting if its time ran out;
//   - domain.ErrUsage for a folder, or for no bytes;
//   - domain.ErrNotFound if nobody is known to have it, or lets us have it;
//   - domain.ErrRefused if it is not here and this machine is hidden;
//   - domain.ErrOffline if those who may have it are away;
//   - domain.ErrChanged, domain.ErrDamaged or domain.ErrTooLarge.
func (t *Transfers) Peek(ctx context.Context, req domain.PeekRequest) (domain.Peek, error) {
	if req.Content.IsZero() {
		entries, folder, err := t.cfg.Catalogue.Below(req.Peer, req.Path)
		if err != nil {
			return domain.Peek{}, err
		}
		if folder || len(entries) != 1 {
			return domain.Peek{}, domain.Fault(domain.ErrUsage, "%s is a folder, which has no beginning to look at", names.Display(path.Base(req.Path)))
		}
		req.Content, req.Size = entries[0].Content, entries[0].Size
	}
	if req.Size < 0 || req.Most < 1 {
		return domain.Peek{}, fmt.Errorf("%w: a look at %d bytes of %d", domain.ErrUsage, req.Most, req.Size)
	}
	most := min(req.Most, req.Size, domain.MostPeek)
	answer := domain.Peek{Content: req.Content, Size: req.Size, Whole: most == req.Size}
	var known bool
	if answer.Data, known = t.peeked.get(req.Content, req.Size, most); known {
		return answer, nil
	}
	var from []domain.PeerID
	if !t.hidden() {
		from = t.around(req.Content, req.Peer)
	}
	data, err := t.cfg.Engine.Look(ctx, req.Content, req.Size, most, from)
	if err != nil {
		return domain.Peek{}, t.notPeeked(req, len(from), err)
	}
	answer.Data = t.peeked.put(req.Content, req.Size, data)
	return answer, nil
}

// notPeeked says why a look brought nothing: of whom that many were asked.
func (t *Transfers) notPeeked(req domain.PeekRequest, asked int, err error) error {
	providers, entry := t.cfg.Catalogue.Providers(req.Content)
	what := req.Path
	if what == "" {
		what = entry.Path
	}
	if what = names.Display(path.Base(what)); what == "." {
		what = req.Content.String()
	}
	var why error
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		why = domain.Fault(domain.ErrWaiting, "nobody sent anything of %s in time", what)
	case errors.Is(err, domain.ErrNotFound) && t.hidden():
		why = domain.Fault(domain.ErrRefused, "nobody is asked for %s while you are hidden", what)
	case errors.Is(err, domain.ErrNotFound) && asked == 0:
		why = t.notHere(req, providers, what)
	case errors.Is(err, domain.ErrNotFound):
		why = domain.Fault(domain.ErrNotFound, "nobody here shares %s with you", what)
	case errors.Is(err, domain.ErrOffline):
		why = domain.Fault(domain.ErrOffline, "who has %s does not answer", what)
	case errors.Is(err, domain.ErrChanged):
		why = domain.Fault(domain.ErrChanged, "%s was changed meanwhile", what)
	case errors.Is(err, domain.ErrDamaged):
		why = domain.Fault(domain.ErrDamaged, "what came of %s is damaged", what)
	case errors.Is(err, domain.ErrTooLarge):
		why = domain.Fault(domain.ErrTooLarge, "%s is too large to look into", what)
	default:
		return err
	}
	return fmt.Errorf("%w (%w)", why, err)
}

// notHere says who has it and is away, if anybody is known to have it.
func (t *Transfers) notHere(req domain.PeekRequest, providers []domain.Provider, what string) error {
	if who, ok := t.cfg.People.Peer(req.Peer); ok {
		return domain.Fault(domain.ErrOffline, "%s has %s and is not here", who.Name, what)
	}
	if len(providers) > 0 {
		return domain.Fault(domain.ErrOffline, "%s has %s and is not here", providers[0].Name, what)
	}
	return domain.Fault(domain.ErrNotFound, "nobody here shares %s with you", what)
}

// peeked are the beginnings that were looked at last. Its zero value is empty;
// its methods may be called from any goroutine.
type peeked struct {
	mu    sync.Mutex
	bytes int
	at    map[domain.ContentID]*list.Element // of order
	order list.List                          // of beginnings, the one used last first
}

type beginning struct {
	content domain.ContentID
	size    int64
	data    []byte
}

// get returns the first most bytes of the content of that size, if they are
// kept.
func (p *peeked) get(id domain.ContentID, size, most int64) (data []byte, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := p.at[id]
	if at == nil {
		return nil, false
	}
	b := at.Value.(beginning)
	if b.size != size || int64(len(b.data)) < most {
		return nil, false
	}
	p.order.MoveToFront(at)
	return b.data[:most:most], true
}

// put keeps a beginning for as long as there is room, and returns it without
// what memory it does not need.
func (p *peeked) put(id domain.ContentID, size int64, data []byte) []byte {
	if cap(data) > len(data) {
		data = append(make([]byte, 0, len(data)), data...)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.at == nil {
		p.at = make(map[domain.ContentID]*list.Element)
	}
	if at := p.at[id]; at != nil {
		p.drop(at)
	}
	p.at[id] = p.order.PushFront(beginning{id, size, data})
	p.bytes += len(data)
	for p.bytes > peekedMost {
		p.drop(p.order.Back())
	}
	return data
}

func (p *peeked) drop(at *list.Element) {
	b := p.order.Remove(at).(beginning)
	delete(p.at, b.content)
	p.bytes -= len(b.data)
}
