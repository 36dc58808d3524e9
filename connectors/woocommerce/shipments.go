package woocommerce

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"

	"comptoir/erp/intake"

	"github.com/shopspring/decimal"
)

// shipmentsMeta is the metadata of an order that keeps its shipments.
// WooCommerce has none of its own: an order is completed, or it is not.
const shipmentsMeta = "_comptoir_shipments"

// shipment is an entry of that list. Quantities are texts, since PHP may turn
// a number into another.
type shipment struct {
	Key      string         `json:"key"` // of the request that it came from
	At       string         `json:"at"`  // RFC 3339, UTC
	Carrier  string         `json:"carrier,omitempty"`
	Tracking string         `json:"tracking,omitempty"`
	URL      string         `json:"url,omitempty"`
	Lines    []shipmentLine `json:"lines"`
}

type shipmentLine struct {
	LineID   string `json:"line_id"`
	Quantity string `json:"quantity"`
}

// statedShipment is a shipment as it comes back, in whatever types.
type statedShipment struct {
	Key      scalar `json:"key"`
	At       scalar `json:"at"`
	Carrier  scalar `json:"carrier"`
	Tracking scalar `json:"tracking"`
	URL      scalar `json:"url"`
	Lines    list[object[struct {
		LineID   scalar `json:"line_id"`
		Quantity scalar `json:"quantity"`
	}]] `json:"lines"`
}

// listMeta is metadata that holds a list: as such, or as a text of JSON.
type listMeta struct {
	ID    scalar          `json:"id"`
	Key   scalar          `json:"key"`
	Value json.RawMessage `json:"value"`
}

// keptList is the list of shipments that an order keeps.
type keptList struct {
	metaID int64             // 0 where the order has none
	all    []shipment        // that make sense, each once
	raw    []json.RawMessage // what stands in the list, sense or not
	odd    int               // of raw, how many make no sense
	unfit  bool              // what stands there is no list
}

// keptShipments finds the list among the metadata of an order. Nearly no order
// has one, so its metadata is not looked through twice.
func keptShipments(order json.RawMessage) (kept keptList) {
	if !bytes.Contains(order, []byte(shipmentsMeta)) {
		return kept
	}
	var o struct {
		Meta list[listMeta] `json:"meta_data"`
	}
	if json.Unmarshal(order, &o) != nil {
		return keptList{unfit: true}
	}
	for i := range o.Meta {
		if o.Meta[i].Key.text == shipmentsMeta {
			kept = readShipments(o.Meta[i].Value)
			kept.metaID = o.Meta[i].ID.id()
			break
		}
	}
	return kept
}

// readShipments reads the shipments that an order keeps. Entries that make no
// sense do not count: whoever edits metadata by hand does not stop the order.
// They are kept as they stand.
func readShipments(raw json.RawMessage) (kept keptList) {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		raw = json.RawMessage(text)
	}
	if raw = bytes.TrimSpace(raw); len(raw) == 0 || string(raw) == "null" {
		return kept
	}
	if !isList(raw) {
		return keptList{unfit: true}
	}
	var entries list[json.RawMessage]
	if json.Unmarshal(raw, &entries) != nil {
		return keptList{unfit: true}
	}
	known := map[string]bool{}
	for _, entry := range entries {
		kept.raw = append(kept.raw, entry)
		var stated object[statedShipment]
		err := json.Unmarshal(entry, &stated)
		switch s, ok := stated.v.read(); {
		case err != nil || !ok:
			kept.odd++
		case !known[s.Key]:
			known[s.Key] = true
			kept.all = append(kept.all, s)
		}
	}
	return kept
}

// isList reports whether JSON is a list, in whatever form PHP gives it.
func isList(raw json.RawMessage) bool {
	switch raw[0] {
	case '[':
		return true
	case '{':
		var m map[string]json.RawMessage
		if json.Unmarshal(raw, &m) != nil {
			return false
		}
		for key := range m {
			if _, err := strconv.Atoi(key); err != nil {
				return false
			}
		}
		return true
	default:
		return false
	}
}

func (s *statedShipment) read() (shipment, bool) {
	at, err := s.At.instant()
	out := shipment{Key: s.Key.trimmed(), Carrier: s.Carrier.trimmed(), Tracking: s.Tracking.trimmed(), URL: s.URL.trimmed()}
	if err != nil || at.IsZero() || out.Key == "" {
		return shipment{}, false
	}
	out.At = at.Format(time.RFC3339)
	for i := range s.Lines {
		l := &s.Lines[i].v
		if q, err := l.Quantity.number(); err == nil && q.IsPositive() && l.LineID.ref() != "" {
			out.Lines = append(out.Lines, shipmentLine{l.LineID.ref(), q.String()})
		}
	}
	return out, len(out.Lines) > 0
}

// shipments states what has left of an order. What was completed without our
// doing was shipped in full, so then the rest of it is a shipment too.
func (o *order) shipments(b *intake.Order) []intake.Shipped {
	var all []intake.Shipped
	for i := range o.kept {
		all = append(all, o.kept[i].stated())
	}
	if len(all) == 0 || b.State != intake.StateCompleted && (b.State != intake.StateRefunded || b.CompletedAt.IsZero()) {
		return all
	}
	if rest := unshipped(b, all); len(rest) > 0 {
		all = append(all, intake.Shipped{ID: "rest", At: b.CompletedAt, Lines: rest})
	}
	return all
}

func (s *shipment) stated() intake.Shipped {
	out := intake.Shipped{ID: s.Key, Carrier: s.Carrier, Tracking: s.Tracking}
	out.At, _ = time.Parse(time.RFC3339, s.At) // written by read
	for _, l := range s.Lines {
		out.Lines = append(out.Lines, intake.ShippedLine{LineID: l.LineID, Quantity: decimal.RequireFromString(l.Quantity)}) // likewise
	}
	return out
}

// unshipped is what is left of the lines of an order after its shipments, and
// after the refunds before it was completed.
func unshipped(b *intake.Order, shipped []intake.Shipped) []intake.ShippedLine {
	left := map[string]decimal.Decimal{}
	for _, s := range shipped {
		for _, l := range s.Lines {
			left[l.LineID] = left[l.LineID].Sub(l.Quantity)
		}
	}
	for _, f := range b.Refunds {
		for _, l := range f.Lines {
			if f.At.Before(b.CompletedAt) {
				left[l.LineID] = left[l.LineID].Sub(l.Quantity)
			}
		}
	}
	var rest []intake.ShippedLine
	for _, l := range b.Lines {
		if q := l.Quantity.Add(left[l.ID]); l.Kind == intake.LineItem && q.IsPositive() {
			rest = append(rest, intake.ShippedLine{LineID: l.ID, Quantity: q})
		}
	}
	return rest
}
