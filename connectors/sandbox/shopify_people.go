package sandbox

import "strconv"

// address is where somebody lives.
type address struct {
	id  int64
	who person
}

func (a address) at() *place { return &places[a.who.place] }

var countryNames = map[string]string{"FR": "France", "DE": "Germany", "US": "United States", "CA": "Canada", "BE": "Belgium",
	"GB": "United Kingdom", "JP": "Japan"}

// home is the customer's own address.
func (c *customer) home() address { return address{id: c.id*10 + 5, who: c.who} }

// reach is one way that a customer can be reached at.
type reach struct{ of *customer }

func peopleTypes() []gqlType {
	return []gqlType{
		{name: "MailingAddress", is: []string{"Node"}, fields: gqlFields{
			"id":                   gqlID("MailingAddress", func(_ *gqlRun, a address) int64 { return a.id }),
			"firstName":            gqlTextOrNull(func(_ *gqlRun, a address) string { return firstNames[a.who.first] }),
			"lastName":             gqlTextOrNull(func(_ *gqlRun, a address) string { return lastNames[a.who.last] }),
			"name":                 gqlTextOrNull(func(_ *gqlRun, a address) string { return a.who.name() }),
			"company":              gqlTextOrNull(func(_ *gqlRun, a address) string { return companies[a.who.company] }),
			"address1":             gqlTextOrNull(func(_ *gqlRun, a address) string { return strconv.Itoa(int(a.who.house)) + " " + a.at().street }),
			"address2":             gqlTextOrNull(func(*gqlRun, address) string { return "" }),
			"city":                 gqlTextOrNull(func(_ *gqlRun, a address) string { return a.at().city }),
			"province":             gqlTextOrNull(func(_ *gqlRun, a address) string { return a.at().region }),
			"provinceCode":         gqlTextOrNull(func(_ *gqlRun, a address) string { return a.at().region }),
			"zip":                  gqlTextOrNull(func(_ *gqlRun, a address) string { return a.at().postcode }),
			"country":              gqlTextOrNull(func(_ *gqlRun, a address) string { return countryNames[a.at().country] }),
			"countryCodeV2":        gqlTextOrNull(func(_ *gqlRun, a address) string { return a.at().country }),
			"phone":                gqlTextOrNull(func(_ *gqlRun, a address) string { return a.who.phone() }),
			"coordinatesValidated": gqlBool(func(*gqlRun, address) bool { return false }),
		}},
		{name: "Customer", is: []string{"Node", "HasEvents"}, fields: gqlFields{
			"id":                  gqlID("Customer", func(_ *gqlRun, c *customer) int64 { return c.id }),
			"legacyResourceId":    gqlNumberText(func(_ *gqlRun, c *customer) int64 { return c.id }),
			"createdAt":           gqlTime(func(_ *gqlRun, c *customer) int64 { return c.created }),
			"updatedAt":           gqlTime(func(_ *gqlRun, c *customer) int64 { return c.modified }),
			"firstName":           gqlTextOrNull(func(_ *gqlRun, c *customer) string { return firstNames[c.who.first] }),
			"lastName":            gqlTextOrNull(func(_ *gqlRun, c *customer) string { return lastNames[c.who.last] }),
			"displayName":         gqlText(func(_ *gqlRun, c *customer) string { return c.who.name() }),
			"state":               gqlText(func(*gqlRun, *customer) string { return "ENABLED" }),
			"locale":              gqlText(func(*gqlRun, *customer) string { return "fr" }),
			"note":                gqlTextOrNull(func(*gqlRun, *customer) string { return "" }),
			"tags":                gqlTexts(func(*gqlRun, *customer) []string { return nil }),
			"verifiedEmail":       gqlBool(func(*gqlRun, *customer) bool { return true }),
			"taxExempt":           gqlBool(func(*gqlRun, *customer) bool { return false }),
			"defaultEmailAddress": gqlObject("CustomerEmailAddress", func(_ *gqlRun, c *customer) reach { return reach{c} }),
			"defaultPhoneNumber":  gqlObject("CustomerPhoneNumber", func(_ *gqlRun, c *customer) reach { return reach{c} }),
			"defaultAddress":      gqlObject("MailingAddress", func(_ *gqlRun, c *customer) address { return c.home() }),
			"addressesV2": gqlConnection("MailingAddress", func(_ *gqlRun, c *customer) gqlRows[address] {
				return gqlRows[address]{all: []address{c.home()}}
			}),
		}},
		{name: "CustomerEmailAddress", fields: gqlFields{
			"emailAddress":   gqlText(func(_ *gqlRun, r reach) string { return r.of.who.email() }),
			"marketingState": gqlText(func(*gqlRun, reach) string { return "NOT_SUBSCRIBED" }),
			"validFormat":    gqlBool(func(*gqlRun, reach) bool { return true }),
		}},
		{name: "CustomerPhoneNumber", fields: gqlFields{
			"phoneNumber": gqlText(func(_ *gqlRun, r reach) string { return r.of.who.phone() }),
		}},
	}
}

func (p person) name() string { return firstNames[p.first] + " " + lastNames[p.last] }
