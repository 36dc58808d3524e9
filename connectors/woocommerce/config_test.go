package woocommerce

import (
	"errors"
	"testing"
	"time"

	"comptoir/connectors"
)

func TestConfigNamesTheKeyThatCannotWork(t *testing.T) {
	good := func() *Config {
		c := NewConfig()
		c.URL, c.ConsumerKey, c.ConsumerSecret = "https://shop.example/boutique/", "ck_1", "cs_1"
		return c
	}
	if err := good().Validate(); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		key   string
		spoil func(*Config)
	}{
		{"url", func(c *Config) { c.URL = "" }},
		{"url", func(c *Config) { c.URL = "shop.example" }},
		{"url", func(c *Config) { c.URL = "ftp://shop.example" }},
		{"url", func(c *Config) { c.URL = "https://me:secret@shop.example" }},
		{"url", func(c *Config) { c.URL = "https://shop.example/?p=1" }},
		{"url", func(c *Config) { c.URL = "https://sho p.example/%" }},
		{"consumer_key", func(c *Config) { c.ConsumerKey = "" }},
		{"consumer_key", func(c *Config) { c.ConsumerKey = "cs_1" }},
		{"consumer_secret", func(c *Config) { c.ConsumerSecret = "" }},
		{"consumer_secret", func(c *Config) { c.ConsumerSecret = "ck_1" }},
		{"auth", func(c *Config) { c.Auth = "digest" }},
		{"auth", func(c *Config) { c.URL, c.Auth = "http://shop.example", AuthBasic }},
		{"max_in_flight", func(c *Config) { c.MaxInFlight = 0 }},
		{"page_size", func(c *Config) { c.PageSize = 101 }},
		{"timeout", func(c *Config) { c.Timeout = time.Millisecond }},
		{"retry_wait", func(c *Config) { c.RetryWait = 0 }},
		{"max_body", func(c *Config) { c.MaxBody = 0 }},
		{"overlap", func(c *Config) { c.Overlap = -time.Second }},
	} {
		c := good()
		tt.spoil(c)
		var field *connectors.FieldError
		if err := c.Validate(); !errors.As(err, &field) || field.Key != tt.key || field.Msg == "" {
			t.Errorf("%s: %v", tt.key, err)
		}
		if _, err := New(connectors.Env{}, c); err == nil {
			t.Errorf("%s: a connector is made all the same", tt.key)
		}
	}
}

// The settings that are secrets are declared so, and every setting has its
// place and its help.
func TestFieldsDescribeTheConfig(t *testing.T) {
	c := NewConfig()
	secret := map[string]bool{"consumer_key": true, "consumer_secret": true, "webhook_secret": true}
	seen := map[string]bool{}
	for _, f := range c.Fields() {
		if f.Secret != secret[f.Key] || f.Help == "" || f.Value == nil || seen[f.Key] {
			t.Errorf("field %+v", f)
		}
		seen[f.Key] = true
		switch f.Value.(type) {
		case *string, *int, *bool, *time.Duration, *[]string:
		default:
			t.Errorf("%s has a value of type %T", f.Key, f.Value)
		}
	}
	d := Driver()
	if _, err := d.New(connectors.Env{Now: time.Now}, d.Config()); err == nil {
		t.Error("a shop without an address is accepted")
	}
}
