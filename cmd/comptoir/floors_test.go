package main

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// room is a package and where it stands. Imports run downwards only: a package
// may import what stands strictly lower. Heights are tens for the floors of
// the house, with units where a floor has steps.
type room struct {
	path   string
	height int
	why    string
}

const module = "comptoir/"

var rooms = []room{
	{"cmd/comptoir", 50, "the command line wires everything and is imported by nothing"},
	{"cmd/internal/web", 40, "pages and API stand on the engine"},
	{"cmd/internal/daemon", 41, "starts and stops what stands below"},
	{"cmd/internal/hooks", 40, "takes what shops send, and hands it on"},
	{"cmd/internal/engine", 30, "the only place that orders writes across the houses"},
	{"cmd/internal/render", 30, "prints reports and decides nothing about them"},
	{"cmd/internal/config", 30, "knows the connectors and the books, not the engine"},

	{"connectors/all", 29, "lists the connectors"},
	{"connectors/woocommerce", 25, "a dialect: it translates and decides nothing"},
	{"connectors/shopify", 25, "a dialect: it translates and decides nothing"},
	{"connectors/sandbox/sandboxtest", 25, "a sandbox as the subject of the suite, for tests"},
	{"connectors/sandbox", 24, "speaks the dialects without using their code, so that it can prove them wrong"},
	{"connectors/conformance", 23, "what every connector passes; it knows none of them"},
	{"connectors/rest", 22, "transport shared by the dialects"},
	{"connectors/schema", 21, "what a platform publishes about its own interface, for those who must keep to it"},
	{"connectors", 10, "what a storefront is"},

	{"erp", 25, "opens the one transaction over its features"},
	{"erp/exports/exportstest", 27, "compares exports with reports, for tests"},
	{"erp/documents", 26, "read-only: what invoices and credit notes state"},
	{"erp/exports", 26, "read-only: the books for other programs"},
	{"erp/reports", 25, "read-only: it takes a store.Reader"},
	{"erp/sales", 19, "orders: they use stock, contacts, taxes and accounts"},
	{"erp/payouts", 19, "payouts: they use the accounts"},
	{"erp/purchasing", 19, "purchases use the same"},
	{"erp/tasks", 19, "work for people, opened by the features"},
	{"erp/inventory", 17, "stock knows the catalogue and the accounts"},
	{"erp/crm", 17, "contacts know nothing of sales"},
	{"erp/tax", 17, "tax facts know the accounts"},
	{"erp/catalog", 15, "the ground of the features"},
	{"erp/ledger", 15, "the ground of the features"},
	{"erp/completeness", 15, "counts orders, and reads them only"},
	{"erp/outbox", 15, "the ground of the features"},
	{"erp/store/storetest", 5, "a database for tests"},
	{"erp/store", 4, "the database; it knows no feature"},
	{"erp/intake", 3, "pure data"},
	{"erp/quantity", 2, "a number"},
	{"erp/money", 2, "a number"},
	{"erp/fault", 1, "kinds of error"},

	{"syncstate", 10, "imports nothing of ours"},
}

// shared is what one house may see of another.
var shared = map[string][]string{
	"connectors": {"erp/intake", "erp/money"},
}

// houses are closed to each other; what stands above may use all three.
func house(path string) string {
	top, _, _ := strings.Cut(path, "/")
	if top == "cmd" {
		return ""
	}
	return top
}

func find(path string) (room, bool) {
	for _, r := range rooms {
		if r.path == path {
			return r, true
		}
	}
	return room{}, false
}

// refusal says why a package must not import another, "" where it may. A test
// may also use what stands beside its package in the same house.
func refusal(from, to room, test bool) string {
	fromHouse, toHouse := house(from.path), house(to.path)
	if fromHouse != "" && fromHouse != toHouse {
		for _, s := range shared[fromHouse] {
			if to.path == s {
				return ""
			}
		}
		return fmt.Sprintf("the houses are closed to each other: %s may see %v of others", fromHouse, shared[fromHouse])
	}
	if from.height > to.height || test && from.height/10 >= to.height/10 && from.path != to.path {
		return ""
	}
	return fmt.Sprintf("imports run downwards only; %s: %s", from.path, from.why)
}

func TestImportsRunDownwardsOnly(t *testing.T) {
	root := filepath.Join("..", "..")
	checked := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && path != root) {
			return filepath.SkipDir
		}
		if d.IsDir() || filepath.Ext(path) != ".go" {
			return nil
		}
		checked++
		return checkFile(t, root, path)
	})
	if err != nil {
		t.Fatal(err)
	}
	if checked < 50 {
		t.Errorf("only %d files were looked at: is the root %s still right?", checked, root)
	}
}

func checkFile(t *testing.T, root, path string) error {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
	if err != nil {
		return err
	}
	rel, err := filepath.Rel(root, path)
	if err != nil {
		return err
	}
	dir := filepath.ToSlash(filepath.Dir(rel))
	from, known := find(dir)
	if !known {
		t.Errorf("%s: package %s stands on no floor: give it a line in the table of floors", rel, dir)
		return nil
	}
	test := strings.HasSuffix(path, "_test.go")
	for _, spec := range file.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return err
		}
		target, ours := strings.CutPrefix(name, module)
		if !ours || target == dir {
			continue
		}
		to, known := find(target)
		if !known {
			t.Errorf("%s imports %s, which stands on no floor", rel, target)
			continue
		}
		if why := refusal(from, to, test); why != "" {
			t.Errorf("%s imports %s: %s", rel, target, why)
		}
	}
	return nil
}

func TestFloorsRefuseWhatTheyShould(t *testing.T) {
	for _, test := range []struct {
		from, to string
		test     bool
		allowed  bool
	}{
		{"cmd/comptoir", "erp", false, true},
		{"cmd/internal/engine", "connectors", false, true},
		{"cmd/internal/engine", "cmd/internal/daemon", false, false},
		{"cmd/internal/engine", "cmd/internal/config", false, false},
		{"connectors/woocommerce", "erp/intake", false, true},
		{"connectors/woocommerce", "erp/store", false, false},
		{"connectors/woocommerce", "connectors/sandbox", true, true},
		{"connectors/sandbox", "connectors/woocommerce", false, false},
		{"erp/ledger", "erp/sales", false, false},
		{"erp/sales", "erp/ledger", false, true},
		{"erp/sales", "erp", false, false},
		{"erp/reports", "erp", false, false},
		{"erp", "connectors", false, false},
		{"syncstate", "erp/fault", false, false},
	} {
		from, ok1 := find(test.from)
		to, ok2 := find(test.to)
		if !ok1 || !ok2 {
			t.Fatalf("%s or %s stands on no floor", test.from, test.to)
		}
		if why := refusal(from, to, test.test); (why == "") != test.allowed {
			t.Errorf("%s imports %s: allowed %v, want %v (%s)", test.from, test.to, why == "", test.allowed, why)
		}
	}
}
