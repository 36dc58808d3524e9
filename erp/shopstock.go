package erp

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"comptoir/erp/fault"
	"comptoir/erp/intake"
	"comptoir/erp/inventory"
	"comptoir/erp/outbox"
	"comptoir/erp/quantity"
	"comptoir/erp/store"
)

// stockBatch is how many variants are looked at in one query.
const stockBatch = 500

// shopStock is a stock that a shop sells from, as the books have it and as the
// shop is known to have it.
type shopStock struct {
	variant    int64
	sku        string
	external   string
	parent     string
	backorders string
	safety     quantity.Quantity
	onHand     quantity.Quantity
	demand     quantity.Quantity
	taken      quantity.Quantity // by the shop's orders
	ordered    int64             // when one of them last changed it, by the shop's clock
	counted    bool              // the shop counts it
	known      bool              // what it states was acknowledged
	stated     quantity.Quantity
	statedAt   int64
	seenAt     int64
	levels     map[string]quantity.Quantity // what the shop states by location
	acks       map[string]shopAck           // by location
	elsewhere  map[int64]quantity.Quantity  // on hand by place, but for the main one
	// exposed: an order of the shop was placed about when its number was
	// overwritten, and the shop was not asked since. It matters where the books
	// learnt of it only afterwards.
	exposed bool
}

// shopAck is what a shop last acknowledged.
type shopAck struct {
	inventory.Acknowledged
	status string
}

// shelf is a location of a shop that stands for a place of the books.
type shelf struct {
	location string // external id; "" for a shop without locations
	place    int64
}

// levelPlan is what a shop is to have at a location, beside what it has.
type levelPlan struct {
	shelf
	desired quantity.Quantity
	status  string
	belief  inventory.Belief
	agrees  bool
}

// shopCounts is what stock pushes to one shop need to know.
type shopCounts struct {
	shop    int64
	policy  outbox.Policy
	shelves []shelf
}

// openCounts reads the locations of a shop.
func (b *Books) openCounts(ctx context.Context, r store.Reader, shop int64) (shopCounts, error) {
	c := shopCounts{shop: shop, policy: b.policy(shop)}
	rows, err := r.Query(ctx, `SELECT l.external_id, l.name, l.active AND l.ships FROM location l WHERE l.shop_id = $1 AND NOT l.deleted ORDER BY l.id`, shop)
	if err != nil {
		return c, fmt.Errorf("read locations: %w", err)
	}
	var all []location
	for rows.Next() {
		var l location
		if err := rows.Scan(&l.external, &l.name, &l.ships); err != nil {
			return c, errors.Join(err, rows.Close())
		}
		all = append(all, l)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return c, err
	}
	places, err := warehouses(ctx, r)
	if err != nil {
		return c, err
	}
	c.shelves, err = shelvesOf(c.policy, all, places)
	return c, err
}

// warehouses reads the places that hold stock of ours, by their code.
func warehouses(ctx context.Context, r store.Reader) (map[string]int64, error) {
	rows, err := r.Query(ctx, `SELECT code, id FROM place WHERE kind = 'warehouse'`)
	if err != nil {
		return nil, fmt.Errorf("read warehouses: %w", err)
	}
	defer rows.Close()
	out := map[string]int64{}
	for rows.Next() {
		var code string
		var id int64
		if err := rows.Scan(&code, &id); err != nil {
			return nil, err
		}
		out[code] = id
	}
	return out, rows.Err()
}

// location is where a shop keeps stock.
type location struct {
	external, name string
	ships          bool // and is active
}

// shelvesOf finds the locations that stand for places: those that the policy
// names, or else the first one that ships for the main warehouse.
func shelvesOf(policy outbox.Policy, all []location, places map[string]int64) ([]shelf, error) {
	if len(all) == 0 {
		return []shelf{{place: inventory.Main}}, nil
	}
	if len(policy.Locations) == 0 {
		at := slices.IndexFunc(all, func(l location) bool { return l.ships })
		if at < 0 {
			return nil, fault.New(fault.Unprocessable, "switch on a location that ships in the shop, or map one to a warehouse under locations", "none of the shop's locations is active and ships, so there is none for its stock")
		}
		return []shelf{{location: all[at].external, place: inventory.Main}}, nil
	}
	var out []shelf
	for _, l := range all {
		code, ok := policy.Locations[l.external]
		if !ok {
			code, ok = policy.Locations[l.name]
		}
		if !ok {
			continue
		}
		place, ok := places[code]
		if !ok {
			return nil, fault.New(fault.Invalid, "map the location to main", "location %s stands for warehouse %q, and there is none", l.name, code)
		}
		if slices.ContainsFunc(out, func(s shelf) bool { return s.place == place }) {
			return nil, fault.New(fault.Invalid, "map only one of them to it", "several locations stand for warehouse %s, and its stock would be offered at each of them", code)
		}
		out = append(out, shelf{location: l.external, place: place})
	}
	if len(out) == 0 {
		return nil, fault.New(fault.Invalid, "name them as the shop does, by id or by name", "the shop has none of the locations that are mapped to a warehouse")
	}
	return out, nil
}

// plans works out what the shop is to have of a stock at each location.
func (c shopCounts) plans(s shopStock) []levelPlan {
	if !s.counted {
		return []levelPlan{c.statusPlan(s)}
	}
	out := make([]levelPlan, len(c.shelves))
	for i, at := range c.shelves {
		p := levelPlan{shelf: at, desired: c.offer(s).Desired(s.available(at.place))}
		if at.place == inventory.Main {
			p.desired = max(p.desired-c.leftAlone(s), 0)
		}
		p.status = s.status(p.desired)
		p.belief = s.believed(at)
		p.belief.Sure = p.belief.Sure && !(s.exposed && s.taken != s.acks[at.location].Taken)
		p.agrees = p.belief.Agrees(p.desired)
		out[i] = p
	}
	return append(out, c.surplus(s)...)
}

// surplus plans what the shop offers at its other locations beyond what there is
// at all: those that are mapped to nothing serve its customers too, so what they
// offer is taken down to what can be sold. Where locations are mapped, the others
// are none of our stock.
func (c shopCounts) surplus(s shopStock) []levelPlan {
	if len(c.policy.Locations) > 0 {
		return nil
	}
	var out []levelPlan
	left := c.offer(s).Desired(s.available(inventory.Main))
	for _, location := range slices.Sorted(maps.Keys(s.levels)) {
		offered := max(s.levels[location], 0)
		if slices.ContainsFunc(c.shelves, func(at shelf) bool { return at.location == location }) {
			continue
		}
		keeps := min(offered, left)
		left -= keeps
		if keeps == offered {
			continue
		}
		p := levelPlan{shelf: shelf{location: location}, desired: keeps, status: s.status(keeps)}
		p.belief = s.believed(p.shelf)
		p.agrees = p.belief.Agrees(keeps)
		out = append(out, p)
	}
	return out
}

// statusPlan is the plan for a stock that the shop does not count: it is only
// told whether there is any.
func (c shopCounts) statusPlan(s shopStock) levelPlan {
	p := levelPlan{shelf: c.shelves[0], desired: c.offer(s).Desired(s.available(inventory.Main))}
	p.status = s.status(p.desired)
	ack, told := s.acks[p.location]
	p.agrees = told && ack.status == p.status
	return p
}

func (c shopCounts) offer(s shopStock) inventory.Offer {
	return inventory.Offer{Share: c.policy.Share, Cap: c.policy.Cap, Whole: s.stated%quantity.Unit == 0}
}

// leftAlone is what the shop can sell from locations that stand for no place:
// it comes from the same stock.
func (c shopCounts) leftAlone(s shopStock) (sum quantity.Quantity) {
	for location, q := range s.levels {
		if !slices.ContainsFunc(c.shelves, func(at shelf) bool { return at.location == location }) {
			sum += max(q, 0)
		}
	}
	return sum
}

// available is what of the stock at a place can be sold. Open orders want what
// is in the main warehouse.
func (s shopStock) available(place int64) quantity.Quantity {
	if place != inventory.Main {
		return max(s.elsewhere[place], 0)
	}
	return inventory.Available(s.onHand, s.demand, s.safety)
}

// status says whether a variant can be bought of which there is so much.
func (s shopStock) status(desired quantity.Quantity) string {
	switch {
	case desired > 0:
		return intake.InStock
	case onBackorder(s.backorders):
		return intake.OnBackorder
	default:
		return intake.OutOfStock
	}
}

// believed is what the shop is taken to have at a location. Its orders are taken
// to be served from the main one.
func (s shopStock) believed(at shelf) inventory.Belief {
	var acked *inventory.Acknowledged
	taken := s.taken
	if a, ok := s.acks[at.location]; ok {
		acked = &a.Acknowledged
		if at.place != inventory.Main {
			taken = a.Taken
		}
	}
	return inventory.Believed(acked, s.statement(at, acked), taken, s.ordered)
}

// statement is what the shop states of a location, where that is news.
func (s shopStock) statement(at shelf, acked *inventory.Acknowledged) *inventory.Statement {
	if s.known && acked != nil {
		return nil
	}
	said := inventory.Statement{Quantity: s.stated, At: max(s.statedAt, s.seenAt-skewAllowance.Microseconds())}
	if at.location != "" {
		var ok bool
		if said.Quantity, ok = s.levels[at.location]; !ok {
			return nil
		}
	}
	return &said
}

// shopStocks reads the opened stocks that a shop sells from and that it has not
// taken away: those of the variants, or those after one, in order.
func (c shopCounts) shopStocks(ctx context.Context, r store.Reader, variants []int64, after int64) ([]shopStock, error) {
	which, args := `v.id > $2 ORDER BY v.id LIMIT $3`, []any{c.shop, after, stockBatch}
	if variants != nil {
		which, args = `v.id IN (`+store.In(len(variants), 2)+`) ORDER BY v.id`, store.InArgs([]any{c.shop}, variants)
	}
	rows, err := r.Query(ctx, `SELECT v.id, v.sku, v.backorders, v.safety, l.on_hand, l.demand, g.external_id, g.parent, COALESCE(t.quantity, 0), COALESCE(t.ordered_at, 0),
			s.quantity IS NOT NULL, COALESCE(s.known, FALSE), COALESCE(s.quantity, 0), COALESCE(s.stated_at, 0), COALESCE(s.seen_at, 0)
		FROM variant v JOIN stock_level l ON l.variant_id = v.id AND l.place_id = 1 AND l.opened
		JOIN origin g ON g.local_id = v.id AND g.kind = 'variant' AND g.shop_id = $1 AND NOT g.gone
		LEFT JOIN shop_stock s ON s.shop_id = $1 AND s.variant_id = v.id
		LEFT JOIN shop_taken t ON t.shop_id = $1 AND t.variant_id = v.id
		WHERE v.stock_id = v.id AND `+which, args...)
	if err != nil {
		return nil, fmt.Errorf("read the stock of the shop: %w", err)
	}
	defer rows.Close()
	var out []shopStock
	for rows.Next() {
		s := shopStock{levels: map[string]quantity.Quantity{}, acks: map[string]shopAck{}, elsewhere: map[int64]quantity.Quantity{}}
		if err := rows.Scan(&s.variant, &s.sku, &s.backorders, &s.safety, &s.onHand, &s.demand, &s.external, &s.parent, &s.taken, &s.ordered,
			&s.counted, &s.known, &s.stated, &s.statedAt, &s.seenAt); err != nil {
			return nil, err
		}
		if n := len(out); n > 0 && out[n-1].variant == s.variant {
			continue // on two records of the shop, which RepeatedSKUs tells of
		}
		out = append(out, s)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	return out, c.details(ctx, r, out)
}

// details reads what hangs on the stocks.
func (c shopCounts) details(ctx context.Context, r store.Reader, list []shopStock) error {
	if len(list) == 0 {
		return nil
	}
	ids, at := make([]int64, len(list)), make(map[int64]int, len(list))
	for i := range list {
		ids[i], at[list[i].variant] = list[i].variant, i
	}
	in, args := store.In(len(ids), 2), store.InArgs([]any{c.shop}, ids)
	for _, read := range []struct {
		query string
		take  func(*sql.Rows) error
	}{
		{`SELECT variant_id, location, available FROM shop_level WHERE shop_id = $1 AND variant_id IN (` + in + `)`, func(rows *sql.Rows) error {
			var variant int64
			var location string
			var q quantity.Quantity
			err := rows.Scan(&variant, &location, &q)
			if err == nil {
				list[at[variant]].levels[location] = q
			}
			return err
		}},
		{`SELECT variant_id, location, quantity, taken, unsure, status FROM stock_ack WHERE shop_id = $1 AND variant_id IN (` + in + `)`, func(rows *sql.Rows) error {
			var variant int64
			var location string
			var a shopAck
			err := rows.Scan(&variant, &location, &a.Quantity, &a.Taken, &a.Unsure, &a.status)
			if err == nil {
				list[at[variant]].acks[location] = a
			}
			return err
		}},
		{`SELECT l.variant_id, l.place_id, l.on_hand FROM stock_level l JOIN shop s ON s.id = $1 WHERE l.place_id <> 1 AND l.variant_id IN (` + in + `)`, func(rows *sql.Rows) error {
			var variant, place int64
			var q quantity.Quantity
			err := rows.Scan(&variant, &place, &q)
			if err == nil {
				list[at[variant]].elsewhere[place] = q
			}
			return err
		}},
	} {
		if err := eachRow(ctx, r, read.query, args, read.take); err != nil {
			return fmt.Errorf("read the stock of the shop: %w", err)
		}
	}
	if err := c.exposed(ctx, r, list, at); err != nil {
		return fmt.Errorf("read what was sold while it was overwritten: %w", err)
	}
	return nil
}

// exposed notes the stocks of which an order of the shop took some while the
// shop's number was overwritten, give or take what the clocks differ. Only those
// are looked at of which some was taken since.
func (c shopCounts) exposed(ctx context.Context, r store.Reader, list []shopStock, at map[int64]int) error {
	var ids []int64
	for _, s := range list {
		for _, a := range s.acks {
			if a.Taken != s.taken {
				ids = append(ids, s.variant)
				break
			}
		}
	}
	if len(ids) == 0 {
		return nil
	}
	args := store.InArgs([]any{c.shop, (24 * time.Hour).Microseconds(), exposureMargin.Microseconds()}, ids)
	return eachRow(ctx, r, `SELECT DISTINCT e.variant_id FROM stock_exposure e
		JOIN sales_order o ON o.shop_id = e.shop_id AND o.placed_at BETWEEN e.from_at - $2 AND e.to_at + $3 AND (o.placed_at >= e.from_at - $3 OR o.paid_at BETWEEN e.from_at - $3 AND e.to_at + $3)
		JOIN order_line l ON l.order_id = o.id JOIN variant v ON v.id = l.variant_id AND v.stock_id = e.variant_id
		WHERE e.shop_id = $1 AND NOT e.checked AND e.variant_id IN (`+store.In(len(ids), 4)+`)`, args, func(rows *sql.Rows) error {
		var variant int64
		err := rows.Scan(&variant)
		if err == nil {
			list[at[variant]].exposed = true
		}
		return err
	})
}

// exposureMargin is how far the shop's clock may be from ours before one of its
// orders counts as outside of the time in which its number was overwritten.
const exposureMargin = 10 * time.Second
