package woocommerce

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"slices"
	"strconv"
	"strings"
	"time"

	"comptoir/erp/intake"

	"github.com/shopspring/decimal"
)

// scalar is a field of which a plugin or an old version may have changed the
// type: a number as text, "" or false for null, [] for nothing. It keeps the
// text; what it means is decided where it is used.
type scalar struct {
	text string
	odd  bool // an object or a list that is not empty
}

// UnmarshalJSON never fails on valid JSON.
func (s *scalar) UnmarshalJSON(b []byte) error {
	*s = scalar{}
	switch b[0] {
	case '"':
		if bytes.IndexByte(b, '\\') < 0 {
			s.text = strings.ToValidUTF8(string(b[1:len(b)-1]), "\uFFFD")
			return nil
		}
		return json.Unmarshal(b, &s.text)
	case '{', '[':
		s.odd = len(bytes.TrimSpace(b[1:len(b)-1])) > 0
	case 't':
		s.text = "true"
	case 'f', 'n': // false and null both stand for nothing
	default:
		s.text = string(b)
	}
	return nil
}

// trimmed returns the text without white space around it.
func (s scalar) trimmed() string { return strings.TrimSpace(s.text) }

// plain returns the text for people, with HTML entities resolved.
func (s scalar) plain() string { return html.UnescapeString(s.trimmed()) }

// yes reports whether the field is true, in whatever spelling.
func (s scalar) yes() bool {
	switch strings.ToLower(s.trimmed()) {
	case "true", "yes", "1", "on":
		return true
	}
	return false
}

// ref returns the id of another record, "" for 0 and for none.
func (s scalar) ref() string {
	if t := s.trimmed(); t != "0" {
		return t
	}
	return ""
}

// id returns the number of a record, 0 where it is none.
func (s scalar) id() int64 {
	n, err := strconv.ParseInt(s.trimmed(), 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// count returns a whole number, 0 where it is none. For what nothing depends
// on.
func (s scalar) count() int {
	n, err := strconv.Atoi(s.trimmed())
	if err != nil {
		return 0
	}
	return n
}

// number reads a decimal number; nothing is 0.
func (s scalar) number() (decimal.Decimal, error) {
	if s.odd {
		return decimal.Decimal{}, fmt.Errorf("a list or an object is no number")
	}
	return intake.Number(s.trimmed())
}

// The forms in which WordPress writes an instant. Those without an offset are
// UTC in the fields that end with _gmt.
var timeForms = [...]string{"2006-01-02T15:04:05", "2006-01-02 15:04:05", time.RFC3339}

// instant reads a UTC date and time. Nothing, and WordPress's own zero date,
// is the zero time.
func (s scalar) instant() (time.Time, error) {
	t := s.trimmed()
	if t == "" || strings.HasPrefix(t, "0000-00-00") || strings.HasPrefix(t, "-0001-11-30") {
		return time.Time{}, nil
	}
	for _, form := range timeForms {
		if at, err := time.Parse(form, t); err == nil {
			return at.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%.64q is no date", t)
}

// list is a JSON list. PHP sends a list with gaps as an object with numbers
// for keys, an empty object as [], and nothing in any form.
type list[T any] []T

// UnmarshalJSON reads the elements, those of an object in the order of its
// keys.
func (l *list[T]) UnmarshalJSON(b []byte) error {
	*l = nil
	switch b[0] {
	case '[':
		return json.Unmarshal(b, (*[]T)(l))
	case '{':
		var m map[string]T
		if err := json.Unmarshal(b, &m); err != nil {
			return err
		}
		keys := make([]string, 0, len(m))
		for k := range m {
			keys = append(keys, k)
		}
		slices.SortFunc(keys, func(a, b string) int {
			x, errX := strconv.Atoi(a)
			y, errY := strconv.Atoi(b)
			if errX == nil && errY == nil {
				return x - y
			}
			return strings.Compare(a, b)
		})
		for _, k := range keys {
			*l = append(*l, m[k])
		}
	}
	return nil
}

// object is a JSON object that may be missing: [] or "" or null.
type object[T any] struct{ v T }

// UnmarshalJSON reads an object and takes everything else for an empty one.
func (o *object[T]) UnmarshalJSON(b []byte) error {
	var zero T
	o.v = zero
	if b[0] != '{' {
		return nil
	}
	return json.Unmarshal(b, &o.v)
}

// meta is one entry of metadata.
type meta struct {
	Key          scalar `json:"key"`
	Value        scalar `json:"value"`
	DisplayKey   scalar `json:"display_key"`
	DisplayValue scalar `json:"display_value"`
}

// metaOf returns the first value under one of the keys that says something.
func metaOf(all list[meta], keys ...string) string {
	for _, key := range keys {
		if key == "" {
			continue
		}
		for i := range all {
			if all[i].Key.text == key && all[i].Value.trimmed() != "" {
				return all[i].Value.trimmed()
			}
		}
	}
	return ""
}

// reading collects the first field that could not be understood, so that a
// decoder can be written straight down.
type reading struct{ problem string }

func (r *reading) fail(field string, err error) {
	if err != nil && r.problem == "" {
		r.problem = field + ": " + err.Error()
	}
}

func (r *reading) amount(s scalar, field string) decimal.Decimal {
	d, err := s.number()
	r.fail(field, err)
	return d
}

// optional is nil where the field is empty.
func (r *reading) optional(s scalar, field string) *decimal.Decimal {
	if s.trimmed() == "" && !s.odd {
		return nil
	}
	d := r.amount(s, field)
	return &d
}

func (r *reading) instant(s scalar, field string) time.Time {
	t, err := s.instant()
	r.fail(field, err)
	return t
}
