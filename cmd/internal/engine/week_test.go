package engine_test

import (
	"os"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"comptoir/connectors/sandbox"
	"comptoir/erp/intake"
)

// schedules are those of a real shop.
var schedules = map[intake.Resource]string{
	intake.TaxRates: "@daily", intake.Gateways: "@daily", intake.ShippingMethods: "@daily",
	intake.Categories: "0 */4 * * *", intake.Coupons: "0 */4 * * *", intake.Customers: "0 */4 * * *",
	intake.Products: "0 */2 * * *", intake.Variants: "0 */2 * * *",
	intake.Orders: "*/30 * * * *", intake.Trash: "0 */2 * * *",
	intake.Locations: "0 */4 * * *", intake.Payouts: "0 */4 * * *",
}

// weeks is how many seeds are tried; a number in the environment asks for more.
func weeks() int {
	if n, err := strconv.Atoi(os.Getenv("COMPTOIR_TEST_WEEKS")); err == nil {
		return n
	}
	return 1
}

// A week of a shop that throttles, drops, repeats, reorders, lies about the
// time and is down for two days, while the clocks of its zone go back. At the
// end the books hold what the shop states.
func TestAWeekInASecond(t *testing.T) {
	newYork, err := time.LoadLocation("America/New_York") // the clocks go back on 1 November 2026
	if err != nil {
		t.Fatal(err)
	}
	for seed := range int64(weeks()) {
		onEachPlatform(t, sandbox.Options{Seed: seed, Orders: 60}, func(t *testing.T, o sandbox.Options) {
			t.Log("seed", seed)
			synctest.Test(t, func(t *testing.T) {
				b := newBox(t, o)
				b.bubbled()
				w := newWorld(t, b)
				w.shop.Schedules, w.shop.Location, w.shop.Jitter = map[intake.Resource]string{}, newYork, time.Minute
				for _, st := range b.Streams() {
					w.shop.Schedules[st.Resource] = schedules[st.Resource]
				}
				w.shop.Reread, w.shop.Sweep, w.shop.Retry = "0 3 * * *", "0 4 * * *", "@hourly"
				w.restart()
				stop := w.daemon()
				day := func(faults ...sandbox.Fault) {
					for _, f := range faults {
						b.Misbehave(f)
					}
					for range 24 {
						time.Sleep(time.Hour)
						b.Advance(time.Hour)
					}
					b.Behave()
				}
				day(sandbox.Fault{Name: "429", Chance: 0.3, RetryAfter: 20 * time.Second}, sandbox.Fault{Name: "500", Chance: 0.1})
				day(sandbox.Fault{Name: "cut", Chance: 0.2}, sandbox.Fault{Name: "html", Chance: 0.1})
				if o.Platform == sandbox.Shopify {
					day(sandbox.Fault{Name: "throttled", Chance: 0.2}, sandbox.Fault{Name: "internal", Chance: 0.1}, sandbox.Fault{Name: "error-beside", Chance: 0.1})
					day(sandbox.Fault{Name: "old-version"}, sandbox.Fault{Name: "new-status", Chance: 0.5}, sandbox.Fault{Name: "deprecated"})
				}
				b.EditOrderSilently("")
				day(sandbox.Fault{Name: "duplicate"}, sandbox.Fault{Name: "reorder"}, sandbox.Fault{Name: "notice", Chance: 0.5})
				day(sandbox.Fault{Name: "502"})
				day(sandbox.Fault{Name: "502"})
				stop() // an upgrade
				w.restart()
				stop = w.daemon()
				b.DeleteOrder("")
				day(sandbox.Fault{Name: "drift", Chance: 0.2}, sandbox.Fault{Name: "late", Delay: time.Minute, Chance: 0.1})
				day()
				time.Sleep(31 * time.Minute)
				if took := stop(); took > 20*time.Second {
					t.Errorf("it took %s to stop", took)
				}
				w.asTheShop(b)
				for _, r := range b.Streams() {
					if s := w.status(r.Resource); s.LastError != "" || s.LagSeconds < 0 {
						t.Errorf("%+v", s)
					}
				}
			})
		})
	}
}
