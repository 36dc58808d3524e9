package purchasing

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"comptoir/erp/fault"
	"comptoir/erp/money"
	"comptoir/erp/tax"

	"github.com/shopspring/decimal"
)

// BillColumns are the columns that ReadBills knows, in the order of an example.
// Vendor, number, date and net are needed; the others may be left out.
func BillColumns() []string {
	return []string{"vendor", "number", "date", "due", "currency", "rate", "sku", "account", "description", "quantity", "net", "tax", "deductible", "total", "note"}
}

// mostErrors is how many errors of a file are told.
const mostErrors = 20

// ReadBills reads bills from CSV whose first line names the columns. Each line
// is a line of a bill; those with the same vendor and number are one bill, and
// what belongs to the whole bill must be the same on all of them or stand on
// the first only. Quantity is 1 where it is empty; tax and deductible are in
// per cent, 0 and 100 where they are empty. Its error tells of all lines that
// are wrong.
func ReadBills(r io.Reader) ([]Document, error) {
	in := csv.NewReader(r)
	in.TrimLeadingSpace = true
	head, err := in.Read()
	if errors.Is(err, io.EOF) {
		return nil, fault.New(fault.Invalid, "the first line names the columns: "+strings.Join(BillColumns(), ","), "the file is empty")
	}
	if err != nil {
		return nil, badCSV(err)
	}
	f := billFile{at: map[Ref]int{}}
	if err := f.columns(head); err != nil {
		return nil, err
	}
	for {
		row, err := in.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil && !errors.Is(err, csv.ErrFieldCount) {
			return nil, errors.Join(append(f.errs, badCSV(err))...)
		}
		line, _ := in.FieldPos(0)
		if err != nil {
			err = fault.New(fault.Invalid, "quote fields that hold a comma", "it has %d fields, the first line has %d", len(row), len(head))
		} else {
			err = f.row(line, row)
		}
		if err != nil {
			f.errs = append(f.errs, fmt.Errorf("line %d: %w", line, err))
		}
		if len(f.errs) == mostErrors {
			break
		}
	}
	if len(f.docs) == 0 && len(f.errs) == 0 {
		return nil, fault.New(fault.Invalid, "add a line for each line of a bill", "the file holds no bills")
	}
	return f.docs, errors.Join(f.errs...)
}

func badCSV(err error) error {
	return fault.New(fault.Invalid, "save it as comma-separated values in UTF-8", "the file is no CSV: %w", err)
}

type billFile struct {
	column map[string]int
	docs   []Document
	at     map[Ref]int // of the document among docs
	errs   []error
}

func (f *billFile) columns(head []string) error {
	f.column = map[string]int{}
	known := BillColumns()
	for i, h := range head {
		h = strings.ToLower(strings.TrimSpace(strings.TrimPrefix(h, "\ufeff")))
		if !slices.Contains(known, h) {
			return fault.New(fault.Invalid, advice("the columns are "+strings.Join(known, ", "), nearest(h, known)), "line 1: column %q is not known", h)
		}
		if _, twice := f.column[h]; twice {
			return fault.New(fault.Invalid, "leave one of them out", "line 1: column %q is there twice", h)
		}
		f.column[h] = i
	}
	for _, needed := range []string{"vendor", "number", "date", "net"} {
		if _, ok := f.column[needed]; !ok {
			return fault.New(fault.Invalid, "add it to the first line and to each of the others", "line 1: column %q is missing", needed)
		}
	}
	return nil
}

// row adds a line to its bill.
func (f *billFile) row(line int, row []string) error {
	c := cells{row: row, column: f.column}
	doc := Document{Kind: Bill, Ref: Ref{c.text("vendor"), c.text("number")}, Date: c.text("date"), Due: c.text("due"), Currency: money.Currency(c.text("currency")),
		Rate: c.optional("rate"), Total: c.optional("total"), Note: c.text("note"), At: line}
	l, err := c.line()
	l.At = line
	if err != nil {
		return err
	}
	i, ok := f.at[doc.Ref]
	if !ok {
		i = len(f.docs)
		f.at[doc.Ref] = i
		f.docs = append(f.docs, doc)
	} else if err := f.docs[i].agrees(doc); err != nil {
		return err
	}
	f.docs[i].Lines = append(f.docs[i].Lines, l)
	return nil
}

// agrees refuses a further line of a bill that says something else of the
// whole bill.
func (d Document) agrees(other Document) error {
	same := func(a, b *decimal.Decimal) bool { return b == nil || a != nil && a.Equal(*b) }
	for _, x := range []struct {
		what string
		same bool
	}{
		{"date", other.Date == "" || other.Date == d.Date}, {"due", other.Due == "" || other.Due == d.Due},
		{"currency", other.Currency == "" || other.Currency == d.Currency}, {"note", other.Note == "" || other.Note == d.Note},
		{"rate", same(d.Rate, other.Rate)}, {"total", same(d.Total, other.Total)},
	} {
		if !x.same {
			return fault.New(fault.Invalid, "say the same on all lines of a bill, or leave it empty after the first", "its %s is not that of line %d, which is of the same bill", x.what, d.At)
		}
	}
	return nil
}

// cells reads the fields of a row by the names of their columns.
type cells struct {
	row    []string
	column map[string]int
	errs   []error
}

// line reads what belongs to one line of a bill. Its error tells of all fields
// that were read before, too.
func (c *cells) line() (Line, error) {
	l := Line{SKU: c.text("sku"), Account: c.text("account"), Description: c.text("description"), Quantity: c.number("quantity", 1), Net: c.number("net", 0),
		TaxPPM: c.ppm("tax", 0), NotDeductiblePPM: 1_000_000 - c.ppm("deductible", 1_000_000)}
	if c.text("net") == "" {
		c.errs = append(c.errs, fault.New(fault.Invalid, "give the amount of the line without tax", "net is empty"))
	}
	return l, errors.Join(c.errs...)
}

func (c *cells) text(name string) string {
	i, ok := c.column[name]
	if !ok {
		return ""
	}
	return strings.TrimSpace(c.row[i])
}

func (c *cells) optional(name string) *decimal.Decimal {
	text := c.text(name)
	if text == "" {
		return nil
	}
	d, err := ParseNumber(text)
	if err != nil {
		c.errs = append(c.errs, fmt.Errorf("%s: %w", name, err))
		return nil
	}
	return &d
}

func (c *cells) number(name string, otherwise int64) decimal.Decimal {
	if d := c.optional(name); d != nil {
		return *d
	}
	return decimal.NewFromInt(otherwise)
}

func (c *cells) ppm(name string, otherwise int64) int64 {
	text := c.text(name)
	if text == "" {
		return otherwise
	}
	ppm, err := ParsePercent(text)
	if err != nil {
		c.errs = append(c.errs, fmt.Errorf("%s: %w", name, err))
	}
	return ppm
}

// ParsePercent reads a rate in per cent as parts per million: 5.5 is 55,000.
func ParsePercent(text string) (int64, error) {
	d, err := ParseNumber(strings.TrimSpace(strings.TrimSuffix(text, "%")))
	if err != nil {
		return 0, err
	}
	ppm, err := tax.PPM(d)
	if err != nil {
		return 0, fault.New(fault.Invalid, "give it in per cent, 0 to 1000, with at most four decimals", "%s %% is no rate", d)
	}
	return ppm, nil
}

// ParseNumber reads a number that a person wrote: 1234.5, with a point and
// without separators of thousands.
func ParseNumber(text string) (decimal.Decimal, error) {
	d, err := decimal.NewFromString(text)
	if err != nil || strings.ContainsAny(text, "eE") {
		return decimal.Decimal{}, fault.New(fault.Invalid, "write it as 1234.50", "%q is not a number", text)
	}
	return d, nil
}

// ParseLine reads a line that was written as sku=SHIRT,quantity=10,net=35,tax=20.
// The names are those of the columns of ReadBills; values with a comma are
// quoted, as in CSV.
func ParseLine(text string) (Line, error) {
	in := csv.NewReader(strings.NewReader(text))
	in.TrimLeadingSpace, in.LazyQuotes = true, true
	fields, err := in.Read()
	if err != nil {
		return Line{}, fault.New(fault.Invalid, "write it as sku=SHIRT,quantity=10,net=35,tax=20", "%q is no line of a bill", text)
	}
	known := []string{"sku", "account", "description", "quantity", "net", "tax", "deductible"}
	c := cells{column: map[string]int{}}
	for i, f := range fields {
		name, value, ok := strings.Cut(f, "=")
		name = strings.ToLower(strings.TrimSpace(name))
		if _, twice := c.column[name]; !ok || twice || !slices.Contains(known, name) {
			return Line{}, fault.New(fault.Invalid, "the names are "+strings.Join(known, ", ")+", each once", "%q: %q is no part of a line", text, f)
		}
		c.column[name] = i
		c.row = append(c.row, value)
	}
	l, err := c.line()
	if err != nil {
		return Line{}, fmt.Errorf("%q: %w", text, err)
	}
	return l, nil
}
