package sandbox

import (
	"slices"
	"testing"

	"comptoir/connectors/schema"

	"github.com/vektah/gqlparser/v2/ast"
)

const (
	setStock = `mutation($i: InventorySetQuantitiesInput!, $k: String!) { inventorySetQuantities(input: $i) @idempotent(key: $k) {
		inventoryAdjustmentGroup { id reason changes { name delta quantityAfterChange } } userErrors { field code message } } }`
	adjustStock = `mutation($i: InventoryAdjustQuantitiesInput!, $k: String!) { inventoryAdjustQuantities(input: $i) @idempotent(key: $k) {
		inventoryAdjustmentGroup { id } userErrors { field code message } } }`
	readStock = `query($i: ID!, $l: ID!) { inventoryItem(id: $i) { inventoryLevel(locationId: $l) { updatedAt quantities(names: ["available", "on_hand", "committed"]) { name quantity } } } }`
)

// stocked is a shop, checked against the schema where there is one, and a
// thing that is stocked in it.
type stockedThing struct {
	*Shop
	t          *testing.T
	item, site string
}

func newStocked(t *testing.T) *stockedThing {
	s := New(Options{Seed: 4, Orders: 60, Platform: Shopify, Schemas: presentSchemas()})
	for _, v := range s.allVariants() {
		if v.tracked && v.stock > 10 {
			return &stockedThing{Shop: s, t: t, item: plainGid("InventoryItem", v.itemID()), site: plainGid("Location", locations[atelier].id)}
		}
	}
	t.Fatal("nothing is stocked")
	return nil
}

// presentSchemas are the schemas that this machine has.
func presentSchemas() map[string]*ast.Schema {
	all := map[string]*ast.Schema{}
	for _, v := range schema.Versions() {
		if s, err := schema.Load(v); err == nil {
			all[v] = s
		}
	}
	return all
}

func (s *stockedThing) quantity(state string) int {
	var got struct {
		InventoryItem struct {
			InventoryLevel struct {
				Quantities []struct {
					Name     string
					Quantity int
				}
			}
		}
	}
	decode(s.t, asking(s.t, s.Shop, readStock, map[string]any{"i": s.item, "l": s.site}).Data, &got)
	for _, q := range got.InventoryItem.InventoryLevel.Quantities {
		if q.Name == state {
			return q.Quantity
		}
	}
	s.t.Fatalf("no quantity %s", state)
	return 0
}

type stockAnswer struct {
	InventoryAdjustmentGroup *struct {
		ID      string
		Changes []struct{ Delta, QuantityAfterChange int }
	}
	UserErrors []struct {
		Field []string
		Code  string
	}
}

func (a stockAnswer) code() string {
	if len(a.UserErrors) == 0 {
		return ""
	}
	return a.UserErrors[0].Code
}

// set sends a quantity under a key; an element may be changed before.
func (s *stockedThing) set(key string, quantity int, from any, change func(input, element map[string]any)) stockAnswer {
	element := map[string]any{"inventoryItemId": s.item, "locationId": s.site, "quantity": quantity, "changeFromQuantity": from}
	input := map[string]any{"name": "available", "reason": "correction", "quantities": []any{element}}
	if change != nil {
		change(input, element)
	}
	var got struct{ InventorySetQuantities stockAnswer }
	decode(s.t, asking(s.t, s.Shop, setStock, map[string]any{"i": input, "k": key}).Data, &got)
	return got.InventorySetQuantities
}

func TestQuantitiesAreSetAndCompared(t *testing.T) {
	s := newStocked(t)
	was := s.quantity("available")
	before := s.Clock()
	a := s.set("k1", was+5, was, nil)
	if a.code() != "" || s.quantity("available") != was+5 || a.InventoryAdjustmentGroup.Changes[0].Delta != 5 || a.InventoryAdjustmentGroup.Changes[0].QuantityAfterChange != was+5 {
		t.Errorf("%+v, now %d", a, s.quantity("available"))
	}
	if w := s.StockWrites(); len(w) != 1 || w[0].From != was || w[0].To != was+5 || w[0].Location != "501" || s.Calls()["mutation inventorySetQuantities"] != 1 {
		t.Errorf("written: %+v, called: %v", w, s.Calls())
	}
	if !s.Clock().After(before) {
		t.Error("a change has the date of what was before it")
	}
	if got := s.quantity("on_hand"); got != s.quantity("available")+s.quantity("committed") {
		t.Errorf("on hand %d", got)
	}
	if a = s.set("k2", 7, was, nil); a.code() != "CHANGE_FROM_QUANTITY_STALE" || s.quantity("available") != was+5 {
		t.Errorf("a stale quantity: %+v", a)
	}
	if a = s.set("k3", 7, nil, nil); a.code() != "" || s.quantity("available") != 7 {
		t.Errorf("an explicit null skips the check: %+v", a)
	}
	for want, change := range map[string]func(in, e map[string]any){
		"INVALID_INVENTORY_ITEM":                       func(_, e map[string]any) { e["inventoryItemId"] = "gid://shopify/InventoryItem/1" },
		"INVALID_LOCATION":                             func(_, e map[string]any) { e["locationId"] = plainGid("Location", 503) },
		"INVALID_QUANTITY_NEGATIVE":                    func(_, e map[string]any) { e["quantity"] = -1 },
		"INVALID_QUANTITY_TOO_HIGH":                    func(_, e map[string]any) { e["quantity"] = maxQuantity + 1 },
		"INVALID_NAME":                                 func(in, _ map[string]any) { in["name"] = "incoming" },
		"INVALID_REASON":                               func(in, _ map[string]any) { in["reason"] = "because" },
		"INVALID_REFERENCE_DOCUMENT":                   func(in, _ map[string]any) { in["referenceDocumentUri"] = "nowhere" },
		"NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR": func(in, e map[string]any) { in["quantities"] = []any{e, e} },
	} {
		if a := s.set(want, 9, nil, change); a.code() != want || s.quantity("available") != 7 {
			t.Errorf("%s: %+v", want, a)
		}
	}
	if a = s.set("k4", 9, nil, func(in, _ map[string]any) { in["name"] = "on_hand" }); a.code() != "" || s.quantity("on_hand") != 9 {
		t.Errorf("on hand is %d", s.quantity("on_hand"))
	}
}

func TestKeyStandsForOneChange(t *testing.T) {
	s := newStocked(t)
	first := s.set("k", 5, nil, nil)
	s.SetStock("", 0)
	s.set("other", 11, nil, nil)
	if again := s.set("k", 5, nil, nil); again.InventoryAdjustmentGroup == nil || again.InventoryAdjustmentGroup.ID != first.InventoryAdjustmentGroup.ID || s.quantity("available") != 11 {
		t.Errorf("a repeated change: %+v, now %d", again, s.quantity("available"))
	}
	if a := s.set("k", 6, nil, nil); a.code() != "IDEMPOTENCY_KEY_PARAMETER_MISMATCH" {
		t.Errorf("the key of another change: %+v", a)
	}
	s.set("failed", 6, 999, nil)
	if a := s.set("failed", 6, 999, nil); a.code() != "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED" {
		t.Errorf("the key of a failed change: %+v", a)
	}
}

func TestChangesWithoutKeyOrComparisonAreRefused(t *testing.T) {
	s := newStocked(t)
	was := s.quantity("available")
	element := map[string]any{"inventoryItemId": s.item, "locationId": s.site, "delta": 3}
	input := map[string]any{"name": "available", "reason": "correction", "changes": []any{element}}
	const keyless = `mutation($i: InventoryAdjustQuantitiesInput!) { inventoryAdjustQuantities(input: $i) { userErrors { message } } }`
	if a := asking(t, s.Shop, keyless, map[string]any{"i": input}); !slices.Equal(a.codes(), []string{"BAD_REQUEST"}) {
		t.Errorf("without a key: %+v", a)
	}
	if a := asking(t, s.Shop, adjustStock, map[string]any{"i": input, "k": "a"}); !slices.Equal(a.codes(), []string{"INVALID_FIELD_ARGUMENTS"}) || s.quantity("available") != was {
		t.Errorf("without a comparison: %+v %s", a.Errors, a.Data)
	}
	element["changeFromQuantity"] = was
	if a := asking(t, s.Shop, adjustStock, map[string]any{"i": input, "k": "a"}); len(a.Errors) > 0 || s.quantity("available") != was+3 {
		t.Errorf("adjusted: %+v %s, now %d", a.Errors, a.Data, s.quantity("available"))
	}
	many := make([]any, 251)
	for i := range many {
		many[i] = element
	}
	input["changes"] = many
	if a := asking(t, s.Shop, adjustStock, map[string]any{"i": input, "k": "b"}); !slices.Equal(a.codes(), []string{"MAX_INPUT_SIZE_EXCEEDED"}) {
		t.Errorf("251 changes: %+v", a.Errors)
	}
	reader := New(Options{Seed: 4, Platform: Shopify, Scopes: []string{"read_inventory", "read_products", "read_locations"}})
	if a := asking(t, reader, adjustStock, map[string]any{"i": map[string]any{}, "k": "b"}); !slices.Equal(a.codes(), []string{"ACCESS_DENIED"}) {
		t.Errorf("without the right: %+v", a.Errors)
	}
}
