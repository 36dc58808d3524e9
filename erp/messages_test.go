package erp_test

import (
	"testing"
	"time"

	"comptoir/erp"
	"comptoir/erp/fault"
	"comptoir/erp/intake"
	"comptoir/erp/outbox"
)

func (s *street) messages(shop string) []erp.Message {
	s.t.Helper()
	list, err := s.Messages(ctx, shop)
	if err != nil {
		s.t.Fatal(err)
	}
	return list
}

func TestAMessageThatTheShopRefusesTooOftenWaitsForAPerson(t *testing.T) {
	policies := map[string]outbox.Policy{"atelier": owning(intake.FieldPrice)}
	eachStreet(t, policies, []string{"atelier"}, func(t *testing.T, s *street) {
		c := s.counters["atelier"]
		p := c.product("1", "TEE", "Tee")
		s.pullAll()
		s.rest()
		twelve := dec("12")
		p.Variants[0].Regular, p.Variants[0].Price = &twelve, &twelve
		s.pullAll()
		c.refuses = "the price list is closed"
		for range outbox.MaxTries {
			s.push("atelier")
			s.now = s.now.Add(24 * time.Hour)
		}
		list := s.messages("")
		if len(list) != 1 || !list[0].Parked || list[0].Why != "the price list is closed" || list[0].Label != "TEE" || list[0].Kind != outbox.Variant || list[0].Tries != outbox.MaxTries {
			t.Fatalf("got %+v", list)
		}
		key := erp.MessageKey{Shop: "atelier", Kind: list[0].Kind, Object: list[0].Object}
		calls := c.calls
		if s.push("atelier"); c.calls != calls {
			t.Error("what is parked was told")
		}
		if err := s.RetryMessage(ctx, key); err != nil {
			t.Fatal(err)
		}
		if list := s.messages("atelier"); len(list) != 1 || list[0].Parked || list[0].Tries != 0 {
			t.Errorf("after the retry: %+v", list)
		}
		if err := s.DropMessage(ctx, key); err != nil {
			t.Fatal(err)
		}
		s.quiet()
		for _, change := range []func() error{func() error { return s.RetryMessage(ctx, key) }, func() error { return s.DropMessage(ctx, key) }} {
			if err := change(); fault.KindOf(err) != fault.NotFound {
				t.Errorf("a message that is not there: %v", err)
			}
		}
		if _, err := s.Compare(ctx, "atelier"); err != nil {
			t.Fatal(err)
		}
		c.refuses = ""
		s.rest()
		s.quiet()
		if got := p.Variants[0].Regular.String(); got != "10" {
			t.Errorf("after the comparison of everything the price in the shop is %s", got)
		}
	})
}

func TestAMessageAboutWhatHasNoSKUIsNamedByItsProduct(t *testing.T) {
	policies := map[string]outbox.Policy{"atelier": owning(intake.FieldPrice)}
	eachStreet(t, policies, []string{"atelier"}, func(t *testing.T, s *street) {
		c := s.counters["atelier"]
		p := c.product("1", "", "Wooden spoon")
		s.pullAll()
		s.rest()
		twelve := dec("12")
		p.Variants[0].Regular, p.Variants[0].Price = &twelve, &twelve
		s.pullAll()
		if list := s.messages(""); len(list) != 1 || list[0].Label != "Wooden spoon" {
			t.Errorf("got %+v; want one message about Wooden spoon", list)
		}
	})
}
