package shopify

import (
	"context"
	"slices"

	"comptoir/erp/intake"
)

// pushProducts changes products, or makes them.
func (c *Connector) pushProducts(ctx context.Context, edits []intake.Edit, outcomes []intake.Outcome) error {
	stand, err := c.places(ctx, edits)
	if err != nil {
		return err
	}
	for i := range edits {
		e, o := &edits[i], &outcomes[i]
		if e.Ref.ID == "" {
			err = c.makeProduct(ctx, e, o)
		} else {
			err = c.changeProduct(ctx, e, stand, o)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// places is where products stand that are to be moved.
type places struct {
	in    map[string][]string // collections by product
	rules map[string]bool     // collections that rules fill
}

// places reads where products stand of which the collections change, and
// which of these they cannot be taken out of.
func (c *Connector) places(ctx context.Context, edits []intake.Edit) (*places, error) {
	s := &places{in: map[string][]string{}, rules: map[string]bool{}}
	var refs []intake.Ref
	for i := range edits {
		if _, moves := changesOf(&edits[i])[intake.FieldCategories]; moves && edits[i].Ref.ID != "" {
			refs = append(refs, edits[i].Ref)
		}
	}
	records, err := c.Fetch(ctx, refs)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, rec := range records {
		if p, ok := rec.Body.(*intake.Product); ok {
			s.in[rec.Ref.ID] = p.CategoryIDs
			ids = append(ids, p.CategoryIDs...)
		}
	}
	for i := range edits {
		to, _ := readList[string](changesOf(&edits[i])[intake.FieldCategories])
		ids = append(ids, to...)
	}
	slices.Sort(ids)
	for some := range slices.Chunk(slices.Compact(ids), maxPageSize/5) {
		if err := c.readRules(ctx, some, s.rules); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// readRules finds out which collections are filled by rules.
func (c *Connector) readRules(ctx context.Context, ids []string, rules map[string]bool) error {
	var said struct {
		Nodes []*struct {
			ID      scalar    `json:"id"`
			RuleSet *struct{} `json:"ruleSet"`
			Sources []struct {
				Type      string `json:"__typename"`
				Inclusion struct {
					Conditions []struct{} `json:"conditions"`
				} `json:"inclusion"`
			} `json:"sources"`
		} `json:"nodes"`
	}
	var gids []string
	for _, id := range ids {
		gids = append(gids, gid("Collection", id))
	}
	doc := c.sinceSources(documentOf("collection_rules"), documentOf("collection_rules_until_2026_04"))
	if _, err := c.client.do(ctx, "read by what collections are filled", doc, map[string]any{"ids": gids}, &said); err != nil {
		return err
	}
	for _, k := range said.Nodes {
		if k == nil {
			continue
		}
		byRule := k.RuleSet != nil
		for _, s := range k.Sources {
			byRule = byRule || s.Type != "CollectionConditionsSource" || len(s.Inclusion.Conditions) > 0
		}
		rules[k.ID.ref()] = byRule
	}
	return nil
}

// moves says which collections a product is to join and to leave. Where rules
// decide, nobody else does.
func (s *places) moves(product string, to []string) (join, leave []string) {
	there := s.in[product]
	for _, id := range to {
		if !slices.Contains(there, id) && !s.rules[id] {
			join = append(join, gid("Collection", id))
		}
	}
	for _, id := range there {
		if !slices.Contains(to, id) && !s.rules[id] {
			leave = append(leave, gid("Collection", id))
		}
	}
	return join, leave
}

// changeProduct changes one product.
func (c *Connector) changeProduct(ctx context.Context, e *intake.Edit, stand *places, o *intake.Outcome) error {
	product := map[string]any{"id": gid("Product", e.Ref.ID)}
	for _, change := range e.Changes {
		switch change.Field {
		case intake.FieldImages: // come last
		case intake.FieldCategories:
			to, ok := readList[string](change.To)
			if !ok {
				refuse(o, "this is no list of collections: "+change.To)
				return nil
			}
			if join, leave := stand.moves(e.Ref.ID, to); len(join)+len(leave) > 0 {
				product["collectionsToJoin"], product["collectionsToLeave"] = join, leave
			}
		default:
			name, value, why := productValue(change)
			if why != "" {
				refuse(o, why)
				return nil
			}
			product[name] = value
		}
	}
	if why, err := c.updateProduct(ctx, product); err != nil || why != "" {
		refuse(o, why)
		return err
	}
	why := ""
	if images, changes := changesOf(e)[intake.FieldImages]; changes {
		var err error
		if why, err = c.changePictures(ctx, e.Key, e.Ref.ID, images); err != nil {
			return err
		}
	}
	refuse(o, why)
	return nil
}

// updateProduct changes the fields of a product, if there is one to change.
func (c *Connector) updateProduct(ctx context.Context, product map[string]any) (why string, err error) {
	if len(product) == 1 { // its id
		return "", nil
	}
	var said struct {
		Update answeredErrors `json:"productUpdate"`
	}
	if _, err := c.client.do(ctx, "change a product", documentOf("product_edit"), map[string]any{"product": product}, &said); err != nil {
		return "", err
	}
	return said.Update.why(), nil
}

// productValue is a change in the words of the API, or why it cannot be one.
func productValue(change intake.Change) (name string, value any, why string) {
	switch change.Field {
	case intake.FieldTitle:
		return "title", change.To, ""
	case intake.FieldDescription:
		return "descriptionHtml", change.To, ""
	case intake.FieldStatus:
		if status := statuses[change.To]; status != "" {
			return "status", status, ""
		}
		return "", nil, "a product at Shopify is published, draft or archived, and not " + change.To
	default:
		return "", nil, "Shopify has no place for the " + string(change.Field) + " of a product"
	}
}

// why says what a mutation was refused for; "" where it was carried out.
func (a answeredErrors) why() string {
	if len(a.Errors) == 0 {
		return ""
	}
	return (&refusal{a.Errors}).Error()
}
