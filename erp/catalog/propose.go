package catalog

import (
	"cmp"
	"slices"
	"strings"
)

// Listed is a variant as one shop lists it.
type Listed struct {
	Shop    int64
	Variant int64 // in the books
	Product int64
	SKU     string
	Barcode string
	Title   string // of the product
	Options string // as the books keep them
	Own     bool   // see Listing
}

// Proposal is a variant that another one may be one with, and why.
type Proposal struct {
	Variant int64
	Reason  string
}

// The reasons of a Proposal, the surest first.
const (
	SameSKU     = "same SKU, which is not unique"
	SameBarcode = "same barcode, another SKU"
	SameTitle   = "same title and options"
)

// Propose says for variants that are sold in one shop only which of another
// shop's they may be one with: the surest reason counts, and within one reason
// only a candidate that is alone. A person decides.
func Propose(all []Listed) map[int64]Proposal {
	shops := map[int64]map[int64]bool{} // by variant
	for _, l := range all {
		if shops[l.Variant] == nil {
			shops[l.Variant] = map[int64]bool{}
		}
		shops[l.Variant][l.Shop] = true
	}
	out := map[int64]Proposal{}
	for _, rule := range []struct {
		reason string
		key    func(Listed) string
	}{
		{SameSKU, func(l Listed) string { return l.SKU }},
		{SameBarcode, func(l Listed) string { return l.Barcode }},
		{SameTitle, func(l Listed) string { return folded(l.Title, l.Options) }},
	} {
		groups := map[string][]Listed{}
		for _, l := range all {
			if k := rule.key(l); k != "" && l.Own {
				groups[k] = append(groups[k], l)
			}
		}
		for _, l := range all {
			if _, done := out[l.Variant]; done || len(shops[l.Variant]) > 1 || !l.Own || rule.key(l) == "" {
				continue
			}
			if v, ok := alone(groups[rule.key(l)], l, shops); ok {
				out[l.Variant] = Proposal{v, rule.reason}
			}
		}
	}
	return out
}

// alone returns the one candidate of a group that is sold in other shops than l
// is.
func alone(group []Listed, l Listed, shops map[int64]map[int64]bool) (int64, bool) {
	var candidates []int64
	for _, c := range group {
		if c.Variant != l.Variant && !shops[c.Variant][l.Shop] && !slices.Contains(candidates, c.Variant) {
			candidates = append(candidates, c.Variant)
		}
	}
	if len(candidates) != 1 {
		return 0, false
	}
	return candidates[0], true
}

// folded is a title with its options, without what two shops write differently.
func folded(title, options string) string {
	if strings.TrimSpace(title) == "" {
		return ""
	}
	return strings.Join(strings.Fields(strings.ToLower(title)), " ") + "\x00" + strings.ToLower(cmp.Or(options, "null"))
}
