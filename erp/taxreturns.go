package erp

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"comptoir/erp/fault"
	"comptoir/erp/ledger"
	"comptoir/erp/money"
	"comptoir/erp/store"
	"comptoir/erp/tax"

	"github.com/shopspring/decimal"
)

// The kinds of document of what is declared and paid to tax agencies.
const (
	taxReturnKind  = "tax_return"
	taxPaymentKind = "tax_payment"
)

// TaxReturn is what was declared to an agency for a period, in minor units of
// the currency of the books.
type TaxReturn struct {
	ID     int64  `json:"id"`
	Agency string `json:"agency"`
	From   string `json:"from"`
	To     string `json:"to"`
	Output int64  `json:"output"` // collected, less what refunds took back
	Input  int64  `json:"input"`  // deductible
	// Late is the part of output less input that belongs to earlier periods
	// and was booked there after they had been declared.
	Late     int64 `json:"late"`
	Net      int64 `json:"net"`      // to pay; negative: to get back
	Entry    int64 `json:"entry"`    // 0: there was nothing to declare
	Reversal int64 `json:"reversal"` // 0: it stands
}

// TaxPayment is what was paid to an agency; negative is what it paid back.
type TaxPayment struct {
	ID        int64  `json:"id"`
	Agency    string `json:"agency"`
	Day       string `json:"day"`
	Amount    int64  `json:"amount"`
	Reference string `json:"reference"`
	Entry     int64  `json:"entry"`
	Reversal  int64  `json:"reversal"`
}

// TaxBalance is how the company stands with an agency.
type TaxBalance struct {
	Agency     string `json:"agency"`
	Name       string `json:"name"`
	Collected  int64  `json:"collected"`  // and not declared yet
	Deductible int64  `json:"deductible"` // and not declared yet
	Declared   int64  `json:"declared"`   // the net of all returns that stand
	Paid       int64  `json:"paid"`
	Due        int64  `json:"due"`  // declared and not paid
	Next       string `json:"next"` // first day of the next return; "" where nothing was declared yet
}

// taxSums is what is not declared yet.
type taxSums struct{ output, input int64 }

func (s taxSums) net() int64 { return s.output - s.input }

// authority returns the agency of that code: one of the rules, or one that a
// component names and no other agency collects for.
func (b *Books) authority(ctx context.Context, r store.Reader, code string) (tax.Authority, error) {
	list, err := b.authorities(ctx, r)
	if err != nil {
		return tax.Authority{}, err
	}
	var codes []string
	for _, a := range list {
		if a.Code == code {
			return a, nil
		}
		if slices.Contains(a.Collects, code) {
			return a, fault.New(fault.NotFound, "name that one", "the tax of %s is declared to %s (%s)", code, a.Code, a.Name)
		}
		codes = append(codes, a.Code)
	}
	fix := "load tax rules first: comptoir tax load " + tax.Presets()[0]
	if len(codes) > 0 {
		fix = "the agencies are " + strings.Join(codes, ", ")
	}
	return tax.Authority{}, fault.New(fault.NotFound, fix, "there is no tax agency %q", code)
}

// authorities lists the agencies of the rules, and those that only components
// name.
func (b *Books) authorities(ctx context.Context, r store.Reader) ([]tax.Authority, error) {
	rules, err := tax.LoadRules(ctx, r)
	if err != nil {
		return nil, err
	}
	covered := map[string]bool{}
	for _, a := range rules.Agencies {
		for _, c := range a.Covers() {
			covered[c] = true
		}
	}
	rows, err := r.Query(ctx, `SELECT DISTINCT agency FROM tax_component ORDER BY agency`)
	if err != nil {
		return nil, fmt.Errorf("read tax agencies: %w", err)
	}
	defer rows.Close()
	list := rules.Agencies
	for rows.Next() {
		var code string
		if err := rows.Scan(&code); err != nil {
			return nil, err
		}
		if !covered[code] {
			list = append(list, tax.Authority{Code: code, Name: code})
		}
	}
	slices.SortFunc(list, func(x, y tax.Authority) int { return cmp.Compare(x.Code, y.Code) })
	return list, rows.Err()
}

// SettleTax closes a return: what was collected for an agency until a day, less
// what is deductible, goes from the tax accounts to what is to be paid. Returns
// of an agency follow each other without a gap; what was booked late into a
// period that is declared already comes with the next return, and is told
// apart.
func (b *Books) SettleTax(ctx context.Context, agency, from, to string) (TaxReturn, error) {
	for _, day := range []string{from, to} {
		if err := isDay(day); err != nil {
			return TaxReturn{}, err
		}
	}
	if from > to {
		return TaxReturn{}, fault.New(fault.Invalid, "exchange them", "the period from %s to %s ends before it begins", from, to)
	}
	if today := b.today(); to >= today {
		return TaxReturn{}, fault.New(fault.Invalid, "close a return when its period is over", "%s is not over: today is %s", to, today)
	}
	var out TaxReturn
	err := b.db.Write(ctx, func(tx *store.Tx) (err error) {
		a, err := b.authority(ctx, tx, agency)
		if err != nil {
			return err
		}
		out, err = b.settleTax(ctx, tx, a, from, to)
		return err
	})
	if err != nil {
		return TaxReturn{}, fmt.Errorf("settle tax of %s: %w", agency, err)
	}
	return out, nil
}

func (b *Books) settleTax(ctx context.Context, tx *store.Tx, a tax.Authority, from, to string) (TaxReturn, error) {
	t := TaxReturn{Agency: a.Code, From: from, To: to}
	if err := b.mayDeclare(ctx, tx, a, from); err != nil {
		return t, err
	}
	all, err := undeclared(ctx, tx, a, to)
	if err != nil {
		return t, err
	}
	now, err := sumFacts(ctx, tx, a, from, to)
	if err != nil {
		return t, err
	}
	t.Output, t.Input, t.Net, t.Late = all.output, all.input, all.net(), all.net()-now.net()
	if t.ID, err = tx.NewID(ctx); err != nil {
		return t, err
	}
	lock, err := ledger.LockDate(ctx, tx)
	if err != nil {
		return t, err
	}
	e := &ledger.Entry{Journal: ledger.JournalGeneral, Effective: ledger.Unlocked(lock, to), Cause: fmt.Sprintf("tax/return/%s/%s/%d", a.Code, to, t.ID),
		Description: fmt.Sprintf("Tax return to %s, %s to %s", cmp.Or(a.Name, a.Code), from, to), DocumentKind: taxReturnKind, Document: t.ID}
	for _, l := range []ledger.Line{
		b.homeLine(ledger.Ref{Role: ledger.OutputTax}, t.Output, a.Code),
		b.homeLine(ledger.Ref{Role: ledger.InputTax}, -t.Input, a.Code),
		b.homeLine(toPay(a), -t.Net, a.Code),
	} {
		if l.Debit != l.Credit {
			e.Lines = append(e.Lines, l)
		}
	}
	if len(e.Lines) > 0 {
		if t.Entry, err = b.postOne(ctx, tx, e); err != nil {
			return t, err
		}
	}
	tx.Queue(`INSERT INTO tax_return (id, agency, from_day, to_day, output, input, late, entry_id) VALUES ($1,$2,$3,$4,$5,$6,$7,$8)`,
		t.ID, t.Agency, t.From, t.To, t.Output, t.Input, t.Late, t.Entry)
	return t, nil
}

// toPay is the account for what is declared to an agency and not paid.
func toPay(a tax.Authority) ledger.Ref {
	if a.Account != "" {
		return ledger.Ref{Code: a.Account}
	}
	return ledger.Ref{Role: ledger.TaxSettlement}
}

// mayDeclare refuses a return that overlaps an earlier one or leaves days out
// that have tax.
func (b *Books) mayDeclare(ctx context.Context, r store.Reader, a tax.Authority, from string) error {
	next, err := nextReturn(ctx, r, a.Code)
	if err != nil {
		return err
	}
	if next != "" {
		if from != next {
			return fault.New(fault.Conflict, "declare from "+next+", or take the last return back: comptoir tax reverse ID", "it is declared until %s", ledger.DayBefore(next))
		}
		return nil
	}
	var first string
	codes := a.Covers()
	err = r.QueryRow(ctx, `SELECT COALESCE(MIN(f.effective), '') FROM tax_fact f JOIN tax_component c ON c.id = f.component_id WHERE c.agency IN (`+store.In(len(codes), 1)+`)`,
		store.InArgs(nil, codes)...).Scan(&first)
	if err != nil {
		return fmt.Errorf("read tax facts: %w", err)
	}
	if first != "" && first < from {
		return fault.New(fault.Unprocessable, fmt.Sprintf("declare the time before first, also where it was done without these books: comptoir tax settle %s --from %s --to %s", a.Code, first, ledger.DayBefore(from)),
			"the books have tax since %s, and nothing is declared", first)
	}
	return nil
}

// nextReturn is the day after the last return that stands, "" where none does.
func nextReturn(ctx context.Context, r store.Reader, agency string) (string, error) {
	var last string
	err := r.QueryRow(ctx, `SELECT COALESCE(MAX(to_day), '') FROM tax_return WHERE agency = $1 AND reversal_id = 0`, agency).Scan(&last)
	if err != nil {
		return "", fmt.Errorf("read tax returns: %w", err)
	}
	if last == "" {
		return "", nil
	}
	return ledger.DayAfter(last), nil
}

// sumFacts sums up the tax of an agency, and of those that it collects for.
func sumFacts(ctx context.Context, r store.Reader, a tax.Authority, from, to string) (taxSums, error) {
	list, err := tax.Totals(ctx, r, from, to)
	var s taxSums
	for _, t := range list {
		if slices.Contains(a.Covers(), t.Agency) {
			s.output += t.Collected
			s.input += t.Deductible
		}
	}
	return s, err
}

// undeclared is the tax of an agency until a day, less what its returns took.
func undeclared(ctx context.Context, r store.Reader, a tax.Authority, to string) (taxSums, error) {
	s, err := sumFacts(ctx, r, a, "", to)
	if err != nil {
		return s, err
	}
	var done taxSums
	err = r.QueryRow(ctx, `SELECT COALESCE(SUM(output), 0), COALESCE(SUM(input), 0) FROM tax_return WHERE agency = $1 AND reversal_id = 0`, a.Code).Scan(&done.output, &done.input)
	if err != nil {
		return s, fmt.Errorf("read tax returns: %w", err)
	}
	return taxSums{s.output - done.output, s.input - done.input}, nil
}

// PayOrder is a payment to a tax agency, as it is asked for.
type PayOrder struct {
	Agency string
	Amount decimal.Decimal // major units of the currency of the books
	Day    string
	// Account is the code of the account that it is paid from; "" is the bank.
	Account string
	// Reference of the bank; a payment with the same one is booked once.
	Reference string
	// Received is set where the agency pays back.
	Received bool
	// Advance allows more than is due.
	Advance bool
}

// PayTax books a payment to a tax agency, or one that it makes.
func (b *Books) PayTax(ctx context.Context, o PayOrder) (TaxPayment, error) {
	if err := isDay(o.Day); err != nil {
		return TaxPayment{}, err
	}
	amount, err := money.Round(o.Amount, b.opts.Company.Currency)
	switch {
	case err != nil:
		return TaxPayment{}, err
	case amount.Minor <= 0 || !amount.Decimal().Equal(o.Amount):
		return TaxPayment{}, fault.New(fault.Invalid, "give a positive amount with no more decimals than the currency has; --received for money that comes back", "%s is not an amount to pay", o.Amount)
	}
	if o.Received {
		amount = amount.Neg()
	}
	var out TaxPayment
	err = b.db.Write(ctx, func(tx *store.Tx) (err error) {
		a, err := b.authority(ctx, tx, o.Agency)
		if err != nil {
			return err
		}
		out, err = b.payTax(ctx, tx, a, o, amount.Minor)
		return err
	})
	if err != nil {
		return TaxPayment{}, fmt.Errorf("pay tax of %s: %w", o.Agency, err)
	}
	return out, nil
}

func (b *Books) payTax(ctx context.Context, tx *store.Tx, a tax.Authority, o PayOrder, amount int64) (TaxPayment, error) {
	p := TaxPayment{Agency: a.Code, Day: o.Day, Amount: amount, Reference: o.Reference}
	var err error
	if p.ID, err = tx.NewID(ctx); err != nil {
		return p, err
	}
	cause := fmt.Sprintf("tax/payment/%s/%d", a.Code, p.ID)
	if o.Reference != "" {
		cause = fmt.Sprintf("tax/payment/%s/%s", a.Code, o.Reference)
		had, err := ledger.ByCause(ctx, tx, cause)
		if err != nil {
			return p, err
		}
		if had.ID != 0 {
			return p, fault.New(fault.Conflict, "use another reference for another payment", "a payment with the reference %q is booked already, by entry %d", o.Reference, had.ID)
		}
	}
	due, err := dueTo(ctx, tx, a.Code)
	if err != nil {
		return p, err
	}
	if !o.Advance && (amount > 0 && amount > due || amount < 0 && amount < due) {
		return p, fault.New(fault.Unprocessable, "close the return first (comptoir tax settle), or say --advance", "%s is due, and the payment is %s",
			money.Amount{Minor: due, Currency: b.opts.Company.Currency}, money.Amount{Minor: amount, Currency: b.opts.Company.Currency})
	}
	bank := ledger.Ref{Role: ledger.Bank}
	if o.Account != "" {
		d, err := b.openDesk(ctx, tx)
		if err != nil {
			return p, err
		}
		d.account(ManualLine{Account: o.Account})
		if err := d.problems.fault("the payment"); err != nil {
			return p, err
		}
		bank = ledger.Ref{Code: o.Account}
	}
	verb := "Tax paid to "
	if amount < 0 {
		verb = "Tax received from "
	}
	p.Entry, err = b.postOne(ctx, tx, &ledger.Entry{Journal: ledger.JournalCash, Effective: o.Day, Cause: cause, Description: verb + cmp.Or(a.Name, a.Code), DocumentKind: taxPaymentKind, Document: p.ID,
		Lines: []ledger.Line{b.homeLine(toPay(a), amount, a.Code), b.homeLine(bank, -amount, o.Reference)}})
	if err != nil {
		return p, err
	}
	tx.Queue(`INSERT INTO tax_payment (id, agency, day, amount, reference, entry_id) VALUES ($1,$2,$3,$4,$5,$6)`, p.ID, p.Agency, p.Day, p.Amount, p.Reference, p.Entry)
	return p, nil
}

// dueTo is what is declared to an agency and not paid.
func dueTo(ctx context.Context, r store.Reader, agency string) (int64, error) {
	var due int64
	err := r.QueryRow(ctx, `SELECT (SELECT COALESCE(SUM(output - input), 0) FROM tax_return WHERE agency = $1 AND reversal_id = 0)
		- (SELECT COALESCE(SUM(amount), 0) FROM tax_payment WHERE agency = $1 AND reversal_id = 0)`, agency).Scan(&due)
	if err != nil {
		return 0, fmt.Errorf("read what is due to %s: %w", agency, err)
	}
	return due, nil
}

// ReverseTax takes a return or a payment back, by its id. Of the returns of an
// agency only the last one can be. It returns the entry that does it, 0 where
// the return had nothing to declare.
func (b *Books) ReverseTax(ctx context.Context, id int64) (int64, error) {
	var out int64
	err := b.db.Write(ctx, func(tx *store.Tx) error {
		table, err := b.reversibleTax(ctx, tx, id)
		if err != nil {
			return err
		}
		out = 0
		if table.entry != 0 {
			had, err := ledger.ByID(ctx, tx, table.entry)
			if err != nil {
				return err
			}
			lock, err := ledger.LockDate(ctx, tx)
			if err != nil {
				return err
			}
			if out, err = b.postOne(ctx, tx, had.Reversal(had.ID, had.Cause+"/reversal", ledger.Unlocked(lock, had.Effective))); err != nil {
				return err
			}
		}
		mark := cmp.Or(out, id)
		if table.payment {
			tx.Queue(`UPDATE tax_payment SET reversal_id = $2 WHERE id = $1`, id, mark)
		} else {
			tx.Queue(`UPDATE tax_return SET reversal_id = $2 WHERE id = $1`, id, mark)
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("take %d back: %w", id, err)
	}
	return out, nil
}

// taxDocument is a return or a payment that can be taken back.
type taxDocument struct {
	entry   int64
	payment bool
}

func (b *Books) reversibleTax(ctx context.Context, r store.Reader, id int64) (taxDocument, error) {
	var d taxDocument
	var agency, to string
	var reversal int64
	err := r.QueryRow(ctx, `SELECT agency, to_day, entry_id, reversal_id FROM tax_return WHERE id = $1`, id).Scan(&agency, &to, &d.entry, &reversal)
	if errors.Is(err, sql.ErrNoRows) {
		d.payment = true
		err = r.QueryRow(ctx, `SELECT agency, entry_id, reversal_id FROM tax_payment WHERE id = $1`, id).Scan(&agency, &d.entry, &reversal)
	}
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return d, fault.New(fault.NotFound, "see comptoir tax list", "no return and no payment has this number")
	case err != nil:
		return d, err
	case reversal != 0:
		return d, fault.New(fault.Conflict, "see comptoir tax list", "it is taken back already")
	case d.payment:
		return d, nil
	}
	next, err := nextReturn(ctx, r, agency)
	if err == nil && next != ledger.DayAfter(to) {
		err = fault.New(fault.Unprocessable, "take the later returns back first", "%s has later returns, until %s", agency, ledger.DayBefore(next))
	}
	return d, err
}

// TaxDocuments lists the returns and payments, oldest first.
func (b *Books) TaxDocuments(ctx context.Context) ([]TaxReturn, []TaxPayment, error) {
	returns, payments := []TaxReturn{}, []TaxPayment{}
	err := b.db.Read(ctx, func(r store.Reader) error {
		rows, err := r.Query(ctx, `SELECT id, agency, from_day, to_day, output, input, late, entry_id, reversal_id FROM tax_return ORDER BY agency, to_day, id`)
		if err != nil {
			return err
		}
		for rows.Next() {
			var t TaxReturn
			if err := rows.Scan(&t.ID, &t.Agency, &t.From, &t.To, &t.Output, &t.Input, &t.Late, &t.Entry, &t.Reversal); err != nil {
				return errors.Join(err, rows.Close())
			}
			t.Net = t.Output - t.Input
			returns = append(returns, t)
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return err
		}
		if rows, err = r.Query(ctx, `SELECT id, agency, day, amount, reference, entry_id, reversal_id FROM tax_payment ORDER BY agency, day, id`); err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var p TaxPayment
			if err := rows.Scan(&p.ID, &p.Agency, &p.Day, &p.Amount, &p.Reference, &p.Entry, &p.Reversal); err != nil {
				return err
			}
			payments = append(payments, p)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, nil, fmt.Errorf("list tax returns and payments: %w", err)
	}
	return returns, payments, nil
}

// TaxBalances tells how the company stands with each agency.
func (b *Books) TaxBalances(ctx context.Context) ([]TaxBalance, error) {
	out := []TaxBalance{}
	err := b.db.Read(ctx, func(r store.Reader) error {
		list, err := b.authorities(ctx, r)
		if err != nil {
			return err
		}
		for _, a := range list {
			t, err := taxBalance(ctx, r, a)
			if err != nil {
				return err
			}
			out = append(out, t)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("tax balances: %w", err)
	}
	return out, nil
}

func taxBalance(ctx context.Context, r store.Reader, a tax.Authority) (TaxBalance, error) {
	t := TaxBalance{Agency: a.Code, Name: a.Name}
	open, err := undeclared(ctx, r, a, "9999-12-31")
	if err != nil {
		return t, err
	}
	t.Collected, t.Deductible = open.output, open.input
	if t.Due, err = dueTo(ctx, r, a.Code); err != nil {
		return t, err
	}
	err = r.QueryRow(ctx, `SELECT COALESCE(SUM(output - input), 0) FROM tax_return WHERE agency = $1 AND reversal_id = 0`, a.Code).Scan(&t.Declared)
	if err != nil {
		return t, err
	}
	t.Paid = t.Declared - t.Due
	t.Next, err = nextReturn(ctx, r, a.Code)
	return t, err
}
