// Package documents reads the documents that the books have issued, with all
// that must stand on them: invoices and credit notes. It only reads; package
// render puts them on paper.
package documents

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"comptoir/erp/fault"
	"comptoir/erp/intake"
	"comptoir/erp/money"
	"comptoir/erp/sales"
	"comptoir/erp/store"

	"github.com/shopspring/decimal"
)

// Seller is whose documents they are. What the law wants on them is not in the
// books; see Missing.
type Seller struct {
	Name      string // of the company
	LegalForm string // "SARL"
	Capital   string // "10 000 EUR"; for companies that have one
	Street1   string
	Street2   string
	Postcode  string
	City      string
	Country   string // ISO 3166-1 alpha-2
	// Registration is the number under which it is registered: the SIREN or
	// SIRET in France. Register is where: "RCS Paris".
	Registration string
	Register     string
	VATNumber    string
	// VATExemption is the mention of one who charges no VAT: "TVA non
	// applicable, art. 293 B du CGI".
	VATExemption string
	Email        string
	Phone        string
	Website      string
	// PaymentTerms say when an invoice that is not paid is due: "30 days".
	PaymentTerms string
	// LatePenalty is the rate of the penalty for late payment. Empty: three
	// times the legal rate, the least that French law allows.
	LatePenalty string
	IBAN, BIC   string
}

// Missing lists what an invoice must state and the seller does not: article
// 242 nonies A of annex II to the Code général des impôts, articles L441-9 and
// R123-237 of the Code de commerce. The names are those of the fields.
func (s Seller) Missing() []string {
	var list []string
	for _, f := range []struct{ name, value string }{
		{"name", s.Name}, {"street", s.Street1}, {"postcode", s.Postcode}, {"city", s.City}, {"country", s.Country},
		{"registration", s.Registration}, {"VAT number or VAT exemption", s.VATNumber + s.VATExemption},
	} {
		if strings.TrimSpace(f.value) == "" {
			list = append(list, f.name)
		}
	}
	return list
}

// Invoice is an invoice or a credit note as it is printed. Amounts are in minor
// units of its currency; those of a credit note are positive.
type Invoice struct {
	Number       string
	Credit       bool   // a credit note
	Date         string // of issue, YYYY-MM-DD
	Supplied     string // when the goods left, YYYY-MM-DD; "" where they did not yet
	Corrects     string // number of the document that it takes back or credits; "" for none
	CorrectsDate string

	Order    string // its number in the shop
	Shop     string
	Placed   string // business date
	Coupons  []string
	Customer intake.Customer

	Currency money.Currency
	Net      int64
	Tax      int64
	Total    int64
	Lines    []sales.InvoiceLine
	Taxes    []TaxSum

	// Paid is what was paid until the day of issue, no more than Total. Method
	// is how, as the customer saw it.
	Paid   int64
	Method string
	Terms  string // of payment, where the shop states some

	// Home is the currency of the books, and HomeTax the tax in it: it must
	// stand on an invoice in another currency. Rate is Home for one Currency.
	Home    money.Currency
	HomeTax int64
	Rate    decimal.Decimal
}

// TaxSum is the tax of one rate on a document.
type TaxSum struct {
	Name string
	Rate decimal.Decimal // per cent
	Base int64
	Tax  int64
	None bool // what bears no tax
}

// Rounding is what lies between the total and the sum of net and tax.
func (i Invoice) Rounding() int64 { return i.Total - i.Net - i.Tax }

// Business reports whether the customer buys for a business.
func (i Invoice) Business() bool {
	return i.Customer.VATNumber != "" || i.Customer.Company != "" || i.Customer.Billing.Company != ""
}

// Read reads the document of a number such as INV-12 or CN-3. Zone is that of
// business dates. A number that was never issued is a NotFound fault.
func Read(ctx context.Context, r store.Reader, number string, zone *time.Location) (Invoice, error) {
	series, text, _ := strings.Cut(strings.ToUpper(strings.TrimSpace(number)), "-")
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n <= 0 {
		return Invoice{}, fault.New(fault.Invalid, "write it as INV-12, or CN-3 for a credit note", "%q is not the number of an invoice", number)
	}
	i, err := read(ctx, r, series, n, zone)
	if errors.Is(err, sql.ErrNoRows) {
		return Invoice{}, unknown(ctx, r, number, series)
	}
	if err != nil {
		return Invoice{}, fmt.Errorf("read %s: %w", number, err)
	}
	return i, nil
}

// unknown is the fault for a number that was never issued; it says how far the
// series goes.
func unknown(ctx context.Context, r store.Reader, number, series string) error {
	var last int64
	if err := r.QueryRow(ctx, `SELECT COALESCE(MAX(number), 0) FROM invoice WHERE series = $1`, series).Scan(&last); err != nil {
		return fmt.Errorf("read %s: %w", number, err)
	}
	if last == 0 {
		return fault.New(fault.NotFound, "write it as INV-12, or CN-3 for a credit note", "no document has the number %s", number)
	}
	return fault.New(fault.NotFound, fmt.Sprintf("the last one is %s-%d", series, last), "no document has the number %s", number)
}

func read(ctx context.Context, r store.Reader, series string, number int64, zone *time.Location) (Invoice, error) {
	i := Invoice{Number: fmt.Sprintf("%s-%d", series, number)}
	var kind, content, customer, coupons, rate, cause string
	var order, placed int64
	err := r.QueryRow(ctx, `SELECT i.kind, i.date, i.currency, i.net, i.tax, i.total, i.content, i.cause,
			COALESCE(c.series || '-' || CAST(c.number AS TEXT), ''), COALESCE(c.date, ''),
			o.id, o.number, s.name, o.placed_at, o.customer, o.coupons, o.payment_title, o.payment_terms, o.rate, h.value
		FROM invoice i JOIN sales_order o ON o.id = i.order_id JOIN shop s ON s.id = o.shop_id JOIN setting h ON h.name = 'currency'
			LEFT JOIN invoice c ON c.id = i.corrects
		WHERE i.series = $1 AND i.number = $2`, series, number).
		Scan(&kind, &i.Date, &i.Currency, &i.Net, &i.Tax, &i.Total, &content, &cause, &i.Corrects, &i.CorrectsDate,
			&order, &i.Order, &i.Shop, &placed, &customer, &coupons, &i.Method, &i.Terms, &rate, &i.Home)
	if err != nil {
		return i, err
	}
	i.Credit = kind == sales.CreditNoteKind
	if i.Rate, err = decimal.NewFromString(rate); err != nil {
		return i, err
	}
	i.Placed = store.FromMicros(placed).In(zone).Format(time.DateOnly)
	if coupons != "" {
		i.Coupons = strings.Split(coupons, "\n")
	}
	if err := json.Unmarshal([]byte(customer), &i.Customer); err != nil {
		return i, err
	}
	if err := json.Unmarshal([]byte(content), &i.Lines); err != nil {
		return i, err
	}
	i.Lines = slices.DeleteFunc(i.Lines, empty)
	i.Taxes = sumTaxes(i.Lines)
	return i, i.readMore(ctx, r, order, cause, zone)
}

// empty reports whether a line has nothing left: all of it was refunded before
// the invoice.
func empty(l sales.InvoiceLine) bool {
	for _, t := range l.Taxes {
		if t.Amount != 0 {
			return false
		}
	}
	return l.Quantity == 0 && l.Net == 0
}

// sumTaxes sums up base and tax by rate, highest rate first; what bears no tax
// comes last.
func sumTaxes(lines []sales.InvoiceLine) []TaxSum {
	var list []TaxSum
	add := func(t TaxSum) {
		for i := range list {
			if list[i].None == t.None && list[i].Name == t.Name && list[i].Rate.Equal(t.Rate) {
				list[i].Base += t.Base
				list[i].Tax += t.Tax
				return
			}
		}
		list = append(list, t)
	}
	for _, l := range lines {
		for _, t := range l.Taxes {
			add(TaxSum{Name: t.Name, Rate: t.Rate, Base: l.Net, Tax: t.Amount})
		}
		if len(l.Taxes) == 0 && l.Net != 0 {
			add(TaxSum{Base: l.Net, None: true})
		}
	}
	slices.SortStableFunc(list, func(a, b TaxSum) int {
		if a.None != b.None {
			if a.None {
				return 1
			}
			return -1
		}
		return cmp.Or(b.Rate.Cmp(a.Rate), cmp.Compare(a.Name, b.Name))
	})
	return list
}

// readMore reads what stands elsewhere: payments, the day of supply, the tax in
// the currency of the books, and what a credit note credits.
func (i *Invoice) readMore(ctx context.Context, r store.Reader, order int64, cause string, zone *time.Location) error {
	if err := i.readPayments(ctx, r, order, zone); err != nil {
		return err
	}
	err := r.QueryRow(ctx, `SELECT COALESCE(MIN(effective), '') FROM stock_move WHERE document_kind = 'order' AND document_id = $1 AND reason = 'shipment' AND effective <= $2`,
		order, i.Date).Scan(&i.Supplied)
	if err != nil {
		return err
	}
	err = r.QueryRow(ctx, `SELECT COALESCE(SUM(f.tax), 0) FROM tax_fact f JOIN entry e ON e.id = f.entry_id WHERE e.cause = $1`, cause).Scan(&i.HomeTax)
	if err != nil {
		return err
	}
	i.HomeTax = max(i.HomeTax, -i.HomeTax)
	if !i.Credit || i.Corrects != "" {
		return nil
	}
	// A refund credits the invoice that stood at the time.
	err = r.QueryRow(ctx, `SELECT series || '-' || CAST(number AS TEXT), date FROM invoice
		WHERE order_id = $1 AND kind = 'invoice' AND id < (SELECT id FROM invoice WHERE cause = $2) ORDER BY id DESC LIMIT 1`, order, cause).Scan(&i.Corrects, &i.CorrectsDate)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	return err
}

// readPayments sums up what was paid until the day of issue, less what was
// given back before.
func (i *Invoice) readPayments(ctx context.Context, r store.Reader, order int64, zone *time.Location) error {
	day, err := time.ParseInLocation(time.DateOnly, i.Date, zone)
	if err != nil {
		return err
	}
	end := store.Micros(day.AddDate(0, 0, 1))
	err = r.QueryRow(ctx, `SELECT COALESCE(SUM(amount), 0) FROM order_payment WHERE order_id = $1 AND kind IN ('sale', 'capture', 'gift_card') AND paid_at < $2`, order, end).Scan(&i.Paid)
	if err != nil {
		return err
	}
	var refunded int64
	err = r.QueryRow(ctx, `SELECT COALESCE(SUM(r.amount), 0) FROM refund r WHERE r.order_id = $1 AND NOT r.removed AND r.refunded_at < $2
		AND NOT EXISTS (SELECT 1 FROM invoice i WHERE i.order_id = r.order_id AND i.kind = 'credit_note'
				AND (i.cause LIKE '%/refund/' || r.external_id OR i.cause LIKE '%/refund/' || r.external_id || '#%'))`, order, end).Scan(&refunded)
	i.Paid = max(0, min(i.Paid-refunded, i.Total))
	return err
}
