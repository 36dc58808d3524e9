package woocommerce

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"comptoir/erp/intake"
	"comptoir/erp/money"

	"github.com/shopspring/decimal"
)

// order is what is read of an order. Fields that change without meaning, such
// as links and signed addresses, are left out: the digest of what is read
// decides whether an order has changed.
type order struct {
	ID               scalar          `json:"id"`
	Number           scalar          `json:"number"`
	Status           scalar          `json:"status"`
	Currency         scalar          `json:"currency"`
	PricesIncludeTax scalar          `json:"prices_include_tax"`
	Created          scalar          `json:"date_created_gmt"`
	Modified         scalar          `json:"date_modified_gmt"`
	Paid             scalar          `json:"date_paid_gmt"`
	Completed        scalar          `json:"date_completed_gmt"`
	Total            scalar          `json:"total"`
	TotalTax         scalar          `json:"total_tax"`
	DiscountTotal    scalar          `json:"discount_total"`
	CustomerID       scalar          `json:"customer_id"`
	Billing          object[address] `json:"billing"`
	Shipping         object[address] `json:"shipping"`
	PaymentMethod    scalar          `json:"payment_method"`
	PaymentTitle     scalar          `json:"payment_method_title"`
	TransactionID    scalar          `json:"transaction_id"`
	CreatedVia       scalar          `json:"created_via"`
	Note             scalar          `json:"customer_note"`
	Meta             list[meta]      `json:"meta_data"`
	Items            list[item]      `json:"line_items"`
	ShippingLines    list[item]      `json:"shipping_lines"`
	Fees             list[item]      `json:"fee_lines"`
	TaxLines         list[taxLine]   `json:"tax_lines"`
	Coupons          list[couponUse] `json:"coupon_lines"`
	GiftCards        list[giftCard]  `json:"gift_cards"`
	Refunds          list[refundRef] `json:"refunds"`

	kept []shipment // out of the metadata
}

// item is a line of any kind: goods, shipping or a fee, of an order or of a
// refund.
type item struct {
	ID          scalar        `json:"id"`
	Name        scalar        `json:"name"`
	MethodTitle scalar        `json:"method_title"`
	MethodID    scalar        `json:"method_id"`
	InstanceID  scalar        `json:"instance_id"`
	ProductID   scalar        `json:"product_id"`
	VariationID scalar        `json:"variation_id"`
	Quantity    scalar        `json:"quantity"`
	TaxClass    scalar        `json:"tax_class"`
	Subtotal    scalar        `json:"subtotal"`
	Total       scalar        `json:"total"`
	Taxes       list[itemTax] `json:"taxes"`
	SKU         scalar        `json:"sku"`
	Meta        list[meta]    `json:"meta_data"`
}

type itemTax struct {
	ID    scalar `json:"id"`
	Total scalar `json:"total"`
}

type taxLine struct {
	RateID   scalar `json:"rate_id"`
	Label    scalar `json:"label"`
	RateCode scalar `json:"rate_code"`
	Percent  scalar `json:"rate_percent"`
	Compound scalar `json:"compound"`
}

type couponUse struct {
	Code scalar `json:"code"`
}

// giftCard is a gift card used to pay, as the official Gift Cards extension
// states it. The order's total is what is left after it.
type giftCard struct {
	ID     scalar `json:"id"`
	Code   scalar `json:"code"`
	Amount scalar `json:"amount"`
}

type refundRef struct {
	ID    scalar `json:"id"`
	Total scalar `json:"total"` // negative
}

// The metadata that plugins are known to use.
var (
	vatKeys = []string{"_billing_vat_number", "_vat_number", "vat_number", "billing_vat_number", "_billing_eu_vat_number",
		"_eu_vat_number", "billing_eu_vat_number", "_billing_vat_id", "_vat_id", "_billing_vat"}
	feeKeys = []string{"_stripe_fee", "_wcpay_transaction_fee", "_paypal_transaction_fee", "PayPal Transaction Fee", "_paypal_fee"}
)

// tipWords are how fees call themselves that are tips.
var tipWords = []string{"tip", "tips", "gratuity", "pourboire", "pourboires", "trinkgeld", "propina", "mancia", "fooi"}

// stateOf maps a status. One that a plugin made up waits for a person.
func stateOf(status string) intake.OrderState {
	switch status {
	case "pending":
		return intake.StatePending
	case "processing":
		return intake.StateOpen
	case "on-hold":
		return intake.StateHold
	case "completed":
		return intake.StateCompleted
	case "cancelled":
		return intake.StateCancelled
	case "refunded":
		return intake.StateRefunded
	case "failed":
		return intake.StateFailed
	case "checkout-draft", "auto-draft":
		return intake.StateDraft
	default:
		return intake.StateHold
	}
}

// parseOrder decodes an order. The problem says why it cannot be understood.
func parseOrder(raw json.RawMessage) (*order, string) {
	o := new(order)
	if err := json.Unmarshal(raw, o); err != nil {
		return o, unreadable(err)
	}
	o.kept = keptShipments(raw).all
	return o, ""
}

// unreadable puts an error of the JSON package into plain words.
func unreadable(err error) string { return "this is not the JSON of a record: " + err.Error() }

// sealOrder makes the record of an order and its full refunds.
func (c *Connector) sealOrder(o *order, refunds []refund, raw json.RawMessage) intake.Record {
	r := new(reading)
	body := c.orderBody(r, o, refunds)
	return seal(r, intake.KindOrder, o.ID, "", o.Modified, body, raw)
}

// seal makes the record of a body, or one that says what was not understood.
func seal(r *reading, kind intake.Kind, id scalar, parent string, modified scalar, body any, raw json.RawMessage) intake.Record {
	at, _ := modified.instant() // no part of the content: a date that cannot be read does no harm
	return intake.State(intake.Ref{Kind: kind, ID: id.ref(), Parent: parent}, at, body, raw, r.problem)
}

func (c *Connector) orderBody(r *reading, o *order, refunds []refund) *intake.Order {
	rates := ratesOf(r, o.TaxLines)
	b := &intake.Order{
		Number:           o.Number.trimmed(),
		RawStatus:        o.Status.trimmed(),
		PlacedAt:         r.instant(o.Created, "date_created_gmt"),
		PaidAt:           r.instant(o.Paid, "date_paid_gmt"),
		CompletedAt:      r.instant(o.Completed, "date_completed_gmt"),
		PromisedOn:       promised(metaOf(o.Meta, c.cfg.PromisedMeta)),
		Currency:         money.Currency(strings.ToUpper(o.Currency.trimmed())),
		PricesIncludeTax: o.PricesIncludeTax.yes(),
		Total:            r.amount(o.Total, "total"),
		TotalTax:         r.amount(o.TotalTax, "total_tax"),
		DiscountTotal:    r.amount(o.DiscountTotal, "discount_total"),
		CustomerID:       o.CustomerID.ref(),
		Customer:         snapshot(o),
		Payment:          intake.Payment{Method: o.PaymentMethod.trimmed(), Title: o.PaymentTitle.plain()},
		Note:             o.Note.trimmed(),
		CreatedVia:       o.CreatedVia.trimmed(),
	}
	if o.ID.id() == 0 {
		r.fail("id", fmt.Errorf("%q is no id of an order", o.ID.text))
	}
	if b.RawStatus == "" {
		r.fail("status", fmt.Errorf("the order has none"))
	}
	if b.Number == "" {
		b.Number = o.ID.trimmed()
	}
	b.State = stateOf(b.RawStatus)
	if b.RawStatus == "trash" {
		b.Trashed = true
		b.State = stateOf(strings.TrimPrefix(metaOf(o.Meta, "_wp_trash_meta_status"), "wc-"))
	}
	b.Payments = payments(r, o, b)
	for i := range o.GiftCards {
		b.GiftCards = append(b.GiftCards, gift(r, o.GiftCards[i], i))
		b.Total = b.Total.Add(b.GiftCards[i].Amount)
	}
	b.Lines = make([]intake.Line, 0, len(o.Items)+len(o.ShippingLines)+len(o.Fees))
	for i := range o.Items {
		b.Lines = append(b.Lines, goods(r, &o.Items[i], rates))
	}
	for i := range o.ShippingLines {
		b.Lines = append(b.Lines, freight(r, &o.ShippingLines[i], rates))
	}
	for i := range o.Fees {
		b.Lines = append(b.Lines, fee(r, &o.Fees[i], rates))
	}
	for i := range o.Coupons {
		b.Coupons = append(b.Coupons, o.Coupons[i].Code.plain())
	}
	for i := range refunds {
		b.Refunds = append(b.Refunds, refundBody(r, &refunds[i], o, rates))
	}
	b.Shipments = o.shipments(b)
	return b
}

// snapshot is the customer as the order holds it.
func snapshot(o *order) intake.Customer {
	billing := &o.Billing.v
	return intake.Customer{
		Email:     billing.Email.trimmed(),
		FirstName: billing.FirstName.trimmed(),
		LastName:  billing.LastName.trimmed(),
		Company:   billing.Company.trimmed(),
		Phone:     billing.Phone.trimmed(),
		VATNumber: metaOf(o.Meta, vatKeys...),
		Billing:   billing.body(),
		Shipping:  o.Shipping.v.body(),
	}
}

// payments states the one payment that WooCommerce knows of. What gift cards
// paid is not in it.
func payments(r *reading, o *order, b *intake.Order) []intake.Money {
	if b.PaidAt.IsZero() || !b.Total.IsPositive() {
		return nil
	}
	m := intake.Money{
		ID:        o.TransactionID.trimmed(),
		Kind:      intake.MoneySale,
		Gateway:   b.Payment.Method,
		Amount:    b.Total,
		Fee:       gatewayFee(o),
		Reference: o.TransactionID.trimmed(),
		At:        b.PaidAt,
	}
	if m.ID == "" {
		m.ID = "paid"
	}
	if m.Gateway == "" {
		m.Gateway = "unknown"
	}
	return []intake.Money{m}
}

// gatewayFee is what the gateway kept, as its plugin noted it. A fee in
// another currency than the order's, or one that is no number, is left out:
// the payout will tell.
func gatewayFee(o *order) decimal.Decimal {
	if other := metaOf(o.Meta, "_stripe_currency"); other != "" && !strings.EqualFold(other, o.Currency.trimmed()) {
		return decimal.Decimal{}
	}
	fee, err := scalar{text: metaOf(o.Meta, feeKeys...)}.number()
	if err != nil || fee.IsNegative() {
		return decimal.Decimal{}
	}
	return fee
}

func gift(r *reading, g giftCard, i int) intake.Gift {
	id := g.ID.ref()
	if id == "" {
		id = strconv.Itoa(i + 1)
	}
	return intake.Gift{ID: id, Code: g.Code.plain(), Amount: r.amount(g.Amount, "gift card "+id)}
}

// promised reads the date promised to the customer; "" where it is in no form
// that has only one meaning.
func promised(text string) string {
	if len(text) >= 10 {
		if day, err := time.Parse(time.DateOnly, text[:10]); err == nil {
			return day.Format(time.DateOnly)
		}
	}
	if day, err := time.Parse("20060102", text); err == nil {
		return day.Format(time.DateOnly)
	}
	if seconds, err := strconv.ParseInt(text, 10, 64); err == nil && seconds > 1e9 && seconds < 1e10 {
		return time.Unix(seconds, 0).UTC().Format(time.DateOnly)
	}
	return ""
}
