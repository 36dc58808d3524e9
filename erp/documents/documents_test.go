package documents_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"comptoir/erp"
	"comptoir/erp/documents"
	"comptoir/erp/fault"
	"comptoir/erp/intake"
	"comptoir/erp/sales"
	"comptoir/erp/store/storetest"

	"github.com/rs/zerolog"
	"github.com/shopspring/decimal"
)

func TestMain(m *testing.M) { storetest.Main(m) }

var (
	placed = time.Date(2026, 3, 2, 23, 30, 0, 0, time.UTC) // the 3rd in Paris
	sent   = placed.Add(48 * time.Hour)
)

func dec(s string) decimal.Decimal { return decimal.RequireFromString(s) }

func each(t *testing.T, fn func(t *testing.T, b *erp.Books)) {
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	open := func(t *testing.T, path, url string) *erp.Books {
		b, err := erp.Open(t.Context(), erp.Options{Path: path, URL: url, Shops: map[string]sales.Rules{"atelier": sales.DefaultRules()}, Now: func() time.Time { return sent.AddDate(0, 1, 0) },
			Company: erp.Company{Currency: "EUR", Chart: "pcg", TimeZone: paris, Rates: []erp.Rate{{Currency: "USD", From: "2026-01-01", Rate: dec("0.9")}}}, Log: zerolog.Nop()})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { b.Close() })
		return b
	}
	t.Run("sqlite", func(t *testing.T) { fn(t, open(t, filepath.Join(t.TempDir(), "books.db"), "")) })
	t.Run("postgres", func(t *testing.T) { fn(t, open(t, "", storetest.URL(t))) })
}

// sell books an order of two shirts at 10.00 with 20 %, a book at 5.5 %, and
// shipping without tax: 35.55 in all.
func sell(t *testing.T, b *erp.Books, edit ...func(*intake.Order)) {
	t.Helper()
	tax := func(id, name, rate, amount string) []intake.Tax {
		return []intake.Tax{{RateID: id, Name: name, Rate: dec(rate), Amount: dec(amount)}}
	}
	o := &intake.Order{
		Number: "1042", RawStatus: "completed", State: intake.StateCompleted, PlacedAt: placed, PaidAt: placed, CompletedAt: sent, Currency: "EUR", Total: dec("39.55"), TotalTax: dec("4.55"),
		Customer: intake.Customer{Email: "zoe@example.test", FirstName: "Zoé", VATNumber: "FR1", Billing: intake.Address{City: "Saint-Étienne", Country: "FR"}},
		Coupons:  []string{"A", "B"},
		Lines: []intake.Line{
			{ID: "1", Kind: intake.LineItem, SKU: "S", Title: "Chemise", Quantity: dec("2"), Subtotal: dec("20"), Total: dec("20"), Taxes: tax("1", "TVA 20%", "20", "4")},
			{ID: "2", Kind: intake.LineItem, SKU: "B", Title: "Livre", Quantity: dec("1"), Subtotal: dec("10"), Total: dec("10"), Taxes: tax("2", "TVA 5,5%", "5.5", "0.55")},
			{ID: "3", Kind: intake.LineShipping, Title: "Port", Quantity: dec("1"), Subtotal: dec("5"), Total: dec("5")},
		},
		Payment:  intake.Payment{Method: "stripe", Title: "Carte"},
		Payments: []intake.Money{{ID: "tx", Kind: intake.MoneySale, Gateway: "stripe", Amount: dec("39.55"), At: placed}},
	}
	for _, e := range edit {
		e(o)
	}
	rec, err := intake.Seal(intake.Ref{Kind: intake.KindOrder, ID: "77"}, o.CompletedAt, o, []byte(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Receive(t.Context(), erp.Stream{Shop: "atelier", Resource: intake.Orders}, []intake.Record{rec}, nil); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, b *erp.Books, number string) documents.Invoice {
	t.Helper()
	i, err := documents.Read(t.Context(), b.Reader(), number, b.Company().TimeZone)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// refund takes back one shirt with its tax.
func refund(at time.Time) func(*intake.Order) {
	return func(o *intake.Order) {
		o.Refunds = []intake.Refund{{ID: "9", At: at, Amount: dec("12"), Lines: []intake.RefundLine{
			{LineID: "1", Quantity: dec("1"), Total: dec("10"), Taxes: []intake.Tax{{RateID: "1", Name: "TVA 20%", Rate: dec("20"), Amount: dec("2")}}}}}}
	}
}

func taxes(i documents.Invoice) string {
	var out []string
	for _, t := range i.Taxes {
		out = append(out, fmt.Sprintf("%s=%d+%d", t.Name, t.Base, t.Tax))
	}
	return strings.Join(out, " ")
}

func TestAnInvoiceStatesPartiesTaxesAndWhatIsPaid(t *testing.T) {
	each(t, func(t *testing.T, b *erp.Books) {
		sell(t, b)
		i := read(t, b, " inv-1 ")
		if i.Number != "INV-1" || i.Credit || i.Date != "2026-03-05" || i.Placed != "2026-03-03" || i.Order != "1042" || i.Customer.FirstName != "Zoé" || !i.Business() || !slices.Equal(i.Coupons, []string{"A", "B"}) {
			t.Errorf("%+v", i)
		}
		if i.Net != 3500 || i.Tax != 455 || i.Total != 3955 || i.Paid != 3955 || i.Method != "Carte" || i.Rounding() != 0 || i.HomeTax != 455 {
			t.Errorf("amounts %+v", i)
		}
		if got := taxes(i); got != "TVA 20%=2000+400 TVA 5,5%=1000+55 =500+0" {
			t.Errorf("taxes %s", got)
		}
	})
}

func TestAnInvoiceLeavesOutWhatWasRefundedBefore(t *testing.T) {
	each(t, func(t *testing.T, b *erp.Books) {
		sell(t, b, refund(placed.Add(time.Hour)), func(o *intake.Order) {
			o.Refunds[0].Lines[0].Quantity, o.Refunds[0].Lines[0].Total, o.Refunds[0].Lines[0].Taxes[0].Amount, o.Refunds[0].Amount = dec("2"), dec("20"), dec("4"), dec("24")
		})
		i := read(t, b, "INV-1")
		if len(i.Lines) != 2 || i.Total != 1555 || i.Paid != 1555 {
			t.Errorf("%+v", i)
		}
	})
}

func TestACreditNoteNamesTheInvoiceThatItCredits(t *testing.T) {
	each(t, func(t *testing.T, b *erp.Books) {
		sell(t, b, refund(sent.AddDate(0, 0, 3)), func(o *intake.Order) { o.Currency = "USD" })
		i := read(t, b, "CN-1")
		if !i.Credit || i.Corrects != "INV-1" || i.CorrectsDate != "2026-03-05" || i.Total != 1200 || i.Tax != 200 || i.HomeTax != 180 || i.Currency != "USD" || i.Home != "EUR" {
			t.Errorf("%+v", i)
		}
		if first := read(t, b, "INV-1"); first.Paid != 3955 {
			t.Errorf("the invoice was paid with %d", first.Paid)
		}
	})
}

func TestAnUnpaidInvoiceIsToPay(t *testing.T) {
	each(t, func(t *testing.T, b *erp.Books) {
		sell(t, b, func(o *intake.Order) { o.Payments[0].At = sent.AddDate(0, 0, 20) })
		if i := read(t, b, "INV-1"); i.Paid != 0 {
			t.Errorf("paid %d before it was", i.Paid)
		}
	})
}

func TestANumberThatWasNeverIssuedIsRefused(t *testing.T) {
	each(t, func(t *testing.T, b *erp.Books) {
		sell(t, b)
		for _, c := range []struct {
			number string
			kind   fault.Kind
			want   string
		}{
			{"INV-2", fault.NotFound, "the last one is INV-1"},
			{"CN-1", fault.NotFound, "no document has the number CN-1"},
			{"1042", fault.Invalid, `"1042" is not the number of an invoice`},
			{"INV-x", fault.Invalid, "INV-12"},
			{"INV-0", fault.Invalid, "INV-12"},
		} {
			_, err := documents.Read(t.Context(), b.Reader(), c.number, time.UTC)
			if fault.KindOf(err) != c.kind || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %v", c.number, err)
			}
		}
	})
}

func TestASellerKnowsWhatItsInvoicesLack(t *testing.T) {
	if got := (documents.Seller{Name: "Atelier", VATExemption: "art. 293 B"}).Missing(); !slices.Equal(got, []string{"street", "postcode", "city", "country", "registration"}) {
		t.Errorf("missing %q", got)
	}
}
