package engine_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"comptoir/connectors"
	"comptoir/erp/intake"
)

// trade makes the shop take an order in each hour from nine to six, from
// Monday to Friday, for so many days from midnight on.
func trade(t *testing.T, s *shelf, days int) {
	for range days * 24 {
		now := time.Now().UTC()
		if h := now.Hour(); h >= 9 && h < 18 && now.Weekday() != time.Saturday && now.Weekday() != time.Sunday {
			s.put(intake.Orders, order(t, fmt.Sprint(now.Unix()), intake.StateOpen, 0))
		}
		time.Sleep(time.Hour)
	}
}

func TestSilenceOfABusyShopRaisesOneAlarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(48 * time.Hour) // to Monday 3 January 2000
		s := newShelf(sortedOrders)
		w := newWorld(t, s)
		w.shop.Schedules = map[intake.Resource]string{intake.Orders: "*/30 * * * *"}
		w.restart()
		stop := w.daemon()
		alarms := func() int { return strings.Count(w.log.String(), "has brought no new orders") }

		trade(t, s, 2*7)
		if got := alarms(); got != 0 {
			t.Errorf("nights and weekends raised %d alarms", got)
		}
		time.Sleep(30 * time.Hour) // Tuesday morning; from Friday evening to Monday morning it was silent for 64 hours
		if got := w.status(intake.Orders).Alarm; got != "" {
			t.Errorf("an alarm after less than the usual time and a half: %s", got)
		}
		time.Sleep(48 * time.Hour)
		if got := w.status(intake.Orders).Alarm; !strings.Contains(got, "shop atelier has brought no new orders for") {
			t.Errorf("no alarm on Thursday, but %q", got)
		}
		if got := alarms(); got != 1 {
			t.Errorf("the silence was logged %d times", got)
		}
		s.put(intake.Orders, order(t, "last", intake.StateOpen, 0))
		time.Sleep(31 * time.Minute)
		if got := w.status(intake.Orders).Alarm; got != "" {
			t.Errorf("the alarm goes on: %s", got)
		}
		stop()
	})
}

func TestWhatIsNoSilence(t *testing.T) {
	for _, tt := range []struct {
		name string
		then func(t *testing.T, s *shelf)
	}{
		{"a shop that cannot be reached", func(t *testing.T, s *shelf) { s.answers(transient) }},
		{"a shop that goes on as ever", func(t *testing.T, s *shelf) { trade(t, s, 7) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(48 * time.Hour)
				s := newShelf(sortedOrders)
				w := newWorld(t, s)
				w.shop.Schedules = map[intake.Resource]string{intake.Orders: "*/30 * * * *"}
				w.restart()
				stop := w.daemon()
				trade(t, s, 8)
				tt.then(t, s)
				time.Sleep(10 * time.Minute)
				if got := w.status(intake.Orders).Alarm; got != "" {
					t.Errorf("got %s", got)
				}
				stop()
			})
		})
	}
}

func TestAQuietResourceRaisesNoAlarmUnlessItIsAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf(sortedOrders, connectors.Stream{Resource: intake.Coupons, Sorted: true})
		s.fillOrders(t, 5)
		w := newWorld(t, s)
		w.shop.Schedules = map[intake.Resource]string{intake.Orders: "@hourly", intake.Coupons: "@hourly"}
		w.restart()
		stop := w.daemon()
		time.Sleep(10 * 24 * time.Hour)
		stop()
		if got := w.status(intake.Orders).Alarm; got != "" {
			t.Errorf("five orders and ten days of nothing: %s", got)
		}
		w.shop.Silence = 7 * 24 * time.Hour
		w.restart()
		if got := w.status(intake.Orders).Alarm; !strings.Contains(got, "no new orders for 2") {
			t.Errorf("with a limit of a week: %q", got)
		}
		if got := w.status(intake.Coupons).Alarm; got != "" {
			t.Errorf("a resource that never brought anything: %s", got)
		}
	})
}
