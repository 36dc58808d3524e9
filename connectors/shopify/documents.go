package shopify

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"
	"github.com/vektah/gqlparser/v2/parser"
)

// Each file in graphql holds one operation and is named as it is called in the
// code; files whose name begins with "fragments" hold the fragments that
// several of them spread.
//
//go:embed graphql/*.graphql
var documentFiles embed.FS

// document is one operation that the shop may be asked, with the fragments
// that it spreads.
type document struct{ name, text string }

// documentOf returns the operation of that name. One that does not exist has
// no text, which the client refuses to send.
func documentOf(name string) document {
	all, _ := documentsRead()
	return document{name, all[name]}
}

// documents returns every operation that the shop may be asked, by name.
func documents() ([]document, error) {
	all, err := documentsRead()
	var list []document
	for name, text := range all {
		list = append(list, document{name, text})
	}
	slices.SortFunc(list, func(a, b document) int { return strings.Compare(a.name, b.name) })
	return list, err
}

// documentsRead reads the files once: they are part of the program.
var documentsRead = sync.OnceValues(func() (map[string]string, error) {
	files, err := documentFiles.ReadDir("graphql")
	if err != nil {
		return nil, err
	}
	operations := map[string]*ast.OperationDefinition{}
	var fragments ast.FragmentDefinitionList
	for _, file := range files {
		doc, err := readDocument(path.Join("graphql", file.Name()))
		if err != nil {
			return nil, err
		}
		fragments = append(fragments, doc.Fragments...)
		name := strings.TrimSuffix(file.Name(), ".graphql")
		switch {
		case strings.HasPrefix(name, "fragments") && len(doc.Operations) == 0:
		case len(doc.Operations) == 1:
			operations[name] = doc.Operations[0]
		default:
			return nil, fmt.Errorf("%s holds %d operations, want one", file.Name(), len(doc.Operations))
		}
	}
	texts := map[string]string{}
	for name, op := range operations {
		text, err := assemble(op, fragments)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		texts[name] = text
	}
	return texts, nil
})

func readDocument(name string) (*ast.QueryDocument, error) {
	text, err := documentFiles.ReadFile(name)
	if err != nil {
		return nil, err
	}
	doc, err := parser.ParseQuery(&ast.Source{Name: name, Input: string(text)})
	if err != nil {
		return nil, fmt.Errorf("read a document: %w", err)
	}
	return doc, nil
}

// assemble writes an operation and the fragments that it needs, without
// comments.
func assemble(op *ast.OperationDefinition, fragments ast.FragmentDefinitionList) (string, error) {
	doc := &ast.QueryDocument{Operations: ast.OperationList{op}}
	wanted := spreads(op.SelectionSet)
	for i := 0; i < len(wanted); i++ {
		f := fragments.ForName(wanted[i])
		if f == nil {
			return "", errors.New("there is no fragment " + wanted[i])
		}
		doc.Fragments = append(doc.Fragments, f)
		for _, name := range spreads(f.SelectionSet) {
			if !slices.Contains(wanted, name) {
				wanted = append(wanted, name)
			}
		}
	}
	var text bytes.Buffer
	formatter.NewFormatter(&text, formatter.WithIndent(" ")).FormatQueryDocument(doc)
	return text.String(), nil
}

// spreads lists the fragments that a selection names, each once.
func spreads(set ast.SelectionSet) []string {
	var names []string
	add := func(more ...string) {
		for _, name := range more {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			add(spreads(s.SelectionSet)...)
		case *ast.InlineFragment:
			add(spreads(s.SelectionSet)...)
		case *ast.FragmentSpread:
			add(s.Name)
		}
	}
	return names
}
