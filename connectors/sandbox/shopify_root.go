package sandbox

import (
	"slices"
	"strings"
)

// one makes a field that finds a record by its global id, if it is of a type.
func one[V comparable](kind string) gqlField {
	return gqlObject(kind, func(x *gqlRun, _ gqlRoot) V {
		v, _ := x.s.byGid(x.args.text("id")).(V)
		return v
	})
}

func rootTypes() []gqlType {
	return []gqlType{
		{name: "QueryRoot", fields: gqlFields{
			"shop":                   gqlSame("Shop"),
			"currentAppInstallation": gqlSame("AppInstallation"),
			"node":                   gqlObject("Node", func(x *gqlRun, _ gqlRoot) any { return x.s.byGid(x.args.text("id")) }),
			"nodes": gqlList("Node", func(x *gqlRun, _ gqlRoot) []any {
				ids := x.args.texts("ids")
				all := make([]any, len(ids))
				for i, id := range ids {
					all[i] = x.s.byGid(id)
				}
				return all
			}),
			"order":          one[*order]("Order"),
			"orders":         gqlConnection("Order", func(x *gqlRun, _ gqlRoot) gqlRows[*order] { return x.orders() }),
			"ordersCount":    gqlValue("Count", func(x *gqlRun, _ gqlRoot) counted { return countRows(x, x.orders()) }),
			"product":        one[*product]("Product"),
			"products":       gqlConnection("Product", func(x *gqlRun, _ gqlRoot) gqlRows[*product] { return x.products() }),
			"productsCount":  gqlValue("Count", func(x *gqlRun, _ gqlRoot) counted { return countRows(x, x.products()) }),
			"productVariant": one[*variant]("ProductVariant"),
			"productVariants": gqlConnection("ProductVariant", func(x *gqlRun, _ gqlRoot) gqlRows[*variant] {
				return rowsOf(x, inOrder(x.s, "variants", x.s.allVariants, variantKey), variantKey, variantTerm)
			}),
			"productVariantsCount": gqlValue("Count", func(x *gqlRun, _ gqlRoot) counted {
				return countRows(x, rowsOf(x, x.s.allVariants(), variantKey, variantTerm))
			}),
			"inventoryItem": one[inventoryItem]("InventoryItem"),
			"inventoryItems": gqlConnection("InventoryItem", func(x *gqlRun, _ gqlRoot) gqlRows[inventoryItem] {
				return rowsOf(x, x.s.stocked(), func(i inventoryItem) gqlKey { return variantKey(i.variant) }, itemTerm)
			}),
			"inventoryLevel": one[level]("InventoryLevel"),
			"collection":     one[*category]("Collection"),
			"collections": gqlConnection("Collection", func(x *gqlRun, _ gqlRoot) gqlRows[*category] {
				key := collectionKey(x.args.text("sortKey"))
				all := slices.Clone(x.s.categories)
				slices.SortFunc(all, func(a, b *category) int { return key(a).compare(key(b)) })
				return rowsOf(x, all, key, collectionTerm)
			}),
			"collectionsCount": gqlValue("Count", func(x *gqlRun, _ gqlRoot) counted {
				return countRows(x, rowsOf(x, x.s.categories, nil, collectionTerm))
			}),
			"customer": one[*customer]("Customer"),
			"customers": gqlConnection("Customer", func(x *gqlRun, _ gqlRoot) gqlRows[*customer] {
				key := customerKey(x.args.text("sortKey"))
				rows := rowsOf(x, inOrder(x.s, "customers "+x.args.text("sortKey"), x.s.buyers, key), key, customerTerm)
				return rows
			}),
			"customersCount": gqlValue("Count", func(x *gqlRun, _ gqlRoot) counted { return countRows(x, rowsOf(x, x.s.buyers(), nil, customerTerm)) }),
			"location":       one[*site]("Location"),
			"locations":      gqlConnection("Location", func(x *gqlRun, _ gqlRoot) gqlRows[*site] { return x.locations() }),
			"locationsCount": gqlValue("Count", func(x *gqlRun, _ gqlRoot) counted { return countRows(x, x.locations()) }),
			"events": gqlConnection("Event", func(x *gqlRun, _ gqlRoot) gqlRows[*gone] {
				return rowsOf(x, x.s.remembered(), func(g *gone) gqlKey { return gqlKey{g.number, g.number} }, eventTerm)
			}),
			"refund":      one[*refund]("Refund"),
			"fulfillment": one[*fulfillment]("Fulfillment"),
			"shopifyPaymentsAccount": gqlObject("ShopifyPaymentsAccount", func(x *gqlRun, _ gqlRoot) account {
				if !x.s.settles() {
					return account{}
				}
				return account{x.s}
			}),
		}},
		{name: "Node", which: nodeKind},
		{name: "HasEvents", which: nodeKind},
		{name: "Shop", is: []string{"Node"}, fields: gqlFields{
			"id":                           gqlID("Shop", func(*gqlRun, gqlRoot) int64 { return 1 }),
			"name":                         gqlText(func(*gqlRun, gqlRoot) string { return shopName }),
			"email":                        gqlText(func(*gqlRun, gqlRoot) string { return "boutique@example.test" }),
			"myshopifyDomain":              gqlText(func(*gqlRun, gqlRoot) string { return shopDomain }),
			"url":                          gqlText(func(*gqlRun, gqlRoot) string { return "https://" + shopDomain }),
			"currencyCode":                 gqlText(func(*gqlRun, gqlRoot) string { return currencies[eur].code }),
			"ianaTimezone":                 gqlText(func(*gqlRun, gqlRoot) string { return siteZone }),
			"taxesIncluded":                gqlBool(func(*gqlRun, gqlRoot) bool { return false }),
			"taxShipping":                  gqlBool(func(*gqlRun, gqlRoot) bool { return true }),
			"weightUnit":                   gqlText(func(*gqlRun, gqlRoot) string { return "GRAMS" }),
			"unitSystem":                   gqlText(func(*gqlRun, gqlRoot) string { return "METRIC_SYSTEM" }),
			"createdAt":                    gqlTime(func(*gqlRun, gqlRoot) int64 { return historyStart.Unix() }),
			"updatedAt":                    gqlTime(func(*gqlRun, gqlRoot) int64 { return historyStart.Unix() }),
			"plan":                         gqlSame("ShopPlan"),
			"shopAddress":                  gqlSame("ShopAddress"),
			"timezoneOffset":               gqlText(func(x *gqlRun, _ gqlRoot) string { return x.s.clock.In(x.s.zone).Format("-0700") }),
			"enabledPresentmentCurrencies": gqlTexts(func(*gqlRun, gqlRoot) []string { return []string{"EUR", "USD", "GBP", "JPY"} }),
		}},
		{name: "ShopAddress", is: []string{"Node"}, fields: gqlFields{
			"id":            gqlID("ShopAddress", func(*gqlRun, gqlRoot) int64 { return 1 }),
			"address1":      gqlTextOrNull(func(*gqlRun, gqlRoot) string { return "1 " + places[0].street }),
			"city":          gqlTextOrNull(func(*gqlRun, gqlRoot) string { return places[0].city }),
			"zip":           gqlTextOrNull(func(*gqlRun, gqlRoot) string { return places[0].postcode }),
			"country":       gqlTextOrNull(func(*gqlRun, gqlRoot) string { return countryNames[places[0].country] }),
			"countryCodeV2": gqlTextOrNull(func(*gqlRun, gqlRoot) string { return places[0].country }),
		}},
		{name: "AppInstallation", is: []string{"Node"}, fields: gqlFields{
			"id":           gqlID("AppInstallation", func(*gqlRun, gqlRoot) int64 { return 1 }),
			"accessScopes": gqlList("AccessScope", func(x *gqlRun, _ gqlRoot) []string { return x.s.shopify.scopes }),
		}},
		{name: "AccessScope", fields: gqlFields{
			"handle":      gqlText(func(_ *gqlRun, scope string) string { return scope }),
			"description": gqlText(func(_ *gqlRun, scope string) string { return strings.ReplaceAll(scope, "_", " ") }),
		}},
		{name: "ShopPlan", fields: gqlFields{
			"publicDisplayName":  gqlText(func(*gqlRun, gqlRoot) string { return "Basic" }),
			"partnerDevelopment": gqlBool(func(*gqlRun, gqlRoot) bool { return false }),
			"shopifyPlus":        gqlBool(func(*gqlRun, gqlRoot) bool { return false }),
		}},
	}
}

func (x *gqlRun) products() gqlRows[*product] {
	key := productKey(x.args.text("sortKey"))
	all := x.s.listedProducts()
	slices.SortFunc(all, func(a, b *product) int { return key(a).compare(key(b)) })
	return rowsOf(x, all, key, productTerm)
}

// stocked are the variants as things that are counted.
func (s *Shop) stocked() []inventoryItem {
	variants := s.allVariants()
	all := make([]inventoryItem, len(variants))
	for i, v := range variants {
		all[i] = inventoryItem{v}
	}
	return all
}
