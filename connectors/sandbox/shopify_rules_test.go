package sandbox

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// An app sees what its rights allow: no more, and no error for what is hidden
// by age.
func TestRightsDecideWhatIsSeen(t *testing.T) {
	o := Options{Seed: 9, Orders: 300, Platform: Shopify}
	all := New(o)
	var oldest string
	for _, order := range all.orders {
		if all.shows(order) {
			oldest = plainGid("Order", order.id)
			break
		}
	}
	const document = `query($id: ID!) { order(id: $id) { id } node(id: $id) { id } ordersCount(limit: null) { count } orders(first: 250) { nodes { id createdAt } } }`
	read := func(scopes ...string) (a *said, got struct {
		Order, Node *struct{ ID string }
		OrdersCount struct{ Count int }
		Orders      struct {
			Nodes []struct {
				ID        string
				CreatedAt time.Time
			}
		}
	}) {
		o.Scopes = scopes
		a = asking(t, New(o), document, map[string]any{"id": oldest})
		if len(a.Errors) == 0 {
			decode(t, a.Data, &got)
		}
		return a, got
	}
	_, whole := read("read_orders", "read_all_orders")
	if whole.Order == nil || whole.Node == nil || whole.OrdersCount.Count < 250 || len(whole.Orders.Nodes) != 250 {
		t.Errorf("with the right to all orders: %+v", whole)
	}
	_, recent := read("read_orders")
	if recent.Order != nil || recent.Node != nil || recent.OrdersCount.Count != len(recent.Orders.Nodes) || recent.OrdersCount.Count == 0 {
		t.Errorf("without it: %v %v, %d of %d", recent.Order, recent.Node, len(recent.Orders.Nodes), recent.OrdersCount.Count)
	}
	for _, n := range recent.Orders.Nodes {
		if n.CreatedAt.Before(all.Clock().Add(-orderWindow)) {
			t.Errorf("%s of %s is seen", n.ID, n.CreatedAt)
		}
	}
	if a, _ := read("read_products"); string(a.Data) != "null" || !slices.Contains(a.codes(), "ACCESS_DENIED") {
		t.Errorf("without a right to orders: %s %+v", a.Data, a.Errors)
	}
	o.Scopes = []string{"read_orders"}
	a := asking(t, New(o), `{ orders(first: 3) { nodes { id customer { id } } } }`, nil)
	if len(a.Errors) != 3 || fmt.Sprint(a.Errors[1].Path) != "[orders nodes 1 customer]" || string(a.Data) == "null" {
		t.Errorf("without the right to customers: %s %+v", a.Data, a.Errors)
	}
}

// Protected customer data is null, each with an error that says where.
func TestProtectedCustomerDataIsDenied(t *testing.T) {
	s := New(Options{Seed: 9, Orders: 30, Platform: Shopify})
	s.Misbehave(Fault{Name: "denied"})
	a := asking(t, s, `{ orders(first: 1) { nodes { name email customer { id } shippingAddress { city } } } }`, nil)
	var got struct {
		Orders struct{ Nodes []map[string]any }
	}
	decode(t, a.Data, &got)
	n := got.Orders.Nodes[0]
	if n["email"] != nil || n["customer"] != nil || n["shippingAddress"] != nil || n["name"] == nil || len(a.Errors) != 3 ||
		fmt.Sprint(a.Errors[0].Path) != "[orders nodes 0 email]" {
		t.Errorf("%v %+v", n, a.Errors)
	}
}

func TestUnknownStatusIsStated(t *testing.T) {
	s := New(Options{Seed: 9, Orders: 30, Platform: Shopify})
	s.Misbehave(Fault{Name: "new-status"})
	a := asking(t, s, `{ orders(first: 2) { nodes { displayFulfillmentStatus } } }`, nil)
	if want := `{"orders":{"nodes":[{"displayFulfillmentStatus":"RECENTLY_ADDED"},{"displayFulfillmentStatus":"RECENTLY_ADDED"}]}}`; string(a.Data) != want {
		t.Errorf("%s", a.Data)
	}
}
