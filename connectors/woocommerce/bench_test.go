package woocommerce

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"comptoir/connectors"

	"github.com/rs/zerolog"
)

// BenchmarkOrders decodes and seals recorded orders with their refunds. One
// core has to do more than 3,000 a second.
func BenchmarkOrders(b *testing.B) {
	c := newTestConnector(b)
	var raws []json.RawMessage
	var refunds []refund
	for _, name := range []string{"order-fee.json", "order-plain.json", "order-non-ascii.json", "order-two-refunds.json", "order-coupons-two.json"} {
		raw, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			b.Fatal(err)
		}
		raws = append(raws, compacted(b, raw))
	}
	raw, err := os.ReadFile(filepath.Join("testdata", "order-two-refunds.refunds.json"))
	if err != nil {
		b.Fatal(err)
	}
	if err := json.Unmarshal(raw, &refunds); err != nil {
		b.Fatal(err)
	}
	page, _ := json.Marshal(raws)
	b.ReportAllocs()
	for b.Loop() {
		rows, err := c.rows("list orders", &answer{Body: page})
		if err != nil {
			b.Fatal(err)
		}
		for _, raw := range rows {
			if headOf(raw).id == 0 {
				b.Fatal("no id")
			}
			o, problem := parseOrder(raw)
			if problem != "" {
				b.Fatal(problem)
			}
			var with []refund
			if len(o.Refunds) > 0 {
				with = refunds
			}
			if rec := c.sealOrder(o, with, raw); rec.Problem != "" {
				b.Fatal(rec.Problem)
			}
		}
	}
	b.ReportMetric(float64(b.N*len(raws))/b.Elapsed().Seconds(), "orders/s")
}

func compacted(tb testing.TB, raw []byte) json.RawMessage {
	tb.Helper()
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		tb.Fatal(err)
	}
	b, err := json.Marshal(v)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// newTestConnector is a connector that is not going to ask anyone.
func newTestConnector(tb testing.TB) *Connector {
	tb.Helper()
	cfg := NewConfig()
	cfg.URL, cfg.ConsumerKey, cfg.ConsumerSecret = "https://shop.example", "ck_test", "cs_test"
	c, err := New(connectors.Env{Shop: "atelier", Now: func() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }, Log: zerolog.Nop()}, cfg)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}
