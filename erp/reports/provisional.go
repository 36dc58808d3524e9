package reports

import (
	"context"
	"time"

	"comptoir/erp/completeness"
)

// Provisional are the days of a report on which not all orders of a shop are
// known to be in the books: nobody has compared them yet, or something has
// changed since.
type Provisional struct {
	Shop string   `json:"shop"`
	Days []string `json:"days"` // YYYY-MM-DD, in their order; never empty
}

// provisional finds the days without a certificate, up to the day on which the
// report is made. Books without shops have none.
func (r *reading) provisional(ctx context.Context) error {
	if r.Now.IsZero() {
		return nil
	}
	type shop struct {
		id   int64
		name string
	}
	var shops []shop
	err := r.each(ctx, `SELECT id, name FROM shop WHERE id <> 0 AND ($1 = 0 OR id = $1) ORDER BY name`, []any{r.shop}, func(scan func(...any) error) error {
		var s shop
		err := scan(&s.id, &s.name)
		shops = append(shops, s)
		return err
	})
	if err != nil {
		return err
	}
	to := min(r.to(), r.Now.Format(time.DateOnly))
	for _, s := range shops {
		days, err := completeness.Provisional(ctx, r, s.id, r.Now.Location(), r.first(), to)
		if err != nil {
			return err
		}
		if len(days) > 0 {
			r.Provisional = append(r.Provisional, Provisional{Shop: s.name, Days: days})
		}
	}
	return nil
}

// first is the first day that the report is about. One that shows how things
// stand is about all days before.
func (r *reading) first() string {
	if r.pointInTime {
		return ""
	}
	return r.from()
}

// Ranges writes the days for people.
func (p Provisional) Ranges() []string {
	var out []string
	for _, days := range completeness.Ranges(p.Days) {
		out = append(out, days.String())
	}
	return out
}
