package reports

import (
	"time"

	"comptoir/erp/money"
)

// Report is a report as it is printed, whatever the format: who and when,
// columns, and sections of rows. Render it with package render.
type Report struct {
	Name     string // as on the command line: "income-statement"
	Title    string
	Company  string
	Currency money.Currency // of every money cell that names no other
	// From and To bound the period, both inclusive, YYYY-MM-DD; "" for an open
	// end. A report as of a day has AsOf instead.
	From, To, AsOf string
	Filters        []Filter
	// Provisional are the days of which it is not proven that all orders are in
	// the books, by shop.
	Provisional []Provisional
	MadeAt      time.Time
	Columns     []Column
	Sections    []Section
	Totals      []Row // of the whole report
	Notes       []Note
	Ties        []Tie
	// Next is where the next page begins; "" on the last one.
	Next string
	// Chart is what a plot of the report shows; nil where it has none.
	Chart *Chart
	// Fixed, where it is not nil, is what the report is as JSON: its form is
	// older than that of the others.
	Fixed any
}

// Filter is what a report was narrowed by.
type Filter struct{ Name, Value string }

// Kind is what the cells of a column hold.
type Kind string

// The kinds of column.
const (
	Text     Kind = "text"
	Date     Kind = "date"     // YYYY-MM-DD, or YYYY-MM for a month
	Money    Kind = "money"    // minor units
	Quantity Kind = "quantity" // thousandths
	Percent  Kind = "percent"  // parts per million: 55,000 is 5.5 %
	Count    Kind = "count"    // a whole number
)

// Numeric reports whether cells of the kind hold a number.
func (k Kind) Numeric() bool { return k != Text && k != Date }

// Column is one column. Key names it in JSON and CSV and never changes.
type Column struct {
	Key   string
	Title string
	Kind  Kind
}

// Cell is one value. The zero Cell is empty.
type Cell struct {
	Text     string         // of a text or a date
	Number   int64          // of the others
	Currency money.Currency // of money in another currency than the report's
	Filled   bool
	// Label is set for words of ours, which are translated; other texts are
	// names and stay as they are.
	Label bool
}

// Row is a line of a report: one cell for each column.
type Row []Cell

// Section is a titled part of a report.
type Section struct {
	Key   string // in JSON and CSV
	Title string
	// Name is set where Title is a name that is not to be translated.
	Name  bool
	Rows  []Row
	Total Row // nil for none
}

// Note is a remark below a report. Text may hold the verbs of fmt for Args.
type Note struct {
	Text string
	Args []any
}

// Tie is a sum of the report beside the accounts that it must equal.
type Tie struct {
	What     string // "net tax"
	Report   int64  // minor units
	Accounts int64
	// Other is what was posted to the accounts from elsewhere and is no
	// business of the report, such as the settlement of a tax.
	Other int64
	// Currency is that of the sums, where it is not the report's; "" otherwise.
	Currency money.Currency
}

// Difference is what the report and the accounts differ by: nothing, unless
// the books are damaged.
func (t Tie) Difference() int64 { return t.Accounts - t.Other - t.Report }

// Chart is a plot of some of a report's figures.
type Chart struct {
	Labels []string // along the axis
	Series []Series
}

// Series is one line or set of bars, in minor units.
type Series struct {
	Title  string
	Values []int64
	Line   bool // drawn as a line
}

// name is a cell with a text that stays as it is.
func name(s string) Cell { return Cell{Text: s, Filled: s != ""} }

// label is a cell with words of ours.
func label(s string) Cell { return Cell{Text: s, Filled: s != "", Label: true} }

// number is a cell of money, quantity, percent or count.
func number(n int64) Cell { return Cell{Number: n, Filled: true} }

// amountIn is a cell of money in a currency of its own.
func amountIn(n int64, c money.Currency) Cell { return Cell{Number: n, Currency: c, Filled: true} }

// numbers returns a row of the words, then empty cells, then numbers, width
// cells in all.
func numbers(width int, words []Cell, values ...int64) Row {
	row := make(Row, width)
	copy(row, words)
	for i, v := range values {
		row[width-len(values)+i] = number(v)
	}
	return row
}
