package shopify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// The statuses of a bulk operation that are told apart. In any other, also one
// that is not known, it is under way.
const (
	exportCreated   = "CREATED"
	exportRunning   = "RUNNING"
	exportCompleted = "COMPLETED"
	exportFailed    = "FAILED"
	exportCanceled  = "CANCELED"
	exportExpired   = "EXPIRED"
)

// export is a bulk operation that reads all orders.
type export struct {
	id      string
	status  string
	begun   time.Time // by the shop's clock
	objects int64     // read so far
	roots   int64     // of them orders
	size    int64     // of the result, in bytes; 0 where the shop does not say
	url     string    // of the result; "" where there is none
}

// bulkOperation is an operation as the shop states it.
type bulkOperation struct {
	ID      string `json:"id"`
	Status  string `json:"status"`
	Error   string `json:"errorCode"`
	Created scalar `json:"createdAt"`
	Objects scalar `json:"objectCount"`
	Roots   scalar `json:"rootObjectCount"`
	Size    scalar `json:"fileSize"`
	URL     string `json:"url"`
	Query   string `json:"query"`
}

// export reads what the shop states. The error is spoilt where the operation
// has ended without a result, and hopeless where the next one would end so too.
func (op *bulkOperation) export() (*export, error) {
	switch {
	case op.Status == exportFailed && op.Error == "ACCESS_DENIED":
		return nil, hopeless{fmt.Errorf("the app may not read all that is asked for (%s)", op.ID)}
	case op.Status == exportFailed, op.Status == exportCanceled, op.Status == exportExpired:
		return nil, spoilt{errors.New(strings.TrimSpace(fmt.Sprintf("%s has ended as %s %s", op.ID, op.Status, op.Error)))}
	}
	e := &export{id: op.ID, status: op.Status, url: op.URL}
	var odd error
	e.begun, odd = op.Created.instant()
	for from, to := range map[*scalar]*int64{&op.Objects: &e.objects, &op.Roots: &e.roots, &op.Size: &e.size} {
		n, err := from.number()
		odd = errors.Join(odd, err)
		*to = n.IntPart()
	}
	if odd != nil || e.begun.IsZero() || e.id == "" {
		return nil, hopeless{fmt.Errorf("the shop states the bulk operation %q so that it cannot be read: %w", op.ID, odd)}
	}
	return e, nil
}

// runningExport returns the operation of ours that is under way; nil where
// there is none.
func (c *Connector) runningExport(ctx context.Context) (*export, error) {
	var said struct {
		Operations connection[bulkOperation] `json:"bulkOperations"`
	}
	if _, err := c.client.do(ctx, "list bulk operations", documentOf("bulk_list"), nil, &said); err != nil {
		return nil, err
	}
	for _, op := range said.Operations.Nodes {
		if slices.Contains([]string{exportCreated, exportRunning}, op.Status) && sameQuery(op.Query, bulkQuery()) {
			return op.export()
		}
	}
	return nil, nil
}

// sameQuery reports whether two texts are the same query: the shop may have
// laid one out anew.
func sameQuery(a, b string) bool { return slices.Equal(strings.Fields(a), strings.Fields(b)) }

// runExport begins an operation; nil where all places for one are taken.
func (c *Connector) runExport(ctx context.Context) (*export, error) {
	const op = "begin a bulk operation"
	var said struct {
		Run struct {
			Operation *bulkOperation `json:"bulkOperation"`
			Errors    []userError    `json:"userErrors"`
		} `json:"bulkOperationRunQuery"`
	}
	_, err := c.client.do(ctx, op, documentOf("bulk_run"), map[string]any{"query": bulkQuery()}, &said)
	switch {
	case refused(err):
		return nil, hopeless{err}
	case err != nil:
		return nil, err
	case slices.ContainsFunc(said.Run.Errors, placesTaken):
		return nil, nil
	case len(said.Run.Errors) > 0:
		return nil, hopeless{c.client.userFault(op, said.Run.Errors)}
	case said.Run.Operation == nil:
		return nil, hopeless{errors.New("the shop has begun no bulk operation, and does not say why")}
	}
	return said.Run.Operation.export()
}

func placesTaken(e userError) bool {
	return e.Code == "OPERATION_IN_PROGRESS" || e.Code == "LIMIT_REACHED"
}

// lookAtExport asks how far an operation is.
func (c *Connector) lookAtExport(ctx context.Context, id string) (*export, error) {
	var said struct {
		Operation *bulkOperation `json:"bulkOperation"`
	}
	if _, err := c.client.do(ctx, "look at a bulk operation", documentOf("bulk_read"), map[string]any{"id": id}, &said); err != nil {
		return nil, err
	}
	if said.Operation == nil {
		return nil, spoilt{fmt.Errorf("%s is not there any more", id)}
	}
	return said.Operation.export()
}

// cancelExport takes an operation of ours back, so that its place is free for
// others. That it may fail does not matter: the shop ends it some day.
func (c *Connector) cancelExport(ctx context.Context, id string) {
	var said struct {
		Cancel struct {
			Errors []userError `json:"userErrors"`
		} `json:"bulkOperationCancel"`
	}
	_, err := c.client.do(ctx, "cancel a bulk operation", documentOf("bulk_cancel"), map[string]any{"id": id}, &said)
	if err == nil && len(said.Cancel.Errors) > 0 {
		err = c.client.userFault("cancel a bulk operation", said.Cancel.Errors)
	}
	if err != nil {
		c.env.Log.Debug().Err(err).Str("shop", c.env.Shop).Str("operation", id).Msg("the bulk operation cannot be cancelled")
	}
}
