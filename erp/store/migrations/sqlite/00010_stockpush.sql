-- What a shop is known to have of its stock, and what people want done with its
-- orders.

-- +goose Up

-- Unsure: the shop had another number than it was believed to have, and orders
-- that were not known yet may be in it. Stated_at: when it said so of its own
-- accord, 0 where it was told: an older order that comes later may be in it too.
ALTER TABLE stock_ack ADD COLUMN unsure BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE stock_ack ADD COLUMN stated_at INTEGER NOT NULL DEFAULT 0;

-- Known: what the shop states is in stock_ack.
ALTER TABLE shop_stock ADD COLUMN known BOOLEAN NOT NULL DEFAULT FALSE;

-- When a number of a shop was overwritten that a sale may have changed
-- meanwhile, by our clock. Checked: the shop has said since what it has.
CREATE TABLE stock_exposure (
    shop_id    INTEGER NOT NULL REFERENCES shop,
    variant_id INTEGER NOT NULL REFERENCES variant,
    from_at    INTEGER NOT NULL,
    to_at      INTEGER NOT NULL,
    checked    BOOLEAN NOT NULL DEFAULT FALSE,
    PRIMARY KEY (shop_id, variant_id, from_at)
) WITHOUT ROWID;
CREATE INDEX stock_exposure_at ON stock_exposure (shop_id, to_at);

-- What a person wants done with an order of a shop: see package outbox. The
-- request is JSON.
CREATE TABLE order_request (
    id          INTEGER PRIMARY KEY,
    shop_id     INTEGER NOT NULL REFERENCES shop,
    order_id    INTEGER NOT NULL REFERENCES sales_order,
    kind        TEXT NOT NULL CHECK (kind IN ('shipment', 'status', 'cancel', 'refund')),
    request     TEXT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('waiting', 'done', 'refused')),
    created_at  INTEGER NOT NULL,
    answered_at INTEGER NOT NULL DEFAULT 0,
    why         TEXT NOT NULL DEFAULT ''
);
CREATE INDEX order_request_order ON order_request (order_id);
