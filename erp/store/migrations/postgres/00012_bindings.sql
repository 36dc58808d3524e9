-- Goods of several shops are linked by their barcode too, and by hand.

-- +goose Up

CREATE INDEX variant_barcode ON variant (barcode) WHERE barcode <> '';

-- How often a record was bound to what it is in the books.
ALTER TABLE origin ADD COLUMN bound BIGINT NOT NULL DEFAULT 1;
