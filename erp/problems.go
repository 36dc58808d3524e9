package erp

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"comptoir/erp/fault"
	"comptoir/erp/ledger"
)

// problems collects what is wrong with what a person wrote, so that it is all
// told at once.
type problems struct{ list []problem }

type problem struct {
	line int // of the file; 0 for none
	kind fault.Kind
	text string
}

func (p *problems) add(line int, kind fault.Kind, format string, args ...any) {
	p.list = append(p.list, problem{line, kind, fmt.Sprintf(format, args...)})
}

// maxProblems bounds how many are told: a file in the wrong format has one on
// each line.
const maxProblems = 20

// fault returns all problems as one, nil where there are none. Its kind is that
// of the first.
func (p *problems) fault(what string) error {
	if len(p.list) == 0 {
		return nil
	}
	slices.SortStableFunc(p.list, func(a, b problem) int { return cmp.Compare(a.line, b.line) })
	var b strings.Builder
	fmt.Fprintf(&b, "%s was refused, and nothing was changed:", what)
	for i, x := range p.list {
		if i == maxProblems {
			fmt.Fprintf(&b, "\n  and %d more", len(p.list)-i)
			break
		}
		if x.line > 0 {
			fmt.Fprintf(&b, "\n  line %d: %s", x.line, x.text)
		} else {
			b.WriteString("\n  " + x.text)
		}
	}
	return &fault.Error{Kind: p.list[0].kind, Msg: b.String()}
}

// suggest names the accounts whose code or name is nearest to what was
// written.
func suggest(written string, accounts map[string]ledger.Account) string {
	type candidate struct {
		account  ledger.Account
		distance int
	}
	var near []candidate
	folded := strings.ToLower(strings.TrimSpace(written))
	for _, a := range accounts {
		d := fault.Distance(folded, strings.ToLower(a.Code))
		if name := strings.ToLower(a.Name); len(folded) > 2 {
			d = min(d, fault.Distance(folded, name))
			if strings.Contains(name, folded) {
				d = min(d, 1)
			}
		}
		if d <= max(1, len(folded)/2) {
			near = append(near, candidate{a, d})
		}
	}
	if len(near) == 0 {
		return ": see comptoir ledger accounts"
	}
	slices.SortFunc(near, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.distance, b.distance), cmp.Compare(a.account.Code, b.account.Code))
	})
	var names []string
	for _, c := range near[:min(len(near), 3)] {
		names = append(names, fmt.Sprintf("%s (%s)", c.account.Code, c.account.Name))
	}
	return ": did you mean " + strings.Join(names, ", ") + "?"
}
