// Package schema is what Shopify publishes about its Admin API: the GraphQL
// schema of each version, for the tests of those who must keep to it. The
// schema is no part of this repository: .ci/shopify-schema fetches it, in the
// package and the version that shopify.pin names, and runs nothing of it.
package schema

import (
	"compress/gzip"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator"
)

// Directory is the environment variable that says where the schemas are, where
// that is not the cache of this user.
const Directory = "COMPTOIR_SHOPIFY_SCHEMA"

// require is the environment variable that turns a missing schema from a skip
// into a failure, where it is "all".
const require = "COMPTOIR_TEST_REQUIRE"

// ErrAbsent means that this machine does not have the schemas.
var ErrAbsent = errors.New("the schema of Shopify is not on this machine: run .ci/shopify-schema, which fetches it once")

// pin names the package that holds the schemas, its version and integrity, and
// the versions of the API, the newest first; one in each line.
//
//go:embed shopify.pin
var pin string

func pinned() []string { return strings.Fields(pin) }

// Versions lists the versions of the API that there are schemas of, the newest
// first.
func Versions() []string { return pinned()[3:] }

// published is what there is about one version.
type published struct {
	schema *ast.Schema
	scopes map[string][]string // by type, and by type and field
}

// loaded holds what was read once, since reading takes long.
var loaded sync.Map // of func() (published, error) by version

func load(version string) (published, error) {
	once, _ := loaded.LoadOrStore(version, sync.OnceValues(func() (published, error) { return read(version) }))
	return once.(func() (published, error))()
}

// Load returns the schema of a version of the Admin API ("2026-10"), without
// descriptions and with its deprecations. It must not be changed. ErrAbsent
// where this machine does not have it.
func Load(version string) (*ast.Schema, error) {
	p, err := load(version)
	return p.schema, err
}

// T is what Need uses of a test.
type T interface {
	Helper()
	Skip(args ...any)
	Fatal(args ...any)
}

// Need returns the schema of a version for a test. Where this machine does not
// have it, the test is skipped, or fails where COMPTOIR_TEST_REQUIRE is "all".
func Need(t T, version string) *ast.Schema {
	t.Helper()
	s, err := Load(version)
	switch {
	case errors.Is(err, ErrAbsent) && os.Getenv(require) != "all":
		t.Skip(err)
	case err != nil:
		t.Fatal(err)
	}
	return s
}

func read(version string) (published, error) {
	dir, err := directory()
	if err != nil {
		return published{}, err
	}
	file, err := os.Open(filepath.Join(dir, "admin_"+version+".json.gz"))
	if errors.Is(err, fs.ErrNotExist) {
		return published{}, fmt.Errorf("%w (version %s)", ErrAbsent, version)
	}
	if err != nil {
		return published{}, err
	}
	defer func() { _ = file.Close() }()
	p, err := decode(file, version)
	if err != nil {
		return published{}, fmt.Errorf("read the schema %s: %w: delete it and run .ci/shopify-schema", file.Name(), err)
	}
	return p, nil
}

func decode(file io.Reader, version string) (published, error) {
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		return published{}, err
	}
	var answer struct {
		Data struct {
			Schema introspection `json:"__schema"`
		} `json:"data"`
		Scopes struct {
			Items []scopeInfo `json:"items"`
		} `json:"offline_scopes"`
	}
	if err := json.NewDecoder(unzipped).Decode(&answer); err != nil {
		return published{}, err
	}
	doc, err := answer.Data.Schema.document(version)
	if err != nil {
		return published{}, err
	}
	s, err := validator.ValidateSchemaDocument(doc)
	return published{s, scopesByName(answer.Scopes.Items)}, err
}

// directory is where the schemas are.
func directory() (string, error) {
	if dir := os.Getenv(Directory); dir != "" {
		return dir, nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("%w (%w)", ErrAbsent, err)
	}
	return filepath.Join(cache, "comptoir", "shopify-schema", pinned()[1]), nil
}
