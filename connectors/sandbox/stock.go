package sandbox

// site is a place where stock lies.
type site struct {
	id            int64
	name          string
	place         uint8 // index in places
	active, ships bool
}

// The shop's locations. Goods leave the first, or the second; the third was
// closed.
var locations = [...]site{
	{501, "Atelier", 0, true, true},
	{502, "Réserve", 3, true, true},
	{503, "Ancienne boutique", 1, false, false},
}

const (
	atelier = iota
	reserve
)

// level is what there is of a variant at one location.
type level struct {
	of *variant
	at *site
}

// levels are where a variant is stocked.
func (v *variant) levels() []level {
	all := []level{{v, &locations[atelier]}}
	if v.tracked && !v.homeOnly {
		all = append(all, level{v, &locations[reserve]})
	}
	return all
}

// quantity is how much of the variant is in a state at the location: what can
// be sold, what open orders hold, and what stands there, which is both.
func (s *Shop) quantity(l level, state string) int64 {
	if !l.of.tracked {
		return 0
	}
	main := l.at == &locations[atelier]
	available := l.of.aside
	if main {
		available = l.of.stock - l.of.aside
	}
	committed := func() int64 {
		if main {
			return s.committed(l.of)
		}
		return 0
	}
	switch state {
	case "available":
		return available
	case "committed":
		return committed()
	case "on_hand":
		return available + committed()
	default: // incoming, reserved, damaged …: the shop has none
		return 0
	}
}

// put sets what can be sold of a variant at a location.
func (s *Shop) put(l level, available int64) {
	change := available - s.quantity(l, "available")
	if l.at == &locations[reserve] {
		l.of.aside = available
	}
	s.setStock(l.of, l.of.stock+change)
}

// holdings are what open orders hold of each variant, and of which state of the
// shop that is true.
type holdings struct {
	changes uint64
	of      map[*variant]int64
}

// committed is how much of a variant is sold and not yet shipped.
func (s *Shop) committed(v *variant) int64 {
	if s.holdings == nil || s.holdings.changes != s.changes {
		s.holdings = &holdings{changes: s.changes, of: map[*variant]int64{}}
		for _, o := range s.orders {
			for i := range o.lines {
				if n := o.waiting(i); n > 0 {
					s.holdings.of[o.lines[i].of] += n
				}
			}
		}
	}
	return s.holdings.of[v]
}

// waiting is how many units of a line are held and not yet shipped.
func (o *order) waiting(i int) int64 {
	switch o.state {
	case stateHeld, stateOpen, statePickup:
		if o.holding {
			back, _, _ := o.refunded(goods, i)
			return o.lines[i].qty - back - o.sent(i)
		}
	}
	return 0
}

// recommit dates the stock of an order's goods where it changes what it holds
// of them.
func (s *Shop) recommit(o *order) {
	for i := range o.lines {
		if v := o.lines[i].of; !v.gone {
			v.counted = s.now()
		}
	}
}
