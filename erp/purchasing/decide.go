package purchasing

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"comptoir/erp/fault"
	"comptoir/erp/inventory"
	"comptoir/erp/ledger"
	"comptoir/erp/money"
	"comptoir/erp/quantity"
	"comptoir/erp/tax"

	"github.com/shopspring/decimal"
)

// Account is what a decision needs to know of an account.
type Account struct {
	Code, Name, Type string
	Role             ledger.Role
}

// expense reports whether a line of a bill may go to it. Accounts that another
// ledger stands behind are left to that ledger; bills that were open when the
// books began go to the opening balances.
func (a Account) expense() bool {
	return a.Type == "expense" || a.Type == "income" || a.Role == "" || a.Role == ledger.OpeningEquity
}

// pays reports whether purchases are paid from it.
func (a Account) pays() bool {
	return a.Role == ledger.Bank || a.Role == ledger.Cash || a.Role == "" && (a.Type == "asset" || a.Type == "liability")
}

// Goods is what the books know of a SKU.
type Goods struct {
	Variant int64
	Stock   int64 // the variant that carries its stock
	Tracked bool  // its stock is counted
	Others  int   // further variants with the same SKU
}

// Facts is all that the decisions need to know besides what is entered.
type Facts struct {
	Home     money.Currency
	Rate     func(c money.Currency, day string) (decimal.Decimal, bool) // into Home
	Vendor   Vendor                                                     // zero where a cash purchase names none
	Accounts map[string]Account                                         // by code
	Goods    map[string]Goods                                           // by SKU
	Levels   map[int64]inventory.Level                                  // by the variant that carries the stock
	// Like returns the known SKUs or accounts that are nearest to what was
	// written, for the advice of an error.
	LikeSKU     func(string) []string
	LikeAccount func(string) []string
	Revision    int64 // of the number
}

// Decision is what entering a document changes.
type Decision struct {
	Recorded
	Lines      []LineDecision
	Entry      ledger.Entry
	Components []tax.Component
}

// LineDecision is what one line changes.
type LineDecision struct {
	RecordedLine
	Variant int64
	Move    *inventory.Move
	Fact    *tax.Fact
}

// Digest stands for what is entered, so that entering it again is told from a
// change of it.
func (d Document) Digest() (string, error) {
	d.At = 0
	lines := make([]Line, len(d.Lines))
	for i, l := range d.Lines {
		l.At = 0
		lines[i] = l
	}
	d.Lines = lines
	return digest(d)
}

// Digest stands for a payment as it is entered.
func (p Payment) Digest() (string, error) { return digest(p) }

func digest(v any) (string, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:]), nil
}

// Decide works out what entering a document changes: inventory or expense and
// input tax to what we owe, or to what pays it; a credit the other way round.
// No database, no clock. All that is wrong with it is reported at once.
func Decide(doc Document, f Facts) (*Decision, error) {
	c := decider{said: doc, doc: doc, facts: f}
	if err := c.head(); err != nil {
		return nil, err
	}
	var errs []error
	for i := range doc.Lines {
		if err := c.line(doc.Lines[i]); err != nil {
			errs = append(errs, doc.lineError(i, err))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if err := c.total(); err != nil {
		return nil, err
	}
	if err := c.book(); err != nil {
		return nil, err
	}
	return &c.out, nil
}

// lineError says which line an error is about.
func (d Document) lineError(i int, err error) error {
	if at := d.Lines[i].At; at > 0 {
		return fmt.Errorf("line %d: %w", at, err)
	}
	return fmt.Errorf("item %d: %w", i+1, err)
}

type decider struct {
	said  Document // as it was entered
	doc   Document // with what it leaves to the vendor
	facts Facts
	rate  decimal.Decimal
	lines []figures
	sums  figures
	cents int64 // that the stated total differs by
	out   Decision
}

// figures are the amounts of a line in the document's currency.
type figures struct{ net, tax, deductible int64 }

// cost is what the goods or the expense cost: with the tax that cannot be
// deducted.
func (x figures) cost() int64 { return x.net + x.tax - x.deductible }

// head checks all but the lines.
func (c *decider) head() error {
	d := &c.doc
	if err := checkDay(d.Date, "date"); err != nil {
		return err
	}
	if strings.TrimSpace(d.Number) == "" || strings.ContainsAny(d.Number, "\n\r\t") {
		return fault.New(fault.Invalid, "give the number that the vendor printed on it", "number %q", d.Number)
	}
	if len(d.Lines) == 0 {
		return fault.New(fault.Invalid, "give at least one line", "it has no lines")
	}
	d.Currency = cmp.Or(d.Currency, c.facts.Vendor.Currency, c.facts.Home)
	if _, err := d.Currency.Decimals(); err != nil {
		return err
	}
	var err error
	if c.rate, err = rateOf(d.Currency, d.Date, d.Rate, c.facts); err != nil {
		return err
	}
	if d.Due == "" {
		day, err := time.Parse(time.DateOnly, d.Date)
		if err != nil {
			return err
		}
		d.Due = day.AddDate(0, 0, c.facts.Vendor.TermsDays).Format(time.DateOnly)
	}
	if err := checkDay(d.Due, "due date"); err != nil {
		return err
	}
	if d.Due < d.Date {
		return fault.New(fault.Invalid, "correct one of them", "it is due on %s, before its date %s", d.Due, d.Date)
	}
	return nil
}

// maxRate bounds exchange rates: a million of one currency for one of another.
var maxRate = decimal.New(1, 6)

// rateOf returns the rate that a document is booked at.
func rateOf(currency money.Currency, day string, stated *decimal.Decimal, f Facts) (decimal.Decimal, error) {
	switch {
	case stated != nil && (stated.Exponent() > 6 || stated.Exponent() < -18): // "1e9999" must not be written out
		return decimal.Decimal{}, fault.New(fault.Invalid, fmt.Sprintf("give %s for one %s", f.Home, currency), "a rate with exponent %d is out of range", stated.Exponent())
	case currency == f.Home && stated != nil && !stated.Equal(decimal.NewFromInt(1)):
		return decimal.Decimal{}, fault.New(fault.Invalid, "leave the rate out", "the rate %s is given for %s, the currency of the accounts", stated, currency)
	case currency == f.Home:
		return decimal.NewFromInt(1), nil
	case stated != nil && (!stated.IsPositive() || stated.GreaterThan(maxRate)):
		return decimal.Decimal{}, fault.New(fault.Invalid, fmt.Sprintf("give %s for one %s", f.Home, currency), "the rate %s is out of range", stated)
	case stated != nil:
		return *stated, nil
	}
	rate, ok := f.Rate(currency, day)
	if !ok {
		return rate, fault.New(fault.Unprocessable, "add it to books.rates in the configuration, or give --rate",
			"no rate from %s into %s is known for %s", currency, f.Home, day)
	}
	return rate, nil
}

var million = decimal.NewFromInt(1_000_000)

// ppmOf returns a part of an amount, rounded half away from zero.
func ppmOf(minor, ppm int64) int64 {
	return decimal.NewFromInt(minor).Mul(decimal.NewFromInt(ppm)).Div(million).Round(0).IntPart()
}

// The highest tax rate that is taken seriously: 1,000 %.
const maxTaxPPM = 10_000_000

// line checks a line and works out its amounts.
func (c *decider) line(l Line) error {
	net, err := amountOf(l.Net, c.doc.Currency, "net")
	if err != nil {
		return err
	}
	if l.TaxPPM < 0 || l.TaxPPM > maxTaxPPM {
		return fault.New(fault.Invalid, "give the rate in per cent, such as 20 or 5.5", "tax of %s %% is out of range", percent(l.TaxPPM))
	}
	if l.NotDeductiblePPM < 0 || l.NotDeductiblePPM > 1_000_000 {
		return fault.New(fault.Invalid, "give 0 to 100 per cent", "deductible part of %s %% is out of range", percent(1_000_000-l.NotDeductiblePPM))
	}
	if l.TaxPPM > 0 && c.facts.Vendor.Country == "" {
		return fault.New(fault.Invalid, "name the vendor: its country says which agency the tax belongs to", "tax without a vendor")
	}
	x := figures{net: net, tax: ppmOf(net, l.TaxPPM)}
	x.deductible = x.tax - ppmOf(x.tax, l.NotDeductiblePPM)
	out := LineDecision{RecordedLine: RecordedLine{SKU: l.SKU, Account: l.Account, Description: l.Description, Net: net, Tax: x.tax,
		TaxPPM: l.TaxPPM, NotDeductiblePPM: l.NotDeductiblePPM}}
	if out.Quantity, err = quantity.Of(l.Quantity); err != nil {
		return err
	}
	if out.Quantity <= 0 {
		return fault.New(fault.Invalid, "give a quantity above zero", "quantity %s", l.Quantity)
	}
	if err := c.place(&out); err != nil {
		return err
	}
	c.lines, c.out.Lines = append(c.lines, x), append(c.out.Lines, out)
	c.sums = figures{c.sums.net + x.net, c.sums.tax + x.tax, c.sums.deductible + x.deductible}
	if c.sums.net+c.sums.tax > maxMinor {
		return fault.New(fault.Invalid, "correct the amount", "the lines up to here add up to more than can be booked")
	}
	return nil
}

// place says where the cost of a line goes.
func (c *decider) place(l *LineDecision) error {
	if l.SKU != "" {
		if l.Account != "" {
			return fault.New(fault.Invalid, "give one of them", "both SKU %s and account %s", l.SKU, l.Account)
		}
		g, ok := c.facts.Goods[l.SKU]
		switch {
		case !ok:
			return fault.New(fault.NotFound, advice("sync the shop that sells it", c.facts.LikeSKU(l.SKU)), "SKU %q is not known", l.SKU)
		case g.Others > 0:
			return fault.New(fault.Unprocessable, "give each a SKU of its own in the shop, or book the line to an account", "SKU %q is that of %d variants", l.SKU, g.Others+1)
		case !g.Tracked:
			return fault.New(fault.Unprocessable, "have the shop manage its stock, or book the line to an account", "the stock of SKU %q is not counted", l.SKU)
		}
		l.Variant = g.Stock
		return nil
	}
	l.Account = cmp.Or(l.Account, c.facts.Vendor.Account)
	if l.Account == "" {
		if c.doc.Kind == Credit {
			return nil // purchase returns
		}
		return fault.New(fault.Invalid, "give one of them, or the vendor a default account", "neither SKU nor account")
	}
	a, ok := c.facts.Accounts[l.Account]
	if !ok {
		return fault.New(fault.NotFound, advice("see: comptoir report trial-balance", c.facts.LikeAccount(l.Account)), "account %q is not known", l.Account)
	}
	if !a.expense() {
		return fault.New(fault.Invalid, "choose an expense account, or an asset that you own", "account %s %s is kept by the books themselves", a.Code, a.Name)
	}
	return nil
}

// advice names what is nearest to what is not known.
func advice(otherwise string, near []string) string {
	if len(near) == 0 {
		return otherwise
	}
	return "did you mean " + strings.Join(near, ", ") + "?"
}

func percent(ppm int64) string { return decimal.New(ppm, -4).String() }

// total compares the lines with the total that the document states. Cents that
// the vendor rounded otherwise, one for each line, are taken over.
func (c *decider) total() error {
	total := c.sums.net + c.sums.tax
	if c.doc.Total != nil {
		stated, err := amountOf(*c.doc.Total, c.doc.Currency, "total")
		if err != nil {
			return err
		}
		if c.cents = stated - total; max(c.cents, -c.cents) > int64(len(c.lines)) {
			sum := money.Amount{Minor: total, Currency: c.doc.Currency}
			return fault.New(fault.Invalid, "correct a line or the total", "it does not balance: the lines and their tax add up to %s, the total says %s",
				sum, money.Amount{Minor: stated, Currency: c.doc.Currency})
		}
		total = stated
	}
	if total == 0 {
		return fault.New(fault.Invalid, "correct the lines", "it adds up to nothing")
	}
	home, err := money.Amount{Minor: total, Currency: c.doc.Currency}.Convert(c.rate, c.facts.Home)
	if err != nil {
		return err
	}
	if home.Minor == 0 || home.Minor > maxMinor {
		return fault.New(fault.Invalid, "correct the amounts or the rate", "%s at %s is %s, which cannot be booked", money.Amount{Minor: total, Currency: c.doc.Currency}, c.rate, home)
	}
	d := c.doc
	c.out.Recorded = Recorded{Kind: d.Kind, Vendor: d.Vendor, Number: d.Number, Date: d.Date, Due: d.Due, Currency: d.Currency, Rate: c.rate.String(),
		Net: c.sums.net, Tax: c.sums.tax, Total: total, HomeTotal: home.Minor, Note: d.Note,
		revision: c.facts.Revision, cause: cause(d.Kind, d.Ref, c.facts.Revision)}
	c.out.Open, c.out.HomeOpen = c.signed(total), c.signed(home.Minor)
	if d.Kind == Cash {
		c.out.Open, c.out.HomeOpen = 0, 0
	}
	c.out.digest, err = c.said.Digest()
	return err
}

// signed turns the sign round for a credit.
func (c *decider) signed(n int64) int64 {
	if c.doc.Kind == Credit {
		return -n
	}
	return n
}

// book makes the entry, the moves and the tax facts. The parts in the
// company's currency add up to the whole, to the cent.
func (c *decider) book() error {
	shares := make([]decimal.Decimal, 0, 2*len(c.lines)+1)
	for _, x := range c.lines {
		shares = append(shares, c.convert(x.cost()), c.convert(x.deductible))
	}
	parts := money.Split(c.out.HomeTotal, append(shares, c.convert(c.cents)))

	b := &booking{home: c.facts.Home, currency: c.doc.Currency, turned: c.doc.Kind == Credit}
	for i := range c.lines {
		if err := c.bookLine(b, i, parts[2*i], parts[2*i+1]); err != nil {
			return c.doc.lineError(i, err)
		}
	}
	b.add(ledger.Ref{Role: ledger.Rounding}, parts[len(parts)-1], c.cents, "as the document rounds")
	if err := c.counter(b); err != nil {
		return err
	}
	c.out.Entry = ledger.Entry{Journal: ledger.JournalPurchases, Effective: c.doc.Date, Cause: c.out.cause, Description: title(c.doc), DocumentKind: string(c.doc.Kind), Lines: b.lines}
	if c.doc.Kind == Cash {
		c.out.Entry.Journal = ledger.JournalCash
	}
	return nil
}

// title describes a document in the journal.
func title(d Document) string {
	name := map[Kind]string{Bill: "Bill", Credit: "Vendor credit", Cash: "Purchase"}[d.Kind]
	text := name + " " + d.Ref.String()
	if d.Note != "" {
		text += ": " + d.Note
	}
	return text
}

// convert returns an amount of the document in minor units of the company's
// currency, not rounded.
func (c *decider) convert(minor int64) decimal.Decimal {
	return exact(money.Amount{Minor: minor, Currency: c.doc.Currency}.Decimal().Mul(c.rate), c.facts.Home)
}

// exact returns a decimal in minor units, not rounded.
func exact(d decimal.Decimal, currency money.Currency) decimal.Decimal {
	scale, err := currency.Decimals()
	if err != nil {
		scale = 2
	}
	return d.Shift(int32(scale))
}

// bookLine books the cost of a line and its deductible tax.
func (c *decider) bookLine(b *booking, i int, cost, deductible int64) error {
	l, x := &c.out.Lines[i], c.lines[i]
	if l.SKU == "" {
		to := ledger.Ref{Code: l.Account}
		if l.Account == "" {
			to = ledger.Ref{Role: ledger.PurchaseReturns}
		}
		b.add(to, cost, x.cost(), l.Description)
	} else if err := c.bookGoods(b, i, cost); err != nil {
		return err
	}
	b.add(ledger.Ref{Role: ledger.InputTax}, deductible, x.deductible, taxName(l.TaxPPM))
	if x.deductible == 0 {
		return nil
	}
	part := 1_000_000 - l.NotDeductiblePPM
	foreign := ppmOf(x.net, part)
	l.Fact = &tax.Fact{RateID: rateID(c.facts.Vendor.Country, l.TaxPPM), ForeignBase: c.signed(foreign), ForeignTax: c.signed(x.deductible),
		Base: c.signed(c.convert(foreign).Round(0).IntPart()), Tax: c.signed(deductible)}
	c.component(l.TaxPPM)
	return nil
}

// bookGoods moves the goods of a line and books what they cost. Where they are
// worth something else in the stock, the difference is a price variance.
func (c *decider) bookGoods(b *booking, i int, cost int64) error {
	l := &c.out.Lines[i]
	move := inventory.Move{Variant: l.Variant, From: inventory.Vendors, To: inventory.Main, Quantity: l.Quantity,
		Reason: "purchase", DocumentKind: string(c.doc.Kind), Effective: c.doc.Date, Cause: moveCause(c.out.cause, i)}
	level := c.facts.Levels[l.Variant]
	var err error
	if c.doc.Kind == Credit {
		move.From, move.To, move.Reason, move.UnitCost = move.To, move.From, "return to the vendor", level.UnitCost
		move.Value, level, err = level.Release(l.Quantity, c.facts.Home)
	} else {
		move.UnitCost = inventory.UnitCost(l.Quantity, cost, c.facts.Home)
		move.Value, level, err = level.Receive(l.Quantity, cost, c.facts.Home)
	}
	if err != nil {
		return fmt.Errorf("SKU %s: %w", l.SKU, err)
	}
	c.facts.Levels[l.Variant], l.Move = level, &move
	b.add(ledger.Ref{Role: ledger.Inventory}, cost, c.lines[i].cost(), l.SKU)
	b.adjust(ledger.Ref{Role: ledger.PriceVariance}, ledger.Ref{Role: ledger.Inventory}, cost-move.Value, l.SKU)
	return nil
}

func moveCause(cause string, line int) string { return cause + "/line/" + strconv.Itoa(line+1) }

// counter books the other side: what we owe the vendor, or the account that
// pays, which is in the company's currency.
func (c *decider) counter(b *booking) error {
	if c.doc.Kind != Cash {
		b.add(ledger.Ref{Role: ledger.Payable}, -c.out.HomeTotal, -c.out.Total, "")
		b.lines[len(b.lines)-1].Contact = c.facts.Vendor.ID
		return nil
	}
	from, code, err := paidFrom(c.doc.PaidFrom, ledger.Cash, c.facts)
	if err != nil {
		return err
	}
	b.currency, c.out.Account = c.facts.Home, code
	b.add(from, -c.out.HomeTotal, -c.out.HomeTotal, "")
	return nil
}

// paidFrom finds the account that money leaves: "bank", "cash" or a code.
func paidFrom(name string, otherwise ledger.Role, f Facts) (ledger.Ref, string, error) {
	role := ledger.Role(cmp.Or(name, string(otherwise)))
	if role == ledger.Bank || role == ledger.Cash {
		for _, a := range f.Accounts {
			if a.Role == role {
				return ledger.Ref{Role: role}, a.Code, nil
			}
		}
		return ledger.Ref{}, "", fault.New(fault.Unprocessable, "choose a chart that has one", "no account has the role %q", role)
	}
	a, ok := f.Accounts[name]
	if !ok {
		return ledger.Ref{}, "", fault.New(fault.NotFound, advice("give bank, cash or the code of an account", f.LikeAccount(name)), "account %q is not known", name)
	}
	if !a.pays() {
		return ledger.Ref{}, "", fault.New(fault.Invalid, "give bank, cash or the code of another account of that kind", "nothing is paid from account %s %s", a.Code, a.Name)
	}
	return ledger.Ref{Code: a.Code}, a.Code, nil
}

// component is the rate of a purchase as the tax facts name it.
func (c *decider) component(ppm int64) {
	country := c.facts.Vendor.Country
	id := rateID(country, ppm)
	for _, had := range c.out.Components {
		if had.RateID == id {
			return
		}
	}
	c.out.Components = append(c.out.Components, tax.Component{RateID: id, Name: taxName(ppm), Agency: country, Country: country, Class: "purchases", PPM: ppm})
}

func rateID(country string, ppm int64) string { return fmt.Sprintf("purchase/%s/%d", country, ppm) }

func taxName(ppm int64) string { return "Input tax " + percent(ppm) + " %" }

// booking collects the lines of an entry; an amount above zero is a debit,
// unless it is turned round.
type booking struct {
	home, currency money.Currency
	turned         bool
	lines          []ledger.Line
}

// add books an amount in both currencies.
func (b *booking) add(to ledger.Ref, home, foreign int64, memo string) {
	if home == 0 {
		return
	}
	if b.turned {
		home, foreign = -home, -foreign
	}
	b.lines = append(b.lines, ledger.Line{Account: to, Debit: max(home, 0), Credit: max(-home, 0), Currency: b.currency,
		ForeignDebit: max(foreign, 0), ForeignCredit: max(-foreign, 0), Memo: memo})
}

// adjust books an amount from one account to another in the company's currency.
func (b *booking) adjust(to, from ledger.Ref, home int64, memo string) {
	own := booking{home: b.home, currency: b.home, turned: b.turned}
	own.add(to, home, home, memo)
	own.add(from, -home, -home, memo)
	b.lines = append(b.lines, own.lines...)
}

// CheckExpense refuses an account that lines of bills cannot go to.
func CheckExpense(code string, accounts map[string]Account) error {
	c := decider{facts: Facts{Accounts: accounts, LikeAccount: LikeAccounts(accounts)}}
	return c.place(&LineDecision{RecordedLine: RecordedLine{Account: code}})
}

// Same reports whether a document was entered before and stands. One of the
// same number that says something else is a Conflict fault.
func (had *Recorded) Same(d Document) (bool, error) {
	if had == nil || had.Reversed != "" {
		return false, nil
	}
	digest, err := d.Digest()
	if err != nil || had.digest == digest {
		return err == nil, err
	}
	return false, fault.New(fault.Conflict, "check the number; to correct it: comptoir bill reverse, then enter it again",
		"%s was entered before, dated %s, over %s", d.Ref, had.Date, money.Amount{Minor: had.Total, Currency: had.Currency})
}

// NextRevision is that of a number which is entered after had; nil: for the
// first time.
func (had *Recorded) NextRevision() int64 {
	if had == nil {
		return 1
	}
	return had.revision + 1
}

// Reversible reports why a document cannot be taken back on a day.
func (d *Recorded) Reversible(day string) error {
	if err := reversibleOn(day, d.Date, d.Reversed); err != nil {
		return err
	}
	for _, p := range d.Payments {
		if p.Reversed == "" {
			return fault.New(fault.Conflict, fmt.Sprintf("first: comptoir voucher reverse %s", p.Voucher), "%s was paid by %s", money.Amount{Minor: p.Amount, Currency: d.Currency}, p.Voucher)
		}
		if day < p.Reversed {
			return fault.New(fault.Invalid, fmt.Sprintf("reverse it on %s or later", p.Reversed), "its payment %s stood until %s", p.Voucher, p.Reversed)
		}
	}
	return nil
}

// Reversible reports why a payment cannot be taken back on a day.
func (v *Voucher) Reversible(day string) error { return reversibleOn(day, v.Date, v.Reversed) }

func reversibleOn(day, date, reversed string) error {
	switch err := checkDay(day, "date"); {
	case err != nil:
		return err
	case reversed != "":
		return fault.New(fault.Conflict, "nothing is left to do", "it was reversed on %s", reversed)
	case day < date:
		return fault.New(fault.Invalid, fmt.Sprintf("reverse it on %s or later", date), "it is dated %s, after %s", date, day)
	}
	return nil
}
