package woocommerce

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"comptoir/erp/intake"
)

// seed adds the recorded answers, and what plugins were seen to make of them.
func seed(f *testing.F) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		f.Fatal("no recorded answers", err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		var rows []json.RawMessage
		if json.Unmarshal(b, &rows) != nil {
			rows = []json.RawMessage{b}
		}
		for _, row := range rows[:min(len(rows), 3)] {
			f.Add([]byte(row))
		}
	}
	for _, odd := range []string{`{}`, `null`, `[]`, `""`, `{"id":1e400}`, `{"id":"7","line_items":{"a":[],"2":null}}`, `{"id":-1,"billing":7,"meta_data":[null,1]}`,
		`{"id":1,"total":"\ud800","manage_stock":{"x":1}}`, `{"id":1,"images":[false,{"src":9}],"cost_of_goods_sold":[]}`, "{\"id\":1,\"note\":\"\xff\"}"} {
		f.Add([]byte(odd))
	}
}

// No payload makes a decoder fail: it ends as a record, or as one that says
// what was not understood; and what was understood can be written and read
// again.
func FuzzDecoders(f *testing.F) {
	seed(f)
	c := newTestConnector(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		if !json.Valid(raw) {
			return // answers are checked as a whole, before
		}
		o, problem := parseOrder(raw)
		var refunds []refund
		var one refund
		if json.Unmarshal(raw, &one) == nil {
			refunds = append(refunds, one)
		}
		records := []intake.Record{shippingMethodRecord(raw, "zone")}
		if problem == "" {
			records = append(records, named(c.sealOrder(o, refunds, raw)))
		}
		for _, kind := range []intake.Kind{intake.KindProduct, intake.KindVariant, intake.KindCustomer, intake.KindCoupon, intake.KindCategory, intake.KindTaxRate, intake.KindGateway} {
			records = append(records, c.record(kind, raw, "5"))
		}
		for _, rec := range records {
			if rec.Gone() || rec.Digest == "" {
				t.Fatalf("%s: neither a body nor a problem", rec.Ref.Kind)
			}
			if rec.Problem != "" {
				continue
			}
			if rec.Ref.ID == "" {
				t.Fatalf("%s has no id", rec.Ref.Kind)
			}
			if _, err := intake.Reopen(rec.Ref.Kind, rec.Statement); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// The quick walk over a row sees what the decoder sees, and survives what is no
// JSON.
func FuzzHead(f *testing.F) {
	seed(f)
	f.Add([]byte(`{"id`))
	f.Add([]byte(`{"id":"7\"`))
	f.Add([]byte(`{"`))
	f.Add([]byte(`{"a":{"id":9},"id":7,"b":[{"id":8}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		got := headOf(raw)
		// Go's decoder ignores the case of names and takes the last of two
		// equal ones; this one would have to be a map for that.
		var all map[string]json.RawMessage
		if json.Unmarshal(raw, &all) != nil || all == nil {
			return
		}
		var id scalar
		if v, ok := all["id"]; ok {
			_ = json.Unmarshal(v, &id)
		}
		if id.id() != got.id && !repeated(raw) {
			t.Errorf("id is %d, the decoder reads %d in %s", got.id, id.id(), raw)
		}
	})
}

// repeated reports whether a name may stand twice in the text, or in a
// spelling with escapes.
func repeated(raw []byte) bool {
	n := 0
	fields(raw, func(key, _ []byte) {
		var plain string
		if json.Unmarshal(append(append([]byte{'"'}, key...), '"'), &plain) != nil || plain == "id" {
			n++
		}
		if string(key) != plain {
			n += 2
		}
	})
	return n != 1
}
