package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"comptoir/connectors/schema"

	"github.com/vektah/gqlparser/v2/ast"
)

// Whatever the graph answers is what the published schema says of the field:
// no null where none may be, no value that an enum does not have.
func TestAnswersKeepToTheSchema(t *testing.T) {
	published := schema.Need(t, "2026-10")
	for name, o := range map[string]Options{
		"plain":  {Seed: 11, Orders: 120},
		"extras": {Seed: 11, Orders: 120, Extras: true},
		"common": {Seed: 11, Orders: 120, Common: true},
	} {
		o.Platform = Shopify
		o.Schemas = map[string]*ast.Schema{"2026-10": published}
		s := New(o)
		s.Delete("products", "")
		c := answerCheck{schema: published, graph: s.shopify.graph, wrong: map[string]string{}, met: map[string]bool{}}
		for _, root := range slices.Sorted(maps.Keys(c.graph.types["QueryRoot"].fields)) {
			c.check(t, s, root)
		}
		for _, field := range slices.Sorted(maps.Keys(c.wrong)) {
			t.Errorf("%s: %s: %s", name, field, c.wrong[field])
		}
		c.unmet(t, o.Common)
	}
}

// answerCheck asks for all that the graph has, and holds the answers against a
// schema.
type answerCheck struct {
	schema *ast.Schema
	graph  *graph
	wrong  map[string]string
	met    map[string]bool // fields that were answered, by Type.field
}

// check asks for one field of the root, with all that is in it.
func (c *answerCheck) check(t *testing.T, s *Shop, root string) {
	t.Helper()
	def := c.schema.Query.Fields.ForName(root)
	text := c.field(s, def, c.graph.types["QueryRoot"].fields[root], []string{"QueryRoot"})
	if text == "" {
		return
	}
	known := s.shopify.plans.plan(planKey{version: "2026-10", text: "{ " + text + " }"})
	if len(known.errs) > 0 {
		t.Fatalf("%s: %+v\n%s", root, known.errs[0], text)
	}
	x := &gqlRun{s: s, plan: known.plan, end: pagingEnd, version: "2026-10"}
	x.begin()
	s.run(x)
	if len(x.errs) > 0 {
		t.Errorf("%s: %+v", root, x.errs[0])
	}
	var data map[string]any
	d := json.NewDecoder(bytes.NewReader(x.b))
	d.UseNumber()
	if err := d.Decode(&data); err != nil {
		t.Fatalf("%s: %v: %.300s", root, err, x.b)
	}
	c.value("QueryRoot."+root, def.Type, data[root])
}

// deepestAsked is how many records the generated documents nest.
const deepestAsked = 3

// field writes what is asked of a field; "" where nothing can be.
func (c *answerCheck) field(s *Shop, def *ast.FieldDefinition, f gqlField, path []string) string {
	args, ok := sampleArguments(s, def)
	if !ok {
		return ""
	}
	if f.of == "" {
		return def.Name + args
	}
	inside := c.selection(s, c.graph.types[f.value()], path)
	if inside == "" {
		return ""
	}
	return def.Name + args + " { " + inside + " }"
}

func (c *answerCheck) selection(s *Shop, typ *gqlType, path []string) string {
	records := 0
	for _, above := range path {
		if of := c.graph.types[above]; !of.free && of.which == nil {
			records++
		}
	}
	if slices.Contains(path, typ.name) || records > deepestAsked {
		return ""
	}
	if typ.which != nil {
		text := typenameField
		for _, kind := range typ.kinds {
			if inside := c.selection(s, kind, append(slices.Clone(path), typ.name)); inside != "" {
				text += " ... on " + kind.name + " { " + inside + " }"
			}
		}
		return text
	}
	path = append(slices.Clone(path), typ.name)
	parts := []string{typenameField}
	for _, name := range slices.Sorted(maps.Keys(typ.fields)) {
		if strings.HasSuffix(typ.name, "Connection") && name == "edges" {
			parts = append(parts, "edges { cursor }")
			continue
		}
		def := c.schema.Types[typ.name].Fields.ForName(name)
		if text := c.field(s, def, typ.fields[name], path); text != "" {
			parts = append(parts, text)
		}
	}
	return strings.Join(parts, " ")
}

// sampleArguments gives what a field must be given; false where nobody can
// know it.
func sampleArguments(s *Shop, def *ast.FieldDefinition) (string, bool) {
	var args []string
	if def.Arguments.ForName("first") != nil && strings.HasSuffix(def.Type.Name(), "Connection") {
		args = append(args, "first: 100")
	}
	for _, a := range def.Arguments {
		if !a.Type.NonNull || a.DefaultValue != nil {
			continue
		}
		switch {
		case a.Name == "names":
			args = append(args, `names: ["available", "on_hand", "committed", "incoming", "reserved"]`)
		case a.Name == "locationId":
			args = append(args, fmt.Sprintf("locationId: %q", plainGid("Location", locations[atelier].id)))
		case a.Name == "id" && sampleID(s, def.Name) != "":
			args = append(args, fmt.Sprintf("id: %q", sampleID(s, def.Name)))
		default:
			return "", false
		}
	}
	if args == nil {
		return "", true
	}
	return "(" + strings.Join(args, ", ") + ")", true
}

// sampleID is the id of a record that a field of the root finds.
func sampleID(s *Shop, field string) string {
	switch field {
	case "order":
		return plainGid("Order", s.orders[len(s.orders)/2].id)
	case "product":
		return plainGid("Product", s.products[0].own.id)
	case "productVariant":
		return plainGid("ProductVariant", s.allVariants()[0].id)
	case "inventoryItem":
		return plainGid("InventoryItem", s.allVariants()[0].itemID())
	case "collection":
		return plainGid("Collection", s.categories[0].id)
	case "customer":
		return plainGid("Customer", s.buyers()[0].id)
	case "location":
		return plainGid("Location", locations[atelier].id)
	}
	return ""
}

func (c *answerCheck) fault(at, format string, args ...any) {
	if _, known := c.wrong[at]; !known {
		c.wrong[at] = fmt.Sprintf(format, args...)
	}
}

// value holds one value against its type.
func (c *answerCheck) value(at string, typ *ast.Type, v any) {
	c.met[at] = true
	if v == nil {
		if typ.NonNull {
			c.fault(at, "null for %s", typ)
		}
		return
	}
	if typ.Elem != nil {
		list, ok := v.([]any)
		if !ok {
			c.fault(at, "%v for %s", v, typ)
			return
		}
		for _, e := range list {
			c.value(at, typ.Elem, e)
		}
		return
	}
	switch def := c.schema.Types[typ.NamedType]; def.Kind {
	case ast.Enum:
		if name, ok := v.(string); !ok || def.EnumValues.ForName(name) == nil {
			c.fault(at, "%v is no value of %s", v, def.Name)
		}
	case ast.Scalar:
		if !scalarFits(def.Name, v) {
			c.fault(at, "%v (%T) for %s", v, v, def.Name)
		}
	default:
		c.object(at, def, v)
	}
}

func (c *answerCheck) object(at string, def *ast.Definition, v any) {
	members, ok := v.(map[string]any)
	if !ok {
		c.fault(at, "%v for %s", v, def.Name)
		return
	}
	name, _ := members[typenameField].(string)
	if name == "" {
		name = def.Name // the edges, of which only the cursor is asked
	}
	if name != def.Name && !slices.ContainsFunc(c.schema.PossibleTypes[def.Name], func(d *ast.Definition) bool { return d.Name == name }) {
		c.fault(at, "a %s for %s", name, def.Name)
		return
	}
	for k, member := range members {
		if k != typenameField {
			c.value(name+"."+k, c.schema.Types[name].Fields.ForName(k).Type, member)
		}
	}
}

// scalarFits reports whether JSON is of the kind that a scalar is written as.
func scalarFits(name string, v any) bool {
	switch name {
	case "Int":
		n, ok := v.(json.Number)
		return ok && !strings.Contains(n.String(), ".")
	case "Float":
		_, ok := v.(json.Number)
		return ok
	case "Boolean":
		_, ok := v.(bool)
		return ok
	case "JSON":
		return true
	case "ID":
		id, ok := v.(string)
		return ok && strings.HasPrefix(id, "gid://shopify/")
	case "UnsignedInt64", "Decimal", "Money":
		n, ok := v.(string)
		return ok && json.Valid([]byte(n))
	default:
		_, ok := v.(string)
		return ok
	}
}

// unmet names records that an answer should have had: what is never met is not
// checked.
func (c *answerCheck) unmet(t *testing.T, common bool) {
	t.Helper()
	for _, field := range []string{"Order.name", "LineItem.sku", "TaxLine.rate", "RefundLineItem.quantity", "FulfillmentLineItem.quantity", "OrderTransaction.kind",
		"ProductSale.actionType", "SaleTax.id", "ProductVariant.price", "InventoryQuantity.quantity", "Customer.id", "Collection.title", "BasicEvent.action",
		"ShopifyPaymentsPayout.net", "ShopifyPaymentsBalanceTransaction.fee", "PageInfo.endCursor"} {
		if !c.met[field] && !(common && strings.HasPrefix(field, "ShopifyPayments")) {
			t.Errorf("no answer had %s", field)
		}
	}
}
