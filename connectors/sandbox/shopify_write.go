package sandbox

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/shopspring/decimal"
)

// What the mutations have in common.

// payload is what a mutation answers: what it made or changed, or why it did
// neither.
type payload[V any] struct {
	made V
	errs []userError
}

// refusal is the answer of a mutation that did nothing.
func refusal[V any](field, code, message string) *payload[V] {
	return &payload[V]{errs: []userError{{field, code, message}}}
}

// check reads an input: it notes what is wrong with it, and what is to be done
// if nothing is.
type check struct {
	x    *gqlRun
	errs []userError
	todo []func()
	// words are the mutation's own codes for what others call otherwise.
	words map[string]string
}

func (c *check) refuse(field, code, message string) {
	c.errs = append(c.errs, userError{field, cmp.Or(c.words[code], code), message})
}

// only refuses members of an input that the sandbox does not play: what is sent
// is done, or it is said that it is not. What is null or false asks for nothing.
func (c *check) only(in input, at string, played ...string) {
	for _, name := range slices.Sorted(maps.Keys(in)) {
		if in[name] != nil && in[name] != false && !slices.Contains(played, name) {
			c.refuse(at+name, "INVALID_INPUT", "The sandbox does not play "+name)
		}
	}
}

// then notes a step to be done.
func (c *check) then(step func()) { c.todo = append(c.todo, step) }

// finish does all steps, a second after what was before, or none of them. made
// is called behind them.
func finish[V any](c *check, made func() V) *payload[V] {
	if len(c.errs) > 0 {
		return &payload[V]{errs: c.errs}
	}
	s := c.x.s
	s.tick()
	for _, step := range c.todo {
		step()
	}
	v := made()
	s.changed()
	return &payload[V]{made: v}
}

// payloadFields are the fields of a payload whose record is named so.
func payloadFields[V comparable](name, of, errors string) gqlFields {
	return gqlFields{
		name:         gqlObject(of, func(_ *gqlRun, p *payload[V]) V { return p.made }),
		"userErrors": gqlList(errors, func(_ *gqlRun, p *payload[V]) []userError { return p.errs }),
	}
}

// mutation makes the field of a mutation.
func mutation[V any](of string, do func(x *gqlRun) *payload[V]) gqlField {
	return gqlObject(of, func(x *gqlRun, _ gqlRoot) *payload[V] { return do(x) })
}

// onceOnly makes the field of a mutation that is done once for each key.
func onceOnly[V any](of string, do func(x *gqlRun) *payload[V]) gqlField {
	return gqlObject(of, func(x *gqlRun, _ gqlRoot) *payload[V] {
		return once(x, func() *payload[V] { return do(x) })
	})
}

// once does a mutation unless its key was used before. A key stands for one
// change: the same question gets the same answer, another one is refused.
func once[V any](x *gqlRun, do func() *payload[V]) *payload[V] {
	if x.key == "" || x.hits.forgets { // the former where the version does not ask for one
		return do()
	}
	k := &x.s.shopify.keys
	k.lock.Lock()
	defer k.lock.Unlock()
	asked := x.node.ask.Name + " " + x.args.canonical()
	before, used := k.done[x.key]
	switch {
	case x.hits.busy:
		return refusal[V]("", "IDEMPOTENCY_CONCURRENT_REQUEST", "Another request with this idempotency key is being processed.")
	case !used:
	case before.asked != asked:
		return refusal[V]("", "IDEMPOTENCY_KEY_PARAMETER_MISMATCH", "The same idempotency key cannot be used with different operation parameters.")
	case before.failed:
		return refusal[V]("", "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED", "A previous request with this idempotency key failed. Retry with a new idempotency key.")
	default:
		return before.made.(*payload[V])
	}
	if k.done == nil {
		k.done = map[string]doneOnce{}
	}
	key := x.key
	made := do()
	if made != nil { // what is refused as a whole has not been tried
		k.done[key] = doneOnce{asked, made, len(made.errs) > 0}
	}
	return made
}

// canonical are arguments as text: equal ones have equal texts.
func (a gqlArgs) canonical() string {
	all := map[string]any{}
	for _, arg := range a {
		all[arg.name] = arg.value
	}
	b, err := json.Marshal(all) // sorts the keys
	if err != nil {
		panic(err) // it came from JSON
	}
	return string(b)
}

// input is an input object.
type input map[string]any

// has reports whether a member is there, be it null.
func (in input) has(name string) bool {
	_, ok := in[name]
	return ok
}

// text is a string, an id or an enum value; "" where it is null or absent.
func (in input) text(name string) string {
	v, _ := in[name].(string)
	return v
}

// texts are the strings of a list.
func (in input) texts(name string) []string { return gqlArgs{{name, in[name]}}.texts(name) }

// object is an input object inside; nil where there is none.
func (in input) object(name string) input {
	v, _ := in[name].(map[string]any)
	return v
}

// objects are those of a list.
func (in input) objects(name string) []input {
	var all []input
	for _, v := range (gqlArgs{{name, in[name]}}).list(name) {
		o, _ := v.(map[string]any)
		all = append(all, o)
	}
	return all
}

// exact reads a number, which may be written as a string.
func exact(v any) (decimal.Decimal, bool) {
	switch v := v.(type) {
	case string:
		d, err := decimal.NewFromString(strings.TrimSpace(v))
		return d, err == nil
	case json.Number:
		d, err := decimal.NewFromString(v.String())
		return d, err == nil
	case float64:
		return decimal.NewFromFloat(v), true
	}
	n, ok := wholeNumber(v)
	return decimal.NewFromInt(n), ok
}

// centsIn reads an amount of the shop's currency.
func centsIn(v any) (int64, bool) {
	d, ok := exact(v)
	return d.Shift(2).Round(0).IntPart(), ok
}

// unescaped and quoted turn metadata, which is kept as JSON, into text and
// back.
func unescaped(value string) string {
	var t string
	if json.Unmarshal([]byte(value), &t) != nil {
		return value
	}
	return t
}

func quoted(value string) string { return string(appendQuoted(nil, value)) }

// metafields reads what an app wants to be kept with a record.
func (c *check) metafields(in input, at string, keep func(key, value string)) {
	for i, m := range in.objects("metafields") {
		c.metafield(m, at+"metafields."+text(int64(i)), keep)
	}
}

func (c *check) metafield(m input, at string, keep func(key, value string)) {
	switch {
	case m.text("namespace") == "" || m.text("key") == "":
		c.refuse(at+".key", "INVALID", "Key and namespace can't be blank")
	case m.text("type") == "":
		c.refuse(at+".type", "INVALID_TYPE", "Type can't be blank")
	default:
		c.then(func() { keep(m.text("namespace")+"."+m.text("key"), quoted(m.text("value"))) })
	}
}

// metafieldsSet keeps metadata with records of any kind.
func (x *gqlRun) metafieldsSet() *payload[[]*metaEntry] {
	c := &check{x: x}
	var made []*metaEntry
	for i, v := range x.args.list("metafields") {
		m, _ := v.(map[string]any)
		at := "metafields." + text(int64(i))
		of := x.s.metaOf(x.s.byGid(input(m).text("ownerId")))
		if of == nil {
			c.refuse(at+".ownerId", "INVALID", "Owner does not exist.")
			continue
		}
		c.metafield(m, at, func(key, value string) {
			*of = x.s.keep(*of, key, value)
			made = append(made, metaEntryOf(*of, key))
		})
	}
	return finish(c, func() []*metaEntry { return made })
}

// metaOf is where the metadata of a record is kept; nil where it has none.
func (s *Shop) metaOf(of any) *[]metaEntry {
	switch of := of.(type) {
	case *product:
		return &of.own.meta
	case *variant:
		if of == of.of.own { // the product's are kept there
			return nil
		}
		return &of.meta
	case *category:
		return &of.meta
	case *order:
		return &of.meta
	}
	return nil
}

// metaEntryOf finds metadata by its key; nil where there is none.
func metaEntryOf(all []metaEntry, key string) *metaEntry {
	for i := range all {
		if all[i].key == key {
			return &all[i]
		}
	}
	return nil
}

// metafieldOf is the field that reads one entry.
func metafieldOf() gqlField {
	return gqlField{of: "Metafield", write: func(x *gqlRun, n *gqlNode, r any) {
		if of := x.s.metaOf(r); of != nil {
			if m := metaEntryOf(*of, x.args.text("namespace")+"."+x.args.text("key")); m != nil {
				x.object(n.sel, m)
				return
			}
		}
		x.null()
	}}
}

// hasMeta reports whether a record has metadata that a search names:
// metafields.namespace.key:value.
func hasMeta(all []metaEntry, t *searchTerm) (yes, known bool) {
	key, ok := strings.CutPrefix(t.field, "metafields.")
	if !ok {
		return false, false
	}
	m := metaEntryOf(all, key)
	return m != nil && t.word(unescaped(m.value)), true
}

func metafieldTypes() []gqlType {
	namespaced := func(get func(namespace, key string) string) gqlField {
		return gqlText(func(_ *gqlRun, m *metaEntry) string {
			namespace, key, _ := strings.Cut(m.key, ".")
			return get(namespace, key)
		})
	}
	types := []gqlType{
		{name: "Metafield", is: []string{"Node"}, fields: gqlFields{
			"id":        gqlID("Metafield", func(_ *gqlRun, m *metaEntry) int64 { return m.id }),
			"namespace": namespaced(func(namespace, _ string) string { return namespace }),
			"key":       namespaced(func(_, key string) string { return key }),
			"value":     gqlText(func(_ *gqlRun, m *metaEntry) string { return unescaped(m.value) }),
			"type":      gqlText(func(*gqlRun, *metaEntry) string { return "single_line_text_field" }),
		}},
		{name: "MetafieldsSetPayload", fields: gqlFields{
			"metafields": gqlList("Metafield", func(_ *gqlRun, p *payload[[]*metaEntry]) []*metaEntry { return p.made }),
			"userErrors": gqlList("MetafieldsSetUserError", func(_ *gqlRun, p *payload[[]*metaEntry]) []userError { return p.errs }),
		}},
		{name: "MetafieldsSetUserError", fields: userErrorFields(true)},
		{name: "Mutation", fields: gqlFields{
			"metafieldsSet": mutation("MetafieldsSetPayload", (*gqlRun).metafieldsSet),
		}},
	}
	for _, of := range []string{"Product", "ProductVariant", "Collection", "Order"} {
		types = append(types, gqlType{name: of, fields: gqlFields{"metafield": metafieldOf()}})
	}
	return types
}
