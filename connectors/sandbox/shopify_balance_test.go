package sandbox

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"comptoir/erp/intake"

	"github.com/shopspring/decimal"
)

type statedPayout struct {
	ID, Status string
	IssuedAt   time.Time
	Net        struct{ Amount decimal.Decimal }
}

func payoutsOf(t testing.TB, s *Shop) []statedPayout {
	t.Helper()
	var all []statedPayout
	for after := any(nil); ; {
		a := asking(t, s, `query p($after: String) { shopifyPaymentsAccount { payouts(first: 100, after: $after) {
			nodes { id status issuedAt net { amount } } pageInfo { hasNextPage endCursor } } } }`, map[string]any{"after": after})
		var said struct {
			ShopifyPaymentsAccount struct {
				Payouts struct {
					Nodes    []statedPayout
					PageInfo struct {
						HasNextPage bool
						EndCursor   string
					}
				}
			}
		}
		decode(t, a.Data, &said)
		page := said.ShopifyPaymentsAccount.Payouts
		all = append(all, page.Nodes...)
		if !page.PageInfo.HasNextPage {
			return all
		}
		after = page.PageInfo.EndCursor
	}
}

func TestPayoutsAreWhatTheyCarry(t *testing.T) {
	s := New(generous(Options{Seed: 4, Orders: 2500}))
	payouts := payoutsOf(t, s)
	if got := len(s.IDs(intake.Payouts)); got != len(payouts) || got < 200 {
		t.Fatalf("%d payouts of %d", len(payouts), got)
	}
	if !slices.IsSortedFunc(payouts, func(a, b statedPayout) int { return strings.Compare(a.ID, b.ID) }) {
		t.Error("the ids of payouts do not follow their dates")
	}
	met, kinds, failed := map[string]bool{}, map[string]int{}, 0
	for _, p := range payouts {
		if day := p.IssuedAt.Weekday(); day == time.Saturday || day == time.Sunday {
			t.Errorf("%s was issued on a %s", p.ID, day)
		}
		want := "PAID"
		if s.Clock().Sub(p.IssuedAt) < daysToBank*24*time.Hour {
			want = "SCHEDULED"
		}
		if p.Status == "FAILED" {
			failed++
		} else if p.Status != want {
			t.Errorf("%s of %s is %s", p.ID, p.IssuedAt, p.Status)
		}
		var sum decimal.Decimal
		for _, m := range movementsOf(t, s, p.ID) {
			sum = sum.Add(m.Amount.Amount).Sub(m.Fee.Amount)
			kinds[m.Type]++
			if met[m.ID] {
				t.Errorf("%s is in two payouts", m.ID)
			}
			met[m.ID] = true
		}
		if p.Status == "FAILED" { // another carries what it held
			sum = sum.Add(p.Net.Amount)
		}
		if !sum.Equal(p.Net.Amount) {
			t.Errorf("%s is of %s and carries %s", p.ID, p.Net.Amount, sum)
		}
	}
	for _, w := range movementWords {
		if kinds[w.kind] == 0 {
			t.Errorf("no movement is a %s", w.kind)
		}
	}
	if failed != 1 {
		t.Errorf("%d payouts failed", failed)
	}
	before := len(payouts)
	s.Advance(7 * 24 * time.Hour)
	after := payoutsOf(t, s)
	if len(after) < before+4 || !slices.Equal(idsOf(after[:before]), idsOf(payouts)) {
		t.Errorf("after a week there are %d payouts, before %d", len(after), before)
	}
}

func idsOf(payouts []statedPayout) []string {
	var ids []string
	for _, p := range payouts {
		ids = append(ids, p.ID+" "+p.Net.Amount.String())
	}
	return ids
}

type statedMovement struct {
	ID, Type    string
	Amount, Fee struct{ Amount decimal.Decimal }
}

func movementsOf(t testing.TB, s *Shop, payout string) []statedMovement {
	t.Helper()
	query := "payments_transfer_id:" + payout[strings.LastIndexByte(payout, '/')+1:]
	a := asking(t, s, `query m($query: String) { shopifyPaymentsAccount { balanceTransactions(first: 250, query: $query, hideTransfers: true) {
		nodes { id type amount { amount } fee { amount } } pageInfo { hasNextPage } } } }`, map[string]any{"query": query})
	var said struct {
		ShopifyPaymentsAccount struct {
			BalanceTransactions struct {
				Nodes    []statedMovement
				PageInfo struct{ HasNextPage bool }
			}
		}
	}
	decode(t, a.Data, &said)
	if said.ShopifyPaymentsAccount.BalanceTransactions.PageInfo.HasNextPage {
		t.Fatalf("%s carries more than a page", payout)
	}
	return said.ShopifyPaymentsAccount.BalanceTransactions.Nodes
}

func TestOnHandIsWhatCanBeSoldAndWhatIsHeld(t *testing.T) {
	s := New(generous(Options{Seed: 4, Orders: 300}))
	check := func() (held int64) {
		t.Helper()
		a := asking(t, s, `{ location(id: "gid://shopify/Location/501") { inventoryLevels(first: 100) { nodes { item { id }
			quantities(names: ["available", "on_hand", "committed", "reserved"]) { name quantity } } } } }`, nil)
		var said struct {
			Location struct {
				InventoryLevels struct {
					Nodes []struct {
						Item       struct{ ID string }
						Quantities []struct {
							Name     string
							Quantity int64
						}
					}
				}
			}
		}
		decode(t, a.Data, &said)
		for _, l := range said.Location.InventoryLevels.Nodes {
			q := map[string]int64{}
			for _, one := range l.Quantities {
				q[one.Name] = one.Quantity
			}
			if q["on_hand"] != q["available"]+q["committed"]+q["reserved"] || q["committed"] < 0 {
				t.Errorf("%s: %v", l.Item.ID, q)
			}
			held += q["committed"]
		}
		return held
	}
	before := check()
	id := s.PlaceOrder()
	placed := check()
	s.CompleteOrder(id)
	if shipped := check(); placed <= before || shipped != before {
		t.Errorf("%d held, %d with an order more, %d when that was shipped", before, placed, shipped)
	}
}

// One history, told by both platforms.
func TestACommonHistoryIsTheSameOnBothPlatforms(t *testing.T) {
	o := Options{Seed: 5, Orders: 600, Common: true}
	woo, shopify := New(o), New(generous(o))
	for i := range 24 {
		for _, s := range []*Shop{woo, shopify} {
			switch i % 6 {
			case 0:
				s.PlaceOrder()
			case 1:
				s.EditOrder("")
			case 2:
				s.PayOrder("")
			case 3:
				s.CompleteOrder("")
			case 4:
				s.RefundOrder("", i%4 == 0)
			default:
				s.RefundByAmount("")
				s.CancelOrder("")
			}
			s.Advance(3 * time.Hour)
		}
	}
	said := map[string]string{}
	for _, status := range []string{"any", "trash"} {
		for _, w := range readOrders(t, woo, status) {
			said["#"+w.Number] = w.fact()
		}
	}
	all, _ := facts(t, shopify)
	if len(all) < 500 {
		t.Fatalf("%d orders", len(all))
	}
	for i := range all {
		if got := all[i].fact(); got != said[all[i].Name] {
			t.Errorf("%s is %s on Shopify and %s on WooCommerce", all[i].Name, got, said[all[i].Name])
		}
	}
	for _, v := range shopify.IDs(intake.Variants) {
		qty, tracked := shopify.Stock(v)
		if other, also := woo.Stock(v); other != qty || also != tracked {
			t.Errorf("variant %s: %d (%t) on Shopify and %d (%t) on WooCommerce", v, qty, tracked, other, also)
		}
	}
}

// fact is what an order comes to: net by kind of line, tax by rate, gift cards
// and refunds.
func (w *wireOrder) fact() string {
	sum := func(lines []wireLine) (net, off decimal.Decimal) {
		for _, l := range lines {
			net, off = net.Add(l.Total), off.Add(l.Subtotal.Sub(l.Total))
		}
		return net, off
	}
	goods, off := sum(w.Lines)
	carriage, _ := sum(w.Carriage)
	fees, _ := sum(w.Fees)
	var gifts decimal.Decimal
	for _, g := range w.Gifts {
		gifts = gifts.Add(g.Amount)
	}
	var refunds []string
	for _, r := range w.Refunds {
		refunds = append([]string{r.Total.Neg().StringFixed(2)}, refunds...)
	}
	return factOf(goods, off, carriage, fees, w.TotalTax, w.Total.Add(gifts), gifts, refunds)
}

func factOf(goods, off, carriage, fees, tax, total, gifts decimal.Decimal, refunds []string) string {
	return fmt.Sprintf("goods %s less %s, shipping %s, fees %s, tax %s, total %s, gift cards %s, refunds %v", goods.StringFixed(2), off.StringFixed(2),
		carriage.StringFixed(2), fees.StringFixed(2), tax.StringFixed(2), total.StringFixed(2), gifts.StringFixed(2), refunds)
}

func (f *factOrder) fact() string {
	var goods, off, carriage, fees, gifts decimal.Decimal
	for _, a := range f.Agreements.Nodes {
		if a.Type == "RefundAgreement" {
			continue
		}
		for _, s := range a.Sales.Nodes {
			net := s.TotalAmount.amount().Sub(s.TotalTaxAmount.amount())
			switch s.LineType {
			case "SHIPPING":
				carriage = carriage.Add(net)
			case "ADDITIONAL_FEE":
				fees = fees.Add(net)
			default:
				goods, off = goods.Add(net), off.Add(s.TotalDiscount.amount())
			}
		}
	}
	for _, m := range f.Transactions {
		if m.Gateway == giftGateway.code {
			gifts = gifts.Add(m.AmountSet.amount())
		}
	}
	var refunds []string
	for i := range f.Refunds {
		if number(strings.TrimPrefix(f.Refunds[i].ID, "gid://shopify/Refund/")) > firstCancellation {
			continue // that a cancelled order is paid back goes without saying on WooCommerce
		}
		refunds = append(refunds, f.Refunds[i].worth().StringFixed(2))
	}
	return factOf(goods, off, carriage, fees, f.TotalTaxSet.amount(), f.TotalPriceSet.amount(), gifts, refunds)
}
