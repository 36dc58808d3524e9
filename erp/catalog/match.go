package catalog

// Listing says that a shop has a variant on sale under a SKU, or a barcode.
type Listing struct {
	Variant int64
	SKU     string
	Shop    int64
	Linked  bool // it was looked for among those of the other shops
	// Own: it has a stock of its own, which no other variant of the shop
	// shares.
	Own bool
}

// MatchBarcode is Match by a barcode, for a variant with a SKU, "" for none.
// What it finds must not have another SKU: the same code may stand on one piece
// and on a pack of six.
func MatchBarcode(list []Listing, variant, shop int64, sku string) (into int64, ambiguous bool) {
	into, ambiguous = Match(list, variant, shop)
	for _, l := range list {
		if l.Variant == into && l.SKU != "" && sku != "" && l.SKU != sku {
			return 0, false
		}
	}
	return into, ambiguous
}

// Match looks for a variant of a shop among those of the other shops, by a SKU:
// list holds all listings under it. It returns the variant that it is one with,
// 0 for none. Only a SKU that is one in the shop, and one in the other shop, is
// trusted; ambiguous reports that there was a choice, so that a person has to
// make it.
func Match(list []Listing, variant, shop int64) (into int64, ambiguous bool) {
	var mine Listing
	byShop := map[int64]map[int64]Listing{}
	for _, l := range list {
		if byShop[l.Shop] == nil {
			byShop[l.Shop] = map[int64]Listing{}
		}
		byShop[l.Shop][l.Variant] = l
		if l.Shop == shop && l.Variant == variant {
			mine = l
		}
	}
	if len(byShop) < 2 {
		return 0, false
	}
	if len(byShop[shop]) != 1 || !mine.Own {
		return 0, true
	}
	candidates := map[int64]bool{}
	for s, variants := range byShop {
		switch {
		case s == shop:
			continue
		case len(variants) > 1:
			ambiguous = true
			continue
		}
		for _, l := range variants {
			if !l.Own {
				ambiguous = true
			} else if l.Linked {
				candidates[l.Variant] = true
				into = l.Variant
			}
		}
	}
	switch len(candidates) {
	case 0:
		return 0, ambiguous
	case 1:
		return into, false
	default:
		return 0, true
	}
}
