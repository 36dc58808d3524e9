package store_test

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"comptoir/erp/store"
	"comptoir/erp/store/storetest"

	"github.com/google/go-cmp/cmp"
	"github.com/pressly/goose/v3"
	"github.com/rs/zerolog"
)

// before makes a database with the schema of a version and some rows.
func before(t *testing.T, version int64, rows ...string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "books.db")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(fmt.Sprintf(`PRAGMA application_id = %d`, applicationID(t))); err != nil {
		t.Fatal(err)
	}
	fill(t, db, goose.DialectSQLite3, "migrations/sqlite", version, rows)
	return path
}

// beforeOnPostgres does so on PostgreSQL.
func beforeOnPostgres(t *testing.T, version int64, rows ...string) (url string) {
	t.Helper()
	url = storetest.URL(t)
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(`DROP SCHEMA public CASCADE; CREATE SCHEMA public`); err != nil {
		t.Fatal(err)
	}
	fill(t, db, goose.DialectPostgres, "migrations/postgres", version, rows)
	return url
}

func fill(t *testing.T, db *sql.DB, d goose.Dialect, migrations string, version int64, rows []string) {
	t.Helper()
	p, err := goose.NewProvider(d, db, os.DirFS(migrations),
		goose.WithTableName("schema_version"), goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.UpTo(t.Context(), version); err != nil {
		t.Fatal(err)
	}
	for _, q := range rows {
		if _, err := db.Exec(q); err != nil {
			t.Fatalf("%s: %v", q, err)
		}
	}
}

// applicationID is what tells the database of the books from those of others.
func applicationID(t *testing.T) (id int64) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "empty.db")
	if err := openFile(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRow(`PRAGMA application_id`).Scan(&id); err != nil {
		t.Fatal(err)
	}
	return id
}

func TestOldBooksLearnWhatTheOrdersOfEachShopTook(t *testing.T) {
	order := `INSERT INTO sales_order (id, shop_id, external_id, number, raw_status, state, trashed, final, waiting, placed_at, paid_at, completed_at, cancelled_at, promised_on, contact_id, customer,
		payment_method, payment_title, payment_terms, coupons, note, currency, rate, total, total_tax, discount, recomputed, difference, revision) VALUES `
	rest := `, 'open', FALSE, FALSE, FALSE, `
	tail := `, 0, 0, 0, '', 0, '', '', '', '', '', '', 'EUR', '1', 0, 0, 0, 0, '', 1)`
	variant := `INSERT INTO variant (id, sku, barcode, title, options, status, kind, tax_class, price, regular, sale, sale_from, sale_to, cost, weight, backorders, tracked, stock_id, sellable, stub) VALUES `
	move := `INSERT INTO stock_move (id, variant_id, from_place, to_place, quantity, unit_cost, value, reason, document_kind, document_id, line_id, effective, recorded_at, cause) VALUES `
	rows := []string{
		`INSERT INTO shop (id, name) VALUES (7, 'atelier'), (8, 'boutique')`,
		`INSERT INTO fence (shop_id, resource, number, committed_at) VALUES (7, 'products', 1, 1)`,
		variant + `(20, 'SHIRT', '', '', '', '', 'stocked', '', '', '', '', 0, 0, '', '', '', TRUE, 20, TRUE, FALSE), (21, 'CAP', '', '', '', '', 'stocked', '', '', '', '', 0, 0, '', '', '', TRUE, 21, TRUE, FALSE),
			(22, 'SHIRT', '', '', '', '', 'stocked', '', '', '', '', 0, 0, '', '', '', TRUE, 22, TRUE, FALSE)`,
		`INSERT INTO origin (shop_id, kind, external_id, local_id, digest) VALUES (7, 'variant', '1', 20, ''), (7, 'variant', '2', 21, ''), (8, 'variant', '1', 22, '')`,
		order + `(30, 7, '1', '1', ''` + rest + `1000` + tail + `, (31, 7, '2', '2', ''` + rest + `2000` + tail + `, (32, 8, '1', '1', ''` + rest + `3000` + tail,
		`INSERT INTO order_line (id, order_id, kind, external_id, position, variant_id, sku, title, code, ordered, current, refunded, shipped, returned, demand, allocated, state, unit_price, subtotal, discount, net, tax, taxes, gift_card)
			VALUES (40, 31, 'item', '1', 0, 20, '', '', '', 4000, 4000, 0, 0, 0, 4000, 0, 'open', '1', 0, 0, 0, 0, '[]', FALSE)`,
		move + `(50, 20, 5, 1, 9000, '1', 9, '', 'stock', 20, 0, '2026-01-01', 1, 'stock/atelier/1/opening'), (51, 20, 1, 2, 3000, '1', 3, '', 'order', 30, 0, '2026-01-02', 1, 'a'),
			(52, 20, 2, 1, 1000, '1', 1, '', 'order', 30, 0, '2026-01-03', 1, 'b'), (53, 22, 1, 2, 5000, '1', 5, '', 'order', 32, 0, '2026-01-04', 1, 'c')`,
		`INSERT INTO stock_level (variant_id, place_id, on_hand, demand, value, opened, ordered_at, first_day) VALUES (20, 1, 7000, 4000, 7, TRUE, 555, '2026-01-01'), (21, 1, 0, 0, 0, FALSE, 444, ''), (22, 1, 3000, 0, 3, TRUE, 333, '')`,
	}
	t.Run("sqlite", func(t *testing.T) { learnt(t, store.Options{Path: before(t, 5, rows...)}) })
	t.Run("postgres", func(t *testing.T) { learnt(t, store.Options{URL: beforeOnPostgres(t, 5, rows...)}) })
}

func learnt(t *testing.T, o store.Options) {
	o.Log = zerolog.Nop()
	db, err := store.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	type row struct {
		Variant, Shop, Quantity, OrderedAt, FirstAt, CountedBy int64
		FirstDay                                               string
		Linked, Listed                                         bool
	}
	rows, err := db.Query(t.Context(), `SELECT t.variant_id, t.shop_id, t.quantity, t.ordered_at, t.first_at, l.counted_by, t.first_day, v.linked, s.listed FROM shop_taken t
		JOIN stock_level l ON l.variant_id = t.variant_id JOIN variant v ON v.id = t.variant_id JOIN shop s ON s.id = t.shop_id ORDER BY t.variant_id`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var got []row
	for rows.Next() {
		var r row
		if err := rows.Scan(&r.Variant, &r.Shop, &r.Quantity, &r.OrderedAt, &r.FirstAt, &r.CountedBy, &r.FirstDay, &r.Linked, &r.Listed); err != nil {
			t.Fatal(err)
		}
		got = append(got, r)
	}
	want := []row{
		{Variant: 20, Shop: 7, Quantity: 6000, OrderedAt: 555, FirstAt: 1000, CountedBy: 7, FirstDay: "2026-01-02", Linked: true, Listed: true},
		{Variant: 21, Shop: 7, OrderedAt: 444, Linked: true, Listed: true},
		{Variant: 22, Shop: 8, Quantity: 5000, OrderedAt: 333, FirstAt: 3000, CountedBy: 8, FirstDay: "2026-01-04", Linked: true},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
