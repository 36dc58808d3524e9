package sandbox

import (
	"cmp"
	"fmt"
	"slices"
)

// A graph is what can be asked in GraphQL: types, and for each of their fields
// how it is written. It knows no platform; shopify*.go fill it.
//
// A type is declared once or in several places, whose fields add up:
//
//	gqlType{name: "Order", is: []string{"Node"}, fields: gqlFields{
//		"id":        gqlID("Order", func(x *gqlRun, o *order) int64 { return o.id }),
//		"name":      gqlText(func(x *gqlRun, o *order) string { return "#" + o.number }),
//		"customer":  gqlObject("Customer", func(x *gqlRun, o *order) *customer { return x.s.customer(o.customer) }),
//		"refunds":   gqlList("Refund", func(x *gqlRun, o *order) []*refund { return o.refunds }),
//		"lineItems": gqlConnection("LineItem", func(x *gqlRun, o *order) gqlRows[*line] { return gqlRows[*line]{all: …} }),
//	}}
//
// A function takes the run, which holds the shop (x.s, locked) and the
// arguments of the field (x.args), and the record of its type: the receiver.
// The receiver of a field is whatever the function of the field above it
// returned, so all functions of one type take the same Go type, or an
// interface that the receivers satisfy. Pointers cost nothing to hand on;
// other values cost an allocation.
type graph struct {
	types map[string]*gqlType
}

// gqlType is an object, interface or union.
type gqlType struct {
	name string
	// is lists the interfaces and unions that the type belongs to, as far as
	// they are used.
	is     []string
	fields gqlFields
	// which makes the type an interface or a union: it names the type of a
	// receiver. The fields of an interface are those of its types.
	which func(receiver any) string
	// free objects cost no points: connections, edges, pageInfo. Those that
	// freeType knows need not say so.
	free bool

	kinds []*gqlType // the types that an interface or a union stands for
}

// gqlFields are the fields of a type by name.
type gqlFields map[string]gqlField

// gqlField writes one field of a receiver. The functions gqlText, gqlObject
// and so on make it.
type gqlField struct {
	// of is the type of the value, or of its elements; "" for a scalar.
	of string
	// many marks lists, whose elements have an index in the paths of errors.
	many bool
	// rows marks connections.
	rows bool
	// write appends the value to the answer.
	write func(x *gqlRun, n *gqlNode, receiver any)
	// lines hands out the nodes of a connection for a bulk operation.
	lines func(x *gqlRun, receiver any, yield func(node any) bool)
}

// newGraph puts types together and adds the connection and edge types that
// their fields need. It panics where two places declare a field twice or a
// field leads to a type that nobody declares: a mistake in this package.
func newGraph(types ...gqlType) *graph {
	g := &graph{types: map[string]*gqlType{}}
	g.add(gqlType{name: "PageInfo", free: true, fields: pageInfoFields()})
	for _, t := range types {
		g.add(t)
	}
	for _, t := range types {
		for _, f := range t.fields {
			if f.rows && g.types[f.of+"Connection"] == nil {
				g.add(gqlType{name: f.of + "Connection", free: true, fields: connectionFields(f.of)})
				g.add(gqlType{name: f.of + "Edge", free: true, fields: edgeFields(f.of)})
			}
		}
	}
	g.check()
	return g
}

func (g *graph) add(t gqlType) {
	known := g.types[t.name]
	if known == nil {
		known = &gqlType{name: t.name, fields: gqlFields{}}
		g.types[t.name] = known
	}
	for name, f := range t.fields {
		if _, twice := known.fields[name]; twice {
			panic(fmt.Sprintf("sandbox: field %s.%s is declared twice", t.name, name))
		}
		known.fields[name] = f
	}
	known.is = append(known.is, t.is...)
	known.free = known.free || t.free || freeType(t.name)
	if t.which != nil {
		known.which = t.which
	}
}

// check ties interfaces to their types, and proves that every field leads
// somewhere.
func (g *graph) check() {
	for _, t := range g.types {
		for _, name := range t.is {
			of := g.types[name]
			if of == nil || of.which == nil {
				panic(fmt.Sprintf("sandbox: type %s belongs to %s, which is no interface", t.name, name))
			}
			of.kinds = append(of.kinds, t)
			slices.SortFunc(of.kinds, func(a, b *gqlType) int { return cmp.Compare(a.name, b.name) })
		}
		for name, f := range t.fields {
			if f.of != "" && g.types[f.value()] == nil {
				panic(fmt.Sprintf("sandbox: field %s.%s leads to %s, which nobody declares", t.name, name, f.value()))
			}
		}
	}
}

// value is the name of the type that the field's selection is made on.
func (f gqlField) value() string {
	if f.rows {
		return f.of + "Connection"
	}
	return f.of
}

// belongs reports whether a fragment on a type applies to t.
func (t *gqlType) belongs(name string) bool {
	if t.name == name {
		return true
	}
	return slices.Contains(t.is, name)
}
