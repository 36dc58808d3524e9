package store_test

import (
	"database/sql"
	"path/filepath"
	"testing"

	"comptoir/erp/store"
	"comptoir/erp/store/storetest"

	_ "modernc.org/sqlite" // the driver, to measure against
)

// A page of orders, as the books write it: some tables, many rows.
const (
	ordersOfPage = 100
	rowsOfOrder  = 20

	makeOrders = `CREATE TABLE orders (id BIGINT PRIMARY KEY, shop TEXT NOT NULL, number TEXT NOT NULL, placed BIGINT NOT NULL, total BIGINT NOT NULL)`
	makeLines  = `CREATE TABLE line (id BIGINT PRIMARY KEY, order_id BIGINT NOT NULL REFERENCES orders (id), title TEXT NOT NULL, sku TEXT, quantity BIGINT NOT NULL, amount BIGINT NOT NULL)`
	addOrder   = `INSERT INTO orders (id, shop, number, placed, total) VALUES ($1, $2, $3, $4, $5)`
	addLine    = `INSERT INTO line (id, order_id, title, sku, quantity, amount) VALUES ($1, $2, $3, $4, $5, $6)`
)

// BenchmarkQueue measures a page of orders in one transaction, as Queue writes
// it and as prepared statements of database/sql do.
func BenchmarkQueue(b *testing.B) {
	ctx := b.Context()
	b.Run("queue", func(b *testing.B) {
		queuePages(b, storetest.SQLite(b))
	})
	b.Run("raw", func(b *testing.B) {
		path := filepath.Join(b.TempDir(), "raw.db")
		db, err := sql.Open("sqlite", "file:"+path+"?_txlock=immediate&_pragma=journal_mode(wal)&_pragma=synchronous(full)&_pragma=foreign_keys(on)&_pragma=wal_autocheckpoint(20000)&_pragma=cache_size(-32768)")
		if err != nil {
			b.Fatal(err)
		}
		defer db.Close()
		db.SetMaxOpenConns(1)
		must := func(err error) {
			if err != nil {
				b.Fatal(err)
			}
		}
		for _, q := range []string{makeOrders, makeLines} {
			_, err := db.Exec(q)
			must(err)
		}
		order, err := db.Prepare(addOrder)
		must(err)
		line, err := db.Prepare(addLine)
		must(err)
		var id int64
		for b.Loop() {
			tx, err := db.Begin()
			must(err)
			order, line := tx.StmtContext(ctx, order), tx.StmtContext(ctx, line)
			for range ordersOfPage {
				id++
				owner := id
				_, err := order.Exec(id, "atelier", "1042", int64(1700000000000000), int64(12345))
				must(err)
				for range rowsOfOrder - 1 {
					id++
					_, err := line.Exec(id, owner, "A title of some length", "SKU-1", int64(2), int64(1999))
					must(err)
				}
			}
			must(tx.Commit())
		}
		perOrder(b)
	})
	b.Run("queue on postgres", func(b *testing.B) {
		queuePages(b, storetest.Postgres(b))
	})
}

func queuePages(b *testing.B, db *store.DB) {
	ctx := b.Context()
	write := func(fn func(*store.Tx) error) {
		if err := db.Write(ctx, fn); err != nil {
			b.Fatal(err)
		}
	}
	write(func(tx *store.Tx) error {
		tx.Queue(makeOrders)
		tx.Queue(makeLines)
		return nil
	})
	for b.Loop() {
		write(func(tx *store.Tx) error {
			for range ordersOfPage {
				owner, err := tx.NewID(ctx)
				if err != nil {
					return err
				}
				tx.Queue(addOrder, owner, "atelier", "1042", int64(1700000000000000), int64(12345))
				for range rowsOfOrder - 1 {
					id, err := tx.NewID(ctx)
					if err != nil {
						return err
					}
					tx.Queue(addLine, id, owner, "A title of some length", "SKU-1", int64(2), int64(1999))
				}
			}
			return nil
		})
	}
	perOrder(b)
}

func perOrder(b *testing.B) {
	b.ReportMetric(float64(b.N)*ordersOfPage/b.Elapsed().Seconds(), "orders/s")
	b.ReportAllocs()
}
