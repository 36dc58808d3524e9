package shopify

import (
	"fmt"
	"testing"

	"comptoir/connectors/schema"
	"comptoir/erp/intake"

	"github.com/shopspring/decimal"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator"
)

// What is sent along with a document keeps to the schema of each version as
// well: no input is unknown to it, none is deprecated.
func TestWhatIsToldKeepsToTheSchema(t *testing.T) {
	for _, version := range schema.Versions() {
		t.Run(version, func(t *testing.T) {
			s := schema.Need(t, version)
			shop, c, way := pushed(t)
			c.cfg.APIVersion, c.client.cfg.APIVersion, c.cfg.WebhookSecret = version, version, hookTestSecret
			told := map[string]bool{}
			way.before = func(op string, vars map[string]any) {
				doc := documentOf(op)
				parsed, wrong := schema.Check(s, doc.text)
				if parsed == nil {
					t.Errorf("%s: %q", op, wrong)
					return
				}
				if _, err := validator.VariableValues(s, parsed.Operations[0], vars); err != nil {
					t.Errorf("%s: %v in %v", op, err, vars)
				}
				for _, v := range parsed.Operations[0].VariableDefinitions {
					for _, old := range deprecatedIn(s, v.Type, vars[v.Variable]) {
						t.Errorf("%s: %s is deprecated", op, old)
					}
				}
				told[op] = true
			}
			tellEverything(t, c, func() (string, *intake.Order) { return paidByCard(t, shop, c) },
				func() (string, *intake.Order) { return paidOrder(t, shop, c, severalUnits) })
			for _, op := range []string{"stock_set", "stock_now", "product_make", "product_edit", "pictures_add", "pictures_remove", "pictures_order", "variants_edit",
				"order_ship", "order_refund", "order_cancel", "order_close", "order_open", "hook_make", "hook_remove", "publish", "collection_delete"} {
				if !told[op] {
					t.Errorf("%s was not told", op)
				}
			}
		})
	}
}

// tellEverything has the shop do each thing that it can be told.
func tellEverything(t *testing.T, c *Connector, byCard, open func() (string, *intake.Order)) {
	t.Helper()
	levels := levelsOf(t, c, 3)
	set(&levels[0], levels[0].From.IntPart()+1, 7)
	levels[1].From, levels[2].To = nil, decimal.NewFromInt(3)
	if _, err := c.PushStock(t.Context(), "k", levels); err != nil {
		t.Error(err)
	}
	category := edit(t, c, intake.Edit{Key: "k", Ref: intake.Ref{Kind: intake.KindCategory}, Changes: []intake.Change{{Field: intake.FieldName, To: "Rayon"}, {Field: intake.FieldDescription, To: "x"}}})[0]
	edit(t, c, change(category.Ref, "name", "Soldes"))
	fresh := newProduct("k", "Neuf", "S", "M")
	fresh.Changes = append(fresh.Changes, intake.Change{Field: intake.FieldCategories, To: intake.Sorted([]string{category.Ref.ID})},
		intake.Change{Field: intake.FieldImages, To: intake.List([]string{photo("a.jpg"), photo("b.jpg")})})
	made := edit(t, c, fresh)[0]
	_, own := namesOf(t, c, made.Ref)
	for i, images := range [][]string{{own[1], own[0]}, {photo("c.jpg"), own[1]}} {
		e := change(made.Ref, "title", "Vieux", "description", "x", "status", "draft", "categories", "", "images", intake.List(images))
		e.Key = fmt.Sprint("images", i)
		if o := edit(t, c, e)[0]; o.Result != intake.Done {
			t.Errorf("%+v", o)
		}
	}
	edit(t, c, change(made.Variants[0], "sku", "a", "barcode", "b", "price", "9", "sale_price", "8", "weight", "2 lb", "backorders", "yes",
		"attributes", `[{"name":"Taille","value":"XL"}]`))
	edit(t, c, intake.Edit{Ref: category.Ref, Delete: true})
	id, o := byCard()
	push(t, c, "refund", intake.OrderRequest{Order: orderRef(id), Refund: &intake.NewRefund{Amount: decimal.NewFromInt(1), Reason: "x", Pay: true, Restock: true, Notify: true,
		Lines: []intake.NewRefundLine{{LineID: goods(o)[0].ID, Quantity: decimal.NewFromInt(1)}}}})
	id, o = open()
	push(t, c, "ship", intake.OrderRequest{Order: orderRef(id), Shipment: &intake.NewShipment{Carrier: "c", Tracking: "n", TrackingURL: "https://u.example", Notify: true,
		Lines: units(goods(o)[0].ID, 1)}})
	push(t, c, "close", intake.OrderRequest{Order: orderRef(id), Status: "closed"})
	push(t, c, "open", intake.OrderRequest{Order: orderRef(id), Status: "open"})
	id, _ = open()
	push(t, c, "cancel", intake.OrderRequest{Order: orderRef(id), Cancel: &intake.Cancellation{Reason: "staff", Note: "x", Restock: true, Refund: true, Notify: true}})
	for _, address := range []string{"https://books.example/hooks/atelier", "https://new.example/hooks/atelier"} {
		if _, err := c.Subscribe(t.Context(), address); err != nil {
			t.Error(err)
		}
	}
}

// deprecatedIn lists the fields of an input that the schema calls deprecated.
func deprecatedIn(s *ast.Schema, typ *ast.Type, value any) (old []string) {
	if list, ok := value.([]any); ok {
		for _, v := range list {
			old = append(old, deprecatedIn(s, typ.Elem, v)...)
		}
		return old
	}
	def, fields := s.Types[typ.Name()], map[string]any{}
	if object, ok := value.(map[string]any); ok && def.Kind == ast.InputObject {
		fields = object
	}
	for name, v := range fields {
		f := def.Fields.ForName(name)
		if f == nil {
			continue // unknown, which is found elsewhere
		}
		if f.Directives.ForName("deprecated") != nil {
			old = append(old, def.Name+"."+name)
		}
		old = append(old, deprecatedIn(s, f.Type, v)...)
	}
	return old
}
