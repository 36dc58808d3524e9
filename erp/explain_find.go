package erp

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"comptoir/erp/fault"
	"comptoir/erp/store"
)

// mostCandidates bounds the list in the message about an unclear id.
const mostCandidates = 8

func joinList(list []string) string {
	if len(list) > mostCandidates {
		return strings.Join(list[:mostCandidates], ", ") + fmt.Sprintf(" and %d more", len(list)-mostCandidates)
	}
	return strings.Join(list, ", ")
}

// findTarget finds what an id stands for.
func findTarget(ctx context.Context, r store.Reader, id string) (target, error) {
	id = strings.TrimSpace(id)
	if rest, ok := strings.CutPrefix(id, "entry:"); ok {
		return findEntry(ctx, r, rest)
	}
	if series, number, ok := strings.Cut(id, "-"); ok {
		if n, ok := parseEntryID(number); ok {
			t, found, err := findDocument(ctx, r, strings.ToUpper(series), n)
			if found || err != nil {
				return t, err
			}
		}
	}
	if t, found, err := findCause(ctx, r, id); found || err != nil {
		return t, err
	}
	return findOrder(ctx, r, id)
}

// findEntry finds an entry by its number or its cause.
func findEntry(ctx context.Context, r store.Reader, id string) (target, error) {
	if n, ok := parseEntryID(id); ok {
		t, found, err := scanEntry(r.QueryRow(ctx, `SELECT id, document_kind, document_id FROM entry WHERE id = $1`, n))
		if found || err != nil {
			return t, err
		}
	} else if t, found, err := findCause(ctx, r, id); found || err != nil {
		return t, err
	}
	return target{}, fault.New(fault.NotFound, "see comptoir report journal", "there is no entry %q", id)
}

func findCause(ctx context.Context, r store.Reader, cause string) (target, bool, error) {
	return scanEntry(r.QueryRow(ctx, `SELECT id, document_kind, document_id FROM entry WHERE cause = $1`, cause))
}

func scanEntry(row *sql.Row) (target, bool, error) {
	var t target
	var kind string
	var document int64
	err := row.Scan(&t.entry, &kind, &document)
	if errors.Is(err, sql.ErrNoRows) {
		return t, false, nil
	}
	if err != nil {
		return t, false, fmt.Errorf("find an entry: %w", err)
	}
	t.subject = fmt.Sprintf("entry %d", t.entry)
	if kind == "order" {
		t.order = document
	}
	return t, true, nil
}

func findDocument(ctx context.Context, r store.Reader, series string, number int64) (target, bool, error) {
	var t target
	var kind string
	err := r.QueryRow(ctx, `SELECT kind, order_id, cause FROM invoice WHERE series = $1 AND number = $2`, series, number).Scan(&kind, &t.order, &t.cause)
	if errors.Is(err, sql.ErrNoRows) {
		return t, false, nil
	}
	if err != nil {
		return t, false, fmt.Errorf("find a document: %w", err)
	}
	t.subject = fmt.Sprintf("%s %s-%d", strings.ReplaceAll(kind, "_", " "), series, number)
	return t, true, nil
}

// candidate is an order that an id may mean.
type candidate struct {
	id                     int64
	shop, external, number string
}

func (c candidate) String() string {
	return fmt.Sprintf("order/%s/%s (number %s)", c.shop, c.external, c.number)
}

// findOrder finds an order: shop/id, order/shop/external id, or an id alone.
func findOrder(ctx context.Context, r store.Reader, id string) (target, error) {
	shop, number := "", id
	exact := false
	if rest, ok := strings.CutPrefix(id, "order/"); ok && strings.Contains(rest, "/") {
		exact, number = true, rest
	}
	if before, after, ok := strings.Cut(number, "/"); ok {
		shop, number = before, after
	}
	list, err := candidates(ctx, r, `SELECT o.id, s.name, o.external_id, o.number FROM sales_order o JOIN shop s ON s.id = o.shop_id
		WHERE (o.external_id = $1 OR (o.number IN ($1, '#' || $1) AND NOT $3)) AND ($2 = '' OR s.name = $2) ORDER BY s.name, o.id`, number, shop, exact)
	if err != nil {
		return target{}, err
	}
	switch len(list) {
	case 0:
		return target{}, unknownID(ctx, r, id, shop, number)
	case 1:
		return target{order: list[0].id, subject: fmt.Sprintf("order %s of %s", list[0].number, list[0].shop)}, nil
	}
	names := make([]string, len(list))
	for i, c := range list {
		names[i] = c.String()
	}
	return target{}, ambiguous(id, names)
}

func candidates(ctx context.Context, r store.Reader, query string, args ...any) ([]candidate, error) {
	rows, err := r.Query(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("find orders: %w", err)
	}
	defer rows.Close()
	var list []candidate
	for rows.Next() {
		var c candidate
		if err := rows.Scan(&c.id, &c.shop, &c.external, &c.number); err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, rows.Err()
}

// unknownID is the fault for an id that is nothing, with what may have been
// meant: a parked order, an entry of that number, orders whose numbers hold it.
func unknownID(ctx context.Context, r store.Reader, id, shop, number string) error {
	var parked int64
	err := r.QueryRow(ctx, `SELECT p.id FROM parked p JOIN shop s ON s.id = p.shop_id
		WHERE p.kind = 'order' AND p.external_id = $1 AND ($2 = '' OR s.name = $2) AND NOT p.dropped ORDER BY p.id LIMIT 1`, number, shop).Scan(&parked)
	switch {
	case err == nil:
		return fault.New(fault.NotFound, fmt.Sprintf("see comptoir parked show %d", parked), "order %s is not booked: it is parked", id)
	case !errors.Is(err, sql.ErrNoRows):
		return fmt.Errorf("find a parked order: %w", err)
	}
	var names []string
	if n, ok := parseEntryID(id); ok {
		t, found, err := scanEntry(r.QueryRow(ctx, `SELECT id, document_kind, document_id FROM entry WHERE id = $1`, n))
		if err != nil {
			return err
		}
		if found {
			names = append(names, fmt.Sprintf("entry:%d", t.entry))
		}
	}
	if number != "" {
		like := "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(number) + "%"
		list, err := candidates(ctx, r, `SELECT o.id, s.name, o.external_id, o.number FROM sales_order o JOIN shop s ON s.id = o.shop_id
			WHERE o.number LIKE $1 ESCAPE '\' AND ($2 = '' OR s.name = $2) ORDER BY s.name, o.id LIMIT 20`, like, shop)
		if err != nil {
			return err
		}
		for _, c := range list {
			names = append(names, c.String())
		}
	}
	fix := "give the number of an order, an invoice such as INV-12, or entry:123"
	if len(names) > 0 {
		fix = "did you mean one of these: " + joinList(names)
	}
	return fault.New(fault.NotFound, fix, "the books have no order, invoice or entry %q", id)
}
