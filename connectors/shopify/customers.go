package shopify

import (
	"strings"

	"comptoir/erp/intake"
)

// address is a postal address. Any part of it may be missing, or kept from
// this app.
type address struct {
	FirstName    scalar `json:"firstName"`
	LastName     scalar `json:"lastName"`
	Company      scalar `json:"company"`
	Street1      scalar `json:"address1"`
	Street2      scalar `json:"address2"`
	City         scalar `json:"city"`
	Province     scalar `json:"province"`
	ProvinceCode scalar `json:"provinceCode"`
	Zip          scalar `json:"zip"`
	Country      scalar `json:"countryCodeV2"`
	Phone        scalar `json:"phone"`
}

// body is the address in the books' words; a missing one is empty.
func (a *address) body() intake.Address {
	if a == nil {
		return intake.Address{}
	}
	region := a.ProvinceCode.trimmed()
	if region == "" {
		region = a.Province.trimmed()
	}
	return intake.Address{
		FirstName: a.FirstName.trimmed(), LastName: a.LastName.trimmed(), Company: a.Company.trimmed(),
		Street1: a.Street1.trimmed(), Street2: a.Street2.trimmed(), City: a.City.trimmed(), Region: region,
		Postcode: a.Zip.trimmed(), Country: strings.ToUpper(a.Country.trimmed()), Phone: a.Phone.trimmed(),
	}
}

// customerRecord reads a customer. The shop keeps one address that is used
// first, for bills and for parcels alike.
func customerRecord(at row) intake.Record {
	var p struct {
		Updated   scalar `json:"updatedAt"`
		Created   scalar `json:"createdAt"`
		FirstName scalar `json:"firstName"`
		LastName  scalar `json:"lastName"`
		Email     *struct {
			Address scalar `json:"emailAddress"`
		} `json:"defaultEmailAddress"`
		Phone *struct {
			Number scalar `json:"phoneNumber"`
		} `json:"defaultPhoneNumber"`
		Address *address `json:"defaultAddress"`
	}
	r := new(reading)
	r.decode(at.raw, &p)
	home := p.Address.body()
	b := &intake.Customer{
		FirstName: p.FirstName.trimmed(), LastName: p.LastName.trimmed(), Company: home.Company, Phone: home.Phone,
		Billing: home, Shipping: home, Registered: r.instant(p.Created, "createdAt"),
	}
	if p.Email != nil {
		b.Email = p.Email.Address.trimmed()
	}
	if p.Phone != nil && p.Phone.Number.trimmed() != "" {
		b.Phone = p.Phone.Number.trimmed()
	}
	return r.seal(intake.KindCustomer, at.ref(), p.Updated, b, at.raw)
}
