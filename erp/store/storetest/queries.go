package storetest

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"comptoir/erp/store"
)

// Query is a query found in a source file.
type Query struct {
	Text string
	At   string // file and line
}

// Queries finds the queries in the Go files of folders, tests left out: the
// string constants that begin with SELECT, INSERT INTO, UPDATE, DELETE FROM or
// WITH, and the sums of such a constant and others. A named constant that is
// part of a sum is no query of its own. A sum with a part that is not
// constant, as where store.In makes it, is left out: the tests of its package
// run it.
//
//	func TestQueriesRunOnBothDatabases(t *testing.T) {
//		queries := storetest.Queries(t, ".", "../ledger")
//		storetest.Each(t, func(t *testing.T, db *store.DB) { storetest.Prepare(t, db, queries) })
//	}
func Queries(t testing.TB, folders ...string) []Query {
	t.Helper()
	var found []Query
	for _, folder := range folders {
		f := finder{files: token.NewFileSet(), constants: map[string]ast.Expr{}, parts: map[string]bool{}}
		if err := f.read(folder); err != nil {
			t.Fatal(err)
		}
		found = append(found, f.find()...)
	}
	if len(found) == 0 {
		t.Fatalf("no queries in %v", folders)
	}
	return found
}

// Prepare has the database prepare each query, which finds words, tables,
// columns and types that it does not know. The queries are not run.
func Prepare(t *testing.T, db *store.DB, queries []Query) {
	t.Helper()
	for _, q := range queries {
		if err := db.Prepare(t.Context(), q.Text); err != nil {
			t.Errorf("%s: %v\n%s", q.At, err, q.Text)
		}
	}
}

// finder looks for queries in one package.
type finder struct {
	files     *token.FileSet
	parsed    []*ast.File
	constants map[string]ast.Expr // of the package, by name
	parts     map[string]bool     // the constants that sums are made of
}

func (f *finder) read(folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(f.files, filepath.Join(folder, e.Name()), nil, parser.SkipObjectResolution)
		if err != nil {
			return fmt.Errorf("look for queries: %w", err)
		}
		f.parsed = append(f.parsed, file)
		f.collect(file)
	}
	return nil
}

// collect notes the constants of a file and which of them are parts of sums.
// Those of functions count too: a name rarely means two things within one
// package, and then a query is missed or prepared twice, no more.
func (f *finder) collect(file *ast.File) {
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BinaryExpr:
			for _, side := range []ast.Expr{n.X, n.Y} {
				if name, ok := side.(*ast.Ident); ok {
					f.parts[name.Name] = true
				}
			}
		case *ast.GenDecl:
			if n.Tok != token.CONST {
				return true
			}
			for _, spec := range n.Specs {
				value := spec.(*ast.ValueSpec)
				for i, name := range value.Names {
					if i < len(value.Values) {
						f.constants[name.Name] = value.Values[i]
					}
				}
			}
		}
		return true
	})
}

func (f *finder) find() []Query {
	incomplete := map[ast.Expr]bool{}
	for name := range f.parts {
		incomplete[f.constants[name]] = true
	}
	found := map[string]Query{}
	for _, file := range f.parsed {
		ast.Inspect(file, func(n ast.Node) bool {
			expr, ok := n.(ast.Expr)
			if !ok {
				return true
			}
			_, literal := expr.(*ast.BasicLit)
			_, sum := expr.(*ast.BinaryExpr)
			if (literal || sum) && !incomplete[expr] {
				if text, ok := f.eval(expr, 0); ok && isQuery(text) {
					at := f.files.Position(expr.Pos())
					found[text] = Query{Text: text, At: fmt.Sprintf("%s:%d", at.Filename, at.Line)}
				}
			}
			return !sum // its parts are no queries
		})
	}
	return slices.SortedFunc(maps.Values(found), func(a, b Query) int { return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Text, b.Text)) })
}

// eval returns the text of an expression that is constant. Constants may be
// made of others; depth stops a file that does not compile.
func (f *finder) eval(expr ast.Expr, depth int) (string, bool) {
	if depth > 20 {
		return "", false
	}
	switch e := expr.(type) {
	case *ast.BasicLit:
		if e.Kind != token.STRING {
			return "", false
		}
		text, err := strconv.Unquote(e.Value)
		return text, err == nil
	case *ast.Ident:
		if value, ok := f.constants[e.Name]; ok {
			return f.eval(value, depth+1)
		}
	case *ast.ParenExpr:
		return f.eval(e.X, depth+1)
	case *ast.BinaryExpr:
		x, ok1 := f.eval(e.X, depth+1)
		y, ok2 := f.eval(e.Y, depth+1)
		return x + y, ok1 && ok2 && e.Op == token.ADD
	}
	return "", false
}

// isQuery tells a query from other texts by its first words. A text with a
// verb of fmt in it is completed elsewhere.
func isQuery(text string) bool {
	words := strings.Fields(text)
	if len(words) < 3 || strings.Contains(text, "%s") || strings.Contains(text, "%d") {
		return false
	}
	switch words[0] {
	case "SELECT", "WITH", "UPDATE":
		return true
	case "INSERT":
		return words[1] == "INTO"
	case "DELETE":
		return words[1] == "FROM"
	default:
		return false
	}
}
