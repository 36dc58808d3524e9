package sales_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"comptoir/erp/intake"
	"comptoir/erp/quantity"
	"comptoir/erp/sales"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

// placedOrder is three shirts at 3.33 with 20 % tax, two socks without a tax, and
// shipping: 9.99 + 2.00 + 4.00 + 2.00 + 0.80 in all.
func placedOrder(edit ...func(*sales.Placed)) sales.Placed {
	at := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	tax := func(amount string) []intake.Tax {
		return []intake.Tax{{RateID: "1", Name: "TVA", Rate: decimal.NewFromInt(20), Amount: decimal.RequireFromString(amount)}}
	}
	p := sales.Placed{State: intake.StateOpen, Lines: map[string]sales.PlacedLine{
		"1": {Ordered: 3000, Demand: 3000, State: sales.LineReady}, "2": {Ordered: 2000, State: sales.LineOpen}, "3": {Ordered: 1000, State: sales.LineOpen}},
		Said: &intake.Order{Number: "7", State: intake.StateOpen, PlacedAt: at, PaidAt: at, Currency: "EUR", Total: decimal.RequireFromString("18.79"), Lines: []intake.Line{
			{ID: "1", Kind: intake.LineItem, SKU: "SHIRT", Quantity: decimal.NewFromInt(3), Total: decimal.RequireFromString("9.99"), Taxes: tax("2.00")},
			{ID: "2", Kind: intake.LineItem, SKU: "SOCK", Quantity: decimal.NewFromInt(2), Total: decimal.RequireFromString("2.00")},
			{ID: "3", Kind: intake.LineShipping, Quantity: decimal.NewFromInt(1), Total: decimal.RequireFromString("4.00"), Taxes: tax("0.80")},
		}}}
	for _, e := range edit {
		e(&p)
	}
	return p
}

func ask(line, q string) []sales.Ask {
	return []sales.Ask{{Line: line, Quantity: decimal.RequireFromString(q)}}
}

// parcel tells a shipment as "line=quantity …", with a mark where it completes
// the order.
func parcel(s intake.NewShipment) string {
	var out []string
	for _, l := range s.Lines {
		out = append(out, l.LineID+"="+l.Quantity.String())
	}
	if s.Completes {
		out = append(out, "all")
	}
	return strings.Join(out, " ")
}

func TestAShipmentIsOfWhatIsLeft(t *testing.T) {
	onItsWay := func(p *sales.Placed) {
		p.Asked = append(p.Asked, intake.OrderRequest{Shipment: &intake.NewShipment{Lines: []intake.ShippedLine{{LineID: "1", Quantity: decimal.NewFromInt(2)}}}})
	}
	state := func(s intake.OrderState) func(*sales.Placed) { return func(p *sales.Placed) { p.State = s } }
	for name, test := range map[string]struct {
		placed sales.Placed
		ask    []sales.Ask
		want   string // or the error
	}{
		"all":                        {placedOrder(), nil, "1=3 2=2 all"},
		"a part, by SKU":             {placedOrder(), ask("SHIRT", "1"), "1=1"},
		"a part, by line":            {placedOrder(), ask("2", "2"), "2=2"},
		"the rest":                   {placedOrder(onItsWay), nil, "1=1 2=2 all"},
		"both lines to the end":      {placedOrder(onItsWay), append(ask("1", "1"), ask("SOCK", "2")...), "1=1 2=2 all"},
		"more than is left":          {placedOrder(onItsWay), ask("1", "2"), "1 are left to be shipped, not 2: ask for 1 at most"},
		"more than is left, in two":  {placedOrder(), append(ask("1", "2"), ask("SHIRT", "2")...), "3 are left to be shipped, not 4"},
		"nothing":                    {placedOrder(), ask("1", "0"), "0 cannot be shipped"},
		"less than nothing":          {placedOrder(), ask("1", "-1"), "-1 cannot be shipped"},
		"a line that it has not":     {placedOrder(), ask("HAT", "1"), `no line "HAT": use one of 1 (SHIRT), 2 (SOCK)`},
		"shipping is no goods":       {placedOrder(), ask("3", "1"), `no line "3"`},
		"an order on hold":           {placedOrder(state(intake.StateHold)), nil, "order 7 is hold"},
		"an order that is completed": {placedOrder(state(intake.StateCompleted)), nil, "order 7 is completed"},
		"one in the trash":           {placedOrder(func(p *sales.Placed) { p.Said.Trashed = true }), nil, "in the trash"},
		"one that is being cancelled": {placedOrder(func(p *sales.Placed) { p.Asked = []intake.OrderRequest{{Cancel: &intake.Cancellation{}}} }), nil,
			"a cancellation of order 7 is on its way"},
		"goods that were shipped": {placedOrder(func(p *sales.Placed) {
			p.Lines["1"] = sales.PlacedLine{Ordered: 3000, Shipped: 3000, State: sales.LineShipped}
			p.Lines["2"] = sales.PlacedLine{Ordered: 2000, Shipped: 2000, State: sales.LineShipped}
		}), nil, "nothing of order 7 is left to be shipped"},
		"a SKU on two lines": {placedOrder(func(p *sales.Placed) { p.Said.Lines[1].SKU = "SHIRT" }), ask("SHIRT", "1"), "name one of the lines 1, 2 instead"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := test.placed.Ship(test.ask)
			if got := fmt.Sprint(parcel(s), err); err == nil && parcel(s) != test.want || err != nil && !strings.Contains(got, test.want) {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestARefundIsOfWhatIsLeft(t *testing.T) {
	amount := func(s string) *decimal.Decimal { d := decimal.RequireFromString(s); return &d }
	gone := func(s string) func(*sales.Placed) {
		return func(p *sales.Placed) {
			p.Said.Refunds = append(p.Said.Refunds, intake.Refund{ID: "r", Amount: decimal.RequireFromString(s)})
		}
	}
	for name, test := range map[string]struct {
		placed sales.Placed
		amount *decimal.Decimal
		ask    []sales.Ask
		want   string // the amount, or the error
	}{
		"an amount":              {placedOrder(), amount("5.00"), nil, "5"},
		"one shirt":              {placedOrder(), nil, ask("SHIRT", "1"), "4"},    // 3.33 and 0.67
		"two shirts":             {placedOrder(), nil, ask("SHIRT", "2"), "7.99"}, // 6.66 and 1.33
		"all shirts":             {placedOrder(), nil, ask("SHIRT", "3"), "11.99"},
		"all":                    {placedOrder(), nil, nil, "18.79"},
		"all that is left":       {placedOrder(gone("3.79")), nil, nil, "15"},
		"more than is left":      {placedOrder(gone("15.00")), amount("5"), nil, "3.79 EUR of order 7 is left to go back, not 5.00 EUR: give back 3.79 EUR at most"},
		"goods worth more":       {placedOrder(gone("15.00")), nil, ask("SHIRT", "1"), "3.79 EUR of order 7 is left"},
		"when nothing is left":   {placedOrder(gone("18.79")), amount("1"), nil, "nothing of order 7 is left to go back"},
		"more goods than it has": {placedOrder(), nil, ask("SHIRT", "4"), "3 are left to be refunded, not 4"},
		"parts of a cent":        {placedOrder(), amount("0.005"), nil, "0.005 EUR cannot go back"},
		"less than nothing":      {placedOrder(), amount("-1"), nil, "-1 EUR cannot go back"},
		"both":                   {placedOrder(), amount("1"), ask("SHIRT", "1"), "of an amount or of goods"},
		"one that was not paid":  {placedOrder(func(p *sales.Placed) { p.Said.PaidAt = time.Time{} }), amount("1"), nil, "order 7 was not paid"},
		"beside one on its way": {placedOrder(func(p *sales.Placed) {
			p.Asked = []intake.OrderRequest{{Refund: &intake.NewRefund{Amount: decimal.RequireFromString("18")}}}
		}), amount("1"), nil, "0.79 EUR of order 7 is left"},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := test.placed.Refund(test.amount, test.ask)
			if got := fmt.Sprint(r.Amount, err); err == nil && r.Amount.String() != test.want || err != nil && !strings.Contains(got, test.want) {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

// TestRefundsOfPartsAddUp refunds an order in parts, in any sequence: the last of
// a line brings what the parts before have left of it.
func TestRefundsOfPartsAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := placedOrder(func(p *sales.Placed) {
			n := rapid.Int64Range(1, 7).Draw(t, "shirts")
			p.Said.Lines[0].Quantity = decimal.NewFromInt(n)
			p.Said.Lines[0].Total = decimal.New(rapid.Int64Range(1, 5000).Draw(t, "cents"), -2)
			p.Said.Lines[0].Taxes[0].Amount = p.Said.Lines[0].Total.Mul(decimal.RequireFromString("0.2")).Round(2)
			p.Said.Total = decimal.RequireFromString("6.80").Add(p.Said.Lines[0].Total).Add(p.Said.Lines[0].Taxes[0].Amount)
		})
		shirt := p.Said.Lines[0]
		var sum decimal.Decimal
		for left := shirt.Quantity.IntPart(); left > 0; {
			n := rapid.Int64Range(1, left).Draw(t, "back")
			left -= n
			r, err := p.Refund(nil, []sales.Ask{{Line: "1", Quantity: decimal.NewFromInt(n)}})
			if err != nil && strings.Contains(err.Error(), "worth nothing") {
				r = intake.NewRefund{Lines: []intake.NewRefundLine{{LineID: "1", Quantity: decimal.NewFromInt(n)}}}
			} else if err != nil {
				t.Fatal(err)
			}
			sum = sum.Add(r.Amount)
			p.Said.Refunds = append(p.Said.Refunds, intake.Refund{Amount: r.Amount, Lines: []intake.RefundLine{{LineID: "1", Quantity: r.Lines[0].Quantity, Total: r.Lines[0].Total, Taxes: r.Lines[0].Taxes}}})
		}
		if want := shirt.Total.Add(shirt.Taxes[0].Amount); !sum.Equal(want) {
			t.Fatalf("%s went back, the shirts were %s", sum, want)
		}
		rest, err := p.Refund(nil, nil)
		if err != nil || !rest.Amount.Equal(decimal.RequireFromString("6.80")) {
			t.Fatalf("the rest is %s, %v", rest.Amount, err)
		}
	})
}

func TestOnlyAnOrderOfWhichNothingLeftIsCancelled(t *testing.T) {
	if err := placedOrder().Cancel(); err != nil {
		t.Error(err)
	}
	for name, p := range map[string]sales.Placed{
		"cancelled already": placedOrder(func(p *sales.Placed) { p.State = intake.StateCancelled }),
		"have been shipped": placedOrder(func(p *sales.Placed) { p.Lines["1"] = sales.PlacedLine{Ordered: 3000, Shipped: quantity.Unit} }),
		"so it cannot be canc": placedOrder(func(p *sales.Placed) {
			p.Asked = []intake.OrderRequest{{Shipment: &intake.NewShipment{Lines: []intake.ShippedLine{{LineID: "1", Quantity: decimal.NewFromInt(1)}}}}}
		}),
		"cancellation of order": placedOrder(func(p *sales.Placed) { p.Asked = []intake.OrderRequest{{Cancel: &intake.Cancellation{}}} }),
	} {
		if err := p.Cancel(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
