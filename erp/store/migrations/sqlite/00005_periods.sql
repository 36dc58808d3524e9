-- Periods: until when the books are locked, the fiscal years that were closed,
-- and the trail of who did it.

-- +goose Up

-- The one row holds the last locked day, '' for none. It is always the same
-- row, so that two transactions that look at it and change it meet.
CREATE TABLE period_lock (
    id  INTEGER PRIMARY KEY CHECK (id = 1),
    day TEXT    NOT NULL
);

-- entry_id is the entry that closed it, 0 where there was nothing to close or
-- it was opened again.
CREATE TABLE fiscal_year (
    id        INTEGER PRIMARY KEY,
    year      INTEGER NOT NULL UNIQUE,
    first_day TEXT    NOT NULL,
    last_day  TEXT    NOT NULL,
    closed    BOOLEAN NOT NULL,
    revision  INTEGER NOT NULL,
    entry_id  INTEGER NOT NULL
);

CREATE TABLE period_event (
    id          INTEGER PRIMARY KEY,
    recorded_at INTEGER NOT NULL,
    action      TEXT    NOT NULL CHECK (action IN ('lock', 'unlock', 'close', 'reopen')),
    day         TEXT    NOT NULL,
    year        INTEGER NOT NULL,
    entry_id    INTEGER NOT NULL,
    done_by     TEXT    NOT NULL,
    reason      TEXT    NOT NULL
);

-- Nothing is written into a locked period, whoever writes it.

-- +goose StatementBegin
CREATE TRIGGER entry_open BEFORE INSERT ON entry WHEN NEW.effective <= (SELECT day FROM period_lock WHERE id = 1)
BEGIN SELECT RAISE(ABORT, 'the period is locked'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER stock_move_open BEFORE INSERT ON stock_move WHEN NEW.effective <= (SELECT day FROM period_lock WHERE id = 1)
BEGIN SELECT RAISE(ABORT, 'the period is locked'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER tax_fact_open BEFORE INSERT ON tax_fact WHEN NEW.effective <= (SELECT day FROM period_lock WHERE id = 1)
BEGIN SELECT RAISE(ABORT, 'the period is locked'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER period_event_kept BEFORE UPDATE ON period_event BEGIN SELECT RAISE(ABORT, 'the trail of the periods is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER period_event_stays BEFORE DELETE ON period_event BEGIN SELECT RAISE(ABORT, 'the trail of the periods is append-only'); END;
-- +goose StatementEnd
