package sandbox

import (
	"io"
	"net/http"
	"strconv"
	"testing"
)

// BenchmarkPage serves pages of 100 orders in memory, as a full pull asks for
// them.
func BenchmarkPage(b *testing.B) {
	s := New(Options{Seed: 1, Orders: 10_000})
	client := &http.Client{Transport: s.Transport()}
	b.ResetTimer()
	for i := 0; b.Loop(); i++ {
		get(b, s, client, "https://shop.test/wp-json/wc/v3/orders?per_page=100&dp=6&orderby=id&order=asc&page="+strconv.Itoa(1+i%99))
	}
}

// BenchmarkIDs asks for what a sweep asks for.
func BenchmarkIDs(b *testing.B) {
	s := New(Options{Seed: 1, Orders: 10_000})
	client := &http.Client{Transport: s.Transport()}
	b.ResetTimer()
	for i := 0; b.Loop(); i++ {
		get(b, s, client, "https://shop.test/wp-json/wc/v3/orders?per_page=100&_fields=id,date_modified_gmt&orderby=id&order=asc&page="+strconv.Itoa(1+i%99))
	}
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		New(Options{Seed: 1, Orders: 10_000})
	}
}

func get(t testing.TB, s *Shop, client *http.Client, url string) []byte {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth(s.Key(), s.Secret())
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s: %.300s", url, res.Status, body)
	}
	return body
}

// ordersAsked is about what a connector asks of an order.
const ordersAsked = `id name createdAt updatedAt cancelledAt displayFinancialStatus displayFulfillmentStatus currencyCode taxesIncluded test tags note
	totalPriceSet { shopMoney { amount currencyCode } presentmentMoney { amount currencyCode } }
	totalTaxSet { shopMoney { amount currencyCode } } totalShippingPriceSet { shopMoney { amount currencyCode } }
	customer { id } billingAddress { name address1 city zip countryCodeV2 } shippingAddress { name address1 city zip countryCodeV2 }
	transactions { id kind status gateway processedAt amountSet { shopMoney { amount currencyCode } } }
	refunds { id createdAt totalRefundedSet { shopMoney { amount currencyCode } } }`

const linesAsked = `id sku title quantity currentQuantity variant { id } originalUnitPriceSet { shopMoney { amount currencyCode } }
	discountedTotalSet { shopMoney { amount currencyCode } }
	taxLines { title ratePercentage priceSet { shopMoney { amount currencyCode } } }`

// BenchmarkGraphQLPage serves pages of 100 orders in memory; the client does
// not read them.
func BenchmarkGraphQLPage(b *testing.B) {
	s := New(Options{Seed: 1, Orders: 10_000, Platform: Shopify, Points: 1 << 40, Restore: 1 << 40})
	client := &http.Client{Transport: s.Transport()}
	const document = `query($q: String) { orders(first: 100, sortKey: ID, query: $q) { nodes { ` + ordersAsked + `
		lineItems(first: 20) { nodes { ` + linesAsked + ` } pageInfo { hasNextPage } } } pageInfo { hasNextPage } } }`
	size := 0
	b.ResetTimer()
	for i := 0; b.Loop(); i++ {
		res, err := client.Do(post(b, s, "2026-10", s.Key(), document, map[string]any{"q": "id:>" + strconv.Itoa(i%90*200)}))
		if err != nil {
			b.Fatal(err)
		}
		n, err := io.Copy(io.Discard, res.Body)
		res.Body.Close()
		if err != nil || n < 100_000 {
			b.Fatalf("%d bytes: %v", n, err)
		}
		size += int(n)
	}
	b.SetBytes(int64(size / b.N))
	b.ReportMetric(float64(100*b.N)/b.Elapsed().Seconds(), "orders/s")
}

// BenchmarkBulk exports a history of 10,000 orders.
func BenchmarkBulk(b *testing.B) {
	s := New(Options{Seed: 1, Orders: 10_000, Platform: Shopify})
	for b.Loop() {
		id, code := startsBulk(b, s, `{ orders { edges { node { `+ordersAsked+` lineItems { edges { node { `+linesAsked+` } } } } } } }`, false)
		if end, _ := endBulk(b, s, id); code != "" || end.Status != "COMPLETED" {
			b.Fatal(code, end)
		}
	}
	b.ReportMetric(float64(10_000*b.N)/b.Elapsed().Seconds(), "orders/s")
}
