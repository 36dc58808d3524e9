// Package tax keeps the components that taxes are made of, each a rate of one
// agency, and the tax facts: what base and tax a document states for each line
// and component. Reports and returns read tax facts only, and each fact is
// written with the entry that books it, so they always tie to the accounts.
package tax

import (
	"cmp"
	"context"
	"fmt"

	"comptoir/erp/fault"
	"comptoir/erp/intake"
	"comptoir/erp/store"

	"github.com/shopspring/decimal"
)

// Component is one rate of a shop, and whom it is owed to.
type Component struct {
	ID       int64
	RateID   string // the shop's own id of the rate
	Name     string
	Agency   string // country, or country and region, that levies it
	Country  string
	Region   string
	Class    string
	PPM      int64 // parts per million: 5.5 % is 55,000
	Priority int   // compound order
	Compound bool
}

// Collected and Deductible are the directions of a Fact.
const (
	Collected  = "collected"
	Deductible = "deductible"
)

// Fact is the tax of one component on one line of a document, in minor units
// of the document's currency and of the company's. A refund or a reversal has
// negative ones.
type Fact struct {
	RateID      string // resolved to a component when it is written
	Line        string // external id of the line; resolved when it is written
	LineID      int64  // id of the line, where it is known already
	ForeignBase int64
	ForeignTax  int64
	Base        int64
	Tax         int64
}

// PPM returns a rate in per cent as parts per million. A rate that is negative,
// over 1,000 % or finer than that is an Invalid fault.
func PPM(percent decimal.Decimal) (int64, error) {
	// The exponent is looked at first: "1e9999" must not be written out.
	if percent.Exponent() > 4 || percent.Exponent() < -64 || percent.IsNegative() || percent.GreaterThan(decimal.NewFromInt(1000)) {
		return 0, fault.New(fault.Invalid, "correct the rate in the shop", "tax rate with exponent %d is out of range", percent.Exponent())
	}
	ppm := percent.Shift(4)
	if !ppm.IsInteger() {
		return 0, fault.New(fault.Invalid, "correct the rate in the shop", "tax rate %s %% has more than four decimals", percent)
	}
	return ppm.IntPart(), nil
}

// Agency names whom a tax of a country and region is owed to.
func Agency(country, region string) string {
	switch {
	case country == "":
		return "unknown"
	case region == "":
		return country
	default:
		return country + "-" + region
	}
}

// FromRate returns the component of a rate that the shop computes with.
func FromRate(rateID string, r *intake.TaxRate) (Component, error) {
	ppm, err := PPM(r.Rate)
	if err != nil {
		return Component{}, fmt.Errorf("tax rate %s: %w", rateID, err)
	}
	return Component{RateID: rateID, Name: r.Name, Agency: Agency(r.Country, r.Region), Country: r.Country, Region: r.Region,
		Class: r.Class, PPM: ppm, Priority: r.Priority, Compound: r.Compound}, nil
}

// Save writes the component of a shop, new or changed. Those that only an
// order named keep their place and are filled in.
func Save(ctx context.Context, tx *store.Tx, shop int64, c Component) (int64, error) {
	id, err := tx.NewID(ctx)
	if err != nil {
		return 0, err
	}
	err = tx.QueryRow(ctx, `INSERT INTO tax_component (id, shop_id, rate_id, name, agency, country, region, class, rate_ppm, priority, compound)
		VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11)
		ON CONFLICT (shop_id, rate_id) DO UPDATE SET name = excluded.name, agency = excluded.agency, country = excluded.country,
			region = excluded.region, class = excluded.class, rate_ppm = excluded.rate_ppm, priority = excluded.priority, compound = excluded.compound
		RETURNING id`,
		id, shop, c.RateID, c.Name, c.Agency, c.Country, c.Region, c.Class, c.PPM, c.Priority, c.Compound).Scan(&id)
	if err != nil {
		return 0, fmt.Errorf("save tax rate %s: %w", c.RateID, err)
	}
	return id, nil
}

// Components returns the ids of a shop's components by the shop's rate ids.
func Components(ctx context.Context, r store.Reader, shop int64) (map[string]int64, error) {
	rows, err := r.Query(ctx, `SELECT rate_id, id FROM tax_component WHERE shop_id = $1`, shop)
	if err != nil {
		return nil, fmt.Errorf("read tax rates: %w", err)
	}
	defer rows.Close()
	out := map[string]int64{}
	for rows.Next() {
		var rate string
		var id int64
		if err := rows.Scan(&rate, &id); err != nil {
			return nil, err
		}
		out[rate] = id
	}
	return out, rows.Err()
}

// Document is what facts belong to.
type Document struct {
	Kind      string
	ID        int64
	Entry     int64
	Direction string // Collected where it is empty
	Effective string
	Currency  string
	Lines     map[string]int64 // ids by external id
}

// Write queues the facts of a document.
func Write(ctx context.Context, tx *store.Tx, components map[string]int64, doc Document, facts []Fact) error {
	for _, f := range facts {
		component, ok := components[f.RateID]
		if !ok {
			return fmt.Errorf("tax rate %s of document %d is not known", f.RateID, doc.ID)
		}
		id, err := tx.NewID(ctx)
		if err != nil {
			return err
		}
		line := f.LineID
		if line == 0 {
			line = doc.Lines[f.Line]
		}
		tx.Queue(`INSERT INTO tax_fact (id, component_id, entry_id, document_kind, document_id, line_id, direction, effective, currency, foreign_base, foreign_tax, base, tax)
			VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13)`,
			id, component, doc.Entry, doc.Kind, doc.ID, line, cmp.Or(doc.Direction, Collected), doc.Effective, doc.Currency, f.ForeignBase, f.ForeignTax, f.Base, f.Tax)
	}
	return nil
}

// OfDocuments returns the facts of documents by the entry that books them.
func OfDocuments(ctx context.Context, r store.Reader, ids []int64) (map[int64][]Fact, error) {
	out := map[int64][]Fact{}
	if len(ids) == 0 {
		return out, nil
	}
	rows, err := r.Query(ctx, `SELECT f.entry_id, c.rate_id, f.line_id, f.foreign_base, f.foreign_tax, f.base, f.tax
		FROM tax_fact f JOIN tax_component c ON c.id = f.component_id
		WHERE f.entry_id IN (SELECT id FROM entry WHERE document_id IN (`+store.In(len(ids), 1)+`)) ORDER BY f.id`, store.InArgs(nil, ids)...)
	if err != nil {
		return nil, fmt.Errorf("read tax facts: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var entry int64
		var f Fact
		if err := rows.Scan(&entry, &f.RateID, &f.LineID, &f.ForeignBase, &f.ForeignTax, &f.Base, &f.Tax); err != nil {
			return nil, err
		}
		out[entry] = append(out[entry], f)
	}
	return out, rows.Err()
}

// Reversed returns the facts that take facts back.
func Reversed(facts []Fact) []Fact {
	out := make([]Fact, len(facts))
	for i, f := range facts {
		f.ForeignBase, f.ForeignTax, f.Base, f.Tax = -f.ForeignBase, -f.ForeignTax, -f.Base, -f.Tax
		out[i] = f
	}
	return out
}
