package app_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

// module is the path before every import of ours.
const module = "github.com/potluck-share/potluck"

// houseFolders are all folders that lie beside main.go.
var houseFolders = []string{"app", "assets", "net", "storage", "ui"}

// A room says what the packages of a folder may import beyond the standard
// library. A name that ends in "/…" stands for the folder and all below it.
type room struct {
	name   string
	ours   []string // folders of this module
	tests  []string // folders of this module for tests only
	others []string // modules of others; anyOther leaves it to the list alone
}

// anyOther lets a room import every module that alone does not forbid it.
const anyOther = "*"

// The way of the data is one straight line each way: a click goes from ui by
// way of app to net and storage, a fact comes back on app/event. The first
// room that fits a folder counts; a folder without a room is a fault, so that
// each new one is thought about here.
var rooms = []room{
	{name: ".", ours: []string{"app"}}, // main.go
	{name: "app", ours: []string{"app/…", "net/…", "storage/…", "ui/…", "assets/…"}, others: []string{anyOther}},
	{name: "app/domain"},
	{name: "app/event", ours: []string{"app/domain"}},
	{name: "app/lab", ours: []string{"app/domain"}, others: []string{"golang.org/x/sys"}},
	{name: "app/race", others: []string{"golang.org/x/sync"}}, // which has only tests
	// Which has only tests, and speaks the protocols as an attacker does.
	{name: "app/sim", ours: []string{"app/domain", "net/…"}, others: []string{anyOther}},
	{name: "app/hostile", ours: []string{"app/domain", "net/…", "storage/content"}, others: []string{anyOther}},
	{name: "app/programs"}, // the ones that tests run
	{name: "app/desktop", others: []string{"github.com/jezek/xgb", "github.com/godbus/dbus"}},
	{name: "app/shape", ours: []string{"app/domain"}},
	{
		name: "app/command", ours: []string{"app/domain", "app/shape", "app/control", "storage/names"},
		others: []string{"github.com/spf13/cobra", "golang.org/x/term"},
	},
	useCase("app/library", "github.com/fsnotify/fsnotify"),
	useCase("app/people"),
	useCase("app/browse"),
	useCase("app/doctor"),
	useCase("app/networks"),
	useCase("app/transfers"),
	useCase("app/settings", "github.com/BurntSushi/toml"),
	useCase("app/control", "github.com/Microsoft/go-winio", "github.com/gofrs/flock"),
	protocol("net/host"),
	protocol("net/discovery"),
	protocol("net/gossip", "net/host", "net/host/complain", "net/host/talk"),
	protocol("net/catalogue", "net/host", "net/host/complain", "net/host/talk"),
	protocol("net/transfer", "net/host", "net/host/complain"),
	protocol("net/friend", "net/host", "net/host/complain", "net/host/talk"),
	protocol("net/offer", "net/host", "net/host/complain", "net/host/talk"),
	protocol("net/reach", "net/host", "net/host/talk"),
	protocol("net/whereabouts", "net/host", "net/host/talk"),
	{name: "storage/…", ours: []string{"app/domain", "storage/…"}, others: []string{anyOther}},
	{name: "assets/…"},
	// What peers call their files, and what is in them, is made safe to show where
	// it is put into words.
	{name: "ui/format", ours: []string{"app/domain", "storage/names", "ui/words"}},
	{name: "ui/preview", ours: []string{"app/domain", "storage/names"}, others: []string{"golang.org/x/image", "golang.org/x/text"}},
	{name: "ui/…", ours: []string{"app/domain", "app/event", "assets/…", "ui/…"}, others: []string{anyOther}},
}

// useCase is a room of app that knows the nouns, the bus, pure packages and
// itself, and reaches everything else through interfaces that it declares. Its tests
// use the real storage behind them.
func useCase(name string, others ...string) room {
	return room{
		name:   name + "/…",
		ours:   []string{"app/domain", "app/event", "storage/content", "storage/names", name + "/…"},
		tests:  []string{"storage/…"},
		others: append(others, "golang.org/x/sync", "golang.org/x/sys", "golang.org/x/text", "golang.org/x/time"),
	}
}

// protocol is a room of net: it knows the nouns, the pure hashing of pieces
// and itself.
func protocol(name string, ours ...string) room {
	return room{
		name:   name + "/…",
		ours:   append(ours, "app/domain", "storage/content", name+"/…"),
		others: []string{anyOther},
	}
}

// alone says which folders alone may import what, in tests too.
var alone = []struct {
	imports string
	in      []string
}{
	{"github.com/libp2p", []string{"net/…", "app/hostile", "app/sim"}},
	{"github.com/multiformats", []string{"net/…", "app/hostile"}},
	{"go.etcd.io/bbolt", []string{"storage/db/…"}},
	{"fyne.io", []string{"ui/…"}},
	{"github.com/go-gl", []string{"ui/…"}},
	{"github.com/miekg/dns", []string{"net/discovery/…"}},
	{"lukechampine.com/blake3", []string{"storage/content", "ui/widget", "app/hostile"}},
	{"github.com/spf13", []string{"app", "app/command"}},
	{"github.com/gofrs/flock", []string{"app", "app/control"}},
	{"github.com/jezek/xgb", []string{"app/desktop", "ui/desktop"}},
	{"github.com/godbus/dbus", []string{"ui/desktop", "app/desktop"}},
}

// forTests are folders that only tests may import.
var forTests = []string{"app/lab", "app/desktop", "app/race", "app/hostile", "app/sim", "app/programs"}

// testModules may be imported by tests everywhere.
var testModules = []string{"go.uber.org/goleak"}

func TestImports(t *testing.T) {
	t.Parallel()
	for _, problem := range checkHouse(t, os.DirFS("..")) {
		t.Error(problem)
	}
}

// checkHouse returns what in the module at root breaks the rules above, a line
// for each, sorted.
func checkHouse(t *testing.T, root fs.FS) []string {
	t.Helper()
	var problems []string
	packages := map[string]bool{} // folder → has a doc comment
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			base := d.Name()
			if base != "." && strings.HasPrefix(base, ".") || base == "testdata" || name == "build" {
				return fs.SkipDir
			}
			if name != "." && path.Dir(name) == "." && !slices.Contains(houseFolders, name) {
				problems = append(problems, fmt.Sprintf("%s: not a folder of the house: %v", name, houseFolders))
			}
			return nil
		}
		if path.Ext(name) != ".go" {
			return nil
		}
		code, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, code, parser.ImportsOnly|parser.ParseComments)
		if err != nil {
			return fmt.Errorf("cannot parse %s: %w", name, err)
		}
		if !strings.HasSuffix(name, "_test.go") {
			dir := path.Dir(name)
			// What is generated is documented in its source.
			packages[dir] = packages[dir] || file.Doc.Text() != "" || ast.IsGenerated(file)
		}
		problems = append(problems, checkFile(name, file)...)
		return nil
	})
	if err != nil {
		t.Fatalf("read the module: %v", err)
	}
	for dir, documented := range packages {
		if !documented {
			problems = append(problems, fmt.Sprintf("%s: package without a doc comment", dir))
		}
	}
	sort.Strings(problems)
	return problems
}

// checkFile returns what is wrong with the place and the imports of one file.
func checkFile(name string, file *ast.File) (problems []string) {
	dir := path.Dir(name)
	test := strings.HasSuffix(name, "_test.go")
	complain := func(format string, args ...any) {
		problems = append(problems, name+": "+fmt.Sprintf(format, args...))
	}
	at := slices.IndexFunc(rooms, func(r room) bool { return within(dir, r.name) })
	if at < 0 {
		complain("no room for this folder in the table of rooms")
		return problems
	}
	own := rooms[at]
	for _, spec := range file.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			complain("import %s: %v", spec.Path.Value, err)
			continue
		}
		for _, a := range alone {
			if under(imported, a.imports) && !slices.ContainsFunc(a.in, func(f string) bool { return within(dir, f) }) {
				complain("imports %s, which is for %v alone", imported, a.in)
			}
		}
		folder, ours := folderOf(imported)
		switch {
		case ours && folder == dir && test:
			// A black-box test of the package itself.
		case ours && slices.Contains(forTests, folder) && test:
		case ours && slices.Contains(forTests, folder):
			complain("imports %s, which is for tests only", folder)
		case ours && test && slices.ContainsFunc(own.tests, func(f string) bool { return within(folder, f) }):
		case ours:
			if !slices.ContainsFunc(own.ours, func(f string) bool { return within(folder, f) }) {
				complain("imports %s; %s may import %v", folder, own.name, own.ours)
			}
		case !strings.Contains(strings.SplitN(imported, "/", 2)[0], "."):
			// The standard library.
		case test && slices.ContainsFunc(testModules, func(m string) bool { return under(imported, m) }):
		case slices.Contains(own.others, anyOther):
		case !slices.ContainsFunc(own.others, func(m string) bool { return under(imported, m) }):
			complain("imports %s; of others %s may import %v", imported, own.name, own.others)
		}
	}
	return problems
}

// folderOf returns the folder in this module that an import path names.
func folderOf(imported string) (folder string, ours bool) {
	if imported == module {
		return ".", true
	}
	return strings.CutPrefix(imported, module+"/")
}

// within reports whether dir is the folder that pattern names, or below it
// where the pattern ends in "/…".
func within(dir, pattern string) bool {
	if above, ok := strings.CutSuffix(pattern, "/…"); ok {
		return under(dir, above)
	}
	return dir == pattern
}

// under reports whether name is above or lies below it.
func under(name, above string) bool {
	return name == above || strings.HasPrefix(name, above+"/")
}

// The checker itself, on modules made up for it.
func TestImportRulesAreEnforced(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, file string
		imports    string
		want       string // part of the only problem; "" for none
	}{
		{"main calls app", "main.go", module + "/app", ""},
		{"main wires a view", "main.go", module + "/ui", "imports ui"},
		{"domain stands alone", "app/domain/a.go", "time", ""},
		{"domain knows no bus", "app/domain/a.go", module + "/app/event", "imports app/event"},
		{"domain uses no module", "app/domain/a.go", "golang.org/x/text/cases", "of others app/domain may import []"},
		{"the bus knows the nouns", "app/event/a.go", module + "/app/domain", ""},
		{"the bus knows no use case", "app/event/a.go", module + "/app/library", "imports app/library"},
		{"app names every type", "app/a.go", module + "/net/transfer/fetch", ""},
		{"app speaks no libp2p", "app/a.go", "github.com/libp2p/go-libp2p/core/host", "for [net/… app/hostile app/sim] alone"},
		{"a use case hashes", "app/library/a.go", module + "/storage/content", ""},
		{"its tests do", "app/library/a_test.go", module + "/storage/db", ""},
		{"but no network", "app/library/a_test.go", module + "/net/host", "imports net/host"},
		{"a use case opens no database", "app/library/a.go", module + "/storage/db", "imports storage/db"},
		{"a use case calls no other", "app/library/a.go", module + "/app/people", "imports app/people"},
		{"a use case speaks no protocol", "app/transfers/queue/a.go", module + "/net/transfer", "imports net/transfer"},
		{"a use case chooses its modules", "app/people/a.go", "github.com/fsnotify/fsnotify", "of others app/people/… may import"},
		{"watching files", "app/library/a.go", "github.com/fsnotify/fsnotify", ""},
		{"a protocol stands on the host", "net/gossip/a.go", module + "/net/host", ""},
		{"the host knows no protocol", "net/host/a.go", module + "/net/gossip", "imports net/gossip"},
		{"discovery needs no host", "net/discovery/a.go", module + "/net/host", "imports net/host"},
		{"a protocol knows itself", "net/transfer/fetch/a.go", module + "/net/transfer/wire", ""},
		{"net verifies pieces", "net/transfer/fetch/a.go", module + "/storage/content", ""},
		{"net stores nothing", "net/transfer/fetch/a.go", module + "/storage/partial", "imports storage/partial"},
		{"net itself is empty", "net/a.go", "fmt", "no room for this folder"},
		{"storage stands on storage", "storage/partial/a.go", module + "/storage/disk", ""},
		{"storage sends nothing", "storage/partial/a.go", module + "/net/host", "imports net/host"},
		{"storage knows no use case", "storage/db/a.go", module + "/app/library", "imports app/library"},
		{"the database is one room's", "storage/partial/a.go", "go.etcd.io/bbolt", "for [storage/db/…] alone"},
		{"not even in tests", "storage/partial/a_test.go", "go.etcd.io/bbolt", "for [storage/db/…] alone"},
		{"the database room", "storage/db/a.go", "go.etcd.io/bbolt", ""},
		{"a view shows nouns", "ui/people/a.go", module + "/app/domain", ""},
		{"a view calls no use case by type", "ui/people/a.go", module + "/app/people", "imports app/people"},
		{"a view speaks no libp2p", "ui/people/a.go", "github.com/libp2p/go-libp2p/core/peer", "for [net/… app/hostile app/sim] alone"},
		{"Fyne is for the window", "app/a.go", "fyne.io/fyne/v2", "for [ui/…] alone"},
		{"what is asked of the desktop", "ui/desktop/a.go", "github.com/godbus/dbus/v5", ""},
		{"no other view asks it", "ui/people/a.go", "github.com/jezek/xgb", "for [app/desktop ui/desktop] alone"},
		{"DNS is for discovery", "net/host/a.go", "github.com/miekg/dns", "for [net/discovery/…] alone"},
		{"a module whose name only begins alike", "net/host/a.go", "github.com/miekg/dnsfmt", ""},
		{"one way to hash", "storage/partial/a.go", "lukechampine.com/blake3/guts", "for [storage/content ui/widget app/hostile] alone"},
		{"assets are bytes", "assets/a.go", "fyne.io/fyne/v2", "for [ui/…] alone"},
		{"the lab is for tests", "app/a.go", module + "/app/lab", "for tests only"},
		{"a test uses the lab", "net/discovery/a_test.go", module + "/app/lab", ""},
		{"a test of the package itself", "app/lab/a_test.go", module + "/app/lab", ""},
		{"tests look for leaks", "app/people/a_test.go", "go.uber.org/goleak", ""},
		{"others do not", "app/people/a.go", "go.uber.org/goleak", "of others app/people/… may import"},
		{"an unknown room", "app/jobs/a.go", "fmt", "no room for this folder"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			code := fmt.Sprintf("// Package p is documented.\npackage p\n\nimport _ %q\n", tt.imports)
			problems := checkHouse(t, fstest.MapFS{tt.file: {Data: []byte(code)}})
			// Both tables may forbid one import.
			problems = slices.DeleteFunc(problems, func(p string) bool {
				return tt.want != "" && len(problems) > 1 && !strings.Contains(p, tt.want)
			})
			switch {
			case tt.want == "" && len(problems) > 0:
				t.Errorf("%s importing %s: %q, want no problem", tt.file, tt.imports, problems)
			case tt.want != "" && (len(problems) != 1 || !strings.Contains(problems[0], tt.want)):
				t.Errorf("%s importing %s: %q, want one with %q", tt.file, tt.imports, problems, tt.want)
			}
		})
	}
}

func TestHouseRulesAreEnforced(t *testing.T) {
	t.Parallel()
	bare, documented := []byte("package p\n"), []byte("// Package p is documented.\npackage p\n")
	problems := checkHouse(t, fstest.MapFS{
		"main.go":                     {Data: documented},
		"app/browse/a.go":             {Data: bare},
		"app/people/a.go":             {Data: bare},
		"app/people/doc.go":           {Data: documented},
		"net/host/pb/a.pb.go":         {Data: []byte("// Code generated by protoc-gen-go. DO NOT EDIT.\n\npackage pb\n")},
		"app/browse/testdata/x/x.go":  {Data: []byte("not Go")},
		"build/module/x.go":           {Data: bare},
		".git/hooks/x.go":             {Data: bare},
		"internal/util/a.go":          {Data: documented},
		"docs/a.md":                   {},
		"assets/translations/en.json": {},
	})
	want := []string{
		"app/browse: package without a doc comment",
		"docs: not a folder of the house: [app assets net storage ui]",
		"internal/util/a.go: no room for this folder in the table of rooms",
		"internal: not a folder of the house: [app assets net storage ui]",
	}
	if !slices.Equal(problems, want) {
		t.Errorf("problems:\n%s\nwant:\n%s", strings.Join(problems, "\n"), strings.Join(want, "\n"))
	}
}
