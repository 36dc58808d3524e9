package woocommerce

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"comptoir/connectors"
)

// hookShop keeps webhooks as WooCommerce does: it never gives out a secret.
type hookShop struct {
	hooks []map[string]any
	next  int
	calls []string
}

func (s *hookShop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.calls = append(s.calls, r.Method)
	if r.Method == http.MethodGet {
		shown := []map[string]any{}
		for _, h := range s.hooks {
			if r.URL.Query().Get("status") == "all" {
				shown = append(shown, map[string]any{"id": h["id"], "name": h["name"], "status": h["status"], "topic": h["topic"], "delivery_url": h["delivery_url"]})
			}
		}
		_ = json.NewEncoder(w).Encode(shown)
		return
	}
	var b struct {
		Create, Update []map[string]any
		Delete         []float64
	}
	text, _ := io.ReadAll(r.Body)
	_ = json.Unmarshal(text, &b)
	for _, h := range b.Create {
		s.add(h)
	}
	for _, change := range b.Update {
		for _, h := range s.hooks {
			if fmt.Sprint(h["id"]) == fmt.Sprint(change["id"]) {
				for k, v := range change {
					h[k] = v
				}
			}
		}
	}
	for _, id := range b.Delete {
		s.hooks = slices.DeleteFunc(s.hooks, func(h map[string]any) bool { return fmt.Sprint(h["id"]) == fmt.Sprint(id) })
	}
	rows := make([]map[string]any, len(b.Delete))
	_ = json.NewEncoder(w).Encode(map[string]any{"create": b.Create, "update": b.Update, "delete": rows})
}

func (s *hookShop) add(h map[string]any) {
	s.next++
	h["id"] = float64(s.next)
	s.hooks = append(s.hooks, h)
}

func done(all []connectors.Subscription, what string) int {
	n := 0
	for _, s := range all {
		if s.Done == what {
			n++
		}
	}
	return n
}

// Subscribing again costs one question and changes nothing. What WooCommerce
// has switched off is mended, what was for another address or is there twice is
// removed, and what others have made is left alone.
func TestSubscriptionsAreMadeOnceAndMended(t *testing.T) {
	shop := &hookShop{}
	shop.add(map[string]any{"name": "Stock alert", "status": "disabled", "topic": "order.created", "delivery_url": "https://other.example/"})
	server := httptest.NewTLSServer(shop)
	defer server.Close()
	c := connectTo(t, server.URL, server.Client().Transport)
	const address = "https://books.example/hooks/atelier"
	subscribe := func(c *Connector, made, kept, mended, removed int) []connectors.Subscription {
		t.Helper()
		shop.calls = nil
		all, err := c.Subscribe(t.Context(), address)
		if err != nil || done(all, "made") != made || done(all, "kept") != kept || done(all, "mended") != mended || done(all, "removed") != removed {
			t.Fatalf("%+v, %v", all, err)
		}
		if len(shop.hooks) != len(hookTopics)+1 || shop.hooks[0]["status"] != "disabled" {
			t.Errorf("%d webhooks, that of somebody else %v", len(shop.hooks), shop.hooks[0])
		}
		for _, h := range shop.hooks[1:] {
			if h["secret"] != c.cfg.hookSecret() || h["status"] != "active" || h["delivery_url"] != address {
				t.Errorf("%v", h)
			}
		}
		return all
	}
	n := len(hookTopics)
	if all := subscribe(c, n, 0, 0, 0); all[0].ID == "" || all[0].Topic == "" {
		t.Errorf("%+v", all[0])
	}
	if subscribe(c, 0, n, 0, 0); len(shop.calls) != 1 {
		t.Errorf("%v to find that all is well", shop.calls)
	}
	shop.hooks[3]["status"] = "disabled"
	shop.add(map[string]any{"name": "Comptoir order.created (00000000)", "status": "active", "topic": "order.created", "delivery_url": "https://old.example/"})
	shop.add(map[string]any{"name": c.hookNameOf("order.created"), "status": "active", "topic": "order.created", "delivery_url": address})
	all := subscribe(c, 0, n-1, 1, 2)
	if i := slices.IndexFunc(all, func(s connectors.Subscription) bool { return s.Done == "mended" }); !strings.Contains(all[i].Note, "disabled") {
		t.Errorf("%+v", all[i])
	}
	renewed := connectTo(t, server.URL, server.Client().Transport, func(cfg *Config) { cfg.WebhookSecret = "renewed" })
	subscribe(renewed, 0, 0, n, 0)
}

// WordPress takes any address for a webhook and calls only some, so it is said
// of the others that nothing will come.
func TestAnAddressThatIsNeverCalledIsSaid(t *testing.T) {
	shop := &hookShop{}
	server := httptest.NewTLSServer(shop)
	defer server.Close()
	c := connectTo(t, server.URL, server.Client().Transport)
	for address, says := range map[string]string{
		"https://books.example/hooks/atelier":      "",
		"https://books.example:8080/hooks/atelier": "",
		"https://books.example:8443/hooks/atelier": "port 8443",
		"https://10.0.0.7/hooks/atelier":           "private address",
		"https://localhost/hooks/atelier":          "private address",
		"https://[fd00::7]/hooks/atelier":          "private address",
		server.URL + "/hooks/atelier":              "", // its own host and port
	} {
		for _, done := range []string{"made", "kept"} {
			all, err := c.Subscribe(t.Context(), address)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range all {
				if s.Done != "removed" && (s.Done != done || says == "" && s.Note != "" || !strings.Contains(s.Note, says)) {
					t.Errorf("%s: %+v, want it to say %q", address, s, says)
				}
			}
		}
	}
}

// A key that may only read cannot subscribe, and is told what to do.
func TestSubscribingNeedsAKeyThatMayWrite(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			_, _ = w.Write([]byte("[]"))
			return
		}
		replayError(t, w, "error-401-read-only-key.json")
	}))
	defer server.Close()
	_, err := connectTo(t, server.URL, server.Client().Transport).Subscribe(t.Context(), "https://books.example/hooks/atelier")
	checkDenial(t, "read-only key", err, connectors.Denied, "Read/Write")
}
