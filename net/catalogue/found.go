package catalogue

import (
	"fmt"

	"github.com/potluck-share/potluck/app/domain"
)

// Pack packs entries that somebody asked for into at most so many bytes; of too
// many, the first half, or the first of that. The error is that of the packing; if
// not even one entry fits, it is domain.ErrTooLarge.
func (c *Client) Pack(entries []domain.Entry, most int) ([]byte, error) {
	page := domain.Page{Full: true}
	for i := range entries {
		page.Changes = append(page.Changes, domain.Change{Path: entries[i].Path, Entry: &entries[i]})
	}
	for ; len(page.Changes) > 0; page.Changes = page.Changes[:len(page.Changes)/2] {
		raw, err := encode(page)
		if err != nil {
			return nil, err
		}
		if packed := c.packer.EncodeAll(raw, nil); len(packed) <= most {
			return packed, nil
		}
	}
	return nil, fmt.Errorf("entries in %d bytes: %w", most, domain.ErrTooLarge)
}

// PackChanges packs a page of changes into at most so many bytes; nothing if they
// do not fit.
func (c *Client) PackChanges(page domain.Page, most int) []byte {
	raw, err := encode(page)
	if err != nil || len(page.Changes) == 0 {
		return nil
	}
	packed := c.packer.EncodeAll(raw, nil)
	if len(packed) > most {
		return nil
	}
	return packed
}

// UnpackChanges returns the page in what PackChanges packed, checked. An error wraps
// domain.ErrMalformed or domain.ErrTooLarge.
func (c *Client) UnpackChanges(packed []byte) (domain.Page, error) {
	page, err := c.unpacker.page(packed)
	if err == nil && page.Full {
		err = fmt.Errorf("changes that are a whole list: %w", domain.ErrMalformed)
	}
	return page, err
}

// Unpack returns the entries in what somebody else packed, up to MostFound of
// them, checked. An error wraps domain.ErrMalformed or domain.ErrTooLarge.
func (c *Client) Unpack(packed []byte) ([]domain.Entry, error) {
	page, err := c.unpacker.page(packed)
	if err != nil {
		return nil, err
	}
	var entries []domain.Entry
	for _, change := range page.Changes[:min(len(page.Changes), MostFound)] {
		if change.Entry != nil {
			entries = append(entries, *change.Entry)
		}
	}
	return entries, nil
}
