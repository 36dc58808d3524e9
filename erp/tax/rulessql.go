package tax

import (
	"context"
	"fmt"
	"strings"

	"comptoir/erp/store"
)

// LoadRules reads the rules that the books keep; there may be none.
func LoadRules(ctx context.Context, r store.Reader) (*Rules, error) {
	out := &Rules{Name: "of the books", Agencies: []Authority{}, Zones: []Zone{}, Rates: []Rate{}}
	for _, read := range []func(context.Context, store.Reader, *Rules) error{loadAgencies, loadZones, loadRates} {
		if err := read(ctx, r, out); err != nil {
			return nil, fmt.Errorf("read the tax rules: %w", err)
		}
	}
	return out, nil
}

func loadAgencies(ctx context.Context, r store.Reader, out *Rules) error {
	rows, err := r.Query(ctx, `SELECT code, name, period, account, collects FROM tax_agency ORDER BY code`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var a Authority
		var collects string
		if err := rows.Scan(&a.Code, &a.Name, &a.Period, &a.Account, &collects); err != nil {
			return err
		}
		a.Collects = strings.Fields(collects)
		out.Agencies = append(out.Agencies, a)
	}
	return rows.Err()
}

func loadZones(ctx context.Context, r store.Reader, out *Rules) error {
	rows, err := r.Query(ctx, `SELECT code, name, countries, regions, postcodes, home FROM tax_zone ORDER BY code`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var z Zone
		var countries, regions, postcodes string
		if err := rows.Scan(&z.Code, &z.Name, &countries, &regions, &postcodes, &z.Home); err != nil {
			return err
		}
		z.Countries, z.Regions, z.Postcodes = strings.Fields(countries), strings.Fields(regions), strings.Fields(postcodes)
		out.Zones = append(out.Zones, z)
	}
	return rows.Err()
}

func loadRates(ctx context.Context, r store.Reader, out *Rules) error {
	rows, err := r.Query(ctx, `SELECT zone, category, position, name, agency, rate_ppm, compound, valid_from, valid_to, recoverable_ppm
		FROM tax_rate ORDER BY zone, category, position, valid_from`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var x Rate
		if err := rows.Scan(&x.Zone, &x.Category, &x.Position, &x.Name, &x.Agency, &x.PPM, &x.Compound, &x.From, &x.To, &x.RecoverablePPM); err != nil {
			return err
		}
		out.Rates = append(out.Rates, x)
	}
	return rows.Err()
}

// Merge returns the rules with those of more added; what has the same code, or
// the same zone, category, position and first day, is replaced. The result is
// checked as a whole.
func (r *Rules) Merge(more *Rules) (*Rules, error) {
	out := &Rules{Name: more.Name}
	out.Agencies = merge(r.Agencies, more.Agencies, func(a Authority) string { return a.Code })
	out.Zones = merge(r.Zones, more.Zones, func(z Zone) string { return z.Code })
	out.Rates = merge(r.Rates, more.Rates, func(x Rate) string { return fmt.Sprint(x.Zone, "\x00", x.Category, "\x00", x.Position, "\x00", x.From) })
	return out, out.Check()
}

func merge[T any](have, more []T, key func(T) string) []T {
	at := make(map[string]int, len(have)+len(more))
	var out []T
	for _, list := range [][]T{have, more} {
		for _, x := range list {
			if i, ok := at[key(x)]; ok {
				out[i] = x
				continue
			}
			at[key(x)] = len(out)
			out = append(out, x)
		}
	}
	return out
}

// Save queues the rules, in the place of what has the same keys.
func (r *Rules) Save(tx *store.Tx) {
	for _, a := range r.Agencies {
		tx.Queue(`INSERT INTO tax_agency (code, name, period, account, collects) VALUES ($1,$2,$3,$4,$5)
			ON CONFLICT (code) DO UPDATE SET name = excluded.name, period = excluded.period, account = excluded.account, collects = excluded.collects`,
			a.Code, a.Name, a.Period, a.Account, strings.Join(a.Collects, " "))
	}
	for _, z := range r.Zones {
		tx.Queue(`INSERT INTO tax_zone (code, name, countries, regions, postcodes, home) VALUES ($1,$2,$3,$4,$5,$6)
			ON CONFLICT (code) DO UPDATE SET name = excluded.name, countries = excluded.countries, regions = excluded.regions, postcodes = excluded.postcodes, home = excluded.home`,
			z.Code, z.Name, strings.Join(z.Countries, " "), strings.Join(z.Regions, " "), strings.Join(z.Postcodes, " "), z.Home)
	}
	for _, x := range r.Rates {
		tx.Queue(`INSERT INTO tax_rate (zone, category, position, valid_from, valid_to, name, agency, rate_ppm, compound, recoverable_ppm) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10)
			ON CONFLICT (zone, category, position, valid_from) DO UPDATE SET valid_to = excluded.valid_to, name = excluded.name, agency = excluded.agency,
				rate_ppm = excluded.rate_ppm, compound = excluded.compound, recoverable_ppm = excluded.recoverable_ppm`,
			x.Zone, x.Category, x.Position, x.From, x.To, x.Name, x.Agency, x.PPM, x.Compound, x.RecoverablePPM)
	}
}

// Total is the tax of one agency in one direction.
type Total struct {
	Agency     string // as components name it
	Collected  int64
	Deductible int64
}

// Totals sums up the facts of each agency from one day to another, in minor
// units of the company's currency.
func Totals(ctx context.Context, r store.Reader, from, to string) ([]Total, error) {
	rows, err := r.Query(ctx, `SELECT c.agency, SUM(CASE WHEN f.direction = 'collected' THEN f.tax ELSE 0 END), SUM(CASE WHEN f.direction = 'deductible' THEN f.tax ELSE 0 END)
		FROM tax_fact f JOIN tax_component c ON c.id = f.component_id WHERE f.effective >= $1 AND f.effective <= $2 GROUP BY c.agency ORDER BY c.agency`, from, to)
	if err != nil {
		return nil, fmt.Errorf("sum up tax facts: %w", err)
	}
	defer rows.Close()
	var out []Total
	for rows.Next() {
		var t Total
		if err := rows.Scan(&t.Agency, &t.Collected, &t.Deductible); err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, rows.Err()
}
