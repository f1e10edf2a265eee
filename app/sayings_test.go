package app_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestFormsAreWrittenOut finds every form of a saying in the source, as those
// who translate them do: it must be a literal, with %s for each argument.
func TestFormsAreWrittenOut(t *testing.T) {
	t.Parallel()
	verbs := regexp.MustCompile(`%.?`)
	files, found := token.NewFileSet(), 0
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && d.Name() == "build" {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			args, ok := formOf(call)
			if !ok || filepath.Base(path) == "saying.go" || filepath.Base(path) == "fault.go" {
				return true // they hand on what they are given
			}
			found++
			literal, ok := args[0].(*ast.BasicLit)
			if !ok || literal.Kind != token.STRING || call.Ellipsis.IsValid() {
				t.Errorf("%v: the form of the saying is not a literal", files.Position(call.Pos()))
				return true
			}
			form, err := strconv.Unquote(literal.Value)
			if err != nil {
				t.Error(err)
			}
			puts := 0
			for _, verb := range verbs.FindAllString(form, -1) {
				if verb == "%s" {
					puts++
				} else if verb != "%%" {
					t.Errorf("%v: the form %q has %q", files.Position(call.Pos()), form, verb)
				}
			}
			if puts != len(args)-1 || puts > 5 || puts == 0 && strings.Contains(form, "%") {
				t.Errorf("%v: the form %q takes %d of %d arguments", files.Position(call.Pos()), form, puts, len(args)-1)
			}
			return true
		})
		return nil
	})
	if err != nil || found < 50 {
		t.Errorf("%d forms were found, %v", found, err)
	}
}

// formOf returns the form and the arguments of a call that makes a saying.
func formOf(call *ast.CallExpr) ([]ast.Expr, bool) {
	name := ""
	switch f := call.Fun.(type) {
	case *ast.Ident:
		name = f.Name
	case *ast.SelectorExpr:
		if of, ok := f.X.(*ast.Ident); ok && of.Name == "domain" {
			name = f.Sel.Name
		}
	}
	switch {
	case name == "Say" && len(call.Args) > 0:
		return call.Args, true
	case name == "Fault" && len(call.Args) > 1:
		return call.Args[1:], true
	default:
		return nil, false
	}
}
