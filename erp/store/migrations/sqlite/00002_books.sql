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
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
);

-- The last commit of each stream: see "The fence" in package erp.
CREATE TABLE fence (
    shop_id      INTEGER NOT NULL REFERENCES shop,
    resource     TEXT    NOT NULL,
    number       INTEGER NOT NULL,
    cursor       BLOB,
    committed_at INTEGER NOT NULL,
    PRIMARY KEY (shop_id, resource)
);

-- Where a record came from. local_id is the row of its kind's own table.
CREATE TABLE origin (
    shop_id     INTEGER NOT NULL REFERENCES shop,
    kind        TEXT    NOT NULL,
    external_id TEXT    NOT NULL,
    local_id    INTEGER NOT NULL,
    parent      TEXT    NOT NULL DEFAULT '',
    digest      TEXT    NOT NULL,
    modified_at INTEGER NOT NULL DEFAULT 0,
    gone        BOOLEAN NOT NULL DEFAULT FALSE,
    PRIMARY KEY (shop_id, kind, external_id)
) WITHOUT ROWID;

CREATE INDEX origin_variant ON origin (local_id) WHERE kind = 'variant';

-- What the shop sent: the payload and the statement made of it, compressed.
CREATE TABLE payload (
    shop_id     INTEGER NOT NULL REFERENCES shop,
    kind        TEXT    NOT NULL,
    local_id    INTEGER NOT NULL,
    raw         BLOB,
    statement   BLOB,
    received_at INTEGER NOT NULL,
    PRIMARY KEY (local_id, kind, shop_id)
) WITHOUT ROWID;

CREATE TABLE parked (
    id          INTEGER PRIMARY KEY,
    shop_id     INTEGER NOT NULL REFERENCES shop,
    resource    TEXT    NOT NULL,
    kind        TEXT    NOT NULL,
    external_id TEXT    NOT NULL,
    parent      TEXT    NOT NULL,
    digest      TEXT    NOT NULL,
    modified_at INTEGER NOT NULL,
    reason      TEXT    NOT NULL,
    fix         TEXT    NOT NULL,
    amount      TEXT    NOT NULL,
    problem     TEXT    NOT NULL,
    raw         BLOB,
    statement   BLOB,
    first_at    INTEGER NOT NULL,
    last_at     INTEGER NOT NULL,
    tries       INTEGER NOT NULL,
    dropped     BOOLEAN NOT NULL DEFAULT FALSE,
    gone        BOOLEAN NOT NULL DEFAULT FALSE,
    UNIQUE (shop_id, kind, external_id)
);

-- Catalogue.

CREATE TABLE category (
    id          INTEGER PRIMARY KEY,
    shop_id     INTEGER NOT NULL REFERENCES shop,
    parent_id   INTEGER NOT NULL DEFAULT 0,
    name        TEXT    NOT NULL,
    slug        TEXT    NOT NULL,
    description TEXT    NOT NULL,
    position    INTEGER NOT NULL,
    deleted     BOOLEAN NOT NULL DEFAULT FALSE
);

CREATE TABLE product (
    id          INTEGER PRIMARY KEY,
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
    product_id  INTEGER NOT NULL REFERENCES product,
    category_id INTEGER NOT NULL REFERENCES category,
    PRIMARY KEY (product_id, category_id)
) WITHOUT ROWID;

-- A stub is a variant that an order line named before the shop described it.
-- One that the shop does not list, though its products were read to the end,
-- is unlisted: it is sold without stock.
CREATE TABLE variant (
    id         INTEGER PRIMARY KEY,
    product_id INTEGER NOT NULL DEFAULT 0,
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
    sale_from  INTEGER NOT NULL,
    sale_to    INTEGER NOT NULL,
    cost       TEXT    NOT NULL,
    weight     TEXT    NOT NULL,
    backorders TEXT    NOT NULL,
    tracked    BOOLEAN NOT NULL,
    stock_id   INTEGER NOT NULL,
    sellable   BOOLEAN NOT NULL,
    stub       BOOLEAN NOT NULL,
    stub_at    INTEGER NOT NULL DEFAULT 0,
    unlisted   BOOLEAN NOT NULL DEFAULT FALSE,
    safety     INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX variant_sku ON variant (sku) WHERE sku <> '';
CREATE INDEX variant_product ON variant (product_id);
CREATE INDEX variant_stock ON variant (stock_id);

CREATE TABLE coupon (
    id            INTEGER PRIMARY KEY,
    shop_id       INTEGER NOT NULL REFERENCES shop,
    code          TEXT    NOT NULL,
    type          TEXT    NOT NULL,
    amount        TEXT    NOT NULL,
    description   TEXT    NOT NULL,
    expires_at    INTEGER NOT NULL,
    usage_count   INTEGER NOT NULL,
    usage_limit   INTEGER NOT NULL,
    free_shipping BOOLEAN NOT NULL,
    deleted       BOOLEAN NOT NULL DEFAULT FALSE
);

CREATE TABLE gateway (
    id      INTEGER PRIMARY KEY,
    shop_id INTEGER NOT NULL REFERENCES shop,
    code    TEXT    NOT NULL,
    title   TEXT    NOT NULL,
    enabled BOOLEAN NOT NULL
);

CREATE TABLE shipping_method (
    id      INTEGER PRIMARY KEY,
    shop_id INTEGER NOT NULL REFERENCES shop,
    code    TEXT    NOT NULL,
    title   TEXT    NOT NULL,
    zone    TEXT    NOT NULL,
    enabled BOOLEAN NOT NULL
);

-- Contacts. One e-mail is one contact; no e-mail, no contact.

CREATE TABLE contact (
    id         INTEGER PRIMARY KEY,
    email      TEXT    NOT NULL UNIQUE,
    first_name TEXT    NOT NULL,
    last_name  TEXT    NOT NULL,
    company    TEXT    NOT NULL,
    phone      TEXT    NOT NULL,
    vat_number TEXT    NOT NULL,
    account    BOOLEAN NOT NULL,
    first_at   INTEGER NOT NULL
);

CREATE TABLE address (
    contact_id INTEGER NOT NULL REFERENCES contact,
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
) WITHOUT ROWID;

-- Accounts.

CREATE TABLE account (
    id       INTEGER PRIMARY KEY,
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
    shop_id  INTEGER PRIMARY KEY,
    sequence INTEGER NOT NULL,
    hash     BLOB NOT NULL
);

-- An entry is written after its lines: the database refuses it where they do
-- not balance, and refuses lines once it stands.
CREATE TABLE entry (
    id            INTEGER PRIMARY KEY,
    journal       TEXT    NOT NULL,
    effective     TEXT    NOT NULL CHECK (length(effective) = 10),
    recorded_at   INTEGER NOT NULL,
    cause         TEXT    NOT NULL UNIQUE,
    description   TEXT    NOT NULL,
    shop_id       INTEGER NOT NULL DEFAULT 0,
    document_kind TEXT    NOT NULL,
    document_id   INTEGER NOT NULL,
    reverses      INTEGER NOT NULL DEFAULT 0,
    sequence      INTEGER NOT NULL,
    hash          BLOB    NOT NULL
);
CREATE INDEX entry_document ON entry (document_id);

CREATE TABLE entry_line (
    entry_id   INTEGER NOT NULL REFERENCES entry DEFERRABLE INITIALLY DEFERRED,
    line       INTEGER NOT NULL,
    account_id INTEGER NOT NULL REFERENCES account,
    debit      INTEGER NOT NULL CHECK (debit >= 0),
    credit     INTEGER NOT NULL CHECK (credit >= 0),
    currency   TEXT    NOT NULL,
    foreign_debit  INTEGER NOT NULL CHECK (foreign_debit >= 0),
    foreign_credit INTEGER NOT NULL CHECK (foreign_credit >= 0),
    contact_id INTEGER NOT NULL DEFAULT 0,
    memo       TEXT    NOT NULL,
    PRIMARY KEY (entry_id, line),
    CHECK (debit = 0 OR credit = 0)
) WITHOUT ROWID;

-- The sum of the lines by account and business date, kept with them.
CREATE TABLE account_day (
    account_id INTEGER NOT NULL REFERENCES account,
    day        TEXT    NOT NULL,
    debit      INTEGER NOT NULL,
    credit     INTEGER NOT NULL,
    PRIMARY KEY (account_id, day)
) WITHOUT ROWID;

-- Taxes.

CREATE TABLE tax_component (
    id       INTEGER PRIMARY KEY,
    shop_id  INTEGER NOT NULL REFERENCES shop,
    rate_id  TEXT    NOT NULL,
    name     TEXT    NOT NULL,
    agency   TEXT    NOT NULL,
    country  TEXT    NOT NULL,
    region   TEXT    NOT NULL,
    class    TEXT    NOT NULL,
    rate_ppm INTEGER NOT NULL,
    priority INTEGER NOT NULL,
    compound BOOLEAN NOT NULL,
    UNIQUE (shop_id, rate_id)
);

CREATE TABLE tax_fact (
    id            INTEGER PRIMARY KEY,
    component_id  INTEGER NOT NULL REFERENCES tax_component,
    entry_id      INTEGER NOT NULL REFERENCES entry,
    document_kind TEXT    NOT NULL,
    document_id   INTEGER NOT NULL,
    line_id       INTEGER NOT NULL,
    direction     TEXT    NOT NULL CHECK (direction IN ('collected', 'deductible')),
    effective     TEXT    NOT NULL,
    currency      TEXT    NOT NULL,
    foreign_base  INTEGER NOT NULL,
    foreign_tax   INTEGER NOT NULL,
    base          INTEGER NOT NULL,
    tax           INTEGER NOT NULL
);
CREATE INDEX tax_fact_entry ON tax_fact (entry_id);

-- Stock.

CREATE TABLE place (
    id   INTEGER PRIMARY KEY,
    code TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL
);
INSERT INTO place (id, code, kind) VALUES
    (1, 'main', 'warehouse'), (2, 'customers', 'customer'), (3, 'vendors', 'vendor'),
    (4, 'adjustment', 'adjustment'), (5, 'opening', 'adjustment'), (6, 'damaged', 'warehouse'), (7, 'transit', 'transit');

CREATE TABLE stock_move (
    id            INTEGER PRIMARY KEY,
    variant_id    INTEGER NOT NULL REFERENCES variant,
    from_place    INTEGER NOT NULL REFERENCES place,
    to_place      INTEGER NOT NULL REFERENCES place,
    quantity      INTEGER NOT NULL CHECK (quantity > 0),
    unit_cost     TEXT    NOT NULL,
    value         INTEGER NOT NULL CHECK (value >= 0),
    reason        TEXT    NOT NULL,
    document_kind TEXT    NOT NULL,
    document_id   INTEGER NOT NULL,
    line_id       INTEGER NOT NULL,
    effective     TEXT    NOT NULL,
    recorded_at   INTEGER NOT NULL,
    cause         TEXT    NOT NULL UNIQUE
);
CREATE INDEX stock_move_document ON stock_move (document_id);

-- What is where, kept with the moves. Demand is what open orders want of it.
CREATE TABLE stock_level (
    variant_id INTEGER NOT NULL REFERENCES variant,
    place_id   INTEGER NOT NULL REFERENCES place,
    on_hand    INTEGER NOT NULL DEFAULT 0,
    demand     INTEGER NOT NULL DEFAULT 0,
    allocated  INTEGER NOT NULL DEFAULT 0,
    value      INTEGER NOT NULL DEFAULT 0,
    unit_cost  TEXT    NOT NULL DEFAULT '',
    opened     BOOLEAN NOT NULL DEFAULT FALSE,
    dirty      BOOLEAN NOT NULL DEFAULT FALSE,
    ordered_at INTEGER NOT NULL DEFAULT 0,
    first_day  TEXT    NOT NULL DEFAULT '',
    revision   INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (variant_id, place_id)
) WITHOUT ROWID;
CREATE INDEX stock_level_dirty ON stock_level (variant_id) WHERE dirty;

-- What each shop says it can still sell of a variant.
CREATE TABLE shop_stock (
    shop_id       INTEGER NOT NULL REFERENCES shop,
    variant_id    INTEGER NOT NULL REFERENCES variant,
    quantity      INTEGER NOT NULL,
    stated_at     INTEGER NOT NULL,
    seen_at       INTEGER NOT NULL,
    waiting_since INTEGER NOT NULL DEFAULT 0,
    settled       BOOLEAN NOT NULL DEFAULT FALSE,
    PRIMARY KEY (shop_id, variant_id)
) WITHOUT ROWID;

-- Sales.

CREATE TABLE sales_order (
    id             INTEGER PRIMARY KEY,
    shop_id        INTEGER NOT NULL REFERENCES shop,
    external_id    TEXT    NOT NULL,
    number         TEXT    NOT NULL,
    raw_status     TEXT    NOT NULL,
    state          TEXT    NOT NULL,
    trashed        BOOLEAN NOT NULL,
    deleted        BOOLEAN NOT NULL DEFAULT FALSE,
    final          BOOLEAN NOT NULL,
    waiting        BOOLEAN NOT NULL,
    placed_at      INTEGER NOT NULL,
    paid_at        INTEGER NOT NULL,
    completed_at   INTEGER NOT NULL,
    cancelled_at   INTEGER NOT NULL,
    promised_on    TEXT    NOT NULL,
    contact_id     INTEGER NOT NULL,
    customer       TEXT    NOT NULL,
    payment_method TEXT    NOT NULL,
    payment_title  TEXT    NOT NULL,
    payment_terms  TEXT    NOT NULL,
    coupons        TEXT    NOT NULL,
    note           TEXT    NOT NULL,
    currency       TEXT    NOT NULL,
    rate           TEXT    NOT NULL,
    total          INTEGER NOT NULL,
    total_tax      INTEGER NOT NULL,
    discount       INTEGER NOT NULL,
    recomputed     INTEGER NOT NULL,
    difference     TEXT    NOT NULL,
    revision       INTEGER NOT NULL
);
CREATE INDEX sales_order_placed ON sales_order (shop_id, placed_at);
CREATE INDEX sales_order_open ON sales_order (shop_id, id) WHERE NOT final;
CREATE INDEX sales_order_waiting ON sales_order (shop_id, id) WHERE waiting;

CREATE TABLE order_line (
    id          INTEGER PRIMARY KEY,
    order_id    INTEGER NOT NULL REFERENCES sales_order,
    kind        TEXT    NOT NULL,
    external_id TEXT    NOT NULL,
    position    INTEGER NOT NULL,
    variant_id  INTEGER NOT NULL,
    sku         TEXT    NOT NULL,
    title       TEXT    NOT NULL,
    code        TEXT    NOT NULL,
    ordered     INTEGER NOT NULL,
    current     INTEGER NOT NULL,
    refunded    INTEGER NOT NULL,
    shipped     INTEGER NOT NULL,
    returned    INTEGER NOT NULL,
    demand      INTEGER NOT NULL,
    allocated   INTEGER NOT NULL,
    state       TEXT    NOT NULL,
    unit_price  TEXT    NOT NULL,
    subtotal    INTEGER NOT NULL,
    discount    INTEGER NOT NULL,
    net         INTEGER NOT NULL,
    tax         INTEGER NOT NULL,
    taxes       TEXT    NOT NULL,
    gift_card   BOOLEAN NOT NULL
);
CREATE INDEX order_line_order ON order_line (order_id);
CREATE INDEX order_line_demand ON order_line (variant_id) WHERE demand > 0;

CREATE TABLE order_payment (
    order_id    INTEGER NOT NULL REFERENCES sales_order,
    external_id TEXT    NOT NULL,
    kind        TEXT    NOT NULL,
    gateway     TEXT    NOT NULL,
    amount      INTEGER NOT NULL,
    fee         INTEGER NOT NULL,
    reference   TEXT    NOT NULL,
    paid_at     INTEGER NOT NULL,
    PRIMARY KEY (order_id, external_id)
) WITHOUT ROWID;

CREATE TABLE refund (
    id          INTEGER PRIMARY KEY,
    order_id    INTEGER NOT NULL REFERENCES sales_order,
    external_id TEXT    NOT NULL,
    refunded_at INTEGER NOT NULL,
    amount      INTEGER NOT NULL,
    gateway     TEXT    NOT NULL,
    reason      TEXT    NOT NULL,
    lines       TEXT    NOT NULL,
    removed     BOOLEAN NOT NULL DEFAULT FALSE,
    UNIQUE (order_id, external_id)
);

CREATE TABLE shipment (
    order_id    INTEGER NOT NULL REFERENCES sales_order,
    external_id TEXT    NOT NULL,
    shipped_at  INTEGER NOT NULL,
    carrier     TEXT    NOT NULL,
    tracking    TEXT    NOT NULL,
    lines       TEXT    NOT NULL,
    PRIMARY KEY (order_id, external_id)
) WITHOUT ROWID;

-- The newest revision of each event of an order, and whether it stands.
CREATE TABLE order_event (
    order_id INTEGER NOT NULL REFERENCES sales_order,
    event    TEXT    NOT NULL,
    revision INTEGER NOT NULL,
    digest   TEXT    NOT NULL,
    document TEXT    NOT NULL,
    active   BOOLEAN NOT NULL,
    PRIMARY KEY (order_id, event)
) WITHOUT ROWID;

CREATE TABLE invoice_series (
    series TEXT PRIMARY KEY,
    next   INTEGER NOT NULL
);

CREATE TABLE invoice (
    id       INTEGER PRIMARY KEY,
    series   TEXT    NOT NULL,
    number   INTEGER NOT NULL,
    kind     TEXT    NOT NULL CHECK (kind IN ('invoice', 'credit_note')),
    order_id INTEGER NOT NULL REFERENCES sales_order,
    corrects INTEGER NOT NULL DEFAULT 0,
    date     TEXT    NOT NULL,
    cause    TEXT    NOT NULL UNIQUE,
    currency TEXT    NOT NULL,
    net      INTEGER NOT NULL,
    tax      INTEGER NOT NULL,
    total    INTEGER NOT NULL,
    content  TEXT    NOT NULL,
    UNIQUE (series, number)
);
CREATE INDEX invoice_order ON invoice (order_id);

-- What is written stays written.

-- +goose StatementBegin
CREATE TRIGGER entry_balances BEFORE INSERT ON entry
WHEN (SELECT COALESCE(SUM(debit - credit), 1) FROM entry_line WHERE entry_id = NEW.id) <> 0
BEGIN SELECT RAISE(ABORT, 'entry does not balance'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER entry_line_sealed BEFORE INSERT ON entry_line
WHEN EXISTS (SELECT 1 FROM entry WHERE id = NEW.entry_id)
BEGIN SELECT RAISE(ABORT, 'entry is sealed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER entry_kept BEFORE UPDATE ON entry BEGIN SELECT RAISE(ABORT, 'entries are append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER entry_stays BEFORE DELETE ON entry BEGIN SELECT RAISE(ABORT, 'entries are append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER entry_line_kept BEFORE UPDATE ON entry_line BEGIN SELECT RAISE(ABORT, 'entries are append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER entry_line_stays BEFORE DELETE ON entry_line BEGIN SELECT RAISE(ABORT, 'entries are append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER stock_move_kept BEFORE UPDATE ON stock_move BEGIN SELECT RAISE(ABORT, 'moves are append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER stock_move_stays BEFORE DELETE ON stock_move BEGIN SELECT RAISE(ABORT, 'moves are append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER tax_fact_kept BEFORE UPDATE ON tax_fact BEGIN SELECT RAISE(ABORT, 'tax facts are append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER tax_fact_stays BEFORE DELETE ON tax_fact BEGIN SELECT RAISE(ABORT, 'tax facts are append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER invoice_kept BEFORE UPDATE ON invoice BEGIN SELECT RAISE(ABORT, 'invoices are append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER invoice_stays BEFORE DELETE ON invoice BEGIN SELECT RAISE(ABORT, 'invoices are append-only'); END;
-- +goose StatementEnd
