-- The books. Instants are microseconds since 1970 UTC (0: unknown), business
-- dates are 'YYYY-MM-DD', amounts are minor units of the currency beside them
-- (of the company where none stands beside), quantities are thousandths,
-- decimals (prices, costs, rates of exchange) are text.

-- +goose Up

-- What the books were begun with and cannot change: currency, chart.
CREATE TABLE setting (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE shop (
    id   BIGINT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
);

-- The last commit of each stream: see "The fence" in package erp.
CREATE TABLE fence (
    shop_id      BIGINT NOT NULL REFERENCES shop,
    resource     TEXT    NOT NULL,
    number       BIGINT NOT NULL,
    cursor       BYTEA,
    committed_at BIGINT NOT NULL,
    PRIMARY KEY (shop_id, resource)
);

-- Where a record came from. local_id is the row of its kind's own table.
CREATE TABLE origin (
    shop_id     BIGINT NOT NULL REFERENCES shop,
    kind        TEXT    NOT NULL,
    external_id TEXT    NOT NULL,
    local_id    BIGINT NOT NULL,
    parent      TEXT    NOT NULL DEFAULT '',
    digest      TEXT    NOT NULL,
    modified_at BIGINT NOT NULL DEFAULT 0,
    gone        BOOLEAN NOT NULL DEFAULT FALSE,
    PRIMARY KEY (shop_id, kind, external_id)
);

CREATE INDEX origin_variant ON origin (local_id) WHERE kind = 'variant';

-- What the shop sent: the payload and the statement made of it, compressed.
CREATE TABLE payload (
    shop_id     BIGINT NOT NULL REFERENCES shop,
    kind        TEXT    NOT NULL,
    local_id    BIGINT NOT NULL,
    raw         BYTEA,
    statement   BYTEA,
    received_at BIGINT NOT NULL,
    PRIMARY KEY (local_id, kind, shop_id)
);

CREATE TABLE parked (
    id          BIGINT PRIMARY KEY,
    shop_id     BIGINT NOT NULL REFERENCES shop,
    resource    TEXT    NOT NULL,
    kind        TEXT    NOT NULL,
    external_id TEXT    NOT NULL,
    parent      TEXT    NOT NULL,
    digest      TEXT    NOT NULL,
    modified_at BIGINT NOT NULL,
    reason      TEXT    NOT NULL,
    fix         TEXT    NOT NULL,
    amount      TEXT    NOT NULL,
    problem     TEXT    NOT NULL,
    raw         BYTEA,
    statement   BYTEA,
    first_at    BIGINT NOT NULL,
    last_at     BIGINT NOT NULL,
    tries       BIGINT NOT NULL,
    dropped     BOOLEAN NOT NULL DEFAULT FALSE,
    gone        BOOLEAN NOT NULL DEFAULT FALSE,
    UNIQUE (shop_id, kind, external_id)
);

-- Catalogue.

CREATE TABLE category (
    id          BIGINT PRIMARY KEY,
    shop_id     BIGINT NOT NULL REFERENCES shop,
    parent_id   BIGINT NOT NULL DEFAULT 0,
    name        TEXT    NOT NULL,
    slug        TEXT    NOT NULL,
    description TEXT    NOT NULL,
    position    BIGINT NOT NULL,
    deleted     BOOLEAN NOT NULL DEFAULT FALSE
);

CREATE TABLE product (
    id          BIGINT PRIMARY KEY,
    title       TEXT    NOT NULL,
    slug        TEXT    NOT NULL,
    description TEXT    NOT NULL,
    short       TEXT    NOT NULL,
    brand       TEXT    NOT NULL,
    status      TEXT    NOT NULL,
    kind        TEXT    NOT NULL,
    tax_class   TEXT    NOT NULL,
    images      TEXT    NOT NULL
);

CREATE TABLE product_category (
    product_id  BIGINT NOT NULL REFERENCES product,
    category_id BIGINT NOT NULL REFERENCES category,
    PRIMARY KEY (product_id, category_id)
);

-- A stub is a variant that an order line named before the shop described it.
-- One that the shop does not list, though its products were read to the end,
-- is unlisted: it is sold without stock.
CREATE TABLE variant (
    id         BIGINT PRIMARY KEY,
    product_id BIGINT NOT NULL DEFAULT 0,
    sku        TEXT    NOT NULL,
    barcode    TEXT    NOT NULL,
    title      TEXT    NOT NULL,
    options    TEXT    NOT NULL,
    status     TEXT    NOT NULL,
    kind       TEXT    NOT NULL,
    tax_class  TEXT    NOT NULL,
    price      TEXT    NOT NULL,
    regular    TEXT    NOT NULL,
    sale       TEXT    NOT NULL,
    sale_from  BIGINT NOT NULL,
    sale_to    BIGINT NOT NULL,
    cost       TEXT    NOT NULL,
    weight     TEXT    NOT NULL,
    backorders TEXT    NOT NULL,
    tracked    BOOLEAN NOT NULL,
    stock_id   BIGINT NOT NULL,
    sellable   BOOLEAN NOT NULL,
    stub       BOOLEAN NOT NULL,
    stub_at    BIGINT NOT NULL DEFAULT 0,
    unlisted   BOOLEAN NOT NULL DEFAULT FALSE,
    safety     BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX variant_sku ON variant (sku) WHERE sku <> '';
CREATE INDEX variant_product ON variant (product_id);
CREATE INDEX variant_stock ON variant (stock_id);

CREATE TABLE coupon (
    id            BIGINT PRIMARY KEY,
    shop_id       BIGINT NOT NULL REFERENCES shop,
    code          TEXT    NOT NULL,
    type          TEXT    NOT NULL,
    amount        TEXT    NOT NULL,
    description   TEXT    NOT NULL,
    expires_at    BIGINT NOT NULL,
    usage_count   BIGINT NOT NULL,
    usage_limit   BIGINT NOT NULL,
    free_shipping BOOLEAN NOT NULL,
    deleted       BOOLEAN NOT NULL DEFAULT FALSE
);

CREATE TABLE gateway (
    id      BIGINT PRIMARY KEY,
    shop_id BIGINT NOT NULL REFERENCES shop,
    code    TEXT    NOT NULL,
    title   TEXT    NOT NULL,
    enabled BOOLEAN NOT NULL
);

CREATE TABLE shipping_method (
    id      BIGINT PRIMARY KEY,
    shop_id BIGINT NOT NULL REFERENCES shop,
    code    TEXT    NOT NULL,
    title   TEXT    NOT NULL,
    zone    TEXT    NOT NULL,
    enabled BOOLEAN NOT NULL
);

-- Contacts. One e-mail is one contact; no e-mail, no contact.

CREATE TABLE contact (
    id         BIGINT PRIMARY KEY,
    email      TEXT    NOT NULL UNIQUE,
    first_name TEXT    NOT NULL,
    last_name  TEXT    NOT NULL,
    company    TEXT    NOT NULL,
    phone      TEXT    NOT NULL,
    vat_number TEXT    NOT NULL,
    account    BOOLEAN NOT NULL,
    first_at   BIGINT NOT NULL
);

CREATE TABLE address (
    contact_id BIGINT NOT NULL REFERENCES contact,
    digest     TEXT    NOT NULL,
    kind       TEXT    NOT NULL,
    first_name TEXT    NOT NULL,
    last_name  TEXT    NOT NULL,
    company    TEXT    NOT NULL,
    street1    TEXT    NOT NULL,
    street2    TEXT    NOT NULL,
    city       TEXT    NOT NULL,
    region     TEXT    NOT NULL,
    postcode   TEXT    NOT NULL,
    country    TEXT    NOT NULL,
    phone      TEXT    NOT NULL,
    PRIMARY KEY (contact_id, digest)
);

-- Accounts.

CREATE TABLE account (
    id       BIGINT PRIMARY KEY,
    code     TEXT NOT NULL UNIQUE,
    name     TEXT NOT NULL,
    type     TEXT NOT NULL CHECK (type IN ('asset', 'liability', 'equity', 'income', 'expense')),
    role     TEXT NOT NULL,
    gateway  TEXT NOT NULL DEFAULT '',
    currency TEXT NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX account_role ON account (role, gateway, currency) WHERE role <> '';

-- The newest entry of each chain: one for each shop, and one (shop 0) for what
-- is entered by hand.
CREATE TABLE entry_chain (
    shop_id  BIGINT PRIMARY KEY,
    sequence BIGINT NOT NULL,
    hash     BYTEA NOT NULL
);

-- An entry is written after its lines: the database refuses it where they do
-- not balance, and refuses lines once it stands.
CREATE TABLE entry (
    id            BIGINT PRIMARY KEY,
    journal       TEXT    NOT NULL,
    effective     TEXT    NOT NULL CHECK (length(effective) = 10),
    recorded_at   BIGINT NOT NULL,
    cause         TEXT    NOT NULL UNIQUE,
    description   TEXT    NOT NULL,
    shop_id       BIGINT NOT NULL DEFAULT 0,
    document_kind TEXT    NOT NULL,
    document_id   BIGINT NOT NULL,
    reverses      BIGINT NOT NULL DEFAULT 0,
    sequence      BIGINT NOT NULL,
    hash          BYTEA    NOT NULL
);
CREATE INDEX entry_document ON entry (document_id);

CREATE TABLE entry_line (
    entry_id   BIGINT NOT NULL REFERENCES entry DEFERRABLE INITIALLY DEFERRED,
    line       BIGINT NOT NULL,
    account_id BIGINT NOT NULL REFERENCES account,
    debit      BIGINT NOT NULL CHECK (debit >= 0),
    credit     BIGINT NOT NULL CHECK (credit >= 0),
    currency   TEXT    NOT NULL,
    foreign_debit  BIGINT NOT NULL CHECK (foreign_debit >= 0),
    foreign_credit BIGINT NOT NULL CHECK (foreign_credit >= 0),
    contact_id BIGINT NOT NULL DEFAULT 0,
    memo       TEXT    NOT NULL,
    PRIMARY KEY (entry_id, line),
    CHECK (debit = 0 OR credit = 0)
);

-- The sum of the lines by account and business date, kept with them.
CREATE TABLE account_day (
    account_id BIGINT NOT NULL REFERENCES account,
    day        TEXT    NOT NULL,
    debit      BIGINT NOT NULL,
    credit     BIGINT NOT NULL,
    PRIMARY KEY (account_id, day)
);

-- Taxes.

CREATE TABLE tax_component (
    id       BIGINT PRIMARY KEY,
    shop_id  BIGINT NOT NULL REFERENCES shop,
    rate_id  TEXT    NOT NULL,
    name     TEXT    NOT NULL,
    agency   TEXT    NOT NULL,
    country  TEXT    NOT NULL,
    region   TEXT    NOT NULL,
    class    TEXT    NOT NULL,
    rate_ppm BIGINT NOT NULL,
    priority BIGINT NOT NULL,
    compound BOOLEAN NOT NULL,
    UNIQUE (shop_id, rate_id)
);

CREATE TABLE tax_fact (
    id            BIGINT PRIMARY KEY,
    component_id  BIGINT NOT NULL REFERENCES tax_component,
    entry_id      BIGINT NOT NULL REFERENCES entry,
    document_kind TEXT    NOT NULL,
    document_id   BIGINT NOT NULL,
    line_id       BIGINT NOT NULL,
    direction     TEXT    NOT NULL CHECK (direction IN ('collected', 'deductible')),
    effective     TEXT    NOT NULL,
    currency      TEXT    NOT NULL,
    foreign_base  BIGINT NOT NULL,
    foreign_tax   BIGINT NOT NULL,
    base          BIGINT NOT NULL,
    tax           BIGINT NOT NULL
);
CREATE INDEX tax_fact_entry ON tax_fact (entry_id);

-- Stock.

CREATE TABLE place (
    id   BIGINT PRIMARY KEY,
    code TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL
);
INSERT INTO place (id, code, kind) VALUES
    (1, 'main', 'warehouse'), (2, 'customers', 'customer'), (3, 'vendors', 'vendor'),
    (4, 'adjustment', 'adjustment'), (5, 'opening', 'adjustment'), (6, 'damaged', 'warehouse'), (7, 'transit', 'transit');

CREATE TABLE stock_move (
    id            BIGINT PRIMARY KEY,
    variant_id    BIGINT NOT NULL REFERENCES variant,
    from_place    BIGINT NOT NULL REFERENCES place,
    to_place      BIGINT NOT NULL REFERENCES place,
    quantity      BIGINT NOT NULL CHECK (quantity > 0),
    unit_cost     TEXT    NOT NULL,
    value         BIGINT NOT NULL CHECK (value >= 0),
    reason        TEXT    NOT NULL,
    document_kind TEXT    NOT NULL,
    document_id   BIGINT NOT NULL,
    line_id       BIGINT NOT NULL,
    effective     TEXT    NOT NULL,
    recorded_at   BIGINT NOT NULL,
    cause         TEXT    NOT NULL UNIQUE
);
CREATE INDEX stock_move_document ON stock_move (document_id);

-- What is where, kept with the moves. Demand is what open orders want of it.
CREATE TABLE stock_level (
    variant_id BIGINT NOT NULL REFERENCES variant,
    place_id   BIGINT NOT NULL REFERENCES place,
    on_hand    BIGINT NOT NULL DEFAULT 0,
    demand     BIGINT NOT NULL DEFAULT 0,
    allocated  BIGINT NOT NULL DEFAULT 0,
    value      BIGINT NOT NULL DEFAULT 0,
    unit_cost  TEXT    NOT NULL DEFAULT '',
    opened     BOOLEAN NOT NULL DEFAULT FALSE,
    dirty      BOOLEAN NOT NULL DEFAULT FALSE,
    ordered_at BIGINT NOT NULL DEFAULT 0,
    first_day  TEXT    NOT NULL DEFAULT '',
    revision   BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (variant_id, place_id)
);
CREATE INDEX stock_level_dirty ON stock_level (variant_id) WHERE dirty;

-- What each shop says it can still sell of a variant.
CREATE TABLE shop_stock (
    shop_id       BIGINT NOT NULL REFERENCES shop,
    variant_id    BIGINT NOT NULL REFERENCES variant,
    quantity      BIGINT NOT NULL,
    stated_at     BIGINT NOT NULL,
    seen_at       BIGINT NOT NULL,
    waiting_since BIGINT NOT NULL DEFAULT 0,
    settled       BOOLEAN NOT NULL DEFAULT FALSE,
    PRIMARY KEY (shop_id, variant_id)
);

-- Sales.

CREATE TABLE sales_order (
    id             BIGINT PRIMARY KEY,
    shop_id        BIGINT NOT NULL REFERENCES shop,
    external_id    TEXT    NOT NULL,
    number         TEXT    NOT NULL,
    raw_status     TEXT    NOT NULL,
    state          TEXT    NOT NULL,
    trashed        BOOLEAN NOT NULL,
    deleted        BOOLEAN NOT NULL DEFAULT FALSE,
    final          BOOLEAN NOT NULL,
    waiting        BOOLEAN NOT NULL,
    placed_at      BIGINT NOT NULL,
    paid_at        BIGINT NOT NULL,
    completed_at   BIGINT NOT NULL,
    cancelled_at   BIGINT NOT NULL,
    promised_on    TEXT    NOT NULL,
    contact_id     BIGINT NOT NULL,
    customer       TEXT    NOT NULL,
    payment_method TEXT    NOT NULL,
    payment_title  TEXT    NOT NULL,
    payment_terms  TEXT    NOT NULL,
    coupons        TEXT    NOT NULL,
    note           TEXT    NOT NULL,
    currency       TEXT    NOT NULL,
    rate           TEXT    NOT NULL,
    total          BIGINT NOT NULL,
    total_tax      BIGINT NOT NULL,
    discount       BIGINT NOT NULL,
    recomputed     BIGINT NOT NULL,
    difference     TEXT    NOT NULL,
    revision       BIGINT NOT NULL
);
CREATE INDEX sales_order_placed ON sales_order (shop_id, placed_at);
CREATE INDEX sales_order_open ON sales_order (shop_id, id) WHERE NOT final;
CREATE INDEX sales_order_waiting ON sales_order (shop_id, id) WHERE waiting;

CREATE TABLE order_line (
    id          BIGINT PRIMARY KEY,
    order_id    BIGINT NOT NULL REFERENCES sales_order,
    kind        TEXT    NOT NULL,
    external_id TEXT    NOT NULL,
    position    BIGINT NOT NULL,
    variant_id  BIGINT NOT NULL,
    sku         TEXT    NOT NULL,
    title       TEXT    NOT NULL,
    code        TEXT    NOT NULL,
    ordered     BIGINT NOT NULL,
    current     BIGINT NOT NULL,
    refunded    BIGINT NOT NULL,
    shipped     BIGINT NOT NULL,
    returned    BIGINT NOT NULL,
    demand      BIGINT NOT NULL,
    allocated   BIGINT NOT NULL,
    state       TEXT    NOT NULL,
    unit_price  TEXT    NOT NULL,
    subtotal    BIGINT NOT NULL,
    discount    BIGINT NOT NULL,
    net         BIGINT NOT NULL,
    tax         BIGINT NOT NULL,
    taxes       TEXT    NOT NULL,
    gift_card   BOOLEAN NOT NULL
);
CREATE INDEX order_line_order ON order_line (order_id);
CREATE INDEX order_line_demand ON order_line (variant_id) WHERE demand > 0;

CREATE TABLE order_payment (
    order_id    BIGINT NOT NULL REFERENCES sales_order,
    external_id TEXT    NOT NULL,
    kind        TEXT    NOT NULL,
    gateway     TEXT    NOT NULL,
    amount      BIGINT NOT NULL,
    fee         BIGINT NOT NULL,
    reference   TEXT    NOT NULL,
    paid_at     BIGINT NOT NULL,
    PRIMARY KEY (order_id, external_id)
);

CREATE TABLE refund (
    id          BIGINT PRIMARY KEY,
    order_id    BIGINT NOT NULL REFERENCES sales_order,
    external_id TEXT    NOT NULL,
    refunded_at BIGINT NOT NULL,
    amount      BIGINT NOT NULL,
    gateway     TEXT    NOT NULL,
    reason      TEXT    NOT NULL,
    lines       TEXT    NOT NULL,
    removed     BOOLEAN NOT NULL DEFAULT FALSE,
    UNIQUE (order_id, external_id)
);

CREATE TABLE shipment (
    order_id    BIGINT NOT NULL REFERENCES sales_order,
    external_id TEXT    NOT NULL,
    shipped_at  BIGINT NOT NULL,
    carrier     TEXT    NOT NULL,
    tracking    TEXT    NOT NULL,
    lines       TEXT    NOT NULL,
    PRIMARY KEY (order_id, external_id)
);

-- The newest revision of each event of an order, and whether it stands.
CREATE TABLE order_event (
    order_id BIGINT NOT NULL REFERENCES sales_order,
    event    TEXT    NOT NULL,
    revision BIGINT NOT NULL,
    digest   TEXT    NOT NULL,
    document TEXT    NOT NULL,
    active   BOOLEAN NOT NULL,
    PRIMARY KEY (order_id, event)
);

CREATE TABLE invoice_series (
    series TEXT PRIMARY KEY,
    next   BIGINT NOT NULL
);

CREATE TABLE invoice (
    id       BIGINT PRIMARY KEY,
    series   TEXT    NOT NULL,
    number   BIGINT NOT NULL,
    kind     TEXT    NOT NULL CHECK (kind IN ('invoice', 'credit_note')),
    order_id BIGINT NOT NULL REFERENCES sales_order,
    corrects BIGINT NOT NULL DEFAULT 0,
    date     TEXT    NOT NULL,
    cause    TEXT    NOT NULL UNIQUE,
    currency TEXT    NOT NULL,
    net      BIGINT NOT NULL,
    tax      BIGINT NOT NULL,
    total    BIGINT NOT NULL,
    content  TEXT    NOT NULL,
    UNIQUE (series, number)
);
CREATE INDEX invoice_order ON invoice (order_id);

-- What is written stays written.

-- +goose StatementBegin
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'check_violation';
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE FUNCTION entry_balances() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT COALESCE(SUM(debit - credit), 1) FROM entry_line WHERE entry_id = NEW.id) <> 0 THEN
        RAISE EXCEPTION 'entry does not balance' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE FUNCTION entry_line_sealed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM entry WHERE id = NEW.entry_id) THEN
        RAISE EXCEPTION 'entry is sealed' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER entry_balances BEFORE INSERT ON entry FOR EACH ROW EXECUTE FUNCTION entry_balances();
CREATE TRIGGER entry_line_sealed BEFORE INSERT ON entry_line FOR EACH ROW EXECUTE FUNCTION entry_line_sealed();
CREATE TRIGGER entry_kept BEFORE UPDATE OR DELETE ON entry FOR EACH ROW EXECUTE FUNCTION refuse();
CREATE TRIGGER entry_line_kept BEFORE UPDATE OR DELETE ON entry_line FOR EACH ROW EXECUTE FUNCTION refuse();
CREATE TRIGGER stock_move_kept BEFORE UPDATE OR DELETE ON stock_move FOR EACH ROW EXECUTE FUNCTION refuse();
CREATE TRIGGER tax_fact_kept BEFORE UPDATE OR DELETE ON tax_fact FOR EACH ROW EXECUTE FUNCTION refuse();
CREATE TRIGGER invoice_kept BEFORE UPDATE OR DELETE ON invoice FOR EACH ROW EXECUTE FUNCTION refuse();
