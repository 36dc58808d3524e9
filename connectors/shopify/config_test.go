package shopify

import (
	"errors"
	"strings"
	"testing"
	"time"

	"comptoir/connectors"
)

func TestConfigurationsThatWork(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"token":              func(c *Config) { c.AccessToken = "shpat_1" },
		"client credentials": func(c *Config) { c.ClientID, c.ClientSecret = "id", "shpss_1" },
		"refresh token":      func(c *Config) { c.ClientID, c.ClientSecret, c.RefreshToken = "id", "shpss_1", "shprt_1" },
		"sandbox":            func(c *Config) { c.URL, c.AccessToken = "http://127.0.0.1:8081", "x" },
		"other version":      func(c *Config) { c.AccessToken, c.APIVersion = "shpat_1", "2026-04" },
	} {
		c := NewConfig()
		c.URL = "https://atelier.myshopify.com"
		change(c)
		if err := c.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The message names the key and says what to do.
func TestConfigurationsThatCannotWork(t *testing.T) {
	for _, tt := range []struct {
		change func(*Config)
		key    string
		says   string
	}{
		{func(c *Config) { c.URL = "" }, "url", "https://atelier.myshopify.com"},
		{func(c *Config) { c.URL = "atelier.myshopify.com" }, "url", "no address"},
		{func(c *Config) { c.URL = "http://atelier.myshopify.com" }, "url", "https://"},
		{func(c *Config) { c.URL = "http://www.example.com" }, "url", "https://"},
		{func(c *Config) { c.URL = "http://203.0.113.7:8080" }, "url", "https://"},
		{func(c *Config) { c.URL = "https://admin.shopify.com/store/atelier" }, "url", "/store/"},
		{func(c *Config) { c.URL = "https://user:pw@atelier.myshopify.com" }, "url", "user name"},
		{func(c *Config) { c.URL = "https://atelier.myshopify.com/?a=b" }, "url", "?"},
		{func(c *Config) { c.APIVersion = "2026-11" }, "api_version", "quarter"},
		{func(c *Config) { c.APIVersion = "unstable" }, "api_version", "2026-10"},
		{func(c *Config) { c.AccessToken = "" }, "access_token", "client_id"},
		{func(c *Config) { c.ClientID = "id" }, "access_token", "must be empty"},
		{func(c *Config) { c.RefreshToken = "x" }, "access_token", "must be empty"},
		{func(c *Config) { c.AccessToken = "shpss_1" }, "access_token", "client_secret"},
		{func(c *Config) { c.AccessToken, c.ClientID = "", "id" }, "client_secret", "missing"},
		{func(c *Config) { c.AccessToken, c.ClientSecret = "", "s" }, "client_id", "missing"},
		{func(c *Config) { c.AccessToken, c.RefreshToken = "", "r" }, "client_id", "missing"},
		{func(c *Config) { c.AccessToken, c.ClientID, c.ClientSecret = "", "id", "shpat_1" }, "client_secret", "access_token"},
		{func(c *Config) { c.PageSize = 251 }, "page_size", "250"},
		{func(c *Config) { c.MaxInFlight = 0 }, "max_in_flight", "16"},
		{func(c *Config) { c.Timeout = 0 }, "timeout", "1s"},
		{func(c *Config) { c.RetryWait = 0 }, "retry_wait", "0"},
		{func(c *Config) { c.MaxBody = 0 }, "max_body", "MiB"},
		{func(c *Config) { c.Overlap = 25 * time.Hour }, "overlap", "24h"},
		{func(c *Config) { c.Bulk = "always" }, "bulk", "never"},
	} {
		c := NewConfig()
		c.URL, c.AccessToken = "https://atelier.myshopify.com", "shpat_1"
		tt.change(c)
		var field *connectors.FieldError
		if err := c.Validate(); !errors.As(err, &field) || field.Key != tt.key || !strings.Contains(field.Msg, tt.says) {
			t.Errorf("%+v: %v, want %s: …%s…", c, err, tt.key, tt.says)
		}
	}
}

func TestSettingsAreExplained(t *testing.T) {
	for _, f := range NewConfig().Fields() {
		if f.Key == "" || f.Value == nil || !strings.HasSuffix(f.Help, ".") {
			t.Errorf("%q is explained as %q", f.Key, f.Help)
		}
		if wants := strings.Contains(f.Key, "token") || strings.Contains(f.Key, "secret"); wants != f.Secret {
			t.Errorf("%q: secret %v", f.Key, f.Secret)
		}
	}
}

func TestAddressOfTheAPI(t *testing.T) {
	for given, want := range map[string]string{
		"https://atelier.myshopify.com":           "https://atelier.myshopify.com/admin/api/2026-10/graphql.json",
		"https://atelier.myshopify.com/":          "https://atelier.myshopify.com/admin/api/2026-10/graphql.json",
		"https://atelier.myshopify.com/admin":     "https://atelier.myshopify.com/admin/api/2026-10/graphql.json",
		"http://proxy:8081":                       "http://proxy:8081/admin/api/2026-10/graphql.json",
		"http://127.0.0.1:8081/shops/a":           "http://127.0.0.1:8081/shops/a/admin/api/2026-10/graphql.json",
		"https://atelier.myshopify.com/admin/api": "https://atelier.myshopify.com/admin/api/2026-10/graphql.json",
	} {
		c := clientOf(newTill(1, 1, 1), func(cfg *Config, _ *connectors.Env) { cfg.URL = given })
		if got := c.endpoint(); got != want {
			t.Errorf("%s: %s, want %s", given, got, want)
		}
	}
}
