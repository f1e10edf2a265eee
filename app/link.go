package app

import (
	"cmp"
	"context"
	"errors"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/potluck-share/potluck/app/domain"
	"github.com/potluck-share/potluck/storage/names"
)

// target tells what is known of what a link names; for up to 5 s somebody may
// still be arriving. The error is domain.ErrNotFound if it names somebody who
// is not known, or what they do not share. That nobody is known to have a
// content is none: whoever is around can be asked.
func (n *node) target(ctx context.Context, link domain.Link) (domain.LinkTarget, error) {
	wait, cancel := context.WithTimeout(ctx, lookup)
	defer cancel()
	if link.Kind == domain.LinkContent {
		return n.contentTarget(wait, link), ctx.Err()
	}
	if link.Kind == domain.LinkInvite {
		return n.inviteTarget(link), nil
	}
	if domain.PeerID(link.Peer) == n.host.ID() {
		return n.ownTarget(link)
	}
	who, err := n.find(wait, link.Peer)
	switch {
	case errors.Is(err, domain.ErrNotFound):
		return domain.LinkTarget{}, domain.Fault(domain.ErrNotFound, "whoever shares this has never been seen here")
	case err != nil:
		return domain.LinkTarget{}, err
	}
	if link.Path == "" {
		who = n.announced(wait, who)
		return domain.LinkTarget{Link: link, Owner: who, Name: who.Name, Size: who.Bytes, Folder: true, Files: who.Entries}, nil
	}
	for {
		entries, folder, err := n.browse.Below(who.ID, link.Path)
		if err == nil {
			return n.sharedTarget(link, who, entries, folder), nil
		}
		if !errors.Is(err, domain.ErrNotFound) || !rest(wait) {
			return domain.LinkTarget{}, err
		}
	}
}

// announced returns what is known of a peer once it has announced how much it
// shares: its list may be here a moment before.
func (n *node) announced(wait context.Context, who domain.Peer) domain.Peer {
	for {
		if now, ok := n.people.Peer(who.ID); ok {
			who = now
		}
		if who.Entries > 0 || !who.Online {
			return who
		}
		if rows, err := n.browse.List(wait, who.ID, ""); err != nil || len(rows) == 0 || !rest(wait) {
			return who
		}
	}
}

// inviteTarget describes who invites: as known here, else by the name that the
// invitation says.
func (n *node) inviteTarget(link domain.Link) domain.LinkTarget {
	t := domain.LinkTarget{Link: link, Size: -1}
	if domain.PeerID(link.Peer) == n.host.ID() {
		t.Own, t.Name = true, n.settings.Values().Name
		t.Owner = domain.Peer{ID: n.host.ID(), Name: t.Name, Online: true}
		return t
	}
	t.Owner, _ = n.people.Peer(domain.PeerID(link.Peer))
	if t.Owner.Name == "" {
		t.Owner.Name = cmp.Or(names.Nickname(link.Name), "somebody "+t.Owner.ID.Short())
	}
	t.Name = t.Owner.Name
	return t
}

// contentTarget waits for somebody to be known who has the content.
func (n *node) contentTarget(wait context.Context, link domain.Link) domain.LinkTarget {
	for {
		t := n.contentNow(link)
		if len(t.Providers) > 0 || t.Here != "" || !rest(wait) {
			return t
		}
	}
}

func (n *node) contentNow(link domain.Link) domain.LinkTarget {
	t := domain.LinkTarget{Link: link, Name: strings.TrimSpace(names.Display(link.Name)), Size: -1, Files: 1}
	if link.Size > 0 {
		t.Size = link.Size
	}
	var entry domain.Entry
	if t.Providers, entry = n.browse.Providers(link.Content); len(t.Providers) > 0 {
		t.Name, t.Size = names.Display(path.Base(entry.Path)), entry.Size
	}
	if t.Here = n.where(link.Content); t.Here != "" {
		t.Name = names.Display(filepath.Base(t.Here))
		if info, err := os.Stat(t.Here); err == nil {
			t.Size = info.Size()
		}
	}
	return t
}

// sharedTarget describes what somebody shares.
func (n *node) sharedTarget(link domain.Link, who domain.Peer, entries []domain.Entry, folder bool) domain.LinkTarget {
	t := domain.LinkTarget{
		Link: link, Owner: who, Name: names.Display(path.Base(link.Path)), Folder: folder,
		Providers: []domain.Provider{{Peer: who.ID, Name: who.Name, Path: link.Path, Online: who.Online}},
	}
	for _, e := range entries {
		if !e.Folder {
			t.Files++
			t.Size += e.Size
		}
	}
	if folder || len(entries) != 1 {
		return t
	}
	others, _ := n.browse.Providers(entries[0].Content)
	for _, p := range others {
		if p.Peer != who.ID {
			t.Providers = append(t.Providers, p)
		}
	}
	slices.SortStableFunc(t.Providers, func(a, b domain.Provider) int {
		switch {
		case a.Online == b.Online:
			return 0
		case a.Online:
			return -1
		default:
			return 1
		}
	})
	t.Here = n.where(entries[0].Content)
	return t
}

// ownTarget describes what this user shares: the link came home.
func (n *node) ownTarget(link domain.Link) (domain.LinkTarget, error) {
	t := domain.LinkTarget{
		Link: link, Owner: domain.Peer{ID: n.host.ID(), Name: n.settings.Values().Name, Online: true},
		Name: names.Display(path.Base(link.Path)), Size: -1,
	}
	if t.Here = n.ownPath(link.Path); t.Here == "" {
		return t, domain.Fault(domain.ErrNotFound, "you share nothing called %s", t.Name)
	}
	if info, err := os.Stat(t.Here); err == nil && !info.IsDir() {
		t.Size, t.Files = info.Size(), 1
	} else {
		t.Folder = true
	}
	return t, nil
}

// ownPath returns where an entry of the own shares lies, "" if nothing is
// there.
func (n *node) ownPath(entry string) string {
	name, below, _ := strings.Cut(entry, "/")
	for _, s := range n.library.Shares() {
		if s.Name != name || below != "" && !filepath.IsLocal(filepath.FromSlash(below)) {
			continue
		}
		at := filepath.Join(s.Path, filepath.FromSlash(below))
		if _, err := os.Stat(at); err == nil {
			return at
		}
	}
	return ""
}
