package woocommerce

import (
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"comptoir/connectors"
	"comptoir/erp/intake"
)

// recorded is a delivery as a server received it.
type recorded struct {
	Secret  string            `json:"secret"`
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
}

func (d *recorded) header() http.Header {
	h := http.Header{}
	for name, value := range d.Headers {
		h.Set(name, value)
	}
	return h
}

func recordedDelivery(t testing.TB, name string) *recorded {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	d := new(recorded)
	if err == nil {
		err = json.Unmarshal(text, d)
	}
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// hooked is a connector to the shop that sent the recorded deliveries.
func hooked(t testing.TB, change ...func(*Config)) *Connector {
	t.Helper()
	cfg := NewConfig()
	cfg.URL, cfg.ConsumerKey, cfg.ConsumerSecret, cfg.WebhookSecret = "https://127.0.0.1:8443", testKey, testSecret, "wh-secret-loopback"
	for _, f := range change {
		f(cfg)
	}
	c, err := New(connectors.Env{Shop: "atelier"}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Each recorded delivery verifies with its secret and points at its record.
func TestRecordedDeliveriesPointAtTheirRecords(t *testing.T) {
	ref := func(kind intake.Kind, id, parent string) []intake.Ref {
		return []intake.Ref{{Kind: kind, ID: id, Parent: parent}}
	}
	wants := map[string][]intake.Ref{
		"webhook-coupon.updated.json":            ref(intake.KindCoupon, "111", ""),
		"webhook-customer.created-good.json":     ref(intake.KindCustomer, "42", ""),
		"webhook-customer.created.json":          nil, // the customer was gone by then
		"webhook-customer.deleted.json":          ref(intake.KindCustomer, "42", ""),
		"webhook-customer.updated.json":          nil,
		"webhook-order.created.json":             ref(intake.KindOrder, "432", ""),
		"webhook-order.deleted.json":             ref(intake.KindOrder, "432", ""),
		"webhook-order.updated.json":             ref(intake.KindOrder, "432", ""),
		"webhook-order.updated-refunded.json":    ref(intake.KindOrder, "432", ""),
		"webhook-ping.json":                      nil,
		"webhook-product.updated.json":           ref(intake.KindProduct, "11", ""),
		"webhook-product.updated-variation.json": ref(intake.KindVariant, "68", "67"),
		"webhook-same-delivery-id-1.json":        ref(intake.KindProduct, "12", ""),
		"webhook-same-delivery-id-2.json":        ref(intake.KindProduct, "13", ""),
		"webhook-same-delivery-id-3.json":        ref(intake.KindProduct, "14", ""),
	}
	files, _ := filepath.Glob("testdata/webhook-*.json")
	if len(files) != len(wants) {
		t.Errorf("%d recordings, %d expectations", len(files), len(wants))
	}
	c := hooked(t)
	keys := map[string]string{}
	for name, want := range wants {
		d := recordedDelivery(t, name)
		hint, err := c.Hint(d.header(), []byte(d.Body))
		if err != nil || !reflect.DeepEqual(hint.Refs, want) {
			t.Errorf("%s: %+v, %v, want %+v", name, hint.Refs, err, want)
		}
		if other, ok := keys[hint.Key]; ok && hint.Key != "" {
			t.Errorf("%s and %s have the same key", name, other)
		}
		keys[hint.Key] = name
		if again, _ := c.Hint(d.header(), []byte(d.Body)); again.Key != hint.Key {
			t.Errorf("%s: another key the second time", name)
		}
	}
}

// What was not signed with our secret is refused, whatever it holds; only the
// ping that announces a webhook bears no signature.
func TestDeliveriesThatAreRefused(t *testing.T) {
	order := recordedDelivery(t, "webhook-order.updated.json")
	for name, test := range map[string]struct {
		change func(*recorded)
		config func(*Config)
		want   error
	}{
		"sound":               {},
		"changed body":        {change: func(d *recorded) { d.Body = strings.Replace(d.Body, `"id":432`, `"id":433`, 1) }, want: connectors.ErrSignature},
		"no signature":        {change: func(d *recorded) { delete(d.Headers, hookSignature) }, want: connectors.ErrSignature},
		"garbage signature":   {change: func(d *recorded) { d.Headers[hookSignature] = "%%%" }, want: connectors.ErrSignature},
		"another secret":      {config: func(c *Config) { c.WebhookSecret = "other" }, want: connectors.ErrSignature},
		"the derived secret":  {config: func(c *Config) { c.WebhookSecret = "" }, want: connectors.ErrSignature},
		"unsigned, ping-like": {change: func(d *recorded) { delete(d.Headers, hookSignature); d.Body = "webhook_id=1&id=432" }, want: connectors.ErrSignature},
		"another host":        {change: func(d *recorded) { d.Headers[hookSource] = "https://elsewhere.example/" }, want: connectors.ErrForeign},
		"another folder":      {change: func(d *recorded) { d.Headers[hookSource] = "http://127.0.0.1:8080/b/" }, want: connectors.ErrForeign},
		"with www":            {change: func(d *recorded) { d.Headers[hookSource] = "https://www.SHOP.example/" }, config: func(c *Config) { c.URL = "https://shop.example" }},
		"our folder":          {change: func(d *recorded) { d.Headers[hookSource] = "http://127.0.0.1/b/" }, config: func(c *Config) { c.URL = "https://127.0.0.1/b" }},
	} {
		d := &recorded{Headers: map[string]string{}, Body: order.Body}
		for k, v := range order.Headers {
			d.Headers[k] = v
		}
		if test.change != nil {
			test.change(d)
		}
		c := hooked(t)
		if test.config != nil {
			c = hooked(t, test.config)
		}
		if _, err := c.Hint(d.header(), []byte(d.Body)); !errors.Is(err, test.want) || (err == nil) != (test.want == nil) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
}

// The same order put in the trash twice is two events, though both deliveries
// say the same and carry no date.
func TestDeletionsWithoutADateAreTwoEvents(t *testing.T) {
	c := hooked(t)
	d := recordedDelivery(t, "webhook-order.deleted.json")
	first, err := c.Hint(d.header(), []byte(d.Body))
	if err != nil {
		t.Fatal(err)
	}
	d.Headers[hookDelivery] = "00000000000000000000000000000001"
	second, err := c.Hint(d.header(), []byte(d.Body))
	if err != nil || first.Key == second.Key {
		t.Errorf("%q twice, %v", first.Key, err)
	}
}

// An order that was gone when its delivery was made is looked for among the
// changes.
func TestErrorInsteadOfARecord(t *testing.T) {
	hint, err := hintOf("order.updated", "1", []byte(`{"code":"woocommerce_rest_shop_order_invalid_id","message":"Invalid ID.","data":{"status":404}}`))
	if err != nil || len(hint.Refs) != 0 || !reflect.DeepEqual(hint.Pull, []intake.Resource{intake.Orders}) || hint.Key == "" {
		t.Errorf("%+v, %v", hint, err)
	}
	for _, body := range []string{"", "{}", "[]", "null", `"x"`, `{"id":0}`, `{"id":"x"}`, `{"id":1`, "<html>"} {
		if _, err := hintOf("order.updated", "1", []byte(body)); !errors.Is(err, connectors.ErrUnreadable) {
			t.Errorf("%q: %v", body, err)
		}
	}
}

// Whatever comes in, nothing is pointed at without a signature, and what is
// pointed at has an id.
func FuzzHint(f *testing.F) {
	files, _ := filepath.Glob("testdata/webhook-*.json")
	for _, name := range files {
		d := recordedDelivery(f, filepath.Base(name))
		f.Add(d.Headers[hookTopic], d.Headers[hookSignature], d.Headers[hookSource], []byte(d.Body))
	}
	c := hooked(f)
	f.Fuzz(func(t *testing.T, topic, signature, source string, body []byte) {
		header := http.Header{hookTopic: {topic}, hookSignature: {signature}, hookSource: {source}}
		hint, err := c.Hint(header, body)
		if err == nil && len(hint.Refs) > 0 && !c.signed(signature, body) {
			t.Error("a delivery that was not signed points at something")
		}
		hint, err = hintOf(topic, "", body)
		for _, ref := range hint.Refs {
			if err != nil || ref.ID == "" || ref.ID == "0" || hint.Key == "" {
				t.Errorf("%+v, %v", hint, err)
			}
		}
	})
}
