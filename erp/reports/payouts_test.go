package reports_test

import (
	"strings"
	"testing"
	"time"

	"comptoir/erp"
	"comptoir/erp/intake"
	"comptoir/erp/reports"
)

// charged is the item of a payout for what an order paid.
func charged(id, amount, fee string, at time.Time, order string) intake.PayoutItem {
	return intake.PayoutItem{ID: id, Kind: intake.ItemCharge, Raw: "charge", Amount: dec(amount), Fee: dec(fee), At: at, Order: order, Source: "tx" + order}
}

func itemOf(id string, kind intake.PayoutItemKind, amount, fee string, at time.Time, order string) intake.PayoutItem {
	return intake.PayoutItem{ID: id, Kind: kind, Raw: string(kind), Amount: dec(amount), Fee: dec(fee), At: at, Order: order, Source: "s" + id}
}

// payout is of what its items add up to, and paid.
func payout(reference string, issued time.Time, items ...intake.PayoutItem) *intake.Payout {
	p := &intake.Payout{Gateway: "stripe", Currency: "EUR", State: intake.PayoutPaid, RawStatus: "paid", IssuedAt: issued, Reference: reference, Items: items}
	for _, it := range items {
		p.Net = p.Net.Add(it.Amount).Sub(it.Fee)
	}
	return p
}

func statePayout(t *testing.T, b *erp.Books, id string, p *intake.Payout) {
	t.Helper()
	receive(t, b, "atelier", intake.Payouts, seal(t, intake.KindPayout, id, p))
}

// settled is a month of a gateway: four sales of 16.78 with a fee of 0.67, one of
// them refunded.
func settled(t *testing.T, b *erp.Books) {
	t.Helper()
	stocked(t, b, "atelier")
	for i, number := range []string{"1", "2", "3", "4"} {
		s := sale{number: number, placed: march.AddDate(0, 0, i), sku: "A", rate: &tva20, country: "FR", customer: "Zoé"}
		if number == "2" {
			s.edit = refund(3, tva20)
		}
		receive(t, b, "atelier", intake.Orders, seal(t, intake.KindOrder, number, s.order()))
	}
}

func day(n int) time.Time { return march.AddDate(0, 0, n) }

func report(t *testing.T, b *erp.Books, p reports.Params) string {
	t.Helper()
	p.Now = march.AddDate(0, 3, 0)
	r, err := reports.Run(ctx, b.Reader(), "payouts", p)
	if err != nil {
		t.Fatal(err)
	}
	for _, tie := range r.Ties {
		if tie.Difference() != 0 {
			t.Errorf("%+v", tie)
		}
	}
	return dump(r)
}

func TestGatewayWhoseMoneyHasAllArrivedHasNothingOpen(t *testing.T) {
	each(t, func(t *testing.T, b *erp.Books) {
		settled(t, b)
		statePayout(t, b, "501", payout("PO-1", day(5), charged("a", "17.88", "0.67", day(0), "1"), charged("b", "17.88", "0.67", day(1), "2")))
		statePayout(t, b, "502", payout("PO-2", day(9), charged("c", "17.88", "0.67", day(2), "3"), charged("d", "17.88", "0.67", day(3), "4"),
			itemOf("e", intake.ItemRefund, "-12", "0", day(6), "2"), itemOf("f", intake.ItemReserve, "-5", "0", day(6), ""), itemOf("g", intake.ItemAdjustment, "-0.30", "0", day(6), "")))
		if got := report(t, b, reports.Params{}); !strings.Contains(got, "= Open | | | | | | | | 0EUR |") || strings.Count(got, "\n") != 5 {
			t.Errorf("open:\n%s", got)
		}
		clearing, err := reports.Run(ctx, b.Reader(), "clearing", reports.Params{Now: march, Gateway: "stripe"})
		if err != nil {
			t.Fatal(err)
		}
		if got, want := dump(clearing), "| stripe | EUR | 0EUR | 7152EUR | 298EUR | 1200EUR | 5154EUR | -500EUR | 0EUR | 0 |"; !strings.Contains(got, want) {
			t.Errorf("clearing:\n%s\nwant %s", got, want)
		}
	})
}

func TestWhatIsOpenAtAGatewayIsListed(t *testing.T) {
	each(t, func(t *testing.T, b *erp.Books) {
		settled(t, b)
		statePayout(t, b, "501", payout("PO-1", day(5), charged("a", "17.88", "0.67", day(0), "1"), charged("b", "17.88", "0.70", day(1), "2"),
			charged("x", "9.99", "0.20", day(1), "77"), itemOf("y", intake.ItemCharge, "3", "0", day(1), "")))
		onItsWay := payout("PO-2", day(9), charged("c", "17.00", "0.67", day(2), "3"), itemOf("d", intake.ItemDispute, "-5", "15", day(4), "1"))
		onItsWay.State = intake.PayoutPending
		statePayout(t, b, "502", onItsWay)
		back := payout("PO-3", day(12), charged("z", "8", "0", day(8), "78"))
		back.State = intake.PayoutFailed
		statePayout(t, b, "503", back)
		bare := payout("", day(13))
		bare.Net = dec("1.50")
		statePayout(t, b, "504", bare)
		if _, err := b.BookPayout(ctx, erp.Payout{Gateway: "stripe", Currency: "EUR", Amount: dec("2"), Date: "2026-03-20", Reference: "PO-9"}); err != nil {
			t.Fatal(err)
		}
		golden(t, "payouts-open", report(t, b, reports.Params{})+"\n"+report(t, b, reports.Params{AsOf: "2026-03-05", Shop: "atelier", Gateway: "stripe"}))
	})
}

func TestPayoutThatCameBackIsOpenUntilItIsCarriedOn(t *testing.T) {
	each(t, func(t *testing.T, b *erp.Books) {
		settled(t, b)
		first := payout("PO-1", day(5), charged("a", "17.88", "0.67", day(0), "1"), charged("b", "17.88", "0.67", day(1), "2"), charged("c", "17.88", "0.67", day(2), "3"),
			charged("d", "17.88", "0.67", day(3), "4"), itemOf("e", intake.ItemRefund, "-12", "0", day(6), "2"))
		first.State = intake.PayoutFailed
		statePayout(t, b, "501", first)
		if got := report(t, b, reports.Params{}); !strings.Contains(got, "Payout that came back | atelier | PO-1 | 2026-03-07 | 5684EUR |") {
			t.Errorf("open:\n%s", got)
		}
		statePayout(t, b, "502", payout("PO-2", day(9), itemOf("t", intake.ItemTransfer, "56.84", "0", day(7), "")))
		if got := report(t, b, reports.Params{}); !strings.Contains(got, "= Open | | | | | | | | 0EUR |") || strings.Count(got, "\n") != 5 {
			t.Errorf("open, though it was carried on:\n%s", got)
		}
	})
}

func TestPayoutsAreAskedForOneGateway(t *testing.T) {
	each(t, func(t *testing.T, b *erp.Books) {
		_, err := reports.Run(ctx, b.Reader(), "journal", reports.Params{Gateway: "stripe"})
		if !matches("it is not made for one gateway", err) {
			t.Errorf("journal: %v", err)
		}
		statePayout(t, b, "501", payout("PO-1", day(5), charged("a", "17.88", "0.67", day(0), "1")))
		if got := report(t, b, reports.Params{Gateway: "paypal"}); !strings.Contains(got, "No gateway has stated a payout.") {
			t.Errorf("another gateway:\n%s", got)
		}
	})
}

func TestPayoutThatCameBackMayNameWhatAnotherCarries(t *testing.T) {
	for _, order := range []string{"failed first", "failed last"} {
		t.Run(order, func(t *testing.T) {
			each(t, func(t *testing.T, b *erp.Books) {
				settled(t, b)
				items := []intake.PayoutItem{charged("a", "17.88", "0.67", day(0), "1"), charged("b", "17.88", "0.67", day(1), "2"), charged("c", "17.88", "0.67", day(2), "3"),
					charged("d", "17.88", "0.67", day(3), "4"), itemOf("e", intake.ItemRefund, "-12", "0", day(6), "2")}
				failed := payout("PO-1", day(5), items...)
				failed.State = intake.PayoutFailed
				if order == "failed first" {
					statePayout(t, b, "501", failed)
				}
				statePayout(t, b, "502", payout("PO-2", day(9), items...))
				if order == "failed last" {
					statePayout(t, b, "501", failed)
				}
				if got := report(t, b, reports.Params{}); !strings.Contains(got, "= Open | | | | | | | | 0EUR |") || strings.Count(got, "\n") != 5 {
					t.Errorf("open:\n%s", got)
				}
			})
		})
	}
}
