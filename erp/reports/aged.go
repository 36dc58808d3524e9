package reports

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"comptoir/erp/intake"
	"comptoir/erp/ledger"
)

// open is a document that is not settled.
type open struct {
	document, party string
	date            string // of the invoice or bill
	amount          int64  // minor units of the books' currency
}

// buckets are the ages by which documents are grouped, in days.
const buckets = 4

func bucketOf(days int) int {
	switch {
	case days <= 30:
		return 0
	case days <= 60:
		return 1
	case days <= 90:
		return 2
	default:
		return 3
	}
}

// aged lists open documents by the age of their date, and holds their sum
// against the account that they are the detail of.
func (r *reading) aged(ctx context.Context, party string, list []open, role ledger.Role, sign int64, tie, none string) error {
	r.Columns = []Column{{"document", "Document", Text}, {"name", party, Text}, {"date", "Date", Date}, {"days", "Days", Count},
		{"0-30", "0–30", Money}, {"31-60", "31–60", Money}, {"61-90", "61–90", Money}, {"90+", "over 90", Money}, {"total", "Total", Money}}
	at, err := time.Parse(time.DateOnly, r.day())
	if err != nil {
		return err
	}
	s := Section{Key: "open"}
	var sum [buckets + 1]int64
	for _, o := range list {
		row := make(Row, len(r.Columns))
		row[0], row[1], row[2] = name(o.document), name(o.party), name(o.date)
		bucket := 0
		if date, err := time.Parse(time.DateOnly, o.date); err == nil {
			days := int(at.Sub(date).Hours() / 24)
			row[3] = number(int64(days))
			bucket = bucketOf(days)
		}
		row[4+bucket], row[8] = number(o.amount), number(o.amount)
		sum[bucket] += o.amount
		sum[buckets] += o.amount
		s.Rows = append(s.Rows, row)
	}
	r.Sections = []Section{s}
	r.Totals = []Row{numbers(len(r.Columns), []Cell{label("Total")}, sum[:]...)}
	if len(list) == 0 {
		r.note(none)
	}
	accounts, err := r.balances(ctx, "", r.to())
	if err != nil {
		return err
	}
	t := Tie{What: tie, Report: sum[buckets], Accounts: sign * ofRole(accounts, role)}
	r.tie(t)
	if t.Difference() != 0 {
		r.note("The difference was posted to the account by hand.")
	}
	return nil
}

// day is the one at whose end things stood so: today where none is given.
func (r *reading) day() string {
	if r.Params.To == "" {
		return r.Now.Format(time.DateOnly)
	}
	return r.Params.To
}

// agedReceivables lists the orders whose invoices are not paid. An order is as
// old as the last invoice issued for it.
func agedReceivables(ctx context.Context, r *reading) error {
	var list []open
	err := r.each(ctx, `SELECT x.kind, x.id, COALESCE(o.number, ''), COALESCE(o.customer, ''), x.amount,
			COALESCE((SELECT MAX(i.date) FROM invoice i WHERE i.order_id = x.id AND x.kind = 'order' AND i.kind = 'invoice' AND i.corrects = 0 AND i.date <= $1), x.first)
		FROM (SELECT e.document_kind AS kind, e.document_id AS id, SUM(l.debit - l.credit) AS amount, MIN(e.effective) AS first
			FROM account a JOIN account_line al ON al.account_id = a.id JOIN entry e ON e.id = al.entry_id JOIN entry_line l ON l.entry_id = al.entry_id AND l.line = al.line
			WHERE a.role = 'receivable' AND al.day <= $1 AND (CAST($2 AS BIGINT) = 0 OR e.shop_id = $2)
			GROUP BY e.document_kind, e.document_id HAVING SUM(l.debit - l.credit) <> 0) x
		LEFT JOIN sales_order o ON o.id = x.id AND x.kind = 'order' ORDER BY 6, x.id`, []any{r.to(), r.shop},
		func(scan func(...any) error) error {
			var o open
			var kind, order, customer string
			var id int64
			if err := scan(&kind, &id, &order, &customer, &o.amount, &o.date); err != nil {
				return err
			}
			o.document = document(kind, id, order)
			var err error
			o.party, err = customerName(customer)
			list = append(list, o)
			return err
		})
	if err != nil {
		return fmt.Errorf("read receivables: %w", err)
	}
	return r.aged(ctx, "Customer", list, ledger.Receivable, 1, "Open invoices = receivable account", "No customer owes anything.")
}

// customerName returns the name on an order.
func customerName(snapshot string) (string, error) {
	if snapshot == "" {
		return "", nil
	}
	var c intake.Customer
	if err := json.Unmarshal([]byte(snapshot), &c); err != nil {
		return "", fmt.Errorf("read the customer of an order: %w", err)
	}
	person := strings.TrimSpace(c.FirstName + " " + c.LastName)
	switch {
	case c.Company != "":
		return c.Company, nil
	case person != "":
		return person, nil
	default:
		return c.Email, nil
	}
}

// agedPayables lists the bills that are not paid, from the items that the
// purchases keep beside the payable account. A credit of a vendor is negative.
func agedPayables(ctx context.Context, r *reading) error {
	var list []open
	err := r.each(ctx, `SELECT b.number, COALESCE(v.name, ''), b.date, SUM(p.home_amount) FROM payable_item p JOIN bill b ON b.id = p.bill_id LEFT JOIN vendor v ON v.id = b.vendor_id
		WHERE p.effective <= $1 GROUP BY b.id, b.number, v.name, b.date HAVING SUM(p.home_amount) <> 0 ORDER BY b.date, b.id`, []any{r.to()},
		func(scan func(...any) error) error {
			var o open
			err := scan(&o.document, &o.party, &o.date, &o.amount)
			list = append(list, o)
			return err
		})
	if err != nil {
		return fmt.Errorf("read payables: %w", err)
	}
	return r.aged(ctx, "Vendor", list, ledger.Payable, -1, "Open bills = payable account", "Nothing is owed to vendors.")
}
