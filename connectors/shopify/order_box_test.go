package shopify_test

import (
	"testing"

	"comptoir/connectors"
	"comptoir/connectors/sandbox"
	"comptoir/connectors/shopify"
	"comptoir/erp/intake"

	"github.com/rs/zerolog"
	"github.com/shopspring/decimal"
)

// boxed connects to a sandbox that plays Shopify.
func boxed(t testing.TB, o sandbox.Options) (*sandbox.Shop, *shopify.Connector) {
	t.Helper()
	o.Platform = sandbox.Shopify
	shop := sandbox.New(o)
	cfg := shopify.NewConfig()
	cfg.URL, cfg.AccessToken, cfg.Bulk = "https://atelier.myshopify.com", shop.Key(), shopify.BulkNever
	c, err := shopify.New(connectors.Env{Shop: "atelier", Transport: shop.Transport(), Now: shop.Clock, Log: zerolog.Nop()}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return shop, c
}

// ordersOf reads all orders of a shop.
func ordersOf(t testing.TB, c *shopify.Connector) map[string]intake.Record {
	t.Helper()
	found := map[string]intake.Record{}
	var cur connectors.Cursor
	for more := true; more; {
		page, err := c.Pull(t.Context(), intake.Orders, cur)
		if err != nil {
			t.Fatal(err)
		}
		for _, rec := range page.Records {
			found[rec.Ref.ID] = rec
		}
		cur, more = page.Next, page.More
	}
	return found
}

// The orders of a whole history add up to the cent, but for those that were
// planted not to; each states the same when it is read by itself; and who has
// all goods and all money back owes nothing.
func TestOrdersOfAWholeHistoryAddUp(t *testing.T) {
	for name, o := range map[string]sandbox.Options{
		"of its own": {Seed: 3, Orders: 400},
		"in common":  {Seed: 5, Orders: 400, Common: true},
		"with all":   {Seed: 9, Orders: 400, Extras: true},
	} {
		t.Run(name, func(t *testing.T) {
			shop, c := boxed(t, o)
			orders, planted := ordersOf(t, c), shop.Planted()
			if len(orders) < 300 {
				t.Fatalf("there are %d orders", len(orders))
			}
			var refs []intake.Ref
			for id, rec := range orders {
				refs = append(refs, rec.Ref)
				said, ok := rec.Body.(*intake.Order)
				if _, odd := planted[id]; odd {
					continue
				}
				if !ok {
					t.Errorf("order %s cannot be read: %s", id, rec.Problem)
					continue
				}
				if off := sumOff(said); !off.IsZero() {
					t.Errorf("order %s is %s more than its lines and taxes: %s", id, off, rec.Statement)
				}
				final := said.State == intake.StateCompleted || said.State == intake.StateRefunded
				if owes := owed(said); final && !owes.IsZero() {
					t.Errorf("order %s is %s, and %s of it is open: %s", id, said.RawStatus, owes, rec.Statement)
				}
			}
			again, err := c.Fetch(t.Context(), refs)
			if err != nil {
				t.Fatal(err)
			}
			for i, rec := range again {
				if was := orders[refs[i].ID]; rec.Digest != was.Digest {
					t.Errorf("order %s states something else when it is read by itself:\n%s\n%s", refs[i].ID, was.Statement, rec.Statement)
				}
			}
		})
	}
}

// sumOff is by how much the total is more than the lines and their taxes.
func sumOff(o *intake.Order) decimal.Decimal {
	off := o.Total
	for _, l := range o.Lines {
		off = off.Sub(l.Total)
		for _, tax := range l.Taxes {
			off = off.Sub(tax.Amount)
		}
	}
	return off
}

// owed is what the customer still owes.
func owed(o *intake.Order) decimal.Decimal {
	owes := o.Total
	for _, p := range o.Payments {
		if p.Kind == intake.MoneySale || p.Kind == intake.MoneyCapture {
			owes = owes.Sub(p.Amount)
		}
	}
	for _, g := range o.GiftCards {
		owes = owes.Sub(g.Amount)
	}
	for _, r := range o.Refunds {
		owes = owes.Sub(r.Amount).Add(*r.Paid)
	}
	return owes
}
