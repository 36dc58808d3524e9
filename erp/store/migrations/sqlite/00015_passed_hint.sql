-- What shops have pointed at, in the words of their hints, where a process took
-- the hint that does not keep the shop in step: the one that does looks here. A
-- hint to read a whole resource has no kind, and the resource for its id.

-- +goose Up

CREATE TABLE passed_hint (
    shop_id     INTEGER NOT NULL REFERENCES shop,
    kind        TEXT NOT NULL,
    external_id TEXT NOT NULL,
    parent      TEXT NOT NULL,
    revision    INTEGER NOT NULL,
    PRIMARY KEY (shop_id, kind, external_id)
) WITHOUT ROWID;
