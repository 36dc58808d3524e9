package shopify

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestDocumentsCanBeRead(t *testing.T) {
	all, err := documents()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		t.Fatal("there are no documents")
	}
	for _, doc := range all {
		if strings.Contains(doc.text, "#") {
			t.Errorf("%s is sent with its comments", doc.name)
		}
	}
}

// A name that is misspelt would only show when the document is sent.
func TestDocumentsThatAreAskedForExist(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile(`documentOf\("([^"]*)"\)`)
	asked := map[string]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range named.FindAllStringSubmatch(string(text), -1) {
			asked[m[1]] = true
			if documentOf(m[1]).text == "" {
				t.Errorf("%s asks for %q, which is in no file", file, m[1])
			}
		}
	}
	all, err := documents()
	if err != nil {
		t.Fatal(err)
	}
	for _, doc := range all {
		if !asked[doc.name] {
			t.Errorf("%s is asked for nowhere", doc.name)
		}
	}
}
