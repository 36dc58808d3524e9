-- New variants of products that several shops have.

-- +goose Up

-- A variant that is to be made in a shop that has its product without it.
CREATE TABLE variant_publication (
    shop_id    BIGINT NOT NULL REFERENCES shop,
    variant_id BIGINT NOT NULL REFERENCES variant,
    asked_at   BIGINT NOT NULL,
    PRIMARY KEY (shop_id, variant_id)
);

-- A product that the books have made in a shop stays noted.
ALTER TABLE publication ADD COLUMN made BOOLEAN NOT NULL DEFAULT FALSE;

-- The variant that a record was before it became one of its own; 0 for none.
ALTER TABLE origin ADD COLUMN was BIGINT NOT NULL DEFAULT 0;
