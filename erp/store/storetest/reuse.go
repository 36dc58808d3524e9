package storetest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// keepSeeds copies the rows that the migrations have written into a schema of
// their own, from where empty brings them back. It returns schemaOf.
func keepSeeds(ctx context.Context, url string) (string, error) {
	db, err := sql.Open("pgx", url)
	if err != nil {
		return "", err
	}
	defer db.Close()
	const q = `
		DO $$
		DECLARE name TEXT; filled BOOLEAN;
		BEGIN
			CREATE SCHEMA seed;
			FOR name IN SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace LOOP
				EXECUTE format('SELECT EXISTS (SELECT * FROM %I)', name) INTO filled;
				IF filled THEN
					EXECUTE format('CREATE TABLE seed.%I AS TABLE %I', name, name);
				END IF;
			END LOOP;
		END $$`
	if _, err := db.ExecContext(ctx, q); err != nil {
		return "", fmt.Errorf("keep the rows of the migrations: %w", err)
	}
	return schemaOf(ctx, db)
}

// schemaOf returns a text that is another one after any change of the schema:
// the tables and indexes, and the transactions that have changed them.
func schemaOf(ctx context.Context, db *sql.DB) (schema string, err error) {
	const q = `SELECT string_agg(oid || ':' || xmin, ' ' ORDER BY oid) FROM pg_class WHERE relnamespace IN ('public'::regnamespace, 'seed'::regnamespace)`
	err = db.QueryRowContext(ctx, q).Scan(&schema)
	return schema, err
}

// largest is how many bytes the tables may hold for a database to be worth
// emptying: rows that are deleted keep their place.
const largest = 16 << 20

// empty brings a database back to the state of the template, or tells why it
// cannot be.
func empty(ctx context.Context, url, schema string) error {
	// In this role neither triggers nor foreign keys stand in the way.
	db, err := sql.Open("pgx", url+"&session_replication_role=replica")
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	var others int
	var size int64
	const q = `SELECT
		(SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'),
		(SELECT sum(pg_relation_size(oid)) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace)`
	if err := db.QueryRowContext(ctx, q).Scan(&others, &size); err != nil {
		return err
	}
	now, err := schemaOf(ctx, db)
	if err != nil {
		return err
	}
	if now != schema || others > 0 || size > largest {
		return errors.New("the test has changed the schema, left much behind, or still uses the database")
	}
	const reset = `
		DO $$
		DECLARE name TEXT;
		BEGIN
			FOR name IN SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace LOOP
				EXECUTE format('DELETE FROM public.%I', name);
				IF to_regclass(format('seed.%I', name)) IS NOT NULL THEN
					EXECUTE format('INSERT INTO public.%I SELECT * FROM seed.%I', name, name);
				END IF;
			END LOOP;
		END $$`
	_, err = db.ExecContext(ctx, reset)
	return err
}
