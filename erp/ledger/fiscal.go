package ledger

import (
	"time"

	"comptoir/erp/fault"
)

// FiscalYearKind is the kind of document of the entries that close a fiscal
// year and open it again.
const FiscalYearKind = "fiscal_year"

// FiscalYear is a year of the accounts, named by the calendar year in which it
// ends.
type FiscalYear struct {
	Year  int    `json:"year"`
	First string `json:"first_day"` // YYYY-MM-DD
	Last  string `json:"last_day"`
}

// FiscalYearNamed returns the fiscal year of that name where fiscal years
// begin on start, a month and day such as "07-01"; "" means 1 January. A start
// that is not a day of every year is an Invalid fault.
func FiscalYearNamed(start string, year int) (FiscalYear, error) {
	if start == "" {
		start = "01-01"
	}
	// 2025 is no leap year, so 29 February is refused.
	month, err := time.Parse(time.DateOnly, "2025-"+start)
	if err != nil {
		return FiscalYear{}, fault.New(fault.Invalid, "write month and day, such as 01-01 or 07-01", "%q is not a day on which fiscal years can begin", start)
	}
	if year < 1000 || year > 9998 {
		return FiscalYear{}, fault.New(fault.Invalid, "write it with four digits, such as 2025", "%d is not a fiscal year", year)
	}
	first := time.Date(year, month.Month(), month.Day(), 0, 0, 0, 0, time.UTC)
	if start != "01-01" { // it ends in the year after the one in which it began
		first = first.AddDate(-1, 0, 0)
	}
	return FiscalYear{Year: year, First: first.Format(time.DateOnly), Last: first.AddDate(1, 0, -1).Format(time.DateOnly)}, nil
}

// FiscalYearOf returns the fiscal year in which a business date lies.
func FiscalYearOf(start, day string) (FiscalYear, error) {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return FiscalYear{}, fault.New(fault.Invalid, "write it as 2026-01-31", "%q is not a date", day)
	}
	y, err := FiscalYearNamed(start, t.Year())
	if err == nil && day > y.Last {
		y, err = FiscalYearNamed(start, t.Year()+1)
	}
	return y, err
}
