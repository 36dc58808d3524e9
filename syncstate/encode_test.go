package syncstate

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestNumbersSortByValue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.Uint64().Draw(t, "a"), rapid.Uint64().Draw(t, "b")
		if a > b {
			a, b = b, a
		}
		if c := bytes.Compare(encodeID(fmt.Sprint(a)), encodeID(fmt.Sprint(b))); c > 0 || (c == 0 && a != b) {
			t.Fatalf("%d and %d compare as %d", a, b, c)
		}
	})
}

func TestDifferentIDsAreStoredApart(t *testing.T) {
	long := strings.Repeat("x", 40_000)
	seen := map[string]string{}
	for _, id := range []string{"", "0", "00", "7", "07", "+7", "7 ", "-7", "7.0", "a", fmt.Sprint(uint64(math.MaxUint64)), "18446744073709551616", long, long + "y", "gid://shop/Order/7"} {
		key := string(encodeID(id))
		if other, ok := seen[key]; ok {
			t.Errorf("%.20q and %.20q are one key", id, other)
		}
		seen[key] = id
		if len(key) > maxID+1 {
			t.Errorf("%.20q: key of %d bytes", id, len(key))
		}
	}
}

func TestAnyDigestIsToldFromAnother(t *testing.T) {
	seen := map[string]string{}
	for _, d := range []string{"", "a", "abcd", digest("a"), digest("b"), "v2:" + digest("a")} {
		key := string(encodeDigest(d))
		if other, ok := seen[key]; ok {
			t.Errorf("%q and %q are one digest", d, other)
		}
		seen[key] = d
	}
}

func FuzzDecodeStream(f *testing.F) {
	f.Add([]byte{})
	f.Add(encodeStream(stream{number: 3, mark: mark(7, "cursor")}))
	f.Fuzz(func(t *testing.T, v []byte) {
		st, err := decodeStream(v)
		if err == nil && !bytes.Equal(encodeStream(st), v) {
			t.Errorf("%x is read as %+v, which is %x", v, st, encodeStream(st))
		}
	})
}
