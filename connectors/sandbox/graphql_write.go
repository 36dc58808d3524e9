package sandbox

import (
	"slices"
	"strconv"
	"time"
)

// What follows writes one value.

func (x *gqlRun) null() { x.b = append(x.b, "null"...) }

func (x *gqlRun) number(v int64) { x.b = strconv.AppendInt(x.b, v, 10) }

func (x *gqlRun) bool(v bool) { x.b = strconv.AppendBool(x.b, v) }

func (x *gqlRun) float(v float64) { x.b = appendFloat(x.b, v) }

func appendFloat(b []byte, v float64) []byte {
	at := len(b)
	b = strconv.AppendFloat(b, v, 'f', -1, 64)
	if !slices.Contains(b[at:], '.') {
		b = append(b, ".0"...)
	}
	return b
}

// text writes a string.
func (x *gqlRun) text(v string) { x.b = appendQuoted(x.b, v) }

func appendQuoted(b []byte, v string) []byte {
	b = append(b, '"')
	start := 0
	for i := range len(v) {
		c := v[i]
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		b = append(b, v[start:i]...)
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		start = i + 1
	}
	return append(append(b, v[start:]...), '"')
}

// gid writes a global id; null for 0.
func (x *gqlRun) gid(kind string, id int64) {
	if id == 0 {
		x.null()
		return
	}
	x.b = append(append(x.b, `"gid://shopify/`...), kind...)
	x.b = append(strconv.AppendInt(append(x.b, '/'), id, 10), '"')
}

// time writes an instant in seconds since 1970; null for 0.
func (x *gqlRun) time(at int64) {
	if at == 0 {
		x.null()
		return
	}
	x.b = append(x.b, '"')
	x.b = time.Unix(at, 0).UTC().AppendFormat(x.b, time.RFC3339)
	x.b = append(x.b, '"')
}

// decimal writes millionths with at least two decimals.
func (x *gqlRun) decimal(micro int64) {
	x.b = append(x.b, '"')
	x.b = appendAmount(x.b, micro, decimalsOf(micro))
	x.b = append(x.b, '"')
}

// decimalsOf is how many decimals an amount of millionths needs, from two.
func decimalsOf(micro int64) int {
	for dp, unit := 2, int64(10_000); dp < 6; dp, unit = dp+1, unit/10 {
		if micro%unit == 0 {
			return dp
		}
	}
	return 6
}
