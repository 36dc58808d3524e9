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
