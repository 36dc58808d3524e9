package reports

import (
	"context"
	"database/sql"
	"fmt"

	"comptoir/erp/ledger"
)

// salesTax reports the taxes of sales by agency, component and month of the
// business date: what was collected, and what refunds took back in the month of
// the refund. It reads tax facts, and is held against the tax accounts.
func salesTax(ctx context.Context, r *reading) error {
	r.Columns = []Column{{"agency", "Agency", Text}, {"component", "Tax", Text}, {"zone", "Zone", Text}, {"rate", "Rate", Percent}, {"month", "Month", Date},
		{"base", "Taxable base", Money}, {"exempt_base", "Exempt base", Money}, {"collected", "Collected", Money}, {"reversed", "Reversed by refunds", Money},
		{"deductible", "Deductible", Money}, {"net", "Net", Money}}
	width := len(r.Columns)
	facts, err := r.taxFacts(ctx)
	if err != nil {
		return err
	}
	total := make([]int64, 6)
	var sum []int64
	for _, f := range facts {
		if n := len(r.Sections); n == 0 || r.Sections[n-1].Key != f.agency {
			r.Sections = append(r.Sections, Section{Key: f.agency, Title: f.agency, Name: true})
			sum = make([]int64, 6)
		}
		values := []int64{f.base, f.exempt, f.collected, f.reversed, f.deductible, f.collected - f.reversed - f.deductible}
		for i, v := range values {
			sum[i] += v
			total[i] += v
		}
		s := &r.Sections[len(r.Sections)-1]
		s.Rows = append(s.Rows, append(Row{name(f.agency), name(f.component), name(f.zone), number(f.ppm), name(f.month)}, numbers(6, nil, values...)...))
		s.Total = numbers(width, []Cell{name(f.agency), label("Total")}, sum...)
	}
	several, err := r.stacked(ctx, total[0]+total[1])
	if err != nil {
		return err
	}
	untaxed, err := r.untaxed(ctx)
	if err != nil {
		return err
	}
	total[1] += untaxed
	r.Totals = []Row{numbers(width, []Cell{label("Total")}, total...)}
	if several {
		blank(r.Totals[0], 5, 6)
		for _, s := range r.Sections {
			if s.Key != "untaxed" && components(s) > 1 {
				blank(s.Total, 5, 6)
			}
		}
	}
	if err := r.taxTie(ctx, ledger.OutputTax, "Tax collected less reversed = output tax account", total[2]-total[3], -1); err != nil {
		return err
	}
	return r.taxTie(ctx, ledger.InputTax, "Deductible tax = input tax account", total[4], 1)
}

// components counts the taxes in a section.
func components(s Section) int {
	seen := map[string]bool{}
	for _, row := range s.Rows {
		seen[row[1].Text] = true
	}
	return len(seen)
}

// blank empties cells of a row.
func blank(row Row, at ...int) {
	for _, i := range at {
		row[i] = Cell{}
	}
}

// taxSum is the tax of one component in one month.
type taxSum struct {
	agency, component, zone, month  string
	ppm                             int64
	base, exempt                    int64
	collected, reversed, deductible int64
}

// taxFacts adds up the facts of the period. A refund has negative facts; the
// reversal of a posting that was corrected takes back what it had been, so it
// lessens what was collected, or what was reversed.
func (r *reading) taxFacts(ctx context.Context) ([]taxSum, error) {
	var out []taxSum
	err := r.each(ctx, `SELECT c.agency, c.name, CASE WHEN c.region = '' THEN c.country ELSE c.country || '-' || c.region END, c.rate_ppm, substr(f.effective, 1, 7),
			SUM(CASE WHEN f.direction = 'collected' AND c.rate_ppm <> 0 THEN f.base ELSE 0 END),
			SUM(CASE WHEN f.direction = 'collected' AND c.rate_ppm = 0 THEN f.base ELSE 0 END),
			SUM(CASE WHEN f.direction = 'collected' AND (f.base < 0) = (e.reverses <> 0) THEN f.tax ELSE 0 END),
			SUM(CASE WHEN f.direction = 'collected' AND (f.base < 0) <> (e.reverses <> 0) THEN -f.tax ELSE 0 END),
			SUM(CASE WHEN f.direction = 'deductible' THEN f.tax ELSE 0 END)
		FROM tax_fact f JOIN tax_component c ON c.id = f.component_id JOIN entry e ON e.id = f.entry_id
		WHERE f.effective >= $1 AND f.effective <= $2 AND (CAST($3 AS BIGINT) = 0 OR e.shop_id = $3)
		GROUP BY c.agency, c.name, c.country, c.region, c.rate_ppm, substr(f.effective, 1, 7)
		ORDER BY c.agency, c.country, c.region, c.rate_ppm DESC, c.name, substr(f.effective, 1, 7)`, []any{r.from(), r.to(), r.shop},
		func(scan func(...any) error) error {
			var f taxSum
			err := scan(&f.agency, &f.component, &f.zone, &f.ppm, &f.month, &f.base, &f.exempt, &f.collected, &f.reversed, &f.deductible)
			out = append(out, f)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("read tax facts: %w", err)
	}
	return out, nil
}

// taxed is what taxes of a month bear on. A line with several components counts
// once. Abroad counts the lines in another currency than that of the books.
type taxed struct{ base, abroad int64 }

func (r *reading) taxedByMonth(ctx context.Context) (map[string]taxed, error) {
	out := map[string]taxed{}
	err := r.each(ctx, `SELECT month, CAST(SUM(base) AS BIGINT), SUM(abroad) FROM (
			SELECT substr(f.effective, 1, 7) AS month, SUM(f.base) / COUNT(DISTINCT f.component_id) AS base,
				SUM(CASE WHEN f.currency <> $4 THEN 1 ELSE 0 END) AS abroad
			FROM tax_fact f JOIN entry e ON e.id = f.entry_id
			WHERE f.direction = 'collected' AND f.effective >= $1 AND f.effective <= $2 AND (CAST($3 AS BIGINT) = 0 OR e.shop_id = $3)
			GROUP BY f.entry_id, f.line_id, substr(f.effective, 1, 7)) x GROUP BY month`, []any{r.from(), r.to(), r.shop, string(r.Currency)},
		func(scan func(...any) error) error {
			var month string
			var t taxed
			err := scan(&month, &t.base, &t.abroad)
			out[month] = t
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("read tax facts: %w", err)
	}
	return out, nil
}

// stacked reports whether several taxes bear on the same sales, so that their
// bases must not be added up, and remarks on it.
func (r *reading) stacked(ctx context.Context, base int64) (bool, error) {
	months, err := r.taxedByMonth(ctx)
	for _, t := range months {
		base -= t.base
	}
	if err == nil && base != 0 {
		r.note("Bases are not added up: several taxes bear on the same sales.")
	}
	return base != 0, err
}

// untaxed lists what was sold without any tax line, by month: the revenue of the
// accounts less the base of the facts. It returns the sum.
func (r *reading) untaxed(ctx context.Context) (int64, error) {
	revenue, err := r.months(ctx, isRevenue)
	if err != nil {
		return 0, err
	}
	bases, err := r.taxedByMonth(ctx)
	if err != nil {
		return 0, err
	}
	s := Section{Key: "untaxed", Title: "Sales without a tax line"}
	var sum int64
	for _, m := range revenue {
		t := bases[m.month]
		rest := m.amount - t.base
		// A line in another currency may be a unit off: base and revenue
		// were converted one by one.
		if rest <= t.abroad && -rest <= t.abroad {
			continue
		}
		row := make(Row, len(r.Columns))
		row[1], row[4], row[6] = label("None"), name(m.month), number(rest)
		s.Rows = append(s.Rows, row)
		sum += rest
	}
	if len(s.Rows) > 0 {
		s.Total = make(Row, len(r.Columns))
		s.Total[1], s.Total[6] = label("Total"), number(sum)
		r.Sections = append(r.Sections, s)
		r.note("Sales without a tax line are the revenue of the accounts less the taxable and exempt base above; refunds by amount alone lessen them.")
	}
	return sum, nil
}

// taxTie holds a sum of tax facts against the accounts of a role. What was
// posted there by entries without tax facts, such as the settlement of a return,
// is told apart.
func (r *reading) taxTie(ctx context.Context, role ledger.Role, what string, facts, sign int64) error {
	accounts, err := r.balances(ctx, r.from(), r.to())
	if err != nil {
		return err
	}
	t := Tie{What: what, Report: facts, Accounts: sign * ofRole(accounts, role)}
	if t.Difference() != 0 {
		var other sql.NullInt64
		err := r.QueryRow(ctx, `SELECT SUM(l.debit - l.credit) FROM account a JOIN account_line al ON al.account_id = a.id
			JOIN entry e ON e.id = al.entry_id JOIN entry_line l ON l.entry_id = al.entry_id AND l.line = al.line
			WHERE a.role = $1 AND al.day >= $2 AND al.day <= $3 AND (CAST($4 AS BIGINT) = 0 OR e.shop_id = $4)
				AND NOT EXISTS (SELECT 1 FROM tax_fact f WHERE f.entry_id = al.entry_id)`, string(role), r.from(), r.to(), r.shop).Scan(&other)
		if err != nil {
			return fmt.Errorf("read what was posted without tax facts: %w", err)
		}
		t.Other = sign * other.Int64
	}
	r.tie(t)
	return nil
}
