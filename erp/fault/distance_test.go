package fault_test

import (
	"testing"

	"comptoir/erp/fault"
)

func TestDistanceCountsSlipsOfTheKeyboard(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"same", "same", 0},
		{"shirt", "shrt", 1}, {"shirt", "shirts", 1}, {"shirt", "skirt", 1},
		{"kye", "key", 1}, {"6250", "6520", 1}, {"été", "ete", 2}, {"kitten", "sitting", 3},
	} {
		if got := fault.Distance(test.a, test.b); got != test.want {
			t.Errorf("from %q to %q: %d, want %d", test.a, test.b, got, test.want)
		}
	}
}
