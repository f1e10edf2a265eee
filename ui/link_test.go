//go:build !preview

package ui

import (
	"context"
	"errors"
	"testing"

	"github.com/potluck-share/potluck/app/domain"
)

func TestALinkOnlyAsks(t *testing.T) {
	ana := domain.Peer{ID: "12D3KooWpeer0", Name: "Ana", Online: true}
	from := []domain.Provider{{Peer: ana.ID, Name: "Ana", Online: true}}
	away := []domain.Provider{{Peer: ana.ID, Name: "Ana"}}
	content := domain.Link{Kind: domain.LinkContent, Content: domain.ContentID{1}}
	folder := domain.Link{Kind: domain.LinkPeer, Peer: string(ana.ID), Path: "Holiday"}
	all := domain.Link{Kind: domain.LinkPeer, Peer: string(ana.ID)}
	for _, c := range []struct {
		target                  domain.LinkTarget
		question, facts, button string
		calls                   []string
	}{
		{
			domain.LinkTarget{Link: folder, Owner: ana, Name: "Holiday", Size: 3_100_000_000, Folder: true, Files: 214, Providers: from},
			"Download Holiday from Ana?", "214 files · 3.1 GB", "Download",
			[]string{"get Holiday from 12D3KooWpeer0"},
		},
		{
			domain.LinkTarget{Link: content, Name: "Talk.mp4", Size: 5_000_000, Providers: away},
			"Download Talk.mp4 from Ana?", "5.0 MB\nIt begins when Ana is back.", "Download", nil,
		},
		{
			domain.LinkTarget{Link: content, Size: -1},
			"Download an unnamed file?", "Nobody who has this is here.", "Download", nil,
		},
		{
			domain.LinkTarget{Link: all, Owner: ana, Name: "Ana", Size: 12, Folder: true, Files: 1},
			"Open what Ana shares?", "1 file · 12 B", "Open", nil,
		},
		{
			domain.LinkTarget{Link: content, Name: "Talk.mp4", Size: 5, Here: "/home/mira/Talk.mp4", Providers: from},
			"You already have Talk.mp4.", "/home/mira", "Show in folder", nil,
		},
	} {
		t.Run(c.question, func(t *testing.T) {
			w, f := newTestWindow(t)
			f.link = func(_ context.Context, text string) (domain.LinkTarget, error) {
				if text != "potluck:x" {
					t.Errorf("asked about %q", text)
				}
				return c.target, nil
			}
			if question, facts := linkWords(c.target); question != c.question || facts != c.facts {
				t.Errorf("asks %q with %q", question, facts)
			}
			w.link("potluck:x")
			s := sheet(t, w)
			wantCalls(t, f)
			if got := s.Buttons()[0].Text(); got != c.button {
				t.Errorf("the button says %q", got)
			}
			s.Cancel()
			wantCalls(t, f)
			if c.button == "Show in folder" {
				return
			}
			w.link("potluck:x")
			sheet(t, w).Buttons()[0].OnTapped()
			switch {
			case c.button == "Open" && w.page != pageBrowse, c.button == "Download" && w.page != pageTransfers:
				t.Errorf("page %d", w.page)
			case c.calls != nil:
				wantCalls(t, f, c.calls...)
			}
		})
	}
}

func TestALinkThatLeadsNowhere(t *testing.T) {
	w, f := newTestWindow(t)
	f.link = func(context.Context, string) (domain.LinkTarget, error) {
		return domain.LinkTarget{}, errors.New("nobody around is called Ana")
	}
	w.link("potluck:x")
	if w.win.Canvas().Overlays().Top() != nil {
		t.Error("a question about nothing")
	}
	if len(w.notices.keys) != 1 {
		t.Error("nothing is said")
	}
}
