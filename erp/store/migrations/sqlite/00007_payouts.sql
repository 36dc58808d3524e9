-- Payouts as gateways state them, with all that each is made of. What a payout
-- and an item have posted is told by revision, digest and active; booked_on is
-- the business date of the last posting or reversal.

-- +goose Up

CREATE TABLE payout (
    id          INTEGER PRIMARY KEY,
    shop_id     INTEGER NOT NULL REFERENCES shop,
    external_id TEXT    NOT NULL,
    account_id  INTEGER NOT NULL REFERENCES account,
    gateway     TEXT    NOT NULL,
    currency    TEXT    NOT NULL,
    state       TEXT    NOT NULL,
    raw_status  TEXT    NOT NULL,
    issued_at   INTEGER NOT NULL,
    day         TEXT    NOT NULL,
    net         INTEGER NOT NULL,
    reference   TEXT    NOT NULL,
    revision    INTEGER NOT NULL,
    digest      TEXT    NOT NULL,
    active      BOOLEAN NOT NULL,
    booked_on   TEXT    NOT NULL,
    UNIQUE (shop_id, external_id)
);

-- An item belongs to the payout that stated it last; removed: to none any more.
CREATE TABLE payout_item (
    shop_id     INTEGER NOT NULL REFERENCES shop,
    gateway     TEXT    NOT NULL,
    external_id TEXT    NOT NULL,
    payout_id   INTEGER NOT NULL REFERENCES payout,
    kind        TEXT    NOT NULL,
    raw         TEXT    NOT NULL,
    amount      INTEGER NOT NULL,
    fee         INTEGER NOT NULL,
    happened_at INTEGER NOT NULL,
    day         TEXT    NOT NULL,
    order_ref   TEXT    NOT NULL,
    source      TEXT    NOT NULL,
    removed     BOOLEAN NOT NULL,
    revision    INTEGER NOT NULL,
    digest      TEXT    NOT NULL,
    active      BOOLEAN NOT NULL,
    booked_on   TEXT    NOT NULL,
    PRIMARY KEY (shop_id, gateway, external_id)
) WITHOUT ROWID;
CREATE INDEX payout_item_payout ON payout_item (payout_id);
CREATE INDEX payout_item_order ON payout_item (shop_id, order_ref);
