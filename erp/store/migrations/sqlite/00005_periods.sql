-- Periods: until when the books are locked, the fiscal years that were closed,
-- and the trail of who did it. Taxes: what the books expect shops to charge, and
-- what was declared and paid to the agencies.

-- +goose Up

-- The one row holds the last locked day, '' for none. It is always the same
-- row, so that two transactions that look at it and change it meet.
CREATE TABLE period_lock (
    id  INTEGER PRIMARY KEY CHECK (id = 1),
    day TEXT    NOT NULL
);
INSERT INTO period_lock (id, day) VALUES (1, '');

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

-- The taxes that the books expect: see package tax. Lists are separated by
-- spaces.

CREATE TABLE tax_agency (
    code     TEXT PRIMARY KEY,
    name     TEXT NOT NULL,
    period   TEXT NOT NULL,
    account  TEXT NOT NULL,
    collects TEXT NOT NULL
);

CREATE TABLE tax_zone (
    code      TEXT PRIMARY KEY,
    name      TEXT    NOT NULL,
    countries TEXT    NOT NULL,
    regions   TEXT    NOT NULL,
    postcodes TEXT    NOT NULL,
    home      BOOLEAN NOT NULL
);

CREATE TABLE tax_rate (
    zone            TEXT    NOT NULL REFERENCES tax_zone,
    category        TEXT    NOT NULL,
    position        INTEGER NOT NULL,
    valid_from      TEXT    NOT NULL,
    valid_to        TEXT    NOT NULL,
    name            TEXT    NOT NULL,
    agency          TEXT    NOT NULL REFERENCES tax_agency,
    rate_ppm        INTEGER NOT NULL CHECK (rate_ppm >= 0),
    compound        BOOLEAN NOT NULL,
    recoverable_ppm INTEGER NOT NULL CHECK (recoverable_ppm >= 0 AND recoverable_ppm <= 1000000),
    PRIMARY KEY (zone, category, position, valid_from)
) WITHOUT ROWID;

-- A return that was closed: what it took off the tax accounts. reversal_id is
-- the entry that took it back, 0 while it stands.
CREATE TABLE tax_return (
    id          INTEGER PRIMARY KEY,
    agency      TEXT    NOT NULL,
    from_day    TEXT    NOT NULL,
    to_day      TEXT    NOT NULL,
    output      INTEGER NOT NULL,
    input       INTEGER NOT NULL,
    late        INTEGER NOT NULL,
    entry_id    INTEGER NOT NULL,
    reversal_id INTEGER NOT NULL DEFAULT 0
);

-- What was paid to an agency, or negative what it paid back.
CREATE TABLE tax_payment (
    id          INTEGER PRIMARY KEY,
    agency      TEXT    NOT NULL,
    day         TEXT    NOT NULL,
    amount      INTEGER NOT NULL,
    reference   TEXT    NOT NULL,
    entry_id    INTEGER NOT NULL,
    reversal_id INTEGER NOT NULL DEFAULT 0
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
