package shopify

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"comptoir/erp/intake"

	"golang.org/x/text/unicode/norm"
)

// What is made bears a mark, so that it is known when its answer was lost. Its
// handle is chosen here: the shop has each only once, so that not even two
// tries at the same time make two of it.

// marks are the metafields of what is made under a key.
func marks(key string) []map[string]any {
	return []map[string]any{{"namespace": "comptoir", "key": "key", "type": "single_line_text_field", "value": key}}
}

// handlesOf are the handles that what is called so may get under a key: the
// usual one, or where another has it already one of its own.
func handlesOf(name, key string) []string {
	sum := sha256.Sum256([]byte(key))
	own := hex.EncodeToString(sum[:4])
	usual := handleOf(name)
	if usual == "" {
		return []string{own}
	}
	return []string{usual, usual + "-" + own}
}

// mostHandle is how long a handle is at most, without what is added.
const mostHandle = 200

// handleOf writes a name as it stands in an address: letters and digits without
// marks, joined by hyphens.
func handleOf(name string) string {
	words := strings.FieldsFunc(strings.ToLower(norm.NFKD.String(name)), func(r rune) bool {
		return !unicode.Is(unicode.Mn, r) && (r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r))
	})
	for i := range words {
		words[i] = strings.Map(func(r rune) rune {
			if unicode.Is(unicode.Mn, r) {
				return -1
			}
			return r
		}, words[i])
	}
	handle := strings.Trim(strings.Join(words, "-"), "-")
	return strings.Trim(handle[:min(len(handle), mostHandle)], "-")
}

// lookFor looks for what was made under a key; where it was not, it says which
// handle is free.
func (c *Connector) lookFor(ctx context.Context, doc document, key, name string) (id, free string, err error) {
	handles := handlesOf(name, key)
	for _, handle := range handles {
		var said map[string]*struct {
			ID   scalar `json:"id"`
			Mark *struct {
				Value string `json:"value"`
			} `json:"metafield"`
		}
		if _, err := c.client.do(ctx, "look for what may be there already", doc, map[string]any{"handle": handle}, &said); err != nil {
			return "", "", err
		}
		taken := false
		for _, there := range said {
			if there == nil {
				continue
			}
			if taken = true; there.Mark != nil && there.Mark.Value == key {
				return there.ID.ref(), handle, nil
			}
		}
		if !taken && free == "" {
			free = handle // the other may still be ours, made while this one was taken
		}
	}
	if free == "" {
		free = handles[len(handles)-1]
	}
	return "", free, nil
}

// makeProduct makes a product with its variants, unless an earlier try has.
func (c *Connector) makeProduct(ctx context.Context, e *intake.Edit, o *intake.Outcome) error {
	const op = "make a product"
	product, why := productInput(e)
	if why != "" {
		refuse(o, why)
		return nil
	}
	id, handle, err := c.lookFor(ctx, documentOf("product_known"), e.Key, changesOf(e)[intake.FieldTitle])
	if err != nil {
		return err
	}
	if id == "" {
		if why, err := c.skusTaken(ctx, e); err != nil || why != "" {
			refuse(o, why)
			return err
		}
		product["handle"], product["metafields"] = handle, marks(e.Key)
		var said struct {
			Set struct {
				answeredErrors
				Made *node `json:"product"`
			} `json:"productSet"`
		}
		if _, err := c.client.doOnce(ctx, op, documentOf("product_make"), map[string]any{"product": product}, &said); err != nil {
			return err
		}
		switch why := said.Set.why(); {
		case why != "":
			refuse(o, why)
			return nil
		case said.Set.Made == nil:
			return c.malformed(op, errors.New("the shop does not say what it has made"))
		}
		id = said.Set.Made.ID.ref()
	}
	o.Ref.ID, o.Result = id, intake.Done
	if o.Variants, err = c.variantsMade(ctx, id, e.Variants); err != nil {
		return err
	}
	notes := make([]string, 2)
	if notes[0], err = c.picturesMade(ctx, id, e); err != nil {
		return err
	}
	notes[1], err = c.publish(ctx, gid("Product", id))
	o.Why = strings.Trim(strings.Join(notes, "; "), "; ")
	return err
}

// productInput is a new product in the words of the API, or why it cannot be
// one.
func productInput(e *intake.Edit) (product map[string]any, why string) {
	if len(e.Variants) == 0 || len(e.Variants) > maxPageSize {
		return nil, fmt.Sprintf("a product is made with 1 to %d variants, and not with %d", maxPageSize, len(e.Variants))
	}
	product = map[string]any{}
	for _, change := range e.Changes {
		if change.Field == intake.FieldCategories {
			ids, ok := readList[string](change.To)
			if !ok {
				return nil, "this is no list of collections: " + change.To
			}
			var in []string
			for _, id := range ids {
				in = append(in, gid("Collection", id))
			}
			product["collections"] = in
			continue
		}
		if change.Field == intake.FieldImages {
			if product["files"], why = fileInputs(change.To); why != "" {
				return nil, why
			}
			continue
		}
		name, value, why := productValue(change)
		if why != "" {
			return nil, why
		}
		product[name] = value
	}
	product["productOptions"], product["variants"], why = variantInputs(e.Variants)
	return product, why
}

// variantInputs are the variants of a new product in the words of the API, with
// the choices that tell them apart; or why they cannot be.
func variantInputs(edits []intake.Edit) (options, variants []map[string]any, why string) {
	var names []intake.Option
	values := map[string][]map[string]any{}
	for i := range edits {
		v := &edits[i]
		own, ok := choicesOf(v)
		if !ok || i > 0 && !sameNames(own, names) {
			return nil, nil, "the variants of a product are told apart by the same choices, in the same order: these are not"
		}
		names = own
		input, why := newVariantInput(v)
		if why != "" {
			return nil, nil, why
		}
		variants = append(variants, input)
		for _, o := range own {
			if !slices.ContainsFunc(values[o.Name], func(v map[string]any) bool { return v["name"] == o.Value }) {
				values[o.Name] = append(values[o.Name], map[string]any{"name": o.Value})
			}
		}
	}
	for i, o := range names {
		options = append(options, map[string]any{"name": o.Name, "position": i + 1, "values": values[o.Name]})
	}
	return options, variants, ""
}

// choicesOf are the choices that make a new variant. The only one of a product
// has the choice that the shop gives to those without.
func choicesOf(e *intake.Edit) ([]intake.Option, bool) {
	own, ok := readOptions(changesOf(e)[intake.FieldOptions])
	if len(own) == 0 {
		own = []intake.Option{onlyVariant}
	}
	return own, ok
}

// skusTaken says which SKUs of a product that is to be made the shop has
// already: it may be there under another name, and would stand there twice.
func (c *Connector) skusTaken(ctx context.Context, e *intake.Edit) (why string, err error) {
	var terms []string
	wanted := map[string]bool{}
	for i := range e.Variants {
		if sku := changesOf(&e.Variants[i])[intake.FieldSKU]; sku != "" && !strings.ContainsAny(sku, `'"\`) {
			terms, wanted[sku] = append(terms, "sku:'"+sku+"'"), true
		}
	}
	for some := range slices.Chunk(terms, mostTerms) {
		var said struct {
			Variants connection[struct {
				SKU     scalar `json:"sku"`
				Product node   `json:"product"`
			}] `json:"productVariants"`
		}
		vars := map[string]any{"first": maxPageSize, "query": strings.Join(some, " OR ")}
		if _, err := c.client.do(ctx, "look for SKUs", documentOf("variants_known"), vars, &said); err != nil {
			return "", err
		}
		for _, v := range said.Variants.Nodes {
			if wanted[v.SKU.trimmed()] {
				return fmt.Sprintf("the shop has the SKU %s already, in product %s: link the two, and nothing need be made", v.SKU.trimmed(), v.Product.ID.ref()), nil
			}
		}
	}
	return "", nil
}

// mostTerms is how many alternatives a search has at most.
const mostTerms = 50

// variantsMade finds the variants of a product that was made, in the order in
// which they were asked for: by their choices.
func (c *Connector) variantsMade(ctx context.Context, id string, wanted []intake.Edit) ([]intake.Ref, error) {
	there, err := c.madeOf(ctx, id)
	if err != nil {
		return nil, err
	}
	refs := make([]intake.Ref, len(wanted))
	for i := range wanted {
		own, _ := choicesOf(&wanted[i])
		at := slices.IndexFunc(there, func(v madeVariant) bool { return slices.Equal(v.chosen(), own) })
		if at < 0 {
			return nil, c.malformed("read the variants of a product", fmt.Errorf("product %s was made without the variant %s", id, intake.List(own)))
		}
		refs[i] = intake.Ref{Kind: intake.KindVariant, ID: there[at].ID.ref(), Parent: id}
	}
	return refs, nil
}

// publish puts what was made on sale where the shop does so with new products:
// by itself it does not, where an app has made them. What keeps it from that is
// a note, and no failure.
func (c *Connector) publish(ctx context.Context, id string) (note string, err error) {
	known, err := c.access(ctx)
	if err != nil {
		return "", err
	}
	if !known.has(scopePublish) {
		note = "it is made, and not on sale: the app lacks the right " + scopePublish + ", so publish it in the admin of the shop"
		c.client.versions.warn(note)
		return note, nil
	}
	var there struct {
		All connection[struct {
			ID   scalar `json:"id"`
			Auto bool   `json:"autoPublish"`
		}] `json:"publications"`
	}
	if _, err := c.client.do(ctx, "list where products are on sale", documentOf("publications"), nil, &there); err != nil {
		return "", err
	}
	var to []map[string]any
	for _, p := range there.All.Nodes {
		if p.Auto {
			to = append(to, map[string]any{"publicationId": p.ID.trimmed()})
		}
	}
	if len(to) == 0 {
		return "it is made, and not on sale: no sales channel of the shop takes new products by itself, so publish it in the admin", nil
	}
	var said struct {
		Publish answeredErrors `json:"publishablePublish"`
	}
	if _, err := c.client.do(ctx, "publish", documentOf("publish"), map[string]any{"id": id, "input": to}, &said); err != nil {
		return "", err
	}
	if why := said.Publish.why(); why != "" {
		return "it is made, and not on sale: " + why, nil
	}
	return "", nil
}
