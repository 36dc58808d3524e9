// Package ledger keeps the double-entry accounts: a chart of accounts and a
// journal of entries that are only ever added to. A correction is a reversal
// and a new entry.
//
// Postings name accounts by their role, not by their code: the chart that the
// company chose (general or French PCG) says which account plays which role.
// Each line holds its amount twice: in the company's currency, in which entries
// balance, and in that of the document.
package ledger

import (
	"comptoir/erp/fault"
	"comptoir/erp/money"
)

// Role is what an account is for in the postings.
type Role string

// The roles that postings use. A chart names exactly one account for each.
const (
	Clearing            Role = "clearing" // one account for each gateway and currency hangs below it
	Receivable          Role = "receivable"
	CustomerDeposits    Role = "customer_deposits"
	GiftCardLiability   Role = "gift_card_liability"
	Inventory           Role = "inventory"
	OutputTax           Role = "output_tax"
	Sales               Role = "sales"
	ShippingIncome      Role = "shipping_income"
	OtherIncome         Role = "other_income" // fees and tips
	SalesReturns        Role = "sales_returns"
	Discounts           Role = "discounts"
	CostOfGoodsSold     Role = "cogs"
	InventoryAdjustment Role = "inventory_adjustment"
	PaymentFees         Role = "payment_fees"
	Rounding            Role = "rounding"
	OpeningEquity       Role = "opening_equity"
	Bank                Role = "bank"
	Cash                Role = "cash"
	BankCharges         Role = "bank_charges"
	Payable             Role = "payable" // what open bills are owed: see bill_balance
	InputTax            Role = "input_tax"
	PriceVariance       Role = "price_variance" // of goods that left before their cost was known
	PurchaseReturns     Role = "purchase_returns"
	ExchangeGain        Role = "fx_gain"
	ExchangeLoss        Role = "fx_loss"
	RetainedEarnings    Role = "retained_earnings"
	TaxSettlement       Role = "tax_settlement"
	Disputes            Role = "disputes"       // money that a gateway holds back until a dispute is decided
	DisputeLosses       Role = "dispute_losses" // what was lost
	Reserve             Role = "reserve"        // money that a gateway holds back as a security
	RemittedTax         Role = "remitted_tax"   // tax that customers paid, and that the marketplace pays to the authority
)

// Ref names an account: by role, and for clearing accounts by gateway and
// currency too. Code, where it is set, wins: it is an account that the
// configuration names.
type Ref struct {
	Role     Role
	Gateway  string
	Currency money.Currency
	Code     string
}

// Line is one side of an entry. Exactly one of Debit and Credit is positive,
// in minor units of the company's currency. ForeignDebit and ForeignCredit are
// the same in the document's currency; a line that only balances the
// conversion has none.
type Line struct {
	Account       Ref
	Debit         int64
	Credit        int64
	Currency      money.Currency
	ForeignDebit  int64
	ForeignCredit int64
	Contact       int64
	Memo          string
}

// Entry is a balanced set of lines.
type Entry struct {
	Journal      string // one of the journals below
	Effective    string // business date, YYYY-MM-DD
	Cause        string // unique: the event that it books
	Description  string
	Shop         int64
	DocumentKind string
	Document     int64
	Reverses     int64 // the entry that it takes back; 0 for none
	Lines        []Line
}

// The journals.
const (
	JournalSales     = "sales"
	JournalPurchases = "purchases"
	JournalCash      = "cash"
	JournalInventory = "inventory"
	JournalGeneral   = "general"
	JournalClosing   = "closing" // of fiscal years
)

// Check reports why e may not be written: no lines, a line with two sides or
// none, a negative amount, debits that differ from credits.
func (e *Entry) Check() error {
	var debit, credit int64
	var err error
	for i, l := range e.Lines {
		if l.Debit < 0 || l.Credit < 0 || l.ForeignDebit < 0 || l.ForeignCredit < 0 {
			return e.refuse("line %d is negative", i+1)
		}
		if (l.Debit > 0) == (l.Credit > 0) {
			return e.refuse("line %d must have one side", i+1)
		}
		if debit, err = money.AddMinor(debit, l.Debit); err != nil {
			return e.refuse("debits overflow")
		}
		if credit, err = money.AddMinor(credit, l.Credit); err != nil {
			return e.refuse("credits overflow")
		}
	}
	if len(e.Lines) == 0 {
		return e.refuse("no lines")
	}
	if debit != credit {
		return e.refuse("debits %d differ from credits %d", debit, credit)
	}
	if len(e.Effective) != len("2006-01-02") {
		return e.refuse("effective date %q is no date", e.Effective)
	}
	return nil
}

func (e *Entry) refuse(format string, args ...any) error {
	err := fault.New(fault.Invalid, "this is a defect in a posting rule: please report it", format, args...)
	err.Msg = "entry " + e.Cause + ": " + err.Msg
	return err
}

// Reversal returns the entry that takes e back: each side on the other. Where
// it is booked on another day, its description names the day that it corrects.
func (e *Entry) Reversal(id int64, cause, effective string) *Entry {
	r := *e
	r.Cause, r.Effective, r.Reverses = cause, effective, id
	r.Description = "Reversal: " + e.Description
	if effective != e.Effective {
		r.Description += " (of " + e.Effective + ")"
	}
	r.Lines = make([]Line, len(e.Lines))
	for i, l := range e.Lines {
		l.Debit, l.Credit = l.Credit, l.Debit
		l.ForeignDebit, l.ForeignCredit = l.ForeignCredit, l.ForeignDebit
		r.Lines[i] = l
	}
	return &r
}
