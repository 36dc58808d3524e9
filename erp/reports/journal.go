package reports

import (
	"context"
	"fmt"
	"strconv"
	"strings"
)

// journal reports the entries of a period in the order of their business dates,
// each with its lines. A page holds whole entries: Limit counts them.
func journal(ctx context.Context, r *reading) error {
	r.Columns = []Column{{"date", "Date", Date}, {"entry", "Entry", Text}, {"journal", "Journal", Text}, {"document", "Document", Text}, {"description", "Description", Text},
		{"code", "Account", Text}, {"name", "Name", Text}, {"debit", "Debit", Money}, {"credit", "Credit", Money}}
	day, last, err := r.journalStart()
	if err != nil {
		return err
	}
	limit := r.Limit
	if limit == 0 {
		limit = maxLimit * maxLimit // all
	}
	s := Section{Key: "entries"}
	var debit, credit int64
	var entries int
	err = r.each(ctx, `SELECT e.id, e.effective, e.journal, e.description, e.document_kind, e.document_id, COALESCE(o.number, ''), a.code, a.name, l.debit, l.credit
		FROM (SELECT * FROM entry WHERE (effective, id) > ($1, $2) AND effective <= $3 AND (CAST($4 AS BIGINT) = 0 OR shop_id = $4) ORDER BY effective, id LIMIT $5) e
		JOIN entry_line l ON l.entry_id = e.id JOIN account a ON a.id = l.account_id
		LEFT JOIN sales_order o ON o.id = e.document_id AND e.document_kind = 'order'
		ORDER BY e.effective, e.id, l.line`, []any{day, last, r.to(), r.shop, limit}, func(scan func(...any) error) error {
		var id, documentID, d, c int64
		var date, journal, text, kind, order, code, title string
		if err := scan(&id, &date, &journal, &text, &kind, &documentID, &order, &code, &title, &d, &c); err != nil {
			return err
		}
		row := Row{name(date), name(strconv.FormatInt(id, 10)), name(journal), name(document(kind, documentID, order)), name(text), name(code), name(title), {}, {}}
		if d != 0 {
			row[7] = number(d)
		}
		if c != 0 {
			row[8] = number(c)
		}
		if id != last || day != date || entries == 0 {
			entries++
		}
		day, last = date, id
		debit += d
		credit += c
		s.Rows = append(s.Rows, row)
		return nil
	})
	if err != nil {
		return fmt.Errorf("read entries: %w", err)
	}
	if debit != credit {
		return damaged("the entries of the period do not balance: debits %s, credits %s", r.major(debit), r.major(credit))
	}
	if entries == limit {
		r.Next = fmt.Sprintf("%s/%d", day, last)
	}
	r.Sections = []Section{s}
	r.Totals = []Row{numbers(len(r.Columns), []Cell{{}, {}, {}, {}, label("Total")}, debit, credit)}
	return nil
}

// journalStart is the entry that the page begins after.
func (r *reading) journalStart() (day string, entry int64, err error) {
	if r.After == "" {
		return r.from(), 0, nil
	}
	day, id, _ := strings.Cut(r.After, "/")
	entry, err = strconv.ParseInt(id, 10, 64)
	if err != nil {
		return "", 0, badAfter(r.After)
	}
	return day, entry, nil
}
