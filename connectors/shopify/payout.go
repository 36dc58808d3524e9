package shopify

import (
	"encoding/json"
	"fmt"
	"strings"

	"comptoir/erp/intake"
	"comptoir/erp/money"

	"github.com/shopspring/decimal"
)

// paymentsGateway is the gateway of Shopify Payments, as the transactions of
// orders name it.
const paymentsGateway = "shopify_payments"

// balanceTransaction is one movement of the balance at Shopify Payments.
type balanceTransaction struct {
	Type        scalar  `json:"type"`
	Test        bool    `json:"test"`
	At          scalar  `json:"transactionDate"`
	Source      scalar  `json:"sourceId"`
	Transaction scalar  `json:"sourceOrderTransactionId"`
	Amount      moneyV2 `json:"amount"`
	Fee         moneyV2 `json:"fee"`
	Order       *holder `json:"associatedOrder"`
}

// payoutRecord makes the record of a payout and its transactions.
func payoutRecord(at row, parts []row) intake.Record {
	r, p := new(reading), new(payout)
	r.decode(at.raw, p)
	state, _ := p.state()
	b := &intake.Payout{
		Gateway: paymentsGateway, Currency: money.Currency(p.Net.Currency.trimmed()), State: state, RawStatus: strings.ToLower(p.Status.trimmed()),
		IssuedAt: r.instant(p.IssuedAt, "issuedAt"), Net: r.amount(p.Net.Amount, "net"), Reference: p.Trace.trimmed(),
	}
	if strings.EqualFold(p.Direction.trimmed(), "WITHDRAWAL") && b.Net.IsPositive() {
		b.Net = b.Net.Neg()
	}
	raws := []json.RawMessage{}
	for _, part := range parts {
		raws = append(raws, part.raw)
		if item, counts := payoutItem(r, b.Currency, part); counts {
			b.Items = append(b.Items, item)
		}
	}
	if sum, carried := sumsOf(b.Items); !sum.Equal(b.Net) && !sum.Add(carried).Equal(b.Net) {
		switch b.State {
		case intake.PayoutPaid:
			r.fail("net", fmt.Errorf("the payout is of %s %s, and its transactions add up to %s: %s are not accounted for",
				b.Net, b.Currency, sum.Add(carried), b.Net.Sub(sum).Sub(carried)))
		case intake.PayoutFailed, intake.PayoutCancelled:
			b.Items = nil // given to another payout since
		}
	}
	raw, err := json.Marshal(map[string]any{"payout": at.raw, "balanceTransactions": raws})
	r.fail("payload", err)
	return r.seal(intake.KindPayout, at.ref(), scalar{}, b, raw)
}

// payoutItem reads one transaction. The payout itself does not count, and
// neither does what was only a test.
func payoutItem(r *reading, currency money.Currency, part row) (item intake.PayoutItem, counts bool) {
	t := new(balanceTransaction)
	r.decode(part.raw, t)
	kind := strings.ToUpper(t.Type.trimmed())
	if t.Test || kind == "TRANSFER" {
		return intake.PayoutItem{}, false
	}
	field := "balance transaction " + part.ref().text
	for _, m := range []moneyV2{t.Amount, t.Fee} {
		if in := money.Currency(m.Currency.trimmed()); in != currency {
			r.fail(field, fmt.Errorf("it is in %s, the payout in %s", in, currency))
		}
	}
	item = intake.PayoutItem{
		ID: part.ref().text, Kind: itemKind(kind), Raw: strings.ToLower(kind), At: r.instant(t.At, field),
		Amount: r.amount(t.Amount.Amount, field), Fee: r.amount(t.Fee.Amount, field), Source: t.Transaction.ref(),
	}
	if item.Source == "" {
		item.Source = t.Source.ref()
	}
	if t.Order != nil {
		item.Order = t.Order.ID.ref()
	}
	return item, true
}

// itemKind says what a type of transaction is to the books. What is not named
// here is an adjustment: fees, taxes and credits of Shopify, its loans, labels
// and programmes, and what is new.
func itemKind(kind string) intake.PayoutItemKind {
	switch kind {
	case "CHARGE":
		return intake.ItemCharge
	case "REFUND", "REFUND_FAILURE": // a refund that failed is back with its order
		return intake.ItemRefund
	case "DISPUTE_WITHDRAWAL", "DISPUTE_REVERSAL", "CHARGEBACK_HOLD", "CHARGEBACK_HOLD_RELEASE":
		return intake.ItemDispute
	case "RESERVED_FUNDS", "RESERVED_FUNDS_REVERSAL", "RESERVED_FUNDS_WITHDRAWAL", "RISK_WITHDRAWAL", "RISK_REVERSAL":
		return intake.ItemReserve
	case "TRANSFER_FAILURE", "TRANSFER_CANCEL", "TRANSFER_REFUND": // an earlier payout that came back into the balance
		return intake.ItemTransfer
	default:
		return intake.ItemAdjustment
	}
}

// sumsOf is what items add up to, their amounts less their fees: that of an
// earlier payout which came back apart, since what it was made of may be listed
// again.
func sumsOf(items []intake.PayoutItem) (sum, carried decimal.Decimal) {
	for _, item := range items {
		net := item.Amount.Sub(item.Fee)
		if item.Kind == intake.ItemTransfer {
			carried = carried.Add(net)
		} else {
			sum = sum.Add(net)
		}
	}
	return sum, carried
}
