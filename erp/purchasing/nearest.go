package purchasing

import (
	"slices"
	"strings"
	"unicode/utf8"

	"comptoir/erp/fault"
)

// suggestions is how many names an error suggests at most.
const suggestions = 3

// nearest returns the known names that a few slips of the keyboard away from
// name, or that it is the beginning of, nearest first.
func nearest(name string, known []string) []string {
	type candidate struct {
		name string
		away int
	}
	folded := strings.ToLower(name)
	letters := utf8.RuneCountInString(folded)
	var list []candidate
	for _, k := range known {
		other := strings.ToLower(k)
		away := fault.Distance(folded, other)
		if letters > 1 && strings.HasPrefix(other, folded) {
			away = min(away, 1)
		}
		if away <= max(1, letters/3) {
			list = append(list, candidate{k, away})
		}
	}
	slices.SortStableFunc(list, func(a, b candidate) int { return a.away - b.away })
	out := make([]string, 0, suggestions)
	for _, c := range list[:min(len(list), suggestions)] {
		out = append(out, c.name)
	}
	return out
}

// LikeSKUs returns a function that finds SKUs like another.
func LikeSKUs(known []string) func(string) []string {
	return func(sku string) []string { return nearest(sku, known) }
}

// LikeAccounts returns a function that finds accounts by a code or a name like
// another, written as code and name.
func LikeAccounts(known map[string]Account) func(string) []string {
	var codes, names []string
	byName := map[string]string{}
	for code, a := range known {
		codes = append(codes, code)
		names = append(names, a.Name)
		byName[a.Name] = code
	}
	slices.Sort(codes)
	slices.Sort(names)
	return func(written string) []string {
		var out []string
		for _, code := range nearest(written, codes) {
			out = append(out, code+" "+known[code].Name)
		}
		for _, name := range nearest(written, names) {
			out = append(out, byName[name]+" "+name)
		}
		return slices.Compact(out[:min(len(out), suggestions)])
	}
}
