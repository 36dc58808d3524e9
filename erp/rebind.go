package erp

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"comptoir/erp/catalog"
	"comptoir/erp/fault"
	"comptoir/erp/intake"
	"comptoir/erp/inventory"
	"comptoir/erp/ledger"
	"comptoir/erp/outbox"
	"comptoir/erp/quantity"
	"comptoir/erp/store"
)

// Rebind does what a person decided about what is one thing in several shops:
// all of it or nothing. The orders that a shop took for a variant are decided
// again with the one that it is from now on, so the stock is as if it had been
// so from the beginning. A stock that was taken over twice is taken back once.
// A dry run changes nothing.
func (b *Books) Rebind(ctx context.Context, decisions []Rebinding, dryRun bool) ([]Rebound, error) {
	var done []Rebound
	err := b.db.Write(ctx, func(tx *store.Tx) error {
		done = []Rebound{}
		seen := map[string]string{}
		for _, d := range decisions {
			key := d.Shop + "/" + d.External
			if first := seen[key]; first != "" {
				return fault.New(fault.Invalid, "keep one of the two", "%s: %s of shop %s is decided at %s already", d.Where, d.External, d.Shop, first)
			}
			seen[key] = d.Where
			one, err := b.rebind(ctx, tx, d)
			if err != nil {
				return located(d.Where, err)
			}
			if one != nil {
				done = append(done, *one)
			}
		}
		if dryRun {
			return errPreview
		}
		return nil
	})
	if dryRun && errors.Is(err, errPreview) {
		return done, nil
	}
	if err != nil {
		return nil, fmt.Errorf("link: %w", err)
	}
	return done, b.settleRebound(ctx, done)
}

// located says where a decision stands that cannot be followed.
func located(where string, err error) error {
	var f *fault.Error
	if where == "" || !errors.As(err, &f) {
		return err
	}
	return &fault.Error{Kind: f.Kind, Fix: f.Fix, Msg: where + ": " + f.Msg, Err: f.Err}
}

// settleRebound decides again the orders that wait for it, and brings the stock
// in line.
func (b *Books) settleRebound(ctx context.Context, done []Rebound) error {
	shops := map[string]bool{}
	for _, d := range done {
		shops[d.Shop] = true
	}
	for _, s := range b.ranked {
		if !shops[s.name] {
			continue
		}
		var at int64
		if err := b.db.QueryRow(ctx, `SELECT ordered_at FROM shop WHERE id = $1`, s.id).Scan(&at); err != nil {
			return err
		}
		if at == 0 { // its orders were never read to their end: that settles it
			continue
		}
		read := store.FromMicros(at)
		if _, err := b.Settle(ctx, s.name, read, read); err != nil {
			return err
		}
	}
	return nil
}

// rebinder is one decision at work.
type rebinder struct {
	*page
	d        Rebinding
	from, to int64
	sku      string
	bound    int64 // how often it was bound so far
	// alone: nobody else sells what it was, so nothing is left of that.
	alone bool
}

// rebind follows one decision; nil where it is so already.
func (b *Books) rebind(ctx context.Context, tx *store.Tx, d Rebinding) (*Rebound, error) {
	p, err := b.openPage(ctx, tx, Stream{Shop: d.Shop, Resource: intake.Products})
	if err != nil {
		return nil, err
	}
	r := &rebinder{page: p, d: d, to: d.Variant}
	if err := r.look(ctx); err != nil {
		return nil, err
	}
	if r.from == r.to || r.to == 0 && r.alone {
		return nil, nil
	}
	out := &Rebound{Shop: d.Shop, External: d.External, SKU: r.sku, From: r.from}
	if r.to == 0 {
		out.What = "a variant of its own"
		if err := r.split(ctx); err != nil {
			return nil, err
		}
	}
	out.To = r.to
	if out.What == "" {
		out.What = fmt.Sprintf("one with variant %d", r.to)
	}
	units, err := r.takeBack(ctx)
	if err != nil {
		return nil, err
	}
	if units != 0 {
		out.What += fmt.Sprintf("; the stock of %s that was taken over for it is taken back", units)
	}
	if out.Orders, err = r.orders(ctx); err != nil {
		return nil, err
	}
	if err := r.move(ctx); err != nil {
		return nil, err
	}
	return out, p.flush(ctx)
}

// look finds what the record is now, and refuses what cannot be done.
func (r *rebinder) look(ctx context.Context) error {
	var gone, own bool
	err := r.tx.QueryRow(ctx, `SELECT g.local_id, g.gone, g.bound, v.sku, v.stock_id = v.id FROM origin g JOIN variant v ON v.id = g.local_id
		WHERE g.shop_id = $1 AND g.kind = 'variant' AND g.external_id = $2`, r.shop, r.d.External).Scan(&r.from, &gone, &r.bound, &r.sku, &own)
	switch {
	case errors.Is(err, sql.ErrNoRows) || err == nil && gone:
		return fault.New(fault.NotFound, "export the bindings anew", "shop %s has no variant %q", r.d.Shop, r.d.External)
	case err != nil:
		return fmt.Errorf("read variant %s: %w", r.d.External, err)
	case r.d.Was != 0 && r.d.Was != r.from && r.d.Variant != r.from:
		return fault.New(fault.Conflict, "export the bindings anew", "%s of shop %s was variant %d when the file was written, and is %d now", r.d.External, r.d.Shop, r.d.Was, r.from)
	case !own:
		return fault.New(fault.Unprocessable, "have the shop count each variant by itself", "%s of shop %s shares its stock with other variants of its product", r.d.External, r.d.Shop)
	}
	bound, err := catalog.BoundTo(ctx, r.tx, intake.KindVariant, r.from)
	if err != nil {
		return err
	}
	r.alone = !slices.ContainsFunc(bound, func(shop int64) bool { return shop != r.shop })
	var twice int
	if err := r.tx.QueryRow(ctx, `SELECT COUNT(*) FROM origin WHERE shop_id = $1 AND kind = 'variant' AND local_id = $2`, r.shop, r.from).Scan(&twice); err != nil {
		return err
	}
	if twice > 1 {
		return fault.New(fault.Unprocessable, "delete one of them in the shop", "shop %s has had variant %d under several ids", r.d.Shop, r.from)
	}
	if r.to == 0 || r.to == r.from {
		return nil
	}
	return r.lookAtTarget(ctx)
}

func (r *rebinder) lookAtTarget(ctx context.Context) error {
	var own, stub bool
	err := r.tx.QueryRow(ctx, `SELECT stock_id = id, stub OR unlisted FROM variant WHERE id = $1 AND merged_into = 0`, r.to).Scan(&own, &stub)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return fault.New(fault.NotFound, "take a number from the column variant or proposal", "there is no variant %d", r.to)
	case err != nil:
		return err
	case !own || stub:
		return fault.New(fault.Unprocessable, "choose a variant that its shop lists and counts by itself", "variant %d has no stock of its own", r.to)
	}
	var has int
	err = r.tx.QueryRow(ctx, `SELECT COUNT(*) FROM origin WHERE shop_id = $1 AND kind = 'variant' AND local_id = $2`, r.shop, r.to).Scan(&has)
	if err == nil && has > 0 {
		return fault.New(fault.Unprocessable, "a shop can sell a variant under one id only", "shop %s sells variant %d already", r.d.Shop, r.to)
	}
	return err
}

// split makes a variant of its own of what is shared, described as that is.
func (r *rebinder) split(ctx context.Context) error {
	var counted int64
	err := r.tx.QueryRow(ctx, `SELECT COALESCE(MAX(counted_by), 0) FROM stock_level WHERE variant_id = $1 AND place_id = 1`, r.from).Scan(&counted)
	if err != nil {
		return err
	}
	if counted == r.shop {
		return fault.New(fault.Unprocessable, `write "new" in the line of the other shop instead`, "the stock of variant %d was taken over from shop %s", r.from, r.d.Shop)
	}
	if r.to, err = r.tx.NewID(ctx); err != nil {
		return err
	}
	r.tx.Queue(`INSERT INTO variant (id, product_id, sku, barcode, title, options, status, kind, tax_class, price, regular, sale, sale_from, sale_to, cost, weight, backorders, tracked, stock_id, sellable, stub, linked, safety)
		SELECT $2, product_id, sku, barcode, title, options, status, kind, tax_class, price, regular, sale, sale_from, sale_to, cost, weight, backorders, tracked, $2, sellable, FALSE, TRUE, safety
		FROM variant WHERE id = $1`, r.from, r.to)
	return r.tx.Flush(ctx)
}

// takeBack takes back what was taken over for the record: all that did not come
// with orders, or where others still sell what it was, what had been added
// because of this shop. It returns the units.
func (r *rebinder) takeBack(ctx context.Context) (quantity.Quantity, error) {
	var bought int
	err := r.tx.QueryRow(ctx, `SELECT COUNT(*) FROM stock_move WHERE variant_id = $1 AND document_kind NOT IN ('order', 'stock')`, r.from).Scan(&bought)
	if err != nil {
		return 0, err
	}
	if bought > 0 && r.alone {
		return 0, fault.New(fault.Unprocessable, "link the other shop's record with this one instead", "variant %d was bought from a vendor: its receipts stay with it", r.from)
	}
	own := r.stockCause(r.d.External, r.bound) + "/opening"
	stored, err := inventory.OfDocuments(ctx, r.tx, []int64{r.from})
	if err != nil {
		return 0, err
	}
	var units quantity.Quantity
	undone := map[string]bool{}
	for _, m := range stored[r.from] {
		undone[strings.TrimSuffix(m.Cause, rebound)] = undone[strings.TrimSuffix(m.Cause, rebound)] || strings.HasSuffix(m.Cause, rebound)
	}
	for _, m := range stored[r.from] {
		if m.DocumentKind != "stock" || m.Variant != r.from || undone[m.Cause] || strings.HasSuffix(m.Cause, rebound) || !r.alone && m.Cause != own {
			continue
		}
		if err := r.undo(ctx, m); err != nil {
			return 0, err
		}
		if m.To == inventory.Main {
			units += m.Quantity
		} else {
			units -= m.Quantity
		}
	}
	if r.alone {
		r.tx.Queue(`UPDATE stock_level SET opened = FALSE, counted_by = 0, counted_at = 0 WHERE variant_id = $1`, r.from)
	}
	for _, v := range []int64{r.from, r.to} { // what the shop had sold before the count is looked at anew
		r.tx.Queue(`UPDATE shop_taken SET opening = 0, counted = FALSE WHERE variant_id = $1 AND shop_id = $2`, v, r.shop)
	}
	return units, nil
}

// rebound ends the cause of what is taken back because a variant is another one
// from now on.
const rebound = "/rebound"

// undo takes back a move of stock and the entry that came with it.
func (r *rebinder) undo(ctx context.Context, m inventory.Stored) error {
	home := r.b.opts.Company.Currency
	day := ledger.Unlocked(r.lock, r.day(0))
	back := m.Reversal(m.Cause+rebound, max(day, m.Effective))
	back.Reason = fmt.Sprintf("%s of %s is variant %d", r.d.External, r.d.Shop, r.to)
	if err := r.mover.Move(ctx, back); err != nil {
		return err
	}
	if m.Value == 0 {
		return nil
	}
	against := ledger.InventoryAdjustment
	if m.From == inventory.Opening || m.To == inventory.Opening {
		against = ledger.OpeningEquity
	}
	debit, credit := ledger.Ref{Role: against}, ledger.Ref{Role: ledger.Inventory}
	if back.To == inventory.Main {
		debit, credit = credit, debit
	}
	_, err := r.poster.Post(ctx, &ledger.Entry{Journal: ledger.JournalInventory, Effective: back.Effective, Cause: back.Cause, Description: back.Reason, Shop: r.shop,
		DocumentKind: "stock", Document: r.from, Lines: []ledger.Line{
			{Account: debit, Debit: m.Value, Currency: home, ForeignDebit: m.Value},
			{Account: credit, Credit: m.Value, Currency: home, ForeignCredit: m.Value},
		}})
	return err
}

// orders has the shop's orders for the record decided again with what it is
// from now on, and returns how many they are.
func (r *rebinder) orders(ctx context.Context) (n int, err error) {
	var demand, allocated quantity.Quantity
	err = r.tx.QueryRow(ctx, `SELECT COUNT(DISTINCT o.id), COALESCE(SUM(l.demand), 0), COALESCE(SUM(l.allocated), 0) FROM order_line l JOIN sales_order o ON o.id = l.order_id
		WHERE o.shop_id = $1 AND l.variant_id = $2`, r.shop, r.from).Scan(&n, &demand, &allocated)
	if err != nil {
		return 0, fmt.Errorf("read the orders for variant %d: %w", r.from, err)
	}
	r.mover.Want(r.shop, r.from, -demand, -allocated)
	r.mover.Want(r.shop, r.to, demand, allocated)
	r.tx.Queue(`UPDATE sales_order SET waiting = TRUE WHERE shop_id = $1 AND id IN (SELECT order_id FROM order_line WHERE variant_id = $2)`, r.shop, r.from)
	r.tx.Queue(`UPDATE order_line SET variant_id = $3 WHERE variant_id = $2 AND order_id IN (SELECT id FROM sales_order WHERE shop_id = $1 AND waiting)`, r.shop, r.from, r.to)
	return n, nil
}

// move hangs what the shop says of the record on what it is from now on.
func (r *rebinder) move(ctx context.Context) error {
	for _, q := range []string{
		`UPDATE payload SET local_id = $3 WHERE shop_id = $1 AND kind = 'variant' AND local_id = $2`,
		`UPDATE origin SET local_id = $3, bound = bound + 1 WHERE shop_id = $1 AND kind = 'variant' AND local_id = $2`,
		`UPDATE shop_stock SET variant_id = $3, settled = FALSE, waiting_since = 0 WHERE shop_id = $1 AND variant_id = $2`,
		`UPDATE shop_level SET variant_id = $3 WHERE shop_id = $1 AND variant_id = $2`,
		`UPDATE stock_ack SET variant_id = $3, unsure = TRUE WHERE shop_id = $1 AND variant_id = $2`,
		`UPDATE agreed SET local_id = $3 WHERE shop_id = $1 AND kind = 'variant' AND local_id = $2`,
		`UPDATE conflict SET local_id = $3 WHERE shop_id = $1 AND kind = 'variant' AND local_id = $2`,
	} {
		r.tx.Queue(q, r.shop, r.from, r.to)
	}
	for _, kind := range []outbox.Kind{outbox.Stock, outbox.Variant} {
		outbox.Drop(r.tx, r.shop, kind, r.from)
		if r.b.policy(r.shop).On {
			outbox.Put(r.tx, r.shop, kind, r.to, r.now)
		}
	}
	catalog.Track(r.tx, r.to)
	var product int64
	if err := r.tx.QueryRow(ctx, `SELECT product_id FROM variant WHERE id = $1`, r.from).Scan(&product); err != nil {
		return err
	}
	if r.alone {
		r.tx.Queue(`UPDATE variant SET sku = '', barcode = '', product_id = 0, tracked = FALSE, status = 'deleted' WHERE id = $1`, r.from)
		if err := r.tx.Flush(ctx); err != nil {
			return err
		}
		var into int64
		if err := r.tx.QueryRow(ctx, `SELECT product_id FROM variant WHERE id = $1`, r.to).Scan(&into); err != nil {
			return err
		}
		if product != 0 && into != 0 && product != into {
			return r.b.mergeProduct(ctx, r.tx, product, into)
		}
	} else {
		catalog.Track(r.tx, r.from)
	}
	return nil
}
