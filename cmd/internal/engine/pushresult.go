package engine

import (
	"cmp"
	"strconv"
	"time"

	"comptoir/erp"
	"comptoir/erp/intake"
	"comptoir/erp/outbox"

	"github.com/shopspring/decimal"
)

// PushChange is one field of one record that a shop is told.
type PushChange struct {
	// Resource is products, variants, categories, stock or orders.
	Resource intake.Resource `json:"resource"`
	// ID is the shop's id of the record; "" of what is to be made.
	ID string `json:"id"`
	// New is what a plan calls a record that is to be made, and whose ID is not
	// known yet. What depends on it says this in To.
	New string `json:"new,omitempty"`
	// Label is the SKU of a variant, or the name or number of what else it is.
	Label string       `json:"label,omitempty"`
	Field intake.Field `json:"field"`
	// Location is the shop's id of the place of a stock; "" where it has one.
	Location string `json:"location,omitempty"`
	// From is what the shop has as far as is known, To what it is told, both in
	// the field's canonical text; From is "" for nothing and for unknown.
	From string `json:"from"`
	To   string `json:"to"`
	// Outcome is what became of it; "" where it was only worked out.
	Outcome intake.Result `json:"outcome,omitempty"`
	Why     string        `json:"why,omitempty"` // in the shop's own words
}

// The fields of a change beside those that records have.
const (
	fieldAvailability intake.Field = "stock_status" // of what the shop does not count
	fieldDeleted      intake.Field = "deleted"
	fieldCancelled    intake.Field = "cancelled"
	fieldRefund       intake.Field = "refund"
)

// resourceOf names what messages of a kind are about.
func resourceOf(kind outbox.Kind) intake.Resource {
	switch kind {
	case outbox.Category:
		return intake.Categories
	case outbox.Product:
		return intake.Products
	case outbox.Variant:
		return intake.Variants
	case outbox.Order:
		return intake.Orders
	default:
		return intake.Resource(kind)
	}
}

// changesOf lists what a push tells, field by field.
func changesOf(push erp.Push) []PushChange {
	of := PushChange{Resource: resourceOf(push.Message.Kind), Label: push.Label}
	switch {
	case push.Level != nil:
		return []PushChange{levelChange(of, *push.Level)}
	case push.Edit != nil:
		return editChanges(of, *push.Edit)
	case push.Request != nil:
		return []PushChange{requestChange(of, *push.Request)}
	}
	return nil
}

func levelChange(c PushChange, l intake.StockLevel) PushChange {
	c.ID, c.Location, c.Field = l.Ref.ID, l.Location, intake.FieldQuantity
	c.From, c.To = intake.Amount(l.From), l.To.String()
	if !l.Counted {
		c.Field, c.From, c.To = fieldAvailability, "", l.Status
	}
	return c
}

// editChanges lists the fields of an edit, and of the variants that are made
// with it.
func editChanges(of PushChange, edit intake.Edit) []PushChange {
	of.ID = edit.Ref.ID
	if edit.Delete {
		of.Field, of.From, of.To = fieldDeleted, "", "yes"
		return []PushChange{of}
	}
	var list []PushChange
	for _, change := range edit.Changes {
		c := of
		c.Field, c.From, c.To = change.Field, change.From, change.To
		list = append(list, c)
	}
	for n, variant := range edit.Variants {
		v := PushChange{Resource: intake.Variants, Label: cmp.Or(skuOf(variant), of.Label+" "+strconv.Itoa(n+1))}
		list = append(list, editChanges(v, variant)...)
	}
	return list
}

func skuOf(edit intake.Edit) string {
	for _, c := range edit.Changes {
		if c.Field == intake.FieldSKU {
			return c.To
		}
	}
	return ""
}

func requestChange(c PushChange, r intake.OrderRequest) PushChange {
	c.ID = r.Order.ID
	switch {
	case r.Shipment != nil:
		units := decimal.Zero
		for _, l := range r.Shipment.Lines {
			units = units.Add(l.Quantity)
		}
		c.Field, c.To = intake.FieldShipments, units.String()+" units"
		if s := r.Shipment; s.Carrier+s.Tracking != "" {
			c.To += ", " + cmp.Or(s.Carrier, "tracking") + " " + s.Tracking
		}
	case r.Cancel != nil:
		c.Field, c.To = fieldCancelled, r.Cancel.Reason
	case r.Refund != nil:
		c.Field, c.To = fieldRefund, r.Refund.Amount.String()
	default:
		c.Field, c.To = intake.FieldStatus, r.Status
	}
	return c
}

// place is where a change is made.
type place struct {
	resource     intake.Resource
	id, location string
	label        string // of what has no id yet
	object       int64  // in the books, of what the shop has just made
	field        intake.Field
}

func placeOf(c PushChange) place {
	p := place{resource: c.Resource, id: c.ID, location: c.Location, field: c.Field}
	if c.ID == "" {
		p.label = cmp.Or(c.New, c.Label)
	}
	return p
}

// note puts what became of pushes into the result.
func (p *pass) note(pushes []erp.Push, outcomes []intake.Outcome, receipt erp.PushReceipt) {
	t := &p.res.Total
	t.Done += receipt.Done
	t.Stale += receipt.Stale
	t.Refused += receipt.Refused
	t.Parked += receipt.Parked
	t.Skipped += receipt.Skipped
	for n, push := range pushes {
		o := outcomes[n]
		if p.outcome != nil {
			p.outcome[push.Message.Object] = o
		}
		p.res.Exposure = max(p.res.Exposure, o.ExposedTo.Sub(o.ExposedFrom))
		for _, c := range changesOf(push) {
			at := placeOf(c)
			if c.ID == "" { // several may be called the same
				at.object = push.Message.Object
			}
			c.Outcome, c.Why = o.Result, o.Why
			if c.ID == "" && c.Resource == resourceOf(push.Message.Kind) {
				c.ID = o.Ref.ID
			}
			if have, ok := p.at[at]; ok && c.Resource != intake.Orders {
				p.res.Changes[have] = c
				continue
			}
			p.at[at] = len(p.res.Changes)
			p.res.Changes = append(p.res.Changes, c)
		}
	}
}

// pushHistory is what a process remembers of telling a shop.
type pushHistory struct {
	last     time.Time // zero where there was none
	err      string
	exposure time.Duration
}

func (sh *shop) noteExposure(d time.Duration) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.pushing.exposure = max(sh.pushing.exposure, d)
}
