package woocommerce

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"comptoir/connectors"
	"comptoir/erp/money"
)

// settingAge is after how long a setting of the shop is read again.
const settingAge = time.Hour

// setting reads one of the shop's settings.
func (c *Connector) setting(ctx context.Context, what, route string) (string, error) {
	a, err := c.api.get(ctx, what, route, nil)
	if err != nil {
		return "", err
	}
	var setting struct {
		Value scalar `json:"value"`
	}
	if err := json.Unmarshal(a.Body, &setting); err != nil {
		return "", c.api.rest.Fail(connectors.Transient, "woocommerce: "+what, err, "")
	}
	return setting.Value.trimmed(), nil
}

// currencyRoute is the currency of the shop's prices. Plugins that offer others
// convert from it.
const currencyRoute = "settings/general/woocommerce_currency"

// priced is what is known of the currency of the shop's prices.
type priced struct {
	currency money.Currency // "" where it is not known
	at       time.Time
}

var _ connectors.Priced = (*Connector)(nil)

// Currency returns the currency of the shop's prices, "" where the key may not
// read settings.
func (c *Connector) Currency(ctx context.Context) (money.Currency, error) {
	const what = "read the currency of prices"
	had := c.priced.Load()
	if had != nil && c.env.Now().Before(had.at.Add(settingAge)) {
		return had.currency, nil
	}
	text, err := c.setting(ctx, what, currencyRoute)
	now := &priced{currency: money.Currency(strings.ToUpper(text)), at: c.env.Now()}
	if err == nil {
		if _, unknown := now.currency.Decimals(); unknown != nil {
			err = c.api.rest.Fail(connectors.Rejected, "woocommerce: "+what, fmt.Errorf("the shop sells in %q: %w", text, unknown), "")
		}
	}
	switch class := connectors.ClassOf(err); {
	case err == nil:
	case connectors.Ended(err):
		return "", err
	case had != nil && had.currency != "":
		now.currency = had.currency // it was so a moment ago
	case class == connectors.Denied, class == connectors.Rejected:
		now.currency = ""
		c.env.Log.Warn().Str("shop", c.env.Shop).Err(err).Msg("the currency of the shop's prices is not known and taken for that of the accounts: let the key read the settings")
	default:
		return "", err
	}
	c.priced.Store(now)
	return now.currency, nil
}
