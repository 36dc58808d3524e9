-- Small values of a shop that outlive the process and are shared by all that
-- work on it, such as a token that the shop has renewed.

-- +goose Up

CREATE TABLE shop_value (
    shop_id BIGINT NOT NULL REFERENCES shop,
    name    TEXT NOT NULL,
    value   BYTEA NOT NULL,
    kept_at BIGINT NOT NULL,
    PRIMARY KEY (shop_id, name)
);
