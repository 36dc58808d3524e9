package conformance

import (
	"encoding/json"
	"slices"

	"comptoir/erp/intake"

	"github.com/shopspring/decimal"
)

// edit changes, makes or deletes something.
func (s *tillShop) edit(e intake.Edit, with bool) intake.Outcome {
	out := intake.Outcome{Ref: e.Ref, Result: intake.Done}
	switch {
	case e.Delete:
		s.dropCategory(e.Ref.ID, with)
	case e.Ref.ID == "" && e.Ref.Kind == intake.KindCategory:
		out.Ref.ID = s.next()
		s.categories[out.Ref.ID] = &intake.Category{}
	case e.Ref.ID == "" && e.Ref.Kind == intake.KindVariant:
		var why string
		if out.Ref.ID, why = s.add(e); why != "" {
			return intake.Outcome{Ref: e.Ref, Result: intake.Refused, Why: why}
		}
	case e.Ref.ID == "":
		out.Ref.ID = s.next()
		p := &intake.Product{Kind: intake.ProductStocked}
		for _, v := range e.Variants {
			id := s.next()
			p.Variants = append(p.Variants, intake.Variant{ID: id, ProductID: out.Ref.ID, Kind: intake.ProductStocked, Sellable: true})
			out.Variants = append(out.Variants, intake.Ref{Kind: intake.KindVariant, ID: id, Parent: out.Ref.ID})
			for _, c := range v.Changes {
				setVariant(&p.Variants[len(p.Variants)-1], c)
			}
		}
		s.products[out.Ref.ID] = p
	}
	for _, c := range e.Changes {
		if !s.set(out.Ref, c) {
			return intake.Outcome{Ref: e.Ref, Result: intake.Refused, Why: "no such record"}
		}
	}
	return out
}

// add makes a variant of a product, or finds it, or says why it does not fit.
func (s *tillShop) add(e intake.Edit) (id, why string) {
	p := s.products[e.Ref.Parent]
	v := intake.Variant{ProductID: e.Ref.Parent, Kind: intake.ProductStocked, Sellable: true, Tracked: !e.Untracked, Stock: number(0)}
	for _, c := range e.Changes {
		setVariant(&v, c)
	}
	if p == nil || len(v.Options) == 0 || len(p.Variants[0].Options) == 0 || p.Variants[0].Options[0].Name != v.Options[0].Name {
		return "", "there is no product of such choices"
	}
	for _, other := range p.Variants {
		if slices.Equal(other.Options, v.Options) && s.flaw != newKeyEachTime {
			if other.SKU != v.SKU {
				return "", "there is one of the same choices"
			}
			return other.ID, ""
		}
	}
	v.ID = s.next()
	p.Variants = append(p.Variants, v)
	return v.ID, ""
}

func (s *tillShop) dropCategory(id string, with bool) {
	delete(s.categories, id)
	for product, p := range s.products {
		if with && slices.Contains(p.CategoryIDs, id) {
			delete(s.products, product)
		}
		p.CategoryIDs = slices.DeleteFunc(p.CategoryIDs, func(c string) bool { return c == id })
	}
}

func (s *tillShop) set(ref intake.Ref, c intake.Change) bool {
	switch ref.Kind {
	case intake.KindProduct:
		p := s.products[ref.ID]
		if p == nil {
			return false
		}
		switch c.Field {
		case intake.FieldTitle:
			p.Title = c.To
		case intake.FieldDescription:
			p.Description = c.To
		case intake.FieldStatus:
			p.Status = c.To
		case intake.FieldCategories:
			p.CategoryIDs = nil
			_ = json.Unmarshal([]byte(c.To), &p.CategoryIDs)
		}
	case intake.KindVariant:
		v := s.variant(ref.ID)
		if v == nil {
			return false
		}
		setVariant(v, c)
	default:
		k := s.categories[ref.ID]
		if k == nil {
			return false
		}
		switch c.Field {
		case intake.FieldName:
			k.Name = c.To
		case intake.FieldDescription:
			k.Description = c.To
		case intake.FieldParent:
			k.ParentID = c.To
		}
	}
	return true
}

func setVariant(v *intake.Variant, c intake.Change) {
	switch c.Field {
	case intake.FieldSKU:
		v.SKU = c.To
	case intake.FieldPrice:
		v.Regular = new(decimal.RequireFromString(c.To))
	case intake.FieldOptions:
		v.Options = nil
		_ = json.Unmarshal([]byte(c.To), &v.Options)
	}
}

// handle ships, refunds or cancels an order.
func (s *tillShop) handle(r intake.OrderRequest) intake.Outcome {
	o := s.orders[r.Order.ID]
	refused := func(why string) intake.Outcome { return intake.Outcome{Ref: r.Order, Result: intake.Refused, Why: why} }
	switch {
	case o == nil:
		return refused("no such order")
	case r.Shipment != nil:
		o.Shipments = append(o.Shipments, intake.Shipped{ID: s.next(), At: r.Shipment.At, Carrier: r.Shipment.Carrier, Tracking: r.Shipment.Tracking, Lines: r.Shipment.Lines})
		if r.Shipment.Completes {
			o.State = intake.StateCompleted
		}
	case r.Refund != nil:
		left := o.Total
		for _, before := range o.Refunds {
			left = left.Sub(before.Amount)
		}
		if r.Refund.Amount.GreaterThan(left) {
			return refused("there is not so much left")
		}
		o.Refunds = append(o.Refunds, intake.Refund{ID: s.next(), At: s.Now(), Amount: r.Refund.Amount})
		for _, l := range r.Refund.Lines {
			s.restock(o, l.Quantity)
		}
	case r.Cancel != nil:
		o.State = intake.StateCancelled
		s.restock(o, o.Lines[0].Quantity)
	}
	return intake.Outcome{Ref: r.Order, Result: intake.Done}
}

func (s *tillShop) restock(o *intake.Order, units decimal.Decimal) {
	if v := s.variant(o.Lines[0].VariantID); v != nil {
		v.Stock = new(v.Stock.Add(units))
	}
}
