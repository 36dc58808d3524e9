-- One variant, and one stock, for several shops.

-- +goose Up

-- Whether the shop's products were once read to their end, whether they were then
-- linked with those of the other shops, and when the newest reading of its
-- orders began that came to its end: 0 for none.
ALTER TABLE shop ADD COLUMN listed BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE shop ADD COLUMN linked BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE shop ADD COLUMN ordered_at INTEGER NOT NULL DEFAULT 0;
UPDATE shop SET listed = TRUE, linked = TRUE WHERE id IN (SELECT shop_id FROM fence WHERE resource IN ('products', 'variants'));

-- A variant is linked once it was looked for among those of the other shops;
-- until then its goods wait. One that turned out to be one that the books had
-- leaves its row behind as a trail, without a SKU.
ALTER TABLE variant ADD COLUMN linked BOOLEAN NOT NULL DEFAULT TRUE;
ALTER TABLE variant ADD COLUMN merged_into INTEGER NOT NULL DEFAULT 0;
CREATE INDEX variant_unlinked ON variant (id) WHERE NOT linked;
CREATE INDEX origin_product ON origin (local_id) WHERE kind = 'product';
CREATE INDEX shop_stock_variant ON shop_stock (variant_id);

-- The shop whose number was taken over, and as of when.
ALTER TABLE stock_level ADD COLUMN counted_by INTEGER NOT NULL DEFAULT 0;
ALTER TABLE stock_level ADD COLUMN counted_at INTEGER NOT NULL DEFAULT 0;
UPDATE stock_level SET counted_by = COALESCE((SELECT MIN(g.shop_id) FROM origin g WHERE g.kind = 'variant' AND g.local_id = stock_level.variant_id), 0) WHERE opened;

-- What the orders of each shop have taken of what can be sold: what left and
-- what is wanted, less what came back. Opening is the part of it that had left
-- before another shop's number was taken over, and counted that this was looked
-- at. ordered_at is when an order last changed it, first_at when the first of
-- them was placed, by the shop's clock; first_day is that of their first move.
CREATE TABLE shop_taken (
    variant_id INTEGER NOT NULL REFERENCES variant,
    shop_id    INTEGER NOT NULL REFERENCES shop,
    quantity   INTEGER NOT NULL DEFAULT 0,
    opening    INTEGER NOT NULL DEFAULT 0,
    counted    BOOLEAN NOT NULL DEFAULT FALSE,
    ordered_at INTEGER NOT NULL DEFAULT 0,
    first_at   INTEGER NOT NULL DEFAULT 0,
    first_day  TEXT    NOT NULL DEFAULT '',
    PRIMARY KEY (variant_id, shop_id)
) WITHOUT ROWID;

INSERT INTO shop_taken (variant_id, shop_id, quantity, ordered_at, first_at, first_day)
    SELECT x.variant_id, x.shop_id, SUM(x.quantity), MAX(x.ordered_at), COALESCE(MIN(x.first_at), 0), COALESCE(MIN(x.first_day), '') FROM (
        SELECT m.variant_id, o.shop_id, CASE WHEN m.from_place = 1 THEN m.quantity ELSE -m.quantity END AS quantity, 0 AS ordered_at, o.placed_at AS first_at, m.effective AS first_day
            FROM stock_move m JOIN sales_order o ON o.id = m.document_id WHERE m.document_kind = 'order' AND (m.from_place = 1 OR m.to_place = 1)
        UNION ALL SELECT v.stock_id, o.shop_id, l.demand, 0, o.placed_at, NULL
            FROM order_line l JOIN variant v ON v.id = l.variant_id JOIN sales_order o ON o.id = l.order_id WHERE l.demand > 0
        UNION ALL SELECT s.variant_id, g.shop_id, 0, s.ordered_at, NULL, NULL
            FROM stock_level s JOIN origin g ON g.local_id = s.variant_id AND g.kind = 'variant' WHERE s.ordered_at > 0
    ) x GROUP BY x.variant_id, x.shop_id;
ALTER TABLE stock_level DROP COLUMN ordered_at;

-- Where the shops keep stock. A level names its location by the shop's own id:
-- it may be stated before the location is.
CREATE TABLE location (
    id          INTEGER PRIMARY KEY,
    shop_id     INTEGER NOT NULL REFERENCES shop,
    external_id TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    country     TEXT    NOT NULL,
    city        TEXT    NOT NULL,
    active      BOOLEAN NOT NULL,
    ships       BOOLEAN NOT NULL,
    deleted     BOOLEAN NOT NULL DEFAULT FALSE,
    UNIQUE (shop_id, external_id)
);

-- What a shop says it has of a variant at each of its locations.
CREATE TABLE shop_level (
    variant_id INTEGER NOT NULL REFERENCES variant,
    shop_id    INTEGER NOT NULL REFERENCES shop,
    location   TEXT    NOT NULL,
    available  INTEGER NOT NULL,
    on_hand    INTEGER NOT NULL,
    committed  INTEGER NOT NULL,
    incoming   INTEGER NOT NULL,
    PRIMARY KEY (variant_id, shop_id, location)
) WITHOUT ROWID;
