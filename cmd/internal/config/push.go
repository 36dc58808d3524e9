package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"time"

	"comptoir/erp/intake"
	"comptoir/erp/outbox"
)

// Webhooks say where the shops send their hints to.
type Webhooks struct {
	Listen string // host:port; "" for none
	URL    string // under which the shops reach it
}

func (w *Webhooks) describe() section {
	return section{name: "webhooks", help: "Hints that the shops send when something has changed. They only shorten the wait: what counts is read from the shop, " +
		"and a lost hint is made good by the next reading.", settings: []setting{
		{key: "listen", value: &w.Listen, example: "127.0.0.1:8088", check: isAddress,
			help: "The address at which hints are taken. Put a web server with a certificate before it. Empty: none are taken."},
		{key: "url", value: &w.URL, example: "https://comptoir.example.com", check: isWebAddress,
			help: "The address under which the shops reach it from outside; /hooks/ and the name of the shop are added. Where it is set, the shops are asked " +
				"to send hints, at each start and once a day. WooCommerce sends to ports 80, 443 and 8080 only, and never to a private address."},
	}}
}

// Push says whether a shop is told of changes, and how much of the stock it
// may sell.
type Push struct {
	Enabled   bool
	Share     int
	Cap       int
	Locations map[string]string
	Compare   string // cron, or Off
}

// ownership is who decides on a field; Owner is "" where that depends on
// Push.Enabled.
type ownership struct {
	Field intake.Field
	Owner string
}

// defaultOwners are those of a shop that says nothing else.
func defaultOwners() []ownership {
	on, off := outbox.DefaultOwners(true), outbox.DefaultOwners(false)
	owners := make([]ownership, 0, len(on))
	for _, f := range outbox.Fields() {
		o := ownership{Field: f, Owner: string(on[f])}
		if on[f] != off[f] {
			o.Owner = ""
		}
		owners = append(owners, o)
	}
	return owners
}

// Policy is what of the shop the books decide on and send.
func (s *Shop) Policy() outbox.Policy {
	owners := outbox.DefaultOwners(s.Push.Enabled)
	for _, o := range s.owners {
		if o.Owner != "" {
			owners[o.Field] = outbox.Owner(o.Owner)
		}
	}
	return outbox.Policy{On: s.Push.Enabled, Owners: owners, Share: s.Push.Share, Cap: s.Push.Cap, Locations: s.Push.Locations}
}

// Own gives a field of the shop's records an owner.
func (s *Shop) Own(f intake.Field, owner outbox.Owner) {
	for i := range s.owners {
		if s.owners[i].Field == f {
			s.owners[i].Owner = string(owner)
		}
	}
}

func (s *Shop) describePush() section {
	p := &s.Push
	return section{name: "push", help: "What is sent to the shop: the fields of which the books are the owner, see owners.", settings: []setting{
		{key: "enabled", value: &p.Enabled,
			help: "Whether anything is sent. Before you switch it on, look at what would be: comptoir push SHOP --all --dry-run."},
		{key: "share", value: &p.Share, check: isPercent,
			help: "How much of what is available the shop may sell, in per cent, rounded down. Less than 100 keeps a reserve for the other shops."},
		{key: "cap", value: &p.Cap, check: isNotNegative,
			help: "The most units of one article that the shop is told of. 0: no such limit."},
		{key: "locations", example: "Paris: main",
			help: "The warehouse that each location of the shop stands for, by the location's name or id. A location that is not named here is left alone. " +
				"Empty: the first active location that ships stands for the warehouse main, and what the others offer is only lowered, where there is less.",
			entry:   p.putLocation,
			entries: func() [][2]string { return sortedEntries(p.Locations) }},
		{key: "compare", value: &p.Compare, check: isCron,
			help: "When all that the shop should have is compared with what it is known to have, beside what has changed. A schedule, or off."},
	}}
}

// putLocation maps a location to a warehouse, which can be only one location's:
// the same units would be sold twice.
func (p *Push) putLocation(location, warehouse string) error {
	if warehouse == "" {
		return errors.New("the code of the warehouse is missing, such as main")
	}
	for other, taken := range p.Locations {
		if taken == warehouse {
			return fmt.Errorf("warehouse %q is location %q already: the same units would be sold twice", warehouse, other)
		}
	}
	if p.Locations == nil {
		p.Locations = map[string]string{}
	}
	p.Locations[location] = warehouse
	return nil
}

// ownerHelp explains the fields that have an owner.
var ownerHelp = map[intake.Field]string{
	intake.FieldQuantity: "How many units of each article can be sold. With shop its number is followed, and a difference that orders do not explain becomes an " +
		"adjustment; with erp the books decide. Empty: erp where push.enabled is true, else shop.",
	intake.FieldBackorders:  "Whether an article can be ordered beyond what is in stock.",
	intake.FieldPrice:       "The regular price of each article. It goes only to shops that sell in the same currency.",
	intake.FieldSale:        "The sale price, with the dates between which it counts.",
	intake.FieldTitle:       "The names of products.",
	intake.FieldDescription: "The descriptions of products.",
	intake.FieldShort:       "The short descriptions of products.",
	intake.FieldStatus:      "Whether products are published, drafts or archived.",
	intake.FieldImages:      "The images of products.",
	intake.FieldCategories: "The tree of categories, and which products stand in them. The shops that give it to erp share one tree: categories of the same name in the same " +
		"place are one.",
	intake.FieldOptions:   "The attributes that make an article: size, colour.",
	intake.FieldBarcode:   "The barcodes of articles.",
	intake.FieldWeight:    "The weights of articles. Where the books decide, each shop is told in its own unit.",
	intake.FieldShipments: "The shipments of orders. With erp they are entered here (comptoir shipment add) and sent to the shop. Empty: erp where push.enabled is true, else shop.",
}

func (s *Shop) describeOwners() section {
	sec := section{name: "owners", help: "Who decides on each field: shop or erp. What the shop owns is taken over from it and never sent; what erp owns is changed here " +
		"(comptoir product, price, stock, category), and sent."}
	for i := range s.owners {
		o := &s.owners[i]
		sec.settings = append(sec.settings, setting{key: string(o.Field), value: &o.Owner, example: "erp", check: isOwner, help: ownerHelp[o.Field]})
	}
	return sec
}

func isOwner(text string) error {
	if text != string(outbox.Shop) && text != string(outbox.ERP) {
		return fmt.Errorf("%q is neither shop nor erp", text)
	}
	return nil
}

func isPercent(text string) error {
	if n, err := strconv.Atoi(text); err != nil || n < 1 || n > 100 {
		return fmt.Errorf("%q is not a share: write a whole number from 1 to 100", text)
	}
	return nil
}

func isAddress(text string) error {
	_, port, err := net.SplitHostPort(text)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return fmt.Errorf("%q is no address: write it as HOST:PORT, such as 127.0.0.1:8088", text)
	}
	return nil
}

// isWebAddress accepts an address that shops can send secrets' signatures to:
// https, or http on this machine, to try things on.
func isWebAddress(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return fmt.Errorf("%q is no address: write it as https://comptoir.example.com", text)
	}
	ip := net.ParseIP(u.Hostname())
	if u.Scheme != "https" && !(u.Scheme == "http" && (u.Hostname() == "localhost" || ip != nil && ip.IsLoopback())) {
		return fmt.Errorf("%q does not begin with https://: customers' data would travel in the clear", text)
	}
	return nil
}

// longestVerify is how many days a scheduled comparison reaches back at most.
const longestVerify = 366 * 24 * time.Hour

func isVerifySpan(text string) error {
	d, err := time.ParseDuration(text)
	if err != nil || d < 24*time.Hour || d > longestVerify {
		return fmt.Errorf("%q is not a time span between 24h and %v", text, longestVerify)
	}
	return nil
}
