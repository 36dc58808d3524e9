package shopify

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"comptoir/connectors"
	"comptoir/erp/intake"

	"github.com/shopspring/decimal"
)

// mostLevels is how many quantities the shop takes in one call.
const mostLevels = 250

// mostUnits is how many units of an item the shop can have at a location.
const mostUnits = 1_000_000_000

// stockRounds is how often what is left of a batch is set, after others of the
// batch were found to be out of date: the shop sets all of them, or none.
const stockRounds = 4

// stockAt is what a quantity belongs to.
type stockAt struct{ item, location string }

func stockAtOf(l intake.StockLevel) stockAt { return stockAt{l.InventoryID, l.Location} }

// StockBatches cuts levels into parts of at most 250 quantities, in which none
// stands twice. What cannot be sent takes no room.
func (c *Connector) StockBatches(levels []intake.StockLevel) [][]intake.StockLevel {
	type bin struct {
		levels []intake.StockLevel
		pairs  map[stockAt]bool
	}
	var bins []*bin
	open := 0 // the bins before it are full
	for _, l := range levels {
		_, told := unsent(l)
		at := slices.IndexFunc(bins[open:], func(b *bin) bool { return told || len(b.pairs) < mostLevels && !b.pairs[stockAtOf(l)] })
		if at < 0 {
			bins = append(bins, &bin{pairs: map[stockAt]bool{}})
			at = len(bins) - 1 - open
		}
		b := bins[open+at]
		b.levels = append(b.levels, l)
		if !told {
			b.pairs[stockAtOf(l)] = true
		}
		for open < len(bins)-1 && len(bins[open].pairs) == mostLevels {
			open++
		}
	}
	var batches [][]intake.StockLevel
	for _, b := range bins {
		batches = append(batches, b.levels)
	}
	return batches
}

// unsent is the outcome of a level of which the shop need not be told, or that
// it could not take.
func unsent(l intake.StockLevel) (o intake.Outcome, told bool) {
	o.Ref = l.Ref
	refuse := func(why string) (intake.Outcome, bool) {
		o.Result, o.Why = intake.Refused, why
		return o, true
	}
	switch {
	case !l.Counted:
		o.Result, o.Why = intake.Skipped, "Shopify does not count it, so it can always be bought"
		return o, true
	case !isNumber(l.InventoryID):
		return refuse("it is not known which inventory item it is: read the products of this shop first")
	case !isNumber(l.Location):
		return refuse("it is not known at which location of the shop it lies: set the map of locations")
	case !l.To.IsInteger() || l.From != nil && !l.From.IsInteger():
		return refuse("Shopify counts in whole units, and " + l.To.String() + " is none")
	case l.To.IsNegative(), l.To.GreaterThan(decimal.NewFromInt(mostUnits)):
		return refuse("Shopify takes 0 to 1,000,000,000 units, and not " + l.To.String())
	}
	return o, false
}

// isNumber reports whether a text is the number of a record.
func isNumber(id string) bool { return id != "" && (scalar{text: id}).ref() == id }

// PushStock sets quantities. The shop compares each with what it is expected to
// have, so that no sale is written over. Where one does not agree it sets none:
// what it has is then read, and the others are set again.
func (c *Connector) PushStock(ctx context.Context, key string, levels []intake.StockLevel) ([]intake.Outcome, error) {
	p := &stockPush{c: c, key: key, levels: levels, outcomes: make([]intake.Outcome, len(levels))}
	seen := map[stockAt]bool{}
	for i, l := range levels {
		o, told := unsent(l)
		if !told && seen[stockAtOf(l)] {
			o, told = intake.Outcome{Result: intake.Refused, Ref: l.Ref, Why: "it stands twice in what was sent at once"}, true
		}
		if p.outcomes[i] = o; !told {
			seen[stockAtOf(l)] = true
			p.left = append(p.left, i)
		}
	}
	for round := 0; len(p.left) > 0 && round < stockRounds; round++ {
		if err := p.set(ctx, round); err != nil {
			return nil, err
		}
	}
	if len(p.left) > 0 { // the numbers never stand still
		return p.outcomes, p.giveUp(ctx)
	}
	return p.outcomes, nil
}

// stockPush is a batch on its way.
type stockPush struct {
	c        *Connector
	key      string
	levels   []intake.StockLevel
	outcomes []intake.Outcome
	left     []int // places of those whose outcome is open
}

// settle notes the outcome of one level.
func (p *stockPush) settle(i int, r intake.Result, why string, now *int64) {
	p.left = slices.DeleteFunc(p.left, func(at int) bool { return at == i })
	o := &p.outcomes[i]
	o.Result, o.Why, o.Now = r, why, nil
	if now != nil {
		n := decimal.NewFromInt(*now)
		o.Now = &n
	}
}

// set sets what is left. Where the shop refuses, it finds out whose fault it is
// and leaves what may be set in the next round.
func (p *stockPush) set(ctx context.Context, round int) error {
	const op = "set stock"
	from := p.c.env.Now()
	sent := slices.Clone(p.left)
	var said struct {
		Set struct {
			Errors []userError `json:"userErrors"`
		} `json:"inventorySetQuantities"`
	}
	_, err := p.c.client.do(ctx, op, documentOf("stock_set"), map[string]any{"key": p.keyOf(round), "input": p.input()}, &said)
	if err != nil {
		return err
	}
	if len(said.Set.Errors) == 0 {
		to := p.c.env.Now()
		for _, i := range sent {
			if p.settle(i, intake.Done, "", nil); p.levels[i].From == nil {
				p.outcomes[i].ExposedFrom, p.outcomes[i].ExposedTo = from, to
			}
		}
		return nil
	}
	blamed, err := p.blame(op, sent, said.Set.Errors)
	if err != nil {
		return err
	}
	return p.judge(ctx, blamed)
}

// keyOf is the key of a round. Those after the first hold what is sent, since a
// key stands for one change only.
func (p *stockPush) keyOf(round int) string {
	if round == 0 {
		return p.key
	}
	sum := sha256.New()
	for _, i := range p.left {
		l := p.levels[i]
		fmt.Fprintln(sum, l.InventoryID, l.Location, l.To, intake.Amount(l.From))
	}
	return fmt.Sprintf("%s/%d-%s", p.key, round+1, hex.EncodeToString(sum.Sum(nil)[:6]))
}

// input is what is left in the words of the API. That a number is not known
// must be said.
func (p *stockPush) input() map[string]any {
	var quantities []map[string]any
	for _, i := range p.left {
		l := p.levels[i]
		var from any
		if l.From != nil {
			from = l.From.IntPart()
		}
		quantities = append(quantities, map[string]any{
			"inventoryItemId": gid("InventoryItem", l.InventoryID), "locationId": gid("Location", l.Location),
			"quantity": l.To.IntPart(), "changeFromQuantity": from,
		})
	}
	return map[string]any{
		"name": "available", "reason": "correction", "quantities": quantities,
		"referenceDocumentUri": "gid://comptoir/Push/" + url.PathEscape(p.key),
	}
}

// The codes of a refused change of stock that are told apart.
const (
	codeConcurrent = "IDEMPOTENCY_CONCURRENT_REQUEST"
	codeMismatch   = "IDEMPOTENCY_KEY_PARAMETER_MISMATCH"
	codeUsedUp     = "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED"
	codeStale      = "CHANGE_FROM_QUANTITY_STALE"
	codeUnstocked  = "ITEM_NOT_STOCKED_AT_LOCATION"
	codeImmutable  = "NON_MUTABLE_INVENTORY_ITEM"
)

// blame finds the levels that the shop complains of, by their places. The error
// is for what concerns all of them.
func (p *stockPush) blame(op string, sent []int, said []userError) (map[int]userError, error) {
	blamed := map[int]userError{}
	for _, e := range said {
		n, placed := e.place("quantities")
		switch {
		case placed && n < len(sent):
			if _, known := blamed[sent[n]]; !known {
				blamed[sent[n]] = e
			}
		case e.Code == codeStale, e.Code == codeUsedUp:
			// What the shop has now decides.
		case e.Code == codeConcurrent:
			err := p.c.client.userFault(op, said)
			err.Class, err.RetryAfter = connectors.Transient, time.Second
			return nil, err
		case e.Code == codeMismatch:
			err := p.c.client.userFault(op, said)
			err.Fix = "a key was used for two different changes, which is a defect of Comptoir: report it"
			return nil, err
		default:
			return nil, p.c.client.userFault(op, said)
		}
	}
	return blamed, nil
}

// place is the place in a list of the input that an error points at.
func (e userError) place(list string) (int, bool) {
	for i, part := range e.Field {
		if part != list || i+1 == len(e.Field) {
			continue
		}
		n, err := strconv.Atoi(e.Field[i+1])
		return n, err == nil && n >= 0
	}
	return 0, false
}

// judge settles what the shop's numbers settle: what it has already, what it
// has another number of than was thought, and what it cannot take. The rest is
// still to be set.
func (p *stockPush) judge(ctx context.Context, blamed map[int]userError) error {
	now, err := p.read(ctx)
	if err != nil {
		return err
	}
	for _, i := range slices.Clone(p.left) {
		l, at, e := p.levels[i], now[i], blamed[i]
		switch {
		case e.Code == codeImmutable:
			p.settle(i, intake.Skipped, "Shopify counts the parts of this bundle, and not the bundle: "+e.Message, nil)
		case !at.found:
			p.settle(i, intake.Refused, strings.TrimSpace("the shop does not have this inventory item any more. "+e.Message), nil)
		case !at.tracked:
			p.settle(i, intake.Skipped, "Shopify does not count it, so it can always be bought", nil)
		case e.Code != "" && e.Code != codeStale && e.Code != codeUnstocked:
			p.settle(i, intake.Refused, e.Code+": "+e.Message, at.available)
		case at.available == nil || e.Code == codeUnstocked:
			if err := p.stock(ctx, i); err != nil {
				return err
			}
		case decimal.NewFromInt(*at.available).Equal(l.To):
			p.settle(i, intake.Done, "", at.available)
		case l.From != nil && !decimal.NewFromInt(*at.available).Equal(*l.From):
			p.settle(i, intake.Stale, "", at.available)
		}
	}
	return nil
}

// stock begins to stock an item at a location where it was not: the books have
// it there. Nothing of it need not be placed.
func (p *stockPush) stock(ctx context.Context, i int) error {
	const op = "stock an item at a location"
	l, none := p.levels[i], int64(0)
	switch {
	case l.To.IsZero():
		p.settle(i, intake.Done, "", &none)
		return nil
	case l.From != nil && !l.From.IsZero():
		p.settle(i, intake.Stale, "", &none)
		return nil
	}
	why, err := p.c.underKey(op, p.key+"/place-"+l.InventoryID+"-"+l.Location, func(key string) ([]userError, error) {
		var said struct {
			Activate answeredErrors `json:"inventoryActivate"`
		}
		_, err := p.c.client.do(ctx, op, documentOf("stock_place"), map[string]any{
			"key": key, "available": l.To.IntPart(), "item": gid("InventoryItem", l.InventoryID), "location": gid("Location", l.Location),
		}, &said)
		return said.Activate.Errors, err
	})
	switch {
	case err != nil:
		return err
	case why != "":
		p.settle(i, intake.Refused, why, nil)
	default:
		p.settle(i, intake.Done, "", nil)
	}
	return nil
}

// giveUp says of what is left what the shop has of it.
func (p *stockPush) giveUp(ctx context.Context) error {
	now, err := p.read(ctx)
	if err != nil {
		return err
	}
	for _, i := range slices.Clone(p.left) {
		none := int64(0)
		if p.settle(i, intake.Stale, "", now[i].available); now[i].available == nil {
			p.settle(i, intake.Stale, "", &none)
		}
	}
	return nil
}
