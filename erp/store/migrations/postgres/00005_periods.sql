-- Periods: until when the books are locked, the fiscal years that were closed,
-- and the trail of who did it. Taxes: what the books expect shops to charge, and
-- what was declared and paid to the agencies.

-- +goose Up

-- The one row holds the last locked day, '' for none. It is always the same
-- row, so that two transactions that look at it and change it meet.
CREATE TABLE period_lock (
    id  BIGINT PRIMARY KEY CHECK (id = 1),
    day TEXT    NOT NULL
);
INSERT INTO period_lock (id, day) VALUES (1, '');

-- entry_id is the entry that closed it, 0 where there was nothing to close or
-- it was opened again.
CREATE TABLE fiscal_year (
    id        BIGINT PRIMARY KEY,
    year      BIGINT NOT NULL UNIQUE,
    first_day TEXT    NOT NULL,
    last_day  TEXT    NOT NULL,
    closed    BOOLEAN NOT NULL,
    revision  BIGINT NOT NULL,
    entry_id  BIGINT NOT NULL
);

CREATE TABLE period_event (
    id          BIGINT PRIMARY KEY,
    recorded_at BIGINT NOT NULL,
    action      TEXT    NOT NULL CHECK (action IN ('lock', 'unlock', 'close', 'reopen')),
    day         TEXT    NOT NULL,
    year        BIGINT NOT NULL,
    entry_id    BIGINT NOT NULL,
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
    position        BIGINT NOT NULL,
    valid_from      TEXT    NOT NULL,
    valid_to        TEXT    NOT NULL,
    name            TEXT    NOT NULL,
    agency          TEXT    NOT NULL REFERENCES tax_agency,
    rate_ppm        BIGINT NOT NULL CHECK (rate_ppm >= 0),
    compound        BOOLEAN NOT NULL,
    recoverable_ppm BIGINT NOT NULL CHECK (recoverable_ppm >= 0 AND recoverable_ppm <= 1000000),
    PRIMARY KEY (zone, category, position, valid_from)
);

-- A return that was closed: what it took off the tax accounts. reversal_id is
-- the entry that took it back, 0 while it stands.
CREATE TABLE tax_return (
    id          BIGINT PRIMARY KEY,
    agency      TEXT    NOT NULL,
    from_day    TEXT    NOT NULL,
    to_day      TEXT    NOT NULL,
    output      BIGINT NOT NULL,
    input       BIGINT NOT NULL,
    late        BIGINT NOT NULL,
    entry_id    BIGINT NOT NULL,
    reversal_id BIGINT NOT NULL DEFAULT 0
);

-- What was paid to an agency, or negative what it paid back.
CREATE TABLE tax_payment (
    id          BIGINT PRIMARY KEY,
    agency      TEXT    NOT NULL,
    day         TEXT    NOT NULL,
    amount      BIGINT NOT NULL,
    reference   TEXT    NOT NULL,
    entry_id    BIGINT NOT NULL,
    reversal_id BIGINT NOT NULL DEFAULT 0
);

-- Nothing is written into a locked period, whoever writes it. An entry takes a
-- share of the lock's row: a transaction that began before the period was locked
-- is run again, and one that is under way is waited for.

-- +goose StatementBegin
CREATE FUNCTION period_open() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.effective <= (SELECT day FROM period_lock WHERE id = 1) THEN
        RAISE EXCEPTION 'the period is locked' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE FUNCTION entry_open() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE locked TEXT;
BEGIN
    SELECT day INTO locked FROM period_lock WHERE id = 1 FOR SHARE;
    IF NEW.effective <= locked THEN
        RAISE EXCEPTION 'the period is locked' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER entry_open BEFORE INSERT ON entry FOR EACH ROW EXECUTE FUNCTION entry_open();
CREATE TRIGGER stock_move_open BEFORE INSERT ON stock_move FOR EACH ROW EXECUTE FUNCTION period_open();
CREATE TRIGGER tax_fact_open BEFORE INSERT ON tax_fact FOR EACH ROW EXECUTE FUNCTION period_open();
CREATE TRIGGER period_event_kept BEFORE UPDATE OR DELETE ON period_event FOR EACH ROW EXECUTE FUNCTION refuse();
