package erp

import (
	"context"
	"errors"
	"fmt"
	"time"

	"comptoir/erp/catalog"
	"comptoir/erp/crm"
	"comptoir/erp/fault"
	"comptoir/erp/intake"
	"comptoir/erp/money"
	"comptoir/erp/sales"
	"comptoir/erp/tax"

	"github.com/shopspring/decimal"
)

// orders decides and writes the orders of a page.
func (p *page) orders(ctx context.Context, said []intake.Record, which []int, outcomes []Outcome) error {
	if len(which) == 0 {
		return nil
	}
	s, err := p.openSales(ctx, said, which)
	if err != nil {
		return err
	}
	for _, i := range which {
		if outcomes[i], err = s.order(ctx, &said[i]); err != nil {
			return fmt.Errorf("order %s: %w", said[i].Ref.ID, err)
		}
	}
	return nil
}

// salesPage is what the orders of a page share.
type salesPage struct {
	*page
	writer   *sales.Writer
	contacts *crm.Book
	before   map[int64]*sales.Order
	variants map[int64]catalog.Variant
}

// openSales reads what the orders of the page need: the orders as the books
// have them, the goods they name, the contacts, the tax rates.
func (p *page) openSales(ctx context.Context, said []intake.Record, which []int) (*salesPage, error) {
	s := &salesPage{page: p}
	var ids []int64
	var goods, emails []string
	parents := map[string]string{}
	for _, i := range which {
		if had := p.origins[originKey{intake.KindOrder, said[i].Ref.ID}]; had != nil {
			ids = append(ids, had.local)
		}
		o := said[i].Body.(*intake.Order)
		emails = append(emails, o.Customer.Email)
		for _, l := range o.Lines {
			if l.VariantID != "" {
				goods = append(goods, l.VariantID)
				parents[l.VariantID] = l.ProductID
			}
		}
	}
	var err error
	if s.before, err = sales.Load(ctx, p.tx, ids); err != nil {
		return nil, err
	}
	if err := p.loadOrigins(ctx, intake.KindVariant, goods); err != nil {
		return nil, err
	}
	local := make([]int64, 0, len(goods))
	seen := make(map[int64]bool, len(goods))
	for _, g := range goods {
		o := p.origins[originKey{intake.KindVariant, g}]
		if o == nil {
			continue
		}
		for _, id := range []int64{o.local, o.was} {
			if id != 0 && !seen[id] {
				seen[id] = true
				local = append(local, id)
			}
		}
	}
	if s.variants, err = catalog.Variants(ctx, p.tx, local); err != nil {
		return nil, err
	}
	if s.contacts, err = crm.Open(ctx, p.tx, p.now, emails); err != nil {
		return nil, err
	}
	components, err := tax.Components(ctx, p.tx, p.shop)
	if err != nil {
		return nil, err
	}
	s.writer = &sales.Writer{Tx: p.tx, Poster: p.poster, Mover: p.mover, Components: components}
	return s, nil
}

// order decides one order and writes what it changes.
func (s *salesPage) order(ctx context.Context, rec *intake.Record) (Outcome, error) {
	said := rec.Body.(*intake.Order)
	var before *sales.Order
	if had := s.origins[originKey{intake.KindOrder, rec.Ref.ID}]; had != nil {
		before = s.before[had.local]
	}
	f, stubs := s.facts(rec, said, before)
	d, err := sales.Decide(before, said, f)
	var flt *fault.Error
	switch {
	case errors.As(err, &flt):
		return Parked, s.park(ctx, *rec, flt)
	case err != nil:
		return Parked, err
	case d.Ignore:
		return Unchanged, nil
	}
	if err := s.rates(ctx, said); err != nil {
		if errors.As(err, &flt) {
			return Parked, s.park(ctx, *rec, flt)
		}
		return Parked, err
	}
	if err := s.describeLater(ctx, stubs, said.PlacedAt, &d); err != nil {
		return Parked, err
	}
	contact, err := s.contacts.Meet(ctx, said.Customer, false)
	if err != nil {
		return Parked, err
	}
	id, err := s.writer.Write(ctx, before, said, d, f, contact)
	if err != nil {
		return Parked, err
	}
	if s.origins[originKey{intake.KindOrder, rec.Ref.ID}] == nil {
		s.origins[originKey{intake.KindOrder, rec.Ref.ID}] = &origin{local: id, isNew: true}
	}
	s.describe(rec.Ref, said, d, before == nil)
	return Applied, s.remember(rec)
}

// facts gathers what Decide needs to know. The lines whose goods the books do
// not know are returned too: they become stubs.
func (s *salesPage) facts(rec *intake.Record, said *intake.Order, before *sales.Order) (sales.Facts, []intake.Line) {
	company := s.b.opts.Company
	f := sales.Facts{
		Shop: s.stream.Shop, ShopID: s.shop, External: rec.Ref.ID, Placed: said.PlacedAt, Modified: rec.Modified, Rules: s.rules,
		Home: company.Currency, Zone: company.TimeZone, LockDate: s.lock, Rate: company.rate,
		Goods: make(map[string]sales.Goods, len(said.Lines)),
	}
	var stubs []intake.Line
	for _, l := range said.Lines {
		if l.VariantID == "" || l.Kind != intake.LineItem {
			continue
		}
		o := s.origins[originKey{intake.KindVariant, l.VariantID}]
		if o == nil {
			stubs = append(stubs, l)
			f.Goods[l.ID] = sales.Goods{Stub: true}
			continue
		}
		v, ok := s.variants[s.soldAsBefore(o, before, l.ID)]
		if !ok { // made on this page
			f.Goods[l.ID] = sales.Goods{Variant: o.local, Stock: o.local, Stub: true}
			continue
		}
		f.Goods[l.ID] = sales.Goods{Variant: v.ID, Stock: v.Stock, Tracked: v.Tracked, Stub: v.Stub, Unlisted: v.Unlisted, Cost: s.cost(v)}
	}
	return f, stubs
}

// soldAsBefore is the variant that a line of an order sells: what its record is,
// or where the books had the line before the record became a variant of its own,
// what it was then.
func (s *salesPage) soldAsBefore(o *origin, before *sales.Order, line string) int64 {
	if o.was == 0 || before == nil {
		return o.local
	}
	if had, ok := before.Lines[line]; ok && had.Stock == s.variants[o.was].Stock {
		return o.was
	}
	return o.local
}

// cost is what a unit is worth: as stated or valued, else the default.
func (p *page) cost(v catalog.Variant) decimal.Decimal {
	switch {
	case v.Cost != nil:
		return *v.Cost
	case p.b.opts.Company.DefaultCost != nil:
		return *p.b.opts.Company.DefaultCost
	default:
		return decimal.Decimal{}
	}
}

// describeLater makes stubs of goods that no product page has described yet,
// and gives the decision's lines their ids.
func (s *salesPage) describeLater(ctx context.Context, stubs []intake.Line, placed time.Time, d *sales.Decision) error {
	for _, l := range stubs {
		id, made, err := s.ensure(ctx, intake.KindVariant, l.VariantID)
		if err != nil {
			return err
		}
		if made {
			catalog.SaveStub(s.tx, id, l.SKU, l.Title, placed)
			s.place(intake.KindVariant, l.VariantID, l.ProductID)
		}
		for i := range d.Lines {
			if d.Lines[i].Said.ID == l.ID {
				d.Lines[i].Goods.Variant, d.Lines[i].Goods.Stock = id, id
			}
		}
	}
	return nil
}

// rates makes the tax components that an order names and the list of rates did
// not: the shop may have deleted the rate since.
func (s *salesPage) rates(ctx context.Context, said *intake.Order) error {
	each := func(taxes []intake.Tax) error {
		for _, t := range taxes {
			if _, ok := s.writer.Components[t.RateID]; ok || t.Remitted {
				continue
			}
			c, err := tax.FromRate(t.RateID, &intake.TaxRate{Name: t.Name, Country: t.Country, Rate: t.Rate, Compound: t.Compound})
			if err != nil {
				return err
			}
			id, err := tax.Save(ctx, s.tx, s.shop, c)
			if err != nil {
				return err
			}
			s.writer.Components[t.RateID] = id
		}
		return nil
	}
	for _, l := range said.Lines {
		if err := each(l.Taxes); err != nil {
			return err
		}
	}
	for _, r := range said.Refunds {
		for _, l := range r.Lines {
			if err := each(l.Taxes); err != nil {
				return err
			}
		}
	}
	return nil
}

// describe tells a preview what a decision does.
func (s *salesPage) describe(ref intake.Ref, said *intake.Order, d sales.Decision, isNew bool) {
	if s.changes == nil {
		return
	}
	if isNew {
		s.note(ref, fmt.Sprintf("order %s: new, %s, %s", said.Number, d.State, money.Text(said.Total, said.Currency)))
	}
	for _, st := range d.Steps {
		if st.Reverse != nil {
			s.note(ref, fmt.Sprintf("order %s: reverse %s", said.Number, st.Event))
		}
		if st.Posting != nil {
			s.note(ref, fmt.Sprintf("order %s: post %s on %s", said.Number, st.Event, st.Posting.Effective))
		}
	}
	if !isNew && len(d.Steps) == 0 {
		s.note(ref, fmt.Sprintf("order %s: update its details", said.Number))
	}
}

// forgetOrder notes that the shop no longer has an order.
func (p *page) forgetOrder(ctx context.Context, external string, local int64) error {
	orders, err := sales.Load(ctx, p.tx, []int64{local})
	if err != nil {
		return err
	}
	w := &sales.Writer{Tx: p.tx, Poster: p.poster, Mover: p.mover}
	return w.MarkDeleted(ctx, orders[local], sales.Facts{Shop: p.stream.Shop, ShopID: p.shop, External: external, Modified: p.now})
}
