package sandbox

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

func (e *encoder) writeCustomer(c *customer) {
	e.start()
	e.int("id", c.id)
	e.date("date_created", c.created)
	e.date("date_modified", c.modified)
	e.str("email", c.email())
	first, last := "", ""
	if !c.admin {
		first, last = firstNames[c.who.first], lastNames[c.who.last]
	}
	e.str("first_name", first)
	e.str("last_name", last)
	e.str("role", c.role())
	e.str("username", c.login())
	e.object("billing", func() { e.writeCustomerAddress(c, billingOfCustomer) })
	e.object("shipping", func() { e.writeCustomerAddress(c, shippingOfCustomer) })
	e.bool("is_paying_customer", c.paying)
	sum := sha256.Sum256([]byte(c.email()))
	e.str("avatar_url", "https://secure.gravatar.com/avatar/"+hex.EncodeToString(sum[:])+"?s=96&d=mm&r=g")
	e.array("meta_data", func() {
		if c.who.company != 0 {
			e.meta(c.id*10, "_vat_number", c.who.vatNumber())
		}
	})
	allow := allowAll
	if c.admin {
		allow = allowEdit
	}
	e.links("/customers", c.id, allow, nil)
	e.close('}')
}

func (c *customer) email() string {
	if c.admin {
		return "admin@example.test"
	}
	return c.who.email()
}

func (c *customer) role() string {
	if c.admin {
		return "administrator"
	}
	return "customer"
}

func (c *customer) login() string {
	name, _, _ := strings.Cut(c.email(), "@")
	return name
}

func (e *encoder) writeCustomerAddress(c *customer, kind addressKind) {
	if !c.admin {
		e.writeAddress(c.who, kind)
		return
	}
	for _, k := range []string{"first_name", "last_name", "company", "address_1", "address_2", "city", "postcode", "country", "state"} {
		e.str(k, "")
	}
	if kind == billingOfCustomer {
		e.str("email", "")
	}
	e.str("phone", "")
}

func (e *encoder) writeCoupon(c *coupon) {
	e.start()
	e.int("id", c.id)
	e.str("code", c.code)
	e.str("amount", price(c.amount))
	e.str("status", "publish")
	e.date("date_created", c.created)
	e.date("date_modified", c.modified)
	e.str("discount_type", c.kind)
	if c.revision == 0 {
		e.str("description", "")
	} else {
		e.str("description", "Révision "+text(int64(c.revision)))
	}
	e.date("date_expires", c.expires)
	e.int("usage_count", int64(c.used))
	e.bool("individual_use", false)
	e.raw("product_ids", "[]")
	e.raw("excluded_product_ids", "[]")
	if c.limit > 0 {
		e.int("usage_limit", int64(c.limit))
	} else {
		e.null("usage_limit")
	}
	e.null("usage_limit_per_user")
	e.null("limit_usage_to_x_items")
	e.bool("free_shipping", c.free)
	e.raw("product_categories", "[]")
	e.raw("excluded_product_categories", "[]")
	e.bool("exclude_sale_items", false)
	e.str("minimum_amount", "0.00")
	e.str("maximum_amount", "0.00")
	e.raw("email_restrictions", "[]")
	e.raw("used_by", "[]")
	e.raw("meta_data", "[]")
	e.links("/coupons", c.id, allowAll, nil)
	e.close('}')
}

func (e *encoder) writeTaxRate(r *taxRate) {
	class := wooClass(r.class)
	if class == "" {
		class = "standard"
	}
	e.start()
	e.int("id", r.id)
	e.str("country", r.country)
	e.str("state", r.region)
	e.str("postcode", "")
	e.str("city", "")
	e.str("rate", string(appendAmount(nil, r.ppm*100, 4)))
	e.str("name", r.name)
	e.int("priority", int64(r.priority))
	e.bool("compound", r.compound)
	e.bool("shipping", r.shipping)
	e.int("order", 0)
	e.str("class", class)
	e.raw("postcodes", "[]")
	e.raw("cities", "[]")
	e.links("/taxes", r.id, allowAll, nil)
	e.close('}')
}

// wooClasses are the tax classes in the order in which the shop lists them.
func wooClasses() []taxClass {
	return []taxClass{standard, reduced, zeroRated, intermediate, superReduced}
}
