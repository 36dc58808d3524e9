package hooks_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"comptoir/cmd/internal/hooks"
	"comptoir/connectors"
	"comptoir/connectors/woocommerce"
)

// The deliveries of a real server are taken as they came, and with one letter
// changed they are not.
func TestRecordedDeliveriesAreTakenAndForgedOnesAreNot(t *testing.T) {
	cfg := woocommerce.NewConfig()
	cfg.URL, cfg.ConsumerKey, cfg.ConsumerSecret, cfg.WebhookSecret = "https://127.0.0.1:8443", "ck_"+strings.Repeat("0", 40), "cs_"+strings.Repeat("0", 40), "wh-secret-loopback"
	shop, err := woocommerce.New(connectors.Env{Shop: "atelier"}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	d := newDesk(t, hooks.Options{})
	d.hinter = shop
	files, err := filepath.Glob("../../../connectors/woocommerce/testdata/webhook-*.json")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d recorded deliveries, %v", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var recorded struct {
			Headers map[string]string
			Body    string
		}
		if err := json.Unmarshal(text, &recorded); err != nil {
			t.Fatal(err)
		}
		var header []string
		for name, value := range recorded.Headers {
			if name != "Content-Length" && name != "Host" {
				header = append(header, name, value)
			}
		}
		if got := d.post("/hooks/atelier", strings.NewReader(recorded.Body), header...); got != 200 {
			t.Errorf("%s is answered with %d", filepath.Base(file), got)
		}
		forged := recorded.Body + " "
		if got := d.post("/hooks/atelier", strings.NewReader(forged), header...); got == 200 && !strings.Contains(file, "ping") {
			t.Errorf("%s is taken with one letter more", filepath.Base(file))
		}
	}
	kinds := map[string]int{}
	records, _, err := d.state.Inbox("atelier", 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range records {
		kinds[w.Kind]++
	}
	if kinds["order"] != 1 || kinds["variant"] == 0 || kinds["product"] < 3 {
		t.Errorf("what waits: %v", kinds)
	}
}
