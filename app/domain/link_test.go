package domain_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/potluck-share/potluck/app/domain"
)

const someContent = "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"

func contentOf(t testing.TB, text string) domain.ContentID {
	t.Helper()
	id, err := domain.ParseContentID(text)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestLinksAreReadAsTheyAreWritten(t *testing.T) {
	id := contentOf(t, someContent)
	for text, want := range map[string]domain.Link{
		"potluck:content/" + someContent:                                 {Kind: domain.LinkContent, Content: id},
		"potluck:content/" + someContent + "?name=img%20%231.jpg&size=9": {Kind: domain.LinkContent, Content: id, Name: "img #1.jpg", Size: 9},
		"potluck:content/" + someContent + "?size=9":                     {Kind: domain.LinkContent, Content: id, Size: 9},
		"potluck:content/" + someContent + "?name=a%26b%3Dc%2B%C3%B6":    {Kind: domain.LinkContent, Content: id, Name: "a&b=c+ö"},
		"potluck:peer/12D3KooW/Holiday/img%201%3F%23%25.jpg":             {Kind: domain.LinkPeer, Peer: "12D3KooW", Path: "Holiday/img 1?#%.jpg"},
		"potluck:peer/12D3KooW/%27%29%3B%24%28x":                         {Kind: domain.LinkPeer, Peer: "12D3KooW", Path: "');$(x"},
		"potluck:peer/12D3KooW":                                          {Kind: domain.LinkPeer, Peer: "12D3KooW"},
		"potluck:peer/Ana%20B/x":                                         {Kind: domain.LinkPeer, Peer: "Ana B", Path: "x"},
	} {
		got, err := domain.ParseLink(text)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
		if again := want.String(); again != text {
			t.Errorf("%+v is written as\n%s, want\n%s", want, again, text)
		}
	}
}

func TestLinksByHand(t *testing.T) {
	id := contentOf(t, someContent)
	for text, want := range map[string]domain.Link{
		"potluck:content/" + strings.ToUpper(someContent):            {Kind: domain.LinkContent, Content: id},
		"potluck:content/" + someContent + "?size=-1&later=x&name=%": {Kind: domain.LinkContent, Content: id},
		"potluck:content/" + someContent + "?size=1e99&name=a+b":     {Kind: domain.LinkContent, Content: id, Name: "a b"},
		"potluck:peer/12D3//Holiday/":                                {Kind: domain.LinkPeer, Peer: "12D3", Path: "Holiday"},
		"potluck:peer/12D3/Holiday?later=x":                          {Kind: domain.LinkPeer, Peer: "12D3", Path: "Holiday"},
	} {
		if got, err := domain.ParseLink(text); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for text, say := range map[string]string{
		"http://example.org":   "begins with potluck:",
		"":                     "begins with potluck:",
		"potluck:":             "newer Potluck",
		"potluck:wish/1":       "newer Potluck",
		"potluck:content/abc":  "64 hex digits",
		"potluck:peer/":        "names nobody",
		"potluck:peer//x":      "names nobody",
		"potluck:peer/a%2Fb/x": "names nobody",
		"potluck:peer/a/%zz":   "names nobody",
		"potluck:peer/a/%ff":   "names nobody",
		"potluck:" + strings.Repeat("x", domain.MaxLink): "longer than links are",
	} {
		if _, err := domain.ParseLink(text); !errors.Is(err, domain.ErrUsage) || !strings.Contains(err.Error(), say) || len(err.Error()) > 300 {
			t.Errorf("%.40s: %v", text, err)
		}
	}
}

func TestALongNameIsLeftOutOfALink(t *testing.T) {
	link := domain.Link{Kind: domain.LinkContent, Content: contentOf(t, someContent), Name: strings.Repeat("ö", domain.MaxLink/6), Size: 7}
	got, err := domain.ParseLink(link.String())
	link.Name = ""
	if err != nil || !reflect.DeepEqual(got, link) {
		t.Errorf("%+v, %v", got, err)
	}
}

func FuzzParseLink(f *testing.F) {
	for _, seed := range []string{
		"potluck:content/" + someContent + "?name=a&size=5", "potluck:peer/12D3/Holiday/img%201", "potluck:peer/a/%2f", "potluck:peer/%2e/..",
		"potluck:wish/1", "potluck:", "x", "potluck:content/" + someContent + "?name=%ff&name=b;size=1",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		link, err := domain.ParseLink(text)
		if err != nil {
			if !errors.Is(err, domain.ErrUsage) || !reflect.DeepEqual(link, domain.Link{}) {
				t.Errorf("%q: %+v, %v", text, link, err)
			}
			return
		}
		if link.Kind == domain.LinkPeer && (link.Peer == "" || strings.ContainsAny(link.Peer, ":/")) {
			t.Errorf("%q names %q", text, link.Peer)
		}
		again := link.String()
		if len(again) > domain.MaxLink {
			return // escaping made it longer
		}
		got, err := domain.ParseLink(again)
		for strings.Contains(link.Path, "//") { // there are no nameless folders
			link.Path = strings.ReplaceAll(link.Path, "//", "/")
		}
		if err != nil || !reflect.DeepEqual(got, link) {
			t.Errorf("%q is %+v, is written as %q, is %+v (%v)", text, link, again, got, err)
		}
	})
}
