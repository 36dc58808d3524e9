-- Purchases without a purchase order. Units are those of the books; amounts
-- are in the currency of the document beside them, home amounts in the
-- company's.

-- +goose Up

-- The company itself: what no shop says, such as the tax rates of purchases,
-- hangs on it, and so does the chain of what is entered by hand.
INSERT INTO shop (id, name) VALUES (0, '');

CREATE TABLE vendor (
    id         BIGINT PRIMARY KEY,
    name       TEXT   NOT NULL UNIQUE,
    country    TEXT   NOT NULL,
    vat_number TEXT   NOT NULL,
    terms_days BIGINT NOT NULL CHECK (terms_days >= 0),
    currency   TEXT   NOT NULL,
    email      TEXT   NOT NULL,
    account    TEXT   NOT NULL
);

-- A bill on credit, a credit of the vendor, or a purchase paid at once. The
-- vendor is 0 where a purchase paid at once names none. The revision grows
-- when a number is entered again after its reversal.
CREATE TABLE bill (
    id          BIGINT PRIMARY KEY,
    kind        TEXT   NOT NULL CHECK (kind IN ('bill', 'credit', 'cash')),
    vendor_id   BIGINT NOT NULL,
    number      TEXT   NOT NULL,
    revision    BIGINT NOT NULL,
    date        TEXT   NOT NULL CHECK (length(date) = 10),
    due_on      TEXT   NOT NULL CHECK (length(due_on) = 10),
    currency    TEXT   NOT NULL,
    rate        TEXT   NOT NULL,
    net         BIGINT NOT NULL CHECK (net >= 0),
    tax         BIGINT NOT NULL CHECK (tax >= 0),
    total       BIGINT NOT NULL CHECK (total > 0),
    home_total  BIGINT NOT NULL CHECK (home_total > 0),
    account     TEXT   NOT NULL,
    note        TEXT   NOT NULL,
    cause       TEXT   NOT NULL UNIQUE,
    digest      TEXT   NOT NULL,
    entry_id    BIGINT NOT NULL REFERENCES entry DEFERRABLE INITIALLY DEFERRED,
    recorded_at BIGINT NOT NULL
);
CREATE INDEX bill_vendor ON bill (vendor_id, number, revision);
CREATE INDEX bill_date ON bill (date, id);

CREATE TABLE bill_line (
    id             BIGINT PRIMARY KEY,
    bill_id        BIGINT NOT NULL REFERENCES bill DEFERRABLE INITIALLY DEFERRED,
    position       BIGINT NOT NULL,
    variant_id     BIGINT NOT NULL,
    sku            TEXT   NOT NULL,
    account        TEXT   NOT NULL,
    description    TEXT   NOT NULL,
    quantity       BIGINT NOT NULL CHECK (quantity > 0),
    net            BIGINT NOT NULL CHECK (net >= 0),
    tax            BIGINT NOT NULL CHECK (tax >= 0),
    rate_ppm       BIGINT NOT NULL CHECK (rate_ppm >= 0),
    deductible_ppm BIGINT NOT NULL CHECK (deductible_ppm BETWEEN 0 AND 1000000),
    UNIQUE (bill_id, position)
);

-- A payment of bills, numbered without gaps within its series. The charge is
-- in the company's currency.
CREATE TABLE voucher_series (
    series TEXT PRIMARY KEY,
    next   BIGINT NOT NULL
);

CREATE TABLE payment_voucher (
    id          BIGINT PRIMARY KEY,
    series      TEXT   NOT NULL,
    number      BIGINT NOT NULL,
    date        TEXT   NOT NULL CHECK (length(date) = 10),
    account     TEXT   NOT NULL,
    currency    TEXT   NOT NULL,
    rate        TEXT   NOT NULL,
    amount      BIGINT NOT NULL CHECK (amount >= 0),
    home_amount BIGINT NOT NULL CHECK (home_amount >= 0),
    charge      BIGINT NOT NULL CHECK (charge >= 0),
    reference   TEXT   NOT NULL,
    cause       TEXT   NOT NULL UNIQUE,
    digest      TEXT   NOT NULL,
    entry_id    BIGINT NOT NULL REFERENCES entry DEFERRABLE INITIALLY DEFERRED,
    recorded_at BIGINT NOT NULL,
    UNIQUE (series, number)
);

-- What stands no more: a bill or a voucher that an entry took back.
CREATE TABLE purchase_reversal (
    document_id BIGINT PRIMARY KEY,
    date        TEXT   NOT NULL CHECK (length(date) = 10),
    reason      TEXT   NOT NULL,
    entry_id    BIGINT NOT NULL REFERENCES entry DEFERRABLE INITIALLY DEFERRED,
    recorded_at BIGINT NOT NULL
);

-- The sub-ledger of the payable account: what each entry added to a bill
-- (positive: we owe it) or took from it. A vendor's credit is a bill below
-- zero. The document is the bill itself or the voucher that settles it.
CREATE TABLE payable_item (
    id            BIGINT PRIMARY KEY,
    bill_id       BIGINT NOT NULL REFERENCES bill DEFERRABLE INITIALLY DEFERRED,
    entry_id      BIGINT NOT NULL REFERENCES entry DEFERRABLE INITIALLY DEFERRED,
    document_kind TEXT   NOT NULL,
    document_id   BIGINT NOT NULL,
    effective     TEXT   NOT NULL CHECK (length(effective) = 10),
    amount        BIGINT NOT NULL,
    home_amount   BIGINT NOT NULL
);
CREATE INDEX payable_item_bill ON payable_item (bill_id);
CREATE INDEX payable_item_document ON payable_item (document_id);

-- The sums of the items by bill, kept with them.
CREATE TABLE bill_balance (
    bill_id   BIGINT PRIMARY KEY REFERENCES bill DEFERRABLE INITIALLY DEFERRED,
    open      BIGINT NOT NULL,
    home_open BIGINT NOT NULL
);
CREATE INDEX bill_balance_open ON bill_balance (bill_id) WHERE open <> 0;

-- What is written stays written.

CREATE TRIGGER bill_kept BEFORE UPDATE OR DELETE ON bill FOR EACH ROW EXECUTE FUNCTION refuse();
CREATE TRIGGER bill_line_kept BEFORE UPDATE OR DELETE ON bill_line FOR EACH ROW EXECUTE FUNCTION refuse();
CREATE TRIGGER payment_voucher_kept BEFORE UPDATE OR DELETE ON payment_voucher FOR EACH ROW EXECUTE FUNCTION refuse();
CREATE TRIGGER purchase_reversal_kept BEFORE UPDATE OR DELETE ON purchase_reversal FOR EACH ROW EXECUTE FUNCTION refuse();
CREATE TRIGGER payable_item_kept BEFORE UPDATE OR DELETE ON payable_item FOR EACH ROW EXECUTE FUNCTION refuse();
