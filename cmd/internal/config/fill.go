package config

import (
	"fmt"
	"strings"

	"comptoir/erp/fault"

	"gopkg.in/yaml.v3"
)

// names reports the keys of node that sec does not know, and those that stand
// there twice.
func (r *reader) names(sec section, path string, node *yaml.Node) {
	if node == nil || node.Kind != yaml.MappingNode {
		return
	}
	known := sec.names()
	seen := map[string]int{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key := node.Content[i]
		full := join(path, key.Value)
		if line, twice := seen[key.Value]; twice {
			r.problem(key.Line, full, fmt.Sprintf("this key stands at line %d already: keep one of the two", line))
		}
		seen[key.Value] = key.Line
		if has(known, key.Value) {
			continue
		}
		msg := "there is no such key"
		if now := sec.moved[key.Value]; now != "" {
			msg = "this key stands under " + now + " of the shop now"
		} else if near := nearest(key.Value, known); near != "" {
			msg += ": did you mean " + near + "?"
		} else {
			msg += ": known here are " + strings.Join(known, ", ")
		}
		r.problem(key.Line, full, msg)
	}
}

// fill gives each setting of sec its value, from the flags, the environment
// or node.
func (r *reader) fill(sec section, path string, node *yaml.Node) {
	for _, s := range sec.settings {
		full, at := join(path, s.key), child(node, s.key)
		switch {
		case s.entry != nil:
			r.entries(s, full, at)
		case s.item != nil:
			r.items(s, full, at)
		default:
			r.scalar(s, path, node, at)
		}
	}
	for _, sub := range sec.sections {
		if sub.name == "shops" {
			continue // they have their own reader
		}
		full, at := join(path, sub.name), child(node, sub.name)
		if at != nil && !isNull(at) && !r.isMapping(at, full) {
			continue
		}
		r.names(sub, full, at)
		r.fill(sub, full, at)
	}
}

// scalar reads a setting that has one value.
func (r *reader) scalar(s setting, path string, parent, at *yaml.Node) {
	full := join(path, s.key)
	if at != nil && !s.takes(at) {
		r.problem(at.Line, full, "one value is expected here, not a group of keys")
		return
	}
	text := r.text(s, path)
	line := 1
	if parent != nil {
		line = parent.Line
	}
	if s.required && strings.TrimSpace(text) == "" {
		r.problemAt(full, at, line, "this key is required: "+firstSentence(s.help))
		return
	}
	if s.secret && text != "" {
		r.config.written[full] = text
		plain, err := readSecret(text, r.config.File)
		if err != nil {
			r.config.late[full] = r.lateError(full, at, line, err)
			plain = text // stands in for it, see Shop.Offline
		}
		text = plain
	}
	if err := s.set(text); err != nil {
		r.problemAt(full, at, line, err.Error())
	}
}

// takes reports whether the node has the form of the setting.
func (s setting) takes(node *yaml.Node) bool {
	if node.Kind == yaml.ScalarNode {
		return true
	}
	_, list := s.value.(*[]string)
	return list && node.Kind == yaml.SequenceNode
}

// text asks viper for a value: flag, environment, file, default, in this
// order.
func (r *reader) text(s setting, path string) string {
	full := join(path, s.key)
	r.viper.SetDefault(full, s.text())
	r.known = append(r.known, variable(full))
	// BindEnv fails only where it is given no key.
	_ = r.viper.BindEnv(full, variable(full))
	if r.options.Flags != nil {
		if f := r.options.Flags.Lookup(full); f != nil {
			// BindPFlag fails only where it is given no flag.
			_ = r.viper.BindPFlag(full, f)
		}
	}
	if list, ok := r.viper.Get(full).([]any); ok {
		parts := make([]string, len(list))
		for i, v := range list {
			parts[i] = fmt.Sprint(v)
		}
		return strings.Join(parts, ",")
	}
	return r.viper.GetString(full)
}

// entries reads a map whose names are the merchant's own. It is read from the
// file only: its names may hold capitals and dots, which viper would lose.
func (r *reader) entries(s setting, path string, at *yaml.Node) {
	if isNull(at) || !r.isMapping(at, path) {
		return
	}
	for i := 0; i+1 < len(at.Content); i += 2 {
		key, value := at.Content[i], resolve(at.Content[i+1])
		if value.Kind != yaml.ScalarNode {
			r.problem(value.Line, join(path, key.Value), "one value is expected here")
			continue
		}
		if err := s.entry(key.Value, value.Value); err != nil {
			r.problem(value.Line, join(path, key.Value), err.Error())
		}
	}
}

// items reads a list of sections, from the file only.
func (r *reader) items(s setting, path string, at *yaml.Node) {
	if isNull(at) {
		return
	}
	if at.Kind != yaml.SequenceNode {
		r.problem(at.Line, path, "a list is expected here: begin each item with \"- \"")
		return
	}
	for i, node := range at.Content {
		node = resolve(node)
		full := fmt.Sprintf("%s[%d]", path, i)
		if !r.isMapping(node, full) {
			continue
		}
		sec, keep := s.item()
		before := len(r.problems)
		r.names(sec, full, node)
		for _, part := range sec.settings {
			r.part(part, full, node)
		}
		if len(r.problems) == before {
			keep()
		}
	}
}

// part reads one key of an item of a list.
func (r *reader) part(s setting, path string, node *yaml.Node) {
	full, at := join(path, s.key), child(node, s.key)
	switch {
	case at == nil || at.Kind == yaml.ScalarNode && at.Value == "":
		r.problem(node.Line, full, "this key is required: "+firstSentence(s.help))
	case at.Kind != yaml.ScalarNode:
		r.problem(at.Line, full, "one value is expected here")
	default:
		if err := s.set(at.Value); err != nil {
			r.problem(at.Line, full, err.Error())
		}
	}
}

// isMapping reports whether node holds keys and values, and complains where
// it holds something else.
func (r *reader) isMapping(node *yaml.Node, path string) bool {
	if isNull(node) {
		return false
	}
	if node.Kind == yaml.MappingNode {
		return true
	}
	r.problem(node.Line, path, "keys and values are expected here, such as \"name: value\", each on its own indented line")
	return false
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func firstSentence(help string) string {
	if i := strings.Index(help, ". "); i >= 0 {
		return help[:i+1]
	}
	return help
}

func has(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// nearest is the known name that a slip of the keyboard away from name, ""
// where none is near enough.
func nearest(name string, known []string) string {
	best, least := "", len(name)/3+2
	for _, k := range known {
		if d := fault.Distance(strings.ToLower(name), k); d < least {
			best, least = k, d
		}
	}
	return best
}
