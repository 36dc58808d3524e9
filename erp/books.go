// Package erp is the books: the one place that opens a transaction over the
// catalogue, the stock, the sales, the taxes and the accounts. Its use cases
// are methods of Books; Receive, which applies a page of what a storefront
// said, is the first of them.
//
// # The fence
//
// Every commit of Receive writes, in the same transaction, the number of the
// commit within its stream and the cursor that the page ends with. The sync
// state outside of the books follows the fence and is compared with it at each
// start, so either of the two may be lost or rolled back.
package erp

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"comptoir/erp/fault"
	"comptoir/erp/intake"
	"comptoir/erp/ledger"
	"comptoir/erp/money"
	"comptoir/erp/outbox"
	"comptoir/erp/sales"
	"comptoir/erp/store"

	"github.com/klauspost/compress/zstd"
	"github.com/rs/zerolog"
	"github.com/shopspring/decimal"
)

// Options say where the books are and whose they are.
type Options struct {
	// Path is the SQLite file; it is made where it does not exist.
	Path string
	// URL is that of a PostgreSQL database. It wins over Path.
	URL     string
	Company Company
	// Shops holds the rules of each shop by its name.
	Shops map[string]sales.Rules
	// Policies say what is sent to each shop; a shop without one is sent
	// nothing.
	Policies map[string]outbox.Policy
	// Order names the shops in the order in which they go before each other in
	// what they share: the first that has a variant describes it, and the first
	// that counts it has its number taken over. Those not named come last, by
	// name.
	Order []string
	Now   func() time.Time
	Log   zerolog.Logger
}

// Company is whose books they are.
type Company struct {
	Name            string
	Currency        money.Currency // of the accounts
	TimeZone        *time.Location // in which business dates are taken
	Chart           string         // chart of accounts: "general" or "pcg"
	FiscalYearStart string         // MM-DD on which fiscal years begin; "" for 01-01
	// Accounts gives roles to other accounts than the chart does: codes by
	// role.
	Accounts map[ledger.Role]string
	LockDate string // YYYY-MM-DD; the books are locked until then at the least, see SetLock. "" for none
	Rates    []Rate // exchange rates into Currency
	// DefaultCost values stock that the shop states no cost for, in Currency
	// for one unit. Nil: such stock is taken over at zero and listed.
	DefaultCost *decimal.Decimal
}

// Rate is an exchange rate, valid from a day until the next one of the same
// currency.
type Rate struct {
	Currency money.Currency  // of the document
	From     string          // YYYY-MM-DD
	Rate     decimal.Decimal // units of the company's currency for one unit
}

// rate returns the rate of a currency on a day.
func (c Company) rate(currency money.Currency, day string) (decimal.Decimal, bool) {
	best := -1
	for i, r := range c.Rates {
		if r.Currency == currency && r.From <= day && (best < 0 || r.From > c.Rates[best].From) {
			best = i
		}
	}
	if best < 0 {
		return decimal.Decimal{}, false
	}
	return c.Rates[best].Rate, true
}

// Books are open books. They are safe for concurrent use.
type Books struct {
	opts     Options
	db       *store.DB
	accounts *ledger.Accounts
	shops    map[string]int64
	ranked   []rankedShop // in the order in which they go before each other
	policies map[int64]outbox.Policy
	senders  map[intake.Field][]int64 // the shops that are told of changes of a field
	linking  sync.Mutex               // held while variants are linked
	pack     *zstd.Encoder
	unpack   *zstd.Decoder
}

// Open opens the books and brings their schema up to date. Books that were
// begun in another currency or with another chart are refused.
func Open(ctx context.Context, opts Options) (*Books, error) {
	if _, err := opts.Company.Currency.Decimals(); err != nil {
		return nil, fmt.Errorf("open books: %w", err)
	}
	if opts.Company.TimeZone == nil {
		opts.Company.TimeZone = time.UTC
	}
	db, err := store.Open(ctx, store.Options{Path: opts.Path, URL: opts.URL, Log: opts.Log})
	if err != nil {
		return nil, err
	}
	b := &Books{opts: opts, db: db, shops: map[string]int64{}}
	if err := b.begin(ctx); err != nil {
		db.Close()
		return nil, fmt.Errorf("open books: %w", err)
	}
	return b, nil
}

// begin brings the chart, the shops and the fixed settings into the books.
func (b *Books) begin(ctx context.Context) error {
	var err error
	if b.pack, err = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1)); err != nil {
		return err
	}
	if b.unpack, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(1<<30)); err != nil {
		return err
	}
	err = b.db.Write(ctx, func(tx *store.Tx) error {
		for _, s := range []struct{ name, value string }{{"currency", string(b.opts.Company.Currency)}, {"chart", b.opts.Company.Chart}} {
			if err := fix(ctx, tx, s.name, s.value); err != nil {
				return err
			}
		}
		if err := b.raiseLock(ctx, tx); err != nil {
			return err
		}
		return b.enrol(ctx, tx)
	})
	if err != nil {
		return err
	}
	if b.accounts, err = ledger.OpenAccounts(ctx, b.db, b.opts.Company.Chart); err != nil {
		return err
	}
	if err := b.accounts.Assign(ctx, b.db, b.opts.Company.Accounts); err != nil {
		return err
	}
	for shop, rules := range b.opts.Shops {
		for role, code := range rules.Roles {
			if !b.accounts.Has(code) {
				return fault.New(fault.Invalid, "take the setting out, add the account with comptoir ledger account add, and set it again",
					"shops.%s.accounts.%s: there is no account %q", shop, role, code)
			}
		}
	}
	return nil
}

// fix writes a setting that cannot change, or compares it.
func fix(ctx context.Context, tx *store.Tx, name, value string) error {
	var had string
	_, err := tx.Exec(ctx, `INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING`, name, value)
	if err != nil {
		return err
	}
	if err := tx.QueryRow(ctx, `SELECT value FROM setting WHERE name = $1`, name).Scan(&had); err != nil {
		return err
	}
	if had != value {
		return fault.New(fault.Invalid, fmt.Sprintf("set books.%s back to %q, or begin new books in another data directory", name, had),
			"the books were begun with %s %q, and the configuration says %q", name, had, value)
	}
	return nil
}

// enrol gives every configured shop its row.
func (b *Books) enrol(ctx context.Context, tx *store.Tx) error {
	names := make([]string, 0, len(b.opts.Shops))
	for name := range b.opts.Shops {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		id, err := tx.NewID(ctx)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO shop (id, name) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING`, id, name); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, `SELECT id FROM shop WHERE name = $1`, name).Scan(&id); err != nil {
			return err
		}
		b.shops[name] = id
	}
	b.rank(names)
	b.sendTo()
	if err := b.forgetCompared(ctx, tx); err != nil {
		return err
	}
	return b.heedOwners(ctx, tx)
}

// rankedShop is a configured shop.
type rankedShop struct {
	id   int64
	name string
}

// rank puts the configured shops, given by name, in order.
func (b *Books) rank(names []string) {
	b.ranked = b.ranked[:0]
	slices.SortStableFunc(names, func(x, y string) int { return cmp.Compare(b.place(x), b.place(y)) })
	for _, name := range names {
		b.ranked = append(b.ranked, rankedShop{b.shops[name], name})
	}
}

// place is where a shop stands in Options.Order.
func (b *Books) place(name string) int {
	if i := slices.Index(b.opts.Order, name); i >= 0 {
		return i
	}
	return len(b.opts.Order)
}

// before reports whether a shop goes before another one. Those that are no
// longer configured come last.
func (b *Books) before(x, y int64) bool {
	at := func(id int64) int {
		if i := slices.IndexFunc(b.ranked, func(s rankedShop) bool { return s.id == id }); i >= 0 {
			return i
		}
		return len(b.ranked)
	}
	return cmp.Or(cmp.Compare(at(x), at(y)), cmp.Compare(x, y)) < 0
}

// shop returns the id of a configured shop.
func (b *Books) shop(name string) (int64, error) {
	id, ok := b.shops[name]
	if !ok {
		return 0, fault.New(fault.NotFound, "add it to shops in the configuration", "shop %q is not known", name)
	}
	return id, nil
}

// configured reports whether a shop is configured.
func (b *Books) configured(shop int64) bool {
	return slices.ContainsFunc(b.ranked, func(s rankedShop) bool { return s.id == shop })
}

// Close ends all use of the books.
func (b *Books) Close() error {
	b.pack.Close()
	b.unpack.Close()
	return b.db.Close()
}

// Reader returns a reader of the books, for reports.
func (b *Books) Reader() store.Reader { return b.db }

// Company returns whose books they are.
func (b *Books) Company() Company { return b.opts.Company }

// Stream names what a cursor belongs to.
type Stream struct {
	Shop     string
	Resource intake.Resource
}
