package woocommerce

import (
	"context"
	"encoding/json"
	"net/url"

	"comptoir/erp/intake"
)

// pictures are those that products have, by the product's id.
type pictures map[string]*pictured

type pictured struct {
	ID     scalar     `json:"id"`
	Meta   list[meta] `json:"meta_data"`
	Images list[object[struct {
		ID  scalar `json:"id"`
		Src scalar `json:"src"`
	}]] `json:"images"`
}

// picturesOf reads the pictures of the products of which they are to change.
func (c *Connector) picturesOf(ctx context.Context, edits []intake.Edit) (pictures, error) {
	all := pictures{}
	var ids []string
	for i := range edits {
		if _, ok := changeOf(edits[i].Changes, intake.FieldImages); ok {
			ids = append(ids, edits[i].Ref.ID)
		}
	}
	err := c.included(ctx, "read images", "products", url.Values{"status": {"any"}, "_fields": {"id,images,meta_data"}}, ids, func(raw json.RawMessage) {
		p := new(pictured)
		if json.Unmarshal(raw, p) == nil {
			all[p.ID.ref()] = p
		}
	})
	return all, err
}

// express adds pictures to the body of a product. A picture that it has is
// named by its id: by its address the shop would fetch it once more. The key of
// the change goes with new ones, so that they are fetched once, whatever becomes
// of the answer.
func (p pictures) express(body map[string]any, e *intake.Edit) error {
	text, ok := changeOf(e.Changes, intake.FieldImages)
	if !ok {
		return nil
	}
	sources, err := readList[string](text)
	if err != nil {
		return err
	}
	has := p[e.Ref.ID]
	if has != nil && e.Key != "" && metaOf(has.Meta, keyMeta) == e.Key {
		return nil // they are there since the first try
	}
	images := []map[string]any{}
	for _, src := range sources {
		images = append(images, has.image(src))
	}
	body["images"] = images
	if e.Key != "" {
		body["meta_data"] = []map[string]any{{"key": keyMeta, "value": e.Key}}
	}
	return nil
}

func (p *pictured) image(src string) map[string]any {
	if p != nil {
		for i := range p.Images {
			if img := &p.Images[i].v; img.Src.trimmed() == src && img.ID.id() > 0 {
				return map[string]any{"id": img.ID.id()}
			}
		}
	}
	return map[string]any{"src": src}
}
