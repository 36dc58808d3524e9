package crm_test

import (
	"context"
	"testing"
	"time"

	"comptoir/erp/crm"
	"comptoir/erp/intake"
	"comptoir/erp/store"
	"comptoir/erp/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

func TestFoldMakesEqualAddressesEqual(t *testing.T) {
	for in, want := range map[string]string{
		" Zoé@Example.test ": "zoé@example.test", "ZOE\u0301@example.test": "zoé@example.test", "no address": "", "@x": "", "x@": "", "": "",
	} {
		if got := crm.Fold(in); got != want {
			t.Errorf("Fold(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestOneEmailIsOneContactAndNothingElseIs(t *testing.T) {
	ctx := context.Background()
	paris := intake.Address{City: "Paris", Phone: "1"}
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		meet := func(account bool, cs ...intake.Customer) (ids []int64) {
			t.Helper()
			err := db.Write(ctx, func(tx *store.Tx) error {
				emails := make([]string, len(cs))
				for i, c := range cs {
					emails[i] = c.Email
				}
				b, err := crm.Open(ctx, tx, time.Unix(0, 0), emails)
				if err != nil {
					return err
				}
				ids = ids[:0]
				for _, c := range cs {
					id, err := b.Meet(ctx, c, account)
					if err != nil {
						return err
					}
					ids = append(ids, id)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			return ids
		}
		first := meet(false, intake.Customer{Email: "zoe@example.test", FirstName: "Zoé", Phone: "1", Billing: paris},
			intake.Customer{Email: "Zoe@Example.test", Billing: paris}, intake.Customer{Email: "max@example.test", FirstName: "Zoé", Phone: "1", Billing: paris}, intake.Customer{FirstName: "Zoé", Phone: "1"})
		if first[0] != first[1] || first[0] == first[2] || first[3] != 0 {
			t.Errorf("contacts %v", first)
		}
		second := meet(true, intake.Customer{Email: "ZOE@example.test", FirstName: "Zoé", LastName: "Petit", Billing: intake.Address{City: "Lyon"}})
		if second[0] != first[0] {
			t.Errorf("her account is contact %d, her order's is %d", second[0], first[0])
		}
		var name string
		var addresses int
		if err := db.QueryRow(ctx, `SELECT c.last_name, (SELECT COUNT(*) FROM address a WHERE a.contact_id = c.id) FROM contact c WHERE c.id = $1`, first[0]).Scan(&name, &addresses); err != nil || name != "Petit" || addresses != 2 {
			t.Errorf("%q, %d addresses, %v", name, addresses, err)
		}
	})
}
