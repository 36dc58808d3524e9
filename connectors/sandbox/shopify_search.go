package sandbox

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// search is what an argument query asks for: any of its groups, each of which
// asks for all of its terms.
type search [][]searchTerm

// searchTerm is field:value with a comparison, or words alone, where field is "".
type searchTerm struct {
	field, op, value string
	not              bool
	// what value is if it is an id or a count, and if it is a date
	n, at         int64
	count, moment bool
}

// parseSearch reads Shopify's search syntax as far as connectors use it: terms
// side by side or joined by AND, alternatives joined by OR, a term turned by
// NOT or a minus sign, values in quotes. Brackets are not understood.
func parseSearch(text string) search {
	var all search
	group := []searchTerm{}
	not := false
	for text = strings.TrimLeft(text, " \t\n"); text != ""; text = strings.TrimLeft(text, " \t\n") {
		var word string
		word, text = nextTerm(text)
		switch word {
		case "AND":
		case "OR":
			all, group = append(all, group), []searchTerm{}
		case "NOT":
			not = true
		default:
			t := readTerm(word)
			t.not = t.not != not
			not = false
			group = append(group, t)
		}
	}
	return append(all, group)
}

// nextTerm cuts off what stands before the next space outside of quotes.
func nextTerm(text string) (word, rest string) {
	quote := byte(0)
	for i := range len(text) {
		switch c := text[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == ' ' || c == '\t' || c == '\n':
			return text[:i], text[i:]
		}
	}
	return text, ""
}

func readTerm(word string) searchTerm {
	var t searchTerm
	word, t.not = strings.CutPrefix(word, "-")
	field, value, ok := strings.Cut(word, ":")
	if !ok || strings.ContainsAny(field, `'"`) {
		return searchTerm{value: strings.Trim(word, `'"`), not: t.not}
	}
	t.field = strings.ToLower(field)
	for _, op := range []string{">=", "<=", ">", "<", "="} {
		if rest, ok := strings.CutPrefix(value, op); ok {
			t.op, value = op, rest
			break
		}
	}
	t.value = strings.Trim(value, `'"`)
	n, err := strconv.ParseInt(t.value[strings.LastIndexByte(t.value, '/')+1:], 10, 64)
	t.n, t.count = n, err == nil
	when, err := time.Parse(time.RFC3339, t.value)
	if err != nil {
		when, err = time.Parse(time.DateOnly, t.value)
	}
	t.at, t.moment = when.Unix(), err == nil
	return t
}

// keeps reports whether a row is asked for. Matches tells whether it satisfies
// a term, and whether it knows the term's field: an unknown one is ignored.
func (q search) keeps(matches func(t *searchTerm) (yes, known bool)) bool {
	for _, group := range q {
		all := true
		for i := range group {
			yes, known := matches(&group[i])
			if known && yes == group[i].not {
				all = false
				break
			}
		}
		if all {
			return true
		}
	}
	return false
}

// unknown lists the fields that a search names and nobody knows, each once.
func (q search) unknown(known func(t *searchTerm) bool) []string {
	var fields []string
	for _, group := range q {
		for i := range group {
			if t := &group[i]; t.field != "" && !known(t) && !slices.Contains(fields, t.field) {
				fields = append(fields, t.field)
			}
		}
	}
	return fields
}

// above is the id above which all rows must lie; 0 where that is not said.
func (q search) above() int64 {
	if t := q.only("id"); t != nil && t.op == ">" {
		return t.n
	}
	return 0
}

// number compares an id or a count.
func (t *searchTerm) number(v int64) bool { return t.count && t.compare(compare(v, t.n)) }

// instant compares seconds since 1970.
func (t *searchTerm) instant(at int64) bool { return t.moment && t.compare(compare(at, t.at)) }

func (t *searchTerm) compare(c int) bool {
	switch t.op {
	case ">=":
		return c >= 0
	case "<=":
		return c <= 0
	case ">":
		return c > 0
	case "<":
		return c < 0
	default:
		return c == 0
	}
}

// word compares words, whatever their case. A comma separates alternatives.
func (t *searchTerm) word(v string) bool {
	for _, w := range strings.Split(t.value, ",") {
		if w == "*" || strings.EqualFold(w, v) {
			return true
		}
	}
	return false
}

// only is the term of a field that every row must satisfy; nil where there is
// none.
func (q search) only(field string) *searchTerm {
	if len(q) != 1 {
		return nil
	}
	for i := range q[0] {
		if t := &q[0][i]; t.field == field && !t.not {
			return t
		}
	}
	return nil
}
