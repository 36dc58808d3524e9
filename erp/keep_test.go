package erp_test

import (
	"testing"

	"comptoir/erp"
	"comptoir/erp/fault"
	"comptoir/erp/sales"
)

func TestAValueIsKeptUntilTheNextOne(t *testing.T) {
	each(t, sales.DefaultRules(), func(t *testing.T, b *erp.Books) {
		for _, want := range []string{"", "first", "second"} {
			if want != "" {
				if err := b.Keep(ctx, "atelier", "token", []byte(want)); err != nil {
					t.Fatal(err)
				}
			}
			if got, err := b.Kept(ctx, "atelier", "token"); err != nil || string(got) != want {
				t.Errorf("kept %q, %v; want %q", got, err, want)
			}
		}
		if got, err := b.Kept(ctx, "atelier", "another"); err != nil || got != nil {
			t.Errorf("under another name there is %q, %v", got, err)
		}
		if err := b.Keep(ctx, "stranger", "token", nil); fault.KindOf(err) != fault.NotFound {
			t.Errorf("an unknown shop gets %v", err)
		}
	})
}
