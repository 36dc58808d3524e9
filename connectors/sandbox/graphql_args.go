package sandbox

import "encoding/json"

// gqlArgs are the arguments that a field was given.
type gqlArgs []gqlArg

type gqlArg struct {
	name  string
	value any
}

// has reports whether the argument was given, and is not null.
func (a gqlArgs) has(name string) bool { return a.value(name) != nil }

// value is an argument as JSON has it; nil where it was not given.
func (a gqlArgs) value(name string) any {
	for i := range a {
		if a[i].name == name {
			return a[i].value
		}
	}
	return nil
}

// text is a string, an id or an enum value; "" where it was not given.
func (a gqlArgs) text(name string) string {
	v, _ := a.value(name).(string)
	return v
}

// yes is a Boolean; false where it was not given.
func (a gqlArgs) yes(name string) bool {
	v, _ := a.value(name).(bool)
	return v
}

// size is an Int; none where it was not given.
func (a gqlArgs) size(name string, none int) int {
	if n, ok := wholeNumber(a.value(name)); ok {
		return int(n)
	}
	return none
}

// list is a list; a single value counts as a list of one, as the language
// wants it.
func (a gqlArgs) list(name string) []any {
	switch v := a.value(name).(type) {
	case nil:
		return nil
	case []any:
		return v
	default:
		return []any{v}
	}
}

// texts are the strings of a list.
func (a gqlArgs) texts(name string) []string {
	var all []string
	for _, v := range a.list(name) {
		if s, ok := v.(string); ok {
			all = append(all, s)
		}
	}
	return all
}

// object is an input object; nil where it was not given.
func (a gqlArgs) object(name string) map[string]any {
	v, _ := a.value(name).(map[string]any)
	return v
}

// wholeNumber reads an Int of a literal or of JSON.
func wholeNumber(v any) (int64, bool) {
	switch v := v.(type) {
	case int64:
		return v, true
	case int:
		return int64(v), true
	case json.Number:
		n, err := v.Int64()
		return n, err == nil
	case float64:
		return int64(v), v == float64(int64(v))
	}
	return 0, false
}
