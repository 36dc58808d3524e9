package reports

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"comptoir/erp/fault"
	"comptoir/erp/money"
	"comptoir/erp/store"
)

// Params say what to report. Days are YYYY-MM-DD; "" leaves an end open.
type Params struct {
	From, To string // of the period, inclusive
	// AsOf is the day at whose end things stood as the report shows them. For a
	// report over a period it is another word for To.
	AsOf string
	Shop string // only what concerns this shop; "" for all
	// Compare is CompareNone, ComparePrevious or CompareYear; "" is
	// ComparePrevious where the period has two ends.
	Compare string
	By      string // what sales are grouped by, see SalesBy
	Account string // code of the one account of a general ledger; "" for all
	Gateway string // only what concerns this gateway; "" for all
	// Documents lists the documents behind a VAT return.
	Documents bool
	// After is the Next of the page before; Limit bounds the lines of a page,
	// 0 for all.
	After string
	Limit int

	Company     string    // as printed
	FiscalStart string    // MM-DD on which fiscal years begin; "" for 01-01
	Now         time.Time // when the report is made, in the company's time zone
}

// What an income statement is compared with.
const (
	CompareNone     = "none"
	ComparePrevious = "previous" // the period of the same length before
	CompareYear     = "year"     // the same days of the year before
)

// maxLimit bounds a page: more do not fit into memory at once.
const maxLimit = 1_000_000

// last is a day after all others.
const last = "9999-12-31"

// Definition describes a report.
type Definition struct {
	Name  string
	Title string
	Short string // one line of help
	// PointInTime reports show how things stand at the end of a day.
	PointInTime bool
	NoShop      string // why it cannot be made for one shop; "" where it can
	Plot        bool   // it has a chart
	Paged       bool   // it takes After and Limit
	Gateways    bool   // it takes Gateway
	make        func(ctx context.Context, r *reading) error
}

// All lists the reports, in the order in which help shows them.
func All() []Definition {
	return []Definition{
		{Name: "trial-balance", Title: "Trial balance", Short: "each account with opening, debit, credit and closing", make: trialBalance},
		{Name: "income-statement", Title: "Income statement", Short: "income and expenses by kind, beside another period", make: incomeStatement},
		{Name: "balance-sheet", Title: "Balance sheet", Short: "what is owned and owed at the end of a day", PointInTime: true,
			NoShop: "what is owned and owed belongs to the company, not to one shop", make: balanceSheet},
		{Name: "general-ledger", Title: "General ledger", Short: "each account with its lines and running balance", Paged: true, make: generalLedger},
		{Name: "journal", Title: "Journal", Short: "each entry with its lines", Paged: true, make: journal},
		{Name: "sales-tax", Title: "Sales tax", Short: "base, collected and refunded tax by agency, rate and month", make: salesTax},
		{Name: "vat-return", Title: "VAT return worksheet", Short: "collected, deductible and net by country and rate, with the documents", make: vatReturn},
		{Name: "income-expenses", Title: "Income and expenses", Short: "by month, from the start of the fiscal year", Plot: true, make: incomeExpenses},
		{Name: "cash-summary", Title: "Cash summary", Short: "bank, gateways, receivable, payable and deposits", PointInTime: true,
			NoShop: "banks and debts belong to the company, not to one shop", Plot: true, make: cashSummary},
		{Name: "aged-receivables", Title: "Aged receivables", Short: "what customers owe, by the age of the invoice", PointInTime: true, make: agedReceivables},
		{Name: "aged-payables", Title: "Aged payables", Short: "what is owed to vendors, by the age of the bill", PointInTime: true,
			NoShop: "vendors belong to the company, not to one shop", make: agedPayables},
		{Name: "clearing", Title: "Clearing accounts", Short: "received, fees, refunds, payouts and what is open, by gateway and currency", Gateways: true, make: clearing},
		{Name: "payouts", Title: "Payouts and what is open", Short: "payments, refunds and payouts that make up what is on the gateways' accounts", PointInTime: true, Gateways: true, make: payouts},
		{Name: "stock-valuation", Title: "Stock valuation", Short: "what is in stock and what it cost", PointInTime: true,
			NoShop: "shops sell from the same stock", make: stockValuation},
		{Name: "stock", Title: "Stock", Short: "what is on hand, wanted, available and oversold, as it stands now", PointInTime: true,
			NoShop: "shops sell from the same stock", make: stock},
		{Name: "sales", Title: "Sales", Short: "revenue and margin by product, channel, customer, country or month", make: salesBy},
	}
}

// Find returns the report of a name, or an Invalid fault that lists those that
// there are.
func Find(report string) (Definition, error) {
	var names []string
	for _, d := range All() {
		if d.Name == report {
			return d, nil
		}
		names = append(names, d.Name)
	}
	return Definition{}, fault.New(fault.Invalid, "use one of "+strings.Join(names, ", "), "there is no report %q", report)
}

// Run makes a report. It reads one consistent state of the books where r can
// give one. What a caller may have wrong is an Invalid fault.
func Run(ctx context.Context, r store.Reader, report string, p Params) (Report, error) {
	d, err := Find(report)
	if err != nil {
		return Report{}, err
	}
	if err := p.check(d); err != nil {
		return Report{}, fmt.Errorf("report %s: %w", d.Name, err)
	}
	var out Report
	read := func(r store.Reader) error {
		var err error
		out, err = run(ctx, r, d, p)
		return err
	}
	if s, ok := r.(snapshotter); ok {
		err = s.Read(ctx, read)
	} else {
		err = read(r)
	}
	if err != nil {
		return Report{}, fmt.Errorf("report %s: %w", d.Name, err)
	}
	return out, nil
}

// snapshotter can show one state of the books to several queries; *store.DB is
// one.
type snapshotter interface {
	Read(ctx context.Context, fn func(store.Reader) error) error
}

// Check returns an Invalid fault where the parameters do not suit a report. Run
// does the same; a caller that has books to open first may ask before.
func (p Params) Check(d Definition) error { return p.check(d) }

// check also settles which of To and AsOf is meant.
func (p *Params) check(d Definition) error {
	for _, day := range []struct{ flag, value string }{{"--from", p.From}, {"--to", p.To}, {"--as-of", p.AsOf}} {
		if _, err := time.Parse(time.DateOnly, day.value); day.value != "" && err != nil {
			return fault.New(fault.Invalid, "write it as 2026-01-31", "%s: %q is not a date", day.flag, day.value)
		}
	}
	switch {
	case d.PointInTime && p.AsOf == "":
		p.AsOf = p.To
	case !d.PointInTime && p.AsOf != "" && p.To != "" && p.To != p.AsOf:
		return fault.New(fault.Invalid, "leave one of them out", "--to %s and --as-of %s: this report ends on one day", p.To, p.AsOf)
	case !d.PointInTime && p.AsOf != "":
		p.To = p.AsOf
	}
	if d.PointInTime {
		p.To = p.AsOf
	} else {
		p.AsOf = ""
	}
	if p.From != "" && p.To != "" && p.From > p.To {
		return fault.New(fault.Invalid, "exchange them", "the period begins on %s, after its end on %s", p.From, p.To)
	}
	if p.Shop != "" && d.NoShop != "" {
		return fault.New(fault.Invalid, "leave --shop out", "it cannot be made for one shop: %s", d.NoShop)
	}
	if p.Limit < 0 || p.Limit > maxLimit {
		return fault.New(fault.Invalid, fmt.Sprintf("use a number from 0 (all) to %d", maxLimit), "--limit: %d lines", p.Limit)
	}
	if !d.Paged && (p.Limit != 0 || p.After != "") {
		return fault.New(fault.Invalid, "leave --limit and --after out", "it has no pages")
	}
	if !d.Gateways && p.Gateway != "" {
		return fault.New(fault.Invalid, "leave --gateway out", "it is not made for one gateway")
	}
	switch p.Compare {
	case "", CompareNone, ComparePrevious, CompareYear:
	default:
		return fault.New(fault.Invalid, "use none, previous or year", "--compare: %q is not known", p.Compare)
	}
	if p.By != "" && !slices.Contains(SalesBy(), p.By) {
		return fault.New(fault.Invalid, "use one of "+strings.Join(SalesBy(), ", "), "--by: %q is not known", p.By)
	}
	return nil
}

// reading is a report while it is made.
type reading struct {
	store.Reader
	Params
	Report
	shop int64 // id of the shop; 0 for all
	// pointInTime is that of the Definition.
	pointInTime bool
}

// from is the first day, with "" for the beginning: it is before all days.
func (r *reading) from() string { return r.Params.From }

// to is the last day.
func (r *reading) to() string {
	if r.Params.To == "" {
		return last
	}
	return r.Params.To
}

func run(ctx context.Context, reader store.Reader, d Definition, p Params) (Report, error) {
	r := &reading{Reader: reader, Params: p, pointInTime: d.PointInTime, Report: Report{Name: d.Name, Title: d.Title, Company: p.Company, From: p.From, To: p.To, AsOf: p.AsOf, MadeAt: p.Now}}
	if d.PointInTime {
		r.Report.From, r.Report.To = "", ""
	}
	if err := r.QueryRow(ctx, `SELECT value FROM setting WHERE name = 'currency'`).Scan(&r.Currency); err != nil {
		return Report{}, fmt.Errorf("read the currency of the books: %w", err)
	}
	if p.Shop != "" {
		err := r.QueryRow(ctx, `SELECT id FROM shop WHERE name = $1`, p.Shop).Scan(&r.shop)
		if errors.Is(err, sql.ErrNoRows) {
			return Report{}, r.unknownShop(ctx)
		}
		if err != nil {
			return Report{}, fmt.Errorf("read shop %s: %w", p.Shop, err)
		}
		r.Filters = append(r.Filters, Filter{"shop", p.Shop})
	}
	if p.Gateway != "" {
		r.Filters = append(r.Filters, Filter{"gateway", p.Gateway})
	}
	if err := r.provisional(ctx); err != nil {
		return Report{}, err
	}
	if err := d.make(ctx, r); err != nil {
		return Report{}, err
	}
	return r.Report, nil
}

func (r *reading) unknownShop(ctx context.Context) error {
	var names []string
	err := r.each(ctx, `SELECT name FROM shop WHERE id <> 0 ORDER BY name`, nil, func(scan func(...any) error) error {
		var n string
		err := scan(&n)
		names = append(names, n)
		return err
	})
	if err != nil {
		return err
	}
	fix := "the books have no shop yet: run comptoir sync first"
	if len(names) > 0 {
		fix = "use one of " + strings.Join(names, ", ")
	}
	return fault.New(fault.Invalid, fix, "--shop: the books know no shop %q", r.Params.Shop)
}

// each runs a query and calls row for each row of the answer.
func (r *reading) each(ctx context.Context, q string, args []any, row func(scan func(...any) error) error) error {
	rows, err := r.Query(ctx, q, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// note adds a remark.
func (r *reading) note(text string, args ...any) {
	r.Notes = append(r.Notes, Note{text, args})
}

// tie notes a sum beside the accounts that it must equal, and remarks on a
// difference.
func (r *reading) tie(t Tie) {
	r.Ties = append(r.Ties, t)
}

// dayBefore returns the day before a day.
func dayBefore(day string) string {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return ""
	}
	return t.AddDate(0, 0, -1).Format(time.DateOnly)
}

// major writes minor units of the report's currency in messages.
func (r *reading) major(n int64) string {
	return money.Amount{Minor: n, Currency: r.Currency}.String()
}

// damaged is the fault of books whose parts do not tie.
func damaged(format string, args ...any) error {
	return fault.New(fault.Internal, "run comptoir ledger verify, and restore the books from a backup", format, args...)
}
