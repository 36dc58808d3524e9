package sales

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"comptoir/erp/fault"
	"comptoir/erp/ledger"
	"comptoir/erp/money"
	"comptoir/erp/tax"

	"github.com/shopspring/decimal"
)

// taxable is the tax of one rate on one line, in the order's currency.
type taxable struct {
	line, rate string
	base, tax  int64
}

// booking collects the lines of an entry in the order's currency; a positive
// amount is a debit.
type booking struct {
	d       *decider
	journal string
	title   string
	refs    []bookingKey
	amounts map[bookingKey]int64
}

type bookingKey struct {
	account account
	memo    string
}

func (d *decider) book(journal, title string) *booking {
	return &booking{d: d, journal: journal, title: title, amounts: make(map[bookingKey]int64, 8)}
}

func (b *booking) debit(a account, amount int64, memo string) {
	if amount == 0 {
		return
	}
	a = b.d.own(a)
	k := bookingKey{a, memo}
	if _, ok := b.amounts[k]; !ok {
		b.refs = append(b.refs, k)
	}
	b.amounts[k] += amount
}

// own is the shop's own account for a role, where it has one.
func (d *decider) own(a account) account {
	if code := d.facts.Rules.Roles[a.Role]; code != "" && a.Code == "" {
		a.Code = code
	}
	return a
}

func (b *booking) credit(a account, amount int64, memo string) { b.debit(a, -amount, memo) }

func (d *decider) describe(title string) string {
	return title + ", order " + d.said.Number + " of " + d.facts.Shop
}

// late names the day of what happened in the locked period and is booked on
// the first open day; "" for all else.
func (d *decider) late(at time.Time) string {
	day := at.In(d.facts.Zone).Format(time.DateOnly)
	if d.facts.Unlocked(day) == day {
		return ""
	}
	return " (of " + day + ", in the locked period)"
}

// post adds a posting of money, unless there is none.
func (d *decider) post(event string, at time.Time, b *booking, facts []taxable) error {
	p, err := d.posting(event, at, b, facts)
	if err == nil && p.Entry != nil {
		d.wanted = append(d.wanted, p)
	}
	return err
}

// issue adds a posting that issues a document.
func (d *decider) issue(event string, at time.Time, b *booking, facts []taxable, doc *Invoice) error {
	p, err := d.posting(event, at, b, facts)
	if err != nil {
		return err
	}
	if p.Entry == nil && doc.Total == 0 {
		return nil
	}
	p.Invoice = doc
	text := fmt.Sprintf("%s|%s|%d|%d", doc.Kind, d.currencyText(), doc.Total, doc.Tax)
	for _, l := range doc.Lines {
		text += fmt.Sprintf("|%s:%d:%d", l.Title, l.Quantity, l.Net)
	}
	for _, f := range facts {
		text += fmt.Sprintf("|%s:%s:%d:%d", f.line, f.rate, f.base, f.tax)
	}
	p.Document = hash(text)
	d.wanted = append(d.wanted, p)
	return nil
}

// currencyText is the order's currency and, in another one than the books', its
// rate: where that changes, all of the order is posted anew at one rate.
func (d *decider) currencyText() string {
	if d.fig.currency == d.facts.Home {
		return string(d.fig.currency)
	}
	return string(d.fig.currency) + "@" + d.rate.String()
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:8])
}

// posting turns a booking into an entry in both currencies, and its taxables
// into facts that add up to the entry's tax lines.
func (d *decider) posting(event string, at time.Time, b *booking, facts []taxable) (*Posting, error) {
	p := &Posting{Event: event, Effective: d.facts.day(at), Summary: b.title}
	text := d.currencyText()
	home := make(map[bookingKey]int64, len(b.refs))
	var rest int64
	var lines []ledger.Line
	for _, k := range b.refs {
		amount := b.amounts[k]
		if amount == 0 {
			continue
		}
		own, err := d.home(amount)
		if err != nil {
			return nil, err
		}
		home[k] = own
		if rest, err = money.AddMinor(rest, own); err != nil {
			return nil, err
		}
		text += fmt.Sprintf("|%s/%s/%s/%s/%s=%d", k.account.Role, k.account.Gateway, k.account.Currency, k.account.Code, k.memo, amount)
		if own != 0 {
			lines = append(lines, ledgerLine(k, own, amount, d.fig.currency))
		}
	}
	if rest != 0 { // of the conversion
		lines = append(lines, ledgerLine(bookingKey{roundingCents, "conversion"}, -rest, 0, d.fig.currency))
	}
	p.Digest = hash(text)
	if len(lines) > 0 {
		p.Entry = &ledger.Entry{Journal: b.journal, Effective: p.Effective, DocumentKind: DocumentKind, Shop: d.facts.ShopID,
			Description: d.describe(b.title) + d.late(at), Lines: lines}
	}
	var err error
	p.Facts, err = d.taxFacts(facts, home)
	return p, err
}

func ledgerLine(k bookingKey, home, foreign int64, c money.Currency) ledger.Line {
	l := ledger.Line{Account: k.account, Currency: c, Memo: k.memo, Debit: max(home, 0), Credit: max(-home, 0)}
	l.ForeignDebit, l.ForeignCredit = max(foreign, 0), max(-foreign, 0)
	return l
}

// home converts an amount of the order into the currency of the books.
func (d *decider) home(amount int64) (int64, error) {
	if d.fig.currency == d.facts.Home {
		return amount, nil
	}
	a, err := money.Amount{Minor: amount, Currency: d.fig.currency}.Convert(d.rate, d.facts.Home)
	if err != nil {
		return 0, fault.New(fault.Unprocessable, "check books.rates", "order %s: %w", d.said.Number, err)
	}
	return a.Minor, nil
}

// taxFacts converts the tax of each line so that, for each rate, the facts add
// up to the amount on the tax account.
func (d *decider) taxFacts(facts []taxable, home map[bookingKey]int64) ([]tax.Fact, error) {
	out := make([]tax.Fact, len(facts))
	byRate := map[string][]int{}
	var rates []string
	for i, f := range facts {
		base, err := d.home(f.base)
		if err != nil {
			return nil, err
		}
		out[i] = tax.Fact{RateID: f.rate, Line: f.line, ForeignBase: f.base, ForeignTax: f.tax, Base: base, Tax: f.tax}
		if _, ok := byRate[f.rate]; !ok {
			rates = append(rates, f.rate)
		}
		byRate[f.rate] = append(byRate[f.rate], i)
	}
	if d.fig.currency == d.facts.Home {
		return out, nil
	}
	for _, rate := range rates {
		shares := make([]decimal.Decimal, len(byRate[rate]))
		for n, i := range byRate[rate] {
			shares[n] = decimal.New(facts[i].tax, 0).Mul(d.ratio())
		}
		for n, part := range money.Split(-home[bookingKey{outputTax, rate}], shares) {
			out[byRate[rate][n]].Tax = part
		}
	}
	return out, nil
}

// ratio is the exchange rate between minor units.
func (d *decider) ratio() decimal.Decimal {
	homeScale, err := d.facts.Home.Decimals()
	if err != nil {
		return d.rate
	}
	return d.rate.Shift(int32(homeScale) - d.fig.scale)
}
