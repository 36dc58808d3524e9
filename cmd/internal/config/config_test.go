package config

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"comptoir/connectors"
	"comptoir/erp"
	"comptoir/erp/fault"
	"comptoir/erp/intake"
	"comptoir/erp/ledger"
	"comptoir/erp/money"
	"comptoir/erp/sales"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
	"github.com/shopspring/decimal"
	"github.com/spf13/pflag"
)

// stall is a connector that only remembers its settings.
type stall struct {
	URL     string
	Key     string
	Timeout time.Duration
	Tags    []string
	Rights  bool
	Pages   int
}

func (s *stall) Fields() []connectors.Field {
	return []connectors.Field{
		{Key: "url", Help: "The address of the stall.", Value: &s.URL, Example: "https://stall.example", Required: true},
		{Key: "key", Help: "The key of the stall.", Value: &s.Key, Example: "env:STALL_KEY", Required: true, Secret: true},
		{Key: "timeout", Help: "How long an answer may take.", Value: &s.Timeout},
		{Key: "tags", Help: "Which tags are read.", Value: &s.Tags, Example: "[new, old]"},
		{Key: "rights", Help: "Whether rights are asked for.", Value: &s.Rights},
		{Key: "pages", Help: "How many pages at once.", Value: &s.Pages},
	}
}

func (s *stall) Validate() error {
	if !strings.HasPrefix(s.URL, "https://") {
		return &connectors.FieldError{Key: "url", Msg: "begin it with https://"}
	}
	return nil
}

// opened is what New was given.
type opened struct {
	connectors.Connector
	settings stall
	shop     string
}

func registry() []connectors.Driver {
	return []connectors.Driver{{
		Name:   "stall",
		Config: func() connectors.Config { return &stall{Timeout: time.Minute, Pages: 2} },
		New: func(env connectors.Env, c connectors.Config) (connectors.Connector, error) {
			return &opened{settings: *c.(*stall), shop: env.Shop}, nil
		},
	}}
}

// load writes a configuration file and loads it.
func load(t *testing.T, text string) (*Config, string, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "comptoir.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(Options{File: file, Registry: registry()})
	return c, file, err
}

const whole = `
data: /srv/comptoir
stop_timeout: 5s
log:
  level: debug
books:
  company: Au comptoir
  currency: EUR
  time_zone: Europe/Paris
  chart: pcg
  lock_date: 2025-12-31
  default_cost: 1.50
  accounts:
    bank: "5121"
  rates:
    - {currency: USD, from: 2026-01-01, rate: 0.92}
    - currency: JPY
      from: 2026-01-01
      rate: 0.0061
legal:
  city: Saint-Étienne
  registration: "732829320"
shops:
  atelier:
    connector: stall
    url: https://atelier.example
    key: 1234567890123456789012345678
    tags: [new, old]
    rights: yes
    schedules:
      orders: "@every 2m"
      coupons: off
    jitter: 0s
    silence: 6h
    rules:
      revenue: payment
      lead_days: -1
      cancel_returns_money: false
      statuses:
        wc-Ready.For.Pickup: open
      gateway_accounts:
        Stripe_CC.fr: "0511500"
      accounts:
        sales: "7071"
  marche:
    connector: stall
    url: https://marche.example
    key: k
`

func TestWholeFileIsRead(t *testing.T) {
	c, _, err := load(t, whole)
	if err != nil {
		t.Fatal(err)
	}
	options, err := c.BooksOptions(time.Now, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	if options.Path != "/srv/comptoir/books.sqlite" || c.StopTimeout != 5*time.Second || c.Log.Level != "debug" {
		t.Errorf("got path %q, stop timeout %v, level %q", options.Path, c.StopTimeout, c.Log.Level)
	}
	company := options.Company
	if company.Name != "Au comptoir" || company.Currency != "EUR" || company.TimeZone.String() != "Europe/Paris" ||
		company.Chart != "pcg" || company.LockDate != "2025-12-31" || company.DefaultCost.String() != "1.5" {
		t.Errorf("company: %+v", company)
	}
	if company.Accounts["bank"] != "5121" {
		t.Errorf("accounts: %v", company.Accounts)
	}
	if s := c.Seller(); s.Name != "Au comptoir" || s.City != "Saint-Étienne" || s.Registration != "732829320" {
		t.Errorf("seller: %+v", s)
	}
	rates := []erp.Rate{
		{Currency: "USD", From: "2026-01-01", Rate: decimal.RequireFromString("0.92")},
		{Currency: "JPY", From: "2026-01-01", Rate: decimal.RequireFromString("0.0061")},
	}
	if diff := cmp.Diff(rates, company.Rates); diff != "" {
		t.Errorf("rates: %s", diff)
	}
	rules := sales.DefaultRules()
	rules.Revenue, rules.LeadDays, rules.CancelReturnsMoney = sales.OnPayment, -1, false
	rules.Statuses = map[string]intake.OrderState{"wc-Ready.For.Pickup": intake.StateOpen}
	rules.Accounts = map[string]string{"Stripe_CC.fr": "0511500"}
	rules.Roles = map[ledger.Role]string{ledger.Sales: "7071"}
	want := map[string]sales.Rules{"atelier": rules, "marche": sales.DefaultRules()}
	if diff := cmp.Diff(want, options.Shops); diff != "" {
		t.Errorf("rules: %s", diff)
	}
	if got := c.ShopNames(); !cmp.Equal(got, []string{"atelier", "marche"}) {
		t.Errorf("shops: %v", got)
	}
	atelier, _ := c.Shop("atelier")
	if atelier.Schedules[0] != (Schedule{intake.Orders, "@every 2m"}) || atelier.Jitter != 0 || atelier.Silence != 6*time.Hour {
		t.Errorf("schedules: %v, jitter %v, silence %v", atelier.Schedules, atelier.Jitter, atelier.Silence)
	}
	for _, s := range atelier.Schedules {
		if s.Resource == intake.Coupons && s.Cron != Off {
			t.Errorf("coupons: %q", s.Cron)
		}
	}
	connector, err := atelier.Connector(connectors.Env{})
	if err != nil {
		t.Fatal(err)
	}
	got := connector.(*opened)
	settings := stall{URL: "https://atelier.example", Key: "1234567890123456789012345678", Timeout: time.Minute,
		Tags: []string{"new", "old"}, Rights: true, Pages: 2}
	if diff := cmp.Diff(settings, got.settings); diff != "" || got.shop != "atelier" {
		t.Errorf("shop %q, settings: %s", got.shop, diff)
	}
}

func TestMistakesNameKeyAndLine(t *testing.T) {
	shop := "shops:\n  atelier:\n    connector: stall\n    url: https://a.example\n    key: k\n"
	for name, test := range map[string]struct{ text, want string }{
		"misspelt key":         {"books:\n  curency: EUR\n", ":2: books.curency: there is no such key: did you mean currency?"},
		"misspelt section":     {"shop:\n  atelier: {}\n", ":1: shop: there is no such key: did you mean shops?"},
		"key of nowhere":       {"books:\n  zzzzzzzz: 1\n", ":2: books.zzzzzzzz: there is no such key: known here are url, company"},
		"key twice":            {"data: a\ndata: b\n", ":2: data: this key stands at line 1 already"},
		"unknown choice":       {"log:\n\n  level: loud\n", `:3: log.level: "loud" is not one of debug, info, warn, error`},
		"unknown currency":     {"books:\n  currency: EURO\n", `:2: books.currency: "EURO" is not a currency`},
		"unknown zone":         {"books:\n  time_zone: Mars/Olympus\n", `:2: books.time_zone: "Mars/Olympus" is not a time zone`},
		"empty zone":           {"books:\n  time_zone: \"\"\n", ":2: books.time_zone: this key is required"},
		"bad date":             {"books:\n  lock_date: 31.12.2025\n", `:2: books.lock_date: "31.12.2025" is not a date`},
		"bad number":           {"books:\n  default_cost: 1,50\n", `:2: books.default_cost: "1,50" is not a number`},
		"negative cost":        {"books:\n  default_cost: -1\n", ":2: books.default_cost: it must not be negative"},
		"huge number":          {"books:\n  default_cost: 1e999999999\n", ":2: books.default_cost: \"1e999999999\" is not a number"},
		"bad rate":             {"books:\n  rates:\n    - {currency: USD, from: 2026-01-01, rate: 0}\n", ":3: books.rates[0].rate: it must be more than zero"},
		"rate without day":     {"books:\n  rates:\n    - {currency: USD, rate: 1}\n", ":3: books.rates[0].from: this key is required"},
		"rate misspelt":        {"books:\n  rates:\n    - {currency: USD, from: 2026-01-01, rates: 1}\n", ":3: books.rates[0].rates: there is no such key: did you mean rate?"},
		"rates no list":        {"books:\n  rates: 5\n", ":2: books.rates: a list is expected here"},
		"section is value":     {"log: loud\n", ":1: log: keys and values are expected here"},
		"value is section":     {"data:\n  dir: x\n", ":2: data: one value is expected here"},
		"span":                 {"stop_timeout: soon\n", `:1: stop_timeout: "soon" is not a time span`},
		"shop name":            {"shops:\n  My.Shop: {connector: stall}\n", ":2: shops.My.Shop: a shop's name is made of"},
		"shop without kind":    {"shops:\n  atelier:\n    url: x\n", ":2: shops.atelier.connector: name the kind of storefront, one of: stall"},
		"unknown connector":    {"shops:\n  atelier:\n    connector: magento\n", `:3: shops.atelier.connector: there is no connector "magento"`},
		"shop is value":        {"shops:\n  atelier: stall\n", ":2: shops.atelier: keys and values are expected here"},
		"missing url":          {"shops:\n  atelier:\n    connector: stall\n    key: k\n", ":3: shops.atelier.url: this key is required: The address of the stall."},
		"connector's own":      {strings.Replace(shop, "https://", "ftp://", 1), ":4: shops.atelier.url: begin it with https://"},
		"connector's unknown":  {shop + "    kye: 1\n", ":6: shops.atelier.kye: there is no such key: did you mean key?"},
		"connector's number":   {shop + "    pages: many\n", `:6: shops.atelier.pages: "many" is not a whole number`},
		"connector's switch":   {shop + "    rights: maybe\n", `:6: shops.atelier.rights: "maybe" is neither true nor false`},
		"schedule":             {shop + "    schedules:\n      orders: often\n", `:7: shops.atelier.schedules.orders: "often" is not a schedule`},
		"schedule of nothing":  {shop + "    schedules:\n      order: \"@hourly\"\n", ":7: shops.atelier.schedules.order: there is no such key: did you mean orders?"},
		"status":               {shop + "    rules:\n      statuses:\n        wc-x: done\n", `:8: shops.atelier.rules.statuses.wc-x: "done" is not one of pending`},
		"statuses are a value": {shop + "    rules:\n      statuses: open\n", ":7: shops.atelier.rules.statuses: keys and values are expected here"},
		"no yaml":              {"books:\n  - a: [\n", ":2: this is not YAML"},
		"a list":               {"- data\n", ":1: the file must hold keys and values"},
	} {
		t.Run(name, func(t *testing.T) {
			_, file, err := load(t, test.text)
			if err == nil {
				t.Fatal("the configuration was accepted")
			}
			if fault.KindOf(err) != fault.Invalid {
				t.Errorf("kind %v", fault.KindOf(err))
			}
			if want := file + test.want; !strings.Contains(err.Error(), want) {
				t.Errorf("got  %s\nwant %s", err, want)
			}
		})
	}
}

func TestAllMistakesAreReportedAtOnce(t *testing.T) {
	_, _, err := load(t, "log:\n  level: loud\nbooks:\n  currency: EURO\n")
	if err == nil || strings.Count(err.Error(), "\n") != 1 {
		t.Errorf("got %v, want two lines", err)
	}
}

func TestAShopThatStandsTwiceIsAllThatIsSaid(t *testing.T) {
	shop := "    connector: stall\n    url: https://a.example\n"
	_, file, err := load(t, "shops:\n  atelier:\n"+shop+"    key: k\n  atelier:\n    connector: magento\n")
	if err == nil || err.Error() != file+":6: shops.atelier: a shop of this name stands at line 2 already: give the second one another name" {
		t.Errorf("got %v", err)
	}
}

func TestMistakesComeInTheOrderOfTheFile(t *testing.T) {
	_, _, err := load(t, "shops:\n  atelier:\n    connector: magento\nbooks:\n  curency: EUR\nlog:\n  level: loud\n")
	if err == nil {
		t.Fatal("the configuration was accepted")
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != 3 || !strings.Contains(lines[0], ":3: shops.") || !strings.Contains(lines[1], ":5: books.") || !strings.Contains(lines[2], ":7: log.") {
		t.Errorf("got %s", err)
	}
}

func TestMisspeltVariablesAreTold(t *testing.T) {
	for name, want := range map[string]string{
		"COMPTOIR_BOOKS_CURENCY":     "did you mean COMPTOIR_BOOKS_CURRENCY?",
		"COMPTOIR_SHOPS_ATELIER_URI": "did you mean COMPTOIR_SHOPS_ATELIER_URL?",
		"COMPTOIR_SHOPS_OTHER_PAGES": "has no effect",
		"COMPTOIR_BOOKS_CURRENCY":    "",
		"COMPTOIR_MY_OWN_SECRET":     "",
		"COMPTOIR_BOOKS_SECRET":      "", // a secret refers to it
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, "EUR")
			c, _, err := load(t, "shops:\n  atelier:\n    connector: stall\n    url: https://a.example\n    key: env:COMPTOIR_BOOKS_SECRET\n")
			if err != nil {
				t.Fatal(err)
			}
			got := strings.Join(c.Warnings, "\n")
			if want == "" && got != "" || want != "" && (!strings.Contains(got, name) || !strings.Contains(got, want)) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestJSONHasNumbersAndTruthValues(t *testing.T) {
	c, _, err := load(t, "books:\n  default_cost: 1.50\n  company: 123\nshops:\n  atelier:\n    connector: stall\n    url: https://a.example\n    key: k\n    pages: 7\n    rights: true\n")
	if err != nil {
		t.Fatal(err)
	}
	text, err := c.JSON()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"default_cost": 1.5`, `"company": "123"`, `"pages": 7`, `"rights": true`, `"stop_timeout": "20s"`, `"key": "(hidden)"`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%s is not in\n%s", want, text)
		}
	}
}

func TestFlagWinsOverEnvironmentOverFileOverDefault(t *testing.T) {
	file := filepath.Join(t.TempDir(), "c.conf")
	if err := os.WriteFile(file, []byte("data: from-file\nlog:\n  level: warn\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	flags.String("data", "", "")
	options := Options{File: file, Flags: flags, Registry: registry()}
	expect := func(data, level string) {
		t.Helper()
		c, err := Load(options)
		if err != nil {
			t.Fatal(err)
		}
		if c.Data != data || c.Log.Level != level || c.Log.Format != "console" {
			t.Errorf("got %q, %q, %q", c.Data, c.Log.Level, c.Log.Format)
		}
	}
	expect("from-file", "warn")
	t.Setenv("COMPTOIR_DATA", "from-env")
	t.Setenv("COMPTOIR_LOG_LEVEL", "error")
	expect("from-env", "error")
	if err := flags.Set("data", "from-flag"); err != nil {
		t.Fatal(err)
	}
	expect("from-flag", "error")
	t.Setenv("COMPTOIR_LOG_LEVEL", "loud")
	_, err := Load(options)
	if err == nil || !strings.HasPrefix(err.Error(), "COMPTOIR_LOG_LEVEL: log.level: \"loud\"") {
		t.Errorf("got %v, want the variable named", err)
	}
}

func TestKeyOfShopComesFromEnvironment(t *testing.T) {
	t.Setenv("COMPTOIR_SHOPS_MY_SHOP_KEY", "from-env")
	c, _, err := load(t, "shops:\n  my-shop:\n    connector: stall\n    url: https://a.example\n")
	if err != nil {
		t.Fatal(err)
	}
	connector, err := c.Shops[0].Connector(connectors.Env{})
	if err != nil || connector.(*opened).settings.Key != "from-env" {
		t.Errorf("got %v, %v", connector, err)
	}
}

func TestSecretsAreReadFromWhereTheyAre(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("CREDENTIALS_DIRECTORY", dir)
	t.Setenv("STALL_KEY", "from env")
	for name, text := range map[string]string{"cred": "from credential\n", "c.yaml.key": "from file\n", "empty": ""} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(dir, "c.yaml")
	for written, want := range map[string]string{
		"inline":              "inline",
		"env:STALL_KEY":       "from env",
		"credential:cred":     "from credential",
		"file:c.yaml.key":     "from file",
		"env:NOT_SET_HERE":    "c.yaml:5: shops.a.key: the environment variable NOT_SET_HERE is not set",
		"'env:'":              "c.yaml:5: shops.a.key: nothing stands after \"env:\": write env:NAME",
		"file:none":           "from the directory of the configuration file, " + dir,
		"file:.":              "c.yaml:5: shops.a.key: " + dir + " is a directory",
		"file:empty":          "c.yaml:5: shops.a.key: " + filepath.Join(dir, "empty") + " is empty",
		"credential:../c":     `c.yaml:5: shops.a.key: "../c" is no name of a credential`,
		"credential:unlisted": "c.yaml:5: shops.a.key: the secret cannot be read",
	} {
		text := "shops:\n  a:\n    connector: stall\n    url: https://a.example\n    key: " + written + "\n"
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := Load(Options{File: file, Registry: registry()})
		if err != nil {
			t.Fatalf("%s: %v: a secret that is not at hand must not stop a report", written, err)
		}
		var got string
		if connector, err := c.Shops[0].Connector(connectors.Env{}); err != nil {
			got = err.Error()
			if fault.KindOf(err) != fault.Invalid {
				t.Errorf("%s: kind %v", written, fault.KindOf(err))
			}
		} else {
			got = connector.(*opened).settings.Key
		}
		if !strings.Contains(got, want) {
			t.Errorf("%s: got %q, want %q", written, got, want)
		}
	}
}

func TestSecretsAreNotShown(t *testing.T) {
	t.Setenv("STALL_KEY", "very-secret")
	c, _, err := load(t, `
books:
  url: postgres://u:very-secret@localhost/db
shops:
  a: {connector: stall, url: "https://a.example", key: very-secret}
  b: {connector: stall, url: "https://b.example", key: "env:STALL_KEY"}
`)
	if err != nil {
		t.Fatal(err)
	}
	for name, render := range map[string]func() ([]byte, error){"yaml": c.YAML, "json": c.JSON} {
		b, err := render()
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(b), "very-secret") {
			t.Errorf("%s shows a secret:\n%s", name, b)
		}
		if strings.Count(string(b), hidden) != 2 || !strings.Contains(string(b), "env:STALL_KEY") {
			t.Errorf("%s:\n%s", name, b)
		}
	}
	if c.BooksPath() != "" {
		t.Error("books in PostgreSQL have a file")
	}
}

func TestWithoutFileOnlyDefaultsCount(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("HOME", t.TempDir())
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	t.Setenv("XDG_DATA_HOME", "/srv/share")
	t.Setenv("STATE_DIRECTORY", "")
	c, err := Load(Options{Registry: registry()})
	if err != nil {
		t.Fatal(err)
	}
	if c.Data != "/srv/share/comptoir" || c.File != "" || len(c.Shops) != 0 {
		t.Errorf("got %+v", c)
	}
	if err := os.WriteFile("comptoir.yaml", []byte("data: here\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if c, err = Load(Options{Registry: registry()}); err != nil || c.Data != "here" {
		t.Errorf("got %+v, %v", c, err)
	}
}

func TestMissingFileSaysWhatToDo(t *testing.T) {
	_, err := Load(Options{File: filepath.Join(t.TempDir(), "none.yaml"), Registry: registry()})
	if err == nil || fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), "comptoir config example") {
		t.Errorf("got %v", err)
	}
}

func TestExampleLoads(t *testing.T) {
	t.Setenv("STALL_KEY", "k")
	example := string(Example(registry()))
	c, _, err := load(t, example)
	if err != nil {
		t.Fatalf("%v\n%s", err, example)
	}
	if len(c.Shops) != 1 || c.Shops[0].Name != "atelier" {
		t.Errorf("shops: %v", c.ShopNames())
	}
	// With every example in force it must load as well.
	var all strings.Builder
	for line := range strings.SplitSeq(example, "\n") {
		space := line[:len(line)-len(strings.TrimLeft(line, " "))]
		if rest, ok := strings.CutPrefix(strings.TrimLeft(line, " "), "#"); ok && (rest == "" || !strings.HasPrefix(rest, " ") || strings.HasPrefix(rest, "  ")) {
			line = space + rest
		}
		all.WriteString(line + "\n")
	}
	c, _, err = load(t, all.String())
	if err != nil {
		t.Fatalf("%v\n%s", err, all.String())
	}
	if got := c.Seller().Registration; got != "732829320" {
		t.Errorf("the example of the registration is read as %q; want its digits alone", got)
	}
}

func TestEveryKeyIsExplainedInSentences(t *testing.T) {
	var walk func(path string, sec section)
	walk = func(path string, sec section) {
		for _, s := range sec.settings {
			if !strings.HasSuffix(s.help, ".") {
				t.Errorf("%s.%s: help %q", path, s.key, s.help)
			}
		}
		for _, sub := range sec.sections {
			if !strings.HasSuffix(sub.help, ".") {
				t.Errorf("%s.%s: help %q", path, sub.name, sub.help)
			}
			walk(path+"."+sub.name, sub)
		}
	}
	walk("", defaults().describe())
	walk("shop", newShop("a", registry()[0]).describe())
}

func TestSourceLoadsAsTheSameConfiguration(t *testing.T) {
	made, err := Make(map[money.Currency]decimal.Decimal{"USD": decimal.RequireFromString("0.92"), "JPY": decimal.RequireFromString("0.0061")},
		Made{Name: "sandbox", Driver: registry()[0], Values: map[string]string{"url": "https://a.example", "key": "0123", "tags": "new,old"}},
		Made{Name: "second", Driver: registry()[0], Values: map[string]string{"url": "https://b.example", "key": "4567"}})
	if err != nil {
		t.Fatal(err)
	}
	source, err := made.Source()
	if err != nil {
		t.Fatal(err)
	}
	c, _, err := load(t, string(source))
	if err != nil {
		t.Fatalf("%v\n%s", err, source)
	}
	c.Data = "" // where it was not said, it was found
	again, err := c.Source()
	if err != nil || string(again) != string(source) {
		t.Errorf("%v: %s", err, cmp.Diff(string(source), string(again)))
	}
	connector, err := c.Shops[0].Connector(connectors.Env{Transport: http.DefaultTransport})
	if err != nil || connector.(*opened).settings.Key != "0123" {
		t.Errorf("got %v, %v", connector, err)
	}
	if names := c.ShopNames(); !slices.Equal(names, []string{"sandbox", "second"}) {
		t.Errorf("it has the shops %q", names)
	}
}

func FuzzLoadNeverPanics(f *testing.F) {
	f.Add(whole)
	f.Add("a: &a [*a]\n")
	f.Add("shops: {a: {connector: stall, <<: {url: x}}}\n")
	f.Add("books: {rates: [[1]]}\n? {a: b}\n: c\n")
	f.Fuzz(func(t *testing.T, text string) {
		file := filepath.Join(t.TempDir(), "c.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Skip(err)
		}
		_, err := Load(Options{File: file, Registry: registry()})
		if err != nil && !errors.Is(err, context.Canceled) && fault.KindOf(err) != fault.Invalid {
			t.Errorf("kind %v: %v", fault.KindOf(err), err)
		}
	})
}
