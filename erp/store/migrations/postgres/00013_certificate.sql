-- What a shop and the books had of the orders that were placed on a day, when
-- they were last compared: see package completeness.

-- +goose Up

CREATE TABLE certificate (
    shop_id     BIGINT NOT NULL REFERENCES shop,
    day         TEXT    NOT NULL CHECK (length(day) = 10),
    shop_side   TEXT    NOT NULL,
    books_side  TEXT    NOT NULL,
    verified_at BIGINT NOT NULL,
    PRIMARY KEY (shop_id, day)
);
