package shopify

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"comptoir/connectors"
	"comptoir/erp/intake"

	"github.com/rs/zerolog"
)

const hookTestSecret = "shpss_of_a_test"

// told is a connector that knows the secret of deliveries.
func told(t testing.TB, change ...func(*Config)) *Connector {
	t.Helper()
	cfg := NewConfig()
	cfg.URL, cfg.ClientID, cfg.ClientSecret = "https://atelier.myshopify.com", "app", hookTestSecret
	for _, f := range change {
		f(cfg)
	}
	c, err := New(connectors.Env{Shop: "atelier", Log: zerolog.Nop()}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// signed is a delivery as the shop sends it.
func signed(topic, secret string, body []byte) http.Header {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	h := http.Header{}
	h.Set(hookTopic, topic)
	h.Set(hookShop, "atelier.myshopify.com")
	h.Set(hookSignature, base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	h.Set(hookEvent, "98880550-7158-44d4-b7cd-2c97c8a091b5")
	h.Set(hookDelivery, "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043")
	return h
}

func TestWhatDeliveriesPointAt(t *testing.T) {
	ref := func(kind intake.Kind, ids ...string) (refs []intake.Ref) {
		for _, id := range ids {
			refs = append(refs, intake.Ref{Kind: kind, ID: id})
		}
		return refs
	}
	variants := []intake.Resource{intake.Variants}
	for _, tt := range []struct {
		topic, body string
		refs        []intake.Ref
		pull        []intake.Resource
	}{
		{"orders/create", `{"id":450789469,"admin_graphql_api_id":"gid://shopify/Order/450789469","email":"x"}`, ref(intake.KindOrder, "450789469"), nil},
		{"orders/updated", `{"id":9007199254740993}`, ref(intake.KindOrder, "9007199254740993"), nil},
		{"orders/delete", `{"id":7}`, ref(intake.KindOrder, "7"), nil},
		{"orders/edited", `{"order_edit":{"id":1,"app_id":2,"order_id":8}}`, ref(intake.KindOrder, "8"), nil},
		{"refunds/create", `{"id":509562969,"order_id":450789469,"admin_graphql_api_id":"gid://shopify/Refund/509562969"}`, ref(intake.KindOrder, "450789469"), nil},
		{"order_transactions/create", `{"id":1,"order_id":3}`, ref(intake.KindOrder, "3"), nil},
		{"fulfillments/update", `{"id":255858046,"order_id":4}`, ref(intake.KindOrder, "4"), nil},
		{"products/update", `{"id":632910392,"admin_graphql_api_id":"gid://shopify/Product/632910392"}`, ref(intake.KindProduct, "632910392"), variants},
		{"products/delete", `{"id":632910392}`, ref(intake.KindProduct, "632910392"), nil},
		{"inventory_levels/update", `{"inventory_item_id":808950810,"location_id":905684977,"available":6}`, nil, variants},
		{"inventory_items/update", `{"id":808950810}`, nil, variants},
		{"collections/delete", `{"id":5}`, ref(intake.KindCategory, "5"), nil},
		{"customers/update", `{"id":6}`, ref(intake.KindCustomer, "6"), nil},
		{"customers/merge", `{"admin_graphql_api_customer_kept_id":"gid://shopify/Customer/1","admin_graphql_api_customer_deleted_id":"gid://shopify/Customer/2"}`,
			ref(intake.KindCustomer, "1", "2"), nil},
		{"locations/update", `{"id":9}`, ref(intake.KindLocation, "9"), nil},
		{"app/uninstalled", `{"id":548380009}`, nil, nil},
		{"themes/publish", `{"id":1}`, nil, nil},
	} {
		hint, err := told(t).Hint(signed(tt.topic, hookTestSecret, []byte(tt.body)), []byte(tt.body))
		if err != nil || !reflect.DeepEqual(hint.Refs, tt.refs) || !reflect.DeepEqual(hint.Pull, tt.pull) || hint.Topic != tt.topic || hint.Key == "" {
			t.Errorf("%s: %+v, %v", tt.topic, hint, err)
		}
	}
}

func TestDeliveriesThatAreRefused(t *testing.T) {
	const sound = `{"id":450789469}`
	for name, tt := range map[string]struct {
		change func(http.Header)
		config func(*Config)
		body   string
		want   error
	}{
		"sound":                     {},
		"another body":              {body: `{"id":450789470}`, want: connectors.ErrSignature},
		"a space more":              {body: sound + " ", want: connectors.ErrSignature},
		"no signature":              {change: func(h http.Header) { h.Del(hookSignature) }, want: connectors.ErrSignature},
		"garbage for a signature":   {change: func(h http.Header) { h.Set(hookSignature, "%%%") }, want: connectors.ErrSignature},
		"half a signature":          {change: func(h http.Header) { h.Set(hookSignature, h.Get(hookSignature)[:20]) }, want: connectors.ErrSignature},
		"another secret":            {config: func(c *Config) { c.ClientSecret = "other" }, want: connectors.ErrSignature},
		"a secret of its own":       {config: func(c *Config) { c.WebhookSecret = "other" }, want: connectors.ErrSignature},
		"the secret of its own":     {config: func(c *Config) { c.ClientSecret, c.WebhookSecret = "other", hookTestSecret }},
		"no secret":                 {config: func(c *Config) { c.ClientID, c.ClientSecret, c.AccessToken = "", "", "shpat_1" }, want: connectors.ErrSignature},
		"another shop":              {change: func(h http.Header) { h.Set(hookShop, "other.myshopify.com") }, want: connectors.ErrForeign},
		"no shop":                   {change: func(h http.Header) { h.Del(hookShop) }, want: connectors.ErrForeign},
		"this shop, written louder": {change: func(h http.Header) { h.Set(hookShop, "Atelier.MyShopify.com") }},
	} {
		c := told(t)
		if tt.config != nil {
			c = told(t, tt.config)
		}
		h := signed("orders/updated", hookTestSecret, []byte(sound))
		if tt.change != nil {
			tt.change(h)
		}
		body := sound
		if tt.body != "" {
			body = tt.body
		}
		if _, err := c.Hint(h, []byte(body)); !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
}

// What is signed and makes no sense is refused as such.
func TestDeliveriesThatCannotBeRead(t *testing.T) {
	for _, body := range []string{``, `null`, `[]`, `{`, `{"id":"x"}`, `{"id":-4}`, `{"id":{}}`, `{"order_id":4}`, `<html>`, "\x00\xff"} {
		if hint, err := told(t).Hint(signed("orders/create", hookTestSecret, []byte(body)), []byte(body)); !errors.Is(err, connectors.ErrUnreadable) {
			t.Errorf("%q: %+v, %v", body, hint, err)
		}
	}
}

// A delivery has the same key each time it is sent, and no other has it: not
// another event, nor another topic or record of the same event.
func TestKeysOfDeliveries(t *testing.T) {
	c, keys := told(t), map[string]bool{}
	key := func(change func(http.Header), body string) string {
		h := signed("orders/updated", hookTestSecret, []byte(body))
		change(h)
		hint, err := c.Hint(h, []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		return hint.Key
	}
	unnamed := func(h http.Header) { h.Del(hookEvent) }
	cases := []struct {
		change func(http.Header)
		body   string
	}{
		{func(http.Header) {}, `{"id":1}`},
		{func(http.Header) {}, `{"id":2}`}, // changed by the same act
		{func(h http.Header) { h.Set(hookEvent, "another") }, `{"id":1}`},
		{func(h http.Header) { h.Set(hookTopic, "orders/create") }, `{"id":1}`},
		{unnamed, `{"id":1}`},
		{unnamed, `{"id":2}`},
		{func(h http.Header) { unnamed(h); h.Set(hookDelivery, "another") }, `{"id":1}`},
	}
	for _, k := range cases {
		first := key(k.change, k.body)
		keys[first] = true
		if again := key(k.change, k.body); again != first {
			t.Errorf("%s the first time, then %s", first, again)
		}
	}
	if len(keys) != len(cases) {
		t.Errorf("%d keys of %d events", len(keys), len(cases))
	}
}

// What the shop calls itself decides where it stands behind another address.
func TestShopBehindAnotherAddress(t *testing.T) {
	c := told(t, func(cfg *Config) { cfg.URL = "https://proxy.example" })
	body := []byte(`{"id":1}`)
	h := signed("orders/updated", hookTestSecret, body)
	if _, err := c.Hint(h, body); err != nil {
		t.Errorf("before it was asked: %v", err)
	}
	c.granted.Store(&access{shop: shopFacts{Domain: "other.myshopify.com"}})
	if _, err := c.Hint(h, body); !errors.Is(err, connectors.ErrForeign) {
		t.Errorf("of another shop: %v", err)
	}
}

func FuzzHint(f *testing.F) {
	for _, body := range []string{`{"id":1}`, `{"order_edit":{"order_id":8}}`, `{"order_id":"gid://shopify/Order/1"}`, `[[[[`, `{"id":1e400}`, `{"order_edit":[]}`} {
		for _, topic := range []string{"orders/edited", "products/update", "customers/merge", "x", ""} {
			f.Add(topic, []byte(body), true)
		}
	}
	c := told(f)
	f.Fuzz(func(t *testing.T, topic string, body []byte, sound bool) {
		h := signed(topic, hookTestSecret, body)
		if !sound {
			h = signed(topic, "other", body)
		}
		hint, err := c.Hint(h, body)
		switch {
		case err == nil && !sound:
			t.Fatal("a delivery that somebody else has signed is taken")
		case err != nil && !errors.Is(err, connectors.ErrSignature) && !errors.Is(err, connectors.ErrForeign) && !errors.Is(err, connectors.ErrUnreadable):
			t.Fatalf("%v", err)
		}
		for _, ref := range hint.Refs {
			if !isNumber(ref.ID) || ref.Kind != hint.Refs[0].Kind {
				t.Fatalf("it points at %+v", hint.Refs)
			}
		}
	})
}

// hookKeeper is a shop that keeps subscriptions.
type hookKeeper struct {
	list    []map[string]any
	refuses string // a topic
	made    int
	pages   int
}

func (k *hookKeeper) answer(op string, vars map[string]any) (string, bool) {
	switch op {
	case "shop":
		return `{"shop":{"myshopifyDomain":"atelier.myshopify.com"},"currentAppInstallation":{"accessScopes":[]}}`, true
	case "hooks":
		k.pages++
		from := 0
		if after, ok := vars["after"].(string); ok {
			fmt.Sscan(after, &from)
		}
		to := min(from+10, len(k.list)) // pages of ten, whatever is asked for
		nodes, _ := json.Marshal(k.list[from:to])
		return fmt.Sprintf(`{"webhookSubscriptions":{"nodes":%s,"pageInfo":{"hasNextPage":%v,"endCursor":"%d"}}}`, nodes, to < len(k.list), to), true
	case "hook_make":
		if vars["topic"] == k.refuses {
			return `{"webhookSubscriptionCreate":{"webhookSubscription":null,"userErrors":[{"field":["topic"],"message":"not for this app"}]}}`, true
		}
		k.made++
		id := fmt.Sprintf("gid://shopify/WebhookSubscription/%d", 1000+k.made)
		k.list = append(k.list, map[string]any{"id": id, "topic": vars["topic"], "uri": vars["uri"], "format": "JSON"})
		return fmt.Sprintf(`{"webhookSubscriptionCreate":{"webhookSubscription":{"id":%q},"userErrors":[]}}`, id), true
	case "hook_remove":
		for i, s := range k.list {
			if s["id"] == vars["id"] {
				k.list = append(k.list[:i:i], k.list[i+1:]...)
				break
			}
		}
		return `{"webhookSubscriptionDelete":{"userErrors":[]}}`, true
	}
	return "", false
}

func standings(t *testing.T, c *Connector, address string) (map[string]int, []connectors.Subscription) {
	t.Helper()
	subs, err := c.Subscribe(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for _, s := range subs {
		count[s.Done]++
	}
	return count, subs
}

func TestSubscriptionsAreMadeKeptMovedAndMended(t *testing.T) {
	const address, moved = "https://books.example/hooks/atelier", "https://new.example/hooks/atelier"
	k := &hookKeeper{list: []map[string]any{
		{"id": "gid://shopify/WebhookSubscription/1", "topic": "ORDERS_CREATE", "uri": "https://somebody.example/else", "format": "JSON"},
		{"id": "gid://shopify/WebhookSubscription/2", "topic": "ORDERS_CREATE", "uri": "arn:aws:events:eu-west-1::x", "format": "JSON"},
	}}
	shop := newListShop()
	shop.other = k.answer
	c := connectTo(t, shop, 25)
	c.cfg.WebhookSecret = hookTestSecret
	all := len(hookTopics)
	if count, _ := standings(t, c, address); count["made"] != all || len(count) != 1 {
		t.Errorf("at first %v, want %d made", count, all)
	}
	if count, _ := standings(t, c, address); count["kept"] != all || len(count) != 1 || k.made != all {
		t.Errorf("then %v, want %d kept", count, all)
	}
	if k.pages < 4 {
		t.Errorf("%d pages were read", k.pages)
	}
	if count, _ := standings(t, c, moved); count["made"] != all || count["removed"] != all {
		t.Errorf("at the new address %v, want %d made and removed", count, all)
	}
	k.list[5]["filter"], k.list[7]["format"] = "id:1", "XML"
	k.list = append(k.list, map[string]any{"id": "gid://shopify/WebhookSubscription/99", "topic": "ORDERS_CREATE", "uri": moved, "format": "JSON"})
	k.list = append(k.list[:3:3], k.list[4:]...) // Shopify has deleted one
	if count, _ := standings(t, c, moved); count["made"] != 3 || count["removed"] != 3 || count["kept"] != all-3 {
		t.Errorf("after the mishaps %v", count)
	}
	if len(k.list) != all+2 || k.list[0]["uri"] != "https://somebody.example/else" {
		t.Errorf("%d subscriptions stand, want %d and the two of others", len(k.list), all)
	}
}

// A topic that is not for this app keeps none of the others from being told.
func TestRefusedTopicIsSaid(t *testing.T) {
	k := &hookKeeper{refuses: "CUSTOMERS_UPDATE"}
	shop := newListShop()
	shop.other = k.answer
	c := connectTo(t, shop, 25)
	c.cfg.WebhookSecret = hookTestSecret
	count, subs := standings(t, c, "https://books.example/hooks/atelier")
	if count["made"] != len(hookTopics)-1 || count[""] != 1 {
		t.Errorf("%v", count)
	}
	for _, s := range subs {
		if s.Done == "" && (s.Topic != "CUSTOMERS_UPDATE" || !strings.Contains(s.Note, "not for this app")) {
			t.Errorf("%+v", s)
		}
	}
}

func TestSubscribingNeedsASecret(t *testing.T) {
	_, err := connectTo(t, newListShop(), 25).Subscribe(t.Context(), "https://books.example/hooks/atelier")
	var e *connectors.Error
	if !errors.As(err, &e) || !strings.Contains(e.Fix, "webhook_secret") {
		t.Errorf("%v", err)
	}
}
