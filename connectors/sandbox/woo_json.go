package sandbox

import (
	"math"
	"strconv"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/shopspring/decimal"
)

// encoder writes JSON as PHP does: keys in a fixed order, "/" and everything
// outside ASCII escaped. It writes by hand because a page of a hundred orders
// has tens of thousands of values.
type encoder struct {
	b     []byte
	depth int
	only  map[string]bool // keys wanted at the top of each row (_fields); nil: all
	top   int             // depth of those keys
	dp    int             // decimals of amounts
	edits bool            // for an editor, who sees texts as they were written
	base  string          // scheme and host, for links
	zone  *time.Location
	unit  decimal.Decimal // grams of the unit that weights are in
}

func (e *encoder) separate() {
	if n := len(e.b); n > 0 {
		if c := e.b[n-1]; c != '{' && c != '[' && c != ':' {
			e.b = append(e.b, ',')
		}
	}
}

// key starts a member of an object, and reports whether it is wanted.
func (e *encoder) key(k string) bool {
	if e.only != nil && e.depth == e.top && !e.only[k] {
		return false
	}
	e.separate()
	e.b = append(e.b, '"')
	e.b = append(e.b, k...)
	e.b = append(e.b, '"', ':')
	return true
}

func (e *encoder) open(c byte) {
	e.separate()
	e.b = append(e.b, c)
	e.depth++
}

func (e *encoder) close(c byte) {
	e.b = append(e.b, c)
	e.depth--
}

// start opens the object of a record, which _fields may trim.
func (e *encoder) start() {
	e.open('{')
	e.top = e.depth
}

func (e *encoder) object(k string, body func()) {
	if e.key(k) {
		e.open('{')
		body()
		e.close('}')
	}
}

func (e *encoder) array(k string, body func()) {
	if e.key(k) {
		e.open('[')
		body()
		e.close(']')
	}
}

func (e *encoder) str(k, v string) {
	if e.key(k) {
		e.quote(v)
	}
}

func (e *encoder) int(k string, v int64) {
	if e.key(k) {
		e.b = strconv.AppendInt(e.b, v, 10)
	}
}

func (e *encoder) bool(k string, v bool) {
	if e.key(k) {
		e.b = strconv.AppendBool(e.b, v)
	}
}

func (e *encoder) null(k string) {
	if e.key(k) {
		e.b = append(e.b, "null"...)
	}
}

// raw writes a member whose value is JSON already.
func (e *encoder) raw(k, json string) {
	if e.key(k) {
		e.b = append(e.b, json...)
	}
}

// float writes a number as PHP does: the shortest that reads back the same.
func (e *encoder) float(k string, v float64) {
	if e.key(k) {
		if v == math.Trunc(v) && math.Abs(v) < 1e15 {
			e.b = strconv.AppendInt(e.b, int64(v), 10)
			return
		}
		e.b = strconv.AppendFloat(e.b, v, 'f', -1, 64)
	}
}

// cents writes an amount of hundredths as a string of dp decimals.
func (e *encoder) cents(k string, v int64) { e.micro(k, v*10_000) }

// micro writes an amount of millionths as a string of dp decimals.
func (e *encoder) micro(k string, v int64) {
	if e.key(k) {
		e.b = append(e.b, '"')
		e.b = appendAmount(e.b, v, e.dp)
		e.b = append(e.b, '"')
	}
}

// appendAmount writes millionths with dp decimals, half away from zero.
func appendAmount(b []byte, micro int64, dp int) []byte {
	scale := int64(1)
	for range max(0, 6-dp) {
		scale *= 10
	}
	v := micro
	if v < 0 {
		v = -v
	}
	v = (v + scale/2) / scale
	if micro < 0 && v != 0 {
		b = append(b, '-')
	}
	digits := min(dp, 6)
	unit := int64(1)
	for range digits {
		unit *= 10
	}
	b = strconv.AppendInt(b, v/unit, 10)
	if dp == 0 {
		return b
	}
	b = append(b, '.')
	rest := v % unit
	for unit /= 10; unit > 0; unit /= 10 {
		b = append(b, byte('0'+rest/unit%10))
	}
	for range dp - digits {
		b = append(b, '0')
	}
	return b
}

// price formats cents with two decimals, as a product's prices are.
func price(cents int64) string { return string(appendAmount(nil, cents*10_000, 2)) }

// short formats cents without trailing zeros: 14, 77.76.
func short(cents int64) string {
	return strconv.FormatFloat(float64(cents)/100, 'f', -1, 64)
}

const wooTime = "2006-01-02T15:04:05"

// date writes an instant twice: in the site's zone, and in UTC under the key
// with the suffix _gmt. Zero is null.
func (e *encoder) date(k string, at int64) {
	e.local(k, at)
	e.utc(k+"_gmt", at)
}

func (e *encoder) local(k string, at int64) { e.time(k, at, e.zone) }
func (e *encoder) utc(k string, at int64)   { e.time(k, at, time.UTC) }

func (e *encoder) time(k string, at int64, zone *time.Location) {
	if !e.key(k) {
		return
	}
	if at == 0 {
		e.b = append(e.b, "null"...)
		return
	}
	e.b = append(e.b, '"')
	e.b = time.Unix(at, 0).In(zone).AppendFormat(e.b, wooTime)
	e.b = append(e.b, '"')
}

// item writes a string inside an array.
func (e *encoder) item(v string) {
	e.separate()
	e.quote(v)
}

const hexDigits = "0123456789abcdef"

func (e *encoder) quote(s string) {
	e.b = append(e.b, '"')
	e.text(s)
	e.b = append(e.b, '"')
}

// text writes the inside of a string.
func (e *encoder) text(s string) {
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x20 && c < utf8.RuneSelf && c != '"' && c != '\\' && c != '/' {
			i++
			continue
		}
		e.b = append(e.b, s[start:i]...)
		r, size := utf8.DecodeRuneInString(s[i:])
		e.escape(r)
		i += size
		start = i
	}
	e.b = append(e.b, s[start:]...)
}

func (e *encoder) escape(r rune) {
	switch {
	case r == '"' || r == '\\' || r == '/':
		e.b = append(e.b, '\\', byte(r))
	case r == '\n':
		e.b = append(e.b, '\\', 'n')
	case r == '\r':
		e.b = append(e.b, '\\', 'r')
	case r == '\t':
		e.b = append(e.b, '\\', 't')
	case r > 0xffff:
		hi, lo := utf16.EncodeRune(r)
		e.unicode(hi)
		e.unicode(lo)
	default:
		e.unicode(r)
	}
}

func (e *encoder) unicode(r rune) {
	e.b = append(e.b, '\\', 'u', hexDigits[r>>12&15], hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15])
}

// href opens and closes a link relation that holds one address.
func (e *encoder) href(rel, path string) { e.link(rel, path, "") }

// link writes a relation with the methods that the address allows, as JSON.
func (e *encoder) link(rel, path, allow string) {
	e.array(rel, func() {
		e.open('{')
		e.address("href", path)
		if allow != "" {
			e.raw("targetHints", allow)
		}
		e.close('}')
	})
}

const (
	allowAll      = `{"allow":["GET","POST","PUT","PATCH","DELETE"]}`
	allowEdit     = `{"allow":["GET","POST","PUT","PATCH"]}`
	allowDelete   = `{"allow":["GET","DELETE"]}`
	apiRoot       = "/wp-json"
	wooNamespace  = "/wc/v3"
	wooRoot       = apiRoot + wooNamespace
	restRouteName = "rest_route"
)

// address writes a URL on this site.
func (e *encoder) address(k, path string) {
	if e.key(k) {
		e.b = append(e.b, '"')
		e.text(e.base)
		e.text(path)
		e.b = append(e.b, '"')
	}
}

// links writes _links for a record and the collection that it is in.
func (e *encoder) links(collection string, id int64, allow string, more func()) {
	e.object("_links", func() {
		e.link("self", wooRoot+collection+"/"+text(id), allow)
		e.href("collection", wooRoot+collection)
		if more != nil {
			more()
		}
	})
}

// meta writes a meta_data entry whose value is a string.
func (e *encoder) meta(id int64, key, value string) {
	e.metaRaw(id, key, "")
	e.str("value", value)
	e.close('}')
}

// metaRaw opens a meta_data entry; a value that is JSON already closes it.
func (e *encoder) metaRaw(id int64, key, json string) {
	e.open('{')
	e.int("id", id)
	e.str("key", key)
	if json != "" {
		e.raw("value", json)
		e.close('}')
	}
}

// itemMeta writes the meta_data entry of an order line.
func (e *encoder) itemMeta(id int64, key, value, displayKey, displayValue string) {
	e.metaRaw(id, key, "")
	e.str("value", value)
	e.str("display_key", displayKey)
	e.str("display_value", displayValue)
	e.close('}')
}
