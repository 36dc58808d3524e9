package shopify

import (
	"context"
	"errors"

	"comptoir/erp/intake"
)

// pushCollections changes, makes or deletes collections.
func (c *Connector) pushCollections(ctx context.Context, edits []intake.Edit, outcomes []intake.Outcome) error {
	for i := range edits {
		var err error
		switch e, o := &edits[i], &outcomes[i]; {
		case e.Delete:
			err = c.deleteCollection(ctx, e.Ref.ID, o)
		case e.Ref.ID == "":
			err = c.makeCollection(ctx, e, o)
		default:
			err = c.changeCollection(ctx, e, o)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// collectionInput is an edit in the words of the API, or why it cannot be one.
func collectionInput(e *intake.Edit) (input map[string]any, why string) {
	input = map[string]any{}
	for _, change := range e.Changes {
		switch change.Field {
		case intake.FieldName:
			input["title"] = change.To
		case intake.FieldDescription:
			input["descriptionHtml"] = change.To
		default:
			return nil, "Shopify has no place for the " + string(change.Field) + " of a collection"
		}
	}
	return input, ""
}

func (c *Connector) changeCollection(ctx context.Context, e *intake.Edit, o *intake.Outcome) error {
	input, why := collectionInput(e)
	if why != "" {
		refuse(o, why)
		return nil
	}
	input["id"] = gid("Collection", e.Ref.ID)
	var said struct {
		Update answeredErrors `json:"collectionUpdate"`
	}
	doc := c.sinceSources(documentOf("collection_edit"), documentOf("collection_edit_until_2026_04"))
	if _, err := c.client.do(ctx, "change a collection", doc, map[string]any{"collection": input}, &said); err != nil {
		return err
	}
	refuse(o, said.Update.why())
	return nil
}

// deleteCollection deletes a collection; one that is gone needs no deleting.
func (c *Connector) deleteCollection(ctx context.Context, id string, o *intake.Outcome) error {
	var said struct {
		Delete answeredErrors `json:"collectionDelete"`
	}
	if _, err := c.client.do(ctx, "delete a collection", documentOf("collection_delete"), map[string]any{"id": gid("Collection", id)}, &said); err != nil {
		return err
	}
	why := said.Delete.why()
	if why != "" {
		there, err := c.Fetch(ctx, []intake.Ref{{Kind: intake.KindCategory, ID: id}})
		if err != nil {
			return err
		}
		if there[0].Gone() {
			why = ""
		}
	}
	refuse(o, why)
	return nil
}

// makeCollection makes a collection, unless an earlier try has made it.
func (c *Connector) makeCollection(ctx context.Context, e *intake.Edit, o *intake.Outcome) error {
	const op = "make a collection"
	input, why := collectionInput(e)
	if why != "" {
		refuse(o, why)
		return nil
	}
	id, handle, err := c.lookFor(ctx, documentOf("collection_known"), e.Key, changesOf(e)[intake.FieldName])
	if err != nil {
		return err
	}
	if id == "" {
		input["handle"], input["metafields"] = handle, marks(e.Key)
		var said struct {
			Create struct {
				answeredErrors
				Made *node `json:"collection"`
			} `json:"collectionCreate"`
		}
		doc := c.sinceSources(documentOf("collection_make"), documentOf("collection_make_until_2026_04"))
		if _, err := c.client.doOnce(ctx, op, doc, map[string]any{"collection": input}, &said); err != nil {
			return err
		}
		switch why := said.Create.why(); {
		case why != "":
			refuse(o, why)
			return nil
		case said.Create.Made == nil:
			return c.malformed(op, errors.New("the shop does not say what it has made"))
		}
		id = said.Create.Made.ID.ref()
	}
	o.Ref.ID, o.Result = id, intake.Done
	o.Why, err = c.publish(ctx, gid("Collection", id))
	return err
}
