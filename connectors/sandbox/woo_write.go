package sandbox

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// What an app may change over the REST API: products, variations and
// categories, one by one and in batches; the status, metadata, notes and refunds
// of orders; webhooks. Other writes are not played: they are answered as an
// address that there is not.

// batchLimit is the most items that one batch may hold.
const batchLimit = 100

// maxBody bounds the body of a request, in bytes.
const maxBody = 8 << 20

// writes reports whether a request may change something.
func writes(r *http.Request) bool {
	return r.Method != http.MethodGet && r.Method != http.MethodHead && r.Method != http.MethodOptions
}

// params are what a request says; null is as good as nothing.
type params map[string]any

// readBody reads the parameters of a request: JSON or a form.
func (c *call) readBody() *reply {
	raw, err := io.ReadAll(io.LimitReader(c.r.Body, maxBody+1))
	if err != nil || len(raw) > maxBody {
		return failure(http.StatusRequestEntityTooLarge, "rest_request_too_large", "The body is too large.")
	}
	c.body = params{}
	if kind, _, _ := mime.ParseMediaType(c.r.Header.Get("Content-Type")); kind != "application/json" || len(bytes.TrimSpace(raw)) == 0 {
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	if err := decoder.Decode(&c.body); err != nil {
		return failure(http.StatusBadRequest, "rest_invalid_json", "Invalid JSON body passed.")
	}
	return nil
}

// has reports whether a parameter was given.
func (p params) has(name string) bool { return p[name] != nil }

// text is a parameter as text.
func (p params) text(name string) string {
	switch v := p[name].(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		if v {
			return "1"
		}
	}
	return ""
}

// cents reads an amount of at most two decimals; false where it is none.
func (p params) cents(name string) (int64, bool) { return centsOf(p.text(name)) }

func centsOf(v string) (int64, bool) {
	amount, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
	if err != nil || !(math.Abs(amount) < 1e12) { // nor what no price is: NaN, or beyond 64 bits
		return 0, false
	}
	micro := int64(amount*1_000_000 + 0.5)
	if amount < 0 {
		micro = int64(amount*1_000_000 - 0.5)
	}
	return toCents(micro), true
}

// whole reads a whole number; 0 where it is none.
func (p params) whole(name string) int64 {
	f, err := strconv.ParseFloat(strings.TrimSpace(p.text(name)), 64)
	if err != nil {
		return 0
	}
	return int64(f)
}

// yes reads a truth as the platform does: "parent" is none.
func (p params) yes(name string) bool { return truth(p.text(name)) }

// objects are the members of a list.
func (p params) objects(name string) []params {
	list, _ := p[name].([]any)
	var all []params
	for _, one := range list {
		if o, ok := one.(map[string]any); ok {
			all = append(all, o)
		}
	}
	return all
}

// kinds says of which JSON type parameters must be.
type kinds map[string]string

// check refuses the first parameter of a wrong type. The items of a batch are
// not checked so: the platform does not either.
func (k kinds) check(p params) *reply {
	names := make([]string, 0, len(p))
	for name := range p {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		kind, known := k[name]
		if !known || p[name] == nil {
			continue
		}
		if allowed, ok := strings.CutPrefix(kind, "enum:"); ok {
			if v, isText := p[name].(string); !isText || !slices.Contains(strings.Split(allowed, ","), v) {
				return invalid(name, name+" is not one of "+strings.ReplaceAll(allowed, ",", ", ")+".", "rest_not_in_enum")
			}
			continue
		}
		if !isKind(p[name], kind) {
			return invalidType(name, name+" is not of type "+kind+".")
		}
	}
	return nil
}

// isKind tells types as WordPress does: a text that holds a number is one.
func isKind(v any, kind string) bool {
	text, isText := v.(string)
	switch kind {
	case "string":
		return isText
	case "boolean":
		if isText {
			return slices.Contains([]string{"", "0", "1", "false", "true"}, strings.ToLower(text))
		}
		n, isNumber := v.(json.Number)
		_, isBool := v.(bool)
		return isBool || isNumber && (n == "0" || n == "1")
	case "integer", "number":
		if n, ok := v.(json.Number); ok {
			text, isText = n.String(), true
		}
		f, err := strconv.ParseFloat(text, 64)
		return isText && err == nil && (kind == "number" || f == float64(int64(f)))
	case "array":
		_, ok := v.([]any)
		return ok
	default: // "object"
		_, ok := v.(map[string]any)
		return ok
	}
}

// missing refuses a request without a parameter that it needs.
func missing(name string) *reply {
	var e encoder
	e.open('{')
	e.str("code", "rest_missing_callback_param")
	e.str("message", "Missing parameter(s): "+name)
	e.object("data", func() {
		e.int("status", http.StatusBadRequest)
		e.array("params", func() { e.item(name) })
	})
	e.close('}')
	return jsonReply(http.StatusBadRequest, e.b)
}

// room is a kind of record that can be written. Each way returns the record,
// or the refusal. A nil way is not played.
type room struct {
	kinds    kinds
	required []string // when one is made
	make     func(p params) (any, *reply)
	change   func(id int64, p params) (any, *reply)
	remove   func(id int64, force bool) (any, *reply)
	write    func(*encoder, any)
	batches  bool
}

// room finds what can be written under a path.
func (c *call) room(parts []string) *room {
	switch strings.Join(parts, "/") {
	case "products":
		return c.productRoom()
	case "products/categories":
		return c.categoryRoom()
	case "orders":
		return c.orderRoom()
	case "webhooks":
		return c.webhookRoom()
	}
	if len(parts) != 3 || !isID(parts[1]) {
		return nil
	}
	id := number(parts[1])
	switch {
	case parts[0] == "products" && parts[2] == "variations":
		return c.variationRoom(id)
	case parts[0] == "orders" && parts[2] == "notes":
		return c.noteRoom(id)
	case parts[0] == "orders" && parts[2] == "refunds":
		return c.refundRoom(id)
	}
	return nil
}

// change serves a request that changes something.
func (c *call) change(parts []string) *reply {
	if len(parts) > 1 && parts[len(parts)-1] == "batch" {
		if in := c.room(parts[:len(parts)-1]); in != nil && in.batches {
			return c.batch(in)
		}
		return noRoute()
	}
	if in := c.room(parts); in != nil {
		if c.r.Method != http.MethodPost || in.make == nil {
			return noRoute()
		}
		return c.create(in)
	}
	id := parts[len(parts)-1]
	in := c.room(parts[:len(parts)-1])
	switch {
	case in == nil || !isID(id):
		return noRoute()
	case c.r.Method == http.MethodDelete && in.remove != nil:
		of, refused := in.remove(number(id), truth(c.query.Get("force")) || c.body.yes("force"))
		return c.written(http.StatusOK, in, of, refused)
	case c.r.Method != http.MethodDelete && in.change != nil:
		if refused := in.kinds.check(c.body); refused != nil {
			return refused
		}
		of, refused := in.change(number(id), c.body)
		return c.written(http.StatusOK, in, of, refused)
	}
	return noRoute()
}

func (c *call) create(in *room) *reply {
	for _, name := range in.required {
		if !c.body.has(name) {
			return missing(name)
		}
	}
	if refused := in.kinds.check(c.body); refused != nil {
		return refused
	}
	of, refused := in.make(c.body)
	return c.written(http.StatusCreated, in, of, refused)
}

// written answers with the record as an editor sees it.
func (c *call) written(status int, in *room, of any, refused *reply) *reply {
	if refused != nil {
		return refused
	}
	e := c.encoder()
	e.edits = true
	in.write(e, of)
	a := jsonReply(status, e.b)
	a.header.Set("Allow", "GET, POST, PUT, PATCH, DELETE")
	return a
}

// batch makes, changes and deletes many. What is wrong with one is said in its
// place and does not hinder the others; deleting is for good.
func (c *call) batch(in *room) *reply {
	total := 0
	for _, part := range []string{"create", "update", "delete"} {
		if c.body.has(part) && !isKind(c.body[part], "array") {
			return invalidType(part, part+" is not of type array.")
		}
		list, _ := c.body[part].([]any)
		total += len(list)
	}
	if total > batchLimit {
		return failure(http.StatusRequestEntityTooLarge, "woocommerce_rest_request_entity_too_large",
			"Unable to accept more than "+strconv.Itoa(batchLimit)+" items for this request.")
	}
	c.many = true
	e := c.encoder()
	e.only, e.edits = nil, true
	e.open('{')
	c.eachOf(e, in, "create", func(p params) (int64, any, *reply) {
		of, refused := in.make(p)
		return 0, of, refused
	})
	c.eachOf(e, in, "update", func(p params) (int64, any, *reply) {
		of, refused := in.change(p.whole("id"), p)
		return p.whole("id"), of, refused
	})
	c.eachDeleted(e, in)
	e.close('}')
	a := jsonReply(http.StatusOK, e.b)
	a.header.Set("Allow", "POST, PUT, PATCH")
	return a
}

func (c *call) eachOf(e *encoder, in *room, part string, do func(params) (int64, any, *reply)) {
	if !c.body.has(part) {
		return
	}
	e.array(part, func() {
		for _, p := range c.body.objects(part) {
			id, of, refused := do(p)
			e.writeItem(in, id, of, refused)
		}
	})
}

func (c *call) eachDeleted(e *encoder, in *room) {
	list, _ := c.body["delete"].([]any)
	if !c.body.has("delete") {
		return
	}
	e.array("delete", func() {
		for i := range list {
			id := params{"id": list[i]}.whole("id")
			if id == 0 {
				continue
			}
			of, refused := in.remove(id, true)
			e.writeItem(in, id, of, refused)
		}
	})
}

// writeItem writes what became of one item of a batch.
func (e *encoder) writeItem(in *room, id int64, of any, refused *reply) {
	if refused == nil {
		in.write(e, of)
		return
	}
	e.open('{')
	e.int("id", id)
	e.raw("error", string(refused.body))
	e.close('}')
}

// keepMeta sets metadata by its key, or by the id of an entry; null takes it
// away.
func (s *Shop) keepMeta(all []metaEntry, given []params) []metaEntry {
	all = slices.Clone(all)
	for _, p := range given {
		at := slices.IndexFunc(all, func(m metaEntry) bool {
			return p.whole("id") != 0 && m.id == p.whole("id") || p.whole("id") == 0 && m.key == p.text("key")
		})
		value, err := json.Marshal(p["value"])
		switch {
		case err != nil: // it came from JSON
		case p["value"] == nil && at >= 0:
			all = slices.Delete(all, at, at+1)
		case p["value"] == nil:
		case at >= 0:
			all[at].value = string(value)
		default:
			all = append(all, metaEntry{id: 5_000_000 + s.items(1), key: p.text("key"), value: string(value)})
		}
	}
	return all
}
