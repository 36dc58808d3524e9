package sandbox

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/shopspring/decimal"
)

// The facts of an order as Shopify states them.
const orderFacts = `query facts($after: String, $query: String) { orders(first: 5, after: $after, query: $query, sortKey: ID) { nodes {
	id name createdAt updatedAt processedAt cancelledAt closedAt test edited taxesIncluded email sourceName
	displayFinancialStatus displayFulfillmentStatus
	totalPriceSet{...m} totalTaxSet{...m} currentTotalPriceSet{...m} totalDiscountsSet{...m} totalRefundedSet{...m} totalTipReceivedSet{...m}
	totalCashRoundingAdjustment { paymentSet{...m} }
	taxLines { title ratePercentage priceSet{...m} }
	lineItems(first: 60) { nodes { id name sku quantity currentQuantity unfulfilledQuantity isGiftCard variant { id } originalTotalSet{...m}
		discountAllocations { allocatedAmountSet{...m} discountApplication { index } } taxLines { title channelLiable priceSet{...m} }
		duties { id price{...m} taxLines { priceSet{...m} } } } pageInfo { hasNextPage } }
	shippingLines(first: 5) { nodes { id title code discountedPriceSet{...m} taxLines { title priceSet{...m} } } }
	additionalFees { id name price{...m} taxLines { title priceSet{...m} } }
	transactions { id kind status gateway amountSet{...m} amountRoundingSet{...m} processedAt fees { amount { amount } } }
	fulfillments { id status createdAt totalQuantity location { id } fulfillmentLineItems(first: 60) { nodes { quantity lineItem { id } } } }
	refunds { id createdAt totalRefundedSet{...m}
		refundLineItems(first: 60) { nodes { quantity restockType restocked lineItem { id } subtotalSet{...m} totalTaxSet{...m} } }
		refundShippingLines(first: 5) { nodes { subtotalAmountSet{...m} taxAmountSet{...m} } }
		duties { amountSet{...m} }
		orderAdjustments(first: 5) { nodes { reason amountSet{...m} taxAmountSet{...m} } }
		transactions(first: 5) { nodes { id status amountSet{...m} } } }
	agreements(first: 20) { nodes { __typename id happenedAt reason ... on RefundAgreement { refund { id } } ... on ReturnAgreement { return { id } }
		sales(first: 80) { nodes { __typename id actionType lineType quantity totalAmount{...m} totalTaxAmount{...m}
			totalDiscountAmountBeforeTaxes{...m} taxes { amount{...m} taxLine { title } } ... on ProductSale { lineItem { id } } } } } }
} pageInfo { hasNextPage endCursor } } } fragment m on MoneyBag { shopMoney { amount } }`

type moneySet struct {
	ShopMoney struct{ Amount decimal.Decimal }
}

func (m moneySet) amount() decimal.Decimal { return m.ShopMoney.Amount }

type factTax struct {
	Title         string
	ChannelLiable bool
	PriceSet      moneySet
}

type factSale struct {
	Type           string `json:"__typename"`
	ActionType     string
	Quantity       *int64
	TotalAmount    moneySet
	TotalTaxAmount moneySet
	TotalDiscount  moneySet `json:"totalDiscountAmountBeforeTaxes"`
	Taxes          []struct{ Amount moneySet }
	LineItem       struct{ ID string }
	LineType       string
}

type factRefund struct {
	ID               string
	CreatedAt        time.Time
	TotalRefundedSet moneySet
	RefundLineItems  struct {
		Nodes []struct {
			Quantity    int64
			RestockType string
			Restocked   bool
			LineItem    struct{ ID string }
			SubtotalSet moneySet
			TotalTaxSet moneySet
		}
	}
	RefundShippingLines struct {
		Nodes []struct{ SubtotalAmountSet, TaxAmountSet moneySet }
	}
	Duties           []struct{ AmountSet moneySet }
	OrderAdjustments struct {
		Nodes []struct{ AmountSet moneySet }
	}
	Transactions struct {
		Nodes []struct {
			Status    string
			AmountSet moneySet
		}
	}
}

// worth is by how much the refund lessens the sale.
func (r *factRefund) worth() decimal.Decimal {
	var sum decimal.Decimal
	for _, l := range r.RefundLineItems.Nodes {
		sum = sum.Add(l.SubtotalSet.amount()).Add(l.TotalTaxSet.amount())
	}
	for _, l := range r.RefundShippingLines.Nodes {
		sum = sum.Add(l.SubtotalAmountSet.amount()).Add(l.TaxAmountSet.amount())
	}
	for _, d := range r.Duties {
		sum = sum.Add(d.AmountSet.amount())
	}
	for _, a := range r.OrderAdjustments.Nodes { // below zero: in the customer's favour
		sum = sum.Sub(a.AmountSet.amount())
	}
	return sum
}

type factOrder struct {
	ID, Name                 string
	CreatedAt                time.Time
	CancelledAt, ClosedAt    *time.Time
	Test, Edited             bool
	TaxesIncluded            bool
	DisplayFinancialStatus   string
	DisplayFulfillmentStatus string
	TotalPriceSet            moneySet
	TotalTaxSet              moneySet
	CurrentTotalPriceSet     moneySet
	TotalDiscountsSet        moneySet
	TotalTipReceivedSet      moneySet
	TotalCashRounding        struct{ PaymentSet moneySet } `json:"totalCashRoundingAdjustment"`
	TaxLines                 []factTax
	LineItems                struct {
		Nodes []struct {
			ID                        string
			Name                      string
			Quantity, CurrentQuantity int64
			UnfulfilledQuantity       int64
			OriginalTotalSet          moneySet
			DiscountAllocations       []struct{ AllocatedAmountSet moneySet }
			TaxLines                  []factTax
			Duties                    []struct {
				Price    moneySet
				TaxLines []factTax
			}
		}
		PageInfo struct{ HasNextPage bool }
	}
	ShippingLines struct {
		Nodes []struct {
			DiscountedPriceSet moneySet
			TaxLines           []factTax
		}
	}
	AdditionalFees []struct {
		Price    moneySet
		TaxLines []factTax
	}
	Transactions []struct {
		Kind, Status, Gateway        string
		AmountSet, AmountRoundingSet moneySet
		Fees                         []struct {
			Amount struct{ Amount decimal.Decimal }
		}
	}
	Fulfillments []struct {
		Status               string
		TotalQuantity        int64
		Location             struct{ ID string }
		FulfillmentLineItems struct {
			Nodes []struct {
				Quantity int64
				LineItem struct{ ID string }
			}
		}
	}
	Refunds    []factRefund
	Agreements struct {
		Nodes []struct {
			Type   string `json:"__typename"`
			Refund struct{ ID string }
			Sales  struct{ Nodes []factSale }
		}
	}
}

// facts reads all orders, in steps that fit the points.
func facts(t testing.TB, s *Shop) ([]factOrder, []byte) {
	t.Helper()
	return factsWhere(t, s, "")
}

func factsWhere(t testing.TB, s *Shop, query string) ([]factOrder, []byte) {
	t.Helper()
	var all []factOrder
	var raw bytes.Buffer
	for after := any(nil); ; {
		a := asking(t, s, orderFacts, map[string]any{"after": after, "query": query})
		if len(a.Errors) > 0 {
			t.Fatalf("%+v", a.Errors)
		}
		raw.Write(a.Data)
		text := bytes.ReplaceAll(a.Data, []byte(`"nan"`), []byte(`"-1"`))
		var page struct {
			Orders struct {
				Nodes    []factOrder
				PageInfo struct {
					HasNextPage bool
					EndCursor   string
				}
			}
		}
		if err := json.Unmarshal(text, &page); err != nil {
			t.Fatal(err)
		}
		all = append(all, page.Orders.Nodes...)
		if !page.Orders.PageInfo.HasNextPage {
			return all, raw.Bytes()
		}
		after = page.Orders.PageInfo.EndCursor
	}
}

const goodsFacts = `{ products(first: 250) { nodes { id title status updatedAt collections(first: 9) { nodes { id title } } } }
	productVariants(first: 250) { nodes { id sku barcode price compareAtPrice inventoryItem { id tracked unitCost { amount } inventoryLevels(first: 5) {
		nodes { id updatedAt quantities(names: ["available", "on_hand", "committed"]) { name quantity } } } } } }
	customers(first: 250) { nodes { id updatedAt defaultEmailAddress { emailAddress } } }
	events(first: 50, query: "action:destroy") { nodes { ... on BasicEvent { subjectId subjectType } } } }`

func generous(o Options) Options {
	o.Platform = Shopify
	o.Points, o.Restore = 1e9, 1e9
	return o
}

func TestTheSameOptionsGiveTheSameShopify(t *testing.T) {
	var said [2][]byte
	for i := range said {
		s := New(generous(Options{Seed: 7, Orders: 150, Extras: true}))
		s.Advance(72 * time.Hour)
		s.PayOrder(s.PlaceOrder())
		s.RefundOrder("", true)
		s.EditOrder("")
		s.DeleteProduct("")
		_, said[i] = facts(t, s)
		said[i] = append(said[i], asking(t, s, goodsFacts, nil).Data...)
	}
	if !bytes.Equal(said[0], said[1]) {
		t.Error("two shops of the same options differ")
	}
}

// What an order is worth is what its lines come to.
func TestOrdersOfShopifyAddUp(t *testing.T) {
	for name, o := range map[string]Options{"plain": {Seed: 3, Orders: 400}, "common": {Seed: 3, Orders: 300, Common: true}, "extras": {Seed: 3, Orders: 500, Extras: true}} {
		t.Run(name, func(t *testing.T) {
			s := New(generous(o))
			planted := s.Planted()
			all, _ := facts(t, s)
			if len(all) != s.OrderCount() || len(all) == 0 {
				t.Fatalf("%d orders of %d", len(all), s.OrderCount())
			}
			for i := range all {
				f := &all[i]
				if planted[f.ID[len("gid://shopify/Order/"):]] == "" {
					f.addsUp(t)
				}
			}
		})
	}
}

// addsUp checks the sums of an order: of its agreements, its taxes, its
// refunds and its parcels.
func (f *factOrder) addsUp(t *testing.T) {
	t.Helper()
	equal := func(what string, got, want decimal.Decimal) {
		if !got.Equal(want) {
			t.Errorf("%s: %s %s, want %s", f.ID, what, got, want)
		}
	}
	var sold, tax decimal.Decimal
	back := map[string]decimal.Decimal{}
	for _, a := range f.Agreements.Nodes {
		for _, s := range a.Sales.Nodes {
			var taxes decimal.Decimal
			for _, one := range s.Taxes {
				taxes = taxes.Add(one.Amount.amount())
			}
			equal(s.Type+" taxes", taxes, s.TotalTaxAmount.amount())
			if a.Type == "RefundAgreement" {
				back[a.Refund.ID] = back[a.Refund.ID].Sub(s.TotalAmount.amount())
				continue
			}
			sold = sold.Add(s.TotalAmount.amount())
			tax = tax.Add(s.TotalTaxAmount.amount())
		}
	}
	equal("what was agreed", sold, f.TotalPriceSet.amount())
	equal("the tax agreed", tax, f.TotalTaxSet.amount())
	var rates decimal.Decimal
	for _, r := range f.TaxLines {
		rates = rates.Add(r.PriceSet.amount())
	}
	equal("the taxes by rate", rates, f.TotalTaxSet.amount())
	f.linesAddUp(equal)
	refunded := map[string]int64{}
	current := f.TotalPriceSet.amount()
	for i := range f.Refunds {
		r := &f.Refunds[i]
		equal("refund "+r.ID+" in the agreements", back[r.ID], r.worth())
		current = current.Sub(r.worth())
		for _, l := range r.RefundLineItems.Nodes {
			refunded[l.LineItem.ID] += l.Quantity
		}
	}
	equal("what is left", f.CurrentTotalPriceSet.amount(), current)
	if f.CancelledAt != nil {
		equal("what a cancelled order keeps", f.received(), decimal.Decimal{})
	}
	parcels := map[string]int64{}
	for _, p := range f.Fulfillments {
		var n int64
		for _, l := range p.FulfillmentLineItems.Nodes {
			n += l.Quantity
			parcels[l.LineItem.ID] += l.Quantity
		}
		if n != p.TotalQuantity || n == 0 {
			t.Errorf("%s: a parcel of %d holds %d", f.ID, p.TotalQuantity, n)
		}
	}
	for _, l := range f.LineItems.Nodes {
		if l.CurrentQuantity < 0 || l.CurrentQuantity+refunded[l.ID] > l.Quantity || parcels[l.ID] > l.Quantity || l.UnfulfilledQuantity < 0 {
			t.Errorf("%s: line %s of %d: %d left, %d refunded, %d sent, %d to send", f.ID, l.ID, l.Quantity, l.CurrentQuantity, refunded[l.ID], parcels[l.ID], l.UnfulfilledQuantity)
		}
	}
}

// linesAddUp checks an order that was never edited, whose lines are what they
// were.
func (f *factOrder) linesAddUp(equal func(string, decimal.Decimal, decimal.Decimal)) {
	if f.Edited {
		return
	}
	var sum, off decimal.Decimal
	gross := func(taxes []factTax) {
		for _, t := range taxes {
			if !f.TaxesIncluded {
				sum = sum.Add(t.PriceSet.amount())
			}
		}
	}
	for _, l := range f.LineItems.Nodes {
		sum = sum.Add(l.OriginalTotalSet.amount())
		for _, d := range l.DiscountAllocations {
			off = off.Add(d.AllocatedAmountSet.amount())
		}
		gross(l.TaxLines)
		for _, d := range l.Duties {
			sum = sum.Add(d.Price.amount())
			gross(d.TaxLines)
		}
	}
	for _, l := range f.ShippingLines.Nodes {
		sum = sum.Add(l.DiscountedPriceSet.amount())
		gross(l.TaxLines)
	}
	for _, l := range f.AdditionalFees {
		sum = sum.Add(l.Price.amount())
		gross(l.TaxLines)
	}
	equal("the discounts", off, f.TotalDiscountsSet.amount())
	equal("the lines", sum.Sub(off), f.TotalPriceSet.amount())
}
