package shopify

import (
	"context"
	"fmt"
	"strings"
	"time"

	"comptoir/connectors"
	"comptoir/erp/money"
)

// How far the clocks may differ.
const clockWarn = 2 * time.Minute

// Probe proves the credentials and reports what the shop is like. What makes
// reading impossible is an error; what can be lived with is a check.
func (c *Connector) Probe(ctx context.Context) (connectors.Shop, error) {
	p := &probe{c: c, shop: connectors.Shop{Platform: platform, Version: c.cfg.APIVersion, URL: c.client.base.String(), Checks: []connectors.Check{}}}
	for _, step := range []func(context.Context) error{p.credentials, p.customers, p.payouts, p.locations} {
		if err := step(ctx); err != nil {
			return p.shop, err
		}
	}
	return p.shop, nil
}

// probe collects what is found.
type probe struct {
	c    *Connector
	may  access
	shop connectors.Shop
}

func (p *probe) ok(name, note string) { p.add(connectors.Check{Name: name, OK: true, Note: note}) }
func (p *probe) warn(name, note string) {
	p.add(connectors.Check{Name: name, OK: true, Warn: true, Note: note})
}
func (p *probe) bad(name, note string)      { p.add(connectors.Check{Name: name, Note: note}) }
func (p *probe) add(check connectors.Check) { p.shop.Checks = append(p.shop.Checks, check) }

// credentials reads the shop and the rights of the app, and compares the
// clocks and the versions.
func (p *probe) credentials(ctx context.Context) error {
	before := p.c.env.Now()
	may, said, err := p.c.askAccess(ctx)
	if err != nil {
		return err
	}
	after := p.c.env.Now()
	p.may = may
	p.shop.Name = may.shop.Name
	p.shop.Country = may.shop.Address.Country
	p.shop.Currency = money.Currency(may.shop.Currency)
	p.shop.Decimals, _ = p.shop.Currency.Decimals() // a currency that is not known has no decimals that we know
	p.shop.PricesIncludeTax = may.shop.TaxesIncluded
	p.shop.TimeZone = may.shop.Zone
	p.ok("credentials", "the token is accepted"+bracketed(may.shop.Plan.Name))
	p.address()
	p.clock(said.Now, before.Add(after.Sub(before)/2))
	p.version()
	p.rights()
	return nil
}

func bracketed(plan string) string {
	if plan == "" {
		return ""
	}
	return " (plan " + plan + ")"
}

// address compares the shop that answers with the one in the configuration.
func (p *probe) address() {
	host := p.c.client.base.Hostname()
	if strings.HasSuffix(host, shopDomain) && !strings.EqualFold(host, p.may.shop.Domain) {
		p.warn("address", fmt.Sprintf("%s answers as %s: set url to https://%s", host, p.may.shop.Domain, p.may.shop.Domain))
	}
}

// clock compares the shop's clock with ours in the middle of the request.
func (p *probe) clock(date, ours time.Time) {
	if date.IsZero() {
		p.warn("clock", "the shop does not say what time it has")
		return
	}
	p.shop.ClockOffset = date.Sub(ours).Round(time.Second)
	off := p.shop.ClockOffset.Abs()
	if off <= clockWarn {
		p.ok("clock", "")
		return
	}
	direction := "behind"
	if p.shop.ClockOffset < 0 {
		direction = "ahead of"
	}
	p.warn("clock", fmt.Sprintf("this machine's clock is %v %s Shopify's: set it right, with a time service (NTP)", off, direction))
}

// version tells which version of the API answers, and for how long it will.
func (p *probe) version() {
	const name = "version"
	served, ending := p.c.client.versions.differs(), p.c.client.versions.ending()
	switch {
	case served != "":
		p.shop.Version = served
		p.warn(name, otherVersion(p.c.cfg.APIVersion, served))
	case ending != "":
		p.warn(name, ending)
	default:
		p.ok(name, p.c.cfg.APIVersion)
	}
}

// rights says what will be missing for want of which right.
func (p *probe) rights() {
	for _, r := range rights {
		note := "this right is missing, so " + r.without + ": give it to the app and install it again"
		switch {
		case p.may.has(r.scope):
		case r.needed:
			p.bad(r.scope, note)
		default:
			p.warn(r.scope, note+andAgain)
		}
	}
	if p.may.windowed() {
		p.warn(scopeAllOrders, "this right is missing, so Shopify shows only the orders of the last 60 days: the history before them is not read, "+
			"and an order that has grown older is left as it is; ask Shopify for the right in the app's settings"+andAgain)
	} else {
		p.ok("rights", "all orders, however old")
	}
	p.pushing()
}

// pushing says what cannot be written into the shop for want of which right.
func (p *probe) pushing() {
	const name = "pushing"
	var without, scopes []string
	for _, r := range writing {
		if !p.may.has(r.scope) {
			without, scopes = append(without, r.without), append(scopes, r.scope)
		}
	}
	if len(scopes) == 0 {
		p.ok(name, "")
		return
	}
	p.warn(name, fmt.Sprintf("without %s this cannot be pushed: %s; where the books are to do so, give the app the right and install it again",
		strings.Join(scopes, ", "), strings.Join(without, "; ")))
}

// customers finds out whether Shopify lets the app see who the customers are.
func (p *probe) customers(ctx context.Context) error {
	const name = "customer data"
	if !p.may.has(scopeCustomers) {
		return nil
	}
	var said struct{}
	a, err := p.c.client.do(ctx, "look at a customer", documentOf("probe_customer"), nil, &said)
	fields, refused := denied(err)
	if err == nil {
		fields = a.Denied
	}
	switch {
	case err != nil && !refused:
		return err
	case len(fields) > 0:
		p.warn(name, hiddenField(fields))
	default:
		p.ok(name, "")
	}
	return nil
}

// payouts finds out whether payouts can be read.
func (p *probe) payouts(ctx context.Context) error {
	const name = "payouts"
	if !p.may.payouts() {
		p.warn(name, "the right "+scopePayments+" is missing, so payouts and their fees are not booked: where the shop uses Shopify Payments, give it to the app and install it again")
		return nil
	}
	var said struct {
		Account *struct {
			Active bool `json:"activated"`
		} `json:"shopifyPaymentsAccount"`
	}
	_, err := p.c.client.do(ctx, "look at the account of Shopify Payments", documentOf("probe_payments"), nil, &said)
	_, refused := denied(err)
	switch {
	case refused:
		p.warn(name, "Shopify does not let the app see them, so payouts and their fees are not booked: "+err.Error())
	case err != nil:
		return err
	case said.Account == nil || !said.Account.Active:
		p.ok(name, "the shop does not use Shopify Payments")
	default:
		p.ok(name, "")
	}
	return nil
}

// locations counts the places where the shop keeps stock.
func (p *probe) locations(ctx context.Context) error {
	if !p.may.has(scopeLocations) {
		return nil
	}
	var said struct {
		Count struct {
			Count int `json:"count"`
		} `json:"locationsCount"`
	}
	if _, err := p.c.client.do(ctx, "count the locations", documentOf("probe_locations"), nil, &said); err != nil {
		return err
	}
	note := "one"
	if said.Count.Count != 1 {
		note = fmt.Sprintf("%d: stock is kept apart by location", said.Count.Count)
	}
	p.ok("locations", note)
	return nil
}
