package catalogue

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"
	"unicode"

	"github.com/klauspost/compress/zstd"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-msgio"
	"google.golang.org/protobuf/proto"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/net/catalogue/pb"
	"github.com/potluck-share/potluck/net/host/complain"
	"github.com/potluck-share/potluck/net/host/talk"
)

// Config is what may be set of a client.
type Config struct {
	// MaxEntries is the most entries that one pull may bring; 0 for 1,000,000.
	MaxEntries int
	Log        *slog.Logger // nil: silent
}

// Client pulls catalogues.
type Client struct {
	host       Host
	most       int
	packer     *zstd.Encoder
	unpacker   *unpacker
	complaints *complain.Complaints
}

// NewClient returns a client that opens its streams through h.
func NewClient(h Host, cfg Config) (*Client, error) {
	unpacker, err := newUnpacker()
	if err != nil {
		return nil, err
	}
	packer, err := packer()
	if err != nil {
		return nil, fmt.Errorf("preparing to pack entries: %w", err)
	}
	if cfg.MaxEntries <= 0 {
		cfg.MaxEntries = 1_000_000
	}
	return &Client{host: h, most: cfg.MaxEntries, packer: packer, unpacker: unpacker, complaints: complain.New(cfg.Log)}, nil
}

// Pull asks the peer for the changes in its catalogue since a version, or for
// all of it if since is zero, and hands every page to each as it arrives, in
// order and from this goroutine. Pages wait while each is busy. Page.Next is
// empty on the last page and on no other; a pull that returns an error before
// that one has brought a part only. An error of each ends the pull and is
// returned.
//
// Other errors wrap domain.ErrRefused, ErrBusy, ErrVersion and ErrUnreadable
// (the owner said so), ErrMalformed and ErrTooLarge (it broke the protocol or
// a limit), ErrOffline (the connection broke), or that of ctx.
func (c *Client) Pull(
	ctx context.Context, peer domain.PeerID, since domain.Version, each func(domain.Page) error,
) error {
	got, err := c.pull(ctx, peer, &pb.Request{SinceEpoch: since.Epoch, SinceSequence: since.Sequence}, each)
	if err != nil {
		return fmt.Errorf("pulling the catalogue of %s, after %d entries: %w", peer, got, err)
	}
	return nil
}

// PullOffer hands what is in an offer of the peer to each, page by page, as Pull
// does with a catalogue. The error wraps domain.ErrNotFound if the offer is not
// there any more.
func (c *Client) PullOffer(ctx context.Context, peer domain.PeerID, offer string, each func(domain.Page) error) error {
	got, err := c.pull(ctx, peer, &pb.Request{Offer: offer}, each)
	if err != nil {
		return fmt.Errorf("pulling an offer of %s, after %d entries: %w", peer, got, err)
	}
	return nil
}

func (c *Client) pull(
	ctx context.Context, peer domain.PeerID, request *pb.Request, each func(domain.Page) error,
) (got int, err error) {
	ctx, cancel := context.WithTimeout(ctx, pullTime)
	defer cancel()
	stream, err := c.host.Open(ctx, peer, Protocol)
	if err != nil {
		return 0, err
	}
	defer context.AfterFunc(ctx, func() { _ = stream.Reset() })()
	taken := error(nil) // what each says is no fault of the peer
	defer func() {
		if taken == nil {
			c.complaints.Fault(peer, Protocol, err)
		}
		if err != nil {
			_ = stream.Reset() // so that the owner stops sending
			if ctx.Err() != nil {
				// What was read from a stream that we reset tells nothing.
				err = ctx.Err()
			}
		}
	}()

	if err := greet(stream, request); err != nil {
		return 0, err
	}
	var full bool
	for pages := 0; ; pages++ {
		// Pages with next to nothing on them would keep us here for ever.
		if pages > 64+c.most/16 {
			return got, fmt.Errorf("more than %d pages: %w", pages, domain.ErrTooLarge)
		}
		page, err := c.next(stream)
		if err != nil {
			return got, err
		}
		if pages == 0 {
			full = page.Full
		} else if page.Full != full {
			return got, fmt.Errorf("pages of all and pages of changes mixed: %w", domain.ErrMalformed)
		}
		if got += len(page.Changes); got > c.most {
			return got, fmt.Errorf("more than %d entries: %w", c.most, domain.ErrTooLarge)
		}
		if taken = each(page); taken != nil {
			return got, taken
		}
		if page.Next == "" {
			// All is here; how the stream ends changes nothing about it.
			_ = stream.Close()
			return got, nil
		}
	}
}

// greet sends the request and reads whether pages will follow.
func greet(stream network.Stream, request *pb.Request) error {
	if err := stream.SetDeadline(time.Now().Add(greetTime)); err != nil {
		return broken(err)
	}
	request.Version = version
	if err := write(msgio.NewVarintWriter(stream), request); err != nil {
		return broken(err)
	}
	if err := stream.CloseWrite(); err != nil {
		return broken(err)
	}
	var res pb.Response
	if err := read(stream, maxRequest, &res); err != nil {
		return err
	}
	if res.GetStatus() == pb.Status_STATUS_OK {
		return nil
	}
	return said(res.GetStatus(), res.GetReason())
}

// next reads one page. Its Next is set unless it is the last one.
func (c *Client) next(stream network.Stream) (domain.Page, error) {
	if err := stream.SetDeadline(time.Now().Add(idleTime)); err != nil {
		return domain.Page{}, broken(err)
	}
	var frame pb.Frame
	if err := read(stream, maxFrame, &frame); err != nil {
		return domain.Page{}, err
	}
	if frame.GetFailed() != pb.Status_STATUS_UNKNOWN {
		return domain.Page{}, said(frame.GetFailed(), frame.GetReason())
	}
	page, err := c.unpacker.page(frame.GetPage())
	if err != nil {
		return domain.Page{}, err
	}
	if !frame.GetLast() {
		page.Next = "more"
	}
	return page, nil
}

func read(stream network.Stream, limit int, msg proto.Message) error {
	raw, err := talk.ReadRaw(stream, limit)
	if err != nil {
		return fmt.Errorf("reading a message: %w", err)
	}
	if err := proto.Unmarshal(raw, msg); err != nil {
		return fmt.Errorf("%w: %w", domain.ErrMalformed, err)
	}
	return nil
}

func broken(err error) error {
	return fmt.Errorf("the connection broke: %w: %w", domain.ErrOffline, err)
}

// said turns the owner's no into an error, with the owner's words.
func said(status pb.Status, reason string) error {
	kind := domain.ErrMalformed
	switch status {
	case pb.Status_STATUS_REFUSED:
		kind = domain.ErrRefused
	case pb.Status_STATUS_BUSY:
		kind = domain.ErrBusy
	case pb.Status_STATUS_VERSION:
		kind = domain.ErrVersion
	case pb.Status_STATUS_FAILED:
		kind = domain.ErrUnreadable
	case pb.Status_STATUS_ABSENT:
		kind = domain.ErrNotFound
	case pb.Status_STATUS_UNKNOWN, pb.Status_STATUS_OK:
	}
	if reason = printable(reason); reason == "" {
		return kind
	}
	return fmt.Errorf("%w: %s", kind, reason)
}

// printable keeps a peer's words from playing with the terminal that shows
// them.
func printable(text string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return -1
	}, text))
}
