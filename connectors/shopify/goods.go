package shopify

import (
	"context"
	"errors"
	"slices"
	"strings"

	"comptoir/erp/intake"

	"github.com/shopspring/decimal"
)

// product is what is read of a product.
type product struct {
	ID          scalar              `json:"id"`
	Updated     scalar              `json:"updatedAt"`
	Title       scalar              `json:"title"`
	Handle      scalar              `json:"handle"`
	Description scalar              `json:"descriptionHtml"`
	Vendor      scalar              `json:"vendor"`
	Status      scalar              `json:"status"`
	GiftCard    bool                `json:"isGiftCard"`
	Collections connection[holder]  `json:"collections"`
	Media       connection[picture] `json:"media"`
}

// holder is another record, of which only the id is read.
type holder struct {
	ID scalar `json:"id"`
}

// picture is one of the media of a product; without an image where it is a
// film, or still being made.
type picture struct {
	Image *struct {
		URL scalar `json:"url"`
	} `json:"image"`
}

// productRecords makes the records of products. Collections and media that did
// not come along are asked for.
func (c *Connector) productRecords(ctx context.Context, rows []row) ([]intake.Record, error) {
	records := make([]intake.Record, 0, len(rows))
	for _, row := range rows {
		r, p := new(reading), new(product)
		r.decode(row.raw, p)
		if err := complete(ctx, c, documentOf("product_collections"), []string{"product", "collections"}, p.ID, &p.Collections); err != nil {
			return nil, err
		}
		if err := complete(ctx, c, documentOf("product_media"), []string{"product", "media"}, p.ID, &p.Media); err != nil {
			return nil, err
		}
		records = append(records, r.seal(intake.KindProduct, row.ref(), p.Updated, p.body(), row.raw))
	}
	return records, nil
}

func (p *product) body() *intake.Product {
	b := &intake.Product{
		Title: p.Title.trimmed(), Slug: p.Handle.trimmed(), Description: p.Description.trimmed(), Brand: p.Vendor.trimmed(),
		Status: publication(p.Status), Kind: intake.ProductStocked,
	}
	if p.GiftCard {
		b.Kind = intake.ProductGiftCard
	}
	ids := map[uint64]string{}
	for _, in := range p.Collections.Nodes {
		if id := in.ID.id(); id > 0 {
			ids[id] = in.ID.ref()
		}
	}
	for _, id := range sortedKeys(ids) {
		b.CategoryIDs = append(b.CategoryIDs, ids[id])
	}
	for _, m := range p.Media.Nodes {
		if m.Image != nil && m.Image.URL.trimmed() != "" {
			b.Images = append(b.Images, m.Image.URL.trimmed())
		}
	}
	return b
}

// publication maps the status of a product; one that is not known stays as it
// is, in lower case.
func publication(status scalar) string {
	switch s := strings.ToLower(status.trimmed()); s {
	case "active", "unlisted": // unlisted can be bought by who knows the address
		return "published"
	default:
		return s
	}
}

// variant is what is read of a variant with its inventory item.
type variant struct {
	ID         scalar   `json:"id"`
	Updated    scalar   `json:"updatedAt"`
	Title      scalar   `json:"title"`
	SKU        scalar   `json:"sku"`
	Barcode    scalar   `json:"barcode"`
	Price      scalar   `json:"price"`
	CompareAt  scalar   `json:"compareAtPrice"`
	Taxable    *bool    `json:"taxable"`
	Backorders scalar   `json:"inventoryPolicy"`
	Bundle     bool     `json:"requiresComponents"` // sold as its components, of which each has its own stock
	Options    []option `json:"selectedOptions"`
	Product    struct {
		ID       scalar `json:"id"`
		GiftCard bool   `json:"isGiftCard"`
	} `json:"product"`
	Item struct {
		ID          scalar   `json:"id"`
		Updated     scalar   `json:"updatedAt"`
		Tracked     bool     `json:"tracked"`
		Ships       bool     `json:"requiresShipping"`
		Duplicates  scalar   `json:"duplicateSkuCount"`
		Cost        *moneyV2 `json:"unitCost"`
		Measurement struct {
			Weight *struct {
				Value scalar `json:"value"`
				Unit  scalar `json:"unit"`
			} `json:"weight"`
		} `json:"measurement"`
		Levels connection[level] `json:"inventoryLevels"`
	} `json:"inventoryItem"`
}

type option struct {
	Name  scalar `json:"name"`
	Value scalar `json:"value"`
}

// level is the stock at one location.
type level struct {
	Location struct {
		ID     scalar `json:"id"`
		Active bool   `json:"isActive"`
	} `json:"location"`
	Updated    scalar `json:"updatedAt"`
	Quantities []struct {
		Name     scalar `json:"name"`
		Quantity scalar `json:"quantity"`
	} `json:"quantities"`
}

// variantRecords makes the records of variants. Levels that did not come along
// are asked for. A variant of which the stock has moved since the window ended
// is left to the next one, which has it: the order that moved it may be too
// young to be read, and without it the number would make no sense.
func (c *Connector) variantRecords(ctx context.Context, rows []row) ([]intake.Record, error) {
	records := make([]intake.Record, 0, len(rows))
	shared := 0
	for _, row := range rows {
		r, v := new(reading), new(variant)
		r.decode(row.raw, v)
		if err := complete(ctx, c, documentOf("item_levels"), []string{"inventoryItem", "inventoryLevels"}, v.Item.ID, &v.Item.Levels); err != nil {
			return nil, err
		}
		if v.moved(row.until) {
			continue
		}
		if n, err := v.Item.Duplicates.number(); err == nil && n.IsPositive() {
			shared++
		}
		records = append(records, r.seal(intake.KindVariant, row.ref(), v.changed(), v.body(r), row.raw))
	}
	if shared > 0 {
		c.env.Log.Info().Str("shop", c.env.Shop).Str("resource", string(intake.Variants)).Int("variants", shared).
			Msg("variants share their SKU with others of the shop, so the SKU alone does not tell which of them is meant")
	}
	return records, nil
}

// changed is when the variant or its inventory item was last changed. A level
// is no part of it: it may go, and a date must not go backwards.
func (v *variant) changed() scalar {
	own, err := v.Updated.instant()
	items, itemErr := v.Item.Updated.instant()
	if err != nil || (itemErr == nil && items.After(own)) {
		return v.Item.Updated
	}
	return v.Updated
}

// moved reports whether the stock has moved at or after an instant, in Unix
// seconds; 0 is none.
func (v *variant) moved(since int64) bool {
	return since > 0 && slices.ContainsFunc(v.Item.Levels.Nodes, func(l level) bool {
		at, err := l.Updated.instant()
		return err == nil && at.Unix() >= since
	})
}

func (v *variant) body(r *reading) *intake.Variant {
	b := &intake.Variant{
		ID: v.ID.ref(), ProductID: v.Product.ID.ref(), SKU: v.SKU.trimmed(), Barcode: v.Barcode.trimmed(), Title: v.Title.trimmed(),
		Kind: v.kind(), Backorders: backorders(v.Backorders), Weight: v.weight(), InventoryID: v.Item.ID.ref(), Sellable: true,
		Tracked: v.Item.Tracked && !v.Bundle,
	}
	if v.Taxable != nil && !*v.Taxable {
		b.TaxClass = "exempt"
	}
	for _, o := range v.Options {
		b.Options = append(b.Options, intake.Option{Name: o.Name.trimmed(), Value: o.Value.trimmed()})
	}
	if len(b.Options) == 1 && b.Options[0] == onlyVariant {
		b.Options, b.Title = nil, ""
	}
	if v.Item.Cost != nil {
		b.Cost = r.optional(v.Item.Cost.Amount, "inventoryItem.unitCost")
	}
	v.price(r, b)
	if b.Tracked {
		v.stock(r, b)
	}
	return b
}

// onlyVariant is the option of a product that has none.
var onlyVariant = intake.Option{Name: "Title", Value: "Default Title"}

// price sets what the variant costs: a price to compare with that is higher
// makes it a sale.
func (v *variant) price(r *reading, b *intake.Variant) {
	b.Price = r.optional(v.Price, "price")
	b.Regular = b.Price
	if before := r.optional(v.CompareAt, "compareAtPrice"); before != nil && b.Price != nil && before.GreaterThan(*b.Price) {
		b.Regular, b.Sale = before, b.Price
	}
}

// stock sets the levels, by location, and their sum. What stands at a location
// that was shut down cannot be sold.
func (v *variant) stock(r *reading, b *intake.Variant) {
	var sum decimal.Decimal
	levels := map[uint64]intake.Level{}
	for _, l := range v.Item.Levels.Nodes {
		at := intake.Level{Location: l.Location.ID.ref()}
		if at.Location == "" {
			r.fail("inventoryLevels", errors.New("a level has no location"))
			continue
		}
		for _, q := range l.Quantities {
			n := r.amount(q.Quantity, "inventoryLevels."+q.Name.trimmed())
			switch q.Name.trimmed() {
			case "available":
				at.Available = n
			case "on_hand":
				at.OnHand = n
			case "committed":
				at.Committed = n
			case "incoming":
				at.Incoming = n
			}
		}
		if l.Location.Active {
			sum = sum.Add(at.Available)
		}
		levels[l.Location.ID.id()] = at
	}
	for _, id := range sortedKeys(levels) {
		b.Levels = append(b.Levels, levels[id])
	}
	b.Stock = &sum
}

func (v *variant) kind() intake.ProductKind {
	switch {
	case v.Product.GiftCard:
		return intake.ProductGiftCard
	case !v.Item.Ships && !v.Item.Tracked:
		return intake.ProductService
	default:
		return intake.ProductStocked
	}
}

// backorders says whether more can be sold than there is.
func backorders(policy scalar) string {
	switch p := strings.ToLower(policy.trimmed()); p {
	case "continue":
		return "yes"
	case "deny":
		return "no"
	default:
		return p
	}
}

// weight is the weight with its unit; "" where none was entered.
func (v *variant) weight() string {
	w := v.Item.Measurement.Weight
	if w == nil {
		return ""
	}
	n, err := w.Value.number()
	if err != nil {
		return ""
	}
	unit, _ := intake.WeightUnit(w.Unit.text) // one that is not known is told as it is
	return intake.Weight(n, unit)
}

func categoryRecord(at row) intake.Record {
	var p struct {
		Updated     scalar `json:"updatedAt"`
		Title       scalar `json:"title"`
		Handle      scalar `json:"handle"`
		Description scalar `json:"descriptionHtml"`
	}
	r := new(reading)
	r.decode(at.raw, &p)
	b := &intake.Category{Name: p.Title.trimmed(), Slug: p.Handle.trimmed(), Description: p.Description.trimmed()}
	return r.seal(intake.KindCategory, at.ref(), p.Updated, b, at.raw)
}

func locationRecord(at row) intake.Record {
	var p struct {
		Updated scalar `json:"updatedAt"`
		Name    scalar `json:"name"`
		Active  bool   `json:"isActive"`
		Ships   bool   `json:"fulfillsOnlineOrders"`
		Address struct {
			City    scalar `json:"city"`
			Country scalar `json:"countryCode"`
		} `json:"address"`
	}
	r := new(reading)
	r.decode(at.raw, &p)
	b := &intake.Location{Name: p.Name.trimmed(), Country: p.Address.Country.trimmed(), City: p.Address.City.trimmed(), Active: p.Active, Ships: p.Ships}
	return r.seal(intake.KindLocation, at.ref(), p.Updated, b, at.raw)
}

func sortedKeys[T any](m map[uint64]T) []uint64 {
	keys := make([]uint64, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
