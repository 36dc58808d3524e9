-- What the shops have still to be told, and what they are known to have.

-- +goose Up

-- One message for each thing that a shop has to be told of: see package outbox.
CREATE TABLE outbox (
    shop_id   INTEGER NOT NULL REFERENCES shop,
    kind      TEXT NOT NULL,
    object_id INTEGER NOT NULL,
    revision  INTEGER NOT NULL,
    since     INTEGER NOT NULL,
    due       INTEGER NOT NULL,
    tries     INTEGER NOT NULL,
    parked    BOOLEAN NOT NULL,
    why       TEXT NOT NULL,
    PRIMARY KEY (shop_id, kind, object_id)
) WITHOUT ROWID;
CREATE INDEX outbox_due ON outbox (shop_id, kind, due) WHERE NOT parked;

-- What a shop last acknowledged to have of a stock at one of its locations, ''
-- where it has none, and what its orders had taken of it by then (shop_taken).
CREATE TABLE stock_ack (
    variant_id INTEGER NOT NULL REFERENCES variant,
    shop_id    INTEGER NOT NULL REFERENCES shop,
    location   TEXT NOT NULL,
    quantity   INTEGER NOT NULL,
    taken      INTEGER NOT NULL,
    status     TEXT NOT NULL,
    acked_at   INTEGER NOT NULL,
    PRIMARY KEY (variant_id, shop_id, location)
) WITHOUT ROWID;

-- The value of a field on which a shop and the books last agreed, in its
-- canonical text: as the books had it, and as the shop then stated it.
CREATE TABLE agreed (
    shop_id   INTEGER NOT NULL REFERENCES shop,
    kind      TEXT NOT NULL,
    local_id  INTEGER NOT NULL,
    field     TEXT NOT NULL,
    ours      TEXT NOT NULL,
    theirs    TEXT NOT NULL,
    agreed_at INTEGER NOT NULL,
    PRIMARY KEY (shop_id, kind, local_id, field)
) WITHOUT ROWID;
