-- Periods: until when the books are locked, the fiscal years that were closed,
-- and the trail of who did it.

-- +goose Up

-- The one row holds the last locked day, '' for none. It is always the same
-- row, so that two transactions that look at it and change it meet.
CREATE TABLE period_lock (
    id  BIGINT PRIMARY KEY CHECK (id = 1),
    day TEXT    NOT NULL
);

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

-- Nothing is written into a locked period, whoever writes it.

-- +goose StatementBegin
CREATE FUNCTION period_open() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.effective <= (SELECT day FROM period_lock WHERE id = 1) THEN
        RAISE EXCEPTION 'the period is locked' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER entry_open BEFORE INSERT ON entry FOR EACH ROW EXECUTE FUNCTION period_open();
CREATE TRIGGER stock_move_open BEFORE INSERT ON stock_move FOR EACH ROW EXECUTE FUNCTION period_open();
CREATE TRIGGER tax_fact_open BEFORE INSERT ON tax_fact FOR EACH ROW EXECUTE FUNCTION period_open();
CREATE TRIGGER period_event_kept BEFORE UPDATE OR DELETE ON period_event FOR EACH ROW EXECUTE FUNCTION refuse();
