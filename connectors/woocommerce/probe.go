package woocommerce

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"comptoir/connectors"
	"comptoir/erp/intake"
	"comptoir/erp/money"
)

// How far the clocks may differ. Signatures are refused beyond 15 minutes.
const (
	clockWarn = 2 * time.Minute
	clockFail = 15 * time.Minute
)

// Probe proves the credentials and reports what the shop is like. What makes
// reading impossible is an error; what can be lived with is a check.
func (c *Connector) Probe(ctx context.Context) (connectors.Shop, error) {
	p := &probe{c: c, shop: connectors.Shop{Platform: "woocommerce", URL: c.api.base.String(), Checks: []connectors.Check{}}}
	for _, step := range []func(context.Context) error{p.credentials, p.index, p.general, p.tax, p.weights, p.status, p.rights, p.writing, p.filter, p.routes} {
		if err := step(ctx); err != nil {
			return p.shop, strange(c, err)
		}
	}
	p.transport()
	return p.shop, nil
}

// strange adds to the advice about an answer that is no JSON what it means
// while a shop is being set up: a wrong address.
func strange(c *Connector, err error) error {
	var e *connectors.Error
	var foreign *foreignError
	if errors.As(err, &e) && errors.As(err, &foreign) && foreign.Status == http.StatusOK && errors.Is(err, errNotJSON) {
		return c.api.rest.Fail(e.Class, e.Op, e.Err,
			"a web page answers where the API should be: correct url (the address of the shop, without /wp-json), and look in a browser for a maintenance page, a login page or a PHP notice (set WP_DEBUG_DISPLAY to false); then run: comptoir check")
	}
	return err
}

// probe collects what is found.
type probe struct {
	c    *Connector
	shop connectors.Shop
}

func (p *probe) ok(name, note string) { p.add(connectors.Check{Name: name, OK: true, Note: note}) }
func (p *probe) warn(name, note string) {
	p.add(connectors.Check{Name: name, OK: true, Warn: true, Note: note})
}
func (p *probe) bad(name, note string)      { p.add(connectors.Check{Name: name, Note: note}) }
func (p *probe) add(check connectors.Check) { p.shop.Checks = append(p.shop.Checks, check) }

// tolerable reports whether a probe may go on without this answer: the shop
// does not have the route, or does not let this key see it.
func tolerable(err error) bool {
	return spokeJSON(err) && connectors.ClassOf(err) != connectors.Transient && connectors.ClassOf(err) != connectors.Throttled
}

// credentials reads one order. It also finds out how the shop is reached, and
// compares the clocks.
func (p *probe) credentials(ctx context.Context) error {
	before := p.c.env.Now()
	a, err := p.c.api.get(ctx, "check credentials", "orders", url.Values{"per_page": {"1"}, "_fields": {"id"}})
	if err == nil {
		_, err = p.c.rows("check credentials", a)
	}
	if err != nil {
		return err
	}
	after := p.c.env.Now()
	w, _ := p.c.api.current()
	note := "the key is accepted (" + w.auth + ")"
	if w.plain {
		note += "; permalinks are off, so ?rest_route= is used"
	}
	if w.auth == AuthQuery && p.c.cfg.Auth == AuthAuto {
		p.warn("credentials", note+": the server drops the Authorization header; better have the host pass it on, since addresses are logged")
	} else {
		p.ok("credentials", note)
	}
	p.clock(a.date(), before, after)
	return nil
}

// clock compares the shop's clock with the middle of the request.
func (p *probe) clock(date, before, after time.Time) {
	if date.IsZero() {
		p.warn("clock", "the shop does not say what time it has")
		return
	}
	p.shop.ClockOffset = date.Sub(before.Add(after.Sub(before) / 2)).Round(time.Second)
	off := p.shop.ClockOffset.Abs()
	direction := "ahead of"
	if p.shop.ClockOffset < 0 {
		direction = "behind"
	}
	note := fmt.Sprintf("the shop's clock is %v %s this machine's: set the one that is wrong, with a time service (NTP)", off, direction)
	switch {
	case off > clockFail:
		p.bad("clock", note+"; with clocks so far apart changes are found late, and signatures are refused")
	case off > clockWarn:
		p.warn("clock", note)
	default:
		p.ok("clock", "")
	}
}

// index reads what WordPress says of itself.
func (p *probe) index(ctx context.Context) error {
	a, err := p.c.api.find(ctx, "read the index", "/", nil)
	if err != nil && !tolerable(err) {
		return err
	}
	var index struct {
		Name     scalar       `json:"name"`
		Zone     scalar       `json:"timezone_string"`
		Offset   scalar       `json:"gmt_offset"`
		Home     scalar       `json:"home"`
		Versions list[scalar] `json:"namespaces"`
	}
	if err == nil {
		err = json.Unmarshal(a.Body, &index)
	}
	if err != nil {
		p.warn("index", "the index of the REST API cannot be read, so the time zone is unknown: "+err.Error())
		return nil
	}
	p.shop.Name = index.Name.plain()
	p.shop.TimeZone = timeZone(index.Zone.trimmed(), index.Offset.trimmed())
	if p.shop.TimeZone == "" {
		p.warn("time zone", "the shop does not state its time zone: set it under Settings, General")
	}
	return nil
}

// timeZone returns a name that time.LoadLocation knows. Sites with a fixed
// offset state only that, in hours.
func timeZone(name, offset string) string {
	if name != "" {
		return name
	}
	hours, err := strconv.ParseFloat(offset, 64)
	switch {
	case err != nil:
		return ""
	case hours == 0:
		return "UTC"
	case hours == float64(int(hours)):
		return fmt.Sprintf("Etc/GMT%+d", -int(hours)) // its sign is turned by tradition
	default:
		return fixedZone(hours)
	}
}

// fixedZone names the places whose clocks stand at part of an hour all year.
func fixedZone(hours float64) string {
	switch hours {
	case 3.5:
		return "Asia/Tehran"
	case 4.5:
		return "Asia/Kabul"
	case 5.5:
		return "Asia/Kolkata"
	case 5.75:
		return "Asia/Kathmandu"
	case 6.5:
		return "Asia/Yangon"
	case 8.75:
		return "Australia/Eucla"
	case 9.5:
		return "Australia/Darwin"
	case -9.5:
		return "Pacific/Marquesas"
	default:
		return ""
	}
}

// settings reads a group of settings; nil where this key may not.
func (p *probe) settings(ctx context.Context, group string) (map[string]string, error) {
	a, err := p.c.api.get(ctx, "read settings", "settings/"+group, nil)
	var rows []json.RawMessage
	if err == nil {
		rows, err = p.c.rows("read settings", a)
	}
	switch {
	case err != nil && tolerable(err):
		p.warn("settings "+group, "the "+group+" settings cannot be read, so some things about the shop are not known: "+err.Error())
		return nil, nil
	case err != nil:
		return nil, err
	}
	values := map[string]string{}
	for _, raw := range rows {
		var s struct {
			ID    scalar `json:"id"`
			Value scalar `json:"value"`
		}
		if json.Unmarshal(raw, &s) == nil {
			values[s.ID.text] = s.Value.trimmed()
		}
	}
	return values, nil
}

func (p *probe) general(ctx context.Context) error {
	values, err := p.settings(ctx, "general")
	if err != nil || values == nil {
		return err
	}
	p.shop.Currency = money.Currency(strings.ToUpper(values["woocommerce_currency"]))
	p.shop.Decimals, _ = strconv.Atoi(values["woocommerce_price_num_decimals"])
	p.shop.Country, _, _ = strings.Cut(values["woocommerce_default_country"], ":")
	return nil
}

func (p *probe) tax(ctx context.Context) error {
	values, err := p.settings(ctx, "tax")
	if err != nil {
		return err
	}
	p.shop.PricesIncludeTax = values["woocommerce_prices_include_tax"] == "yes"
	p.shop.RoundAtSubtotal = values["woocommerce_tax_round_at_subtotal"] == "yes"
	return nil
}

// status reads the version and how orders are stored.
func (p *probe) status(ctx context.Context) error {
	a, err := p.c.api.get(ctx, "read the system status", "system_status", url.Values{"_fields": {"environment,settings"}})
	if err != nil && !tolerable(err) {
		return err
	}
	var status struct {
		Environment object[struct {
			Version scalar `json:"version"`
		}] `json:"environment"`
		Settings object[struct {
			Currency scalar `json:"currency"`
			Decimals scalar `json:"number_of_decimals"`
			Tables   scalar `json:"HPOS_enabled"`
		}] `json:"settings"`
	}
	if err == nil {
		err = json.Unmarshal(a.Body, &status)
	}
	if err != nil {
		p.warn("version", "the version of WooCommerce cannot be read: "+err.Error())
		return nil
	}
	p.shop.Version = status.Environment.v.Version.trimmed()
	if p.shop.Currency == "" {
		p.shop.Currency = money.Currency(strings.ToUpper(status.Settings.v.Currency.trimmed()))
		p.shop.Decimals = status.Settings.v.Decimals.count()
	}
	p.ok("version", p.shop.Version)
	if status.Settings.v.Tables.yes() {
		p.ok("order storage", "order tables")
	} else {
		p.warn("order storage", "orders are stored the old way (as posts): an edited address or line leaves the date of the order alone and is found only when recent orders are read again; "+
			"switch to high-performance order storage under WooCommerce, Settings, Advanced, Features")
	}
	return nil
}

// rights reads one row of every list.
func (p *probe) rights(ctx context.Context) error {
	var denied []string
	for _, route := range []string{"products", "products/categories", "customers", "coupons", "taxes", "payment_gateways", "shipping/zones"} {
		_, err := p.c.api.get(ctx, "check rights", route, url.Values{"per_page": {"1"}, "_fields": {"id"}})
		switch {
		case err != nil && tolerable(err):
			denied = append(denied, route)
		case err != nil:
			return err
		}
	}
	if len(denied) > 0 {
		p.bad("rights", "the key does not reach: "+strings.Join(denied, ", ")+"; give it read access, and its user the role of administrator or shop manager")
		return nil
	}
	p.ok("rights", "")
	return nil
}

// writing finds out whether the key may change the shop, by a change of nothing.
func (p *probe) writing(ctx context.Context) error {
	const name = "write access"
	_, err := p.c.api.write(ctx, "check write access", http.MethodPost, "products/batch", batch{})
	switch {
	case err == nil:
		p.ok(name, "")
	case spokeJSON(err) && connectors.ClassOf(err) == connectors.Denied:
		p.warn(name, "the key may only read, so this shop can be told nothing: if stock, prices or shipments are to be sent to it, give the key the permission Read/Write")
	case connectors.Ended(err):
		return err
	default: // what reads does not need it
		p.warn(name, "it cannot be found out whether the key may change the shop: "+err.Error())
	}
	return nil
}

// filter proves that the shop can be asked for changes: one second before the
// newest change there is something, and far ahead there is nothing.
func (p *probe) filter(ctx context.Context) error {
	const name = "filter by change"
	for _, r := range []intake.Resource{intake.Orders, intake.Products} {
		l, _ := p.c.listOf(r)
		_, changed, _, err := p.c.newest(ctx, l)
		if err != nil && !tolerable(err) {
			return err
		}
		if changed.IsZero() {
			continue
		}
		recent, err := p.count(ctx, l, changed.Unix())
		if err != nil {
			return err
		}
		future, err := p.count(ctx, l, changed.AddDate(20, 0, 0).Unix())
		if err != nil {
			return err
		}
		switch {
		case recent > 0 && future == 0:
			p.ok(name, "")
		case future > 0:
			p.warn(name, "the shop ignores modified_after, so everything is read each time: bring WooCommerce up to date (5.8 or later)")
		default:
			p.bad(name, "the shop hides its newest change when it is asked for changes in UTC (dates_are_gmt): changes would be missed; bring WooCommerce up to date, or look for a plugin that filters the REST API")
		}
		return nil
	}
	p.ok(name, "not tried: the shop has neither orders nor products that say when they changed")
	return nil
}

func (p *probe) count(ctx context.Context, l source, since int64) (int, error) {
	query := url.Values{"per_page": {"1"}, "_fields": {"id"}, "status": l.query["status"]}
	window(query, since)
	a, err := p.c.api.get(ctx, "check the filter by change", l.route, query)
	if err != nil {
		return 0, err
	}
	rows, err := p.c.rows("check the filter by change", a)
	return len(rows), err
}

// routes looks for the lists that newer versions have.
func (p *probe) routes(ctx context.Context) error {
	for _, optional := range []struct {
		route, name, without string
		missing              func(bool)
	}{
		{"variations", "list of variations", "variations are read product by product, which takes longer (WooCommerce 10.3 has a list of all)", p.c.noVariations.Store},
		{"refunds", "list of refunds", "refunds are read order by order, which takes longer (WooCommerce 9.0 has a list of all)", p.c.noRefunds.Store},
	} {
		_, err := p.c.api.get(ctx, "look for the "+optional.name, optional.route, url.Values{"per_page": {"1"}, "_fields": {"id"}})
		switch {
		case noRoute(err):
			optional.missing(true)
			p.ok(optional.name, optional.without)
		case err != nil && tolerable(err):
			p.bad(optional.name, err.Error())
		case err != nil:
			return err
		default:
			optional.missing(false)
			p.ok(optional.name, "")
		}
	}
	return nil
}

func (p *probe) transport() {
	if p.c.cfg.overHTTP() && !slices.Contains([]string{"localhost", "127.0.0.1", "::1"}, p.c.api.base.Hostname()) {
		p.warn("transport", "the shop is read over plain http: what it says about your customers can be read on the way; use https")
	}
}
