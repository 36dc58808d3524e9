// Package completeness proves, shop by shop and day by day, that the books have
// all orders of a shop: how many were placed, what they come to, and how many
// of them have which status, on both sides.
//
// A certificate holds as long as both sides were equal when they were compared
// and the books' side has not changed since. An order that comes late, or one
// whose status changes, so takes the certificate of its day away until the day
// is compared again.
package completeness

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"comptoir/erp/money"
	"comptoir/erp/store"
)

// Side is what a shop, or the books, have of the orders placed on one day.
type Side struct {
	Orders int `json:"orders"`
	// Totals are the sums of the orders' totals in minor units, by currency.
	Totals map[money.Currency]int64 `json:"totals"`
	// Statuses count the orders by the shop's own word for their status.
	Statuses map[string]int `json:"statuses"`
}

// text is the same for equal sides, and another one for others.
func (s *Side) text() string {
	if s == nil {
		s = &Side{Totals: map[money.Currency]int64{}, Statuses: map[string]int{}}
	}
	b, err := json.Marshal(s) // sorts the keys
	if err != nil {           // numbers and texts always can be written
		return ""
	}
	return string(b)
}

// Equal reports whether both sides have the same.
func (s *Side) Equal(other *Side) bool { return s.text() == other.text() }

// Days holds what one side has, by day (YYYY-MM-DD). A day without orders may
// be left out.
type Days map[string]*Side

// Add counts n orders of a day, which come to total in minor units.
func (d Days) Add(day, status string, currency money.Currency, n int, total int64) {
	s := d[day]
	if s == nil {
		s = &Side{Totals: map[money.Currency]int64{}, Statuses: map[string]int{}}
		d[day] = s
	}
	s.Orders += n
	s.Totals[currency] += total
	s.Statuses[status] += n
}

// DayOf returns the day of an instant.
func DayOf(t time.Time, zone *time.Location) string { return t.In(zone).Format(time.DateOnly) }

// Begin returns the first instant of a day: where the clock is put forward at
// midnight that is one in the morning, and where it is put back then the earlier
// of two midnights.
func Begin(day string, zone *time.Location) (time.Time, error) {
	t, err := time.ParseInLocation(time.DateOnly, day, zone)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is no day: %w", day, err)
	}
	for DayOf(t, zone) < day {
		t = t.Add(slot)
	}
	for DayOf(t.Add(-slot), zone) >= day {
		t = t.Add(-slot)
	}
	return t, nil
}

// Shift returns the day that is so many days after another one, or before it
// where n is negative.
func Shift(day string, n int) (string, error) {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return "", fmt.Errorf("%q is no day: %w", day, err)
	}
	return t.AddDate(0, 0, n).Format(time.DateOnly), nil
}

// Between lists the days from one to another, both inclusive; none where the
// second comes first.
func Between(from, to string) ([]string, error) {
	var days []string
	for day := from; day <= to; {
		next, err := Shift(day, 1)
		if err != nil {
			return nil, err
		}
		days = append(days, day)
		day = next
	}
	return days, nil
}

// slot is the time within which no zone's day ends: the offsets of all zones
// are multiples of it.
const slot = 15 * time.Minute

// OfBooks returns what the books have of a shop's orders from one day to
// another, both inclusive.
func OfBooks(ctx context.Context, r store.Reader, shop int64, zone *time.Location, from, to string) (Days, error) {
	days := Days{}
	first, err := Begin(from, zone)
	if err != nil {
		return nil, err
	}
	after, err := Shift(to, 1)
	if err != nil {
		return nil, err
	}
	end, err := Begin(after, zone)
	if err != nil {
		return nil, err
	}
	rows, err := r.Query(ctx, `SELECT placed_at / $4, raw_status, currency, COUNT(*), SUM(total) FROM sales_order
		WHERE shop_id = $1 AND NOT deleted AND placed_at >= $2 AND placed_at < $3 GROUP BY 1, 2, 3`,
		shop, store.Micros(first), store.Micros(end), slot.Microseconds())
	if err != nil {
		return nil, fmt.Errorf("count the orders of each day: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var at, total int64
		var n int
		var status string
		var currency money.Currency
		if err := rows.Scan(&at, &status, &currency, &n, &total); err != nil {
			return nil, fmt.Errorf("count the orders of each day: %w", err)
		}
		days.Add(DayOf(time.UnixMicro(at*slot.Microseconds()), zone), status, currency, n, total)
	}
	return days, rows.Err()
}

// FirstDay returns the day of the first order that the books have of a shop; ""
// where they have none.
func FirstDay(ctx context.Context, r store.Reader, shop int64, zone *time.Location) (string, error) {
	var at int64
	err := r.QueryRow(ctx, `SELECT COALESCE(MIN(placed_at), 0) FROM sales_order WHERE shop_id = $1 AND NOT deleted AND placed_at > 0`, shop).Scan(&at)
	if err != nil || at == 0 {
		return "", err
	}
	return DayOf(store.FromMicros(at), zone), nil
}

// Certificate is how the two sides of one day compared.
type Certificate struct {
	Day        string    `json:"day"`
	Shop       *Side     `json:"shop"`
	Books      *Side     `json:"books"`
	VerifiedAt time.Time `json:"verified_at"`
	// Holds: both sides are equal, and the books' side has not changed since.
	Holds bool `json:"holds"`
}

// Save queues the certificates of days that were compared whole.
func Save(tx *store.Tx, shop int64, days []string, ofShop, ofBooks Days, now time.Time) {
	for _, day := range days {
		tx.Queue(`INSERT INTO certificate (shop_id, day, shop_side, books_side, verified_at) VALUES ($1,$2,$3,$4,$5)
			ON CONFLICT (shop_id, day) DO UPDATE SET shop_side = excluded.shop_side, books_side = excluded.books_side, verified_at = excluded.verified_at`,
			shop, day, ofShop[day].text(), ofBooks[day].text(), store.Micros(now))
	}
}

// Read returns the certificates of a shop from one day to another, both
// inclusive, in their order.
func Read(ctx context.Context, r store.Reader, shop int64, zone *time.Location, from, to string) ([]Certificate, error) {
	now, err := OfBooks(ctx, r, shop, zone, from, to)
	if err != nil {
		return nil, err
	}
	rows, err := r.Query(ctx, `SELECT day, shop_side, books_side, verified_at FROM certificate WHERE shop_id = $1 AND day >= $2 AND day <= $3 ORDER BY day`, shop, from, to)
	if err != nil {
		return nil, fmt.Errorf("read certificates: %w", err)
	}
	defer rows.Close()
	var out []Certificate
	for rows.Next() {
		var c Certificate
		var ofShop, ofBooks string
		var at int64
		if err := rows.Scan(&c.Day, &ofShop, &ofBooks, &at); err != nil {
			return nil, fmt.Errorf("read certificates: %w", err)
		}
		err := json.Unmarshal([]byte(ofShop), &c.Shop)
		if err == nil {
			err = json.Unmarshal([]byte(ofBooks), &c.Books)
		}
		if err != nil {
			return nil, fmt.Errorf("read the certificate of %s: %w", c.Day, err)
		}
		c.VerifiedAt = store.FromMicros(at)
		c.Holds = ofShop == ofBooks && ofBooks == now[c.Day].text()
		out = append(out, c)
	}
	return out, rows.Err()
}

// Provisional lists the days of a shop without a certificate that holds, from
// its first order or the day given, whichever is later, to the day given.
func Provisional(ctx context.Context, r store.Reader, shop int64, zone *time.Location, from, to string) ([]string, error) {
	first, err := FirstDay(ctx, r, shop, zone)
	if err != nil || first == "" {
		return nil, err
	}
	from = max(from, first)
	if from > to {
		return nil, nil
	}
	days, err := Between(from, to)
	if err != nil {
		return nil, err
	}
	certificates, err := Read(ctx, r, shop, zone, from, to)
	if err != nil {
		return nil, err
	}
	holds := map[string]bool{}
	for _, c := range certificates {
		holds[c.Day] = c.Holds
	}
	var open []string
	for _, day := range days {
		if !holds[day] {
			open = append(open, day)
		}
	}
	return open, nil
}

// Range is days in a row, both ends inclusive.
type Range struct{ From, To string }

// Ranges joins days that follow each other. They are in order.
func Ranges(days []string) []Range {
	var out []Range
	for _, day := range days {
		if n := len(out); n > 0 {
			if next, err := Shift(out[n-1].To, 1); err == nil && next == day {
				out[n-1].To = day
				continue
			}
		}
		out = append(out, Range{day, day})
	}
	return out
}

// String writes the range for people.
func (r Range) String() string {
	if r.From == r.To {
		return r.From
	}
	return r.From + " – " + r.To
}
