-- +goose Up

-- counter holds the next free number of each series. The row "id" is the one
-- id space of the books; store.Tx.NewID takes blocks from it.
CREATE TABLE counter (
    name TEXT   NOT NULL PRIMARY KEY,
    next BIGINT NOT NULL CHECK (next > 0)
);

INSERT INTO counter (name, next) VALUES ('id', 1);
