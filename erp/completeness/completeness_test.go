package completeness_test

import (
	"testing"
	"time"

	"comptoir/erp/completeness"
)

// Where the clock is changed at midnight a day begins at one, or has two
// midnights.
func TestADayBeginsWhenTheDateChanges(t *testing.T) {
	for _, tt := range []struct{ zone, day, begins, last string }{
		{"UTC", "2026-03-29", "2026-03-29T00:00:00Z", "2026-03-28"},
		{"Europe/Paris", "2026-03-29", "2026-03-28T23:00:00Z", "2026-03-28"},
		{"America/Santiago", "2024-09-08", "2024-09-08T04:00:00Z", "2024-09-07"},
		{"America/Santiago", "2024-04-07", "2024-04-07T04:00:00Z", "2024-04-06"},
		{"America/Havana", "2024-03-10", "2024-03-10T05:00:00Z", "2024-03-09"},
		{"America/Havana", "2024-11-03", "2024-11-03T04:00:00Z", "2024-11-02"},
		{"Africa/Cairo", "2024-04-26", "2024-04-25T22:00:00Z", "2024-04-25"},
		{"Atlantic/Azores", "2024-10-27", "2024-10-27T00:00:00Z", "2024-10-26"},
	} {
		zone, err := time.LoadLocation(tt.zone)
		if err != nil {
			t.Fatal(err)
		}
		at, err := completeness.Begin(tt.day, zone)
		if err != nil || at.UTC().Format(time.RFC3339) != tt.begins {
			t.Errorf("%s in %s begins at %v, %v; want %s", tt.day, tt.zone, at.UTC(), err, tt.begins)
		}
		if got := completeness.DayOf(at, zone); got != tt.day {
			t.Errorf("%s in %s begins on %s", tt.day, tt.zone, got)
		}
		if got := completeness.DayOf(at.Add(-time.Nanosecond), zone); got != tt.last {
			t.Errorf("before %s in %s comes %s", tt.day, tt.zone, got)
		}
		if got, err := completeness.Shift(tt.day, -1); err != nil || got != tt.last {
			t.Errorf("the day before %s is %s, %v", tt.day, got, err)
		}
		if got, err := completeness.Shift(tt.last, 1); err != nil || got != tt.day {
			t.Errorf("the day after %s is %s, %v", tt.last, got, err)
		}
	}
}
