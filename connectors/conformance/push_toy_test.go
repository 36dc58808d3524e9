package conformance

import (
	"bytes"
	"context"
	"crypto/hmac"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"comptoir/connectors"
	"comptoir/erp/intake"
)

// pushFlaw is one thing that is wrong with the connector of a tillShop.
type pushFlaw string

// The flaws.
const (
	tellsSoundly      pushFlaw = ""
	tellsNothing      pushFlaw = "says that it is done and tells nothing"
	neverDone         pushFlaw = "takes what is there for stale"
	sendsNoFrom       pushFlaw = "does not say what the shop is believed to have"
	hidesExposure     pushFlaw = "does not say when a sale could be overwritten"
	newKeyEachTime    pushFlaw = "makes a new key each time"
	countsAll         pushFlaw = "has the shop count what nobody counts"
	forgetsAll        pushFlaw = "makes a new key each time, and does not say what the shop is believed to have"
	oneForAll         pushFlaw = "takes one refusal for that of all"
	oneByOne          pushFlaw = "tells one at a time"
	editsTheTitle     pushFlaw = "changes the title with everything"
	statesNothing     pushFlaw = "does not hand over what the shop states"
	statesTheOld      pushFlaw = "hands over what the shop stated before"
	takesProductsWith pushFlaw = "deletes the products of a category"
	shipsAllAtOnce    pushFlaw = "ships all with the first part"
	hearsNoRefusal    pushFlaw = "takes a refusal for done"
	namesNobody       pushFlaw = "names no record in a hint"
	trustsEveryone    pushFlaw = "checks no signature"
	subscribesAgain   pushFlaw = "subscribes each time"
	takesAnyAnswer    pushFlaw = "takes any answer for done"
	losesPatience     pushFlaw = "gives up after seconds"
	minceJSON         pushFlaw = "cannot bear blanks around an answer"
)

// till is a sound connector for tillShop, but for its flaw.
type till struct {
	http *http.Client
	now  func() time.Time
	flaw pushFlaw
}

// errNoAnswer is an answer that is none.
var errNoAnswer = errors.New("the answer makes no sense")

func (s *tillShop) Connect(setup Setup) (connectors.Connector, error) {
	var transport http.RoundTripper = s
	if setup.Wire != nil {
		transport = setup.Wire(transport)
	}
	timeout := time.Minute
	if s.flaw == losesPatience {
		timeout = 5 * time.Second
	}
	return &till{now: s.Now, flaw: s.flaw, http: &http.Client{Transport: transport, Timeout: timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}, nil
}

func (c *till) is(f pushFlaw) bool { return c.flaw == f }

func (c *till) Probe(context.Context) (connectors.Shop, error) { return connectors.Shop{}, nil }

func (c *till) Streams() []connectors.Stream {
	return []connectors.Stream{{Resource: intake.Categories, Full: true}, {Resource: intake.Products, Full: true}, {Resource: intake.Orders, Full: true}}
}

func (c *till) Pull(ctx context.Context, r intake.Resource, _ connectors.Cursor) (connectors.Page, error) {
	recs, err := c.read(ctx, r)
	return connectors.Page{Records: recs, Next: connectors.Cursor("all")}, err
}

func (c *till) read(ctx context.Context, r intake.Resource) ([]intake.Record, error) {
	told, err := c.call(ctx, http.MethodGet, string(r), nil)
	if err != nil {
		return nil, err
	}
	var recs []intake.Record
	for _, row := range told.Rows {
		body, err := intake.Reopen(intake.KindOf(r), row.Body)
		if err != nil {
			return nil, &connectors.Error{Class: connectors.Transient, Op: "till: read", Err: err}
		}
		recs = append(recs, intake.State(intake.Ref{Kind: intake.KindOf(r), ID: row.ID}, time.Time{}, body, row.Body, ""))
	}
	return recs, nil
}

func (c *till) Fetch(ctx context.Context, refs []intake.Ref) ([]intake.Record, error) {
	var out []intake.Record
	for _, ref := range refs {
		all, err := c.read(ctx, map[intake.Kind]intake.Resource{intake.KindOrder: intake.Orders, intake.KindProduct: intake.Products, intake.KindCategory: intake.Categories}[ref.Kind])
		if err != nil {
			return nil, err
		}
		at := slices.IndexFunc(all, func(r intake.Record) bool { return r.Ref.ID == ref.ID })
		if at < 0 {
			out = append(out, intake.Missing(ref))
			continue
		}
		out = append(out, all[at])
	}
	return out, nil
}

// call asks the shop.
func (c *till) call(ctx context.Context, method, path string, ask *toyAsk) (*toyTold, error) {
	fail := func(class connectors.Class, wait time.Duration, err error) (*toyTold, error) {
		return nil, &connectors.Error{Class: class, Op: "till: " + path, RetryAfter: wait, Err: err}
	}
	var body io.Reader = http.NoBody
	if ask != nil {
		body = bytes.NewReader(mustJSON(ask))
	}
	req, err := http.NewRequestWithContext(ctx, method, "https://till.example/"+path, body)
	if err != nil {
		return fail(connectors.Rejected, 0, err)
	}
	told := new(toyTold)
	res, err := c.http.Do(req)
	if err != nil {
		if c.is(takesAnyAnswer) && ask != nil {
			return told, nil
		}
		if strings.Contains(err.Error(), "certificate") {
			return fail(connectors.Denied, 0, err)
		}
		return fail(connectors.Transient, 0, err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if !c.is(minceJSON) {
		text = bytes.TrimSpace(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")))
	} else if !bytes.HasPrefix(text, []byte("{")) || !bytes.HasSuffix(text, []byte("}")) {
		err = errNoAnswer
	}
	switch {
	case c.is(takesAnyAnswer) && ask != nil:
		_ = json.Unmarshal(text, told)
		return told, nil
	case res.StatusCode == http.StatusTooManyRequests:
		return fail(connectors.Throttled, time.Minute, errNoAnswer)
	case res.StatusCode/100 == 3, res.StatusCode/100 == 4:
		return fail(connectors.Denied, 0, errNoAnswer)
	case err != nil, res.StatusCode != http.StatusOK, json.Unmarshal(text, told) != nil, !told.OK:
		return fail(connectors.Transient, 0, errNoAnswer)
	}
	return told, nil
}

// tell asks for n outcomes, under a key.
func (c *till) tell(ctx context.Context, path, key string, ask toyAsk, n int) ([]intake.Outcome, error) {
	if ask.Key = key; c.is(newKeyEachTime) || c.is(forgetsAll) {
		ask.Key += fmt.Sprint(time.Now().UnixNano(), c.now())
		time.Sleep(time.Nanosecond)
	}
	told := &toyTold{}
	if !c.is(tellsNothing) {
		var err error
		if told, err = c.call(ctx, http.MethodPost, path, &ask); err != nil {
			return nil, err
		}
	}
	for len(told.Outcomes) < n {
		told.Outcomes = append(told.Outcomes, intake.Outcome{Result: intake.Done})
	}
	for i := range told.Outcomes {
		switch o := &told.Outcomes[i]; {
		case c.is(oneForAll) && o.Result == intake.Refused:
			return nil, &connectors.Error{Class: connectors.Rejected, Op: "till: " + path, Err: errors.New(o.Why)}
		case c.is(hearsNoRefusal):
			o.Result = intake.Done
		case c.is(neverDone):
			o.Result = intake.Stale
		}
	}
	return told.Outcomes, nil
}

func (c *till) StockBatches(levels []intake.StockLevel) [][]intake.StockLevel {
	size := 100
	if c.is(oneByOne) {
		size = 1
	}
	return slices.Collect(slices.Chunk(levels, size))
}

func (c *till) PushStock(ctx context.Context, key string, levels []intake.StockLevel) ([]intake.Outcome, error) {
	levels = slices.Clone(levels)
	if c.is(sendsNoFrom) || c.is(forgetsAll) || c.is(hidesExposure) {
		for i := range levels {
			levels[i].From = nil
		}
	}
	return c.tell(ctx, "stock", key, toyAsk{Levels: levels}, len(levels))
}

func (c *till) Express(_ intake.Kind, f intake.Field, v string) (string, bool) {
	return v, slices.Contains([]intake.Field{intake.FieldTitle, intake.FieldDescription, intake.FieldStatus, intake.FieldCategories, intake.FieldSKU,
		intake.FieldPrice, intake.FieldOptions, intake.FieldName, intake.FieldParent}, f)
}

func (c *till) EditBatches(edits []intake.Edit) [][]intake.Edit {
	return slices.Collect(slices.Chunk(edits, 100))
}

func (c *till) PushEdits(ctx context.Context, key string, edits []intake.Edit) ([]intake.Outcome, error) {
	edits = slices.Clone(edits)
	for i := range edits {
		if c.is(countsAll) {
			edits[i].Untracked = false
		}
		if c.is(editsTheTitle) && edits[i].Ref.Kind == intake.KindProduct {
			edits[i].Changes = append(slices.Clone(edits[i].Changes), intake.Change{Field: intake.FieldTitle, To: "Titre"})
		}
	}
	var old []intake.Record
	if c.is(statesTheOld) && edits[0].Ref.ID != "" && edits[0].Ref.Kind == intake.KindProduct {
		old, _ = c.Fetch(ctx, []intake.Ref{edits[0].Ref})
	}
	outcomes, err := c.tell(ctx, "edit", key, toyAsk{Edits: edits, With: c.is(takesProductsWith)}, len(edits))
	if err != nil || c.is(statesNothing) {
		return outcomes, err
	}
	if old != nil {
		outcomes[0].Records = old
		return outcomes, nil
	}
	for i := range outcomes {
		ref := outcomes[i].Ref
		if ref.Kind == intake.KindVariant {
			ref = intake.Ref{Kind: intake.KindProduct, ID: ref.Parent}
		}
		if edits[i].Delete || ref.ID == "" {
			continue
		}
		if outcomes[i].Records, err = c.Fetch(ctx, []intake.Ref{ref}); err != nil {
			return nil, err
		}
	}
	return outcomes, nil
}

func (c *till) PushOrder(ctx context.Context, key string, r intake.OrderRequest) (intake.Outcome, error) {
	if r.Shipment != nil && c.is(shipsAllAtOnce) {
		all := *r.Shipment
		all.Completes, r.Shipment = true, &all
	}
	outcomes, err := c.tell(ctx, "order", key, toyAsk{Request: &r}, 1)
	if err != nil {
		return intake.Outcome{}, err
	}
	if outcomes[0].Records, err = c.Fetch(ctx, []intake.Ref{r.Order}); err != nil {
		return intake.Outcome{}, err
	}
	return outcomes[0], nil
}

func (c *till) Hint(header http.Header, body []byte) (connectors.Hint, error) {
	if !hmac.Equal([]byte(header.Get("X-Toy-Signature")), []byte(toySignature(body))) && !c.is(trustsEveryone) {
		return connectors.Hint{}, connectors.ErrSignature
	}
	var said struct{ ID string }
	if err := json.Unmarshal(body, &said); err != nil {
		return connectors.Hint{}, connectors.ErrUnreadable
	}
	hint := connectors.Hint{Key: string(body), Topic: header.Get("X-Toy-Topic")}
	if !c.is(namesNobody) {
		hint.Refs = []intake.Ref{{Kind: intake.KindOf(intake.Resource(hint.Topic)), ID: said.ID}}
	}
	return hint, nil
}

func (c *till) Subscribe(ctx context.Context, address string) ([]connectors.Subscription, error) {
	there, err := c.call(ctx, http.MethodGet, "hooks", nil)
	if err != nil {
		return nil, err
	}
	var stand []connectors.Subscription
	wanted := []string{"orders", "products"}
	for _, row := range there.Rows {
		var h toyHook
		if err := json.Unmarshal(row.Body, &h); err != nil {
			return nil, &connectors.Error{Class: connectors.Transient, Op: "till: hooks", Err: err}
		}
		if h.Address == address && !c.is(subscribesAgain) {
			stand = append(stand, connectors.Subscription{Topic: h.Topic, ID: row.ID, Done: "kept"})
			wanted = slices.DeleteFunc(wanted, func(topic string) bool { return topic == h.Topic })
			continue
		}
		if _, err := c.call(ctx, http.MethodPost, "hook", &toyAsk{Key: "remove " + row.ID, HookID: row.ID, Remove: true}); err != nil {
			return nil, err
		}
		stand = append(stand, connectors.Subscription{Topic: h.Topic, ID: row.ID, Done: "removed"})
	}
	for _, topic := range wanted {
		made, err := c.call(ctx, http.MethodPost, "hook", &toyAsk{Key: fmt.Sprint("hook ", topic, address, len(there.Rows), c.now()), Hook: &toyHook{topic, address, true}})
		if err != nil {
			return nil, err
		}
		stand = append(stand, connectors.Subscription{Topic: topic, ID: made.ID, Done: "made"})
	}
	return stand, nil
}
