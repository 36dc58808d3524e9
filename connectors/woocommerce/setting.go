package woocommerce

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"comptoir/connectors"
	"comptoir/erp/money"
)

const (
	// settingAge is after how long a setting of the shop is read again.
	settingAge = time.Hour
	// settingTries is how often in a row a shop has to fail to state a setting
	// before it is taken for one that does not.
	settingTries = 3
)

// shopSetting is a setting of the shop that has to be known.
type shopSetting struct {
	what, route string
	// read returns the canonical text of its value; an error where it is none.
	read func(text string) (string, error)
	// fix is what to do where it cannot be read for now; "" for nothing but to
	// wait. Unknown is logged where it stays unknown.
	fix, unknown string
}

// learnt is what is known of a setting.
type learnt struct {
	value string // canonical; "" where it is not known
	at    time.Time
	// err is why it could not be found out, and failures how often it could not.
	err      error
	failures int
}

// ask reads a setting.
func (c *Connector) ask(ctx context.Context, s shopSetting) (string, error) {
	a, err := c.api.get(ctx, s.what, s.route, nil)
	if err != nil {
		return "", err
	}
	var setting struct {
		Value scalar `json:"value"`
	}
	if err := json.Unmarshal(a.Body, &setting); err != nil {
		return "", c.api.rest.Fail(connectors.Transient, "woocommerce: "+s.what, err, "")
	}
	value, err := s.read(setting.Value.trimmed())
	if err != nil {
		return "", c.api.rest.Fail(connectors.Rejected, "woocommerce: "+s.what, err, "")
	}
	return value, nil
}

// learn finds out a setting, unless it was a short time ago. That the key may
// not read it is no error: it is not known then.
func (c *Connector) learn(ctx context.Context, s shopSetting, known *atomic.Pointer[learnt]) error {
	had := known.Load()
	if had != nil && had.err == nil && c.env.Now().Before(had.at.Add(settingAge)) {
		return nil
	}
	value, err := c.ask(ctx, s)
	if connectors.Ended(err) {
		return err
	}
	now := c.appraise(s, value, err, had)
	known.Store(now)
	return now.err
}

// appraise says what is known of a setting after the shop was asked for it.
func (c *Connector) appraise(s shopSetting, value string, err error, had *learnt) *learnt {
	now := &learnt{value: value, at: c.env.Now()}
	if had == nil {
		had = &learnt{}
	}
	switch class := connectors.ClassOf(err); {
	case err == nil:
		return now
	case had.value != "":
		now.value = had.value // it was so a moment ago
		return now
	case class != connectors.Denied && class != connectors.Rejected:
		var e *connectors.Error
		if errors.As(err, &e) && s.fix != "" {
			e.Fix = s.fix
		}
		now.err, now.failures = err, had.failures+1
	}
	told := had.err == nil && !had.at.IsZero() // an hour ago, and nothing has changed
	if now.failures == 0 && !told || now.failures == settingTries {
		c.env.Log.Warn().Str("shop", c.env.Shop).Err(err).Msg(s.unknown)
	}
	return now
}

// priceCurrency is the currency of the shop's prices. Plugins that offer others
// convert from it.
var priceCurrency = shopSetting{
	what: "read the currency of prices", route: "settings/general/woocommerce_currency",
	read: func(text string) (string, error) {
		currency := strings.ToUpper(text)
		if _, err := money.Currency(currency).Decimals(); err != nil {
			return "", fmt.Errorf("the shop sells in %q: %w", text, err)
		}
		return currency, nil
	},
	unknown: "the currency of the shop's prices is not known and taken for that of the accounts: let the key read the settings",
}

var _ connectors.Priced = (*Connector)(nil)

// Currency returns the currency of the shop's prices, "" where the key may not
// read settings.
func (c *Connector) Currency(ctx context.Context) (money.Currency, error) {
	if err := c.learn(ctx, priceCurrency, &c.currency); err != nil {
		return "", err
	}
	return money.Currency(c.currency.Load().value), nil
}
