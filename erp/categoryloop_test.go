package erp_test

import (
	"fmt"
	"testing"

	"comptoir/erp"
	"comptoir/erp/intake"
	"comptoir/erp/outbox"

	"github.com/google/go-cmp/cmp"
)

// TestATreeThatIsHalfReadDoesNotHoldUpTheBooks has a shop that decides on its
// categories turn two of them round, of which the books have read one: until
// they have read the other, each stands under the other.
func TestATreeThatIsHalfReadDoesNotHoldUpTheBooks(t *testing.T) {
	eachStreet(t, both(), []string{"atelier", "boutique"}, func(t *testing.T, s *street) {
		a, _ := furnish(s)
		a.category("3", "", "Gifts")
		s.pull("atelier")
		s.rest()
		list, err := s.Categories(ctx)
		if err != nil {
			t.Fatal(err)
		}
		clothing := fmt.Sprint(list[0].ID)
		s.reopen(map[string]outbox.Policy{"atelier": owning(intake.FieldTitle), "boutique": everything()})
		a.categories["2"].ParentID, a.categories["1"].ParentID = "", "2"
		receive(t, s.Books, erp.Stream{Shop: "atelier", Resource: intake.Categories}, a.record(intake.KindCategory, "1"))
		if _, err := s.MoveCategory(ctx, "Gifts", clothing, false); err != nil {
			t.Error(err)
		}
		receive(t, s.Books, erp.Stream{Shop: "atelier", Resource: intake.Categories}, a.record(intake.KindCategory, "2"))
		list, err = s.Categories(ctx)
		if err != nil {
			t.Fatal(err)
		}
		var paths []string
		for _, c := range list {
			paths = append(paths, c.Path)
		}
		if diff := cmp.Diff([]string{"Shirts", "Shirts/Clothing", "Shirts/Clothing/Gifts"}, paths); diff != "" {
			t.Error(diff)
		}
	})
}
