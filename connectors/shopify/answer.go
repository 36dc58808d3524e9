package shopify

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// answer is what the shop said beside the data.
type answer struct {
	// Now is the shop's clock when it answered; zero: it did not say.
	Now time.Time
	// Denied lists the fields that this app may not see, though it can do
	// without them: "orders.nodes.customer". They came back as null.
	Denied     []string
	Extensions extensions
}

// extensions is what stands beside data and errors.
type extensions struct {
	Cost   cost     `json:"cost"`
	Search []search `json:"search"`
}

// search is how the shop understood the filter of a list.
type search struct {
	Path     fieldPath       `json:"path"`
	Query    string          `json:"query"`
	Warnings []searchWarning `json:"warnings"`
}

type searchWarning struct {
	Field   string `json:"field"`
	Message string `json:"message"`
	Code    string `json:"code"`
}

// reply is an answer as it is sent.
type reply struct {
	Data       json.RawMessage `json:"data"`
	Errors     faults          `json:"errors"`
	Extensions extensions      `json:"extensions"`
}

// readReply reads an answer. What stands around JSON without harm is taken off;
// anything else is an error.
func readReply(body []byte) (reply, error) {
	text := bytes.TrimSpace(bytes.TrimPrefix(bytes.TrimSpace(body), []byte("\xef\xbb\xbf")))
	var r reply
	switch {
	case len(text) == 0:
		return r, fmt.Errorf("%w: it is empty", errDamaged)
	case text[0] != '{':
		return r, fmt.Errorf("%w, it begins with %s", errNotJSON, quote(text))
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return r, fmt.Errorf("%w (%w)", errDamaged, err)
	}
	return r, nil
}

// hasData reports whether there is data at all.
func (r reply) hasData() bool { return len(r.Data) > 0 && !bytes.Equal(r.Data, []byte("null")) }

// fault is one of the errors beside the data.
type fault struct {
	Message    string    `json:"message"`
	Path       fieldPath `json:"path"`
	Extensions struct {
		Code     text `json:"code"`
		Type     text `json:"typeName"`
		Field    text `json:"fieldName"`
		Required text `json:"requiredAccess"`
	} `json:"extensions"`
}

func (f fault) String() string {
	var b strings.Builder
	if f.Extensions.Code != "" {
		b.WriteString(string(f.Extensions.Code))
		b.WriteString(": ")
	}
	b.WriteString(f.Message)
	if len(f.Path) > 0 {
		b.WriteString(" (at " + f.Path.String() + ")")
	}
	return b.String()
}

// faults are the errors beside the data. The shop sends a list, and where it
// refuses a request before it has read it, only a text.
type faults []fault

// UnmarshalJSON reads either form; what is neither becomes a fault that quotes
// it, so that no error is lost.
func (f *faults) UnmarshalJSON(b []byte) error {
	*f = nil
	if string(b) == "null" {
		return nil
	}
	var list []json.RawMessage
	if json.Unmarshal(b, &list) != nil {
		list = []json.RawMessage{b}
	}
	for _, raw := range list {
		var one fault
		if json.Unmarshal(raw, &one) != nil || one.Message == "" && one.Extensions.Code == "" {
			one.Message = string(plain(raw))
		}
		*f = append(*f, one)
	}
	return nil
}

// plain is a text without its quotes, or whatever else as it stands.
func plain(raw json.RawMessage) text {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return text(s)
	}
	return text(raw[:min(len(raw), quoted)])
}

// text is a field that should be a text, and does no harm where it is not.
type text string

// UnmarshalJSON reads a text; of anything else it keeps the beginning.
func (t *text) UnmarshalJSON(b []byte) error {
	*t = ""
	if string(b) != "null" {
		*t = plain(b)
	}
	return nil
}

// fieldPath says where in the data something stands: names, and places in lists.
type fieldPath []string

// UnmarshalJSON reads names and numbers.
func (p *fieldPath) UnmarshalJSON(b []byte) error {
	*p = nil
	var parts []json.RawMessage
	if json.Unmarshal(b, &parts) != nil {
		return nil
	}
	for _, part := range parts {
		*p = append(*p, string(plain(part)))
	}
	return nil
}

func (p fieldPath) String() string { return strings.Join(p, ".") }

// fields is the path without the places in lists.
func (p fieldPath) fields() fieldPath {
	var names fieldPath
	for _, part := range p {
		if _, err := strconv.Atoi(part); err != nil {
			names = append(names, part)
		}
	}
	return names
}

// quoted is how much of an answer that is not understood an error shows.
const quoted = 200

func quote(text []byte) string {
	return strconv.Quote(string(bytes.ToValidUTF8(text[:min(len(text), quoted)], []byte("?"))))
}
