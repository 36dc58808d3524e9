-- Small values of a shop that outlive the process and are shared by all that
-- work on it, such as a token that the shop has renewed.

-- +goose Up

CREATE TABLE shop_value (
    shop_id INTEGER NOT NULL REFERENCES shop,
    name    TEXT NOT NULL,
    value   BLOB NOT NULL,
    kept_at INTEGER NOT NULL,
    PRIMARY KEY (shop_id, name)
) WITHOUT ROWID;
