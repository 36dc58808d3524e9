-- Edits of the catalogue that the shops are told of. A category of shop 0 is
-- the house's: one for all shops that leave their categories to the books.

-- +goose Up

CREATE INDEX origin_category ON origin (local_id) WHERE kind = 'category';
CREATE INDEX category_shop ON category (shop_id);
CREATE INDEX product_category_category ON product_category (category_id);

-- A field that the books and a shop have both changed since they last agreed.
-- A person says which side counts.
CREATE TABLE conflict (
    shop_id  BIGINT NOT NULL REFERENCES shop,
    kind     TEXT NOT NULL,
    local_id BIGINT NOT NULL,
    field    TEXT NOT NULL,
    ours     TEXT NOT NULL,
    theirs   TEXT NOT NULL,
    since    BIGINT NOT NULL,
    PRIMARY KEY (shop_id, kind, local_id, field)
);

-- A product that is to be made in a shop that does not have it.
CREATE TABLE publication (
    shop_id    BIGINT NOT NULL REFERENCES shop,
    product_id BIGINT NOT NULL REFERENCES product,
    asked_at   BIGINT NOT NULL,
    PRIMARY KEY (shop_id, product_id)
);
