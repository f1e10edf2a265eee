package words_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/potluck-share/potluck/assets"
	"github.com/potluck-share/potluck/ui/words"
)

// A use is a place in the code that names a form.
type use struct {
	form   string
	plural bool
	at     string
}

// speakers are the functions that take a form, by the place of that argument.
var speakers = map[string]int{
	"words.T": 0, "words.N": 0, "T": 0, "N": 0,
	"domain.Say": 0, "domain.Fault": 1, "Say": 0, "Fault": 1,
}

// usesOf finds all forms in the code of the window and of the core.
func usesOf(t *testing.T) []use {
	t.Helper()
	var uses []use
	for _, form := range words.Toolkit {
		uses = append(uses, use{form: form, at: "the toolkit"})
	}
	set := token.NewFileSet()
	for _, root := range []string{"../../ui", "../../app", "../../net", "../../storage"} {
		err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
				return nil
			}
			file, err := parser.ParseFile(set, name, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				name := speaker(call.Fun, file.Name.Name)
				at, ok := speakers[name]
				if !ok || len(call.Args) <= at {
					return true
				}
				place := set.Position(call.Pos()).String()
				form, ok := literal(call.Args[at])
				if !ok {
					if !passes(call, file) {
						t.Errorf("%s: a form must be a literal, so that it can be translated", place)
					}
					return true
				}
				uses = append(uses, use{form, strings.HasSuffix(name, "N"), place})
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return uses
}

// speaker returns the called function's name: with its package, or alone
// inside that package.
func speaker(fun ast.Expr, in string) string {
	switch f := fun.(type) {
	case *ast.SelectorExpr:
		if x, ok := f.X.(*ast.Ident); ok {
			return x.Name + "." + f.Sel.Name
		}
	case *ast.Ident:
		if in == "words" && (f.Name == "T" || f.Name == "N") || in == "domain" && (f.Name == "Say" || f.Name == "Fault") {
			return f.Name
		}
	}
	return ""
}

// literal returns the text of a string literal, or of several with plus
// between them.
func literal(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		if e.Kind != token.STRING {
			return "", false
		}
		text, err := strconv.Unquote(e.Value)
		return text, err == nil
	case *ast.BinaryExpr:
		left, ok := literal(e.X)
		right, also := literal(e.Y)
		return left + right, ok && also && e.Op == token.ADD
	}
	return "", false
}

// passes reports whether a call inside package words or domain hands on the
// form that its own caller has given.
func passes(_ *ast.CallExpr, file *ast.File) bool {
	return file.Name.Name == "words" || file.Name.Name == "domain"
}

var verb = regexp.MustCompile(`%(\[\d+\])?[a-z%]`)

// arguments returns which arguments a text puts in, in order.
func arguments(text string) []string {
	var args []string
	for _, v := range verb.FindAllStringSubmatch(text, -1) {
		if v[0] == "%%" {
			continue
		}
		n := strconv.Itoa(len(args) + 1)
		if v[1] != "" {
			n = strings.Trim(v[1], "[]")
		}
		args = append(args, n)
	}
	slices.Sort(args)
	return args
}

// Every form is there in every language with the same arguments, and no
// translation is left of a form that is gone.
func TestEveryFormIsTranslated(t *testing.T) {
	uses := usesOf(t)
	if len(uses) < 20 {
		t.Fatalf("only %d forms were found: is the code where this test looks for it?", len(uses))
	}
	for _, language := range words.Languages {
		texts, err := words.Texts(language)
		if err != nil {
			t.Fatal(err)
		}
		used := make(map[string]bool)
		for _, u := range uses {
			used[u.form] = true
			text, known := texts[u.form]
			switch {
			case u.plural:
				forms, _ := text.(map[string]any)
				for _, key := range []string{"one", "other"} {
					checkArguments(t, language, u, forms[key])
				}
			case language == words.English && known:
				t.Errorf("%s: the form %q depends on no number, so it is its own English", u.at, u.form)
			case language != words.English:
				checkArguments(t, language, u, text)
			}
		}
		for form := range texts {
			if !used[form] {
				t.Errorf("%s: nothing says %q any more", language, form)
			}
		}
	}
}

func checkArguments(t *testing.T, language string, u use, text any) {
	t.Helper()
	words, ok := text.(string)
	if !ok || words == "" {
		t.Errorf("%s: %q is not translated into %q", u.at, u.form, language)
		return
	}
	if got, want := arguments(words), arguments(u.form); !slices.Equal(got, want) {
		t.Errorf("%s: %q puts in the arguments %v, %q has %v", language, words, got, u.form, want)
	}
	if strings.Contains(words, "{{") {
		t.Errorf("%s: %q holds {{, which the library takes for a template", language, words)
	}
}

// A form in two files could mean two things.
func TestEveryFormStandsInOneFile(t *testing.T) {
	files, err := assets.Translations.ReadDir("lang")
	if err != nil {
		t.Fatal(err)
	}
	key := regexp.MustCompile(`(?m)^  "((?:[^"\\]|\\.)*)": `)
	for _, language := range words.Languages {
		where := make(map[string]string)
		for _, f := range files {
			if !strings.HasSuffix(f.Name(), "."+language+".json") {
				continue
			}
			data, err := os.ReadFile(filepath.Join("../../assets/lang", f.Name()))
			if err != nil {
				t.Fatal(err)
			}
			for _, found := range key.FindAllStringSubmatch(string(data), -1) {
				if before, twice := where[found[1]]; twice {
					t.Errorf("%q stands in %s and in %s; words both need belong into words.%s.json", found[1], before, f.Name(), language)
				}
				where[found[1]] = f.Name()
			}
		}
	}
}
