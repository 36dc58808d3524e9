package woocommerce_test

import (
	"bytes"
	"cmp"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"comptoir/connectors"
	"comptoir/connectors/sandbox"
	"comptoir/connectors/woocommerce"
	"comptoir/erp/intake"

	"github.com/rs/zerolog"
)

// scales is a shop of which a setting can be out of reach: that of the unit of
// weights, if it is not said which.
type scales struct {
	*sandbox.Shop
	t      *testing.T
	route  string
	status int    // that the setting is answered with; 0: the shop's own answer
	body   string // with it
	asked  int    // how often the setting was asked for
	log    bytes.Buffer
}

func newScales(t *testing.T, unit string) *scales {
	s := &scales{Shop: sandbox.New(sandbox.Options{Seed: 3, Orders: 5, WeightUnit: unit}), t: t}
	s.HoldClock()
	return s
}

func (s *scales) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.Contains(r.URL.Path, cmp.Or(s.route, "settings/products")) {
		return s.Transport().RoundTrip(r)
	}
	if s.asked++; s.status == 0 {
		return s.Transport().RoundTrip(r)
	}
	return &http.Response{StatusCode: s.status, Status: http.StatusText(s.status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(s.body))}, nil
}

func (s *scales) connect(unit string) *woocommerce.Connector {
	s.t.Helper()
	cfg := woocommerce.NewConfig()
	cfg.URL, cfg.ConsumerKey, cfg.ConsumerSecret, cfg.RetryWait, cfg.WeightUnit = "https://shop.example", s.Key(), s.Secret(), time.Millisecond, unit
	c, err := woocommerce.New(connectors.Env{Shop: "atelier", Transport: s, Now: s.Clock, Log: zerolog.New(&s.log)}, cfg)
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

// first is the first variant that the shop states a weight of.
func (s *scales) first(c *woocommerce.Connector) intake.Variant {
	s.t.Helper()
	page, err := c.Pull(s.t.Context(), intake.Products, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, rec := range page.Records {
		if p, ok := rec.Body.(*intake.Product); ok && len(p.Variants) == 1 && p.Variants[0].ID == p.Variants[0].ProductID && p.Variants[0].Weight != "" {
			return p.Variants[0]
		}
	}
	s.t.Fatal("nothing weighs anything")
	return intake.Variant{}
}

const (
	forbidden = `{"code":"woocommerce_rest_cannot_view","message":"Sorry, you cannot list resources.","data":{"status":401}}`
	broken    = `{"code":"internal_server_error","message":"There has been a critical error on this website.","data":{"status":500}}`
)

func TestAWeightIsStatedInTheUnitOfTheShop(t *testing.T) {
	grams := ""
	for _, test := range []struct{ shop, configured, unit string }{
		{"g", "", "g"}, {"kg", "", "kg"}, {"", "", "kg"}, {"oz", "", "oz"}, {"lbs", "", "lb"}, {"kg", "lbs", "lb"},
	} {
		s := newScales(t, test.shop)
		got := s.first(s.connect(test.configured)).Weight
		if grams == "" {
			grams = got
		}
		if !strings.HasSuffix(got, " "+test.unit) || test.shop != "oz" && test.shop != "lbs" && test.configured == "" && !intake.SameWeight(got, grams) {
			t.Errorf("a shop in %q, configured %q: %q, and in grams it is %q", test.shop, test.configured, got, grams)
		}
		if test.configured != "" && s.asked > 0 {
			t.Errorf("configured %q: the shop was asked", test.configured)
		}
	}
}

func TestAWeightIsExpressedInTheUnitOfTheShop(t *testing.T) {
	for _, test := range []struct {
		unit, value, want string
		can               bool
	}{
		{"kg", "700 g", "0.7 kg", true},
		{"kg", "0.70 kg", "0.7 kg", true},
		{"kg", "1 lb", "0.45359237 kg", true},
		{"lbs", "0.7 kg", "1.543236 lb", true},
		{"lbs", "0.00001 g", "0 lb", false}, // too light
		{"kg", "", "", true},
		{"kg", "0 lb", "", true},
		{"kg", "0.7", "", false}, // of what?
		{"kg", "-1 kg", "", false},
		{"kg", "heavy", "", false},
	} {
		c := newScales(t, test.unit).connect("")
		if err := c.Learn(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got, can := c.Express(intake.KindVariant, intake.FieldWeight, test.value); can != test.can || can && got != test.want {
			t.Errorf("%q in %s: %q %v, want %q %v", test.value, test.unit, got, can, test.want, test.can)
		}
	}
}

// What was told in one unit is stated in the shop's, as it was expressed.
func TestAWeightOfAnotherUnitArrives(t *testing.T) {
	for unit, want := range map[string]string{"g": "453.59237 g", "kg": "0.45359237 kg", "oz": "16 oz", "lbs": "1 lb"} {
		s := newScales(t, unit)
		c := s.connect("")
		v := s.first(c)
		ref := intake.Ref{Kind: intake.KindVariant, ID: v.ID, Parent: v.ProductID}
		for i, weight := range []string{"1 lb", "700 g", "0.3 oz", ""} {
			told, ok := c.Express(ref.Kind, intake.FieldWeight, weight)
			out, err := c.PushEdits(t.Context(), "k", []intake.Edit{{Key: weight, Ref: ref, Changes: changes("weight", weight)}})
			if err != nil || !ok || out[0].Result != intake.Done || fieldsOf(out[0].Records, ref)[intake.FieldWeight] != told || i == 0 && told != want {
				t.Errorf("%q in %s: %q, %+v, %v", weight, unit, told, out, err)
			}
		}
		made := intake.Edit{Key: "made", Ref: intake.Ref{Kind: intake.KindProduct}, Changes: changes("title", "Cup"),
			Variants: []intake.Edit{{Key: "made a", Ref: intake.Ref{Kind: intake.KindVariant}, Changes: changes("sku", "CUP-W", "weight", "1 lb")}}}
		out, err := c.PushEdits(t.Context(), "k", []intake.Edit{made})
		if err != nil || out[0].Result != intake.Done || fieldsOf(out[0].Records, out[0].Variants[0])[intake.FieldWeight] != want {
			t.Errorf("made in %s: %+v, %v", unit, out, err)
		}
	}
}

// A key that may not read settings can still sync the shop; its weights are then
// numbers alone, and only such can be told.
func TestWithoutItsUnitAWeightIsANumberAlone(t *testing.T) {
	s := newScales(t, "kg")
	s.status, s.body = http.StatusUnauthorized, forbidden
	c := s.connect("")
	v := s.first(c)
	if number, unit, err := intake.ReadWeight(v.Weight); err != nil || unit != "" || number.IsZero() {
		t.Errorf("weight %q", v.Weight)
	}
	if err := c.Learn(t.Context()); err != nil {
		t.Errorf("what cannot be known: %v", err)
	}
	for value, want := range map[string]bool{"0.7": true, "0.7 kg": false} {
		if _, can := c.Express(intake.KindVariant, intake.FieldWeight, value); can != want {
			t.Errorf("%q can be told: %v", value, can)
		}
	}
	shop, err := c.Probe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, check := range shop.Checks {
		if check.Name == "weights" && (!check.OK || !check.Warn || !strings.Contains(check.Note, "weight_unit")) {
			t.Errorf("%+v", check)
		}
	}
	told := intake.Edit{Key: "k", Ref: intake.Ref{Kind: intake.KindVariant, ID: v.ID, Parent: v.ProductID}, Changes: changes("weight", "0.9 kg")}
	out, err := c.PushEdits(t.Context(), "k", []intake.Edit{told})
	if err != nil || out[0].Result != intake.Refused || !strings.Contains(out[0].Why, "weight_unit") {
		t.Errorf("%+v, %v", out, err)
	}
	told.Changes = changes("weight", "0.9")
	if out, err = c.PushEdits(t.Context(), "k", []intake.Edit{told}); err != nil || out[0].Result != intake.Done || s.first(c).Weight != "0.9" {
		t.Errorf("%+v, %v, and the shop has %q", out, err, s.first(c).Weight)
	}
	s.Advance(2 * time.Hour)
	asked := s.asked
	if err := c.Learn(t.Context()); err != nil || s.asked == asked || strings.Count(s.log.String(), "set weight_unit") != 1 {
		t.Errorf("asked %d times more, %v, and said: %s", s.asked-asked, err, &s.log)
	}
	s.status = 0
	if err := c.Learn(t.Context()); err != nil || s.first(c).Weight != "0.9" {
		t.Errorf("it asks again at once: %v", err)
	}
	s.Advance(2 * time.Hour)
	if got := s.first(c).Weight; got != "0.9 kg" {
		t.Errorf("when the key may: %q", got)
	}
}

// A shop that answers everything but this still is read, once it is sure that it
// does not: else what was read once without the unit would be read as changed
// thereafter. What is told of weights waits, since it is not known what to tell.
func TestAUnitThatCannotBeFoundOutNowIsAskedForLater(t *testing.T) {
	s := newScales(t, "kg")
	s.status, s.body = http.StatusInternalServerError, broken
	c := s.connect("")
	for range 2 {
		if _, err := c.Pull(t.Context(), intake.Products, nil); connectors.ClassOf(err) != connectors.Transient || err == nil {
			t.Fatalf("at first: %v", err)
		}
	}
	v := s.first(c)
	if _, unit, _ := intake.ReadWeight(v.Weight); unit != "" {
		t.Errorf("weight %q", v.Weight)
	}
	err := c.Learn(t.Context())
	if err == nil || connectors.ClassOf(err) != connectors.Transient || !strings.Contains(err.Error(), "weight_unit") {
		t.Errorf("learn: %v", err)
	}
	edit := intake.Edit{Key: "k", Ref: intake.Ref{Kind: intake.KindVariant, ID: v.ID, Parent: v.ProductID}, Changes: changes("weight", "900 g")}
	if out, err := c.PushEdits(t.Context(), "k", []intake.Edit{edit}); err == nil {
		t.Errorf("%+v", out)
	}
	asked := s.asked
	s.status = 0
	if got := s.first(c).Weight; got != v.Weight+" kg" || s.asked != asked+1 {
		t.Errorf("later: %q, asked %d times", got, s.asked-asked)
	}
	out, err := c.PushEdits(t.Context(), "k", []intake.Edit{edit})
	if err != nil || out[0].Result != intake.Done || s.first(c).Weight != "0.9 kg" {
		t.Errorf("%+v, %v, and the shop has %q", out, err, s.first(c).Weight)
	}
	s.status = http.StatusInternalServerError
	s.Advance(2 * time.Hour)
	if got := s.first(c).Weight; got != "0.9 kg" {
		t.Errorf("what is known is kept while the shop does not answer: %q", got)
	}
}

func TestTheUnitOfWeightsIsAskedForOnce(t *testing.T) {
	s := newScales(t, "kg")
	c := s.connect("")
	for range 5 {
		s.first(c)
	}
	if s.asked != 1 {
		t.Errorf("asked %d times", s.asked)
	}
	s.Advance(2 * time.Hour)
	if s.first(c); s.asked != 2 {
		t.Errorf("after a while asked %d times", s.asked)
	}
}

func TestTheConfiguredUnitIsComparedWithTheShops(t *testing.T) {
	s := newScales(t, "lbs")
	for configured, ok := range map[string]bool{"": true, "lb": true, "lbs": true, "kg": false} {
		shop, err := s.connect(configured).Probe(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, check := range shop.Checks {
			if check.Name == "weights" {
				if found = true; check.OK != ok || check.Warn || ok && check.Note != "in lb" {
					t.Errorf("configured %q: %+v", configured, check)
				}
			}
		}
		if !found {
			t.Errorf("configured %q: not checked", configured)
		}
	}
}
