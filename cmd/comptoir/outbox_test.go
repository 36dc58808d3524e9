package main

import (
	"testing"

	"comptoir/erp"

	"github.com/google/go-cmp/cmp"
)

func TestOnlyWhatAShopHasRefusedIsRetriedOrDroppedTogether(t *testing.T) {
	waits, again := erp.Message{Object: 1}, erp.Message{Object: 2, Tries: 1}
	refused, open := erp.Message{Object: 3, Tries: 6, Parked: true}, erp.Message{Object: 4, Parked: true}
	for _, c := range []struct {
		name       string
		parkedOnly bool
		want       []erp.Message
	}{
		{"retry", false, []erp.Message{again, refused}},
		{"drop", true, []erp.Message{refused}},
	} {
		got, unknown := refusedOf([]erp.Message{waits, again, refused, open}, c.parkedOnly)
		if diff := cmp.Diff(c.want, got); diff != "" || unknown != 1 {
			t.Errorf("%s: %d are left as not known\n%s", c.name, unknown, diff)
		}
	}
}
