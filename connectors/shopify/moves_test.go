package shopify_test

import (
	"slices"
	"testing"
	"time"

	"comptoir/connectors"
	"comptoir/connectors/conformance"
	"comptoir/connectors/sandbox"
	"comptoir/connectors/sandbox/sandboxtest"
	"comptoir/connectors/shopify"
	"comptoir/erp/intake"
)

// follow reads a resource of a box from a cursor to the end of a run.
func follow(t *testing.T, b *sandboxtest.Box, r intake.Resource, from connectors.Cursor) (records []intake.Record, next connectors.Cursor) {
	t.Helper()
	c, err := b.Connect(conformance.Setup{})
	if err != nil {
		t.Fatal(err)
	}
	for more := true; more; {
		page, err := c.Pull(t.Context(), r, from)
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, page.Records...)
		from, more = page.Next, page.More
	}
	return records, from
}

func smallBox() *sandboxtest.Box {
	return newBox(sandbox.Options{Seed: 7, Orders: 50, Extras: true}, shopify.BulkNever)
}

// Streams sweep besides; a deletion should not have to wait for that.
func TestDeletionIsToldByTheNextPull(t *testing.T) {
	for _, r := range []intake.Resource{intake.Categories, intake.Products, intake.Variants, intake.Orders} {
		b := smallBox()
		_, next := follow(t, b, r, nil)
		b.Advance(time.Hour)
		id := ""
		for _, one := range b.IDs(r) {
			if id = b.Shop.Delete(r, one); id != "" {
				break
			}
		}
		if id == "" {
			t.Errorf("the sandbox deletes no %s", r)
			continue
		}
		b.Advance(time.Hour)
		records, _ := follow(t, b, r, next)
		if !slices.ContainsFunc(records, func(rec intake.Record) bool { return rec.Ref.ID == id && rec.Gone() }) {
			t.Errorf("that %s %s was deleted is not told", r, id)
		}
	}
}

// A count moves neither the variant nor its product.
func TestCountAloneIsToldByTheNextPull(t *testing.T) {
	b := smallBox()
	records, next := follow(t, b, intake.Variants, nil)
	id, was := "", ""
	for _, rec := range records {
		if v := rec.Body.(*intake.Variant); v.Tracked && len(v.Levels) > 0 {
			id, was = v.ID, rec.Digest
			break
		}
	}
	b.Advance(time.Hour)
	if b.Shop.SetStock(id, 321) == "" {
		t.Fatalf("the stock of %s cannot be set", id)
	}
	b.Advance(time.Hour)
	records, _ = follow(t, b, intake.Variants, next)
	for _, rec := range records {
		if rec.Ref.ID == id && rec.Digest != was {
			if stock := rec.Body.(*intake.Variant).Stock; stock == nil || stock.IntPart() != 321 {
				t.Errorf("the stock of %s is told as %v", id, stock)
			}
			return
		}
	}
	t.Errorf("that the stock of %s has changed is not told", id)
}
