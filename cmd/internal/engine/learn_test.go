package engine_test

import (
	"context"
	"testing"
	"testing/synctest"

	"comptoir/cmd/internal/engine"
	"comptoir/connectors"
	"comptoir/connectors/sandbox"
	"comptoir/erp"
	"comptoir/erp/intake"
)

// forgetful is a connector that cannot find out what its spelling of values
// depends on.
type forgetful struct {
	*till
	connectors.Editor
	asked int
}

func (c *forgetful) Learn(context.Context) error {
	c.asked++
	return refused(connectors.Transient, "the settings cannot be read")
}

func TestWhatOnlyTheCatalogueNeedsIsAskedWhereThereIsSomethingOfItToTell(t *testing.T) {
	onEachPlatform(t, sandbox.Options{Seed: 3, Orders: 20, Common: true}, func(t *testing.T, o sandbox.Options) {
		synctest.Test(t, func(t *testing.T) {
			tl := newTelling(t, o)
			c := &forgetful{till: tl.till, Editor: tl.box.Connector.(connectors.Editor)}
			tl.shop.Connector = c
			tl.restart()
			tl.adjust(tl.sku, 5, "found")
			tl.push(engine.PushRequest{})
			tl.agree()
			if c.asked > 0 {
				t.Error("the shop was asked for what only the catalogue needs, and told of its stock alone")
			}
			if _, err := tl.books.SetProduct(t.Context(), tl.sku, []erp.Assignment{{Field: intake.FieldPrice, Text: "77"}}, false); err != nil {
				t.Fatal(err)
			}
			if _, err := tl.engine.Push(t.Context(), engine.PushRequest{Shop: "atelier"}); err == nil || c.asked == 0 {
				t.Errorf("a price was told without it: asked %d times, %v", c.asked, err)
			}
		})
	})
}
