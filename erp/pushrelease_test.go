package erp_test

import (
	"testing"
	"time"

	"comptoir/erp/intake"
)

// The goods of an order that is refunded before it was shipped can be sold
// again. A shop puts them back into its own stock, or does not, and does not say
// which: in the end all have the same.
func TestWhetherARefundPutGoodsBackIsFoundOut(t *testing.T) {
	for name, back := range map[string]bool{"put back": true, "not put back": false} {
		t.Run(name, func(t *testing.T) {
			eachMarket(t, twoShops, func(t *testing.T, m *market) {
				m.stock("1", 10, "a", "b")
				m.begin()
				m.sell("a", "1", 3)
				m.rest()
				if got := m.shelf("1"); got != "a=7 b=7" {
					t.Fatalf("after the sale: %s", got)
				}
				m.now = m.now.Add(time.Hour)
				s := m.shops["a"]
				sold := s.orders[len(s.orders)-1]
				o := *sold.Body.(*intake.Order)
				o.State, o.RawStatus = intake.StateRefunded, "refunded"
				o.Refunds = []intake.Refund{{ID: "r1", At: m.now, Amount: o.Total, Full: true}}
				rec, err := intake.Seal(sold.Ref, m.now, &o, nil)
				if err != nil {
					t.Fatal(err)
				}
				s.orders = append(s.orders, rec)
				if back {
					s.has["1"] += 3
				}
				m.rest()
				m.whole()
				if got := m.shelf("1"); got != "a=10 b=10" {
					t.Errorf("in the end: %s", got)
				}
			})
		})
	}
}

// It is found out too where the books read with it that as many, or more, were
// sold meanwhile: what was taken in all tells nothing then.
func TestARefundIsFoundOutThoughOthersWereSoldMeanwhile(t *testing.T) {
	for name, first := range map[string]bool{"before": true, "after": false} {
		for _, sold := range []int64{3, 5} {
			t.Run(name, func(t *testing.T) {
				eachMarket(t, twoShops, func(t *testing.T, m *market) {
					m.stock("1", 10, "a", "b")
					m.begin()
					m.sell("a", "1", 3)
					m.rest()
					m.now = m.now.Add(time.Hour)
					s := m.shops["a"]
					order := s.orders[len(s.orders)-1]
					if first {
						m.sell("a", "1", sold)
					}
					o := *order.Body.(*intake.Order)
					o.State, o.RawStatus = intake.StateRefunded, "refunded"
					o.Refunds = []intake.Refund{{ID: "r1", At: m.now, Amount: o.Total, Full: true}}
					rec, err := intake.Seal(order.Ref, m.now, &o, nil)
					if err != nil {
						t.Fatal(err)
					}
					s.orders = append(s.orders, rec)
					if !first {
						m.sell("a", "1", sold)
					}
					m.push("a")
					m.whole()
					if got := s.has["1"]; got != 10-sold {
						t.Errorf("a has %d, and of ten %d were sold", got, sold)
					}
				})
			})
		}
	}
}

// An order that is refunded before it is read for the first time changes nothing
// in the books, and may have changed what the shop has.
func TestARefundOfAnOrderThatIsNewToTheBooksIsFoundOut(t *testing.T) {
	for name, edit := range map[string]func(*intake.Order, time.Time){
		"refunded": func(o *intake.Order, at time.Time) {
			o.State, o.RawStatus = intake.StateRefunded, "refunded"
			o.Refunds = []intake.Refund{{ID: "r1", At: at, Amount: o.Total, Full: true}}
		},
		"cancelled": func(o *intake.Order, at time.Time) {
			o.State, o.RawStatus, o.CancelledAt = intake.StateCancelled, "cancelled", at
		},
		"refunded in part": func(o *intake.Order, at time.Time) {
			o.Refunds = []intake.Refund{{ID: "r1", At: at, Amount: dec("5"), Lines: []intake.RefundLine{{LineID: "1", Quantity: dec("1"), Total: dec("5"), Restock: intake.RestockYes}}}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			eachMarket(t, twoShops, func(t *testing.T, m *market) {
				m.stock("1", 10, "a", "b")
				m.begin()
				m.rest()
				m.now = m.now.Add(time.Hour)
				m.sell("a", "1", 3)
				s := m.shops["a"]
				order := s.orders[len(s.orders)-1]
				o := *order.Body.(*intake.Order)
				edit(&o, m.now)
				rec, err := intake.Seal(order.Ref, m.now, &o, nil)
				if err != nil {
					t.Fatal(err)
				}
				s.orders[len(s.orders)-1] = rec
				m.pullOrders("a")
				m.whole()
				m.push("a")
				m.push("b")
				if a, b := s.has["1"], m.shops["b"].has["1"]; a != b {
					t.Errorf("a has %d, and b %d", a, b)
				}
				m.whole()
			})
		})
	}
}
