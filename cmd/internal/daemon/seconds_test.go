package daemon

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"comptoir/connectors"
	"comptoir/connectors/all"
	"comptoir/connectors/sandbox"
	"comptoir/erp/intake"

	systemd "github.com/coreos/go-systemd/v22/daemon"
)

// A sale in one shop lowers the stock in the other within seconds of the hint,
// though the schedules come round only once an hour: over HTTP all the way, from
// the subscription to the number that the other shop has.
func TestASaleInOneShopIsKnownToTheOtherWithinSeconds(t *testing.T) {
	woo := sandbox.New(sandbox.Options{Seed: 5, Goods: 9, Orders: 12, Common: true})
	shopify := sandbox.New(sandbox.Options{Seed: 6, Goods: 9, Orders: 12, Common: true, Platform: sandbox.Shopify})
	w := newWorld(t)
	w.registry = all.Registry()
	listen := freeAddress(t)
	text := "data: " + filepath.Join(filepath.Dir(w.file), "data") + "\nstop_timeout: 2s\nbooks: {currency: EUR}\n" +
		"webhooks: {listen: \"" + listen + "\", url: \"http://" + listen + "\"}\nshops:\n"
	ctx, cancel := context.WithCancel(t.Context())
	var posting sync.WaitGroup
	defer posting.Wait()
	defer cancel()
	for _, s := range []struct {
		name string
		shop *sandbox.Shop
		keys string
	}{
		{"atelier", woo, fmt.Sprintf("connector: woocommerce, consumer_key: %s, consumer_secret: %s", woo.Key(), woo.Secret())},
		{"boutique", shopify, fmt.Sprintf("connector: shopify, access_token: %s, webhook_secret: %s, retry_wait: 10ms", shopify.Key(), shopify.Secret())},
	} {
		server := httptest.NewServer(s.shop.Handler())
		defer server.Close()
		text += fmt.Sprintf("  %s: {url: \"%s\", %s, jitter: 0s, push: {enabled: true}, schedules: {products: \"0 * * * *\", variants: \"0 * * * *\", orders: \"0 * * * *\"}}\n",
			s.name, server.URL, s.keys)
		post := sandbox.Deliverer{Shop: s.shop}
		posting.Go(func() { post.Run(ctx, 50*time.Millisecond) })
	}
	if err := os.WriteFile(w.file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	ended := w.start(0)
	w.told(systemd.SdNotifyReady)
	w.status(func(s Status) bool { // both were read, told what they are to have, and asked for hints
		ready := len(s.Webhooks) == 2
		for i := range s.Shops {
			ready = ready && len(s.Shops) == 2 && s.Shops[i].Push != nil && s.Shops[i].Push.Waiting == 0 && s.Shops[i].Push.LastPush != nil && s.Webhooks[i].Subscribed != nil
			for _, r := range s.Shops[i].Resources {
				ready = ready && (r.LagSeconds >= 0 || r.Resource == intake.Payouts)
			}
		}
		return ready
	})
	sku, from, to := w.shared(woo, shopify)
	for _, sale := range []struct {
		name           string
		in, other      *sandbox.Shop
		variant, there string
	}{{"in WooCommerce", woo, shopify, from, to}, {"in Shopify", shopify, woo, to, from}} {
		before, _ := sale.other.Stock(sale.there)
		sale.in.Sell(sale.variant, 2)
		sold := time.Now()
		for {
			if now, _ := sale.other.Stock(sale.there); now == before-2 {
				t.Logf("%s, %s: %v", sale.name, sku, time.Since(sold))
				break
			}
			if time.Since(sold) > patience {
				now, _ := sale.other.Stock(sale.there)
				t.Fatalf("a sale %s: the other shop still has %d of %s, and had %d; the log says\n%s", sale.name, now, sku, before, w.log)
			}
			time.Sleep(10 * time.Millisecond)
		}
		if took := time.Since(sold); took > 5*time.Second {
			t.Errorf("a sale %s is known after %v", sale.name, took)
		}
	}
	w.signals <- syscall.SIGTERM
	if err := w.ended(ended); err != nil {
		t.Errorf("ended with %v", err)
	}
}

// shared finds something that both shops sell the same number of.
func (w *world) shared(a, b *sandbox.Shop) (sku, inA, inB string) {
	w.t.Helper()
	c, err := w.load()
	if err != nil {
		w.t.Fatal(err)
	}
	shop, err := c.Shops[0].Connector(connectors.Env{Now: time.Now})
	if err != nil {
		w.t.Fatal(err)
	}
	var cur connectors.Cursor
	for more := true; more; {
		page, err := shop.Pull(w.t.Context(), intake.Products, cur)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, rec := range page.Records {
			p, ok := rec.Body.(*intake.Product)
			if !ok || len(p.Variants) != 1 {
				continue
			}
			sku, inA, inB = p.Variants[0].SKU, p.Variants[0].ID, b.VariantOf(p.Variants[0].SKU)
			has, tracked := a.Stock(inA)
			other, alsoTracked := b.Stock(inB)
			if sku != "" && tracked && alsoTracked && has == other && has > 10 {
				return sku, inA, inB
			}
		}
		cur, more = page.Next, page.More
	}
	w.t.Fatal("the shops sell nothing in common")
	return "", "", ""
}
