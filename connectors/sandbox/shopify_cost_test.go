package sandbox

import (
	"testing"

	"comptoir/connectors/schema"
)

// What the bucket charges is what those who pace themselves by the schema
// expect.
func TestCostsAreThoseOfTheSchema(t *testing.T) {
	published := schema.Need(t, "2026-10")
	s := New(Options{Seed: 1, Platform: Shopify})
	for _, text := range []string{
		`{ shop { name currencyCode } }`,
		`{ orders(first: 25) { nodes { id name customer { id } currentTotalPriceSet { shopMoney { amount currencyCode } } } pageInfo { hasNextPage } } }`,
		`{ orders(first: 10) { edges { node { id lineItems(first: 50) { edges { node { id taxLines { rate priceSet { shopMoney { amount } } } } } } } } } }`,
		`query($n: Int = 7) { products(first: $n) { nodes { id variants(last: 3) { nodes { id inventoryItem { id } } } } } }`,
		`{ orders(first: 5) { nodes { discountApplications(first: 5) { nodes { index ... on DiscountCodeApplication { code }
			value { ... on MoneyV2 { amount } ... on PricingPercentageValue { percentage } } } } } } }`,
		`mutation { bulkOperationRunQuery(query: "{ orders { edges { node { id } } } }") { bulkOperation { id } userErrors { message } } }`,
	} {
		doc, wrong := schema.Check(published, text)
		if len(wrong) > 0 {
			t.Fatalf("%s: %v", text, wrong)
		}
		known := s.shopify.plans.plan(planKey{version: "2026-10", text: text})
		if len(known.errs) > 0 {
			t.Fatalf("%s: %v", text, known.errs[0].message)
		}
		x := &gqlRun{s: s, plan: known.plan}
		x.vars, _ = known.variables(nil)
		x.begin()
		if got, want := x.cost(), schema.Cost(published, doc, doc.Operations[0], nil); got != want {
			t.Errorf("%s costs %d, by the schema %d", text, got, want)
		}
	}
}
