package woocommerce

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"comptoir/connectors"
	"comptoir/erp/intake"
)

// made is what is read of a product to see whether it is one that we made.
type made struct {
	ID     scalar     `json:"id"`
	Parent scalar     `json:"parent_id"`
	SKU    scalar     `json:"sku"`
	Meta   list[meta] `json:"meta_data"`
	// Attributes are those that tell a variation from the others.
	Attributes list[attribute] `json:"attributes"`
}

const madeFields = "id,parent_id,sku,meta_data"

// makeProduct makes a product with its variants. The shop takes no keys, so the
// key is kept with each record that is made, and looked for first.
func (c *Connector) makeProduct(ctx context.Context, e *intake.Edit) (intake.Outcome, error) {
	simple := len(e.Variants) == 1 && optionsOf(&e.Variants[0]) == ""
	body, err := productBodyOf(e, simple)
	if err != nil {
		return intake.Outcome{Ref: e.Ref, Result: intake.Refused, Why: err.Error()}, nil
	}
	id, err := c.findMade(ctx, e, simple)
	if err == nil && id == "" {
		id, err = c.makeOne(ctx, "make product", "products", body)
	}
	if why := refusedWith(err); why != "" {
		return intake.Outcome{Ref: e.Ref, Result: intake.Refused, Why: why}, nil
	}
	if err != nil {
		return intake.Outcome{}, err
	}
	out := intake.Outcome{Ref: intake.Ref{Kind: intake.KindProduct, ID: id}, Result: intake.Done}
	if simple {
		out.Variants = []intake.Ref{{Kind: intake.KindVariant, ID: id, Parent: id}}
	} else if why, err := c.makeVariations(ctx, id, e.Variants, &out); why != "" || err != nil {
		return intake.Outcome{Ref: e.Ref, Result: intake.Refused, Why: why}, err
	}
	return c.stateMade(ctx, out, simple)
}

func optionsOf(e *intake.Edit) string {
	text, _ := changeOf(e.Changes, intake.FieldOptions)
	return text
}

// productBodyOf is what the shop is told of a new product; one that is sold
// itself with what is its variant's.
func productBodyOf(e *intake.Edit, simple bool) (map[string]any, error) {
	body := map[string]any{"type": "simple", "meta_data": keyEntry(e.Key)}
	err := express(body, intake.KindProduct, e.Changes)
	if images, _ := changeOf(e.Changes, intake.FieldImages); images != "" {
		err = errors.Join(err, pictures{}.express(body, e))
	}
	switch {
	case simple:
		err = errors.Join(err, express(body, intake.KindVariant, e.Variants[0].Changes))
		countStock(body, &e.Variants[0])
	case len(e.Variants) > 0:
		attributes, e2 := attributesOf(e.Variants)
		body["type"], body["attributes"] = "variable", attributes
		err = errors.Join(err, e2)
	}
	return body, err
}

func keyEntry(key string) []map[string]any {
	return []map[string]any{{"key": keyMeta, "value": key}}
}

// countStock has the shop count a new thing from nothing: until its stock was
// told it cannot be sold, and so not too often. What nobody counts can always
// be bought.
func countStock(body map[string]any, v *intake.Edit) {
	if v.Untracked {
		body["manage_stock"], body["stock_status"] = false, "instock"
		return
	}
	body["manage_stock"], body["stock_quantity"] = true, 0
}

// attributesOf gathers what the variants of a new product may be, in the order
// in which they come.
func attributesOf(variants []intake.Edit) ([]map[string]any, error) {
	var names []string
	values := map[string][]string{}
	for i := range variants {
		options, err := readList[intake.Option](optionsOf(&variants[i]))
		if err != nil {
			return nil, err
		}
		for _, o := range options {
			if values[o.Name] == nil {
				names = append(names, o.Name)
			}
			if !slices.Contains(values[o.Name], o.Value) {
				values[o.Name] = append(values[o.Name], o.Value)
			}
		}
	}
	var all []map[string]any
	for i, name := range names {
		all = append(all, map[string]any{"name": name, "position": i, "visible": true, "variation": true, "options": values[name]})
	}
	return all, nil
}

// makeOne makes one record and returns its id.
func (c *Connector) makeOne(ctx context.Context, op, route string, body map[string]any) (string, error) {
	return c.writeOne(ctx, op, http.MethodPost, route, body)
}

// writeOne makes or changes one record and returns its id. An answer that names
// none is no answer, whatever its status: what stands before the shop may have
// given it.
func (c *Connector) writeOne(ctx context.Context, op, method, route string, body map[string]any) (string, error) {
	a, err := c.api.write(ctx, op, method, route, body)
	if err != nil {
		return "", err
	}
	if id := headOf(a.Body).id; id > 0 {
		return scalarID(id), nil
	}
	return "", c.api.rest.Fail(connectors.Transient, "woocommerce: "+op, errors.New("the shop's answer names no record"), "")
}

func scalarID(id int64) string { return strconv.FormatInt(id, 10) }

// findMade looks for a product that was made with a key, and whose answer was
// lost: by its SKU where it has one, else among the newest and those of its
// name. "" where there is none.
func (c *Connector) findMade(ctx context.Context, e *intake.Edit, simple bool) (string, error) {
	newest := url.Values{"status": {"any"}, "orderby": {"id"}, "order": {"desc"}}
	questions := []url.Values{newest}
	if title, _ := changeOf(e.Changes, intake.FieldTitle); title != "" {
		questions = append(questions, with(newest, "search", title))
	}
	if simple {
		if sku, _ := changeOf(e.Variants[0].Changes, intake.FieldSKU); sku != "" {
			questions = []url.Values{{"status": {"any"}, "sku": {sku}}}
		}
	}
	for _, q := range questions {
		q = with(with(q, "per_page", strconv.Itoa(maxPageSize)), "_fields", madeFields)
		a, err := c.api.get(ctx, "look for product", "products", q)
		if err != nil {
			return "", err
		}
		rows, err := c.rows("look for product", a)
		if err != nil {
			return "", err
		}
		for _, raw := range rows {
			var m made
			if json.Unmarshal(raw, &m) == nil && m.Parent.ref() == "" && e.Key != "" && metaOf(m.Meta, keyMeta) == e.Key {
				return m.ID.ref(), nil
			}
		}
	}
	return "", nil
}

// with returns a question with one more parameter.
func with(query url.Values, name, value string) url.Values {
	out := url.Values{name: {value}}
	for k, v := range query {
		out[k] = v
	}
	return out
}

// makeVariations makes the variations of a product that are not there, and
// names all of them in the outcome. Where the shop refuses one, the rest is
// there, and is found the next time.
func (c *Connector) makeVariations(ctx context.Context, product string, variants []intake.Edit, out *intake.Outcome) (why string, err error) {
	there, err := c.variationsMade(ctx, product)
	if err != nil {
		return "", err
	}
	out.Variants = make([]intake.Ref, len(variants))
	var bodies []map[string]any
	var at []int
	for i := range variants {
		out.Variants[i] = intake.Ref{Kind: intake.KindVariant, ID: there[variants[i].Key], Parent: product}
		if out.Variants[i].ID != "" {
			continue
		}
		body, err := variationBodyOf(&variants[i])
		if err != nil {
			return err.Error(), nil
		}
		bodies = append(bodies, body)
		at = append(at, i)
	}
	for len(bodies) > 0 {
		n := min(len(bodies), batchSize)
		answer, err := c.batch(ctx, "make variations", "products/"+product+"/variations", batch{Create: bodies[:n]})
		if err != nil {
			return "", err
		}
		for i, raw := range answer.Create {
			id, refusal := readItem(raw)
			if refusal != nil {
				why = refusal.Error()
				continue
			}
			out.Variants[at[i]].ID = scalarID(id)
		}
		bodies, at = bodies[n:], at[n:]
	}
	return why, nil
}

// variationBodyOf is what the shop is told of a new variation of a product whose
// attributes we made.
func variationBodyOf(v *intake.Edit) (map[string]any, error) {
	body := map[string]any{"meta_data": keyEntry(v.Key)}
	countStock(body, v)
	options, err := readList[intake.Option](optionsOf(v))
	wire := []map[string]any{}
	for _, o := range options {
		wire = append(wire, map[string]any{"name": o.Name, "option": o.Value})
	}
	body["attributes"] = wire
	return body, errors.Join(err, express(body, intake.KindVariant, v.Changes))
}

// variationsMade returns the ids of the variations of a product that were made
// with a key, by that key.
func (c *Connector) variationsMade(ctx context.Context, product string) (map[string]string, error) {
	there := map[string]string{}
	list, err := c.variationsOf(ctx, product, madeFields)
	for _, m := range list {
		if key := metaOf(m.Meta, keyMeta); key != "" {
			there[key] = m.ID.ref()
		}
	}
	return there, err
}

// variationsOf reads the variations of a product.
func (c *Connector) variationsOf(ctx context.Context, product, fields string) ([]made, error) {
	var list []made
	err := c.eachVariation(ctx, number(product), fields, func(rows []row) error {
		for _, r := range rows {
			var m made
			if json.Unmarshal(r.raw, &m) == nil {
				list = append(list, m)
			}
		}
		return nil
	})
	return list, err
}

// stateMade adds what the shop states of what was made.
func (c *Connector) stateMade(ctx context.Context, out intake.Outcome, simple bool) (intake.Outcome, error) {
	records, err := c.Fetch(ctx, []intake.Ref{out.Ref})
	if err != nil {
		return intake.Outcome{}, err
	}
	out.Records = records
	if !simple {
		variants, err := c.Fetch(ctx, out.Variants)
		if err != nil {
			return intake.Outcome{}, err
		}
		out.Records = append(out.Records, variants...)
	}
	return out, nil
}
