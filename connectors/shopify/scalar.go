package shopify

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"comptoir/erp/intake"

	"github.com/shopspring/decimal"
)

// scalar is a field that holds one value. Money and large numbers come as text
// and may one day come as numbers; null is nothing. It keeps the text; what it
// means is decided where it is used, so that one odd field spoils no more than
// its own record.
type scalar struct {
	text string
	odd  bool // an object or a list
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
		s.odd = true
	case 'n': // null
	default:
		s.text = string(b)
	}
	return nil
}

// trimmed returns the text without white space around it.
func (s scalar) trimmed() string { return strings.TrimSpace(s.text) }

// ref returns the number in a global id: "123" of gid://shopify/Order/123, and
// of a plain 123. It is "" where there is none.
func (s scalar) ref() string {
	t := s.trimmed()
	t = t[strings.LastIndexByte(t, '/')+1:]
	t, _, _ = strings.Cut(t, "?") // an inventory level's also names its item
	if _, err := strconv.ParseUint(t, 10, 64); err != nil {
		return ""
	}
	return t
}

// id returns the number in a global id, 0 where there is none.
func (s scalar) id() uint64 {
	n, err := strconv.ParseUint(s.ref(), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// gid returns the global id of a record. Node is the name of its type in the
// schema.
func gid(node, id string) string { return "gid://shopify/" + node + "/" + id }

// number reads a decimal number; nothing is 0.
func (s scalar) number() (decimal.Decimal, error) {
	if s.odd {
		return decimal.Decimal{}, fmt.Errorf("a list or an object is no number")
	}
	return intake.Number(s.trimmed())
}

// instant reads a date and time. Nothing is the zero time.
func (s scalar) instant() (time.Time, error) {
	if s.odd {
		return time.Time{}, fmt.Errorf("a list or an object is no date")
	}
	t := s.trimmed()
	if t == "" {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.RFC3339, t)
	if err != nil {
		return time.Time{}, fmt.Errorf("%.64q is no date", t)
	}
	return at.UTC(), nil
}

// moneyV2 is an amount with its currency, by the name it has in the schema.
type moneyV2 struct {
	Amount   scalar `json:"amount"`
	Currency scalar `json:"currencyCode"`
}

// connection is a list that the shop gives in parts.
type connection[T any] struct {
	Nodes    []T      `json:"nodes"`
	PageInfo pageInfo `json:"pageInfo"`
}

// pageInfo says whether a connection goes on, and where.
type pageInfo struct {
	HasNextPage bool   `json:"hasNextPage"`
	EndCursor   string `json:"endCursor"`
}

// reading collects the first problem of a record.
type reading struct{ problem string }

func (r *reading) fail(field string, err error) {
	if err != nil && r.problem == "" {
		r.problem = field + ": " + err.Error()
	}
}

// decode reads raw into v.
func (r *reading) decode(raw json.RawMessage, v any) {
	if err := json.Unmarshal(raw, v); err != nil && r.problem == "" {
		r.problem = "this is not the JSON of a record: " + err.Error()
	}
}

func (r *reading) amount(s scalar, field string) decimal.Decimal {
	d, err := s.number()
	r.fail(field, err)
	return d
}

// optional is nil where the shop says nothing.
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

// seal makes the record of a body, or the unreadable one where there was a
// problem. A date of change that cannot be read does no harm: it is no part of
// the content.
func (r *reading) seal(kind intake.Kind, id, modified scalar, body any, raw json.RawMessage) intake.Record {
	at, _ := modified.instant()
	return intake.State(intake.Ref{Kind: kind, ID: id.ref()}, at, body, raw, r.problem)
}
