package shopify

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strconv"

	"comptoir/connectors"
	"comptoir/erp/intake"
)

// How far the shop is with a picture that it copies.
const (
	mediaReady  = "READY"
	mediaFailed = "FAILED"
)

// shot is one of the media of a product. What is no picture is left alone.
type shot struct {
	ID     scalar `json:"id"`
	Status string `json:"status"`
	Image  *struct {
		URL scalar `json:"url"`
	} `json:"image"` // null where it is a film, or still being copied
}

func (s shot) url() string {
	if s.Image == nil {
		return ""
	}
	return s.Image.URL.trimmed()
}

// isPicture tells a picture from a film or a model by its id.
func (s shot) isPicture() bool { return s.ID.text == gid("MediaImage", s.ID.ref()) }

// album is the media of a product, and the key of the change that last added
// some.
type album struct {
	shots []shot
	mark  string
}

// pictures are the media that are pictures.
func (a *album) pictures() []shot {
	return slices.DeleteFunc(slices.Clone(a.shots), func(s shot) bool { return !s.isPicture() })
}

// readAddresses reads the addresses of pictures.
func readAddresses(value string) ([]string, bool) {
	list, ok := readList[string](value)
	for _, address := range list {
		u, err := url.Parse(address)
		ok = ok && err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https")
	}
	return list, ok
}

// changePictures gives a product the pictures that are wanted, in their order.
// The shop copies each and gives it another address, so what it has is kept
// only where it is wanted by that. The reason is why it was refused; "" where it
// has them.
func (c *Connector) changePictures(ctx context.Context, key, id, value string) (why string, err error) {
	wanted, ok := readAddresses(value)
	if !ok {
		return "these are no addresses of pictures: " + value, nil
	}
	a, err := c.album(ctx, id)
	if err != nil {
		return "", err
	}
	fresh := a.missing(wanted)
	if (key == "" || a.mark != key) && len(fresh) > 0 { // else they were added by an earlier try
		if why, err := c.addPictures(ctx, key, id, fresh); err != nil || why != "" {
			return why, err
		}
	}
	if a, err = c.awaitPictures(ctx, id); err != nil {
		return "", err
	}
	order, old := a.arranged(wanted, len(fresh))
	if why, err := c.removePictures(ctx, id, old); err != nil || why != "" {
		return why, err
	}
	if slices.ContainsFunc(order, func(s shot) bool { return s.Status == mediaFailed }) {
		return "Shopify could not fetch a picture: look whether its address can be opened", nil
	}
	return c.orderPictures(ctx, id, a, order, old)
}

// missing are the wanted pictures that a product does not have.
func (a *album) missing(wanted []string) []string {
	have := a.pictures()
	return slices.DeleteFunc(slices.Clone(wanted), func(address string) bool {
		return slices.ContainsFunc(have, func(s shot) bool { return s.url() == address })
	})
}

// arranged are the wanted pictures in their order, and those that are not
// wanted. The last so many are those that were added, in the order in which
// they are wanted.
func (a *album) arranged(wanted []string, added int) (order, old []shot) {
	have := a.pictures()
	fresh := have[max(len(have)-added, 0):]
	left := have[:len(have)-len(fresh)]
	for _, address := range wanted {
		at := slices.IndexFunc(left, func(s shot) bool { return s.url() == address })
		switch {
		case at >= 0:
			order = append(order, left[at])
			left = slices.Delete(slices.Clone(left), at, at+1)
		case len(fresh) > 0:
			order, fresh = append(order, fresh[0]), fresh[1:]
		}
	}
	return order, left
}

// album reads the media of a product.
func (c *Connector) album(ctx context.Context, id string) (*album, error) {
	const op, first = "read the pictures of a product", 50
	doc, product := documentOf("product_pictures"), scalar{text: gid("Product", id)}
	var data json.RawMessage
	if _, err := c.client.do(ctx, op, doc, map[string]any{"id": product.text, "first": first, "after": nil}, &data); err != nil {
		return nil, err
	}
	var said struct {
		Product struct {
			Mark *struct {
				Value string `json:"value"`
			} `json:"metafield"`
		} `json:"product"`
	}
	path := []string{"product", "media"}
	list, err := connectionAt[shot](data, path)
	if err == nil {
		err = json.Unmarshal(data, &said)
	}
	if err != nil {
		return nil, c.malformed(op, err)
	}
	if err := complete(ctx, c, doc, path, product, list); err != nil {
		return nil, err
	}
	a := &album{shots: list.Nodes}
	if said.Product.Mark != nil {
		a.mark = said.Product.Mark.Value
	}
	return a, nil
}

// addPictures has the shop copy pictures.
func (c *Connector) addPictures(ctx context.Context, key, id string, addresses []string) (why string, err error) {
	var media []map[string]any
	for _, address := range addresses {
		media = append(media, map[string]any{"originalSource": address, "mediaContentType": "IMAGE"})
	}
	product := map[string]any{"id": gid("Product", id), "metafields": []map[string]any{
		{"namespace": "comptoir", "key": "images", "type": "single_line_text_field", "value": key}}}
	var said struct {
		Update answeredErrors `json:"productUpdate"`
	}
	_, err = c.client.doOnce(ctx, "add pictures", documentOf("pictures_add"), map[string]any{"product": product, "media": media}, &said)
	return said.Update.why(), err
}

// awaitPictures waits until the shop has copied the pictures of a product, or
// failed to.
func (c *Connector) awaitPictures(ctx context.Context, id string) (*album, error) {
	for waited, wait := 0, jobLook; waited < jobWaits; waited, wait = waited+wait, 2*wait {
		a, err := c.album(ctx, id)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(a.pictures(), func(s shot) bool { return s.Status != mediaFailed && (s.Status != mediaReady || s.url() == "") }) {
			return a, nil
		}
		if err := c.pause(ctx, wait); err != nil {
			return nil, err
		}
	}
	return nil, c.client.rest.Fail(connectors.Transient, "shopify: add pictures", errors.New("the shop is still copying the pictures"), "")
}

// removePictures takes pictures from a product.
func (c *Connector) removePictures(ctx context.Context, id string, old []shot) (why string, err error) {
	var files []map[string]any
	for _, s := range old {
		files = append(files, map[string]any{"id": s.ID.trimmed(), "referencesToRemove": []string{gid("Product", id)}})
	}
	if len(files) == 0 {
		return "", nil
	}
	var said struct {
		Update answeredErrors `json:"fileUpdate"`
	}
	_, err = c.client.do(ctx, "remove pictures", documentOf("pictures_remove"), map[string]any{"files": files}, &said)
	if _, no := denied(err); no { // a right that nothing else needs
		return err.Error(), nil
	}
	return said.Update.why(), err
}

// orderPictures puts the pictures of a product in order, where they are not.
func (c *Connector) orderPictures(ctx context.Context, id string, a *album, order, gone []shot) (why string, err error) {
	now := slices.DeleteFunc(a.pictures(), func(s shot) bool {
		return slices.ContainsFunc(gone, func(g shot) bool { return g.ID == s.ID })
	})
	if slices.EqualFunc(now, order, func(a, b shot) bool { return a.ID == b.ID }) {
		return "", nil
	}
	var moves []map[string]any
	for i, s := range order {
		moves = append(moves, map[string]any{"id": s.ID.trimmed(), "newPosition": strconv.Itoa(i)})
	}
	var said struct {
		Reorder struct {
			Job    *node       `json:"job"`
			Errors []userError `json:"mediaUserErrors"`
		} `json:"productReorderMedia"`
	}
	const op = "order pictures"
	if _, err := c.client.do(ctx, op, documentOf("pictures_order"), map[string]any{"id": gid("Product", id), "moves": moves}, &said); err != nil {
		return "", err
	}
	if len(said.Reorder.Errors) > 0 {
		return (&refusal{said.Reorder.Errors}).Error(), nil
	}
	if said.Reorder.Job == nil {
		return "", nil
	}
	return "", c.await(ctx, op, said.Reorder.Job.ID.trimmed())
}

// fileInputs are the pictures of a product that is to be made.
func fileInputs(value string) (files []map[string]any, why string) {
	addresses, ok := readAddresses(value)
	if !ok {
		return nil, "these are no addresses of pictures: " + value
	}
	for _, address := range addresses {
		files = append(files, map[string]any{"originalSource": address, "contentType": "IMAGE"})
	}
	return files, ""
}

// picturesMade waits for the pictures of a product that was made. That one of
// them cannot be fetched is a note: the product is there.
func (c *Connector) picturesMade(ctx context.Context, id string, e *intake.Edit) (note string, err error) {
	if changesOf(e)[intake.FieldImages] == "" {
		return "", nil
	}
	a, err := c.awaitPictures(ctx, id)
	if err != nil {
		return "", err
	}
	if slices.ContainsFunc(a.pictures(), func(s shot) bool { return s.Status == mediaFailed }) {
		return "it is made, and Shopify could not fetch one of its pictures: look whether the address can be opened", nil
	}
	return "", nil
}
