package erp_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"comptoir/erp"
	"comptoir/erp/intake"
	"comptoir/erp/outbox"
	"comptoir/erp/purchasing"
	"comptoir/erp/reports"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

var twoShops = map[string]outbox.Policy{"a": ownsStock(), "b": ownsStock()}

func TestASaleInOneShopLowersTheStockInTheOther(t *testing.T) {
	eachMarket(t, twoShops, func(t *testing.T, m *market) {
		m.stock("1", 10, "a", "b")
		m.begin()
		for _, s := range m.names {
			if told := m.push(s); len(told) > 0 {
				t.Errorf("%s has what it is to have, and was told %q", s, told)
			}
		}
		m.now = m.now.Add(time.Minute)
		m.sell("a", "1", 3)
		m.pullOrders("a")
		m.whole()
		if told := m.push("a"); len(told) > 0 {
			t.Errorf("a sold them itself, and was told %q", told)
		}
		if told := m.push("b"); fmt.Sprint(told) != "[SKU-1=7 done]" {
			t.Errorf("b was told %q", told)
		}
		if got := m.shelf("1"); got != "a=7 b=7" {
			t.Errorf("the shops have %s", got)
		}
		m.whole()
	})
}

func TestAnEchoIsNoNews(t *testing.T) {
	eachMarket(t, twoShops, func(t *testing.T, m *market) {
		m.stock("1", 10, "a", "b")
		m.begin()
		m.sell("a", "1", 3)
		m.rest()
		m.now = m.now.Add(time.Minute)
		receipt, err := m.Receive(ctx, erp.Stream{Shop: "b", Resource: intake.Products}, []intake.Record{m.product(m.shops["b"], "1")}, nil)
		if err != nil || receipt.Applied != 0 {
			t.Errorf("what b was told came back and was applied: %+v, %v", receipt, err)
		}
		if standing, err := m.Outbox(ctx, "b"); err != nil || standing.Waiting != 0 {
			t.Errorf("an echo queued %+v, %v", standing, err)
		}
	})
}

func TestWhatSomebodyCountsInAShopIsPutBack(t *testing.T) {
	eachMarket(t, twoShops, func(t *testing.T, m *market) {
		m.stock("1", 10, "a", "b")
		m.begin()
		m.rest()
		m.now = m.now.Add(time.Minute)
		m.stock("1", 25, "b")
		m.now = m.now.Add(time.Minute)
		m.pullGoods("b")
		m.whole()
		if told := m.push("b"); fmt.Sprint(told) != "[SKU-1=10 done]" {
			t.Errorf("b was told %q", told)
		}
	})
}

func TestASaleWhileItsNumberIsOverwrittenIsFoundOut(t *testing.T) {
	eachMarket(t, twoShops, func(t *testing.T, m *market) {
		m.shops["b"].overwrite = true
		m.stock("1", 10, "a", "b")
		m.begin()
		m.now = m.now.Add(time.Minute)
		m.sell("a", "1", 3)
		m.pullOrders("a")
		m.push("b", func() { m.sell("b", "1", 2) })
		if got := m.shelf("1"); got != "a=7 b=7" {
			t.Fatalf("b does not know what it sold: %s", got)
		}
		m.rest()
		if got := m.shelf("1"); got != "a=5 b=5" {
			t.Errorf("the shops have %s", got)
		}
		m.whole()
		report, err := reports.Run(ctx, m.Reader(), "stock", reports.Params{Now: m.now})
		if err != nil || fmt.Sprintf(report.Notes[0].Text, report.Notes[0].Args...) != "b could have sold unseen for 2s at most while its numbers were overwritten in the last day, and its orders took 2 units then." {
			t.Errorf("the report says %+v, %v", report.Notes, err)
		}
		if got := report.Sections[0].Rows[0][7].Number; got != 2000 {
			t.Errorf("%d thousandths were sold while overwritten", got)
		}
	})
}

func TestAShareAndALimitKeepStockFromAShop(t *testing.T) {
	eachMarket(t, map[string]outbox.Policy{"a": ownsStock(), "b": ownsStock(func(p *outbox.Policy) { p.Share = 50 }), "c": ownsStock(func(p *outbox.Policy) { p.Cap = 3 })}, func(t *testing.T, m *market) {
		m.stock("1", 11, "a", "b", "c")
		m.begin()
		m.rest()
		if got := m.shelf("1"); got != "a=11 b=5 c=3" {
			t.Errorf("the shops have %s", got)
		}
	})
}

func TestAShopThatDecidesItselfIsToldNothing(t *testing.T) {
	eachMarket(t, map[string]outbox.Policy{"a": ownsStock(), "b": {On: true, Share: 100, Owners: outbox.DefaultOwners(false)}}, func(t *testing.T, m *market) {
		m.stock("1", 10, "a", "b")
		m.begin()
		m.sell("a", "1", 3)
		m.rest()
		if standing, err := m.Outbox(ctx, "b"); err != nil || standing.Waiting != 0 || m.shops["b"].calls != 0 {
			t.Errorf("b: %+v, %v, %d calls", standing, err, m.shops["b"].calls)
		}
	})
}

// TestShopsComeToAgree has shops sell, count and be told at random, with the
// books reading one or the other: nothing that is due lacks its message, and at
// rest the shops have what is available.
func TestShopsComeToAgree(t *testing.T) {
	m := openMarket(t, "", twoShops)
	m.begin()
	round := 0
	rapid.Check(t, func(rt *rapid.T) {
		round++
		m.t = rt
		m.now = m.now.Add(24 * time.Hour)
		m.forget()
		m.shops["b"].overwrite = rapid.Bool().Draw(rt, "overwrites")
		available := map[string]int64{fmt.Sprint(round, "0"): 50, fmt.Sprint(round, "1"): 5}
		things := slices.Sorted(maps.Keys(available))
		for id, n := range available {
			m.stock(id, n, m.names...)
		}
		m.pull()
		sell := func(shop, id string, n int64) {
			m.sell(shop, id, n)
			available[id] -= n
		}
		for step := range rapid.IntRange(1, 10).Draw(rt, "steps") {
			m.now = m.now.Add(time.Duration(rapid.IntRange(0, 90).Draw(rt, "seconds")) * time.Second)
			shop, id := rapid.SampledFrom(m.names).Draw(rt, "shop"), rapid.SampledFrom(things).Draw(rt, "thing")
			n := rapid.Int64Range(1, 3).Draw(rt, "units")
			switch rapid.SampledFrom([]string{"sell", "sell", "count", "pull goods", "pull orders", "push", "sell while pushed"}).Draw(rt, "step") {
			case "sell":
				sell(shop, id, n)
			case "count":
				m.stock(id, int64(1000+step), shop) // what it had before would be no news
			case "pull goods":
				m.pullGoods(shop)
			case "pull orders":
				m.pullOrders(shop)
			case "push":
				m.push(shop)
			case "sell while pushed":
				m.push(shop, func() { sell(shop, id, n) })
			}
		}
		m.whole()
		m.rest()
		for id, want := range available {
			for _, s := range m.names {
				if has := max(m.shops[s].has[id], 0); has != max(want, 0) {
					rt.Fatalf("%s has %d of %s, %d are available", s, has, id, want)
				}
			}
		}
		m.whole()
	})
}

// TestWhateverChangesTheStockIsInTheOutbox has orders be paid, edited, refunded,
// cancelled and shipped, stock be bought, counted and kept back at random. The
// shop takes what it is told at once, so each change needs a message of its own.
func TestWhateverChangesTheStockIsInTheOutbox(t *testing.T) {
	eachMarket(t, map[string]outbox.Policy{"atelier": ownsStock(), "boutique": ownsStock(func(p *outbox.Policy) { p.Share = 70 })}, func(t *testing.T, m *market) {
		m.stock("7", 100, "atelier", "boutique")
		m.begin()
		n := 0
		rapid.Check(t, func(rt *rapid.T) {
			m.t = rt
			n++
			shop := rapid.SampledFrom(m.names).Draw(rt, "shop")
			for i, o := range history(rt) {
				m.now = m.now.Add(time.Minute)
				rec, err := intake.Seal(intake.Ref{Kind: intake.KindOrder, ID: fmt.Sprint("h", n)}, m.now, o, []byte(fmt.Sprint(i)))
				if err != nil {
					rt.Fatal(err)
				}
				if _, err := m.Receive(ctx, erp.Stream{Shop: shop, Resource: intake.Orders}, []intake.Record{rec}, nil); err != nil {
					rt.Fatal(err)
				}
				switch rapid.IntRange(0, 5).Draw(rt, "meanwhile") {
				case 0:
					if _, err := m.AdjustStock(ctx, "SKU-7", dec("3"), "counted"); err != nil {
						rt.Fatal(err)
					}
				case 1:
					if _, err := m.SetSafety(ctx, "SKU-7", decimal.NewFromInt(rapid.Int64Range(0, 4).Draw(rt, "safety"))); err != nil {
						rt.Fatal(err)
					}
				case 2:
					if _, err := m.CashPurchase(ctx, purchasing.Document{Kind: purchasing.Cash, Date: "2026-03-20", PaidFrom: "cash", Lines: []purchasing.Line{{SKU: "SKU-7", Quantity: dec("2"), Net: dec("5")}}}); err != nil {
						rt.Fatal(err)
					}
				}
				if rapid.IntRange(0, 9).Draw(rt, "looked at") == 0 {
					m.whole()
				}
				for _, s := range m.names {
					m.drain(s)
				}
			}
		})
		m.t = t
		m.whole()
	})
}

// TestAShopThatComesLaterSharesWhatIsThere has a second shop come when the stock
// was taken over from the first: what it had sold before that is not taken off
// once more, what it sold since is.
func TestAShopThatComesLaterSharesWhatIsThere(t *testing.T) {
	eachMarket(t, twoShops, func(t *testing.T, m *market) {
		m.stock("1", 10, "a")
		m.now = m.now.Add(-48 * time.Hour)
		m.sell("b", "1", 2) // before a was counted
		m.now = m.now.Add(48 * time.Hour)
		m.names = []string{"a"}
		m.pullGoods("a")
		if _, err := m.Link(ctx, "a", "b"); err != nil {
			t.Fatal(err)
		}
		if _, err := m.Settle(ctx, "a", m.now, m.now, "b"); err != nil {
			t.Fatal(err)
		}
		m.now = m.now.Add(time.Hour)
		m.sell("a", "1", 1)
		m.rest()
		m.now = m.now.Add(time.Hour)
		m.sell("b", "1", 4) // since
		m.names = []string{"a", "b"}
		m.stock("1", 30, "b")
		m.begin()
		m.rest()
		if got := m.shelf("1"); got != "a=5 b=5" {
			t.Errorf("the shops have %s, ten less one less four are there", got)
		}
		m.whole()
	})
}

func TestWhatAShopIsToHaveFollowsItsShare(t *testing.T) {
	eachMarket(t, map[string]outbox.Policy{"a": ownsStock(), "b": {}}, func(t *testing.T, m *market) {
		m.stock("1", 10, "a")
		m.stock("1", 8, "b")
		m.begin()
		m.rest()
		if got := m.shelf("1"); got != "a=10 b=8" {
			t.Fatalf("the shops have %s", got)
		}
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
		m.connect(map[string]outbox.Policy{"a": ownsStock(func(p *outbox.Policy) { p.Share = 50 }), "b": ownsStock()})
		m.compare()
		m.whole()
		m.rest()
		if got := m.shelf("1"); got != "a=5 b=10" {
			t.Errorf("the shops have %s", got)
		}
		m.whole()
		if queued, err := m.Compare(ctx, "a"); err != nil || queued != 0 {
			t.Errorf("%d messages are queued of what a has, %v", queued, err)
		}
	})
}

func TestWhatChangesWhileAShopIsSentNothingIsToldAfterwards(t *testing.T) {
	off := ownsStock()
	off.On = false
	for name, meanwhile := range map[string]map[string]outbox.Policy{"switched off": {"a": ownsStock(), "b": off}, "taken out": {"a": ownsStock()}} {
		t.Run(name, func(t *testing.T) {
			eachMarket(t, twoShops, func(t *testing.T, m *market) {
				m.stock("1", 10, "a", "b")
				m.begin()
				m.rest()
				reopen := func(policies map[string]outbox.Policy) {
					if err := m.Close(); err != nil {
						t.Fatal(err)
					}
					m.now = m.now.Add(time.Minute)
					m.connect(policies)
				}
				reopen(meanwhile)
				m.sell("a", "1", 3)
				m.pullOrders("a")
				reopen(twoShops)
				m.compare() // as a pass does
				if told := m.push("b"); fmt.Sprint(told) != "[SKU-1=7 done]" {
					t.Errorf("b was told %q", told)
				}
				m.whole()
			})
		})
	}
}
