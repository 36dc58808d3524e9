package shopify

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"comptoir/connectors"
	"comptoir/connectors/schema"
	"comptoir/erp/intake"

	"github.com/google/go-cmp/cmp"
)

func payoutNode(issued time.Time, status, net string) string {
	return fmt.Sprintf(`"issuedAt":%q,"status":%q,"transactionType":"DEPOSIT","externalTraceId":"trace","net":{"amount":%q,"currencyCode":"EUR"}`,
		issued.Format(time.RFC3339), status, net)
}

func transactionNode(payout int, kind, amount, fee string) string {
	return fmt.Sprintf(`"type":%q,"test":false,"transactionDate":"2026-11-19T08:00:00Z","sourceId":"55","sourceOrderTransactionId":"66",
		"amount":{"amount":%q,"currencyCode":"EUR"},"fee":{"amount":%q,"currencyCode":"EUR"},"associatedOrder":{"id":"gid://shopify/Order/77"},
		"associatedPayout":{"id":"gid://shopify/ShopifyPaymentsPayout/%d"}`, kind, amount, fee, payout)
}

func rowWith(id uint64, fields string) row {
	return row{id: id, raw: json.RawMessage(`{"id":"gid://shopify/Thing/` + fmt.Sprint(id) + `",` + fields + `}`)}
}

func TestPayoutIsMadeOfItsTransactions(t *testing.T) {
	issued := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	rec := payoutRecord(rowWith(3, payoutNode(issued, "PAID", "70.30")), []row{
		rowWith(1, transactionNode(3, "CHARGE", "100.00", "2.90")),
		rowWith(2, transactionNode(3, "REFUND", "-20.00", "0.00")),
		rowWith(4, transactionNode(3, "ADVERTISING_OF_TOMORROW", "-5.00", "1.80")),
		rowWith(5, transactionNode(3, "TRANSFER", "-70.30", "0.00")),
	})
	if rec.Problem != "" {
		t.Fatal(rec.Problem)
	}
	at := time.Date(2026, 11, 19, 8, 0, 0, 0, time.UTC)
	item := func(id string, kind intake.PayoutItemKind, raw, value, fee string) intake.PayoutItem {
		return intake.PayoutItem{ID: id, Kind: kind, Raw: raw, Amount: amount(value), Fee: amount(fee), At: at, Order: "77", Source: "66"}
	}
	want := &intake.Payout{Gateway: "shopify_payments", Currency: "EUR", State: intake.PayoutPaid, RawStatus: "paid", IssuedAt: issued, Net: amount("70.30"), Reference: "trace",
		Items: []intake.PayoutItem{
			item("1", intake.ItemCharge, "charge", "100", "2.90"), item("2", intake.ItemRefund, "refund", "-20", "0"),
			item("4", intake.ItemAdjustment, "advertising_of_tomorrow", "-5", "1.80"),
		}}
	if diff := cmp.Diff(want, rec.Body); diff != "" {
		t.Error(diff)
	}
	if !rec.Modified.IsZero() {
		t.Errorf("modified at %v, and the shop does not say when", rec.Modified)
	}
}

func TestPayoutThatDoesNotAddUp(t *testing.T) {
	issued := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	charge := []row{rowWith(1, transactionNode(3, "CHARGE", "100.00", "2.90"))}
	for _, c := range []struct {
		name, fields, problem string
		parts                 []row
	}{
		{"whole", payoutNode(issued, "PAID", "97.10"), "", charge},
		{"short", payoutNode(issued, "PAID", "97.00"), "net: the payout is of 97 EUR, and its transactions add up to 97.1: -0.1 are not accounted for", charge},
		{"on its way, and not all is known", payoutNode(issued, "IN_TRANSIT", "1.00"), "", nil},
		{"paid, and nothing is known", payoutNode(issued, "PAID", "1.00"), "net: the payout is of 1 EUR, and its transactions add up to 0: 1 are not accounted for", nil},
		{"failed, and its money is in another", payoutNode(issued, "FAILED", "97.00"), "", charge},
		{"in two currencies", strings.Replace(payoutNode(issued, "PAID", "97.10"), `"EUR"`, `"USD"`, 1), "balance transaction 1: it is in EUR, the payout in USD", charge},
		{"no amount", payoutNode(issued, "PAID", "much"), `net: "much" is no number`, charge},
		{"withdrawn, without a sign", strings.Replace(payoutNode(issued, "PAID", "20.00"), "DEPOSIT", "WITHDRAWAL", 1), "",
			[]row{rowWith(1, transactionNode(3, "REFUND", "-20.00", "0"))}},
		{"withdrawn, with a sign", strings.Replace(payoutNode(issued, "PAID", "-20.00"), "DEPOSIT", "WITHDRAWAL", 1), "",
			[]row{rowWith(1, transactionNode(3, "REFUND", "-20.00", "0"))}},
		{"with a test", payoutNode(issued, "PAID", "97.10"), "",
			append(slices.Clone(charge), rowWith(2, strings.Replace(transactionNode(3, "CHARGE", "5", "0"), `"test":false`, `"test":true`, 1)))},
		{"with one that came back", payoutNode(issued, "PAID", "197.10"), "",
			append(slices.Clone(charge), rowWith(2, transactionNode(3, "TRANSFER_FAILURE", "100", "0")))},
		{"with one that came back, in its parts", payoutNode(issued, "PAID", "97.10"), "",
			append(slices.Clone(charge), rowWith(2, transactionNode(3, "TRANSFER_FAILURE", "97.10", "0")))},
	} {
		if got := payoutRecord(rowWith(3, c.fields), c.parts); got.Problem != c.problem {
			t.Errorf("%s: the problem is %q, want %q", c.name, got.Problem, c.problem)
		}
	}
}

func TestStateOfAPayout(t *testing.T) {
	for status, want := range map[string]intake.PayoutState{"PAID": intake.PayoutPaid, "SCHEDULED": intake.PayoutPending, "IN_TRANSIT": intake.PayoutPending,
		"FAILED": intake.PayoutFailed, "CANCELED": intake.PayoutCancelled, "LOST_AT_SEA": intake.PayoutPending} {
		rec := payoutRecord(rowWith(1, payoutNode(noon, status, "0")), nil)
		if b := rec.Body.(*intake.Payout); b.State != want || b.RawStatus != strings.ToLower(status) {
			t.Errorf("%s: %s, %s", status, b.State, b.RawStatus)
		}
	}
}

func TestEveryTypeOfTransactionHasAKind(t *testing.T) {
	// The others are adjustments: Shopify's own fees, taxes, credits and loans.
	special := map[intake.PayoutItemKind][]string{
		intake.ItemCharge:   {"CHARGE"},
		intake.ItemRefund:   {"REFUND", "REFUND_FAILURE"},
		intake.ItemDispute:  {"CHARGEBACK_HOLD", "CHARGEBACK_HOLD_RELEASE", "DISPUTE_REVERSAL", "DISPUTE_WITHDRAWAL"},
		intake.ItemReserve:  {"RESERVED_FUNDS", "RESERVED_FUNDS_REVERSAL", "RESERVED_FUNDS_WITHDRAWAL", "RISK_REVERSAL", "RISK_WITHDRAWAL"},
		intake.ItemTransfer: {"TRANSFER_CANCEL", "TRANSFER_FAILURE", "TRANSFER_REFUND"},
	}
	got := map[intake.PayoutItemKind][]string{}
	s := schema.Need(t, DefaultVersion)
	for _, v := range s.Types["ShopifyPaymentsTransactionType"].EnumValues {
		if kind := itemKind(v.Name); kind != intake.ItemAdjustment && v.Name != "TRANSFER" {
			got[kind] = append(got[kind], v.Name)
		}
	}
	for _, names := range got {
		slices.Sort(names)
	}
	if diff := cmp.Diff(special, got); diff != "" {
		t.Error(diff)
	}
}

// payoutShop lets payouts be read where it is granted.
func payoutShop(granted bool) *listShop {
	shop := newListShop()
	scope := "read_orders"
	if granted {
		scope = scopePayments
	}
	shop.other = func(op string, vars map[string]any) (string, bool) {
		search, _ := vars["query"].(string)
		switch {
		case op == "shop":
			return `{"shop":{},"currentAppInstallation":{"accessScopes":[{"handle":"` + scope + `"}]}}`, true
		case op == "balance_transactions":
			id := strings.TrimPrefix(strings.Fields(search)[0], "payments_transfer_id:")
			return `{"shopifyPaymentsAccount":{"balanceTransactions":{"nodes":[{"id":"gid://shopify/ShopifyPaymentsBalanceTransaction/` + id + `",` +
				strings.Replace(transactionNode(0, "CHARGE", "10", "0"), "Payout/0", "Payout/"+id, 1) + `}],"pageInfo":{"hasNextPage":false}}}}`, true
		}
		return "", false
	}
	return shop
}

func (s *listShop) setPayout(id uint64, issued time.Time, status string) {
	s.rows["payouts"] = slices.DeleteFunc(s.rows["payouts"], func(r listRow) bool { return r.id == id })
	s.rows["payouts"] = append(s.rows["payouts"], listRow{id: id, changed: issued, extra: payoutNode(issued, status, "10")})
}

// A payout has no date of change. It is stated again when its state is another.
func TestPayoutsAreStatedAgainWhenTheyMove(t *testing.T) {
	shop := payoutShop(true)
	shop.setPayout(1, noon.AddDate(0, -6, 0), "PAID")
	shop.setPayout(2, noon.AddDate(0, -3, 0), "SCHEDULED")
	shop.setPayout(3, noon.AddDate(0, 0, -10), "PAID")
	shop.setPayout(4, noon.AddDate(0, 0, 1), "SCHEDULED")
	c := connectTo(t, shop, 2)
	pages, next := pullAll(t, c, intake.Payouts, nil)
	if got := strings.Join(pages, "/"); got != "1 2/3 4" {
		t.Errorf("the first run states %q", got)
	}
	for _, step := range []struct {
		name, want string
		change     func()
	}{
		{"nothing happens", "", func() {}},
		{"a new one", "5", func() { shop.setPayout(5, shop.now.Add(-time.Hour), "SCHEDULED") }},
		{"an old one arrives", "2", func() { shop.setPayout(2, noon.AddDate(0, -3, 0), "PAID") }},
		{"a paid one is sent back", "3", func() { shop.setPayout(3, noon.AddDate(0, 0, -10), "FAILED") }},
		{"two at once", "4 5", func() {
			shop.setPayout(4, noon.AddDate(0, 0, 1), "PAID")
			shop.setPayout(5, noon.Add(time.Hour), "PAID")
		}},
		{"nothing again", "", func() {}},
	} {
		shop.now = shop.now.Add(24 * time.Hour)
		step.change()
		if pages, next = pullAll(t, c, intake.Payouts, next); strings.TrimSpace(strings.Join(pages, " ")) != step.want {
			t.Errorf("%s: stated %q, want %q", step.name, pages, step.want)
		}
	}
	shop.now = shop.now.AddDate(1, 0, 0)
	_, next = pullAll(t, c, intake.Payouts, next)
	if cur := c.readCursor(intake.Payouts, next); len(cur.Payouts) != 0 {
		t.Errorf("after a year the cursor still remembers %v", cur.Payouts)
	}
}

// What was not whole may be whole the next time, without a word.
func TestPayoutThatDidNotAddUpIsLookedAtAgain(t *testing.T) {
	shop := payoutShop(true)
	shop.setPayout(1, noon.AddDate(0, 0, -1), "PAID")
	account, whole := shop.other, false
	shop.other = func(op string, vars map[string]any) (string, bool) {
		if op == "balance_transactions" && !whole {
			return `{"shopifyPaymentsAccount":{"balanceTransactions":{"nodes":[],"pageInfo":{"hasNextPage":false}}}}`, true
		}
		return account(op, vars)
	}
	c := connectTo(t, shop, 2)
	var next connectors.Cursor
	for _, step := range []struct {
		whole   bool
		stated  int
		problem bool
	}{{false, 1, true}, {false, 1, true}, {true, 1, false}, {true, 0, false}} {
		whole = step.whole
		page, err := c.Pull(t.Context(), intake.Payouts, next)
		if err != nil || len(page.Records) != step.stated || step.stated > 0 && (page.Records[0].Problem != "") != step.problem {
			t.Fatalf("%+v: %+v, %v", step, page.Records, err)
		}
		next = page.Next
	}
}

func TestPayoutsThatAreNotGrantedLeaveTheBeginningOpen(t *testing.T) {
	shop := payoutShop(false)
	shop.setPayout(1, noon.AddDate(0, 0, -1), "PAID")
	pages, next := pullAll(t, connectTo(t, shop, 2), intake.Payouts, nil)
	if strings.Join(pages, "") != "" || slices.ContainsFunc(shop.asked, func(a string) bool { return strings.HasPrefix(a, "payouts") }) {
		t.Errorf("stated %q, asked %q", pages, shop.asked)
	}
	granted := payoutShop(true)
	granted.rows = shop.rows
	if pages, _ = pullAll(t, connectTo(t, granted, 2), intake.Payouts, next); strings.Join(pages, "") != "1" {
		t.Errorf("with the right: %q", pages)
	}
}

// The right to payouts may come while the program runs.
func TestPayoutsAreReadOnceTheyAreGranted(t *testing.T) {
	shop, granted := payoutShop(false), payoutShop(true)
	shop.setPayout(1, noon.AddDate(0, 0, -1), "PAID")
	c := connectTo(t, shop, 2)
	_, next := pullAll(t, c, intake.Payouts, nil)
	shop.other = granted.other
	if pages, _ := pullAll(t, c, intake.Payouts, next); strings.Join(pages, "") != "1" {
		t.Errorf("stated %q", pages)
	}
}

// A scope may be granted, and the account be denied all the same. That is no
// reason to stop reading orders.
func TestPayoutsThatAreDeniedPauseNothingElse(t *testing.T) {
	shop := payoutShop(true)
	account := shop.other
	shop.other = func(op string, vars map[string]any) (string, bool) {
		if op == "payouts" {
			return `{"shopifyPaymentsAccount":null},"errors":[{"message":"Access denied","path":["shopifyPaymentsAccount"],"extensions":{"code":"ACCESS_DENIED"}}]`, true
		}
		return account(op, vars)
	}
	_, err := connectTo(t, shop, 2).Pull(t.Context(), intake.Payouts, nil)
	if class := connectors.ClassOf(err); err == nil || class != connectors.Rejected {
		t.Errorf("it is %s: %v", class, err)
	}
}

func TestShopWithoutPaymentsHasNoPayouts(t *testing.T) {
	shop := payoutShop(true)
	account := shop.other
	shop.other = func(op string, vars map[string]any) (string, bool) {
		if op == "payouts" {
			return `{"shopifyPaymentsAccount":null}`, true
		}
		return account(op, vars)
	}
	if pages, _ := pullAll(t, connectTo(t, shop, 2), intake.Payouts, nil); strings.Join(pages, "") != "" {
		t.Errorf("stated %q", pages)
	}
}

func TestTransactionsOfAnotherPayoutDoNotCount(t *testing.T) {
	shop := payoutShop(true)
	shop.setPayout(1, noon.AddDate(0, 0, -1), "PAID")
	shop.setPayout(2, noon.AddDate(0, 0, -1), "FAILED")
	account := shop.other
	shop.other = func(op string, vars map[string]any) (string, bool) {
		data, ok := account(op, vars)
		return strings.NewReplacer("ShopifyPaymentsPayout/1", "ShopifyPaymentsPayout/3", "ShopifyPaymentsPayout/2", "ShopifyPaymentsPayout/3").Replace(data), ok
	}
	page, err := connectTo(t, shop, 2).Pull(t.Context(), intake.Payouts, nil)
	if err != nil || len(page.Records) != 2 {
		t.Fatalf("%d payouts, %v", len(page.Records), err)
	}
	if paid := page.Records[0]; !strings.Contains(paid.Problem, "10 are not accounted for") {
		t.Errorf("the paid one: %q", paid.Problem)
	}
	if failed := page.Records[1]; failed.Problem != "" || failed.Body.(*intake.Payout).Items != nil {
		t.Errorf("the failed one: %q %s", failed.Problem, failed.Statement)
	}
}
