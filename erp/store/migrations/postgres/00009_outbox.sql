-- What the shops have still to be told, and what they are known to have.

-- +goose Up

-- One message for each thing that a shop has to be told of: see package outbox.
CREATE TABLE outbox (
    shop_id   BIGINT NOT NULL REFERENCES shop,
    kind      TEXT NOT NULL,
    object_id BIGINT NOT NULL,
    revision  BIGINT NOT NULL,
    since     BIGINT NOT NULL,
    due       BIGINT NOT NULL,
    tries     BIGINT NOT NULL,
    parked    BOOLEAN NOT NULL,
    why       TEXT NOT NULL,
    PRIMARY KEY (shop_id, kind, object_id)
);
CREATE INDEX outbox_due ON outbox (shop_id, kind, due) WHERE NOT parked;

-- What a shop last acknowledged to have of a stock at one of its locations, ''
-- where it has none, and what its orders had taken of it by then (shop_taken).
CREATE TABLE stock_ack (
    variant_id BIGINT NOT NULL REFERENCES variant,
    shop_id    BIGINT NOT NULL REFERENCES shop,
    location   TEXT NOT NULL,
    quantity   BIGINT NOT NULL,
    taken      BIGINT NOT NULL,
    status     TEXT NOT NULL,
    acked_at   BIGINT NOT NULL,
    PRIMARY KEY (variant_id, shop_id, location)
);

-- The value of a field on which a shop and the books last agreed, in its
-- canonical text: as the books had it, and as the shop then stated it.
CREATE TABLE agreed (
    shop_id   BIGINT NOT NULL REFERENCES shop,
    kind      TEXT NOT NULL,
    local_id  BIGINT NOT NULL,
    field     TEXT NOT NULL,
    ours      TEXT NOT NULL,
    theirs    TEXT NOT NULL,
    agreed_at BIGINT NOT NULL,
    PRIMARY KEY (shop_id, kind, local_id, field)
);
