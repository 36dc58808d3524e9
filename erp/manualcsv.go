package erp

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"comptoir/erp/fault"
	"comptoir/erp/ledger"
	"comptoir/erp/money"
	"comptoir/erp/store"

	"github.com/shopspring/decimal"
)

// maxFile bounds a file of entries: 64 MiB, about a million lines.
const maxFile = 64 << 20

// sheet is a CSV file whose first line names its columns.
type sheet struct {
	digest  string
	columns map[string]int
	comma   bool // decimals are written with a comma
	rows    []sheetRow
}

type sheetRow struct {
	line  int
	cells []string
}

// cell returns the text of a column, "" where the file does not have it.
func (s *sheet) cell(r sheetRow, column string) string {
	i, ok := s.columns[column]
	if !ok || i >= len(r.cells) {
		return ""
	}
	return strings.TrimSpace(r.cells[i])
}

// readSheet reads a CSV file, separated by commas or, as some spreadsheets do,
// by semicolons with decimal commas. Columns that must or may be there are
// named; any other one is refused, because it would be left out unnoticed.
func readSheet(r io.Reader, name string, must, may []string) (*sheet, error) {
	raw, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if len(raw) > maxFile {
		return nil, fault.New(fault.Invalid, "split it", "%s is larger than %d MiB", name, maxFile>>20)
	}
	sum := sha256.Sum256(raw)
	s := &sheet{digest: hex.EncodeToString(sum[:12]), columns: map[string]int{}}
	raw = bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))
	header, _, _ := bytes.Cut(raw, []byte("\n"))
	in := csv.NewReader(bytes.NewReader(raw))
	if bytes.Contains(header, []byte(";")) && !bytes.Contains(header, []byte(",")) {
		in.Comma, s.comma = ';', true
	}
	for first := true; ; first = false {
		cells, err := in.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fault.New(fault.Invalid, "write it as CSV, each line with the same columns", "%s: %w", name, err)
		}
		line, _ := in.FieldPos(0)
		if !first {
			s.rows = append(s.rows, sheetRow{line, cells})
			continue
		}
		for i, c := range cells {
			s.columns[strings.ToLower(strings.TrimSpace(c))] = i
		}
	}
	return s, s.check(name, must, may)
}

func (s *sheet) check(name string, must, may []string) error {
	var p problems
	if len(s.columns) == 0 {
		p.add(0, fault.Invalid, "it is empty")
		return p.fault(name)
	}
	also := slices.DeleteFunc(slices.Clone(may), func(c string) bool { return slices.Contains(must, c) })
	fix := "its columns are " + strings.Join(must, ", ") + ", and, where wanted, " + strings.Join(also, ", ")
	for _, c := range must {
		if _, ok := s.columns[c]; !ok {
			p.add(1, fault.Invalid, "the column %s is missing: %s", c, fix)
		}
	}
	for c := range s.columns {
		if !slices.Contains(must, c) && !slices.Contains(may, c) {
			p.add(1, fault.Invalid, "the column %q is not known: %s", c, fix)
		}
	}
	if len(s.rows) == 0 {
		p.add(0, fault.Invalid, "it has no lines below the names of the columns")
	}
	return p.fault(name)
}

// amount reads an amount; an empty cell is zero.
func (s *sheet) amount(r sheetRow, column string, p *problems) decimal.Decimal {
	text := s.cell(r, column)
	if text == "" {
		return decimal.Decimal{}
	}
	if s.comma {
		text = strings.Replace(text, ",", ".", 1)
	}
	d, err := ParseAmount(text)
	if err != nil {
		p.add(r.line, fault.Invalid, "%s: %v", column, err)
	}
	return d
}

// ParseAmount reads an amount as people write it: digits, and a point before
// the decimals. It refuses exponents, signs of currencies and separators of
// thousands.
func ParseAmount(text string) (decimal.Decimal, error) {
	ok := len(text) > 0 && len(text) <= 40
	for i, c := range text {
		ok = ok && (c >= '0' && c <= '9' || c == '.' || c == '-' && i == 0)
	}
	d, err := decimal.NewFromString(text)
	if !ok || err != nil {
		if len(text) > 40 {
			text = text[:40] + "…"
		}
		return decimal.Decimal{}, fault.New(fault.Invalid, "write it as 1234.56", "%q is not an amount", text)
	}
	return d, nil
}

// ImportEntries posts the entries of a CSV file: all of them, or none where
// one is refused. Its columns are date, description, account, debit, credit,
// and, where wanted, entry, currency, memo. Lines that follow each other with
// the same date, description and entry are one entry. The same file posts
// once.
func (b *Books) ImportEntries(ctx context.Context, name string, r io.Reader) ([]Posted, error) {
	s, err := readSheet(r, name, []string{"date", "description", "account", "debit", "credit"}, []string{"entry", "currency", "memo"})
	if err != nil {
		return nil, err
	}
	var p problems
	var list []ManualEntry
	last := ""
	for _, row := range s.rows {
		key := s.cell(row, "date") + "\x00" + s.cell(row, "description") + "\x00" + s.cell(row, "entry")
		currency := money.Currency(s.cell(row, "currency"))
		if key != last {
			last = key
			list = append(list, ManualEntry{Date: s.cell(row, "date"), Description: s.cell(row, "description"), Currency: currency,
				Reference: fmt.Sprintf("import/%s/%d", s.digest, len(list)+1)})
		}
		e := &list[len(list)-1]
		if e.Currency != currency {
			p.add(row.line, fault.Invalid, "the currency is %q, and %q on the line before: an entry has one", currency, e.Currency)
		}
		e.Lines = append(e.Lines, ManualLine{Account: s.cell(row, "account"), Debit: s.amount(row, "debit", &p), Credit: s.amount(row, "credit", &p),
			Memo: s.cell(row, "memo"), Line: row.line})
	}
	if err := p.fault(name); err != nil {
		return nil, err
	}
	return b.postAll(ctx, list, name)
}

// OpenBalances posts the balances with which the books begin, from a CSV file
// with the columns account, debit, credit, and, where wanted, name (which is
// not read) and memo. What they do not balance by goes to opening equity. The
// same file and day post once; other balances are refused until the first were
// reversed.
func (b *Books) OpenBalances(ctx context.Context, day, name string, r io.Reader) (Posted, error) {
	s, err := readSheet(r, name, []string{"account", "debit", "credit"}, []string{"name", "memo"})
	if err != nil {
		return Posted{}, err
	}
	var out Posted
	err = b.db.Write(ctx, func(tx *store.Tx) error {
		d, err := b.openDesk(ctx, tx)
		if err != nil {
			return err
		}
		e := &ledger.Entry{Journal: ledger.JournalGeneral, Effective: day, Description: "Opening balances", DocumentKind: openingKind}
		if e.Cause, err = openingCause(ctx, tx); err != nil {
			return err
		}
		if err := d.date(ctx, 0, e); err != nil {
			return err
		}
		d.opening(s, e)
		if err := d.problems.fault(name); err != nil {
			return err
		}
		if out, err = d.post(ctx, e); err != nil {
			return err
		}
		d.poster.Flush()
		return nil
	})
	return out, err
}

// opening gives the opening entry its lines, noting every problem.
func (d *desk) opening(s *sheet, e *ledger.Entry) {
	home := d.b.opts.Company.Currency
	seen := map[string]int{}
	var rest int64
	for _, row := range s.rows {
		before := len(d.problems.list)
		l := ManualLine{Account: s.cell(row, "account"), Debit: s.amount(row, "debit", &d.problems), Credit: s.amount(row, "credit", &d.problems),
			Memo: s.cell(row, "memo"), Line: row.line}
		d.account(l)
		if d.accounts[l.Account].Role == ledger.OpeningEquity {
			d.problems.add(row.line, fault.Invalid, "account %s is the other side of all the others: leave it out", l.Account)
		}
		if line, twice := seen[l.Account]; twice {
			d.problems.add(row.line, fault.Invalid, "account %s stands on line %d too", l.Account, line)
		}
		seen[l.Account] = row.line
		if len(d.problems.list) > before || l.Debit.IsZero() && l.Credit.IsZero() {
			continue
		}
		amount, ok := d.amount(l, home)
		if !ok {
			continue
		}
		var err error
		if rest, err = money.AddMinor(rest, amount); err != nil {
			d.problems.add(row.line, fault.Invalid, "the amounts add up to more than can be kept")
		}
		e.Lines = append(e.Lines, d.b.homeLine(ledger.Ref{Code: l.Account}, amount, l.Memo))
	}
	if rest != 0 {
		e.Lines = append(e.Lines, d.b.homeLine(ledger.Ref{Code: d.opposite()}, -rest, ""))
	}
	if len(e.Lines) == 0 && len(d.problems.list) == 0 {
		d.problems.add(0, fault.Invalid, "all balances are zero")
	}
}

// opposite is the code of the account for opening equity.
func (d *desk) opposite() string {
	for _, a := range d.accounts {
		if a.Role == ledger.OpeningEquity {
			return a.Code
		}
	}
	d.problems.add(0, fault.Unprocessable, "no account has the role %q", ledger.OpeningEquity)
	return ""
}

// openingCause is the cause of the opening entry: there is one that stands.
func openingCause(ctx context.Context, r store.Reader) (string, error) {
	for revision := 1; ; revision++ {
		cause := openingKind
		if revision > 1 {
			cause += fmt.Sprintf("#%d", revision)
		}
		taken, err := ledger.ByCause(ctx, r, cause+"/reversal")
		if err != nil || taken.ID == 0 {
			return cause, err
		}
	}
}
