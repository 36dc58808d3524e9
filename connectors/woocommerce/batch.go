package woocommerce

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"net/http"
	"strconv"

	"comptoir/connectors"
	"comptoir/connectors/rest"
	"comptoir/erp/intake"
)

// batchSize is the most records that WooCommerce takes at once, made, changed
// and deleted together.
const batchSize = 100

// batch is what one call of a route …/batch carries.
type batch struct {
	Create []map[string]any `json:"create,omitempty"`
	Update []map[string]any `json:"update,omitempty"`
	Delete []int64          `json:"delete,omitempty"` // for good: a batch knows no trash
}

func (b *batch) size() int   { return len(b.Create) + len(b.Update) + len(b.Delete) }
func (b *batch) empty() bool { return b.size() == 0 }

// batchAnswer holds the answers in the order of the batch: the record, or {id,
// error} for one that was refused.
type batchAnswer struct {
	Create list[json.RawMessage] `json:"create"`
	Update list[json.RawMessage] `json:"update"`
	Delete list[json.RawMessage] `json:"delete"`
}

// anyBatch is what the size of batches is remembered for: of whatever they are,
// the shop saves one record after the other.
const anyBatch intake.Resource = ""

// batch sends b to a route, as much at once as the shop has time for. An answer
// that does not hold as much as was sent is no answer. Where the shop choked on
// it, it may have done a part: it is told less at once when it is told again.
func (c *Connector) batch(ctx context.Context, op, route string, b batch) (*batchAnswer, error) {
	if b.size() > c.batches.now(anyBatch) {
		return c.halves(ctx, op, route, b)
	}
	a, err := c.api.write(ctx, op, http.MethodPost, route+"/batch", b)
	if tooMany(err) && b.size() > 1 {
		return c.halves(ctx, op, route, b)
	}
	if choked(err) {
		c.batches.shrink(anyBatch, b.size())
	}
	if err != nil {
		return nil, err
	}
	c.batches.worked(anyBatch)
	got := new(batchAnswer)
	if err := json.Unmarshal(a.Body, got); err != nil {
		return nil, c.api.rest.Fail(connectors.Transient, "woocommerce: "+op, fmt.Errorf("%w: %w", errCut, err), "")
	}
	if len(got.Create) != len(b.Create) || len(got.Update) != len(b.Update) || len(got.Delete) != len(b.Delete) {
		return nil, c.api.rest.Fail(connectors.Transient, "woocommerce: "+op,
			fmt.Errorf("%d records were sent, and the shop answered for %d", b.size(), len(got.Create)+len(got.Update)+len(got.Delete)), "")
	}
	return got, nil
}

// tooMany reports whether the shop takes fewer records at once: a plugin may
// have lowered the limit. None of them was written.
func tooMany(err error) bool {
	var status *rest.StatusError
	return errors.As(err, &status) && status.Status == http.StatusRequestEntityTooLarge
}

// halves sends a batch as two.
func (c *Connector) halves(ctx context.Context, op, route string, b batch) (*batchAnswer, error) {
	create, update, del := len(b.Create)/2, len(b.Update)/2, len(b.Delete)/2
	if create+update+del == 0 { // one of each at most
		create, update = len(b.Create), (1-len(b.Create))*len(b.Update)
	}
	first, err := c.batch(ctx, op, route, batch{b.Create[:create], b.Update[:update], b.Delete[:del]})
	if err != nil {
		return nil, err
	}
	second, err := c.batch(ctx, op, route, batch{b.Create[create:], b.Update[update:], b.Delete[del:]})
	if err != nil {
		return nil, err
	}
	return &batchAnswer{append(first.Create, second.Create...), append(first.Update, second.Update...), append(first.Delete, second.Delete...)}, nil
}

// itemRefusal is why the shop refused one record of a batch.
type itemRefusal struct {
	code, message string
	status        int
	holder        int64 // the record that stands in the way, where the shop says
}

func (e *itemRefusal) Error() string {
	said := e.message
	if said == "" {
		said = e.code
	}
	if e.holder > 0 {
		said += " (" + strconv.FormatInt(e.holder, 10) + ")"
	}
	return said
}

// failure is the refusal as the error of a call.
func (e *itemRefusal) failure(op string) error {
	class := connectors.Rejected
	if e.status == http.StatusUnauthorized || e.status == http.StatusForbidden {
		class = connectors.Denied
	}
	return &connectors.Error{Class: class, Op: op, Err: e}
}

// readItem reads the answer for one record of a batch.
func readItem(raw json.RawMessage) (id int64, refusal *itemRefusal) {
	var item struct {
		ID    scalar           `json:"id"`
		Error *json.RawMessage `json:"error"`
	}
	if err := json.Unmarshal(raw, &item); err != nil {
		return 0, &itemRefusal{message: "the shop's answer cannot be read: " + err.Error()}
	}
	if item.Error == nil {
		return item.ID.id(), nil
	}
	return item.ID.id(), readRefusal(*item.Error)
}

// readRefusal reads {code, message, data: {status, resource_id}}.
func readRefusal(text []byte) *itemRefusal {
	var e struct {
		Code    scalar `json:"code"`
		Message scalar `json:"message"`
		Data    object[struct {
			Status scalar `json:"status"`
			Holder scalar `json:"resource_id"`
		}] `json:"data"`
	}
	if err := json.Unmarshal(text, &e); err != nil {
		return &itemRefusal{message: html.UnescapeString(string(text))}
	}
	return &itemRefusal{code: e.Code.trimmed(), message: e.Message.plain(), status: e.Data.v.Status.count(), holder: e.Data.v.Holder.id()}
}
