package config

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// variables is what the environment variables of keys begin with.
const variables = "COMPTOIR_"

// ownVariables are the environment variables that are no keys.
var ownVariables = [...]string{"COMPTOIR_CONFIG", "COMPTOIR_TEST_REQUIRE", "COMPTOIR_SHOPIFY_SCHEMA"}

// strayVariables finds environment variables that look like keys and are none,
// and so have no effect. A variable that a secret refers to may have any name.
func (r *reader) strayVariables() []string {
	var warnings []string
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, variables) || slices.Contains(ownVariables[:], name) || slices.Contains(r.known, name) || r.refersTo(name) {
			continue
		}
		near := nearest(bare(name), r.bareKnown())
		switch {
		case near != "":
			warnings = append(warnings, fmt.Sprintf("the environment variable %s is no key and has no effect: did you mean %s%s?", name, variables, strings.ToUpper(near)))
		case inSection(name):
			warnings = append(warnings, fmt.Sprintf("the environment variable %s is no key and has no effect; see: comptoir help configuration", name))
		}
	}
	slices.Sort(warnings)
	return warnings
}

func (r *reader) refersTo(name string) bool {
	for _, text := range r.config.written {
		if text == fromEnv+name {
			return true
		}
	}
	return false
}

// inSection reports whether a variable belongs to a section of the file.
func inSection(name string) bool {
	for _, section := range []string{"LOG", "BOOKS", "SHOPS"} {
		if strings.HasPrefix(name, variables+section+"_") {
			return true
		}
	}
	return false
}

// bare is a variable without what all begin with, which would make any two
// alike.
func bare(name string) string { return strings.ToLower(strings.TrimPrefix(name, variables)) }

func (r *reader) bareKnown() []string {
	names := make([]string, len(r.known))
	for i, name := range r.known {
		names[i] = bare(name)
	}
	return names
}
