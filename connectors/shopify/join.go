package shopify

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
)

// connectionOf tells the connections of an order by the type of their nodes,
// since a line of a result says whose it is, but not in which connection.
func connectionOf(node string) (field string, known bool) {
	switch node {
	case "LineItem":
		return "lineItems", true
	case "ShippingLine":
		return "shippingLines", true
	}
	return "", false
}

// object is one line of a result.
type object struct {
	head
	line []byte
}

// joinOrder puts the lines of one order together as a page states it: its own
// line first, the others in any order. The nodes of a connection come in the
// order of their ids.
func joinOrder(lines [][]byte) (json.RawMessage, error) {
	children, seen := map[string][]object{}, map[string]bool{}
	var order object
	size := 0
	for i, line := range lines {
		h, err := placeOf(line)
		if err != nil {
			return nil, err
		}
		if h.ID == "" || seen[h.ID] {
			return nil, spoilt{fmt.Errorf("an object of %s has no id, or one that stands twice: %q", order.ID, h.ID)}
		}
		seen[h.ID] = true
		size += len(line)
		if i == 0 {
			order = object{h, line}
			continue
		}
		children[h.Parent] = append(children[h.Parent], object{h, line})
	}
	out := bytes.NewBuffer(make([]byte, 0, size+64*len(lines)))
	if err := order.write(out, children); err != nil {
		return nil, err
	}
	for parent := range children {
		return nil, spoilt{fmt.Errorf("objects of %s belong to %s, which is not there", order.ID, parent)}
	}
	return out.Bytes(), nil
}

// write writes an object with what belongs to it, and takes that out of
// children.
func (o *object) write(out *bytes.Buffer, children map[string][]object) error {
	fields := map[string][]object{}
	for _, child := range children[o.ID] {
		field, known := connectionOf(child.kind())
		if !known {
			return spoilt{fmt.Errorf("%s has the object %s, which belongs to no connection that was asked for", o.ID, child.ID)}
		}
		fields[field] = append(fields[field], child)
	}
	delete(children, o.ID)
	line := bytes.TrimRight(o.line, " \t\r")
	out.Write(line[:len(line)-1]) // all but the closing brace
	for _, field := range slices.Sorted(maps.Keys(fields)) {
		nodes := fields[field]
		slices.SortFunc(nodes, func(a, b object) int { return cmp.Compare(a.number(), b.number()) })
		out.WriteString(`,"` + field + `":{"nodes":[`)
		for i := range nodes {
			if i > 0 {
				out.WriteByte(',')
			}
			if err := nodes[i].write(out, children); err != nil {
				return err
			}
		}
		out.WriteString(`]}`)
	}
	out.WriteByte('}')
	return nil
}

// kind is the type of an object: LineItem of gid://shopify/LineItem/123.
func (o *object) kind() string { return path.Base(path.Dir(o.ID)) }

// number is the number of an object; 0 where its id has none.
func (o *object) number() uint64 { return scalar{text: o.ID}.id() }

// payload is what the shop said of an order, without what only tells by which
// way it was read. An order that cannot be understood is known again by it.
func payload(raw json.RawMessage) json.RawMessage {
	var order any
	numbers := json.NewDecoder(bytes.NewReader(raw))
	numbers.UseNumber()
	if numbers.Decode(&order) != nil {
		return raw
	}
	forget(order)
	plain, err := json.Marshal(order)
	if err != nil {
		return raw
	}
	return plain
}

// forget takes the marks of pages and of bulk operations out of v.
func forget(v any) {
	switch v := v.(type) {
	case map[string]any:
		delete(v, "__parentId")
		delete(v, "pageInfo")
		for _, inner := range v {
			forget(inner)
		}
	case []any:
		for _, inner := range v {
			forget(inner)
		}
	}
}
