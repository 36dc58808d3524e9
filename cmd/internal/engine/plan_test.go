package engine_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"comptoir/cmd/internal/engine"
	"comptoir/connectors"
	"comptoir/connectors/sandbox"
	"comptoir/erp"
	"comptoir/erp/fault"
	"comptoir/erp/intake"
	"comptoir/erp/outbox"
	"comptoir/erp/quantity"
)

// all is the policy of a shop of which the books decide on everything.
func all() *outbox.Policy {
	p := outbox.Policy{On: true, Owners: map[intake.Field]outbox.Owner{}, Share: 100}
	for _, f := range outbox.Fields() {
		p.Owners[f] = outbox.ERP
	}
	return &p
}

// picky is a real connector of a shop that does not take a category of one
// name.
type picky struct {
	connectors.Connector
	connectors.StockPusher
	connectors.Editor
	refuses string
}

func (c *picky) PushEdits(ctx context.Context, key string, edits []intake.Edit) ([]intake.Outcome, error) {
	name := intake.Change{Field: intake.FieldName, To: c.refuses}
	if len(edits) == 1 && slices.Contains(edits[0].Changes, name) {
		return []intake.Outcome{{Result: intake.Refused, Why: "not this one"}}, nil
	}
	return c.Editor.PushEdits(ctx, key, edits)
}

// EditBatches has each edit told alone.
func (c *picky) EditBatches(edits []intake.Edit) [][]intake.Edit {
	return slices.Collect(slices.Chunk(edits, 1))
}

// planning is a world with two shops, of which the first is told all that it
// should have.
type planning struct {
	*world
	box   *box
	other *box
	picky *picky
	known string // an article that the first shop sells
	fresh string // one that only the second one does
}

func newPlanning(t *testing.T, o sandbox.Options) *planning {
	t.Helper()
	o.Seed, o.Orders, o.Goods = 3, 5, 9
	first := newBox(t, o)
	o.Seed, o.Extras = 4, false
	o.Platform = map[sandbox.Platform]sandbox.Platform{sandbox.Shopify: sandbox.WooCommerce}[o.Platform]
	if first.Platform() != sandbox.Shopify {
		o.Platform = sandbox.Shopify
	}
	second := newBox(t, o)
	p := &planning{box: first, other: second, picky: &picky{first.Connector, first.Connector.(connectors.StockPusher), first.Connector.(connectors.Editor), ""}}
	p.world = newWorld(t, p.picky, func(w *world) {
		w.now, w.rates, w.policy = first.now, first.rates(), all()
		w.others = []engine.Shop{{Name: "boutique", Connector: second.Connector}}
	})
	for _, shop := range []string{"atelier", "boutique", "atelier"} { // each waits for the goods of the other
		if _, err := p.engine.Sync(t.Context(), engine.Request{Shop: shop}); err != nil {
			t.Fatal(err)
		}
	}
	p.push(engine.PushRequest{All: true})
	list, err := p.books.VariantStocks(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range list {
		switch here, there := first.VariantOf(v.SKU) != "", second.VariantOf(v.SKU) != ""; {
		case here && p.known == "" && simple(v):
			p.known = v.SKU
		case !here && there && p.fresh == "" && v.OnHand > quantity.Unit:
			p.fresh = v.SKU
		}
	}
	if p.known == "" || p.fresh == "" {
		t.Fatalf("the shops sell %q and %q", p.known, p.fresh)
	}
	return p
}

// plan makes a plan, and reads it from a file as a person would apply it.
func (p *planning) plan() engine.Plan {
	p.t.Helper()
	plan, err := p.engine.Plan(p.t.Context(), engine.PushRequest{Shop: "atelier"})
	if err != nil {
		p.t.Fatal(err)
	}
	text, err := json.Marshal(plan)
	if err == nil {
		plan, err = engine.ReadPlan(bytes.NewReader(text))
	}
	if err != nil {
		p.t.Fatal(err)
	}
	return plan
}

// lines are the changes of a plan: "categories Pots parent new:Garden".
func lines(plan engine.Plan) (out []string) {
	for _, c := range plan.Changes {
		out = append(out, fmt.Sprintf("%s %s %s %s", c.Resource, c.Label, c.Field, c.To))
	}
	return out
}

// arrange has a product of each kind stand in a category that is to be made
// below another one that is.
func (p *planning) arrange() {
	p.t.Helper()
	ctx := p.t.Context()
	for _, c := range [][2]string{{"Garden", ""}, {"Pots", "Garden"}} {
		if _, err := p.books.AddCategory(ctx, c[0], c[1], false); err != nil {
			p.t.Fatal(err)
		}
	}
	set := []erp.Assignment{{Field: intake.FieldCategories, Text: "Garden/Pots"}, {Field: intake.FieldTitle, Text: "Known"}}
	if _, err := p.books.SetProduct(ctx, p.known, set, false); err != nil {
		p.t.Fatal(err)
	}
	set[1].Text = "Fresh"
	if _, err := p.books.SetProduct(ctx, p.fresh, set, false); err != nil {
		p.t.Fatal(err)
	}
	if _, err := p.books.PublishProduct(ctx, p.fresh, "atelier", false); err != nil {
		p.t.Fatal(err)
	}
}

func TestAPlanHoldsWhatIsMadeFirstWithWhatDependsOnIt(t *testing.T) {
	onEachPlatform(t, sandbox.Options{}, func(t *testing.T, o sandbox.Options) {
		p := newPlanning(t, o)
		p.arrange()
		plan := p.plan()
		got := lines(plan)
		want := []string{"categories Garden name Garden", "categories Pots name Pots", `products Known categories ["new:Garden/Pots"]`, `products Fresh categories ["new:Garden/Pots"]`,
			"stock " + p.fresh + " stock " + p.available(p.fresh)}
		if p.box.Platform() == sandbox.WooCommerce { // collections form no tree
			want = append(want, "categories Pots parent new:Garden")
		}
		for _, line := range want {
			if !slices.Contains(got, line) {
				t.Errorf("the plan does not say %q:\n%s", line, strings.Join(got, "\n"))
			}
		}
		res, err := p.engine.Apply(t.Context(), plan)
		if err != nil {
			t.Fatal(err)
		}
		if res.Total.Refused != 0 || len(res.Changes) != len(plan.Changes) {
			t.Errorf("%d changes of %d were made: %+v", len(res.Changes), len(plan.Changes), res)
		}
		if left := p.plan(); len(left.Changes) > 0 {
			t.Errorf("left to be told:\n%s", strings.Join(lines(left), "\n"))
		}
		p.box.live(time.Minute)
		if got, want := p.box.inShop(t, p.box.VariantOf(p.fresh)), p.available(p.fresh); got != want {
			t.Errorf("the shop has %s of what was made, and %s can be sold", got, want)
		}
		if _, err := p.engine.Apply(t.Context(), plan); fault.KindOf(err) != fault.Conflict {
			t.Errorf("applied twice: %v", err)
		}
	})
}

// A variant that another shop has added to a product is made with its stock in
// one plan.
func TestAPlanHoldsTheStockOfAVariantThatIsToBeMade(t *testing.T) {
	onEachPlatform(t, sandbox.Options{}, func(t *testing.T, o sandbox.Options) {
		p := newPlanning(t, o)
		p.other.Add(intake.Variants)
		p.other.live(time.Minute)
		if _, err := p.engine.Sync(t.Context(), engine.Request{Shop: "boutique"}); err != nil {
			t.Fatal(err)
		}
		plan := p.plan()
		i := slices.IndexFunc(plan.Changes, func(c engine.PushChange) bool {
			return c.Resource == intake.Resource(outbox.Stock) && strings.HasPrefix(c.New, "new:variant ")
		})
		if i < 0 {
			t.Fatalf("the stock of no new variant is in the plan:\n%s", strings.Join(lines(plan), "\n"))
		}
		sku, stock := plan.Changes[i].Label, plan.Changes[i].To
		res, err := p.engine.Apply(t.Context(), plan)
		if err != nil || res.Total.Refused > 0 {
			t.Fatalf("%+v, %v", res, err)
		}
		p.box.live(time.Minute)
		if got := p.box.inShop(t, p.box.VariantOf(sku)); got != stock || got != p.available(sku) {
			t.Errorf("the shop has %s of %s, the plan said %s, and %s can be sold", got, sku, stock, p.available(sku))
		}
		if left := p.plan(); len(left.Changes) > 0 {
			t.Errorf("left to be told:\n%s", strings.Join(lines(left), "\n"))
		}
	})
}

// A plan that was begun is left where what it depends on does not come about,
// and what could not be sent is named.
func TestWhatAPlanCannotSendIsNamed(t *testing.T) {
	p := newPlanning(t, sandbox.Options{})
	p.arrange()
	plan := p.plan()
	p.picky.refuses = "Garden"
	res, err := p.engine.Apply(t.Context(), plan)
	if fault.KindOf(err) != fault.Conflict || !strings.Contains(err.Error(), `categories "Pots"; products `) || !strings.Contains(err.Error(), `products "Known"`) {
		t.Errorf("%v", err)
	}
	for _, c := range res.Changes {
		if c.Label == "Known" && c.Field == intake.FieldCategories || c.Label == "Pots" {
			t.Errorf("told all the same: %+v", c)
		}
	}
}

func TestAPlanListsConflictsAndStandsOnlyWhileTheyDo(t *testing.T) {
	p := newPlanning(t, sandbox.Options{})
	ctx := t.Context()
	title := func(text string) {
		t.Helper()
		if _, err := p.books.SetProduct(ctx, p.known, []erp.Assignment{{Field: intake.FieldTitle, Text: text}}, false); err != nil {
			t.Fatal(err)
		}
	}
	title("Ours")
	p.adjust(p.known, 1, "found")
	view, err := p.books.Product(ctx, p.known)
	if err != nil {
		t.Fatal(err)
	}
	p.box.SetTitle(view.Shops[0].ID, "Theirs")
	p.box.live(time.Minute)
	p.sync(intake.Products)
	plan := p.plan()
	if len(plan.Conflicts) != 1 || plan.Conflicts[0].Books != "Ours" || plan.Conflicts[0].Stated != "Theirs" || plan.Conflicts[0].Field != intake.FieldTitle {
		t.Fatalf("conflicts: %+v", plan.Conflicts)
	}
	if got, want := lines(plan), []string{"stock " + p.known + " stock " + p.available(p.known)}; !slices.Equal(got, want) {
		t.Fatalf("changes %q, want %q", got, want)
	}
	title("Ours indeed")
	if _, err := p.engine.Apply(ctx, plan); fault.KindOf(err) != fault.Conflict || !strings.Contains(err.Error(), `the books had "Ours", and have "Ours indeed"`) {
		t.Errorf("after the books have moved: %v", err)
	}
	plan = p.plan()
	c := plan.Conflicts[0]
	res, err := p.engine.Apply(ctx, plan)
	if err != nil || len(res.Changes) != 1 {
		t.Fatalf("%+v, %v", res, err)
	}
	if list, err := p.books.Conflicts(ctx); err != nil || len(list) != 1 || list[0].ID != c.ID {
		t.Errorf("to be decided: %+v, %v", list, err)
	}
	if got := p.box.inShop(t, p.box.VariantOf(p.known)); got != p.available(p.known) {
		t.Errorf("the shop has %s, and %s can be sold", got, p.available(p.known))
	}
	p.adjust(p.known, 1, "found")
	plan = p.plan()
	if _, err := p.books.KeepSide(ctx, "atelier", c.Kind, c.ID, c.Field, outbox.Shop, false); err != nil {
		t.Fatal(err)
	}
	if _, err := p.engine.Apply(ctx, plan); fault.KindOf(err) != fault.Conflict || !strings.Contains(err.Error(), "is settled") {
		t.Errorf("after it was decided: %v", err)
	}
}
