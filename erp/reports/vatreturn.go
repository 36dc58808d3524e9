package reports

import (
	"context"
	"fmt"
	"strconv"

	"comptoir/erp/ledger"
)

// vatReturn is the worksheet of a return: for each country and rate what was
// collected, what can be deducted, and the net; with Documents, the documents
// that it is made of.
func vatReturn(ctx context.Context, r *reading) error {
	r.Columns = []Column{{"country", "Country", Text}, {"component", "Tax", Text}, {"rate", "Rate", Percent}}
	if r.Documents {
		r.Columns = append(r.Columns, Column{"date", "Date", Date}, Column{"document", "Document", Text}, Column{"description", "Description", Text})
	}
	r.Columns = append(r.Columns, Column{"base", "Base of sales", Money}, Column{"collected", "Collected", Money},
		Column{"purchases", "Base of purchases", Money}, Column{"deductible", "Deductible", Money}, Column{"net", "Net", Money})
	var total [5]int64
	var err error
	if r.Documents {
		err = r.vatDocuments(ctx, &total)
	} else {
		err = r.vatSummary(ctx, &total)
	}
	if err != nil {
		return fmt.Errorf("read tax facts: %w", err)
	}
	r.Totals = []Row{numbers(len(r.Columns), []Cell{label("Total")}, total[:]...)}
	several, err := r.stacked(ctx, total[0])
	if err != nil {
		return err
	}
	if several {
		blank(r.Totals[0], len(r.Columns)-5)
	}
	if err := r.taxTie(ctx, ledger.OutputTax, "Tax collected = output tax account", total[1], -1); err != nil {
		return err
	}
	return r.taxTie(ctx, ledger.InputTax, "Deductible tax = input tax account", total[3], 1)
}

// vatLine is the tax of one rate, of one document or of all.
type vatLine struct {
	country, component    string
	ppm                   int64
	base, collected       int64
	purchases, deductible int64
}

func (l vatLine) sums() []int64 {
	return []int64{l.base, l.collected, l.purchases, l.deductible, l.collected - l.deductible}
}

func (r *reading) vatSummary(ctx context.Context, total *[5]int64) error {
	s := Section{Key: "rates"}
	err := r.each(ctx, `SELECT c.country, c.name, c.rate_ppm,
			SUM(CASE WHEN f.direction = 'collected' THEN f.base ELSE 0 END), SUM(CASE WHEN f.direction = 'collected' THEN f.tax ELSE 0 END),
			SUM(CASE WHEN f.direction = 'deductible' THEN f.base ELSE 0 END), SUM(CASE WHEN f.direction = 'deductible' THEN f.tax ELSE 0 END)
		FROM tax_fact f JOIN tax_component c ON c.id = f.component_id JOIN entry e ON e.id = f.entry_id
		WHERE f.effective >= $1 AND f.effective <= $2 AND (CAST($3 AS BIGINT) = 0 OR e.shop_id = $3)
		GROUP BY c.country, c.name, c.rate_ppm ORDER BY c.country, c.rate_ppm DESC, c.name`, []any{r.from(), r.to(), r.shop},
		func(scan func(...any) error) error {
			var l vatLine
			if err := scan(&l.country, &l.component, &l.ppm, &l.base, &l.collected, &l.purchases, &l.deductible); err != nil {
				return err
			}
			for i, n := range l.sums() {
				total[i] += n
			}
			s.Rows = append(s.Rows, append(Row{name(l.country), name(l.component), number(l.ppm)}, numbers(5, nil, l.sums()...)...))
			return nil
		})
	r.Sections = []Section{s}
	return err
}

// vatDocuments lists the documents under their rate. The number of an invoice
// or credit note is that of its series; what has none is named by its entry.
func (r *reading) vatDocuments(ctx context.Context, total *[5]int64) error {
	var sum [5]int64
	return r.each(ctx, `SELECT c.country, c.name, c.rate_ppm, f.effective, f.entry_id, f.document_kind, f.document_id, COALESCE(i.series, ''), COALESCE(i.number, 0), e.description,
			SUM(CASE WHEN f.direction = 'collected' THEN f.base ELSE 0 END), SUM(CASE WHEN f.direction = 'collected' THEN f.tax ELSE 0 END),
			SUM(CASE WHEN f.direction = 'deductible' THEN f.base ELSE 0 END), SUM(CASE WHEN f.direction = 'deductible' THEN f.tax ELSE 0 END)
		FROM tax_fact f JOIN tax_component c ON c.id = f.component_id JOIN entry e ON e.id = f.entry_id LEFT JOIN invoice i ON i.cause = e.cause
		WHERE f.effective >= $1 AND f.effective <= $2 AND (CAST($3 AS BIGINT) = 0 OR e.shop_id = $3)
		GROUP BY c.country, c.name, c.rate_ppm, f.effective, f.entry_id, f.document_kind, f.document_id, i.series, i.number, e.description
		ORDER BY c.country, c.rate_ppm DESC, c.name, f.effective, f.entry_id`, []any{r.from(), r.to(), r.shop},
		func(scan func(...any) error) error {
			var l vatLine
			var date, kind, series, text string
			var entry, id, n int64
			if err := scan(&l.country, &l.component, &l.ppm, &date, &entry, &kind, &id, &series, &n, &text, &l.base, &l.collected, &l.purchases, &l.deductible); err != nil {
				return err
			}
			key := fmt.Sprintf("%s/%s/%d", l.country, l.component, l.ppm)
			if at := len(r.Sections); at == 0 || r.Sections[at-1].Key != key {
				r.Sections = append(r.Sections, Section{Key: key, Title: l.country + " " + l.component, Name: true})
				sum = [5]int64{}
			}
			for i, n := range l.sums() {
				sum[i] += n
				total[i] += n
			}
			shown := document(kind, id, "")
			if series != "" {
				shown = series + "-" + strconv.FormatInt(n, 10)
			}
			s := &r.Sections[len(r.Sections)-1]
			s.Rows = append(s.Rows, append(Row{name(l.country), name(l.component), number(l.ppm), name(date), name(shown), name(text)}, numbers(5, nil, l.sums()...)...))
			s.Total = numbers(len(r.Columns), []Cell{name(l.country), name(l.component), number(l.ppm), {}, {}, label("Total")}, sum[:]...)
			return nil
		})
}
