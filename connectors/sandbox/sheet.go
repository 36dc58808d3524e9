package sandbox

import (
	"slices"

	"comptoir/erp/money"

	"github.com/shopspring/decimal"
)

// An order's sheet is what each of its lines comes to in whole cents: for
// platforms that state every tax in cents, where the other keeps six decimals
// and rounds the sums. The cents of the lines add up to the same sums.

// entry is a line of a sheet. Amounts are net.
type entry struct {
	kind       partKind
	index      int
	qty        int64
	sub, total int64 // before and after discounts
	tax        cents
}

// cents is the tax of one amount by rate, in whole cents.
type cents struct {
	n      int
	rates  [2]*taxRate
	amount [2]int64
}

func (c cents) sum() int64 { return c.amount[0] + c.amount[1] }

// wholeCents rounds a tax rate by rate.
func wholeCents(t taxed) cents {
	c := cents{n: t.n, rates: t.rates}
	for i := range t.n {
		c.amount[i] = toCents(t.micro[i])
	}
	return c
}

// sheet returns what the order comes to now, line by line: goods, then
// shipping, then fees. Its tax is split over the lines as money.Split does it.
func (o *order) sheet() []entry {
	all := make([]entry, 0, len(o.lines)+len(o.shipping)+len(o.fees))
	shares := make([]decimal.Decimal, 0, 2*cap(all))
	var whole int64
	add := func(e entry, t taxed) {
		e.tax = cents{n: t.n, rates: t.rates}
		for k := range t.n {
			shares = append(shares, decimal.New(t.micro[k], -4))
			whole += toCents(t.micro[k])
		}
		all = append(all, e)
	}
	for i := range o.lines {
		l := &o.lines[i]
		add(entry{kind: goods, index: i, qty: l.qty, sub: l.sub, total: l.total}, o.lineTax(l))
	}
	for i := range o.shipping {
		sh := &o.shipping[i]
		add(entry{kind: carriage, index: i, qty: 1, sub: sh.total, total: sh.total}, o.shipTax(sh))
	}
	for i := range o.fees {
		f := &o.fees[i]
		add(entry{kind: charge, index: i, qty: 1, sub: f.total, total: f.total}, o.feeTax(f))
	}
	for i := range o.duties {
		add(entry{kind: customs, index: i, qty: 1, sub: o.duties[i].amount, total: o.duties[i].amount}, taxed{})
	}
	next := 0
	parts := money.Split(whole, shares)
	for i := range all {
		for k := range all[i].tax.n {
			all[i].tax.amount[k] = parts[next]
			next++
		}
	}
	return all
}

// edit is a change of an order's lines after it was placed.
type edit struct {
	at     int64
	before []entry
	swap   *refund // what was given back in exchange; nil: none
}

// keepBefore keeps what an order came to before it is edited, where the
// platform can tell later.
func (s *Shop) keepBefore(o *order) {
	if s.onShopify() {
		o.edits = append(o.edits, edit{at: s.now(), before: o.sheet()})
	}
}

// deal is what was agreed with the customer at one time: the order itself, or
// a change of it.
type deal struct {
	at    int64
	swap  *refund // of an exchange
	sales []sale
}

// sale is what one line gained or lost in a deal; amounts and quantities are
// below zero for what was taken off.
type sale struct {
	id int64
	entry
}

// deals tells how the order came to be what it is: the order as placed first,
// then its edits. The sales of a line add up to what it comes to now.
func (o *order) deals() []deal {
	sheets := make([][]entry, 0, len(o.edits)+1)
	for i := range o.edits {
		sheets = append(sheets, o.edits[i].before)
	}
	sheets = append(sheets, o.sheet())
	all := make([]deal, len(sheets))
	var before []entry
	for i, now := range sheets {
		all[i].at = o.created
		if i > 0 {
			all[i].at, all[i].swap = o.edits[i-1].at, o.edits[i-1].swap
		}
		for _, e := range now {
			if was := slices.IndexFunc(before, func(w entry) bool { return w.kind == e.kind && w.index == e.index }); was >= 0 {
				e = e.less(&before[was])
			}
			if i == 0 || e.something() {
				all[i].sales = append(all[i].sales, sale{id: o.id*1000 + int64(i*100+len(all[i].sales)), entry: e})
			}
		}
		before = now
	}
	return all
}

// less is the change from one state of a line to this one. The place of a
// line's tax does not change, so its rates stay the same.
func (e entry) less(was *entry) entry {
	e.qty -= was.qty
	e.sub -= was.sub
	e.total -= was.total
	for k := range e.tax.n {
		e.tax.amount[k] -= was.tax.amount[k]
	}
	return e
}

func (e *entry) something() bool { return e.qty != 0 || e.sub != 0 || e.total != 0 || e.tax.sum() != 0 }

// ordered is what each line came to with all that was ever added to it, and
// nothing taken off: what a line is before edits removed units.
func (o *order) ordered() []entry {
	if len(o.edits) == 0 {
		return o.sheet()
	}
	var all []entry
	for _, d := range o.deals() {
		for _, s := range d.sales {
			k := slices.IndexFunc(all, func(w entry) bool { return w.kind == s.kind && w.index == s.index })
			switch {
			case k < 0:
				all = append(all, s.entry)
			case s.qty >= 0:
				had := &all[k]
				had.qty += s.qty
				had.sub += s.sub
				had.total += s.total
				for r := range s.tax.n {
					had.tax.amount[r] += s.tax.amount[r]
				}
			}
		}
	}
	return all
}
