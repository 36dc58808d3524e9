package ledger

import (
	"context"
	"fmt"
	"time"

	"comptoir/erp/fault"
	"comptoir/erp/store"
)

// LockDate reads the last day of the locked period, "" where no day is locked.
// Nothing is posted at or before it.
func LockDate(ctx context.Context, r store.Reader) (string, error) {
	var day string
	err := r.QueryRow(ctx, `SELECT day FROM period_lock WHERE id = 1`).Scan(&day)
	if err != nil {
		return "", fmt.Errorf("read the lock date: %w", err)
	}
	return day, nil
}

// Unlocked returns a business date, or the first one after the locked period
// where it lies in it.
func Unlocked(lock, day string) string {
	if lock == "" || day > lock {
		return day
	}
	return DayAfter(lock)
}

// DayAfter returns the day after a business date, and the date itself where it
// is none.
func DayAfter(day string) string { return addDays(day, 1) }

// DayBefore returns the day before a business date, and the date itself where
// it is none.
func DayBefore(day string) string { return addDays(day, -1) }

func addDays(day string, n int) string {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return day
	}
	return t.AddDate(0, 0, n).Format(time.DateOnly)
}

// Lock returns the lock date that holds in the Poster's transaction. It is
// read once.
func (p *Poster) Lock(ctx context.Context) (string, error) {
	if p.lock == nil {
		day, err := LockDate(ctx, p.tx)
		if err != nil {
			return "", err
		}
		p.lock = &day
	}
	return *p.lock, nil
}

// open refuses a day in the locked period.
func (p *Poster) open(ctx context.Context, e *Entry) error {
	lock, err := p.Lock(ctx)
	if err != nil {
		return err
	}
	if lock == "" || e.Effective > lock {
		return nil
	}
	return fault.New(fault.Locked,
		fmt.Sprintf("date it %s or later, or open the period first: comptoir period unlock %s --reason TEXT", DayAfter(lock), e.Effective),
		"entry %s is dated %s, and the books are locked until %s", e.Cause, e.Effective, lock)
}
