package engine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"comptoir/connectors"
	"comptoir/erp/intake"

	"github.com/shopspring/decimal"
)

// shelf is a connector over a few records in memory: for tests that need to
// decide what a shop says, page by page and error by error.
type shelf struct {
	streams []connectors.Stream
	size    int // records on a page

	mu    sync.Mutex
	clock int // grows with each change
	rows  map[intake.Resource][]row
	calls []string // "pull orders 3"
	// answer, where set, is asked before each answer; what it returns is
	// returned instead.
	answer func(call string) error
}

type row struct {
	at  int
	rec intake.Record
}

var epoch = time.Date(2026, time.March, 2, 8, 0, 0, 0, time.UTC)

func newShelf(streams ...connectors.Stream) *shelf {
	return &shelf{streams: streams, size: 3, rows: map[intake.Resource][]row{}}
}

// put states a record, as the newest change.
func (s *shelf) put(r intake.Resource, rec intake.Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clock++
	rows := slices.DeleteFunc(s.rows[r], func(have row) bool { return have.rec.Ref.ID == rec.Ref.ID })
	s.rows[r] = append(rows, row{s.clock, rec})
}

// edit changes a record and leaves its date alone.
func (s *shelf) edit(r intake.Resource, rec intake.Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, have := range s.rows[r] {
		if have.rec.Ref.ID == rec.Ref.ID {
			s.rows[r][i].rec = rec
		}
	}
}

// remove takes a record away without a trace.
func (s *shelf) remove(r intake.Resource, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rows[r] = slices.DeleteFunc(s.rows[r], func(have row) bool { return have.rec.Ref.ID == id })
}

// answers sets what is asked before each answer.
func (s *shelf) answers(answer func(call string) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = answer
}

func (s *shelf) asked(call string) error {
	s.calls = append(s.calls, call)
	if s.answer != nil {
		return s.answer(call)
	}
	return nil
}

// requests returns the calls so far, and forgets them.
func (s *shelf) requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	calls := s.calls
	s.calls = nil
	return calls
}

func (s *shelf) Probe(context.Context) (connectors.Shop, error) { return connectors.Shop{}, nil }
func (s *shelf) Streams() []connectors.Stream                   { return s.streams }

// Pull lists what changed after the cursor, in order of change.
func (s *shelf) Pull(ctx context.Context, r intake.Resource, cur connectors.Cursor) (connectors.Page, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	after, _ := strconv.Atoi(string(cur))
	if err := s.asked(fmt.Sprintf("pull %s %d", r, after)); err != nil {
		return connectors.Page{}, err
	}
	if err := ctx.Err(); err != nil {
		return connectors.Page{}, err
	}
	page := connectors.Page{Total: len(s.rows[r])}
	for _, row := range s.rows[r] {
		if row.at <= after {
			continue
		}
		if len(page.Records) == s.size {
			page.More = true
			break
		}
		page.Records = append(page.Records, row.rec)
		cur = fmt.Append(nil, row.at)
	}
	if page.Next = cur; len(cur) == 0 {
		page.Next = connectors.Cursor("0")
	}
	return page, nil
}

func (s *shelf) Fetch(_ context.Context, refs []intake.Ref) ([]intake.Record, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.asked(fmt.Sprintf("fetch %d", len(refs))); err != nil {
		return nil, err
	}
	records := make([]intake.Record, len(refs))
	for i, ref := range refs {
		records[i] = intake.Missing(ref)
		for _, rows := range s.rows {
			for _, row := range rows {
				if row.rec.Ref.Kind == ref.Kind && row.rec.Ref.ID == ref.ID {
					records[i] = row.rec
				}
			}
		}
	}
	return records, nil
}

func (s *shelf) List(_ context.Context, r intake.Resource, yield func([]intake.Ref) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.asked(fmt.Sprintf("list %s", r)); err != nil {
		return err
	}
	var refs []intake.Ref
	for _, row := range s.rows[r] {
		refs = append(refs, row.rec.Ref)
	}
	return yield(refs)
}

func (s *shelf) Seek(_ intake.Resource, since time.Time) connectors.Cursor {
	return fmt.Append(nil, int(since.Sub(epoch)/time.Minute)-1)
}

// order states an order over one line of 10.00 EUR without tax, changed so
// many minutes after the epoch.
func order(t testing.TB, id string, state intake.OrderState, minute int) intake.Record {
	t.Helper()
	o := &intake.Order{
		Number: id, RawStatus: string(state), State: state, PlacedAt: epoch, Currency: "EUR", Total: decimal.New(10, 0),
		Customer: intake.Customer{Email: "buyer" + id + "@example.com", FirstName: "Zoé", LastName: "Martin"},
		Lines: []intake.Line{{
			ID: "1", Kind: intake.LineItem, SKU: "MUG", Title: "Mug",
			Quantity: decimal.New(1, 0), Subtotal: decimal.New(10, 0), Total: decimal.New(10, 0),
		}},
		Payment: intake.Payment{Method: "bacs", Title: "Transfer"},
	}
	if state == intake.StateOpen || state == intake.StateCompleted {
		o.PaidAt = epoch.Add(time.Hour)
		o.Payments = []intake.Money{{ID: "paid", Kind: intake.MoneySale, Gateway: "bacs", Amount: o.Total, At: o.PaidAt}}
	}
	if state == intake.StateCompleted {
		o.CompletedAt = epoch.Add(2 * time.Hour)
	}
	return seal(t, intake.KindOrder, id, o, minute)
}

func seal(t testing.TB, kind intake.Kind, id string, body any, minute int) intake.Record {
	t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	rec, err := intake.Seal(intake.Ref{Kind: kind, ID: id}, epoch.Add(time.Duration(minute)*time.Minute), body, raw)
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

// fillOrders states n open orders, numbered from 1.
func (s *shelf) fillOrders(t testing.TB, n int) {
	t.Helper()
	for i := 1; i <= n; i++ {
		s.put(intake.Orders, order(t, strconv.Itoa(i), intake.StateOpen, i))
	}
}

// only returns the calls that begin with a word.
func only(calls []string, word string) []string {
	return slices.DeleteFunc(slices.Clone(calls), func(c string) bool { return !strings.HasPrefix(c, word) })
}
