// Package exports writes the books in the formats of others: a plain-text
// journal that hledger and ledger read, one that beancount reads, and the file
// of accounting entries that the French tax office asks for (FEC).
//
// What is written is what is booked: the same accounts, the same entries, the
// same amounts in the currency of the company, so that the balances that
// another program works out equal ours to the cent, account by account. What a
// line amounts to in the currency of its document is told beside it and never
// computed with: a price on each line would have the other program convert
// again, and round where we did not.
//
// Entries go through one by one. Only their numbers are held in memory.
package exports

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"comptoir/erp/fault"
	"comptoir/erp/money"
	"comptoir/erp/store"
)

// Format is what an export is written in.
type Format string

// The formats.
const (
	Hledger   Format = "hledger" // hledger and ledger
	Beancount Format = "beancount"
	FEC       Format = "fec"
)

// Formats lists the formats.
func Formats() []Format { return []Format{Hledger, Beancount, FEC} }

// Options say what is exported.
type Options struct {
	// From and To are business dates, YYYY-MM-DD, both inclusive; "" leaves an
	// end open. What was booked before From is brought forward: the journals
	// begin with one entry on the day before, and the FEC with the opening
	// entry of the year.
	From, To string
	Company  string         // its name, for the head of a journal; may be empty
	Zone     *time.Location // of the company: the FEC tells on which day an entry was recorded. Nil: UTC
	// Latin writes the FEC in ISO 8859-15 instead of UTF-8.
	Latin bool
}

// Summary is what was written.
type Summary struct {
	Entries  int64          // with the one that brings balances forward
	Lines    int64          // of the entries
	Debit    int64          // sum of the debits, in minor units of Currency; that of the credits is the same
	Currency money.Currency // of the company
	// Warnings are in plain words what whoever receives the file may object to.
	Warnings []string
}

// book is what the head of an export needs to know.
type book struct {
	Options
	currency money.Currency
	scale    int
	chart    string
	first    string // the first day that the export holds; "" where it is empty
	accounts []*account
}

// formatter turns entries into text, by appending it to b.
type formatter interface {
	head(b []byte) []byte
	entry(b []byte, e *entry) []byte
}

// Write writes what r holds. It should see one state of the books only: see
// Books.Snapshot. An unknown format and a date that is none are Invalid faults.
func Write(ctx context.Context, r store.Reader, w io.Writer, f Format, o Options) (Summary, error) {
	bk, err := openBook(ctx, r, o)
	if err != nil {
		return Summary{}, fmt.Errorf("export %s: %w", f, err)
	}
	sum := Summary{Currency: bk.currency}
	var to formatter
	order := byDay
	switch f {
	case Hledger:
		to = newHledger(bk)
	case Beancount:
		to = newBeancount(bk)
	case FEC:
		order = byRecording
		year := newFEC(bk)
		to, sum.Warnings = year, year.warnings()
	default:
		return Summary{}, fault.New(fault.Invalid, "choose one of "+join(Formats()), "%q is no format of an export", f)
	}
	p := printer{w: bufio.NewWriterSize(w, 64<<10), to: to, sum: &sum}
	if err := p.all(ctx, r, bk, order, f == FEC); err != nil {
		return sum, fmt.Errorf("export %s: %w", f, err)
	}
	return sum, nil
}

func join(formats []Format) string {
	names := make([]string, len(formats))
	for i, f := range formats {
		names[i] = string(f)
	}
	return strings.Join(names, ", ")
}

// printer writes entries as they come and counts them.
type printer struct {
	w    *bufio.Writer
	to   formatter
	sum  *Summary
	line []byte
}

func (p *printer) all(ctx context.Context, r store.Reader, bk *book, order string, year bool) error {
	if _, err := p.w.Write(p.to.head(nil)); err != nil {
		return err
	}
	if bk.From != "" {
		forward, err := bk.broughtForward(ctx, r, year)
		if err != nil {
			return err
		}
		if len(forward.lines) > 0 {
			if err := p.print(forward); err != nil {
				return err
			}
		}
	}
	if err := bk.entries(ctx, r, order, p.print); err != nil {
		return err
	}
	return p.w.Flush()
}

func (p *printer) print(e *entry) error {
	p.sum.Entries++
	for _, l := range e.lines {
		var err error
		if p.sum.Debit, err = money.AddMinor(p.sum.Debit, l.debit); err != nil {
			return err
		}
	}
	p.sum.Lines += int64(len(e.lines))
	p.line = p.to.entry(p.line[:0], e)
	_, err := p.w.Write(p.line)
	return err
}

// checkDay refuses a business date that is none.
func checkDay(what, day string) error {
	if _, err := time.Parse(time.DateOnly, day); day != "" && err != nil {
		return fault.New(fault.Invalid, "write it as 2026-01-31", "%s: %q is not a date", what, day)
	}
	return nil
}
