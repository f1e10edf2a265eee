package domain_test

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/potluck-share/potluck/app/domain"
)

const someContent = "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"

const someToken = "0123456789abcdef0123456789abcdef"

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
		"potluck:invite/12D3KooW/" + someToken:                           {Kind: domain.LinkInvite, Peer: "12D3KooW", Token: someToken},
		"potluck:invite/12D3KooW/AAAAAAAAAAA-AAAAAAAAA_?name=Ana%20B&at=%2Fip4%2F10.0.0.2%2Ftcp%2F1&at=%2Fip6%2F%3A%3A1%2Ftcp%2F2": {
			Kind: domain.LinkInvite, Peer: "12D3KooW", Token: "AAAAAAAAAAA-AAAAAAAAA_", Name: "Ana B",
			Addresses: []string{"/ip4/10.0.0.2/tcp/1", "/ip6/::1/tcp/2"},
		},
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
		"potluck:invite/12D3/" + someToken + "?at=elsewhere&at=/a&later=x&at=/" + strings.Repeat("x", 512): {
			Kind: domain.LinkInvite, Peer: "12D3", Token: someToken, Addresses: []string{"/a"},
		},
		"potluck:invite/12D3/" + someToken + "?" + strings.Repeat("at=/a&", 200): {
			Kind: domain.LinkInvite, Peer: "12D3", Token: someToken, Addresses: slices.Repeat([]string{"/a"}, domain.MaxLinkAddresses),
		},
	} {
		if got, err := domain.ParseLink(text); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for text, say := range map[string]string{
		"http://example.org":                       "begins with potluck:",
		"":                                         "begins with potluck:",
		"potluck:":                                 "newer Potluck",
		"potluck:wish/1":                           "newer Potluck",
		"potluck:content/abc":                      "64 hex digits",
		"potluck:peer/":                            "names nobody",
		"potluck:peer//x":                          "names nobody",
		"potluck:peer/a%2Fb/x":                     "names nobody",
		"potluck:peer/a/%zz":                       "names nobody",
		"potluck:peer/a/%ff":                       "names nobody",
		"potluck:invite/":                          "not whole",
		"potluck:invite/a":                         "not whole",
		"potluck:invite/a/" + someToken[:21]:       "not whole",
		"potluck:invite//" + someToken:             "not whole",
		"potluck:invite/a b/" + someToken:          "not whole",
		"potluck:invite/a/" + someToken[:31] + "%": "not whole",
		"potluck:invite/a/" + strings.Repeat("x", domain.MaxToken+1): "not whole",
		"potluck:" + strings.Repeat("x", domain.MaxLink):             "longer than links are",
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
		"potluck:invite/12D3/" + someToken + "?name=Ana&at=/ip4/10.0.0.2/tcp/1&at=%2Fa", "potluck:invite/a/b", "potluck:invite/a/" + someToken + "?at=;",
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
		if len(link.Addresses) > domain.MaxLinkAddresses {
			t.Errorf("%q has %d addresses", text, len(link.Addresses))
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
