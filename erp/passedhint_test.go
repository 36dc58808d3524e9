package erp_test

import (
	"testing"

	"comptoir/erp"
	"comptoir/erp/fault"
	"comptoir/erp/intake"
	"comptoir/erp/sales"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestAHintIsPassedOnOnceUntilItIsTaken(t *testing.T) {
	each(t, sales.DefaultRules(), func(t *testing.T, b *erp.Books) {
		order := erp.PassedHint{Ref: intake.Ref{Kind: intake.KindOrder, ID: "7"}}
		variant := erp.PassedHint{Ref: intake.Ref{Kind: intake.KindVariant, ID: "7", Parent: "5"}}
		all := erp.PassedHint{Resource: intake.Categories}
		pass := func(hints ...erp.PassedHint) {
			t.Helper()
			if err := b.PassHint(ctx, "atelier", hints); err != nil {
				t.Fatal(err)
			}
		}
		there := func(want ...erp.PassedHint) []erp.PassedHint {
			t.Helper()
			got, err := b.PassedHints(ctx, "atelier", 10)
			if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(erp.PassedHint{})); err != nil || diff != "" {
				t.Errorf("%v, (-want +got):\n%s", err, diff)
			}
			return got
		}
		taken := func(hints []erp.PassedHint) {
			t.Helper()
			if err := b.HintsTaken(ctx, "atelier", hints); err != nil {
				t.Fatal(err)
			}
		}
		there()
		pass(order, variant)
		pass(order, all)
		seen := there(all, order, variant)
		pass(order) // while the others are being taken
		taken(seen)
		taken(there(order))
		there()
		if err := b.PassHint(ctx, "stranger", []erp.PassedHint{order}); fault.KindOf(err) != fault.NotFound {
			t.Errorf("an unknown shop gets %v", err)
		}
	})
}
