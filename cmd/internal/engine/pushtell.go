package engine

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"comptoir/connectors"
	"comptoir/erp"
	"comptoir/erp/intake"
	"comptoir/erp/outbox"
	"comptoir/syncstate"
)

// doubtAfter is in how many passes a request may fail for a passing reason,
// while the shop answers others, before it is held to be the request's fault.
const doubtAfter = 3

// tell tells the shop pushes of one kind, in as many calls as it takes.
func (p *pass) tell(ctx context.Context, kind outbox.Kind, pushes []erp.Push) error {
	for _, part := range marked(p.parts(kind, pushes)) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := p.ask(ctx, kind, part); err != nil {
			return err
		}
		p.e.progress(Progress{Shop: p.sh.Name, Resource: resourceOf(kind), Done: len(p.res.Changes)})
	}
	return nil
}

// parts puts together the pushes that the shop takes in one call each.
func (p *pass) parts(kind outbox.Kind, pushes []erp.Push) [][]erp.Push {
	switch kind {
	case outbox.Stock:
		type stockAt struct {
			ref      intake.Ref
			location string
		}
		return grouped(pushes, p.sh.Connector.(connectors.StockPusher).StockBatches(levelsOf(pushes)),
			func(push erp.Push) intake.StockLevel { return *push.Level },
			func(l intake.StockLevel) stockAt { return stockAt{l.Ref, l.Location} })
	case outbox.Order:
		parts := make([][]erp.Push, len(pushes))
		for i := range pushes {
			parts[i] = pushes[i : i+1]
		}
		return parts
	default:
		return grouped(pushes, p.sh.Connector.(connectors.Editor).EditBatches(editsOf(pushes)),
			func(push erp.Push) intake.Edit { return *push.Edit }, func(edit intake.Edit) string { return edit.Key })
	}
}

// grouped groups pushes as what they hold was grouped: a connector may put
// together what does not follow each other.
func grouped[T any, K comparable](pushes []erp.Push, batches [][]T, of func(erp.Push) T, key func(T) K) [][]erp.Push {
	left := map[K][]erp.Push{}
	for _, push := range pushes {
		k := key(of(push))
		left[k] = append(left[k], push)
	}
	parts := make([][]erp.Push, len(batches))
	for i, batch := range batches {
		for _, t := range batch {
			if k := key(t); len(left[k]) > 0 {
				parts[i], left[k] = append(parts[i], left[k][0]), left[k][1:]
			}
		}
	}
	return parts
}

// marked notes in each part of which messages there is more in a part after
// it.
func marked(parts [][]erp.Push) [][]erp.Push {
	later := map[int64]bool{}
	for i, part := range slices.Backward(parts) {
		parts[i] = slices.Clone(part)
		for n, push := range part {
			parts[i][n].Rest = push.Rest || later[push.Message.Object]
		}
		for _, push := range part {
			later[push.Message.Object] = true
		}
	}
	return parts
}

// ask makes one request of the shop and has the books take what became of it.
// The request is in the sync state before the network is touched, and until the
// books have committed.
func (p *pass) ask(ctx context.Context, kind outbox.Kind, pushes []erp.Push) error {
	request, err := json.Marshal(pushes)
	if err != nil {
		return fmt.Errorf("write down what shop %s is to be told: %w", p.sh.Name, err)
	}
	i := syncstate.Intent{Key: keyOf(p.stream(kind), pushes), Stream: p.stream(kind), Request: request, At: p.e.opts.Now()}
	if err := p.e.opts.State.Intend(i); err != nil {
		return err
	}
	return p.carryOut(ctx, kind, i, pushes)
}

// carryOut makes a request that is in the sync state. What the shop rejects as
// a whole is told in halves, until the one thing is found that it rejects.
func (p *pass) carryOut(ctx context.Context, kind outbox.Kind, i syncstate.Intent, pushes []erp.Push) error {
	outcomes, err := p.request(ctx, kind, i.Key, pushes)
	if err != nil && (connectors.ClassOf(err) == connectors.Rejected || p.doubtful(ctx, i.Key, err)) && ctx.Err() == nil {
		if n := len(pushes); n > 1 {
			if err := p.e.opts.State.Fulfil(i.Stream, i.Key); err != nil {
				return err
			}
			for _, half := range marked([][]erp.Push{pushes[:n/2], pushes[n/2:]}) {
				if err := p.ask(ctx, kind, half); err != nil {
					return err
				}
			}
			return nil
		}
		outcomes, err = []intake.Outcome{givenUp(kind, err)}, nil
	}
	if err != nil {
		return fmt.Errorf("tell shop %s of %d %s: %w", p.sh.Name, len(pushes), resourceOf(kind), err)
	}
	delete(p.sh.troubled, i.Key)
	return p.acknowledge(ctx, i, pushes, outcomes)
}

// givenUp is the outcome of a request that failed for good, or so often that
// nothing else waits for it any more. Whether money went back or goods were
// shipped meanwhile must not be guessed: a person looks.
func givenUp(kind outbox.Kind, err error) intake.Outcome {
	if kind == outbox.Order && connectors.ClassOf(err) != connectors.Rejected {
		return intake.Outcome{Result: intake.Unknown, Why: "it is not known whether the shop has done it: look at the order there, then retry or drop this message: " + err.Error()}
	}
	return intake.Outcome{Result: intake.Refused, Why: err.Error()}
}

// request makes a request, patiently. When ctx ends, one that is under way may
// still come to its end.
func (p *pass) request(ctx context.Context, kind outbox.Kind, key string, pushes []erp.Push) (outcomes []intake.Outcome, err error) {
	graced, cancel := p.e.grace(ctx)
	defer cancel()
	err = p.e.patiently(ctx, p.sh, resourceOf(kind), func() error {
		p.res.Calls++
		outcomes, err = call(graced, p.sh.Connector, kind, key, pushes)
		return err
	})
	if err == nil && len(outcomes) != len(pushes) {
		err = fmt.Errorf("the connector was told %d things and says what became of %d", len(pushes), len(outcomes))
	}
	return outcomes, err
}

func call(ctx context.Context, c connectors.Connector, kind outbox.Kind, key string, pushes []erp.Push) ([]intake.Outcome, error) {
	switch kind {
	case outbox.Stock:
		return c.(connectors.StockPusher).PushStock(ctx, key, levelsOf(pushes))
	case outbox.Order:
		one, err := c.(connectors.OrderPusher).PushOrder(ctx, key, *pushes[0].Request)
		return []intake.Outcome{one}, err
	default:
		return c.(connectors.Editor).PushEdits(ctx, key, editsOf(pushes))
	}
}

// doubtful reports whether a request has failed for a passing reason so often,
// while the shop could be read, that the request itself must be what the shop
// stumbles over.
func (p *pass) doubtful(ctx context.Context, key string, err error) bool {
	if connectors.ClassOf(err) != connectors.Transient || ctx.Err() != nil || connectors.Ended(err) {
		return false
	}
	if p.sh.ordering || p.readOrders(ctx) != nil { // it may be down
		return false
	}
	p.sh.troubled[key]++
	return p.sh.troubled[key] >= doubtAfter
}

// acknowledge has the books take what became of pushes, and then forgets the
// request.
func (p *pass) acknowledge(ctx context.Context, i syncstate.Intent, pushes []erp.Push, outcomes []intake.Outcome) error {
	graced, cancel := p.e.grace(ctx)
	defer cancel()
	receipt, err := p.e.opts.Books.Pushed(graced, p.sh.Name, pushes, outcomes)
	if err != nil {
		return err
	}
	p.note(pushes, outcomes, receipt)
	if receipt.Done > 0 {
		p.e.wake() // what the shop states of it may concern the others
	}
	return p.e.opts.State.Fulfil(i.Stream, i.Key, p.touched(pushes, outcomes)...)
}

// repeat makes the requests again that were under way when the last pass
// ended, unchanged: whether they have arrived is not known.
func (p *pass) repeat(ctx context.Context, kind outbox.Kind) error {
	left, err := p.e.opts.State.Intents(p.stream(kind))
	if err != nil {
		return err
	}
	for _, i := range left {
		var pushes []erp.Push
		if err := json.Unmarshal(i.Request, &pushes); err != nil || len(pushes) == 0 || !p.able(kind) {
			// The messages are still there, and what is told of them is worked
			// out anew.
			p.sh.log.Warn().Err(err).Str("resource", string(resourceOf(kind))).Msg("a request that was under way cannot be made again")
			if err := p.e.opts.State.Fulfil(i.Stream, i.Key); err != nil {
				return err
			}
			continue
		}
		if waits, err := p.waits(ctx, kind, pushes); err != nil || !waits {
			if err == nil {
				err = p.e.opts.State.Fulfil(i.Stream, i.Key, p.touched(pushes, make([]intake.Outcome, len(pushes)))...)
			}
			if err != nil {
				return err
			}
			continue
		}
		if err := p.carryOut(ctx, kind, i, pushes); err != nil {
			return err
		}
	}
	return nil
}

// waits reports whether requests are still to be made: what is asked has not
// been answered, nor dropped by a person, and the shop has not been given the
// say on it since.
func (p *pass) waits(ctx context.Context, kind outbox.Kind, pushes []erp.Push) (bool, error) {
	if kind != outbox.Order {
		return p.e.opts.Books.StillTold(ctx, p.sh.Name, pushes)
	}
	asked, err := p.e.opts.Books.OrderRequests(ctx, p.sh.Name, "")
	return slices.ContainsFunc(asked, func(r erp.Requested) bool {
		return r.ID == pushes[0].Message.Object && r.State == erp.RequestWaiting
	}), err
}

func (p *pass) stream(kind outbox.Kind) string { return intentStream(p.sh, kind) }

// intentStream names what is changed in a shop, in the sync state.
func intentStream(sh *shop, kind outbox.Kind) string { return sh.Name + "/" + string(kind) }

// keyOf derives the idempotency key of a request from what it intends, so that
// it is the same for the same attempt even where the sync state was lost. When
// the message was begun and how often it was tried belong to it: what goes
// from 5 to 3, back to 5 and to 3 again is told three times. A request about an
// order is made once, however often it takes to hear of it: a refund that was
// taken for refused must not be made again. When it was asked for tells it from
// one that had its id in books that were restored since.
func keyOf(stream string, pushes []erp.Push) string {
	type intended struct {
		Object, Revision int64
		Since            time.Time
		Tries            int
		Level            *intake.StockLevel
		Edit             *intake.Edit
		Request          *intake.OrderRequest
	}
	hash := sha256.New()
	enc := json.NewEncoder(hash)
	_ = enc.Encode(stream) // a hash takes everything
	for _, push := range pushes {
		m := push.Message
		if push.Request != nil {
			m.Revision, m.Tries = 0, 0
			asked := *push.Request
			asked.Known = nil // grows with what else is done
			push.Request = &asked
		}
		_ = enc.Encode(intended{m.Object, m.Revision, m.Since.UTC(), m.Tries, push.Level, push.Edit, push.Request})
	}
	sum := hash.Sum(nil)
	sum[6] = sum[6]&0x0f | 0x80 // version 8: made by a rule of our own (RFC 9562)
	sum[8] = sum[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

func levelsOf(pushes []erp.Push) []intake.StockLevel {
	levels := make([]intake.StockLevel, len(pushes))
	for i, push := range pushes {
		levels[i] = *push.Level
	}
	return levels
}

func editsOf(pushes []erp.Push) []intake.Edit {
	edits := make([]intake.Edit, len(pushes))
	for i, push := range pushes {
		edits[i] = *push.Edit
	}
	return edits
}

// touched lists the records that pushes have changed, for each stream that
// states them.
func (p *pass) touched(pushes []erp.Push, outcomes []intake.Outcome) []syncstate.Touched {
	refs := map[intake.Ref]bool{}
	add := func(ref intake.Ref) {
		if ref.ID != "" {
			refs[intake.Ref{Kind: ref.Kind, ID: ref.ID}] = true
		}
	}
	for n, push := range pushes {
		switch {
		case push.Level != nil:
			add(push.Level.Ref)
		case push.Edit != nil:
			add(push.Edit.Ref)
		case push.Request != nil:
			add(push.Request.Order)
		}
		add(outcomes[n].Ref)
		for _, rec := range outcomes[n].Records {
			add(rec.Ref)
		}
	}
	var touched []syncstate.Touched
	for _, st := range p.sh.streams {
		t := syncstate.Touched{Stream: streamName(p.sh.Name, st.Resource)}
		for ref := range refs {
			if of := intake.KindOf(st.Resource); of == ref.Kind || isGoods(of) && isGoods(ref.Kind) {
				t.IDs = append(t.IDs, keyID(st.Resource, ref))
			}
		}
		if len(t.IDs) > 0 {
			touched = append(touched, t)
		}
	}
	return touched
}

// isGoods reports whether records of a kind may come in the stream of products
// or in that of variants.
func isGoods(k intake.Kind) bool { return k == intake.KindProduct || k == intake.KindVariant }
