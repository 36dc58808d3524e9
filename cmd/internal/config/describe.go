package config

import (
	"fmt"
	"slices"
	"strings"

	"comptoir/erp"
	"comptoir/erp/documents"
	"comptoir/erp/intake"
	"comptoir/erp/ledger"
	"comptoir/erp/sales"
)

// describe describes the keys of the file, but for the shops.
func (c *Config) describe() section {
	return section{
		settings: []setting{
			{key: "data", value: &c.Data, example: "/var/lib/comptoir",
				help: "The directory that holds the books and the state of the sync. It is made with mode 0700 where it " +
					"does not exist. The flag --data wins over it. Empty: the state directory that systemd gives, " +
					"else comptoir under XDG_DATA_HOME, else /var/lib/comptoir for root and .local/share/comptoir in the home " +
					"directory for others."},
			{key: "stop_timeout", value: &c.StopTimeout,
				help: "How long the page that is being applied may still take when the daemon is asked to stop. Nothing is " +
					"lost when it is exceeded: the page comes again."},
		},
		sections: []section{
			{name: "log", help: "What is logged, to standard error. Secrets and personal data never are.", settings: []setting{
				{key: "level", value: &c.Log.Level, choices: []string{"debug", "info", "warn", "error"},
					help: "How much is logged."},
				{key: "format", value: &c.Log.Format, choices: []string{"console", "json"},
					help: "Lines for people, or one JSON object a line for a log collector."},
			}},
			c.Books.describe(),
			c.Webhooks.describe(),
			describeLegal(&c.Legal),
		},
	}
}

func (b *Books) describe() section {
	return section{name: "books", help: "Where the books are kept, and whose they are.", settings: []setting{
		{key: "url", value: &b.URL, secret: true, example: "postgres://comptoir@localhost/comptoir",
			help: "The URL of a PostgreSQL database. Empty: a SQLite file in the data directory, which is enough for " +
				"one merchant."},
		{key: "company", value: &b.Company, help: "The name of the company, as it stands on reports."},
		{key: "currency", value: &b.Currency,
			help: "The currency of the accounts, an ISO 4217 code. It cannot change once something was posted."},
		{key: "time_zone", value: &b.TimeZone, required: true,
			help: "The time zone in which business dates are taken: an order paid at 23:30 UTC belongs to the next day in Europe/Paris."},
		{key: "chart", value: &b.Chart, choices: []string{"general", "pcg"},
			help: "The chart of accounts: general, or the French plan comptable général."},
		{key: "fiscal_year_start", value: &b.FiscalYearStart, check: isMonthDay,
			help: "The month and day on which fiscal years begin, such as 07-01. A fiscal year has the name of the calendar year in which it ends."},
		{key: "lock_date", value: &b.LockDate, example: "2025-12-31", check: isDate,
			help: "Nothing is posted at or before this day; a late change is posted to the first open day. It locks at the least: " +
				"comptoir period lock locks more. Empty: no day is locked from here."},
		{key: "default_cost", value: &b.DefaultCost, example: "0", check: isNotNegative,
			help: "What one unit costs, in the currency of the accounts, when stock is taken over and the shop states no cost. " +
				"Empty: such stock is taken over at zero, and listed."},
		{key: "accounts", example: "sales: \"4010\"",
			help: "Other accounts than those of the chart, by role: sales, receivable, bank and the others that comptoir ledger accounts " +
				"shows. The account must exist, and nothing may have been posted to the one before.",
			entry:   func(key, text string) error { return putAccount(&b.Accounts, key, text) },
			entries: func() [][2]string { return sortedEntries(b.Accounts) }},
		{key: "rates", item: b.newRate, list: b.listRates,
			example: "- {currency: USD, from: 2026-01-01, rate: 0.92}\n- {currency: GBP, from: 2026-01-01, rate: 1.15}",
			help: "Exchange rates for orders in other currencies: one unit of the currency is worth that many units of the " +
				"currency of the accounts, from that day until the next rate of the same currency. An order without a rate is parked."},
	}}
}

// describeLegal describes what the law wants on invoices.
func describeLegal(l *documents.Seller) section {
	return section{name: "legal", help: "What the law wants on invoices and credit notes. What stays empty is left out, and named when a document is printed.", settings: []setting{
		{key: "form", value: &l.LegalForm, example: "SARL", help: "The legal form of the company."},
		{key: "capital", value: &l.Capital, example: "10 000 EUR", help: "Its capital, for companies that have one."},
		{key: "street1", value: &l.Street1, example: "1 rue de l'Exemple", help: "Its address."},
		{key: "street2", value: &l.Street2, help: "The second line of the address."},
		{key: "postcode", value: &l.Postcode, example: "\"42000\"", help: "The postcode."},
		{key: "city", value: &l.City, example: "Saint-Étienne", help: "The city."},
		{key: "country", value: &l.Country, example: "FR", help: "The country, an ISO 3166-1 code of two letters."},
		{key: "registration", value: &l.Registration, example: "\"732829320\"",
			help: "The number under which it is registered: in France the SIREN or SIRET, which also names the FEC."},
		{key: "register", value: &l.Register, example: "RCS Saint-Étienne", help: "The register that holds the number."},
		{key: "vat_number", value: &l.VATNumber, example: "FR44732829320", help: "The VAT number."},
		{key: "vat_exemption", value: &l.VATExemption, example: "TVA non applicable, art. 293 B du CGI", help: "The mention of one who charges no VAT."},
		{key: "email", value: &l.Email, help: "The e-mail address for customers."},
		{key: "phone", value: &l.Phone, help: "The telephone number for customers."},
		{key: "website", value: &l.Website, help: "The web site."},
		{key: "payment_terms", value: &l.PaymentTerms, example: "30 days", help: "When an invoice that is not paid is due."},
		{key: "late_penalty", value: &l.LatePenalty, example: "12 %",
			help: "The yearly rate of the penalty for late payment. Empty: three times the legal rate, the least that French law allows."},
		{key: "iban", value: &l.IBAN, help: "The bank account that customers pay to."},
		{key: "bic", value: &l.BIC, help: "Its bank."},
	}}
}

// newRate describes one exchange rate; the function keeps it.
func (b *Books) newRate() (section, func()) {
	r := new(erp.Rate)
	return describeRate(r), func() { b.Rates = append(b.Rates, *r) }
}

func (b *Books) listRates() []section {
	var list []section
	for i := range b.Rates {
		list = append(list, describeRate(&b.Rates[i]))
	}
	return list
}

func describeRate(r *erp.Rate) section {
	return section{settings: []setting{
		{key: "currency", value: &r.Currency, required: true, help: "The currency of the order."},
		{key: "from", value: &r.From, required: true, check: isDate, help: "The first day on which the rate counts."},
		{key: "rate", value: &r.Rate, required: true, check: isPositive, help: "Units of the currency of the accounts for one unit."},
	}}
}

// defaultSchedules are those of a shop that says nothing else. The minutes
// differ, so that a shop is not asked for everything at once.
func defaultSchedules() []Schedule {
	return []Schedule{
		{intake.Orders, "*/5 * * * *"},
		{intake.Trash, "4-59/15 * * * *"},
		{intake.Products, "2-59/15 * * * *"},
		{intake.Variants, "3-59/15 * * * *"},
		{intake.Customers, "7 * * * *"},
		{intake.Coupons, "17 * * * *"},
		{intake.Categories, "27 * * * *"},
		{intake.TaxRates, "37 */6 * * *"},
		{intake.Gateways, "43 */6 * * *"},
		{intake.ShippingMethods, "47 */6 * * *"},
		{intake.Locations, "52 * * * *"},
		{intake.Payouts, "57 */2 * * *"},
	}
}

// describe describes the keys of a shop: those of every shop, and those of
// its connector.
func (s *Shop) describe() section {
	sec := section{name: s.Name, settings: []setting{
		{key: "connector", value: &s.Platform, required: true, help: "The kind of storefront."},
	}}
	for _, f := range s.fields {
		sec.settings = append(sec.settings, setting{key: f.Key, help: f.Help, value: f.Value, example: f.Example,
			required: f.Required, secret: f.Secret})
	}
	sec.settings = append(sec.settings,
		setting{key: "time_zone", value: &s.TimeZone, example: "Europe/Paris",
			help: "The time zone in which the schedules are read. Empty: that of the books."},
		setting{key: "jitter", value: &s.Jitter,
			help: "Each run starts up to this much later than planned, so that many shops on one server do not start at once."},
		setting{key: "reread", value: &s.Reread, check: isCron,
			help: "When orders that may have changed without a trace are read again: those that are not final, and the recent ones. " +
				"A schedule of five fields (minute, hour, day, month, weekday), \"@every 1h\", or off."},
		setting{key: "sweep", value: &s.Sweep, check: isCron,
			help: "When all ids of the shop are compared with the books, to find records that are gone. A schedule, or off."},
		setting{key: "retry", value: &s.Retry, check: isCron,
			help: "When parked records are tried again. A schedule, or off."},
		setting{key: "silence", value: &s.Silence,
			help: "An alarm is raised when a resource that usually brings something has brought nothing new for this long. " +
				"0s: how long is worked out from its own history."},
		setting{key: "verify", value: &s.Verify, check: isCron,
			help: "When the shop is compared with the books, order by order and unit by unit: see comptoir help verify. A schedule, or off."},
		setting{key: "verify_span", value: &s.VerifySpan, check: isVerifySpan,
			help: "How far back orders are compared then."},
		setting{key: "webhooks", value: &s.Webhooks,
			help: "Whether the shop is asked to send hints, where webhooks.url is set."},
	)
	sec.sections = []section{s.describeSchedules(), s.describeOwners(), s.describePush(), s.describeRules()}
	return sec
}

func (s *Shop) describeSchedules() section {
	sec := section{name: "schedules", help: "When each resource is read. A schedule has five fields: minute, hour, day of the month, " +
		"month, weekday; or it is \"@every 10m\"; or off, then the resource is read by `comptoir sync` only."}
	for i := range s.Schedules {
		d := &s.Schedules[i]
		sec.settings = append(sec.settings, setting{key: string(d.Resource), value: &d.Cron, check: isCron,
			help: whenRead(d.Resource)})
	}
	return sec
}

func whenRead(r intake.Resource) string {
	if r == intake.Trash {
		return "When the trash is read: orders that were put there or taken out again."
	}
	return "When " + strings.ReplaceAll(string(r), "_", " ") + " are read."
}

func (s *Shop) describeRules() section {
	r := &s.Rules
	return section{name: "rules", help: "How the shop's orders are booked.", moved: map[string]string{"stock_owner": "owners.stock"}, settings: []setting{
		{key: "revenue", value: &r.Revenue, choices: []string{sales.OnPayment, sales.OnShipment},
			help: "When a sale is invoiced: on payment, or on shipment. Where goods leave in parts, the first shipment invoices all " +
				"of the order; the cost of each part is booked when it leaves."},
		{key: "restock", value: &r.Restock, choices: []string{sales.RestockNever, sales.RestockLines, sales.RestockAlways},
			help: "What becomes of refunded goods where the shop does not say: never back in stock; what the lines of the " +
				"refund count; or always, also all goods of an order that is refunded in full."},
		{key: "refund_tax", value: &r.RefundTax, choices: []string{sales.TaxStated, sales.TaxProportional},
			help: "How a refund that is only an amount is split: stated leaves the tax alone, as the shop does; proportional " +
				"takes the tax back in the proportion of the order. Ask your accountant."},
		{key: "cancel_returns_money", value: &r.CancelReturnsMoney,
			help: "Whether the money of a paid order that is cancelled counts as given back. If not, it stays a customer deposit " +
				"until a refund says so; so it does where the shop itself tells of all money that moves."},
		{key: "lead_days", value: &r.LeadDays,
			help: "The promise to the customer where the shop states none: so many days after the order was placed. -1: no promise."},
		{key: "statuses", example: "wc-awaiting-pickup: open",
			help: "What the shop's own order statuses mean: " + joinStates() + ". It wins over the connector's reading; an unknown " +
				"status without an entry here counts as hold.",
			entry: func(key, text string) error {
				if !slices.Contains(states(), intake.OrderState(text)) {
					return fmt.Errorf("%q is not one of %s", text, joinStates())
				}
				if r.Statuses == nil {
					r.Statuses = map[string]intake.OrderState{}
				}
				r.Statuses[key] = intake.OrderState(text)
				return nil
			},
			entries: func() [][2]string { return sortedEntries(r.Statuses) }},
		{key: "gateway_accounts", example: "stripe: \"511500\"",
			help: "The code of the clearing account of each gateway. A gateway without an entry gets an account of its own.",
			entry: func(key, text string) error {
				if text == "" {
					return fmt.Errorf("the account code is missing")
				}
				if r.Accounts == nil {
					r.Accounts = map[string]string{}
				}
				r.Accounts[key] = text
				return nil
			},
			entries: func() [][2]string { return sortedEntries(r.Accounts) }},
		{key: "accounts", example: "sales: \"4020\"",
			help: "Accounts of its own for what this shop sells, by role: sales, shipping_income, other_income, sales_returns, discounts, " +
				"payment_fees and cogs. The accounts must exist. The other roles are the company's.",
			entry:   func(key, text string) error { return putAccount(&r.Roles, key, text) },
			entries: func() [][2]string { return sortedEntries(r.Roles) }},
	}}
}

func states() []intake.OrderState {
	return []intake.OrderState{intake.StatePending, intake.StateHold, intake.StateOpen, intake.StateCompleted,
		intake.StateCancelled, intake.StateFailed, intake.StateRefunded, intake.StateDraft}
}

func joinStates() string {
	var names []string
	for _, s := range states() {
		names = append(names, string(s))
	}
	return strings.Join(names, ", ")
}

func sortedEntries[K, V ~string](m map[K]V) [][2]string {
	list := make([][2]string, 0, len(m))
	for k, v := range m {
		list = append(list, [2]string{string(k), string(v)})
	}
	slices.SortFunc(list, func(a, b [2]string) int { return strings.Compare(a[0], b[0]) })
	return list
}

// putAccount sets the account of a role.
func putAccount(into *map[ledger.Role]string, role, code string) error {
	if code == "" {
		return fmt.Errorf("the account code is missing")
	}
	if *into == nil {
		*into = map[ledger.Role]string{}
	}
	(*into)[ledger.Role(role)] = code
	return nil
}
