package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"comptoir/erp/intake"
)

// TestKilledPushesTellAShopEachThingOnce changes the books, and kills the
// process that tells the shop at random moments, with its sync state kept or
// lost. In the end the shop has what it is to have, and nothing twice.
func TestKilledPushesTellAShopEachThingOnce(t *testing.T) { eachPlatform(t, killPushes) }

func killPushes(t *testing.T, platform string) {
	seed := uint64(time.Now().UnixNano())
	t.Log("seed", seed)
	dice := rand.New(rand.NewPCG(seed, 1))
	h := newToldHistory(t, platform)
	h.sync()
	categories := len(h.shop.IDs(intake.Categories))
	done, shipped := 0, 0
	for round := 0; done < kills()/6; round++ {
		h.change(dice, round)
		shipped += h.ship(dice)
		for n := 0; n < 8 && h.killedVerb(time.Duration(dice.Int64N(int64(400*time.Millisecond))), "push", "sandbox", "--json"); n++ {
			done++
			if dice.IntN(3) == 0 {
				h.remove("syncstate.bolt")
			}
		}
		h.output("push", "sandbox", "--json")
		if got, want := len(h.shop.IDs(intake.Categories)), categories+round+1; got != want {
			t.Fatalf("round %d: the shop has %d categories, want %d", round, got, want)
		}
		h.agrees()
	}
	h.eachShippedOnce(shipped)
	t.Logf("%d kills, %d orders shipped", done, shipped)
}

// newToldHistory is a shop that the books tell of stock, prices, categories and
// shipments. It takes a while for each answer, so that a kill finds it at work.
func newToldHistory(t *testing.T, platform string) *history {
	t.Helper()
	b := box{name: "sandbox", platform: platform, seed: killSeed, orders: 60,
		owned: []intake.Field{intake.FieldQuantity, intake.FieldPrice, intake.FieldSale, intake.FieldCategories, intake.FieldShipments}}
	shop, err := b.open()
	if err != nil {
		t.Fatal(err)
	}
	return serveHistory(t, b, shop, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		shop.Handler().ServeHTTP(w, r)
		time.Sleep(5 * time.Millisecond)
	}))
}

// change changes stock, prices and the tree of categories in the books.
func (h *history) change(dice *rand.Rand, round int) {
	h.t.Helper()
	skus := h.counted()
	for range 6 {
		h.output("stock", "adjust", skus[dice.IntN(len(skus))], "--by", strconv.Itoa(1+dice.IntN(9)), "--reason", "found")
	}
	for range 3 {
		h.output("price", "set", skus[dice.IntN(len(skus))], fmt.Sprintf("%d.%02d", 500+dice.IntN(40), dice.IntN(100)))
	}
	h.output("category", "add", "Rayon "+strconv.Itoa(round))
	h.output("product", "set", skus[dice.IntN(len(skus))], "categories=Rayon "+strconv.Itoa(round))
}

// counted lists SKUs that can be sold and are counted.
func (h *history) counted() []string {
	h.t.Helper()
	var list struct {
		Variants []struct {
			SKU      string   `json:"sku"`
			Counted  bool     `json:"counted"`
			Sellable bool     `json:"sellable"`
			Shops    []string `json:"shops"`
		} `json:"variants"`
	}
	if err := json.Unmarshal([]byte(h.output("product", "list", "--json")), &list); err != nil {
		h.t.Fatal(err)
	}
	times := map[string]int{}
	for _, v := range list.Variants {
		times[v.SKU]++
	}
	var skus []string
	for _, v := range list.Variants {
		if v.Counted && v.SKU != "" && times[v.SKU] == 1 && len(v.Shops) > 0 && !strings.HasPrefix(v.SKU, "BN") {
			skus = append(skus, v.SKU)
		}
	}
	return skus
}

// ship asks for new orders to be shipped, and returns how many.
func (h *history) ship(dice *rand.Rand) int {
	h.t.Helper()
	ids := slices.DeleteFunc(h.shop.IDs(intake.Variants), func(id string) bool { // what is not counted need not be shipped
		left, counted := h.shop.Stock(id)
		return !counted || left < 5
	})
	var placed []string
	for range 2 {
		id := h.shop.Sell(ids[dice.IntN(len(ids))], 1+dice.IntN(2))
		if id != "" && slices.Contains(h.shop.IDs(intake.Orders), id) { // Shopify lists what is paid
			placed = append(placed, id)
		}
	}
	h.sync()
	shipped := 0
	for _, id := range placed {
		out, err := h.command("shipment", "add", "sandbox", id, "--carrier", "Colissimo", "--tracking", "8L"+id, "--json").CombinedOutput()
		switch {
		case err == nil:
			shipped++
		case !strings.Contains(string(out), "the books have no such order"): // they leave test orders out
			h.t.Fatalf("ship order %s: %v\n%s", id, err, out)
		}
	}
	return shipped
}

// agrees has the whole shop compared with the books, and then all that it
// should have with what it is known to have.
func (h *history) agrees() {
	h.t.Helper()
	h.output("verify", "sandbox", "--json")
	var told struct {
		Changes []any `json:"changes"`
	}
	if err := json.Unmarshal([]byte(h.output("push", "sandbox", "--all", "--json")), &told); err != nil {
		h.t.Fatal(err)
	}
	if len(told.Changes) > 0 {
		h.t.Fatalf("the shop was told more: %v", told.Changes)
	}
}

// eachShippedOnce looks at the shipments with our tracking numbers.
func (h *history) eachShippedOnce(want int) {
	h.t.Helper()
	var list struct {
		Shipments []struct {
			Tracking string `json:"tracking"`
		} `json:"shipments"`
	}
	if err := json.Unmarshal([]byte(h.output("shipment", "list", "--json")), &list); err != nil {
		h.t.Fatal(err)
	}
	seen := map[string]int{}
	for _, s := range list.Shipments {
		if strings.HasPrefix(s.Tracking, "8L") {
			seen[s.Tracking]++
		}
	}
	for tracking, n := range seen {
		if n != 1 {
			h.t.Errorf("%d shipments have the tracking number %s", n, tracking)
		}
	}
	if len(seen) != want {
		h.t.Errorf("%d orders were shipped, want %d", len(seen), want)
	}
}
