package sandbox

import (
	"net/url"
	"slices"
	"sync"
)

// idempotency remembers the mutations that were done under a key.
type idempotency struct {
	lock sync.Mutex
	done map[string]doneOnce
}

// doneOnce is a mutation as it was asked for, and what came of it.
type doneOnce struct {
	asked  string
	made   any // a payload
	failed bool
}

// stockPayload is what a change of quantities answers.
type stockPayload = payload[*stockGroup]

// stockGroup is a change of quantities that was made as one.
type stockGroup struct {
	id, at            int64
	reason, reference string
	changes           []stockChange
}

type stockChange struct {
	of    level
	name  string
	delta int64
}

// wantedStock is a quantity as a mutation asks for it.
type wantedStock struct {
	of      level
	to      int64 // what is to be available
	current int64 // in the state that is named
}

// maxQuantity is the most of one thing that can be stocked.
const maxQuantity = 1_000_000_000

// stockReasons are those that a change of quantities may have.
func stockReasons() []string {
	return []string{"correction", "cycle_count_available", "damaged", "movement_created", "movement_updated", "movement_received", "movement_canceled",
		"other", "promotion", "quality_control", "received", "reservation_created", "reservation_deleted", "reservation_updated", "restock",
		"safety_stock", "shrinkage"}
}

// stockInput is what both mutations have in common.
type stockInput struct {
	x     *gqlRun
	list  string // the name of the list in the input
	name  string
	input map[string]any
	errs  []userError
}

func (in *stockInput) refuse(at, code, message string) {
	field := "input"
	if at != "" {
		field += "." + at
	}
	in.errs = append(in.errs, userError{field, code, message})
}

// open checks the members beside the list.
func (in *stockInput) open(names []string, badName string) {
	in.input = in.x.args.object("input")
	in.name, _ = in.input["name"].(string)
	reason, _ := in.input["reason"].(string)
	if !slices.Contains(names, in.name) {
		in.refuse("name", badName, "The specified quantity name is invalid.")
	}
	if !slices.Contains(stockReasons(), reason) {
		in.refuse("reason", "INVALID_REASON", "The specified reason is invalid.")
	}
	if ref, ok := in.input["referenceDocumentUri"].(string); ok {
		if u, err := url.Parse(ref); err != nil || u.Scheme == "" {
			in.refuse("referenceDocumentUri", "INVALID_REFERENCE_DOCUMENT", "The specified reference document is invalid.")
		}
	}
}

// each reads the elements of the list: where the stock lies and what is to
// become of it. It reports whether each says from which quantity it changes.
func (in *stockInput) each(to func(at string, e map[string]any, w *wantedStock)) (wanted []wantedStock, present bool) {
	elements, _ := in.input[in.list].([]any)
	seen := map[level]bool{}
	present = true
	for i, v := range elements {
		e, _ := v.(map[string]any)
		at := in.list + "." + text(int64(i))
		from, given := e["changeFromQuantity"]
		present = present && given
		w := wantedStock{of: in.level(at, e)}
		if w.of.of == nil {
			continue
		}
		if seen[w.of] {
			in.refuse(at, "NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR", "The combination of inventoryItemId and locationId must be unique.")
		}
		seen[w.of] = true
		w.current = in.x.s.quantity(w.of, in.name)
		if n, ok := wholeNumber(from); ok && n != w.current {
			in.refuse(at+".changeFromQuantity", "CHANGE_FROM_QUANTITY_STALE", "The changeFromQuantity argument no longer matches the persisted quantity.")
		}
		to(at, e, &w)
		wanted = append(wanted, w)
	}
	return wanted, present
}

func (in *stockInput) level(at string, e map[string]any) level {
	item, _ := e["inventoryItemId"].(string)
	place, _ := e["locationId"].(string)
	i, ok := in.x.s.byGid(item).(inventoryItem)
	if !ok || !i.tracked {
		in.refuse(at+".inventoryItemId", "INVALID_INVENTORY_ITEM", "The specified inventory item could not be found.")
		return level{}
	}
	l, ok := in.x.s.byGid(place).(*site)
	if !ok || !l.active {
		in.refuse(at+".locationId", "INVALID_LOCATION", "The specified location could not be found.")
		return level{}
	}
	if i.homeOnly && l == &locations[reserve] && in.x.version < "2026-10" {
		in.refuse(at+".locationId", "ITEM_NOT_STOCKED_AT_LOCATION", "The specified inventory item is not stocked at the location.")
		return level{}
	}
	return level{i.variant, l}
}

// activate is inventoryActivate: from then on the item is stocked at the
// location.
func (x *gqlRun) activate() *payload[level] {
	c := &check{x: x}
	i, ok := x.s.byGid(x.args.text("inventoryItemId")).(inventoryItem)
	if !ok {
		return refusal[level]("inventoryItemId", "", "The product couldn't be stocked because it wasn't found.")
	}
	place, ok := x.s.byGid(x.args.text("locationId")).(*site)
	if !ok || !place.active {
		return refusal[level]("locationId", "", "The product couldn't be stocked because the location wasn't found.")
	}
	l := level{i.variant, place}
	stocked := i.levelAt(place).of != nil
	for _, name := range []string{"available", "onHand"} {
		if !x.args.has(name) {
			continue
		}
		n := int64(x.args.size(name, 0))
		switch {
		case stocked:
			c.refuse(name, "", "Not allowed to set "+name+" quantity when the item is already active at the location.")
		case n < 0 || n > maxQuantity:
			c.refuse(name, "", "The quantity must be between 0 and 1,000,000,000.")
		}
		c.then(func() {
			x.s.wroteStock(i.variant, text(place.id), 0, n)
			x.s.put(l, n) // nothing is committed where nothing was stocked
		})
	}
	return finish(c, func() level {
		if place == &locations[reserve] {
			i.homeOnly = false
		}
		i.counted = x.s.now()
		return l
	})
}

// setQuantities is inventorySetQuantities.
func (x *gqlRun) setQuantities() *stockPayload {
	in := &stockInput{x: x, list: "quantities"}
	in.open([]string{"available", "on_hand"}, "INVALID_NAME")
	wanted, present := in.each(func(at string, e map[string]any, w *wantedStock) {
		n, _ := wholeNumber(e["quantity"])
		switch {
		case n < 0:
			in.refuse(at+".quantity", "INVALID_QUANTITY_NEGATIVE", "The quantity can't be negative.")
		case n > maxQuantity:
			in.refuse(at+".quantity", "INVALID_QUANTITY_TOO_HIGH", "The quantity can't be higher than 1,000,000,000.")
		}
		w.to = n
		if in.name == "on_hand" {
			w.to -= x.s.quantity(w.of, "committed")
		}
	})
	return in.apply(wanted, present)
}

// adjustQuantities is inventoryAdjustQuantities.
func (x *gqlRun) adjustQuantities() *stockPayload {
	in := &stockInput{x: x, list: "changes"}
	in.open([]string{"available"}, "INVALID_QUANTITY_NAME")
	wanted, present := in.each(func(at string, e map[string]any, w *wantedStock) {
		n, _ := wholeNumber(e["delta"])
		if w.to = w.current + n; w.to > maxQuantity {
			in.refuse(at+".delta", "INVALID_QUANTITY_TOO_HIGH", "The quantity can't be higher than 1,000,000,000.")
		}
		if w.to < -maxQuantity {
			in.refuse(at+".delta", "INVALID_QUANTITY_TOO_LOW", "The quantity can't be lower than -1,000,000,000.")
		}
		if e["ledgerDocumentUri"] != nil {
			in.refuse(at+".ledgerDocumentUri", "INVALID_AVAILABLE_DOCUMENT", "A ledger document URI is not allowed when adjusting available.")
		}
	})
	return in.apply(wanted, present)
}

// apply makes all changes, or none.
func (in *stockInput) apply(wanted []wantedStock, present bool) *stockPayload {
	x := in.x
	if !present && x.version >= "2026-04" {
		x.fail("INVALID_FIELD_ARGUMENTS", "The changeFromQuantity argument must be given for each quantity; null skips the check.")
		return nil
	}
	if len(in.errs) > 0 {
		return &stockPayload{errs: in.errs}
	}
	s := x.s
	s.tick()
	g := &stockGroup{id: s.items(1), at: s.now()}
	g.reason, _ = in.input["reason"].(string)
	g.reference, _ = in.input["referenceDocumentUri"].(string)
	for _, w := range wanted {
		if w.of.at == &locations[reserve] {
			w.of.of.homeOnly = false // since 2026-10 what is set is stocked there
		}
		s.wroteStock(w.of.of, text(w.of.at.id), s.quantity(w.of, "available"), w.to)
		if change := w.to - s.quantity(w.of, "available"); change != 0 {
			g.changes = append(g.changes, stockChange{w.of, "available", change})
			s.put(w.of, w.to)
		}
	}
	s.changed()
	return &stockPayload{made: g}
}

func inventoryTypes() []gqlType {
	payload := func(errors string) gqlFields {
		return payloadFields[*stockGroup]("inventoryAdjustmentGroup", "InventoryAdjustmentGroup", errors)
	}
	return []gqlType{
		{name: "Mutation", fields: gqlFields{
			"inventorySetQuantities":    onceOnly("InventorySetQuantitiesPayload", (*gqlRun).setQuantities),
			"inventoryAdjustQuantities": onceOnly("InventoryAdjustQuantitiesPayload", (*gqlRun).adjustQuantities),
			"inventoryActivate":         onceOnly("InventoryActivatePayload", (*gqlRun).activate),
		}},
		{name: "InventoryActivatePayload", fields: payloadFields[level]("inventoryLevel", "InventoryLevel", "UserError")},
		{name: "InventorySetQuantitiesPayload", fields: payload("InventorySetQuantitiesUserError")},
		{name: "InventoryAdjustQuantitiesPayload", fields: payload("InventoryAdjustQuantitiesUserError")},
		{name: "InventorySetQuantitiesUserError", fields: userErrorFields(true)},
		{name: "InventoryAdjustQuantitiesUserError", fields: userErrorFields(true)},
		{name: "InventoryAdjustmentGroup", fields: gqlFields{
			"id":                   gqlID("InventoryAdjustmentGroup", func(_ *gqlRun, g *stockGroup) int64 { return g.id }),
			"createdAt":            gqlTime(func(_ *gqlRun, g *stockGroup) int64 { return g.at }),
			"reason":               gqlText(func(_ *gqlRun, g *stockGroup) string { return g.reason }),
			"referenceDocumentUri": gqlTextOrNull(func(_ *gqlRun, g *stockGroup) string { return g.reference }),
			"changes":              gqlList("InventoryChange", func(_ *gqlRun, g *stockGroup) []stockChange { return g.changes }),
		}},
		{name: "InventoryChange", fields: gqlFields{
			"name":                gqlText(func(_ *gqlRun, c stockChange) string { return c.name }),
			"delta":               gqlNumber(func(_ *gqlRun, c stockChange) int64 { return c.delta }),
			"quantityAfterChange": gqlNumber(func(x *gqlRun, c stockChange) int64 { return x.s.quantity(c.of, c.name) }),
			"item":                gqlObject("InventoryItem", func(_ *gqlRun, c stockChange) inventoryItem { return inventoryItem{c.of.of} }),
			"location":            gqlObject("Location", func(_ *gqlRun, c stockChange) *site { return c.of.at }),
		}},
	}
}
