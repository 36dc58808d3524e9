package store

import (
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// StatementError tells which statement failed. It does not show the
// arguments, which may be personal data.
type StatementError struct {
	Position int    // among the statements that were run together, from 1
	Of       int    // how many they were
	Table    string // that the statement writes to; "" where that is not plain
	Err      error
}

func (e *StatementError) Error() string {
	where := e.Table
	if where == "" {
		where = "the database"
	}
	if e.Of == 1 {
		return fmt.Sprintf("write to %s: %v", where, e.Err)
	}
	return fmt.Sprintf("write to %s (statement %d of %d): %v", where, e.Position, e.Of, e.Err)
}

func (e *StatementError) Unwrap() error { return e.Err }

// tableOf returns the name of the table that a statement writes to, "" where
// that is not plain from its first words.
func tableOf(q string) string {
	words := strings.Fields(q)
	for i, w := range words {
		switch strings.ToUpper(w) {
		case "INTO", "UPDATE", "FROM":
			if i+1 < len(words) {
				name, _, _ := strings.Cut(words[i+1], "(")
				return name
			}
		}
	}
	return ""
}

// IsUnique tells whether err says that a row with the same key exists.
func IsUnique(err error) bool {
	return hasCode(err, "23505", sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_ROWID)
}

// IsForeignKey tells whether err says that a row is missing that another one
// refers to.
func IsForeignKey(err error) bool {
	return hasCode(err, "23503", sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY)
}

// IsNotNull tells whether err says that a value is missing.
func IsNotNull(err error) bool {
	return hasCode(err, "23502", sqlite3.SQLITE_CONSTRAINT_NOTNULL)
}

// IsCheck tells whether err says that a row breaks a rule of its table: a
// CHECK, or a trigger that refuses it with RAISE(ABORT, …) on SQLite and with
// RAISE … USING ERRCODE = 'check_violation' on PostgreSQL.
func IsCheck(err error) bool {
	return hasCode(err, "23514", sqlite3.SQLITE_CONSTRAINT_CHECK, sqlite3.SQLITE_CONSTRAINT_TRIGGER)
}

// IsConstraint tells whether err says that the database refuses a row as it
// stands, for one of the reasons above or a like one. Trying again cannot
// help.
func IsConstraint(err error) bool {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		const integrityConstraintViolation, dataException = "23", "22" // 22: a value that no column takes
		return strings.HasPrefix(e.Code, integrityConstraintViolation) || strings.HasPrefix(e.Code, dataException)
	}
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code()&0xff == sqlite3.SQLITE_CONSTRAINT
	}
	return false
}

// hasCode tells whether err has the SQLSTATE of PostgreSQL or one of the
// extended result codes of SQLite.
func hasCode(err error, sqlstate string, codes ...int) bool {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code == sqlstate
	}
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		for _, code := range codes {
			if e.Code() == code {
				return true
			}
		}
	}
	return false
}
