package woocommerce

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"

	"comptoir/connectors"
	"comptoir/erp/intake"
)

// resourceOf returns where the records of a kind are listed.
func resourceOf(kind intake.Kind) (intake.Resource, bool) {
	for _, r := range []intake.Resource{intake.Orders, intake.Products, intake.Variants, intake.Customers, intake.Coupons,
		intake.Categories, intake.TaxRates, intake.Gateways, intake.ShippingMethods} {
		if intake.KindOf(r) == kind {
			return r, true
		}
	}
	return "", false
}

// Fetch reads records again, one for each ref and in that order. Many are
// asked for at once; those that do not come that way, such as orders in the
// trash, are asked for one by one before they pass for gone.
func (c *Connector) Fetch(ctx context.Context, refs []intake.Ref) ([]intake.Record, error) {
	if len(refs) == 0 {
		return nil, nil
	}
	kind := refs[0].Kind
	r, ok := resourceOf(kind)
	if !ok {
		return nil, c.unknownResource(intake.Resource(kind))
	}
	if err := c.learnToRead(ctx, r); err != nil {
		return nil, err
	}
	found, err := c.fetchAll(ctx, r, refs)
	if err != nil {
		return nil, err
	}
	records := make([]intake.Record, 0, len(refs))
	for _, ref := range refs {
		rec, ok := found[ref.ID]
		if !ok {
			rec = intake.Missing(ref)
		}
		records = append(records, rec)
	}
	return records, nil
}

func (c *Connector) fetchAll(ctx context.Context, r intake.Resource, refs []intake.Ref) (map[string]intake.Record, error) {
	if r == intake.Gateways || r == intake.ShippingMethods {
		records, err := c.small(ctx, r)
		return byID(records), err
	}
	raws, parents, err := c.fetchRaw(ctx, r, refs)
	if err != nil {
		return nil, err
	}
	if r == intake.Orders {
		rows := make([]row, 0, len(raws))
		for _, raw := range raws {
			rows = append(rows, row{raw: raw})
		}
		records, err := c.orderRecords(ctx, rows)
		return byID(records), err
	}
	found := make(map[string]intake.Record, len(raws))
	for id, raw := range raws {
		if r == intake.Products && isVariation(raw) {
			continue // the route of products answers for variations too
		}
		found[id] = c.record(intake.KindOf(r), raw, parents[id])
	}
	return found, nil
}

func byID(records []intake.Record) map[string]intake.Record {
	found := make(map[string]intake.Record, len(records))
	for _, rec := range records {
		found[rec.Ref.ID] = rec
	}
	return found
}

// fetchRaw reads the payloads of refs by their ids; with variations come the
// ids of their products, as the refs name them.
func (c *Connector) fetchRaw(ctx context.Context, r intake.Resource, refs []intake.Ref) (raws map[string]json.RawMessage, parents map[string]string, err error) {
	raws, parents = map[string]json.RawMessage{}, map[string]string{}
	wanted := map[string]bool{}
	var ids []string
	for _, ref := range refs {
		if n, err := strconv.ParseInt(ref.ID, 10, 64); err != nil || n <= 0 || wanted[ref.ID] {
			continue // WooCommerce has no such id
		}
		wanted[ref.ID] = true
		parents[ref.ID] = ref.Parent
		ids = append(ids, ref.ID)
	}
	err = c.fetchMany(ctx, r, ids, parents, func(raw json.RawMessage) {
		if id := strconv.FormatInt(headOf(raw).id, 10); wanted[id] {
			raws[id] = raw
		}
	})
	if err != nil && !choked(err) { // else one by one
		return nil, nil, err
	}
	for _, id := range ids {
		if raws[id] != nil {
			continue
		}
		raw, err := c.fetchOne(ctx, r, id, parents[id])
		if absent(err) {
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		raws[id] = raw
	}
	return raws, parents, nil
}

// fetchMany reads what comes many at once: variations by their products where
// the shop has no list of all.
func (c *Connector) fetchMany(ctx context.Context, r intake.Resource, ids []string, parents map[string]string, use func(json.RawMessage)) error {
	l, ok := c.listOf(r)
	if !ok || r == intake.TaxRates || len(ids) < 2 {
		return nil
	}
	if !l.parents {
		err := c.included(ctx, "read "+string(r), l.route, l.query, ids, use)
		if !noRoute(err) || r != intake.Variants {
			return err
		}
		c.noVariations.Store(true)
	}
	under := func(id string) string {
		return goodsRoute(intake.Ref{Kind: intake.KindVariant, ID: id, Parent: parents[id]})
	}
	for _, some := range parts(ids, under) {
		route := under(some[0])
		if len(some) < 2 || route == "products" { // of which the product is not known
			continue
		}
		err := c.included(ctx, "read "+string(r), route, url.Values{"status": {"any"}}, some, use)
		if err != nil && !absent(err) { // else the product is gone
			return err
		}
	}
	return nil
}

// fetchOne reads one payload.
func (c *Connector) fetchOne(ctx context.Context, r intake.Resource, id, parent string) (json.RawMessage, error) {
	route, query := "", url.Values(nil)
	switch r {
	case intake.Orders:
		route, query = "orders/", url.Values{"dp": {"6"}}
	case intake.Variants:
		if parent == "" {
			return c.variationOfNobody(ctx, id)
		}
		route = "products/" + url.PathEscape(parent) + "/variations/"
	default:
		l, _ := c.listOf(r)
		route = l.route + "/"
	}
	raw, err := c.one(ctx, "read "+string(intake.KindOf(r)), route+id, query)
	if err != nil {
		return nil, err
	}
	if got := strconv.FormatInt(headOf(raw).id, 10); got != id {
		return nil, c.api.rest.Fail(connectors.Transient, "woocommerce: read "+string(intake.KindOf(r)),
			fmt.Errorf("the shop was asked for %s and answered with %s", id, got), "a cache may stand before the shop: let it leave out /wp-json/")
	}
	return raw, nil
}

// isVariation reports whether a payload of the route of products is none of a
// product.
func isVariation(raw json.RawMessage) bool {
	var head struct {
		Type scalar `json:"type"`
	}
	return json.Unmarshal(raw, &head) == nil && head.Type.text == "variation"
}

// variationOfNobody reads a variation of which the product is not known. The
// route of products answers for variations too, and names the product.
func (c *Connector) variationOfNobody(ctx context.Context, id string) (json.RawMessage, error) {
	raw, err := c.one(ctx, "read variant", "products/"+id, nil)
	if err != nil {
		return nil, err
	}
	var head struct {
		Parent scalar `json:"parent_id"`
	}
	if err := json.Unmarshal(raw, &head); err != nil || head.Parent.ref() == "" {
		return raw, nil // a product that is sold itself
	}
	return c.fetchOne(ctx, intake.Variants, id, head.Parent.ref())
}

// List calls yield with the ids that the shop has of r.
func (c *Connector) List(ctx context.Context, r intake.Resource, yield func([]intake.Ref) error) error {
	if r == intake.Gateways || r == intake.ShippingMethods {
		records, err := c.small(ctx, r)
		if err != nil {
			return err
		}
		refs := make([]intake.Ref, 0, len(records))
		for _, rec := range records {
			refs = append(refs, rec.Ref)
		}
		return yield(refs)
	}
	l, ok := c.listOf(r)
	if !ok {
		return c.unknownResource(r)
	}
	err := c.listIDs(ctx, l, yield)
	if noRoute(err) && l.route == "variations" {
		c.noVariations.Store(true)
		l, _ = c.listOf(r)
		err = c.listIDs(ctx, l, yield)
	}
	return err
}

func (c *Connector) listIDs(ctx context.Context, l source, yield func([]intake.Ref) error) error {
	fields := "id"
	if l.resource == intake.Variants {
		fields = "id,parent_id"
	}
	return c.each(ctx, l, fields, func(rows []row) error {
		refs := make([]intake.Ref, 0, len(rows))
		for _, r := range rows {
			if r.id == 0 {
				continue // cannot be asked for
			}
			if l.parents {
				if err := c.eachVariation(ctx, r.id, "id", func(vs []row) error { return yield(variantRefs(vs, r.id)) }); err != nil {
					return err
				}
				continue
			}
			refs = append(refs, intake.Ref{Kind: intake.KindOf(l.resource), ID: strconv.FormatInt(r.id, 10), Parent: parentOf(l, r)})
		}
		if len(refs) == 0 {
			return nil
		}
		return yield(refs)
	})
}

func variantRefs(rows []row, parent int64) []intake.Ref {
	refs := make([]intake.Ref, 0, len(rows))
	for _, r := range rows {
		if r.id > 0 {
			refs = append(refs, intake.Ref{Kind: intake.KindVariant, ID: strconv.FormatInt(r.id, 10), Parent: strconv.FormatInt(parent, 10)})
		}
	}
	return refs
}

func parentOf(l source, r row) string {
	if l.resource != intake.Variants {
		return ""
	}
	var head struct {
		Parent scalar `json:"parent_id"`
	}
	if json.Unmarshal(r.raw, &head) != nil {
		return ""
	}
	return head.Parent.ref()
}
