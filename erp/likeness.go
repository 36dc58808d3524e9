package erp

import (
	"context"
	"slices"

	"comptoir/erp/catalog"
	"comptoir/erp/store"
)

// likeness is who sells what under the SKUs and barcodes of some variants.
type likeness struct {
	bySKU, byBarcode map[string][]catalog.Listing
}

func alike(ctx context.Context, r store.Reader, variants []catalog.Unlinked) (l likeness, err error) {
	var skus, barcodes []string
	for _, v := range variants {
		if v.SKU != "" && !v.Gone {
			skus = append(skus, v.SKU)
		}
		if v.Barcode != "" && !v.Gone {
			barcodes = append(barcodes, v.Barcode)
		}
	}
	slices.Sort(skus)
	slices.Sort(barcodes)
	if l.bySKU, err = catalog.Listings(ctx, r, slices.Compact(skus)); err != nil {
		return l, err
	}
	l.byBarcode, err = catalog.ListingsByBarcode(ctx, r, slices.Compact(barcodes))
	return l, err
}

// match finds the variant that one of a shop is one with: by its SKU, else by
// its barcode.
func (l likeness) match(v catalog.Unlinked, shop int64) (into int64, ambiguous bool) {
	if v.Gone {
		return 0, false
	}
	if v.SKU != "" {
		if into, ambiguous = catalog.Match(l.bySKU[v.SKU], v.ID, shop); into != 0 || ambiguous {
			return into, ambiguous
		}
	}
	if v.Barcode != "" {
		return catalog.MatchBarcode(l.byBarcode[v.Barcode], v.ID, shop, v.SKU)
	}
	return 0, false
}

// elsewhere reports whether another shop sells something under the SKU or the
// barcode of a variant.
func (l likeness) elsewhere(v catalog.Unlinked, shop int64) bool {
	another := func(x catalog.Listing) bool { return x.Shop != shop }
	return slices.ContainsFunc(l.bySKU[v.SKU], another) || slices.ContainsFunc(l.byBarcode[v.Barcode], another)
}
