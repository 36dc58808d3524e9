package erp_test

import (
	"strings"
	"testing"
	"time"

	"comptoir/erp"
	"comptoir/erp/fault"
	"comptoir/erp/intake"
	"comptoir/erp/sales"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

// rent is 500.00 of rent, paid by the bank.
func rent(edit ...func(*erp.ManualEntry)) erp.ManualEntry {
	e := erp.ManualEntry{Date: "2026-03-05", Description: "Rent of March", Lines: []erp.ManualLine{
		{Account: "6400", Debit: dec("500")}, {Account: "1010", Credit: dec("500")}}}
	for _, f := range edit {
		f(&e)
	}
	return e
}

func TestEntriesByHandArePostedAndTakenBack(t *testing.T) {
	each(t, sales.DefaultRules(), func(t *testing.T, b *erp.Books) {
		one, err := b.PostManual(ctx, rent())
		if err != nil {
			t.Fatal(err)
		}
		two, err := b.PostManual(ctx, rent()) // another month by the same text
		if err != nil || two.ID == one.ID {
			t.Fatal(two, err)
		}
		usd, err := b.PostManual(ctx, rent(func(e *erp.ManualEntry) {
			e.Currency = "USD"
			e.Lines = []erp.ManualLine{{Account: "6500", Debit: dec("33.33")}, {Account: "6520", Debit: dec("0.07")}, {Account: "1010", Credit: dec("33.40")}}
		}))
		if err != nil {
			t.Fatal(err)
		}
		if got := balances(t, b); got != "=103006 bank=-103006" { // 33.40 USD at 0.9 are 30.06
			t.Error(got)
		}
		for _, id := range []int64{one.ID, two.ID, usd.ID} {
			if _, err := b.ReverseEntry(ctx, id, ""); err != nil {
				t.Fatal(err)
			}
		}
		if got := balances(t, b); got != "" {
			t.Error(got)
		}
		if _, err := b.ReverseEntry(ctx, one.ID, ""); fault.KindOf(err) != fault.Conflict {
			t.Errorf("taken back twice: %v", err)
		}
		invariants(t, b)
	})
}

func TestAReferencePostsOnce(t *testing.T) {
	each(t, sales.DefaultRules(), func(t *testing.T, b *erp.Books) {
		once := rent(func(e *erp.ManualEntry) { e.Reference = "rent-2026-03" })
		first, err := b.PostManual(ctx, once)
		if err != nil {
			t.Fatal(err)
		}
		again, err := b.PostManual(ctx, once)
		if err != nil || !again.Again || again.ID != first.ID {
			t.Errorf("%+v %v", again, err)
		}
		once.Lines[0].Debit, once.Lines[1].Credit = dec("501"), dec("501")
		if _, err := b.PostManual(ctx, once); fault.KindOf(err) != fault.Conflict {
			t.Errorf("another entry with the same reference: %v", err)
		}
	})
}

func TestWhatIsWrongWithAnEntryIsToldAndNothingPosted(t *testing.T) {
	each(t, sales.DefaultRules(), func(t *testing.T, b *erp.Books) {
		if err := b.SetLock(ctx, "2026-02-28", owner); err != nil {
			t.Fatal(err)
		}
		amount := func(debit, credit string) func(*erp.ManualEntry) {
			return func(e *erp.ManualEntry) { e.Lines[0].Debit, e.Lines[1].Credit = dec(debit), dec(credit) }
		}
		account := func(code string) func(*erp.ManualEntry) {
			return func(e *erp.ManualEntry) { e.Lines[0].Account = code }
		}
		for _, test := range []struct {
			name string
			edit func(*erp.ManualEntry)
			kind fault.Kind
			want string
		}{
			{"unbalanced", amount("500", "499.99"), fault.Invalid, "the debits exceed the credits by 0.01 EUR"},
			{"unbalanced the other way", amount("1", "3"), fault.Invalid, "the credits exceed the debits by 2.00 EUR"},
			{"unknown account", account("6409"), fault.NotFound, "did you mean 6400 (Rent)"},
			{"account by its name", account("rent"), fault.NotFound, "6400 (Rent)"},
			{"locked", func(e *erp.ManualEntry) { e.Date = "2026-02-28" }, fault.Locked, "date it 2026-03-01 or later"},
			{"no date", func(e *erp.ManualEntry) { e.Date = "28/02/2026" }, fault.Invalid, "is not a date"},
			{"negative", amount("-5", "-5"), fault.Invalid, "-5 is negative"},
			{"overflow", amount("99999999999999999999", "99999999999999999999"), fault.Invalid, "out of range"},
			{"beyond any document", amount("90000000000000000", "90000000000000000"), fault.Invalid, "out of range"},
			{"too fine", amount("0.001", "0.001"), fault.Invalid, "more decimals than EUR"},
			{"unknown currency", func(e *erp.ManualEntry) { e.Currency = "EUX" }, fault.Invalid, `"EUX"`},
			{"no rate", func(e *erp.ManualEntry) { e.Currency = "GBP" }, fault.Unprocessable, "books.rates"},
			{"both sides", func(e *erp.ManualEntry) { e.Lines[0].Credit = dec("500") }, fault.Invalid, "either a debit or a credit"},
			{"no description", func(e *erp.ManualEntry) { e.Description = " " }, fault.Invalid, "description is missing"},
			{"one line", func(e *erp.ManualEntry) { e.Lines = e.Lines[:1] }, fault.Invalid, "a debit and a credit"},
			{"stock", account("1400"), fault.Invalid, "value of the stock"},
			{"tax", account("2200"), fault.Invalid, "tax of the documents"},
		} {
			_, err := b.PostManual(ctx, rent(test.edit))
			if fault.KindOf(err) != test.kind || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%s: %v: %v", test.name, fault.KindOf(err), err)
			}
		}
		if n := sums(t, b, `SELECT 'entries', COUNT(*) FROM entry`)["entries"]; n != 0 {
			t.Errorf("%d entries", n)
		}
	})
}

func TestAFileOfEntriesPostsWholeOnceOrNotAtAll(t *testing.T) {
	const good = "date,description,account,debit,credit,memo\n" +
		"2026-03-05,Rent,6400,500,,March\n2026-03-05,Rent,1010,,500,\n" +
		"2026-03-06,Stamps,6510,12.50,,\n2026-03-06,Stamps,1030,,12.50,\n"
	each(t, sales.DefaultRules(), func(t *testing.T, b *erp.Books) {
		bad := strings.NewReplacer("6510,12.50", "6511,12.50", "1030,,12.50", "1030,,twelve").Replace(good)
		_, err := b.ImportEntries(ctx, "bad.csv", strings.NewReader(bad))
		if fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), `line 5: credit: "twelve" is not an amount`) {
			t.Error(err)
		}
		bad = strings.NewReplacer("6510,12.50", "6511,12.50", "1030,,12.50", "1030,,12.40").Replace(good)
		_, err = b.ImportEntries(ctx, "bad.csv", strings.NewReader(bad))
		for _, want := range []string{"line 4: there is no account \"6511\": did you mean", "line 4: the entry does not balance", "nothing was changed"} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("no %q in %v", want, err)
			}
		}
		for _, header := range []string{"date,description,account,debit", "date,description,account,debit,credit,vat", ""} {
			if _, err := b.ImportEntries(ctx, "bad.csv", strings.NewReader(header+"\n2026-03-05,x,1,1,1,1\n")); fault.KindOf(err) != fault.Invalid {
				t.Errorf("%q: %v", header, err)
			}
		}
		if got := balances(t, b); got != "" {
			t.Error(got)
		}
		for i := range 2 {
			list, err := b.ImportEntries(ctx, "good.csv", strings.NewReader(good))
			if err != nil || len(list) != 2 || list[0].Again != (i == 1) {
				t.Fatal(list, err)
			}
		}
		french := "\xef\xbb\xbfdate;description;account;debit;credit\n2026-03-07;Café;6990;3,20;\n2026-03-07;Café;1030;;3,20\n"
		if _, err := b.ImportEntries(ctx, "french.csv", strings.NewReader(french)); err != nil {
			t.Error(err)
		}
		if got := balances(t, b); got != "=51570 bank=-50000 cash=-1570" {
			t.Error(got)
		}
		invariants(t, b)
	})
}

func TestOpeningBalancesBeginTheBooksOnce(t *testing.T) {
	const good = "account,name,debit,credit\n1010,Bank,1200.50,\n1200,Receivable,300,\n2700,Loans,,1000\n3000,Capital,0,0\n"
	each(t, sales.DefaultRules(), func(t *testing.T, b *erp.Books) {
		open := func(day, text string) error {
			_, err := b.OpenBalances(ctx, day, "opening.csv", strings.NewReader(text))
			return err
		}
		err := open("2026-01-01", "account,debit,credit\n101O,1,\n1400,1,\n2200,,5\n3900,,5\n1010,1,1\n1010,-3,\n1030,12345678901234567890,\n1200,1.005,\n6400\n")
		if err == nil || !strings.Contains(err.Error(), "wrong number of fields") {
			t.Error(err)
		}
		err = open("2026-01-01", "account,debit,credit\n101O,1,\n1400,1,\n2200,,5\n3900,,5\n1010,1,1\n1010,-3,\n1030,12345678901234567890,\n1200,1.005,\n")
		for _, want := range []string{`line 2: there is no account "101O": did you mean 1010`, "line 3: account 1400", "line 4: account 2200", "line 5: account 3900", "line 6: account 1010 must have",
			"line 7: account 1010 stands on line 6 too", "line 8: the amount is out of range", "line 9: the amount 1.005 has more decimals"} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("no %q in %v", want, err)
			}
		}
		if got := balances(t, b); got != "" {
			t.Error(got)
		}
		for range 2 {
			if err := open("2026-01-01", good); err != nil {
				t.Fatal(err)
			}
		}
		if got := balances(t, b); got != "=-100000 bank=120050 opening_equity=-50050 receivable=30000" {
			t.Error(got)
		}
		if err := open("2026-01-01", strings.Replace(good, "300", "301", 1)); fault.KindOf(err) != fault.Conflict {
			t.Errorf("other balances: %v", err)
		}
		id := sums(t, b, `SELECT 'id', id FROM entry`)["id"]
		if _, err := b.ReverseEntry(ctx, id, ""); err != nil {
			t.Fatal(err)
		}
		if err := open("2026-01-01", strings.Replace(good, "300", "301", 1)); err != nil {
			t.Error(err)
		}
		if got := balances(t, b); got != "=-100000 bank=120050 opening_equity=-50150 receivable=30100" {
			t.Error(got)
		}
		if err := b.SetLock(ctx, "2026-02-28", owner); err != nil {
			t.Fatal(err)
		}
		if err := open("2026-01-01", strings.Replace(good, "300", "301", 1)); err != nil {
			t.Errorf("the same balances again, once the period is locked: %v", err)
		}
		id = sums(t, b, `SELECT 'id', MAX(id) FROM entry`)["id"]
		if _, err := b.ReverseEntry(ctx, id, ""); err != nil {
			t.Fatal(err)
		}
		if err := open("2026-02-01", good); fault.KindOf(err) != fault.Locked {
			t.Errorf("opened in a locked period: %v", err)
		}
		invariants(t, b)
	})
}

func TestAnEntryOfADocumentIsNotTakenBackByHand(t *testing.T) {
	each(t, sales.DefaultRules(), func(t *testing.T, b *erp.Books) {
		state(t, b, "1", sent, order(completed))
		id := sums(t, b, `SELECT 'id', MIN(id) FROM entry`)["id"]
		if _, err := b.ReverseEntry(ctx, id, ""); fault.KindOf(err) != fault.Unprocessable {
			t.Error(err)
		}
		if _, err := b.ReverseEntry(ctx, 999999, ""); fault.KindOf(err) != fault.NotFound {
			t.Error(err)
		}
	})
}

func TestAccountsAreAddedOnceAndUsed(t *testing.T) {
	each(t, sales.DefaultRules(), func(t *testing.T, b *erp.Books) {
		if err := b.AddAccount(ctx, "6405", "Storage", "expense"); err != nil {
			t.Fatal(err)
		}
		for _, bad := range [][3]string{{"6405", "Storage", "expense"}, {"64 05", "x", "expense"}, {"6406", "", "expense"}, {"6406", "x", "cost"}} {
			if err := b.AddAccount(ctx, bad[0], bad[1], bad[2]); err == nil {
				t.Errorf("%v was added", bad)
			}
		}
		if _, err := b.PostManual(ctx, rent(func(e *erp.ManualEntry) { e.Lines[0].Account = "6405" })); err != nil {
			t.Fatal(err)
		}
		list, err := b.Accounts(ctx)
		for _, a := range list {
			if a.Code == "6405" && a.Balance == 50000 && a.Name == "Storage" {
				return
			}
		}
		t.Error(list, err)
	})
}

// TestAnyHistoryByHandLeavesTheBooksWhole posts, takes back, locks, unlocks,
// closes and reopens in any sequence, beside a shop that goes on selling. What
// was locked stays as it was, and the books agree with themselves.
func TestAnyHistoryByHandLeavesTheBooksWhole(t *testing.T) {
	eachDay(t, erp.Company{}, func(t *testing.T, b *erp.Books, now *time.Time) {
		*now = time.Date(2028, 2, 1, 9, 0, 0, 0, time.UTC)
		receive(t, b, goods, seal(t, intake.KindProduct, "7", placed, shirt("800")))
		n := 0
		rapid.Check(t, func(rt *rapid.T) {
			n++
			var posted []int64
			for range rapid.IntRange(1, 8).Draw(rt, "steps") {
				day := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, rapid.IntRange(0, 740).Draw(rt, "day"))
				date := day.Format(time.DateOnly)
				p, err := b.Periods(ctx)
				if err != nil {
					rt.Fatal(err)
				}
				locked, before := p.Lock, map[string]int64{}
				opens := false
				if locked != "" {
					before = until(t, b, locked)
				}
				var what error
				switch rapid.SampledFrom([]string{"post", "post", "reverse", "lock", "unlock", "close", "reopen", "sell"}).Draw(rt, "step") {
				case "post":
					amount := decimal.New(int64(rapid.IntRange(1, 1e6).Draw(rt, "amount")), -2)
					var e erp.Posted
					e, what = b.PostManual(ctx, rent(func(e *erp.ManualEntry) { e.Date, e.Lines[0].Debit, e.Lines[1].Credit = date, amount, amount }))
					if what == nil {
						posted = append(posted, e.ID)
					} else if date > locked {
						rt.Fatalf("%s, locked until %s: %v", date, locked, what)
					}
				case "reverse":
					if len(posted) > 0 {
						_, what = b.ReverseEntry(ctx, posted[0], "")
						posted = posted[1:]
					}
				case "lock":
					what = b.SetLock(ctx, date, owner)
				case "unlock":
					opens = true
					what = b.Unlock(ctx, date, owner)
				case "close":
					opens = true
					_, what = b.CloseYear(ctx, day.Year(), owner)
				case "reopen":
					opens = true
					_, what = b.ReopenYear(ctx, day.Year(), owner)
				case "sell":
					n++
					state(t, b, "1"+decimal.NewFromInt(int64(n)).String(), day.Add(time.Hour), order(completed, func(o *intake.Order) {
						o.PlacedAt, o.PaidAt, o.CompletedAt, o.Payments[0].At = day, day, day, day
					}))
				}
				if what != nil && fault.KindOf(what) == fault.Internal {
					rt.Fatal(what)
				}
				if locked != "" && !opens {
					after := until(t, b, locked)
					for k, v := range before {
						if after[k] != v {
							rt.Fatalf("%s of the days until %s was %d and is %d", k, locked, v, after[k])
						}
					}
				}
			}
		})
		invariants(t, b)
	})
}
