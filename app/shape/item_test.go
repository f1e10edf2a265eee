package shape

import (
	"errors"
	"strings"
	"testing"

	"github.com/potluck-share/potluck/app/domain"
)

const someContent = "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"

func TestParseItem(t *testing.T) {
	for item, want := range map[string]struct {
		name, path, content string
	}{
		"ana:Holiday/img 1.jpg":          {name: "ana", path: "Holiday/img 1.jpg"},
		"ana:/Holiday/":                  {name: "ana", path: "Holiday"},
		"ana:12:30.txt":                  {name: "ana", path: "12:30.txt"},
		someContent:                      {content: someContent},
		strings.ToUpper(someContent):     {content: someContent},
		"potluck:content/" + someContent: {content: someContent},
		"potluck:content/" + someContent + "?name=x&size=1": {content: someContent},
		"potluck:peer/12D3/Holiday/img%201":                 {name: "12D3", path: "Holiday/img 1"},
		"potluck2:x":                                        {name: "potluck2", path: "x"},
		someContent[1:] + ":" + someContent:                 {name: someContent[1:], path: someContent},
		strings.Repeat("g", 64) + ":" + "file":              {name: strings.Repeat("g", 64), path: "file"},
	} {
		got, name, err := ParseItem(item)
		content := ""
		if !got.Content.IsZero() {
			content = got.Content.String()
		}
		if err != nil || name != want.name || got.Path != want.path || content != want.content {
			t.Errorf("%q: %+v %q %v", item, got, name, err)
		}
	}
}

func FuzzParseItem(f *testing.F) {
	for _, seed := range []string{
		"ana:x", ":", "ana:", "potluck:", "potluck:peer/a/%2f", "potluck:peer/a/%zz", "potluck:content/" + someContent, someContent, "", "potluck:invite/a/0123456789abcdef0123456789abcdef",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, item string) {
		want, name, err := ParseItem(item)
		switch {
		case err != nil:
			if !errors.Is(err, domain.ErrUsage) {
				t.Errorf("%q: %v is no usage error", item, err)
			}
		case name == "" && want.Content.IsZero() && item != strings.Repeat("0", 64) && !strings.HasPrefix(item, "potluck:content/"+strings.Repeat("0", 64)):
			t.Errorf("%q names nothing", item)
		case name != "" && (want.Path == "" || strings.HasPrefix(want.Path, "/") || strings.HasSuffix(want.Path, "/")):
			t.Errorf("%q gives the path %q", item, want.Path)
		case strings.Contains(name, ":") || strings.Contains(name, "/") && !strings.Contains(item, "/"):
			t.Errorf("%q gives the name %q", item, name)
		}
	})
}
