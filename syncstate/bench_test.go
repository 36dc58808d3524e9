package syncstate

import (
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"testing"
)

// BenchmarkAdvance remembers pages of 100 keys in a file that holds 100,000
// already: new records, and old ones that have changed.
func BenchmarkAdvance(b *testing.B) {
	const held, page = 100_000, 100
	for _, bb := range []struct {
		name string
		id   func(i int) int
	}{
		{"new", func(i int) int { return held + i }},
		{"changed", func(int) int { return rand.IntN(held) }},
	} {
		b.Run(bb.name, func(b *testing.B) {
			s := open(b, filepath.Join(b.TempDir(), "sync.bolt"), Options{})
			all := make([]Key, held)
			for i := range all {
				all[i] = Key{strconv.Itoa(i), digest("a")}
			}
			from := mark(1, "1")
			advance(b, s, orders, Mark{}, from, all...)
			keys := make([]Key, page)
			n := 0
			for b.Loop() {
				for i := range keys {
					keys[i] = Key{strconv.Itoa(bb.id(n*page + i)), digest(strconv.Itoa(n))}
				}
				n++
				to := mark(int64(n+1), strconv.Itoa(n))
				advance(b, s, orders, from, to, keys...)
				from = to
			}
			b.ReportMetric(float64(n*page)/b.Elapsed().Seconds(), "keys/s")
		})
	}
}
