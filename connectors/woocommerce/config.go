package woocommerce

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"
	"time"

	"comptoir/connectors"
	"comptoir/connectors/rest"
	"comptoir/erp/intake"
)

// The values of Config.Auth.
const (
	AuthAuto  = "auto"
	AuthBasic = "basic"
	AuthQuery = "query"
	AuthOAuth = "oauth1"
)

// Config is the configuration of one WooCommerce shop.
type Config struct {
	URL            string
	ConsumerKey    string
	ConsumerSecret string
	Auth           string
	MaxInFlight    int
	PageSize       int
	Timeout        time.Duration
	RetryWait      time.Duration
	MaxBody        int // MiB
	Overlap        time.Duration
	WeightUnit     string
	CostMeta       string
	PromisedMeta   string
	WebhookSecret  string
}

// NewConfig returns a configuration that holds the defaults.
func NewConfig() *Config {
	return &Config{
		Auth:        AuthAuto,
		MaxInFlight: rest.DefaultMaxInFlight,
		PageSize:    maxPageSize,
		Timeout:     rest.DefaultTimeout,
		RetryWait:   rest.DefaultMinWait,
		MaxBody:     int(rest.DefaultMaxBody >> 20),
		Overlap:     time.Minute,
		CostMeta:    "_wc_cog_cost",
	}
}

// maxPageSize is the most rows that WooCommerce gives at once.
const maxPageSize = 100

// Fields describes the settings.
func (c *Config) Fields() []connectors.Field {
	return []connectors.Field{
		{Key: "url", Value: &c.URL, Required: true, Example: "https://shop.example.com",
			Help: "The address of the shop, with the folder it lives in if any, without /wp-json. Take the one at which the shop ends up " +
				"in a browser: redirects are not followed."},
		{Key: "consumer_key", Value: &c.ConsumerKey, Required: true, Secret: true, Example: "env:ATELIER_KEY",
			Help: "The key of the REST API, which begins with ck_. Make one under WooCommerce, Settings, Advanced, REST API, for an " +
				"administrator or a shop manager. Read access is enough for reading; to send stock, prices and shipments, and to be told of changes at once, it needs Read/Write."},
		{Key: "consumer_secret", Value: &c.ConsumerSecret, Required: true, Secret: true, Example: "env:ATELIER_SECRET",
			Help: "The secret that belongs to the key, which begins with cs_."},
		{Key: "auth", Value: &c.Auth,
			Help: "How the key is shown: basic (a header), query (in the address, for servers that drop the header), oauth1 (a signature, " +
				"for a shop without https), or auto: over https basic and then query, over http oauth1."},
		{Key: "max_in_flight", Value: &c.MaxInFlight,
			Help: "How many requests may be on their way to the shop at once. WooCommerce gains nothing from more than two."},
		{Key: "page_size", Value: &c.PageSize,
			Help: "How many records are asked for at once, 2 to 100. When the shop chokes on it, fewer are asked for by itself."},
		{Key: "timeout", Value: &c.Timeout,
			Help: "How long the shop may take for one answer."},
		{Key: "retry_wait", Value: &c.RetryWait,
			Help: "How long to wait at least before a failed request is tried again. It doubles with each try."},
		{Key: "max_body", Value: &c.MaxBody,
			Help: "How large one answer may be, in MiB. What is larger is not read."},
		{Key: "overlap", Value: &c.Overlap,
			Help: "How far before the newest known change the next reading starts, so that changes which were written late are not missed."},
		{Key: "weight_unit", Value: &c.WeightUnit, Example: "kg",
			Help: "The unit that the shop weighs in: g, kg, oz or lb. Empty: the shop is asked. Set it where the key may not read the shop's " +
				"settings: a number without its unit cannot be told to a shop that weighs in another one."},
		{Key: "cost_meta", Value: &c.CostMeta,
			Help: "The key of the product metadata that holds what one unit costs. Where a product has none, WooCommerce's own cost of goods is taken."},
		{Key: "promised_date_meta", Value: &c.PromisedMeta, Example: "_delivery_date",
			Help: "The key of the order metadata that holds the date promised to the customer, as YYYY-MM-DD, YYYYMMDD or a Unix time. " +
				"Empty: the shop promises none."},
		{Key: "webhook_secret", Value: &c.WebhookSecret, Secret: true, Example: "env:ATELIER_WEBHOOK_SECRET",
			Help: "The secret with which the shop signs what it tells of its own accord. Empty: one made out of consumer_secret, so that nothing need be set."},
	}
}

// hookLabel keeps the secret of webhooks apart from all else that may ever be
// made out of the key.
const hookLabel = "comptoir webhooks 1"

// hookSecret is what the shop signs its deliveries with.
func (c *Config) hookSecret() string {
	if c.WebhookSecret != "" {
		return c.WebhookSecret
	}
	mac := hmac.New(sha256.New, []byte(c.ConsumerSecret))
	mac.Write([]byte(hookLabel))
	return hex.EncodeToString(mac.Sum(nil))
}

// Validate reports the first setting that cannot work.
func (c *Config) Validate() error {
	if _, err := parseBase(c.URL); err != nil {
		return &connectors.FieldError{Key: "url", Msg: err.Error()}
	}
	for _, check := range []struct {
		bad bool
		key string
		msg string
	}{
		{c.ConsumerKey == "", "consumer_key", "is missing: make a key under WooCommerce, Settings, Advanced, REST API"},
		{c.ConsumerSecret == "", "consumer_secret", "is missing: WooCommerce shows it once, when the key is made"},
		{strings.HasPrefix(c.ConsumerKey, "cs_"), "consumer_key", "begins with cs_, so it is a secret: exchange it with consumer_secret"},
		{strings.HasPrefix(c.ConsumerSecret, "ck_"), "consumer_secret", "begins with ck_, so it is a key: exchange it with consumer_key"},
		{c.Auth != AuthAuto && c.Auth != AuthBasic && c.Auth != AuthQuery && c.Auth != AuthOAuth, "auth",
			fmt.Sprintf("%q is none of auto, basic, query and oauth1", c.Auth)},
		{c.overHTTP() && (c.Auth == AuthBasic || c.Auth == AuthQuery), "auth",
			fmt.Sprintf("WooCommerce refuses %s over plain http: use an https url, or auth: oauth1", c.Auth)},
		{c.MaxInFlight < 1 || c.MaxInFlight > 16, "max_in_flight", "must be 1 to 16"},
		{c.PageSize < 2 || c.PageSize > maxPageSize, "page_size", "must be 2 to 100"},
		{c.Timeout < time.Second, "timeout", "must be at least 1s"},
		{c.RetryWait <= 0, "retry_wait", "must be more than 0"},
		{c.MaxBody < 1 || c.MaxBody > 1024, "max_body", "must be 1 to 1024 (MiB)"},
		{c.WeightUnit != "" && !weighs(c.WeightUnit), "weight_unit", fmt.Sprintf("%q is none of g, kg, oz and lb", c.WeightUnit)},
		{c.Overlap < 0 || c.Overlap > 24*time.Hour, "overlap", "must be 0 to 24h"},
	} {
		if check.bad {
			return &connectors.FieldError{Key: check.key, Msg: check.msg}
		}
	}
	return nil
}

func weighs(unit string) bool {
	_, ok := intake.WeightUnit(unit)
	return ok
}

func (c *Config) overHTTP() bool { return strings.HasPrefix(strings.ToLower(c.URL), "http://") }

// parseBase reads the address of a shop.
func parseBase(address string) (*url.URL, error) {
	if address == "" {
		return nil, fmt.Errorf("is missing: put the shop's address here, as https://shop.example.com")
	}
	u, err := url.Parse(address)
	switch {
	case err != nil:
		return nil, fmt.Errorf("is no address: write it as https://shop.example.com")
	case u.Scheme != "https" && u.Scheme != "http", u.Host == "":
		return nil, fmt.Errorf("%q is no address of a web site: write it as https://shop.example.com", address)
	case u.User != nil:
		return nil, fmt.Errorf("must not hold a user name: the key goes into consumer_key")
	case u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("must end with the path: take out what follows ? or #")
	}
	path := strings.TrimRight(u.Path, "/")
	if i := strings.Index(path, "/wp-json"); i >= 0 {
		path = path[:i]
	}
	u.Path, u.RawPath = path, ""
	return u, nil
}
