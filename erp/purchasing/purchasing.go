// Package purchasing keeps the vendors, their bills and credits, purchases
// that are paid at once, and the vouchers that pay bills.
//
// A bill is never edited: it is reversed and entered again. What is open of it
// is the sum of the payable items that entries have written; the sum of all of
// them is the payable account. A vendor's credit is a bill below zero, and is
// used by paying it together with others.
package purchasing

import (
	"cmp"
	"fmt"
	"net/url"
	"strings"
	"time"

	"comptoir/erp/fault"
	"comptoir/erp/money"
	"comptoir/erp/quantity"

	"github.com/shopspring/decimal"
)

// Vendor is whom goods and services are bought from.
type Vendor struct {
	ID        int64          `json:"id"`
	Name      string         `json:"name"`    // unique
	Country   string         `json:"country"` // ISO 3166, two letters; its tax agency is owed what its bills state
	VATNumber string         `json:"vat_number"`
	TermsDays int            `json:"terms_days"` // a bill is due so many days after its date
	Currency  money.Currency `json:"currency"`   // of its bills, where they name none
	Email     string         `json:"email"`
	Account   string         `json:"account"` // code that lines without goods and account go to; "" for none
}

// The longest terms that are taken seriously.
const maxTermsDays = 3650

// Check reports what is wrong with a vendor.
func (v Vendor) Check() error {
	switch {
	case strings.TrimSpace(v.Name) == "" || v.Name != strings.TrimSpace(v.Name) || strings.ContainsAny(v.Name, "\n\r\t"):
		return fault.New(fault.Invalid, "give it a name on one line, without blanks around it", "vendor %q has no proper name", v.Name)
	case len(v.Country) != 2 || strings.Trim(v.Country, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "":
		return fault.New(fault.Invalid, "use the two capital letters of ISO 3166, such as FR", "vendor %s: country %q is not known", v.Name, v.Country)
	case v.TermsDays < 0 || v.TermsDays > maxTermsDays:
		return fault.New(fault.Invalid, fmt.Sprintf("give 0 to %d days", maxTermsDays), "vendor %s: terms of %d days", v.Name, v.TermsDays)
	case v.Email != "" && !strings.Contains(v.Email, "@"):
		return fault.New(fault.Invalid, "write it as name@example.com", "vendor %s: %q is no e-mail address", v.Name, v.Email)
	}
	if _, err := v.Currency.Decimals(); err != nil {
		return fmt.Errorf("vendor %s: %w", v.Name, err)
	}
	return nil
}

// Kind tells the documents of vendors apart.
type Kind string

// The kinds of documents.
const (
	Bill   Kind = "bill"   // to be paid later
	Credit Kind = "credit" // owed to us
	Cash   Kind = "cash"   // paid at once
)

// VoucherKind is the kind of document that a payment voucher is in the ledger.
const VoucherKind = "voucher"

// Ref names a bill or a credit as people do: a vendor's number.
type Ref struct {
	Vendor string `json:"vendor"`
	Number string `json:"number"`
}

func (r Ref) String() string {
	if r.Vendor == "" {
		return r.Number
	}
	return r.Vendor + " " + r.Number
}

// Document is a bill, a credit or a cash purchase as it is entered.
type Document struct {
	Kind     Kind
	Ref             // the vendor's number; a cash purchase may do without either
	Date     string // YYYY-MM-DD
	Due      string // YYYY-MM-DD; "": by the vendor's terms
	Currency money.Currency
	Rate     *decimal.Decimal // into the company's currency; nil: as configured for the date
	Lines    []Line
	Total    *decimal.Decimal // with tax, as the document states it; nil: not stated
	PaidFrom string           // code of the account that a cash purchase is paid from; "": cash
	Note     string
	At       int // line of the file that it came from; 0 for none
}

// Line is one line of a document: goods by their SKU, or an expense by its
// account. Where neither is given the vendor's account is taken.
type Line struct {
	SKU         string
	Account     string
	Description string
	Quantity    decimal.Decimal
	Net         decimal.Decimal // of the whole line, without tax
	TaxPPM      int64
	// NotDeductiblePPM is the part of the tax that cannot be deducted and adds
	// to the cost.
	NotDeductiblePPM int64
	At               int // line of the file that it came from; 0 for none
}

// Recorded is a document as the books hold it. Amounts are in minor units of
// its currency, home amounts in the company's.
type Recorded struct {
	ID        int64          `json:"id"`
	Kind      Kind           `json:"kind"`
	Vendor    string         `json:"vendor"`
	Number    string         `json:"number"`
	Date      string         `json:"date"`
	Due       string         `json:"due"`
	Currency  money.Currency `json:"currency"`
	Rate      string         `json:"rate"`
	Net       int64          `json:"net"`
	Tax       int64          `json:"tax"`
	Total     int64          `json:"total"`
	HomeTotal int64          `json:"home_total"`
	Open      int64          `json:"open"`      // what is owed still; below zero for a credit
	HomeOpen  int64          `json:"home_open"` // at which it stands in the accounts
	Account   string         `json:"account,omitempty"`
	Note      string         `json:"note,omitempty"`
	Reversed  string         `json:"reversed,omitempty"` // on which day
	Lines     []RecordedLine `json:"lines,omitempty"`
	Payments  []Settled      `json:"payments,omitempty"`
	Known     bool           `json:"known"` // it was in the books before
	revision  int64
	cause     string
	digest    string
	entry     int64
}

// RecordedLine is a line as the books hold it.
type RecordedLine struct {
	SKU              string            `json:"sku,omitempty"`
	Account          string            `json:"account,omitempty"`
	Description      string            `json:"description,omitempty"`
	Quantity         quantity.Quantity `json:"quantity"`
	Net              int64             `json:"net"`
	Tax              int64             `json:"tax"`
	TaxPPM           int64             `json:"tax_ppm"`
	NotDeductiblePPM int64             `json:"not_deductible_ppm,omitempty"`
}

// Settled is what a voucher paid of a bill.
type Settled struct {
	Voucher  string `json:"voucher"`
	Date     string `json:"date"`
	Amount   int64  `json:"amount"`
	Reversed string `json:"reversed,omitempty"`
}

// Payment is a payment of bills as it is entered.
type Payment struct {
	Bills     []Pay
	Date      string           // YYYY-MM-DD
	PaidFrom  string           // code of the account; "": the bank
	Rate      *decimal.Decimal // into the company's currency; nil: as configured for the date
	Charge    decimal.Decimal  // that the bank takes, in the company's currency
	Reference string
	Key       string // makes repeating harmless; "": each call pays anew
}

// Pay is one bill of a payment, or a credit that is set against the others.
type Pay struct {
	Ref
	Amount *decimal.Decimal // above zero, for a credit too; nil: all that is open
}

// Voucher is a payment as the books hold it: numbered, and kept.
type Voucher struct {
	ID         int64          `json:"id"`
	Number     string         `json:"number"`
	Date       string         `json:"date"`
	Account    string         `json:"account"`
	Currency   money.Currency `json:"currency"`
	Rate       string         `json:"rate"`
	Amount     int64          `json:"amount"`
	HomeAmount int64          `json:"home_amount"` // without the charge
	Charge     int64          `json:"charge"`      // in the company's currency
	Reference  string         `json:"reference,omitempty"`
	Reversed   string         `json:"reversed,omitempty"`
	Bills      []VoucherLine  `json:"bills"`
	Known      bool           `json:"known"` // it was in the books before
	cause      string
	digest     string
	entry      int64
}

// VoucherLine is what a voucher pays of a bill; below zero for a credit.
type VoucherLine struct {
	Vendor     string `json:"vendor"`
	Bill       string `json:"bill"`
	Amount     int64  `json:"amount"`
	HomeAmount int64  `json:"home_amount"` // by which the payable account went down
	bill       int64
}

// The series of numbers.
const (
	voucherSeries = "PV"
	receiptSeries = "CP" // of cash purchases without a number of their own
)

// maxMinor bounds each amount of a document, so that sums over any number of
// documents stay within 64 bits: ten trillion of a currency with cents.
const maxMinor = 1_000_000_000_000_000

// amountOf turns a decimal into minor units. It refuses what is below zero,
// finer than the currency, or out of range.
func amountOf(d decimal.Decimal, c money.Currency, what string) (int64, error) {
	a, err := money.Round(d, c)
	switch {
	case err != nil:
		return 0, fmt.Errorf("%s: %w", what, err)
	case d.IsNegative():
		return 0, fault.New(fault.Invalid, "for what a vendor gives back, enter a credit", "%s %s is below zero", what, d)
	case a.Minor > maxMinor:
		return 0, fault.New(fault.Invalid, "correct the amount", "%s %s is out of range", what, d)
	case !a.Decimal().Equal(d):
		return 0, fault.New(fault.Invalid, fmt.Sprintf("round it as the document does, to %s", a), "%s %s is finer than %s allows", what, d, c)
	}
	return a.Minor, nil
}

// checkDay refuses what is no calendar date.
func checkDay(day, what string) error {
	if _, err := time.Parse(time.DateOnly, day); err != nil {
		return fault.New(fault.Invalid, "write it as 2026-01-31", "%s: %q is not a date", what, day)
	}
	return nil
}

// cause names the event that enters a document.
func cause(k Kind, r Ref, revision int64) string {
	return fmt.Sprintf("%s/%s/%s#%d", k, url.PathEscape(cmp.Or(r.Vendor, "-")), url.PathEscape(r.Number), revision)
}

// reversalSuffix makes the cause of what takes back the event of a cause.
const reversalSuffix = "/reversal"
