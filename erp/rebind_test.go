package erp_test

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"

	"comptoir/erp"
	"comptoir/erp/fault"
	"comptoir/erp/intake"

	"github.com/google/go-cmp/cmp"
)

// bound returns the variant of the books that a record of a shop is.
func (h *house) bound(shop, external string) int64 {
	h.t.Helper()
	list, err := h.Bindings(ctx)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, l := range list {
		if l.Shop == shop && l.External == external {
			return l.Variant
		}
	}
	h.t.Fatalf("%s of %s is not bound", external, shop)
	return 0
}

func (h *house) rebind(decisions ...erp.Rebinding) []erp.Rebound {
	h.t.Helper()
	done, err := h.Rebind(ctx, decisions, false)
	if err != nil {
		h.t.Fatal(err)
	}
	return done
}

// trade has both shops say what they sell, under SKUs, and what they have sold.
func (h *house) trade(atelier, boutique string) {
	h.say("atelier", intake.Products, h.thing("7", atelier, "10", "4"))
	h.say("boutique", intake.Products, h.thing("70", boutique, "99", "5"))
	h.link("atelier")
	h.link("boutique")
	h.say("atelier", intake.Orders, h.sale("1", "7", "2", paid, shippedSoon), h.sale("2", "7", "1", paid))
	h.say("boutique", intake.Orders, h.sale("1", "70", "4", paid, shippedSoon), h.sale("2", "70", "3", late, shippedSoon), h.sale("3", "70", "2", late),
		h.sale("4", "70", "5", late, cancelled), h.sale("5", "70", "2", late, returned))
	h.settle("atelier")
	h.settle("boutique")
}

func TestLinkingByHandEndsAsIfTheSKUHadBeenTheSame(t *testing.T) {
	var want, got []string
	eachHouse(t, func(t *testing.T, h *house) {
		h.trade("SHIRT", "SHIRT")
		want = h.stock("SHIRT")
	}, "atelier", "boutique")
	eachHouse(t, func(t *testing.T, h *house) {
		h.trade("SHIRT", "BLOUSE")
		h.hasStock("BLOUSE", "101 on hand, 2 wanted, worth 505")
		done := h.rebind(erp.Rebinding{Shop: "boutique", External: "70", Variant: h.bound("atelier", "7")})
		if len(done) != 1 || done[0].Orders != 5 || !strings.Contains(done[0].What, "taken back") {
			t.Errorf("done %+v", done)
		}
		got = h.stock("SHIRT")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("stock (-from the beginning +by hand):\n%s", diff)
		}
		invariants(t, h.Books)
		if again := h.rebind(erp.Rebinding{Shop: "boutique", External: "70", Variant: h.bound("atelier", "7")}); len(again) != 0 {
			t.Errorf("a second time: %+v", again)
		}
		h.say("boutique", intake.Orders, h.sale("6", "70", "1", late, shippedSoon))
		h.settle("boutique")
		h.hasStock("SHIRT", "6 on hand, 3 wanted, worth 24")
		invariants(t, h.Books)
	}, "atelier", "boutique")
}

func TestWhatWasLinkedWronglyCanBeTakenApart(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		h.trade("SHIRT", "SHIRT")
		shared := h.bound("atelier", "7")
		h.rebind(erp.Rebinding{Shop: "boutique", External: "70", Was: shared})
		apart := h.bound("boutique", "70")
		if apart == shared {
			t.Fatal("it is still shared")
		}
		h.hasStock("SHIRT", "11 on hand, 1 wanted, worth 44", "101 on hand, 2 wanted, worth 404")
		invariants(t, h.Books)
		h.rebind(erp.Rebinding{Shop: "boutique", External: "70", Variant: shared})
		h.hasStock("SHIRT", "7 on hand, 3 wanted, worth 28")
		invariants(t, h.Books)
	}, "atelier", "boutique")
}

func TestBadLinksChangeNothing(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		h.trade("SHIRT", "BLOUSE")
		h.say("boutique", intake.Products, h.thing("71", "HAT", "3", "5"))
		h.settle("boutique")
		shirt, hat := h.bound("atelier", "7"), h.bound("boutique", "71")
		good := erp.Rebinding{Shop: "boutique", External: "70", Variant: shirt, Where: "links.csv:2"}
		for _, c := range []struct {
			name string
			bad  erp.Rebinding
			kind fault.Kind
			want string
		}{
			{"no such record", erp.Rebinding{Shop: "boutique", External: "404", Variant: shirt, Where: "links.csv:3"}, fault.NotFound, `links.csv:3: shop boutique has no variant "404"`},
			{"no such shop", erp.Rebinding{Shop: "nowhere", External: "70", Variant: shirt}, fault.NotFound, `shop "nowhere"`},
			{"no such variant", erp.Rebinding{Shop: "boutique", External: "71", Variant: 1 << 40}, fault.NotFound, "there is no variant"},
			{"changed since", erp.Rebinding{Shop: "boutique", External: "71", Was: shirt, Variant: shirt}, fault.Conflict, "when the file was written"},
			{"twice in one shop", erp.Rebinding{Shop: "boutique", External: "71", Variant: shirt}, fault.Unprocessable, "sells variant"},
			{"decided twice", erp.Rebinding{Shop: "boutique", External: "70", Variant: hat}, fault.Invalid, "is decided at"},
		} {
			_, err := h.Rebind(ctx, []erp.Rebinding{good, c.bad}, false)
			if err == nil || fault.KindOf(err) != c.kind || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %v", c.name, err)
			}
			if h.bound("boutique", "70") == shirt {
				t.Fatalf("%s: the good one was done", c.name)
			}
		}
		if done, err := h.Rebind(ctx, []erp.Rebinding{good}, true); err != nil || len(done) != 1 || h.bound("boutique", "70") == shirt {
			t.Errorf("a dry run: %+v %v", done, err)
		}
		invariants(t, h.Books)
	}, "atelier", "boutique")
}

func TestABarcodeLinksWhereASKUIsMissing(t *testing.T) {
	coded := func(h *house, id, sku, barcode string) intake.Record {
		rec := h.thing(id, sku, "5", "4")
		body := rec.Body.(*intake.Product)
		body.Variants[0].Barcode = barcode
		return seal(h.t, intake.KindProduct, id, counted, body)
	}
	eachHouse(t, func(t *testing.T, h *house) {
		h.say("atelier", intake.Products, coded(h, "7", "SHIRT", "4006381333931"), coded(h, "8", "HAT", "5901234123457"), coded(h, "9", "SCARF", "96385074"))
		h.say("boutique", intake.Products, coded(h, "70", "", "4006381333931"), coded(h, "80", "CAP", "5901234123457"), coded(h, "90", "", "96385074"), coded(h, "91", "", "96385074"))
		h.link("atelier")
		h.link("boutique")
		if h.bound("atelier", "7") != h.bound("boutique", "70") {
			t.Error("a barcode that is one in both shops does not link")
		}
		if h.bound("atelier", "8") == h.bound("boutique", "80") {
			t.Error("articles with different SKUs were linked")
		}
		list, err := h.Bindings(ctx)
		if err != nil {
			t.Fatal(err)
		}
		proposals := map[string]string{}
		for _, l := range list {
			if l.Proposal != 0 {
				proposals[l.Shop+" "+l.External] = l.Reason
			}
		}
		want := map[string]string{"atelier 8": "same barcode, another SKU", "boutique 80": "same barcode, another SKU",
			"boutique 90": "same barcode, another SKU", "boutique 91": "same barcode, another SKU"}
		if diff := cmp.Diff(want, proposals); diff != "" {
			t.Errorf("proposals (-want +got):\n%s", diff)
		}
	}, "atelier", "boutique")
}

func TestAFileOfBindingsIsReadAsItIsWritten(t *testing.T) {
	eachHouse(t, func(t *testing.T, h *house) {
		h.trade("SHIRT", "BLOUSE")
		list, err := h.Bindings(ctx)
		if err != nil {
			t.Fatal(err)
		}
		var file bytes.Buffer
		w := csv.NewWriter(&file)
		w.Write(erp.BindingColumns())
		for _, l := range list {
			w.Write(l.Row())
		}
		w.Flush()
		if d, err := erp.ReadRebindings(&file, "links.csv"); err != nil || len(d) != 0 {
			t.Errorf("without a decision: %+v %v", d, err)
		}
	}, "atelier", "boutique")
	head := "shop,external_id,variant,proposal,link\n"
	got, err := erp.ReadRebindings(strings.NewReader(head+"a,1,5,,7\na,2,6,9,YES\na,3,7,,new\na,4,8,,\n"), "links.csv")
	want := []erp.Rebinding{{Shop: "a", External: "1", Was: 5, Variant: 7, Where: "links.csv:2"}, {Shop: "a", External: "2", Was: 6, Variant: 9, Where: "links.csv:3"},
		{Shop: "a", External: "3", Was: 7, Where: "links.csv:4"}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for _, bad := range []string{head + "a,1,5,,maybe\n", head + "a,1,5,,yes\n", head + "a,1,five,,7\n", head + "a,1,5,,-7\n", "shop,link\na,7\n", head + "a,1,5,,7,8,9\n"} {
		if _, err := erp.ReadRebindings(strings.NewReader(bad), "links.csv"); fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), "links.csv") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
