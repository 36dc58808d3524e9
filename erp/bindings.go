package erp

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"comptoir/erp/catalog"
	"comptoir/erp/fault"
	"comptoir/erp/store"
)

// Binding says which variant of the books a record of a shop is.
type Binding struct {
	Shop     string `json:"shop"`
	External string `json:"external_id"`
	Product  string `json:"product_id"` // the shop's
	SKU      string `json:"sku"`
	Barcode  string `json:"barcode"`
	Title    string `json:"title"`
	Options  string `json:"options"`
	Variant  int64  `json:"variant"` // of the books
	// Others are the other shops that sell the same variant.
	Others []string `json:"others"`
	// Proposal is another variant that it may be one with, 0 for none. Reason
	// says why, or for what else a person has to look at it; "" for nothing.
	Proposal int64  `json:"proposal"`
	Reason   string `json:"reason"`

	shop    int64
	product int64
	own     bool
}

// Bindings lists what the shops sell, in the order of the configuration and by
// SKU, with proposals for what is sold in one shop only.
func (b *Books) Bindings(ctx context.Context) ([]Binding, error) {
	list, err := b.bindings(ctx, b.db)
	if err != nil {
		return nil, fmt.Errorf("list the bindings: %w", err)
	}
	return list, nil
}

func (b *Books) bindings(ctx context.Context, r store.Reader) ([]Binding, error) {
	rows, err := r.Query(ctx, `SELECT g.shop_id, s.name, g.external_id, g.parent, v.id, v.product_id, v.sku, v.barcode, COALESCE(p.title, v.title), v.options,
			v.stock_id = v.id AND NOT EXISTS (SELECT 1 FROM variant x WHERE x.stock_id = v.id AND x.id <> v.id AND x.merged_into = 0)
		FROM origin g JOIN shop s ON s.id = g.shop_id JOIN variant v ON v.id = g.local_id LEFT JOIN product p ON p.id = v.product_id
		WHERE g.kind = 'variant' AND NOT g.gone AND NOT v.stub AND NOT v.unlisted AND v.sellable AND v.linked ORDER BY v.sku, g.external_id`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []Binding
	for rows.Next() {
		var l Binding
		if err := rows.Scan(&l.shop, &l.Shop, &l.External, &l.Product, &l.Variant, &l.product, &l.SKU, &l.Barcode, &l.Title, &l.Options, &l.own); err != nil {
			return nil, err
		}
		if l.Options == "null" || l.Options == "[]" {
			l.Options = ""
		}
		if b.configured(l.shop) {
			out = append(out, l)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	b.propose(out)
	slices.SortStableFunc(out, func(x, y Binding) int { return b.place(x.Shop) - b.place(y.Shop) })
	return out, nil
}

// propose fills in who else sells a variant, and what it may be one with.
func (b *Books) propose(list []Binding) {
	shops := map[int64][]string{}
	listed := make([]catalog.Listed, len(list))
	for i, l := range list {
		shops[l.Variant] = append(shops[l.Variant], l.Shop)
		listed[i] = catalog.Listed{Shop: l.shop, Variant: l.Variant, Product: l.product, SKU: l.SKU, Barcode: l.Barcode, Title: l.Title, Options: l.Options, Own: l.own}
	}
	proposals := catalog.Propose(listed)
	for i := range list {
		l := &list[i]
		l.Others = []string{}
		for _, s := range shops[l.Variant] {
			if s != l.Shop && !slices.Contains(l.Others, s) {
				l.Others = append(l.Others, s)
			}
		}
		slices.SortFunc(l.Others, func(x, y string) int { return b.place(x) - b.place(y) })
		if p, ok := proposals[l.Variant]; ok {
			l.Proposal, l.Reason = p.Variant, p.Reason
		}
	}
	repeated(list)
}

// Rebinding is what a person decided about a record of a shop.
type Rebinding struct {
	Shop     string
	External string
	// Was is the variant that it was when the person looked; 0 where they did
	// not say.
	Was int64
	// Variant is the one that it is from now on; 0 for one of its own.
	Variant int64
	// Where says where the decision stands, for messages: "links.csv:12".
	Where string
}

// Rebound says what a Rebinding does.
type Rebound struct {
	Shop     string `json:"shop"`
	External string `json:"external_id"`
	SKU      string `json:"sku"`
	From     int64  `json:"from"`
	To       int64  `json:"to"`
	Orders   int    `json:"orders"` // orders of the shop that are decided again
	What     string `json:"what"`   // in plain words
}

// The columns of a file of bindings. In link stands what a person decided: the
// number of a variant, "yes" for the proposal, "new" for a variant of its own;
// nothing leaves it as it is.
var bindingColumns = []string{"shop", "external_id", "product_id", "sku", "barcode", "title", "options", "variant", "others", "proposal", "reason", "link"}

// Row is the binding as a line of a file, with an empty column link.
func (l Binding) Row() []string {
	proposal := ""
	if l.Proposal != 0 {
		proposal = strconv.FormatInt(l.Proposal, 10)
	}
	return []string{l.Shop, l.External, l.Product, l.SKU, l.Barcode, l.Title, l.Options, strconv.FormatInt(l.Variant, 10), strings.Join(l.Others, " "), proposal, l.Reason, ""}
}

// BindingColumns names the columns of Row.
func BindingColumns() []string { return slices.Clone(bindingColumns) }

// ReadRebindings reads the decisions in a file of bindings.
func ReadRebindings(r io.Reader, name string) ([]Rebinding, error) {
	s, err := readSheet(r, name, []string{"shop", "external_id", "variant", "link"}, bindingColumns)
	if err != nil {
		return nil, err
	}
	var out []Rebinding
	for _, row := range s.rows {
		link := strings.ToLower(s.cell(row, "link"))
		if link == "" {
			continue
		}
		d := Rebinding{Shop: s.cell(row, "shop"), External: s.cell(row, "external_id"), Where: fmt.Sprintf("%s:%d", name, row.line)}
		if d.Was, err = strconv.ParseInt(s.cell(row, "variant"), 10, 64); err != nil {
			return nil, fault.New(fault.Invalid, "leave the column variant as it was exported", "%s: %q is no number of a variant", d.Where, s.cell(row, "variant"))
		}
		target := link
		if link == "yes" {
			target = s.cell(row, "proposal")
		}
		if target != "new" {
			d.Variant, err = strconv.ParseInt(target, 10, 64)
			if err != nil || d.Variant <= 0 {
				return nil, fault.New(fault.Invalid, `write the number of a variant, "yes" where there is a proposal, "new" for one of its own, or nothing`,
					"%s: link %q cannot be read", d.Where, s.cell(row, "link"))
			}
		}
		out = append(out, d)
	}
	return out, nil
}
