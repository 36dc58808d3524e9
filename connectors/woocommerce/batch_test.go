package woocommerce

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"comptoir/connectors"
)

// answers serves what a function makes of the batches that come.
func answers(t *testing.T, answer func(b batch, w http.ResponseWriter)) *Connector {
	t.Helper()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet { // whether this is the way to the shop
			_, _ = w.Write([]byte("[]"))
			return
		}
		var b batch
		if err := json.NewDecoder(r.Body).Decode(&b); err != nil || r.URL.Path != "/wp-json/wc/v3/products/batch" {
			t.Errorf("%s %v", r.URL.Path, err)
		}
		answer(b, w)
	}))
	t.Cleanup(server.Close)
	return connectTo(t, server.URL, server.Client().Transport)
}

func updates(n int) batch {
	var b batch
	for i := range n {
		b.Update = append(b.Update, map[string]any{"id": i + 1})
	}
	return b
}

// A shop that takes fewer at once gets fewer, and its answers come back in
// order.
func TestABatchThatIsTooLargeIsHalved(t *testing.T) {
	var sizes []int
	c := answers(t, func(b batch, w http.ResponseWriter) {
		sizes = append(sizes, b.size())
		if b.size() > 30 {
			replayError(t, w, "error-413-batch-101.json")
			return
		}
		_ = json.NewEncoder(w).Encode(b)
	})
	got, err := c.batch(t.Context(), "test", "products", updates(100))
	if err != nil || len(got.Update) != 100 {
		t.Fatalf("%v, %v", got, err)
	}
	for i, raw := range got.Update {
		if id, refusal := readItem(raw); id != int64(i+1) || refusal != nil {
			t.Errorf("%d: %s", i, raw)
		}
	}
	if len(sizes) != 7 {
		t.Errorf("batches of %v", sizes)
	}
}

// An answer that does not hold as much as was sent says nothing of any of it.
func TestAnAnswerForLessIsNone(t *testing.T) {
	c := answers(t, func(b batch, w http.ResponseWriter) {
		b.Update = b.Update[1:]
		_ = json.NewEncoder(w).Encode(b)
	})
	if _, err := c.batch(t.Context(), "test", "products", updates(3)); connectors.ClassOf(err) != connectors.Transient || err == nil {
		t.Errorf("%v", err)
	}
}

// Each item's refusal is in its place, in the shop's words.
func TestRefusalsInARecordedBatch(t *testing.T) {
	text, err := os.ReadFile("testdata/batch-mixed-result.json")
	if err != nil {
		t.Fatal(err)
	}
	var recorded struct{ Body batchAnswer }
	if err := json.Unmarshal(text, &recorded); err != nil {
		t.Fatal(err)
	}
	_, create := readItem(recorded.Body.Create[0])
	_, update := readItem(recorded.Body.Update[0])
	_, del := readItem(recorded.Body.Delete[0])
	if create.holder != 11 || !strings.Contains(create.Error(), "Invalid or duplicated SKU. (11)") || update.Error() != "Invalid ID." || del.status != http.StatusNotFound {
		t.Errorf("%+v, %+v, %+v", create, update, del)
	}
}
