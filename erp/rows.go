package erp

import (
	"context"
	"database/sql"

	"comptoir/erp/store"
)

// eachRow calls take with each row of a query.
func eachRow(ctx context.Context, r store.Reader, query string, args []any, take func(*sql.Rows) error) error {
	rows, err := r.Query(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := take(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// readIDs reads a column of ids.
func readIDs(ctx context.Context, r store.Reader, query string, args ...any) ([]int64, error) {
	var out []int64
	err := eachRow(ctx, r, query, args, func(rows *sql.Rows) error {
		var id int64
		err := rows.Scan(&id)
		out = append(out, id)
		return err
	})
	return out, err
}
