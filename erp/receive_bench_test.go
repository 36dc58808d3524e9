package erp_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"comptoir/erp"
	"comptoir/erp/intake"
	"comptoir/erp/sales"

	"github.com/rs/zerolog"
)

// BenchmarkReceive books pages of 100 shipped orders, each of a new customer.
func BenchmarkReceive(b *testing.B) {
	books, err := erp.Open(ctx, erp.Options{Path: filepath.Join(b.TempDir(), "books.db"), Shops: map[string]sales.Rules{"atelier": sales.DefaultRules()},
		Company: erp.Company{Currency: "EUR", Chart: "general"}, Now: func() time.Time { return sent }, Log: zerolog.Nop()})
	if err != nil {
		b.Fatal(err)
	}
	defer books.Close()
	product, _ := intake.Seal(intake.Ref{Kind: intake.KindProduct, ID: "7"}, placed, shirt("8"), nil)
	if _, err := books.Receive(ctx, goods, []intake.Record{product}, []byte("c")); err != nil {
		b.Fatal(err)
	}
	n := 0
	for b.Loop() {
		b.StopTimer()
		page := make([]intake.Record, 100)
		for i := range page {
			n++
			o := order(completed, func(o *intake.Order) { o.Customer.Email = fmt.Sprintf("client%d@example.test", n) })
			page[i], _ = intake.Seal(intake.Ref{Kind: intake.KindOrder, ID: fmt.Sprint(n)}, sent, o, []byte(`{"id":1}`))
		}
		b.StartTimer()
		if r, err := books.Receive(ctx, orders, page, []byte("c")); err != nil || r.Applied != 100 {
			b.Fatal(r, err)
		}
	}
	b.ReportMetric(float64(b.N*100)/b.Elapsed().Seconds(), "orders/s")
}
