package conformance

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"comptoir/connectors"
	"comptoir/erp/intake"

	"github.com/shopspring/decimal"
)

// tillShop is a shop that can be told things, in a JSON dialect of its own:
//
//	GET /products, /categories, /orders, /hooks   all records, by id
//	POST /stock, /edit, /order, /hook             what toyAsk says, once for each key
type tillShop struct {
	mu         sync.Mutex
	began      time.Time
	flaw       pushFlaw
	last       int
	products   map[string]*intake.Product
	categories map[string]*intake.Category
	orders     map[string]*intake.Order
	hooks      map[string]toyHook
	done       map[string][]byte // answers by key
	asked      int               // requests that could have changed something
	deaf       int               // answers still to be lost
	queue      []post
}

// toyHook is a subscription.
type toyHook struct {
	Topic, Address string
	On             bool
}

// toyAsk is what the shop is told.
type toyAsk struct {
	Key     string               `json:"key"`
	Levels  []intake.StockLevel  `json:"levels,omitempty"`
	Edits   []intake.Edit        `json:"edits,omitempty"`
	Request *intake.OrderRequest `json:"request,omitempty"`
	Hook    *toyHook             `json:"hook,omitempty"`
	HookID  string               `json:"hook_id,omitempty"`
	Remove  bool                 `json:"remove,omitempty"`
	// With has a deleted category take its products with it.
	With bool `json:"with,omitempty"`
}

// toyTold is what it answers.
type toyTold struct {
	OK       bool             `json:"ok"`
	Outcomes []intake.Outcome `json:"outcomes,omitempty"`
	Rows     []toyRecord      `json:"rows,omitempty"`
	ID       string           `json:"id,omitempty"`
}

type toyRecord struct {
	ID   string          `json:"id"`
	Body json.RawMessage `json:"body"`
}

func newTillShop(f pushFlaw) *tillShop {
	s := &tillShop{began: time.Now(), flaw: f, last: 100, products: map[string]*intake.Product{}, categories: map[string]*intake.Category{},
		orders: map[string]*intake.Order{}, hooks: map[string]toyHook{}, done: map[string][]byte{}}
	for n := range 4 {
		s.categories[s.next()] = &intake.Category{Name: "Rayon " + strconv.Itoa(n)}
	}
	categories := slices.Sorted(maps.Keys(s.categories))
	for n := range 8 {
		id := s.next()
		p := &intake.Product{Title: "Article " + id, Status: "published", Kind: intake.ProductStocked, CategoryIDs: []string{categories[n%3]}}
		for range 1 + n/7 { // the last one has two variants
			v := intake.Variant{ID: id, ProductID: id, SKU: "A-" + id, Kind: intake.ProductStocked, Tracked: true, Sellable: true}
			if n == 7 {
				v.ID = s.next()
			}
			v.Stock, v.Regular = number(20), number(10)
			p.Variants = append(p.Variants, v)
		}
		s.products[id] = p
	}
	return s
}

func number(n int64) *decimal.Decimal {
	d := decimal.NewFromInt(n)
	return &d
}

func (s *tillShop) next() string {
	s.last++
	return strconv.Itoa(s.last)
}

// variant finds a variant; nil where there is none.
func (s *tillShop) variant(id string) *intake.Variant {
	for _, p := range s.products {
		for i := range p.Variants {
			if p.Variants[i].ID == id {
				return &p.Variants[i]
			}
		}
	}
	return nil
}

func (s *tillShop) IDs(r intake.Resource) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch r {
	case intake.Products:
		return slices.Sorted(maps.Keys(s.products))
	case intake.Categories:
		return slices.Sorted(maps.Keys(s.categories))
	default:
		return slices.Sorted(maps.Keys(s.orders))
	}
}

func (s *tillShop) Unreadable(intake.Resource) []string { return nil }
func (s *tillShop) Advance(d time.Duration)             { time.Sleep(d) }
func (s *tillShop) Now() time.Time {
	return time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC).Add(time.Since(s.began))
}
func (s *tillShop) Misbehave(Fault) error  { return ErrCannot }
func (s *tillShop) Behave()                {}
func (s *tillShop) Facts() connectors.Shop { return connectors.Shop{} }
func (s *tillShop) Secrets() []string      { return []string{toyKey} }
func (s *tillShop) Compares() bool         { return s.flaw != hidesExposure }

func (s *tillShop) Do(r intake.Resource, c Change, id string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case r == intake.Orders && c == Add:
		id = s.sell(s.products[slices.Sorted(maps.Keys(s.products))[0]].Variants[0].ID, 1)
	case r == intake.Orders && c == Edit && s.orders[id] != nil:
		s.orders[id].Note += "!"
		s.announce("orders", id)
	case r == intake.Products && c == Edit && s.products[id] != nil:
		s.products[id].Title += "!"
		s.announce("products", id)
	case r == intake.Products && c == Remove && s.products[id] != nil:
		delete(s.products, id)
	default:
		return "", ErrCannot
	}
	return id, nil
}

func (s *tillShop) Stock(of intake.Ref, _ string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if v := s.variant(of.ID); v != nil {
		return int(v.Stock.IntPart())
	}
	return -1
}

func (s *tillShop) Sell(of intake.Ref, units int) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sell(of.ID, units)
}

func (s *tillShop) sell(variant string, units int) string {
	id, v, qty := s.next(), s.variant(variant), decimal.NewFromInt(int64(units))
	s.orders[id] = &intake.Order{Number: id, RawStatus: "open", State: intake.StateOpen, PlacedAt: s.Now(), Currency: "EUR", Total: qty.Mul(*v.Regular),
		Lines: []intake.Line{{ID: s.next(), Kind: intake.LineItem, ProductID: v.ProductID, VariantID: v.ID, Quantity: qty, Total: qty.Mul(*v.Regular)}}}
	v.Stock = new(v.Stock.Sub(qty))
	s.announce("orders", id)
	return id
}

func (s *tillShop) LoseAnswers(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deaf = n
}

func (s *tillShop) Writes() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

func (s *tillShop) SwitchOff() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(s.hooks))[:1] {
		delete(s.hooks, id)
	}
}

func (s *tillShop) announce(topic, id string) {
	for _, h := range s.hooks {
		if h.Topic != topic {
			continue
		}
		body := []byte(fmt.Sprintf(`{"id":%q,"at":%s}`, id, s.next()))
		s.queue = append(s.queue, post{http.Header{"X-Toy-Topic": {topic}, "X-Toy-Signature": {toySignature(body)}}, body})
	}
}

func toySignature(body []byte) string {
	mac := hmac.New(sha256.New, []byte(toyKey))
	mac.Write(body)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func (s *tillShop) Deliver(_ context.Context, take func(http.Header, []byte) int) {
	s.mu.Lock()
	queue := s.queue
	s.queue = nil
	s.mu.Unlock()
	for _, p := range queue {
		take(p.header, p.body)
	}
}

func (s *tillShop) RoundTrip(req *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var body []byte
	if req.Method == http.MethodGet {
		body = mustJSON(toyTold{OK: true, Rows: s.rows(strings.TrimPrefix(req.URL.Path, "/"))})
	} else {
		text, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		var ask toyAsk
		if err := json.Unmarshal(text, &ask); err != nil {
			return nil, err
		}
		s.asked++
		body = s.once(ask)
		if s.deaf > 0 {
			s.deaf--
			return nil, io.ErrUnexpectedEOF
		}
	}
	return answer(req, http.StatusOK, http.Header{"Content-Type": {"application/json"}}, bytes.NewReader(body), int64(len(body))), nil
}

func (s *tillShop) rows(name string) []toyRecord {
	var rows []toyRecord
	add := func(id string, body any) { rows = append(rows, toyRecord{id, mustJSON(body)}) }
	switch name {
	case "products":
		for id, p := range s.products {
			add(id, p)
		}
	case "categories":
		for id, c := range s.categories {
			add(id, c)
		}
	case "orders":
		for id, o := range s.orders {
			add(id, o)
		}
	case "hooks":
		for id, h := range s.hooks {
			add(id, h)
		}
	}
	slices.SortFunc(rows, func(a, b toyRecord) int { return strings.Compare(a.ID, b.ID) })
	return rows
}

func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

// once does what is asked, unless it was done under the same key.
func (s *tillShop) once(ask toyAsk) []byte {
	if before, ok := s.done[ask.Key]; ok {
		return before
	}
	told := toyTold{OK: true}
	for _, l := range ask.Levels {
		told.Outcomes = append(told.Outcomes, s.setStock(l))
	}
	for _, e := range ask.Edits {
		told.Outcomes = append(told.Outcomes, s.edit(e, ask.With))
	}
	switch {
	case ask.Request != nil:
		told.Outcomes = append(told.Outcomes, s.handle(*ask.Request))
	case ask.Remove:
		delete(s.hooks, ask.HookID)
	case ask.Hook != nil:
		told.ID = s.next()
		s.hooks[told.ID] = *ask.Hook
	}
	s.done[ask.Key] = mustJSON(told)
	return s.done[ask.Key]
}

func (s *tillShop) setStock(l intake.StockLevel) intake.Outcome {
	v := s.variant(l.Ref.ID)
	switch {
	case v == nil:
		return intake.Outcome{Ref: l.Ref, Result: intake.Refused, Why: "no such variant"}
	case v.Stock.Equal(l.To):
	case l.From != nil && !v.Stock.Equal(*l.From):
		now := *v.Stock
		return intake.Outcome{Ref: l.Ref, Result: intake.Stale, Now: &now}
	}
	v.Stock = new(l.To)
	return intake.Outcome{Ref: l.Ref, Result: intake.Done}
}
