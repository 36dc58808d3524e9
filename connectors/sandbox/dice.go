package sandbox

// A die is a stream of chance for one purpose and one record, so that what
// happens to a record does not depend on what else was drawn before.
type dice uint64

// What chance is needed for.
const (
	dieKey = iota + 1
	dieOrder
	dieLife
	dieChange
	dieDay
	dieFault
	diePick
	dieToken
	dieBulk
	dieExtra
)

func (s *Shop) dice(purpose int, id int64) *dice { return diceOf(s.seed, purpose, id) }

// goodsDice decides on the catalogue alone: shops of one Options.Goods share it.
func (s *Shop) goodsDice(id int64) *dice { return diceOf(s.goods, dieKey, id) }

func diceOf(seed uint64, purpose int, id int64) *dice {
	d := dice(mix(mix(seed+uint64(purpose)*0x9e3779b97f4a7c15) + uint64(id)))
	return &d
}

// mix is the finaliser of SplitMix64 (Steele, Lea, Flood 2014).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func (d *dice) next() uint64 {
	*d += 0x9e3779b97f4a7c15
	return mix(uint64(*d))
}

// n returns 0 … k-1.
func (d *dice) n(k int) int { return int(d.next() % uint64(k)) }

// between returns lo … hi.
func (d *dice) between(lo, hi int) int { return lo + d.n(hi-lo+1) }

// in reports true k times in a thousand.
func (d *dice) in(k int) bool { return d.n(1000) < k }

// few returns 0 … k-1, small numbers more often.
func (d *dice) few(k int) int {
	a, b := d.n(k), d.n(k)
	return min(a, b)
}

// pick returns an index with the chances of weights.
func (d *dice) pick(weights ...int) int {
	sum := 0
	for _, w := range weights {
		sum += w
	}
	at := d.n(sum)
	for i, w := range weights {
		if at < w {
			return i
		}
		at -= w
	}
	return len(weights) - 1
}

func (d *dice) hex(n int) string { return d.of("0123456789abcdef", n) }

func (d *dice) of(alphabet string, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[d.n(len(alphabet))]
	}
	return string(b)
}
