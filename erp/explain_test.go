package erp_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"comptoir/erp"
	"comptoir/erp/fault"
	"comptoir/erp/intake"
	"comptoir/erp/sales"

	"github.com/rs/zerolog"
)

func explained(t *testing.T, b *erp.Books, id string) erp.Explanation {
	t.Helper()
	x, err := b.Explain(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// events lists what an explanation tells of, with the documents.
func events(x erp.Explanation) string {
	var out []string
	for _, e := range x.Entries {
		text := fmt.Sprintf("%s#%d", e.Event, e.Revision)
		if e.Reverses != 0 {
			text += " reversal"
		}
		if e.Document != "" {
			text += " " + e.Document
		}
		out = append(out, text)
	}
	return strings.Join(out, ", ")
}

func TestExplainFollowsAnOrderFromItsEntriesToItsPayload(t *testing.T) {
	each(t, sales.DefaultRules(), func(t *testing.T, b *erp.Books) {
		receive(t, b, goods, seal(t, intake.KindProduct, "7", placed, shirt("8")))
		state(t, b, "77", sent, order(completed))
		state(t, b, "77", sent.Add(24*time.Hour), order(completed, refunded(oneShirt(sent.Add(24*time.Hour)))))

		x := explained(t, b, "1042")
		if got, want := events(x), "payment/tx_77#1, fee/tx_77#1, invoice#1 INV-1, shipment/all#1, refund/9#1 CN-1, return/9#1"; got != want {
			t.Errorf("events %s, want %s", got, want)
		}
		if x.Subject != "order 1042 of atelier" || x.Order.External != "77" || x.Order.Total.String() != "29.88 EUR" {
			t.Errorf("%s: %+v", x.Subject, x.Order)
		}
		for i, e := range x.Entries {
			if e.Rule == "" || len(e.Lines) < 2 {
				t.Errorf("entry %d: %+v", i, e)
			}
		}
		s := x.Source
		if s == nil || s.Shop != "atelier" || string(s.Raw) != `{"id":77}` || s.Bytes != 9 || len(s.Payload) != 64 || !s.ModifiedAt.Equal(sent.Add(24*time.Hour)) || s.ReceivedAt.IsZero() {
			t.Errorf("source %+v", s)
		}

		for id, want := range map[string]string{
			"atelier/1042": events(x), "order/atelier/77": events(x), "77": events(x),
			"INV-1":                                  "invoice#1 INV-1",
			"cn-1":                                   "refund/9#1 CN-1",
			"order/atelier/77/fee/tx_77":             "fee/tx_77#1",
			fmt.Sprintf("entry:%d", x.Entries[3].ID): "shipment/all#1",
			"entry:order/atelier/77/payment/tx_77":   "payment/tx_77#1",
		} {
			if got := events(explained(t, b, id)); got != want {
				t.Errorf("%s: %s, want %s", id, got, want)
			}
		}
	})
}

func TestExplainTellsWhatWasBookedFromAnEarlierPayload(t *testing.T) {
	now := sent
	b, err := erp.Open(ctx, erp.Options{Path: filepath.Join(t.TempDir(), "books.db"), Now: func() time.Time { return now }, Log: zerolog.Nop(),
		Company: erp.Company{Currency: "EUR", Chart: "general"}, Shops: map[string]sales.Rules{"atelier": sales.DefaultRules()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	state(t, b, "77", sent, order())
	now = sent.Add(time.Hour)
	state(t, b, "77", now, order(completed))
	for _, e := range explained(t, b, "1042").Entries {
		if want := e.Event == "invoice"; e.Current != want {
			t.Errorf("%s: from the payload that is kept: %v, want %v", e.Event, e.Current, want)
		}
	}
}

func TestExplainShowsWhatReversesAnEntry(t *testing.T) {
	each(t, sales.DefaultRules(), func(t *testing.T, b *erp.Books) {
		state(t, b, "77", sent, order(completed))
		state(t, b, "77", sent.Add(time.Hour), order(completed, func(o *intake.Order) { o.Lines[0].Title = "Chemise bleue" }))
		if got, want := events(explained(t, b, "INV-1")), "invoice#1 INV-1, invoice#1 reversal CN-1"; got != want {
			t.Errorf("%s, want %s", got, want)
		}
		x := explained(t, b, "1042")
		if got, want := events(x), "payment/tx_77#1, fee/tx_77#1, invoice#1 INV-1, invoice#1 reversal CN-1, invoice#2 INV-2"; got != want {
			t.Errorf("%s, want %s", got, want)
		}
		if d := x.Documents; len(d) != 3 || d[1].Corrects != "INV-1" || d[1].Kind != "credit_note" {
			t.Errorf("documents %+v", d)
		}
	})
}

func TestExplainTracesStockToTheVariant(t *testing.T) {
	each(t, sales.DefaultRules(), func(t *testing.T, b *erp.Books) {
		receive(t, b, goods, seal(t, intake.KindProduct, "7", placed, shirt("8")))
		if _, err := b.Settle(ctx, "atelier", placed.AddDate(0, 1, 0), placed.AddDate(0, 1, 0)); err != nil {
			t.Fatal(err)
		}
		x := explained(t, b, "stock/atelier/7/opening")
		if len(x.Entries) != 1 || x.Order != nil || !strings.Contains(x.Entries[0].Rule, "opening balances") || x.Source == nil || x.Source.Ref.ID != "7" || x.Source.Ref.Kind != intake.KindProduct {
			t.Errorf("%+v", x)
		}
	})
}

func TestExplainTellsWhichRoundingGivesTheTotalOfTheShop(t *testing.T) {
	tax := func(amount string) []intake.Tax {
		return []intake.Tax{{RateID: "1", Name: "TVA", Rate: dec("20"), Amount: dec(amount)}}
	}
	line := func(id, net, amount string) intake.Line {
		return intake.Line{ID: id, Kind: intake.LineItem, Title: id, Quantity: dec("1"), Subtotal: dec(net), Total: dec(net), Taxes: tax(amount)}
	}
	each(t, sales.DefaultRules(), func(t *testing.T, b *erp.Books) {
		for i, c := range []struct {
			total, tax string
			want       string // the ways that give it
			difference string
		}{
			{"31.52", "1.52", "each line and its tax rounded", "0.00 EUR"},
			{"31.51", "1.51", "each line rounded, the tax of each rate rounded once; only the totals rounded; each line rounded, the tax of each rate rounded once, half a cent down", "0.00 EUR"},
			{"31.50", "1.50", "each line and its tax rounded, half a cent of tax down", "0.00 EUR"},
			{"31.53", "1.51", "", "0.02 EUR"},
		} {
			id := fmt.Sprint(100 + i)
			state(t, b, id, placed, order(func(o *intake.Order) {
				o.Number, o.Total, o.TotalTax = id, dec(c.total), dec(c.tax)
				o.Lines = []intake.Line{line("1", "15", "0.755"), line("2", "15", "0.755")}
			}))
			x := explained(t, b, id)
			var ways []string
			for _, r := range x.Cents.Roundings {
				if r.Reproduces {
					ways = append(ways, r.How)
				}
			}
			if got := strings.Join(ways, "; "); got != c.want || x.Cents.Difference.String() != c.difference {
				t.Errorf("total %s: %q and %s, want %q", c.total, got, x.Cents.Difference, c.want)
			}
		}
	})
}

func TestExplainSaysWhatAnUnclearIDCouldMean(t *testing.T) {
	each(t, sales.DefaultRules(), func(t *testing.T, b *erp.Books) {
		numbered := func(n string) func(*intake.Order) { return func(o *intake.Order) { o.Number = n } }
		state(t, b, "77", placed, order())
		state(t, b, "1042", placed, order(numbered("1043")))
		state(t, b, "90", placed, order(numbered("A_10%")))
		receive(t, b, orders, seal(t, intake.KindOrder, "91", placed, order(func(o *intake.Order) { o.Total = dec("99") })))
		entry := explained(t, b, "1043").Entries[0].ID
		for _, c := range []struct {
			id   string
			kind fault.Kind
			want string
		}{
			{"1042", fault.Invalid, `"1042" could be 2 things: name one of them: order/atelier/77 (number 1042), order/atelier/1042 (number 1043)`},
			{"elsewhere/1042", fault.NotFound, `no order, invoice or entry "elsewhere/1042"`},
			{"104", fault.NotFound, "did you mean one of these: order/atelier/77 (number 1042), order/atelier/1042 (number 1043)"},
			{"_10%", fault.NotFound, "did you mean one of these: order/atelier/90 (number A_10%)"},
			{"91", fault.NotFound, "order 91 is not booked: it is parked: see comptoir parked show"},
			{"INV-9", fault.NotFound, "INV-9"},
			{"entry:999999", fault.NotFound, "there is no entry"},
			{"entry:order/atelier/77", fault.NotFound, "there is no entry"},
			{fmt.Sprint(entry), fault.NotFound, fmt.Sprintf("entry:%d", entry)},
			{"", fault.NotFound, "give the number of an order, an invoice such as INV-12, or entry:123"},
		} {
			_, err := b.Explain(ctx, c.id)
			if fault.KindOf(err) != c.kind || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%q: %v", c.id, err)
			}
		}
	})
}

func TestExplainTellsWhatTheCustomerSaw(t *testing.T) {
	each(t, sales.DefaultRules(), func(t *testing.T, b *erp.Books) {
		state(t, b, "77", sent, order(completed, func(o *intake.Order) {
			o.Presented = &intake.Presented{Currency: "USD", Total: dec("34.20"), TotalTax: dec("5.70")}
		}))
		p := explained(t, b, "1042").Order.Presented
		if p == nil || p.Currency != "USD" || !p.Total.Equal(dec("34.20")) || !p.TotalTax.Equal(dec("5.70")) {
			t.Errorf("presented %+v", p)
		}
		if got, want := balances(t, b), "output_tax=-498 payment_fees=67 sales=-2000 shipping_income=-490 stripe/EUR=2921"; got != want {
			t.Errorf("booked\n got %s\nwant %s, as the shop's money has it", got, want)
		}
	})
}

func TestExplainFollowsAPayoutToItsStatement(t *testing.T) {
	each(t, sales.DefaultRules(), func(t *testing.T, b *erp.Books) {
		statePayout(t, b, "501", sent, paidOut(item("2", intake.ItemReserve, "-5", "0", sent, "")))
		for cause, rule := range map[string]string{"payout/atelier/501": "The gateway pays out", "payout-item/atelier/stripe/2": "no order tells of"} {
			x := explained(t, b, "entry:"+cause)
			if x.Source == nil || x.Source.Ref.ID != "501" || !x.Entries[0].Current || !strings.Contains(x.Entries[0].Rule, rule) {
				t.Errorf("%s: source %+v, entries %+v", cause, x.Source, x.Entries)
			}
		}
	})
}
