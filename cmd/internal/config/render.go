package config

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"comptoir/connectors"
	"comptoir/erp"
	"comptoir/erp/intake"
	"comptoir/erp/money"
	"comptoir/erp/outbox"

	"github.com/shopspring/decimal"
	"gopkg.in/yaml.v3"
)

// hidden stands where a secret would.
const hidden = "(hidden)"

// Example renders the example file: every key of the configuration and of the
// connectors, explained, with its default.
func Example(registry []connectors.Driver) []byte {
	c := defaults()
	w := &writer{}
	w.prose(0, "The configuration of Comptoir, with every key explained. This file is printed by `comptoir config example`.")
	w.line(0, "#")
	w.prose(0, "A line that begins with # and a letter shows a default, or an example where there is none: take the # away to change it. "+
		"Each key can also be set by an environment variable: its path in capitals after COMPTOIR_, such as COMPTOIR_BOOKS_CURRENCY or "+
		"COMPTOIR_SHOPS_ATELIER_URL. Maps and lists are read from the file only.")
	w.line(0, "#")
	w.prose(0, "A secret may stand here itself, or as env:NAME (an environment variable), file:PATH (relative to this file) or "+
		"credential:NAME (a systemd credential).")
	w.section(0, c.describe())
	w.line(0, "")
	w.prose(0, "The shops, each under a name of your choice: letters a to z, digits, - and _. The name is how the books tell shops apart: do not change it later.")
	w.line(0, "shops:")
	for i, d := range registry {
		s := newShop(exampleName(i, d), d)
		sec := s.describe()
		if i > 0 { // another kind of shop, for who has one; the keys of every shop are explained once
			own := 1 + len(s.fields)
			w.off = true
			w.line(0, "")
			w.prose(1, "A shop of another kind. It has the keys of every shop too, which are explained above, from "+sec.settings[own].key+
				" on. Take out the shops that you do not have.")
			sec.settings, sec.sections = sec.settings[:own], nil
		}
		w.line(1, sec.name+":")
		w.body(2, sec)
	}
	return w.Bytes()
}

func exampleName(i int, d connectors.Driver) string {
	if i == 0 {
		return "atelier"
	}
	return d.Name + "-shop"
}

// writer writes an example file.
type writer struct {
	bytes.Buffer
	off bool // keys are written as comments
}

const (
	indent   = "  "
	textSize = 100 // characters a line of prose
)

func (w *writer) line(depth int, text string) {
	if text != "" {
		w.WriteString(strings.Repeat(indent, depth))
		if w.off && !strings.HasPrefix(text, "#") {
			w.WriteByte('#')
		}
	}
	w.WriteString(text + "\n")
}

func (w *writer) prose(depth int, text string) {
	line := "#"
	for word := range strings.FieldsSeq(text) {
		if len(line)+1+len(word) > textSize-len(indent)*depth {
			w.line(depth, line)
			line = "#"
		}
		line += " " + word
	}
	w.line(depth, line)
}

func (w *writer) section(depth int, sec section) {
	if sec.name != "" {
		w.line(0, "")
		w.prose(depth, sec.help)
		w.line(depth, sec.name+":")
		depth++
	} else {
		w.line(0, "")
	}
	w.body(depth, sec)
}

func (w *writer) body(depth int, sec section) {
	for i, s := range sec.settings {
		if i > 0 {
			w.line(0, "")
		}
		w.setting(depth, s)
	}
	for _, sub := range sec.sections {
		w.section(depth, sub)
	}
}

func (w *writer) setting(depth int, s setting) {
	w.prose(depth, s.help+s.remarks())
	if s.entry != nil || s.item != nil {
		w.line(depth, "#"+s.key+":")
		for line := range strings.SplitSeq(s.example, "\n") {
			w.line(depth, "#"+indent+line)
		}
		return
	}
	text, mark := s.text(), "#"
	if s.required {
		mark = ""
	}
	text = scalarText(cmp.Or(text, s.example))
	if s.text() == "" && strings.HasPrefix(s.example, `"`) {
		text = s.example // written as YAML already: a number that is a text
	}
	w.line(depth, mark+s.key+": "+text)
}

// remarks are what the description knows besides the help.
func (s setting) remarks() string {
	var b strings.Builder
	if len(s.choices) > 0 {
		fmt.Fprintf(&b, " One of: %s.", strings.Join(s.choices, ", "))
	}
	if s.required && s.text() == "" {
		b.WriteString(" Required.")
	}
	if s.secret {
		b.WriteString(" Secret.")
	}
	return b.String()
}

// scalarText writes a value as YAML would.
func scalarText(text string) string {
	b, err := yaml.Marshal(scalarNode(text))
	if err != nil {
		return fmt.Sprintf("%q", text)
	}
	return strings.TrimSpace(string(b))
}

// scalarNode writes numbers and words plainly and quotes what YAML would
// otherwise read as something else.
func scalarNode(text string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Value: text, Tag: "!!str"}
	var plain yaml.Node
	if err := yaml.Unmarshal([]byte(text), &plain); err == nil && len(plain.Content) == 1 && plain.Content[0].Kind == yaml.ScalarNode &&
		plain.Content[0].Value == text && text != "" {
		n.Tag = plain.Content[0].Tag
	}
	return n
}

// YAML renders what is in force: every key with its value, without secrets.
func (c *Config) YAML() ([]byte, error) {
	return marshal(c.tree(view{}))
}

// JSON renders what YAML does, as JSON. Numbers, truth values and lists are
// such; time spans are text with their unit.
func (c *Config) JSON() ([]byte, error) {
	return json.MarshalIndent(typed(c.tree(view{typed: true})), "", "  ")
}

// typed is a node of a typed view as maps, lists, numbers, truth values and
// texts.
func typed(node *yaml.Node) any {
	switch {
	case node.Kind == yaml.MappingNode:
		m := map[string]any{}
		for i := 0; i+1 < len(node.Content); i += 2 {
			m[node.Content[i].Value] = typed(node.Content[i+1])
		}
		return m
	case node.Kind == yaml.SequenceNode:
		list := make([]any, len(node.Content))
		for i, n := range node.Content {
			list[i] = typed(n)
		}
		return list
	case node.Tag == "!!int", node.Tag == "!!float":
		return json.Number(node.Value)
	case node.Tag == "!!bool":
		return node.Value == "true"
	case node.Tag == "!!null":
		return nil
	default:
		return node.Value
	}
}

// typedNode is a value under the tag of its type, whatever it looks like.
func (s setting) typedNode() *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Value: s.text(), Tag: "!!str"}
	switch p := s.value.(type) {
	case *int:
		n.Tag = "!!int"
	case *bool:
		n.Tag = "!!bool"
	case *decimal.Decimal:
		n.Tag = "!!float"
	case **decimal.Decimal:
		n.Tag = "!!float"
		if *p == nil {
			n.Tag = "!!null"
		}
	}
	return n
}

// Source renders a file that loads as this configuration: the keys that are
// not at their default, with their secrets.
func (c *Config) Source() ([]byte, error) {
	return marshal(c.tree(view{reveal: true, changed: true}))
}

func marshal(node *yaml.Node) ([]byte, error) {
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(len(indent))
	if err := enc.Encode(node); err != nil {
		return nil, fmt.Errorf("render the configuration: %w", err)
	}
	return b.Bytes(), nil
}

// view says what a rendering shows.
type view struct {
	reveal  bool // secrets in clear
	changed bool // only what differs from the default
	typed   bool // each value under the tag of its type
}

func (c *Config) tree(v view) *yaml.Node {
	plain := defaults()
	root := c.node(v, c.describe(), plain.describe(), "")
	shops := &yaml.Node{Kind: yaml.MappingNode}
	for _, s := range c.Shops {
		node := c.node(v, s.describe(), newShop(s.Name, s.driver).describe(), "shops."+s.Name)
		add(shops, s.Name, node)
	}
	if len(c.Shops) > 0 || !v.changed {
		add(root, "shops", shops)
	}
	return root
}

func (c *Config) node(v view, sec, plain section, path string) *yaml.Node {
	node := &yaml.Node{Kind: yaml.MappingNode}
	for i, s := range sec.settings {
		if v.changed && !s.required && s.same(plain.settings[i]) {
			continue
		}
		add(node, s.key, c.valueNode(v, s, join(path, s.key)))
	}
	for i, sub := range sec.sections {
		n := c.node(v, sub, plain.sections[i], join(path, sub.name))
		if len(n.Content) > 0 {
			add(node, sub.name, n)
		}
	}
	return node
}

func (s setting) same(o setting) bool {
	switch {
	case s.entry != nil:
		return len(s.entries()) == 0
	case s.item != nil:
		return len(s.list()) == 0
	default:
		return s.text() == o.text()
	}
}

func (c *Config) valueNode(v view, s setting, path string) *yaml.Node {
	switch {
	case s.entry != nil:
		node := &yaml.Node{Kind: yaml.MappingNode}
		for _, e := range s.entries() {
			add(node, e[0], scalarNode(e[1]))
		}
		return node
	case s.item != nil:
		node := &yaml.Node{Kind: yaml.SequenceNode}
		for _, sec := range s.list() {
			item := &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle}
			for _, part := range sec.settings {
				if v.typed {
					add(item, part.key, part.typedNode())
					continue
				}
				add(item, part.key, scalarNode(part.text()))
			}
			node.Content = append(node.Content, item)
		}
		return node
	case s.secret && !v.reveal:
		text := c.written[path]
		if text != "" && !isReference(text) {
			text = hidden
		}
		if v.typed {
			return &yaml.Node{Kind: yaml.ScalarNode, Value: text, Tag: "!!str"}
		}
		return scalarNode(text)
	case isList(s.value):
		node := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
		for _, text := range *s.value.(*[]string) {
			node.Content = append(node.Content, scalarNode(text))
		}
		return node
	case v.typed:
		return s.typedNode()
	default:
		return scalarNode(s.text())
	}
}

func isList(value any) bool {
	_, ok := value.(*[]string)
	return ok
}

func add(node *yaml.Node, key string, value *yaml.Node) {
	node.Content = append(node.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: key}, value)
}

// Made is a shop of a configuration that is made by a program.
type Made struct {
	Name   string
	Driver connectors.Driver
	Values map[string]string // the settings of the connector, as text
	// Owned are the fields that the books decide on; where there are any, the
	// shop is told of changes.
	Owned []intake.Field
}

// Make makes the configuration that reaches the shops; rates are what one unit
// of each currency is worth in that of the books, on any day.
func Make(rates map[money.Currency]decimal.Decimal, shops ...Made) (*Config, error) {
	c := defaults()
	for _, made := range shops {
		s := newShop(made.Name, made.Driver)
		for _, f := range s.fields {
			if text, ok := made.Values[f.Key]; ok {
				if err := assign(f.Value, text); err != nil {
					return nil, fmt.Errorf("shops.%s.%s: %w", made.Name, f.Key, err)
				}
			}
		}
		s.Push.Enabled = len(made.Owned) > 0
		for _, f := range made.Owned {
			s.Own(f, outbox.ERP)
		}
		c.Shops = append(c.Shops, s)
	}
	for currency, rate := range rates {
		c.Books.Rates = append(c.Books.Rates, erp.Rate{Currency: currency, From: "2000-01-01", Rate: rate})
	}
	slices.SortFunc(c.Books.Rates, func(a, b erp.Rate) int { return strings.Compare(string(a.Currency), string(b.Currency)) })
	return c, nil
}
