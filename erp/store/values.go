package store

import (
	"math/bits"
	"strconv"
	"strings"
	"time"
)

// Micros returns an instant as the books store it: microseconds since 1970 in
// UTC. The zero time, which means unknown, is 0.
func Micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// FromMicros returns the instant that Micros made us of, in UTC.
func FromMicros(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

// In returns the placeholders of n values for IN (…), the first of which is
// the argument number from: In(3, 2) is "$2,$3,$4,$5". Their number is
// rounded up to a power of two, so that a query has few shapes and stays
// prepared; InArgs makes the arguments to match. With n = 0 it is NULL, which
// nothing is in.
//
// SQLite takes 32,766 arguments and PostgreSQL 65,535: split longer lists.
func In(n, from int) string {
	if n == 0 {
		return "NULL"
	}
	var b strings.Builder
	for i := range rounded(n) {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(from + i))
	}
	return b.String()
}

// InArgs appends the values for In(len(values), len(args)+1) to args: the
// values, and the last of them again up to the power of two.
func InArgs[T any](args []any, values []T) []any {
	for _, v := range values {
		args = append(args, v)
	}
	if n := len(values); n > 0 {
		for range rounded(n) - n {
			args = append(args, values[n-1])
		}
	}
	return args
}

// rounded returns the power of two that is at least n.
func rounded(n int) int { return 1 << bits.Len(uint(n-1)) }
