-- What reports find their way by: the journal by business date, and the lines
-- of an account in the order in which its ledger prints them. The latter is
-- filled by the database, so that no posting can forget it; it is as narrow as
-- can be, because every line that is ever posted pays for it.

-- +goose Up

CREATE INDEX entry_effective ON entry (effective); -- an index ends with the id in any case

CREATE TABLE account_line (
    account_id INTEGER NOT NULL,
    day        TEXT    NOT NULL,
    entry_id   INTEGER NOT NULL,
    line       INTEGER NOT NULL,
    PRIMARY KEY (account_id, day, entry_id, line)
) WITHOUT ROWID;

INSERT INTO account_line (account_id, day, entry_id, line)
    SELECT l.account_id, e.effective, l.entry_id, l.line FROM entry_line l JOIN entry e ON e.id = l.entry_id;

-- +goose StatementBegin
CREATE TRIGGER entry_listed AFTER INSERT ON entry
BEGIN
    INSERT INTO account_line (account_id, day, entry_id, line)
        SELECT account_id, NEW.effective, entry_id, line FROM entry_line WHERE entry_id = NEW.id;
END;
-- +goose StatementEnd
