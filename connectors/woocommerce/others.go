package woocommerce

import (
	"encoding/json"
	"fmt"

	"comptoir/erp/intake"
)

// address is a postal address with what WooCommerce keeps beside it.
type address struct {
	FirstName scalar `json:"first_name"`
	LastName  scalar `json:"last_name"`
	Company   scalar `json:"company"`
	Street1   scalar `json:"address_1"`
	Street2   scalar `json:"address_2"`
	City      scalar `json:"city"`
	State     scalar `json:"state"`
	Postcode  scalar `json:"postcode"`
	Country   scalar `json:"country"`
	Email     scalar `json:"email"`
	Phone     scalar `json:"phone"`
}

func (a *address) body() intake.Address {
	return intake.Address{
		FirstName: a.FirstName.trimmed(), LastName: a.LastName.trimmed(), Company: a.Company.trimmed(),
		Street1: a.Street1.trimmed(), Street2: a.Street2.trimmed(), City: a.City.trimmed(), Region: a.State.trimmed(),
		Postcode: a.Postcode.trimmed(), Country: a.Country.trimmed(), Phone: a.Phone.trimmed(),
	}
}

// decode reads raw into v and collects the problem where it cannot.
func decode(r *reading, raw json.RawMessage, v any) {
	if err := json.Unmarshal(raw, v); err != nil {
		r.problem = unreadable(err)
	}
}

// numbered reports a record that has no id.
func (r *reading) numbered(id scalar) {
	if id.id() == 0 {
		r.fail("id", fmt.Errorf("%q is no id", id.text))
	}
}

func customerRecord(raw json.RawMessage) intake.Record {
	var p struct {
		ID        scalar          `json:"id"`
		Modified  scalar          `json:"date_modified_gmt"`
		Created   scalar          `json:"date_created_gmt"`
		Email     scalar          `json:"email"`
		FirstName scalar          `json:"first_name"`
		LastName  scalar          `json:"last_name"`
		Role      scalar          `json:"role"`
		Billing   object[address] `json:"billing"`
		Shipping  object[address] `json:"shipping"`
		Meta      list[meta]      `json:"meta_data"`
	}
	r := new(reading)
	decode(r, raw, &p)
	r.numbered(p.ID)
	b := &intake.Customer{
		Email: p.Email.trimmed(), FirstName: p.FirstName.trimmed(), LastName: p.LastName.trimmed(), Role: p.Role.trimmed(),
		Company: p.Billing.v.Company.trimmed(), Phone: p.Billing.v.Phone.trimmed(), VATNumber: metaOf(p.Meta, vatKeys...),
		Billing: p.Billing.v.body(), Shipping: p.Shipping.v.body(), Registered: r.instant(p.Created, "date_created_gmt"),
	}
	return seal(r, intake.KindCustomer, p.ID, "", p.Modified, b, raw)
}

func couponRecord(raw json.RawMessage) intake.Record {
	var p struct {
		ID          scalar `json:"id"`
		Modified    scalar `json:"date_modified_gmt"`
		Code        scalar `json:"code"`
		Type        scalar `json:"discount_type"`
		Amount      scalar `json:"amount"`
		Description scalar `json:"description"`
		Expires     scalar `json:"date_expires_gmt"`
		UsageCount  scalar `json:"usage_count"`
		UsageLimit  scalar `json:"usage_limit"`
		Free        scalar `json:"free_shipping"`
	}
	r := new(reading)
	decode(r, raw, &p)
	r.numbered(p.ID)
	b := &intake.Coupon{
		Code: p.Code.plain(), Type: p.Type.trimmed(), Amount: r.amount(p.Amount, "amount"), Description: p.Description.plain(),
		ExpiresAt: r.instant(p.Expires, "date_expires_gmt"), UsageCount: p.UsageCount.count(), UsageLimit: p.UsageLimit.count(),
		Free: p.Free.yes(),
	}
	return seal(r, intake.KindCoupon, p.ID, "", p.Modified, b, raw)
}

func categoryRecord(raw json.RawMessage) intake.Record {
	var p struct {
		ID          scalar `json:"id"`
		Parent      scalar `json:"parent"`
		Name        scalar `json:"name"`
		Slug        scalar `json:"slug"`
		Description scalar `json:"description"`
		Position    scalar `json:"menu_order"`
	}
	r := new(reading)
	decode(r, raw, &p)
	r.numbered(p.ID)
	b := &intake.Category{ParentID: p.Parent.ref(), Name: p.Name.plain(), Slug: p.Slug.trimmed(),
		Description: p.Description.trimmed(), Position: p.Position.count()}
	return seal(r, intake.KindCategory, p.ID, "", scalar{}, b, raw)
}

func taxRateRecord(raw json.RawMessage) intake.Record {
	var p struct {
		ID       scalar `json:"id"`
		Country  scalar `json:"country"`
		State    scalar `json:"state"`
		Postcode scalar `json:"postcode"`
		City     scalar `json:"city"`
		Rate     scalar `json:"rate"`
		Name     scalar `json:"name"`
		Priority scalar `json:"priority"`
		Compound scalar `json:"compound"`
		Shipping scalar `json:"shipping"`
		Class    scalar `json:"class"`
	}
	r := new(reading)
	decode(r, raw, &p)
	r.numbered(p.ID)
	b := &intake.TaxRate{Name: p.Name.plain(), Country: p.Country.trimmed(), Region: p.State.trimmed(), Postcode: p.Postcode.trimmed(),
		City: p.City.trimmed(), Rate: r.amount(p.Rate, "rate"), Class: p.Class.trimmed(), Priority: p.Priority.count(),
		Compound: p.Compound.yes(), Shipping: p.Shipping.yes()}
	return seal(r, intake.KindTaxRate, p.ID, "", scalar{}, b, raw)
}

// gatewayRecord reads a way to pay. Its id is its code.
func gatewayRecord(raw json.RawMessage) intake.Record {
	var p struct {
		ID      scalar `json:"id"`
		Title   scalar `json:"title"`
		Method  scalar `json:"method_title"`
		Enabled scalar `json:"enabled"`
	}
	r := new(reading)
	decode(r, raw, &p)
	if p.ID.ref() == "" {
		r.fail("id", fmt.Errorf("the gateway has none"))
	}
	b := &intake.Gateway{Title: p.Title.plain(), Enabled: p.Enabled.yes()}
	if b.Title == "" {
		b.Title = p.Method.plain()
	}
	return seal(r, intake.KindGateway, p.ID, "", scalar{}, b, raw)
}

// shippingMethodRecord reads a method of a zone. Its id is the code that the
// shipping lines of orders carry.
func shippingMethodRecord(raw json.RawMessage, zone string) intake.Record {
	var p struct {
		Instance scalar `json:"instance_id"`
		Method   scalar `json:"method_id"`
		Title    scalar `json:"title"`
		Generic  scalar `json:"method_title"`
		Enabled  scalar `json:"enabled"`
	}
	r := new(reading)
	decode(r, raw, &p)
	if p.Method.ref() == "" {
		r.fail("method_id", fmt.Errorf("the shipping method has none"))
	}
	b := &intake.ShippingMethod{Title: p.Title.plain(), Zone: zone, Enabled: p.Enabled.yes()}
	if b.Title == "" {
		b.Title = p.Generic.plain()
	}
	return seal(r, intake.KindShippingMethod, scalar{text: methodCode(p.Method, p.Instance)}, "", scalar{}, b, raw)
}
