package woocommerce

import (
	"encoding/json"
	"reflect"
	"testing"

	"comptoir/erp/intake"
)

// Whatever a plugin or a person has made of the list, what makes sense in it
// counts, once, and the rest is left out.
func TestShipmentsInMetadata(t *testing.T) {
	const whole = `{"key":"a","at":"2026-11-20T09:30:00Z","carrier":"Colissimo","tracking":"6A1","lines":[{"line_id":"5","quantity":"2"}]}`
	for name, test := range map[string]struct {
		value string
		want  int
	}{
		"a list":                   {`[` + whole + `]`, 1},
		"a text":                   {string(mustJSON(t, `[`+whole+`]`)), 1},
		"an object of PHP":         {`{"1":` + whole + `}`, 1},
		"numbers":                  {`[{"key":1,"at":"2026-11-20 09:30:00","lines":[{"line_id":5,"quantity":2}]}]`, 1},
		"twice the same key":       {`[` + whole + `,` + whole + `]`, 1},
		"one of two is broken":     {`[{"key":"b","at":"yesterday","lines":[{"line_id":"5","quantity":"1"}]},` + whole + `]`, 1},
		"without lines":            {`[{"key":"a","at":"2026-11-20T09:30:00Z","lines":[]}]`, 0},
		"negative":                 {`[{"key":"a","at":"2026-11-20T09:30:00Z","lines":[{"line_id":"5","quantity":"-1"}]}]`, 0},
		"no number":                {`[{"key":"a","at":"2026-11-20T09:30:00Z","lines":[{"line_id":"5","quantity":"two"}]}]`, 0},
		"without a key":            {`[{"at":"2026-11-20T09:30:00Z","lines":[{"line_id":"5","quantity":"1"}]}]`, 0},
		"nothing":                  {`""`, 0},
		"null":                     {`null`, 0},
		"a word":                   {`"shipped"`, 0},
		"a text that is cut off":   {`"[{\"key\":"`, 0},
		"a list of something else": {`[1,"x",null,[]]`, 0},
	} {
		order := []byte(`{"id":1,"number":"1","status":"processing","currency":"EUR","total":"1","meta_data":[{"id":9,"key":"_comptoir_shipments","value":` + test.value + `}]}`)
		rec := (&Connector{}).sealOrderOf(t, order)
		if got := rec.Body.(*intake.Order).Shipments; len(got) != test.want || rec.Problem != "" {
			t.Errorf("%s: %+v %s", name, got, rec.Problem)
		} else if test.want == 1 && (got[0].Lines[0].LineID != "5" || got[0].Lines[0].Quantity.String() != "2" || got[0].At.Hour() != 9) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// What is in the list is read as it is: metadata holds no HTML, and "&region" in an address is no registered mark.
func TestNotedShipmentsAreReadAsTheyWereWritten(t *testing.T) {
	want := []shipment{{Key: "a", At: "2026-11-20T09:30:00Z", Carrier: "Pick&up", Tracking: "6A1&lt;", URL: "https://track.example/?id=6A1&region=FR&amp=2&times=3",
		Lines: []shipmentLine{{"5", "2"}}}}
	value, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	got := keptShipments([]byte(`{"meta_data":[{"id":9,"key":"_comptoir_shipments","value":` + string(value) + `}]}`))
	if !reflect.DeepEqual(got.all, want) || got.odd != 0 || got.metaID != 9 {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func mustJSON(t *testing.T, v string) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func (c *Connector) sealOrderOf(t *testing.T, raw json.RawMessage) intake.Record {
	t.Helper()
	o, problem := parseOrder(raw)
	if problem != "" {
		t.Fatal(problem)
	}
	return c.sealOrder(o, nil, raw)
}
