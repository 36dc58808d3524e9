package shopify

import (
	"cmp"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"time"

	"comptoir/connectors"
	"comptoir/connectors/rest"
)

// The values of Config.Bulk.
const (
	BulkAuto  = "auto"
	BulkNever = "never"
)

// DefaultVersion is the version of the Admin API that is asked for where the
// configuration names none.
const DefaultVersion = "2026-10"

// Config is the configuration of one Shopify shop.
type Config struct {
	URL          string
	APIVersion   string
	AccessToken  string
	ClientID     string
	ClientSecret string
	RefreshToken string
	// WebhookSecret is the secret that the shop signs its deliveries with; ""
	// takes ClientSecret.
	WebhookSecret string
	PageSize      int
	MaxInFlight   int
	Timeout       time.Duration
	RetryWait     time.Duration
	MaxBody       int // MiB
	Overlap       time.Duration
	ShipUnpaid    []string
	Bulk          string
	MaxExport     int // GiB
}

// NewConfig returns a configuration that holds the defaults.
func NewConfig() *Config {
	return &Config{
		APIVersion:  DefaultVersion,
		PageSize:    defaultPageSize,
		MaxInFlight: 4,
		Timeout:     rest.DefaultTimeout,
		RetryWait:   rest.DefaultMinWait,
		MaxBody:     int(rest.DefaultMaxBody >> 20),
		Overlap:     2 * time.Minute,
		ShipUnpaid:  []string{"cash on delivery (cod)", "cod"},
		Bulk:        BulkAuto,
		MaxExport:   16,
	}
}

// maxPageSize is the most that one connection gives at once.
const maxPageSize = 250

// Fields describes the settings.
func (c *Config) Fields() []connectors.Field {
	return []connectors.Field{
		{Key: "url", Value: &c.URL, Required: true, Example: "https://atelier.myshopify.com",
			Help: "The shop's own address at Shopify, which ends in .myshopify.com: the admin shows it under Settings, Domains. " +
				"The address at which customers see the shop does not work."},
		{Key: "api_version", Value: &c.APIVersion,
			Help: "The version of the Admin API to speak, as YYYY-MM. Shopify serves each for a year; a warning comes 60 days before the end."},
		{Key: "access_token", Value: &c.AccessToken, Secret: true, Example: "env:ATELIER_TOKEN",
			Help: "The access token of a custom app that was made in the shop's admin; it begins with shpat_. " +
				"Leave it empty for an app of the Dev Dashboard, which has client_id and client_secret."},
		{Key: "client_id", Value: &c.ClientID, Example: "0123456789abcdef0123456789abcdef",
			Help: "The client id of an app of the Dev Dashboard. With client_secret alone, a token is asked for by client credentials, " +
				"which works where the app and the shop belong to the same organisation."},
		{Key: "client_secret", Value: &c.ClientSecret, Secret: true, Example: "env:ATELIER_SECRET",
			Help: "The client secret that belongs to client_id."},
		{Key: "refresh_token", Value: &c.RefreshToken, Secret: true, Example: "env:ATELIER_REFRESH",
			Help: "The refresh token of an app with expiring offline tokens. It is needed once: Shopify gives a new one with each use, which is " +
				"kept with the books from then on. A new value here takes the place of the kept one."},
		{Key: "webhook_secret", Value: &c.WebhookSecret, Secret: true, Example: "env:ATELIER_WEBHOOK_SECRET",
			Help: "The secret that Shopify signs webhooks with. An app of the Dev Dashboard signs with client_secret, so leave it empty there. " +
				"For a custom app that was made in the shop's admin it is the app's API secret key, which stands beside its token."},
		{Key: "page_size", Value: &c.PageSize,
			Help: "How large pages are, 1 to 250. At 25 a page holds as many records as suit Shopify's limits: 50 orders, 25 products, 100 customers. " +
				"Above, pages grow in proportion; below, none holds more than so many records. When a page is too dear for the shop, fewer are asked for by itself."},
		{Key: "max_in_flight", Value: &c.MaxInFlight,
			Help: "How many requests may be on their way to the shop at once, 1 to 16. How fast they follow each other depends on what Shopify allows to the shop's plan."},
		{Key: "timeout", Value: &c.Timeout,
			Help: "How long the shop may take for one answer, and for each piece of a file."},
		{Key: "retry_wait", Value: &c.RetryWait,
			Help: "How long to wait at least before a failed request is tried again. It doubles with each try."},
		{Key: "max_body", Value: &c.MaxBody,
			Help: "How large one answer may be, in MiB. What is larger is not read."},
		{Key: "overlap", Value: &c.Overlap,
			Help: "How far before the end of the last window of changes the next one starts, so that changes which were written late are not missed."},
		{Key: "ship_unpaid", Value: &c.ShipUnpaid,
			Help: "The gateways whose orders are shipped before they are paid, as the shop names them. Orders on payment terms are always shipped."},
		{Key: "bulk", Value: &c.Bulk,
			Help: "Whether the first reading of all orders uses a bulk operation of Shopify, which is faster: auto or never."},
		{Key: "max_export", Value: &c.MaxExport,
			Help: "How large the file of a bulk operation may be, in GiB. It is kept on disk while it is read. Above that, orders are read page by page."},
	}
}

var (
	versionForm = regexp.MustCompile(`^20\d\d-(01|04|07|10)$`)
	shopDomain  = ".myshopify.com"
)

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
		{!versionForm.MatchString(c.APIVersion), "api_version",
			fmt.Sprintf("%q is no version: Shopify has one in each quarter, such as %s", c.APIVersion, DefaultVersion)},
		{c.AccessToken == "" && c.ClientID == "" && c.ClientSecret == "" && c.RefreshToken == "", "access_token",
			"is missing, and so are client_id and client_secret: one or the other opens the shop"},
		{c.AccessToken != "" && (c.ClientID != "" || c.ClientSecret != "" || c.RefreshToken != ""), "access_token",
			"must be empty where client_id, client_secret or refresh_token are set: keep the one that the app has"},
		{strings.HasPrefix(c.AccessToken, "shpss_"), "access_token", "begins with shpss_, so it is an app's secret: put it into client_secret"},
		{strings.HasPrefix(c.WebhookSecret, "shpat_"), "webhook_secret", "begins with shpat_, so it is a token: Shopify signs with the API secret key of the app"},
		{strings.HasPrefix(c.ClientSecret, "shpat_"), "client_secret", "begins with shpat_, so it is a token: put it into access_token"},
		{c.AccessToken == "" && c.ClientID == "", "client_id", "is missing: the Dev Dashboard shows it under the app's settings"},
		{c.AccessToken == "" && c.ClientSecret == "", "client_secret", "is missing: the Dev Dashboard shows it under the app's settings"},
		{c.PageSize < 1 || c.PageSize > maxPageSize, "page_size", "must be 1 to 250"},
		{c.MaxInFlight < 1 || c.MaxInFlight > 16, "max_in_flight", "must be 1 to 16"},
		{c.Timeout < time.Second, "timeout", "must be at least 1s"},
		{c.RetryWait <= 0, "retry_wait", "must be more than 0"},
		{c.MaxBody < 1 || c.MaxBody > 1024, "max_body", "must be 1 to 1024 (MiB)"},
		{c.Overlap < 0 || c.Overlap > 24*time.Hour, "overlap", "must be 0 to 24h"},
		{c.Bulk != BulkAuto && c.Bulk != BulkNever, "bulk", fmt.Sprintf("%q is neither auto nor never", c.Bulk)},
		{c.MaxExport < 1 || c.MaxExport > 1024, "max_export", "must be 1 to 1024 (GiB)"},
	} {
		if check.bad {
			return &connectors.FieldError{Key: check.key, Msg: check.msg}
		}
	}
	return nil
}

// hookSecret is what the shop signs its deliveries with; "" where it is not
// known.
func (c *Config) hookSecret() string { return cmp.Or(c.WebhookSecret, c.ClientSecret) }

// near reports whether a host is this machine or one of the house: a loopback
// or private address, or a name without a dot.
func near(host string) bool {
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return !strings.Contains(host, ".")
	}
	return ip.IsLoopback() || ip.IsPrivate()
}

// parseBase reads the address of a shop. Any host is taken, since a proxy or
// a sandbox may stand before the shop, but plain http only within the house:
// the token would be read on the way.
func parseBase(address string) (*url.URL, error) {
	if address == "" {
		return nil, fmt.Errorf("is missing: put the shop's address here, as https://atelier.myshopify.com")
	}
	u, err := url.Parse(address)
	switch {
	case err != nil:
		return nil, fmt.Errorf("is no address: write it as https://atelier.myshopify.com")
	case u.Scheme != "https" && u.Scheme != "http", u.Host == "":
		return nil, fmt.Errorf("%q is no address of a shop: write it as https://atelier.myshopify.com", address)
	case u.User != nil:
		return nil, fmt.Errorf("must not hold a user name: the token goes into access_token")
	case u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("must end with the host: take out what follows ? or #")
	case u.Scheme == "http" && !near(u.Hostname()):
		return nil, fmt.Errorf("must begin with https://: the token would be read on the way")
	case strings.TrimSuffix(u.Hostname(), ".") == "admin.shopify.com":
		return nil, fmt.Errorf("is that of the admin: put the shop's own address here, https://NAME.myshopify.com, where NAME follows /store/")
	}
	u.Path, _, _ = strings.Cut(strings.TrimRight(u.Path, "/"), "/admin")
	u.RawPath = ""
	return u, nil
}
