package purchasing

import (
	"fmt"
	"net/url"

	"comptoir/erp/fault"
	"comptoir/erp/ledger"
	"comptoir/erp/money"

	"github.com/shopspring/decimal"
)

// PaymentDecision is what paying bills changes.
type PaymentDecision struct {
	Voucher
	Entry ledger.Entry
	Bills []PaidBill
}

// PaidBill is what a payment takes from a bill: both amounts have the sign of
// what was open.
type PaidBill struct {
	ID, Amount, HomeAmount int64
}

// DecidePayment works out what paying bills changes: payable and bank charges
// to bank. The bills are those of the payment, in its order, as they stand
// now; vendors are the ids of theirs. What a foreign bill cost otherwise on
// its date than on the day of the payment is an exchange gain or loss.
func DecidePayment(p Payment, bills []Recorded, vendors []int64, number int64, f Facts) (*PaymentDecision, error) {
	if err := checkDay(p.Date, "date"); err != nil {
		return nil, err
	}
	if len(bills) == 0 {
		return nil, fault.New(fault.Invalid, "name at least one bill", "nothing to pay")
	}
	c := payer{payment: p, facts: f, currency: bills[0].Currency}
	var err error
	if c.rate, err = rateOf(c.currency, p.Date, p.Rate, f); err != nil {
		return nil, err
	}
	c.booking = booking{home: f.Home, currency: c.currency}
	for i := range bills {
		if err := c.bill(i, bills, vendors[i]); err != nil {
			return nil, fmt.Errorf("bill %s: %w", p.Bills[i].Ref, err)
		}
	}
	return c.finish(number)
}

type payer struct {
	payment  Payment
	facts    Facts
	currency money.Currency
	rate     decimal.Decimal
	booking  booking
	paid     int64 // in the bills' currency
	settled  int64 // of the payable account
	out      PaymentDecision
}

// bill takes one bill of the payment.
func (c *payer) bill(i int, bills []Recorded, vendor int64) error {
	r := bills[i]
	switch {
	case r.Kind == Cash:
		return fault.New(fault.Invalid, "leave it out", "it was paid when it was bought")
	case r.Reversed != "":
		return fault.New(fault.Conflict, "leave it out", "it was reversed on %s", r.Reversed)
	case r.Currency != c.currency:
		return fault.New(fault.Invalid, "pay each currency by a voucher of its own", "it is in %s, the others in %s", r.Currency, c.currency)
	case c.payment.Date < r.Date:
		return fault.New(fault.Invalid, "correct the date of the payment", "it is dated %s, after the payment of %s", r.Date, c.payment.Date)
	case r.Open == 0:
		return fault.New(fault.Conflict, "leave it out", "nothing is open of it")
	}
	for _, other := range bills[:i] {
		if other.ID == r.ID {
			return fault.New(fault.Invalid, "name it once", "it is named twice")
		}
	}
	amount, err := c.amount(c.payment.Bills[i].Amount, r)
	if err != nil {
		return err
	}
	home := r.HomeOpen
	if amount != r.Open {
		home = decimal.NewFromInt(r.HomeOpen).Mul(decimal.NewFromInt(amount)).Div(decimal.NewFromInt(r.Open)).Round(0).IntPart()
	}
	c.paid += amount
	c.settled += home
	c.out.Bills = append(c.out.Bills, PaidBill{r.ID, amount, home})
	c.out.Voucher.Bills = append(c.out.Voucher.Bills, VoucherLine{Vendor: r.Vendor, Bill: r.Number, Amount: amount, HomeAmount: home, bill: r.ID})
	before := len(c.booking.lines)
	c.booking.add(ledger.Ref{Role: ledger.Payable}, home, amount, r.Number)
	for j := range c.booking.lines[before:] {
		c.booking.lines[before+j].Contact = vendor
	}
	return nil
}

// amount is what is paid of a bill, with the sign of what is open.
func (c *payer) amount(said *decimal.Decimal, r Recorded) (int64, error) {
	if said == nil {
		return r.Open, nil
	}
	minor, err := amountOf(*said, r.Currency, "amount")
	if err != nil {
		return 0, err
	}
	open := max(r.Open, -r.Open)
	if minor == 0 || minor > open {
		return 0, fault.New(fault.Invalid, fmt.Sprintf("pay up to %s", money.Amount{Minor: open, Currency: r.Currency}),
			"%s cannot be paid: %s is open", money.Amount{Minor: minor, Currency: r.Currency}, money.Amount{Minor: open, Currency: r.Currency})
	}
	if r.Open < 0 {
		return -minor, nil
	}
	return minor, nil
}

// finish books the other side.
func (c *payer) finish(number int64) (*PaymentDecision, error) {
	if c.paid < 0 {
		return nil, fault.New(fault.Invalid, "use a part of the credits, or name more bills", "the credits are worth more than the bills, by %s", money.Amount{Minor: -c.paid, Currency: c.currency})
	}
	if c.paid > maxMinor {
		return nil, fault.New(fault.Invalid, "pay fewer bills at a time", "the bills add up to more than can be booked")
	}
	charge, err := amountOf(c.payment.Charge, c.facts.Home, "charge")
	if err != nil {
		return nil, err
	}
	home, err := money.Amount{Minor: c.paid, Currency: c.currency}.Convert(c.rate, c.facts.Home)
	if err != nil {
		return nil, err
	}
	if home.Minor > maxMinor {
		return nil, fault.New(fault.Invalid, "correct the rate, or pay fewer bills at a time", "%s at %s is %s, which cannot be booked", money.Amount{Minor: c.paid, Currency: c.currency}, c.rate, home)
	}
	from, code, err := paidFrom(c.payment.PaidFrom, ledger.Bank, c.facts)
	if err != nil {
		return nil, err
	}
	own := booking{home: c.facts.Home, currency: c.facts.Home}
	own.add(ledger.Ref{Role: ledger.BankCharges}, charge, charge, c.payment.Reference)
	own.add(from, -home.Minor-charge, -home.Minor-charge, c.payment.Reference)
	if loss := home.Minor - c.settled; loss > 0 {
		own.add(ledger.Ref{Role: ledger.ExchangeLoss}, loss, 0, "")
	} else {
		own.add(ledger.Ref{Role: ledger.ExchangeGain}, loss, 0, "")
	}
	lines := append(c.booking.lines, own.lines...)
	if len(lines) == 0 {
		return nil, fault.New(fault.Invalid, "pay more at a time", "the payment is worth nothing in %s", c.facts.Home)
	}
	v := &c.out.Voucher
	v.Number, v.Date, v.Account, v.Currency, v.Rate = fmt.Sprintf("%s-%d", voucherSeries, number), c.payment.Date, code, c.currency, c.rate.String()
	v.Amount, v.HomeAmount, v.Charge, v.Reference = c.paid, home.Minor, charge, c.payment.Reference
	v.cause = VoucherKind + "/" + v.Number
	if c.payment.Key != "" {
		v.cause = keyCause(c.payment.Key)
	}
	if v.digest, err = c.payment.Digest(); err != nil {
		return nil, err
	}
	text := "Payment " + v.Number
	if v.Reference != "" {
		text += ": " + v.Reference
	}
	c.out.Entry = ledger.Entry{Journal: ledger.JournalCash, Effective: v.Date, Cause: v.cause, Description: text, DocumentKind: VoucherKind, Lines: lines}
	return &c.out, nil
}

// keyCause is the cause of a payment that the caller gave a key.
func keyCause(key string) string { return VoucherKind + "/key/" + url.PathEscape(key) }
