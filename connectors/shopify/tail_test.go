package shopify

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"comptoir/connectors"
	"comptoir/connectors/sandbox"
	"comptoir/erp/intake"
)

// runOf reads a run of orders to its end: the ids of all pages, and of the last.
func runOf(t *testing.T, c *Connector, from connectors.Cursor) (all, last []string, next connectors.Cursor) {
	t.Helper()
	for {
		page, err := c.Pull(t.Context(), intake.Orders, from)
		if err != nil {
			t.Fatal(err)
		}
		last = nil
		for _, rec := range page.Records {
			last = append(last, rec.Ref.ID)
		}
		all = append(all, last...)
		if from = page.Next; !page.More {
			return all, last, from
		}
	}
}

// A sale of this very second is stated with the run that follows it, although
// the window ends half a minute earlier; and again with the next run, which is
// the one that the cursor vouches for.
func TestOrdersOfTheLastMomentsAreStatedAtOnceAndOnceMore(t *testing.T) {
	shop, c := boxed(t, sandbox.Options{}, func(s *sandbox.Shop, cfg *Config, env *connectors.Env) {
		cfg.Bulk, cfg.PageSize, env.Now = BulkNever, 5, s.Clock
		s.Advance(5 * time.Minute)
		s.HoldClock()
	})
	young := shop.Add(intake.Orders)
	all, last, next := runOf(t, c, nil)
	if !slices.Contains(last, young) {
		t.Errorf("the last page has %v, without the order %s of this second", last, young)
	}
	if n := len(slices.DeleteFunc(slices.Clone(all), func(id string) bool { return id != young })); n != 1 {
		t.Errorf("the run states the order %d times", n)
	}
	if got, want := c.readCursor(intake.Orders, next).Since, shop.Clock().Add(-clockMargin-c.cfg.Overlap).Unix(); got != want {
		t.Errorf("the next window begins at %v, want %v", instantOf(got), instantOf(want))
	}
	shop.Advance(10 * time.Minute)
	if all, _, _ = runOf(t, c, next); !slices.Contains(all, young) {
		t.Errorf("the next run has %v, without %s", all, young)
	}
}

// An order that is deleted while it is read spoils nothing but the tail.
func TestRunIsWholeWithoutItsTail(t *testing.T) {
	for name, gone := range map[string]string{
		"the order":        "null",
		"a part of it":     fmt.Sprintf(`{"id": "gid://shopify/Order/9", "updatedAt": %q, "fulfillments": [{"id": "gid://shopify/Fulfillment/5", "status": "SUCCESS", "totalQuantity": 1}]}`, noon.Format(time.RFC3339)),
		"what was in view": `{"id": "gid://shopify/Order/8"}`,
	} {
		shop := newListShop()
		shop.other = func(op string, vars map[string]any) (string, bool) {
			switch ids, _ := vars["ids"].([]any); {
			case op == "orders":
				return `{"orders":{"nodes":[],"pageInfo":{"hasNextPage":false}}}`, true
			case op == "order_ids":
				return `{"orders":{"nodes":[{"id":"gid://shopify/Order/9"}],"pageInfo":{"hasNextPage":false}}}`, true
			case op == "orders_by_id":
				return `{"nodes":[` + gone + `]}`, true
			case op == "shop":
				return `{"shop":{},"currentAppInstallation":{}}`, true
			case ids != nil:
				return `{"nodes":[` + strings.Repeat("null,", len(ids)-1) + `null]}`, true
			}
			return "", false
		}
		page, err := connectTo(t, shop, 5).Pull(t.Context(), intake.Orders, cursor{Until: noon.Unix() - 30, After: 7, Bounded: true}.bytes())
		if err != nil || len(page.Records) > 0 || page.More {
			t.Errorf("%s: %v, %+v", name, err, page)
		}
	}
}
