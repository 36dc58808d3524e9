// Package config turns a configuration file, the environment and the flags
// into a typed configuration.
//
// Each key is described once, in describe.go, as a setting: its name, its
// help, and a pointer to where its value goes, which also holds its default.
// Reading, checking, the message for a misspelt key, the example file,
// redaction and the display of what is in force all come from that
// description. Connectors describe their own keys in the same way.
//
// A message about a key names the file, the line and the key:
//
//	comptoir.yaml:14: shops.atelier.url: "atelier" is no address: …
package config

import (
	"path/filepath"
	"time"

	"comptoir/connectors"
	"comptoir/erp"
	"comptoir/erp/documents"
	"comptoir/erp/intake"
	"comptoir/erp/ledger"
	"comptoir/erp/money"
	"comptoir/erp/outbox"
	"comptoir/erp/sales"

	"github.com/rs/zerolog"
	"github.com/shopspring/decimal"
)

// Config is a whole configuration. Load makes it.
type Config struct {
	// File is where it was read from; "" where there was no file and only
	// defaults, environment and flags count.
	File string
	// Data is the directory that holds the books and the state of the sync.
	Data  string
	Log   Log
	Books Books
	// Webhooks say where the shops send their hints to.
	Webhooks Webhooks
	// Legal is what the law wants on documents, but for the company's name.
	Legal documents.Seller
	// StopTimeout is how long a page that is being applied may take once the
	// daemon was asked to stop.
	StopTimeout time.Duration
	// Warnings are what looks like a slip but may be meant, each a line.
	Warnings []string
	// Shops are in the order of the file.
	Shops []*Shop

	written map[string]string // secrets by path, as they were written: env:NAME and so on
	late    map[string]error  // secrets by path that could not be read
}

// Log says how much is logged, and how.
type Log struct {
	Level  string // debug, info, warn or error
	Format string // console or json
}

// Books say where the books are and whose they are; see erp.Options.
type Books struct {
	URL             string // of a PostgreSQL database; "" for SQLite in the data directory
	Company         string
	Currency        money.Currency
	TimeZone        *time.Location
	Chart           string
	FiscalYearStart string // MM-DD
	LockDate        string
	Rates           []erp.Rate
	DefaultCost     *decimal.Decimal
	Accounts        map[ledger.Role]string
}

// Shop is one storefront and how it is synced.
type Shop struct {
	Name     string
	Platform string // the connector's name
	TimeZone *time.Location
	// Schedules say when each resource is read.
	Schedules []Schedule
	Jitter    time.Duration
	Reread    string // cron, or Off
	Sweep     string // cron, or Off
	Retry     string // cron, or Off
	Silence   time.Duration
	// Verify is when the shop is compared with the books, back to VerifySpan
	// before.
	Verify     string // cron, or Off
	VerifySpan time.Duration
	// Webhooks: the shop is asked to send hints, where they are taken.
	Webhooks bool
	Rules    sales.Rules
	Push     Push

	owners []ownership

	driver   connectors.Driver
	settings connectors.Config
	fields   []connectors.Field
	late     error // a secret that could not be read
}

// Schedule says when a resource is read.
type Schedule struct {
	Resource intake.Resource
	Cron     string // a cron specification, or Off
}

// Off is the schedule of what only happens when it is asked for.
const Off = "off"

// The names of the files in the data directory.
const (
	booksFile   = "books.sqlite"
	stateFile   = "syncstate.bolt"
	statusFile  = "status.json"
	spoolFolder = "spool"
)

// StatePath is the file that holds the state of the sync.
func (c *Config) StatePath() string { return filepath.Join(c.Data, stateFile) }

// StatusPath is the file in which whoever holds the state of the sync tells
// others how it goes.
func (c *Config) StatusPath() string { return filepath.Join(c.Data, statusFile) }

// SpoolPath is the directory for files that are being worked on and are too
// large for memory. It can be deleted whenever no comptoir process runs.
func (c *Config) SpoolPath() string { return filepath.Join(c.Data, spoolFolder) }

// BooksPath is the file of the books, "" where they are in PostgreSQL.
func (c *Config) BooksPath() string {
	if c.Books.URL != "" {
		return ""
	}
	return filepath.Join(c.Data, booksFile)
}

// BooksOptions are what opens the books. It fails where the URL is a secret
// that cannot be read here.
func (c *Config) BooksOptions(now func() time.Time, log zerolog.Logger) (erp.Options, error) {
	if err := c.late["books.url"]; err != nil {
		return erp.Options{}, err
	}
	b := c.Books
	o := erp.Options{
		Path: c.BooksPath(), URL: b.URL, Now: now, Log: log,
		Company: erp.Company{Name: b.Company, Currency: b.Currency, TimeZone: b.TimeZone, Chart: b.Chart,
			FiscalYearStart: b.FiscalYearStart, LockDate: b.LockDate, Rates: b.Rates, DefaultCost: b.DefaultCost, Accounts: b.Accounts},
		Shops: map[string]sales.Rules{}, Policies: map[string]outbox.Policy{}, Order: c.ShopNames(),
	}
	for _, s := range c.Shops {
		policy, rules := s.Policy(), s.Rules
		rules.StockOwner = string(policy.Owners[intake.FieldQuantity])
		o.Shops[s.Name], o.Policies[s.Name] = rules, policy
	}
	return o, nil
}

// HoldsSecrets reports whether the file holds a secret itself, not only a
// reference to where it is.
func (c *Config) HoldsSecrets() bool {
	for _, text := range c.written {
		if !isReference(text) {
			return true
		}
	}
	return false
}

// Shop returns the shop of that name.
func (c *Config) Shop(name string) (*Shop, bool) {
	for _, s := range c.Shops {
		if s.Name == name {
			return s, true
		}
	}
	return nil, false
}

// ShopNames lists the shops in the order of the file.
func (c *Config) ShopNames() []string {
	names := make([]string, len(c.Shops))
	for i, s := range c.Shops {
		names[i] = s.Name
	}
	return names
}

// Schedule is when a resource is read: a cron specification, or Off.
func (s *Shop) Schedule(r intake.Resource) string {
	for _, schedule := range s.Schedules {
		if schedule.Resource == r {
			return schedule.Cron
		}
	}
	return Off
}

// Connector makes the shop's connector. It does no I/O. It fails where a
// secret cannot be read here.
func (s *Shop) Connector(env connectors.Env) (connectors.Connector, error) {
	if s.late != nil {
		return nil, s.late
	}
	env.Shop = s.Name
	return s.driver.New(env, s.settings)
}

// Offline makes a connector that is only asked for what it knows without the
// shop, such as its streams. Secrets that cannot be read here do not matter.
func (s *Shop) Offline(env connectors.Env) (connectors.Connector, error) {
	env.Shop = s.Name
	return s.driver.New(env, s.settings)
}

// defaults is the configuration that says nothing.
func defaults() *Config {
	return &Config{
		Log:         Log{Level: "info", Format: "console"},
		Books:       Books{Company: "My company", Currency: "EUR", TimeZone: time.UTC, Chart: "general", FiscalYearStart: "01-01"},
		StopTimeout: 20 * time.Second,
		written:     map[string]string{},
		late:        map[string]error{},
	}
}

// newShop is a shop that says nothing but its name and connector.
func newShop(name string, d connectors.Driver) *Shop {
	s := &Shop{
		Name: name, Platform: d.Name,
		Schedules: defaultSchedules(),
		Jitter:    15 * time.Second,
		Reread:    "33 * * * *",
		Sweep:     "12 3 * * *",
		Retry:     "52 * * * *",
		Verify:    "47 4 * * *", VerifySpan: 35 * 24 * time.Hour,
		Webhooks: true,
		Rules:    sales.DefaultRules(),
		Push:     Push{Share: 100, Compare: "22 */6 * * *"},
		owners:   defaultOwners(),
		driver:   d,
		settings: d.Config(),
	}
	s.fields = s.settings.Fields()
	return s
}

// Seller is the company as its documents name it.
func (c *Config) Seller() documents.Seller {
	s := c.Legal
	s.Name = c.Books.Company
	return s
}
