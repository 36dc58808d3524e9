package woocommerce

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"comptoir/connectors"
	"comptoir/erp/intake"

	"github.com/shopspring/decimal"
)

var _ connectors.StockPusher = (*Connector)(nil)

// stockMeta is the metadata of a product that keeps the key of the last push
// of its stock, and when that began. WooCommerce does not compare before it
// sets, so after a push whose answer was lost the number alone does not tell
// whether it arrived: it may be what it was because just as much was sold
// meanwhile.
const stockMeta = "_comptoir_stock"

// stockMark is what is kept under stockMeta.
func stockMark(key string, began time.Time) string {
	return key + " " + began.UTC().Format(time.RFC3339Nano)
}

// arrived reports whether a push with this key was written, and when it began.
func (s *stocked) arrived(key string) (began time.Time, yes bool) {
	mark, at, _ := strings.Cut(metaOf(s.Meta, stockMeta), " ")
	began, err := time.Parse(time.RFC3339Nano, at)
	return began, err == nil && key != "" && mark == key
}

// stockForms are the ways in which WooCommerce names a status.
var stockForms = map[string]string{intake.InStock: "instock", intake.OutOfStock: "outofstock", intake.OnBackorder: "onbackorder"}

// goodsRoute is where a variant is written: a variation under its product, and
// what a product carries itself with the products.
func goodsRoute(ref intake.Ref) string {
	if ref.Kind != intake.KindVariant || ref.Parent == "" || ref.Parent == ref.ID {
		return "products"
	}
	return "products/" + url.PathEscape(ref.Parent) + "/variations"
}

// StockBatches puts together what one call takes: products, and the variations
// of one product.
func (c *Connector) StockBatches(levels []intake.StockLevel) [][]intake.StockLevel {
	return parts(levels, func(l intake.StockLevel) string { return goodsRoute(l.Ref) })
}

// parts cuts a list into parts of one key each, as few as there can be, in the
// order in which the keys come up.
func parts[T any](all []T, key func(T) string) [][]T {
	var out [][]T
	open := map[string]int{} // index of the part that is not full yet
	for _, t := range all {
		k := key(t)
		i, ok := open[k]
		if !ok || len(out[i]) == batchSize {
			i = len(out)
			open[k] = i
			out = append(out, nil)
		}
		out[i] = append(out[i], t)
	}
	return out
}

// stocked is what is read of a product's stock.
type stocked struct {
	ID          scalar     `json:"id"`
	ManageStock scalar     `json:"manage_stock"`
	Quantity    scalar     `json:"stock_quantity"`
	Status      scalar     `json:"stock_status"`
	Meta        list[meta] `json:"meta_data"`
}

// stockFields asks for no more of a product than that: it takes a third of the
// time, and so of the time in which a sale could be overwritten.
const stockFields = "id,manage_stock,stock_quantity,stock_status,meta_data"

// PushStock reads what the shop has right before it writes: where that is not
// what it was believed to have, nothing is written. What is sold between the
// two may be overwritten; each outcome says when that was.
func (c *Connector) PushStock(ctx context.Context, key string, levels []intake.StockLevel) ([]intake.Outcome, error) {
	var all []intake.Outcome
	for some := range slices.Chunk(levels, c.batches.now(anyBatch)) {
		outcomes, err := c.pushStock(ctx, key, some)
		if err != nil {
			return nil, err
		}
		all = append(all, outcomes...)
	}
	return all, nil
}

// pushStock reads and writes what one call takes.
func (c *Connector) pushStock(ctx context.Context, key string, levels []intake.StockLevel) ([]intake.Outcome, error) {
	route := goodsRoute(levels[0].Ref)
	began := c.env.Now()
	have, err := c.stockOf(ctx, route, levels)
	if err != nil {
		return nil, err
	}
	outcomes := make([]intake.Outcome, len(levels))
	var b batch
	var at []int // of each update: the index of its level
	for i, l := range levels {
		now, there := have[l.Ref.ID]
		var write map[string]any
		if outcomes[i], write = c.planStock(key, began, l, now, there); write != nil {
			b.Update = append(b.Update, write)
			at = append(at, i)
		}
	}
	if b.empty() {
		return outcomes, nil
	}
	answer, err := c.batch(ctx, "push stock", route, b)
	if err != nil {
		return nil, err
	}
	ended := c.env.Now()
	for i, raw := range answer.Update {
		outcomes[at[i]] = stockTaken(levels[at[i]], raw, began, ended)
	}
	return outcomes, nil
}

// stockOf reads the stock of levels.
func (c *Connector) stockOf(ctx context.Context, route string, levels []intake.StockLevel) (map[string]stocked, error) {
	var ids []string
	for _, l := range levels {
		if n, err := strconv.ParseInt(l.Ref.ID, 10, 64); err == nil && n > 0 {
			ids = append(ids, l.Ref.ID)
		}
	}
	have := make(map[string]stocked, len(ids))
	err := c.included(ctx, "read stock", route, url.Values{"status": {"any"}, "_fields": {stockFields}}, ids, func(raw json.RawMessage) {
		var s stocked
		if json.Unmarshal(raw, &s) == nil && s.ID.ref() != "" {
			have[s.ID.ref()] = s
		}
	})
	if absent(err) { // the product of these variations is gone
		return have, nil
	}
	return have, err
}

// planStock compares what the shop has with what it is to have. Without a
// write the outcome stands.
func (c *Connector) planStock(key string, began time.Time, l intake.StockLevel, now stocked, there bool) (intake.Outcome, map[string]any) {
	out := intake.Outcome{Ref: l.Ref}
	managed := now.ManageStock.yes()
	switch {
	case !there:
		out.Result, out.Why = intake.Refused, "the shop has no product "+l.Ref.ID+" any more, or it is in the trash"
		return out, nil
	case !l.Counted && (managed || now.ManageStock.text == managedByParent):
		out.Result, out.Why = intake.Skipped, "the shop counts the stock of this product, so it works out by itself whether it can be bought"
		return out, nil
	case !l.Counted:
		return planStatus(l, now)
	case now.ManageStock.text == managedByParent:
		out.Result, out.Why = intake.Skipped, "the shop counts the stock of this variation with its product"
		return out, nil
	case !managed:
		out.Result, out.Why = intake.Skipped, "the shop does not count the stock of this product: switch stock management on in its inventory settings"
		return out, nil
	}
	has, err := now.Quantity.number()
	if err != nil {
		out.Result, out.Why = intake.Refused, "the shop's stock is no number: "+err.Error()
		return out, nil
	}
	out.Now = &has
	before, arrived := now.arrived(key)
	switch {
	case has.Equal(l.To) && arrived:
		// It was written by then at the latest; when its answer was given up is
		// not known any more.
		out.Result, out.ExposedFrom, out.ExposedTo = intake.Done, before, earlier(began, before.Add(2*c.cfg.Timeout))
	case has.Equal(l.To):
		out.Result = intake.Done
	case arrived, l.From != nil && !has.Equal(*l.From):
		out.Result = intake.Stale
	default:
		write := map[string]any{"id": number(l.Ref.ID), "stock_quantity": json.Number(l.To.String())}
		if key != "" {
			write["meta_data"] = []map[string]any{{"key": stockMeta, "value": stockMark(key, began)}}
		}
		return out, write
	}
	return out, nil
}

// planStatus is planStock for what the shop does not count.
func planStatus(l intake.StockLevel, now stocked) (intake.Outcome, map[string]any) {
	form, ok := stockForms[l.Status]
	switch {
	case !ok:
		return intake.Outcome{Ref: l.Ref, Result: intake.Refused, Why: fmt.Sprintf("WooCommerce has no stock status %q", l.Status)}, nil
	case now.Status.trimmed() == form:
		return intake.Outcome{Ref: l.Ref, Result: intake.Done}, nil
	default:
		return intake.Outcome{}, map[string]any{"id": number(l.Ref.ID), "stock_status": form}
	}
}

// number is the id of a record as WooCommerce counts, 0 for what is none.
func number(id string) int64 { return scalar{text: id}.id() }

// stockTaken reads the shop's answer back. It answers with the whole product,
// but as it is edited and not as it is seen, so that is no statement.
func stockTaken(l intake.StockLevel, raw json.RawMessage, began, ended time.Time) intake.Outcome {
	out := intake.Outcome{Ref: l.Ref}
	if _, refusal := readItem(raw); refusal != nil {
		out.Result, out.Why = intake.Refused, refusal.Error()
		return out
	}
	out.Result, out.ExposedFrom, out.ExposedTo = intake.Done, began, ended
	if !l.Counted {
		return out
	}
	var s stocked
	err := json.Unmarshal(raw, &s)
	var has decimal.Decimal
	if err == nil {
		has, err = s.Quantity.number()
	}
	switch {
	case err != nil:
		out.Result, out.Why = intake.Refused, "the shop's answer cannot be read: "+err.Error()
	case has.Equal(l.To):
		out.Now = &has
	case !l.To.IsInteger() && has.Equal(l.To.Floor()):
		out.Result, out.Now = intake.Refused, &has
		out.Why = fmt.Sprintf("the shop counts whole units, and made %s of %s: count this product in a smaller unit, or add a plugin for fractions", has, l.To)
	default:
		out.Result, out.Now = intake.Stale, &has
	}
	return out
}
