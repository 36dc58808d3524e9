package sandbox

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"comptoir/erp/intake"
)

// mailbox takes deliveries.
type mailbox struct {
	got    []letter
	status int // that it answers
}

type letter struct {
	topic  string
	body   string
	header http.Header
}

func (m *mailbox) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	topic := r.Header.Get("X-WC-Webhook-Topic") + r.Header.Get("X-Shopify-Topic")
	m.got = append(m.got, letter{topic, string(body), r.Header})
	if m.status == 0 {
		m.status = http.StatusOK
	}
	return &http.Response{StatusCode: m.status, Body: http.NoBody, Request: r}, nil
}

// topics are those of what came, and forgets it.
func (m *mailbox) topics() []string {
	var all []string
	for _, l := range m.got {
		all = append(all, l.topic)
	}
	m.got = nil
	return all
}

// subscribed is a shop that tells a mailbox of topics.
func subscribed(t *testing.T, o Options, topics ...string) (*Shop, *mailbox, *Deliverer) {
	t.Helper()
	o.Seed, o.Orders = 1, 30
	s, m := New(o), &mailbox{}
	for _, topic := range topics {
		if o.Platform == Shopify {
			s.subscribe(subscription{topic: topicName(topic), address: "https://books.test/hooks/a"})
			continue
		}
		if status, got := tell(t, s, http.MethodPost, "webhooks", `{"topic":"`+topic+`","delivery_url":"https://books.test/hooks/a","secret":"s3"}`); status != http.StatusCreated {
			t.Fatalf("subscribe to %s: %d %v", topic, status, got)
		}
	}
	return s, m, &Deliverer{Shop: s, Transport: m}
}

func TestWebhooksAreMadeAsTheyAreSent(t *testing.T) {
	s, m, post := subscribed(t, Options{}, "order.created", "product.updated")
	post.Deliver(t.Context())
	if len(m.got) != 2 || m.got[0].body != "webhook_id=1" || m.got[0].header.Get("X-WC-Webhook-Signature") != "" {
		t.Fatalf("pings: %v", m.got)
	}
	m.got = nil
	id := s.PlaceOrder()
	s.TrashOrder(id)
	post.Deliver(t.Context())
	at := slices.IndexFunc(m.got, func(l letter) bool { return l.topic == "order.created" })
	if at < 0 {
		t.Fatalf("deliveries: %v", m.got)
	}
	l := m.got[at]
	var body object
	if err := json.Unmarshal([]byte(l.body), &body); err != nil || fmt.Sprint(body["id"]) != id || body["status"] != "trash" {
		t.Errorf("body: %v %.200s", err, l.body)
	}
	mac := hmac.New(sha256.New, []byte("s3"))
	mac.Write([]byte(l.body))
	recorded := load(t, "testdata/webhook-order.updated.json").(object)["headers"].(object)
	for key := range recorded {
		if l.header.Get(key) == "" && key != "Content-Length" {
			t.Errorf("header %s lacks", key)
		}
	}
	if l.header.Get("X-WC-Webhook-Signature") != base64.StdEncoding.EncodeToString(mac.Sum(nil)) || l.header.Get("X-WC-Webhook-Source") != "https://shop.test/" {
		t.Errorf("headers: %v", l.header)
	}
}

func TestAWebhookOfWhatIsGoneHoldsTheError(t *testing.T) {
	s, m, post := subscribed(t, Options{}, "customer.created")
	post.Deliver(t.Context())
	m.got = nil
	s.Delete(intake.Customers, s.Add(intake.Customers))
	post.Deliver(t.Context())
	if want := load(t, "testdata/webhook-customer.created.json").(object)["body"]; len(m.got) != 1 || m.got[0].body != want {
		t.Errorf("got %v, recorded %v", m.got, want)
	}
}

func TestAWebhookOfAVariationNamesIt(t *testing.T) {
	s, m, post := subscribed(t, Options{}, "product.updated")
	post.Deliver(t.Context())
	m.got = nil
	v := variation(t, s)
	s.Edit(intake.Variants, text(v.id))
	s.Edit(intake.Variants, text(v.id)) // the two become one
	post.Deliver(t.Context())
	var body object
	if len(m.got) != 1 || json.Unmarshal([]byte(m.got[0].body), &body) != nil || body["id"] != float64(v.id) || body["parent_id"] != float64(v.of.own.id) {
		t.Errorf("got %v", m.got)
	}
}

func TestChangesAreToldByTopic(t *testing.T) {
	for _, c := range []struct {
		platform Platform
		do       func(s *Shop)
		want     string
	}{
		{WooCommerce, func(s *Shop) { s.PlaceOrder() }, "order.created"},
		{WooCommerce, func(s *Shop) { s.TrashOrder("") }, "order.deleted"},
		{WooCommerce, func(s *Shop) { s.DeleteOrder("") }, ""},
		{WooCommerce, func(s *Shop) { s.Delete(intake.Products, "") }, ""},
		{WooCommerce, func(s *Shop) { s.Edit(intake.Categories, "") }, ""},
		{WooCommerce, func(s *Shop) { s.RefundOrder("", true) }, "order.updated"},
		{WooCommerce, func(s *Shop) { s.SetStock("", 5) }, "product.updated"},
		{Shopify, func(s *Shop) { s.RefundOrder("", true) }, "refunds/create orders/updated"},
		{Shopify, func(s *Shop) { s.CompleteOrder(s.PlaceOrder()) }, "orders/create fulfillments/create orders/updated"},
		{Shopify, func(s *Shop) { s.SetStock("", 5) }, "inventory_levels/update"},
		{Shopify, func(s *Shop) { s.Edit(intake.Variants, "") }, "products/update"},
		{Shopify, func(s *Shop) { s.Delete(intake.Products, "") }, "products/delete"},
		{Shopify, func(s *Shop) { s.Delete(intake.Categories, "") }, "collections/delete"},
		{Shopify, func(s *Shop) { s.DeleteOrder("") }, "orders/delete"},
	} {
		topics := []string{"order.created", "order.updated", "order.deleted", "product.created", "product.updated", "product.deleted"}
		if c.platform == Shopify {
			topics = []string{"orders/create", "orders/updated", "orders/delete", "refunds/create", "fulfillments/create", "products/update", "products/delete",
				"inventory_levels/update", "collections/delete"}
		}
		s, m, post := subscribed(t, Options{Platform: c.platform}, topics...)
		post.Deliver(t.Context())
		m.got = nil
		c.do(s)
		post.Deliver(t.Context())
		got := slices.DeleteFunc(m.topics(), func(topic string) bool { // goods that go back in stock
			return topic != c.want && (topic == "product.updated" || topic == "inventory_levels/update")
		})
		if strings.Join(got, " ") != c.want {
			t.Errorf("%q: told %q, want %q", c.platform, got, c.want)
		}
	}
}

func TestAWooCommerceWebhookIsSwitchedOffAtTheSeventhFailure(t *testing.T) {
	s, m, post := subscribed(t, Options{}, "order.created")
	post.Deliver(t.Context())
	m.status = http.StatusInternalServerError
	for n := 1; n <= 7; n++ {
		if got := s.Subscriptions()[0]; got.Status != "active" || got.Failures != n-1 {
			t.Fatalf("before failure %d: %v", n, got)
		}
		s.PlaceOrder()
		post.Deliver(t.Context())
	}
	if got := s.Subscriptions()[0]; got.Status != "disabled" {
		t.Errorf("after the seventh: %v", got)
	}
	if tries := len(m.got); tries != 8 { // with the ping: none is sent again
		t.Errorf("%d tries", tries)
	}
	tell(t, s, http.MethodPut, "webhooks/1", `{"status":"active"}`)
	s.PlaceOrder()
	if post.Deliver(t.Context()); s.Subscriptions()[0].Status != "disabled" { // the failures before count on
		t.Errorf("set active again, and failed once more: %v", s.Subscriptions()[0])
	}
	m.status = http.StatusOK
	tell(t, s, http.MethodPut, "webhooks/1", `{"status":"active"}`)
	s.PlaceOrder()
	if post.Deliver(t.Context()); s.Subscriptions()[0] != (Subscription{"1", "order.created", "https://books.test/hooks/a", "active", 0}) {
		t.Errorf("set active again: %v", s.Subscriptions()[0])
	}
}

func TestAShopifyWebhookIsSentAgainAsItWas(t *testing.T) {
	s, m, post := subscribed(t, Options{Platform: Shopify}, "products/update")
	m.status = http.StatusInternalServerError
	s.Edit(intake.Products, "")
	for range 60 {
		post.Deliver(t.Context())
		s.HoldClock()
		s.clock = s.clock.Add(5 * time.Minute) // nothing else happens
	}
	if len(m.got) != 9 || len(s.Subscriptions()) != 0 {
		t.Fatalf("%d tries, subscriptions %v", len(m.got), s.Subscriptions())
	}
	first := m.got[0]
	mac := hmac.New(sha256.New, []byte(s.Secret()))
	mac.Write([]byte(first.body))
	if first.header.Get("X-Shopify-Hmac-Sha256") != base64.StdEncoding.EncodeToString(mac.Sum(nil)) {
		t.Error("the signature is not that of the app's secret")
	}
	for _, again := range m.got[1:] {
		if again.body != first.body || again.header.Get("X-Shopify-Webhook-Id") != first.header.Get("X-Shopify-Webhook-Id") {
			t.Errorf("sent again it is %v, was %v", again, first)
		}
	}
}

func TestWebhooksGoAstray(t *testing.T) {
	for _, c := range []struct {
		fault string
		want  int
	}{{"hook-lost", 0}, {"hook-twice:count=1", 3}, {"hook-late:delay=1h", 0}, {"hook-shuffled", 2}, {"hook-unsigned", 2}, {"hook-lost:path=product", 2}} {
		s, m, post := subscribed(t, Options{}, "order.created")
		post.Deliver(t.Context())
		m.got = nil
		f, err := ParseFault(c.fault)
		if err != nil {
			t.Fatal(err)
		}
		s.Misbehave(f)
		s.PlaceOrder()
		s.PlaceOrder()
		post.Deliver(t.Context())
		if len(m.got) != c.want {
			t.Errorf("%s: %d came, want %d", c.fault, len(m.got), c.want)
		}
		for _, l := range m.got {
			if unsigned := l.header.Get("X-WC-Webhook-Signature") == ""; unsigned != (f.Name == "hook-unsigned") {
				t.Errorf("%s: unsigned is %v", c.fault, unsigned)
			}
		}
		if f.Name == "hook-late" {
			if s.Undelivered() != 2 {
				t.Errorf("%d wait", s.Undelivered())
			}
			s.Behave()
			s.HoldClock()
			s.clock = s.clock.Add(time.Hour)
			if post.Deliver(t.Context()); len(m.got) != 2 {
				t.Errorf("an hour later %d came", len(m.got))
			}
		}
	}
}
