package reports

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"comptoir/erp/intake"
	"comptoir/erp/money"
)

// payouts holds what was booked at the gateways against what they say that they
// paid out: every payment, refund and payout that is open, so that the list adds
// up to what is on their accounts. Gateways that state no payouts are left out.
func payouts(ctx context.Context, r *reading) error {
	r.Columns = []Column{{"what", "What", Text}, {"shop", "Shop", Text}, {"reference", "Reference", Text}, {"date", "Date", Date},
		{"booked", "Booked", Money}, {"booked_fees", "Fees booked", Money}, {"paid_out", "In payouts", Money}, {"paid_fees", "Fees in payouts", Money}, {"open", "Open", Money}}
	gateways, err := r.paidOutAccounts(ctx)
	if err != nil {
		return fmt.Errorf("read the gateways that state payouts: %w", err)
	}
	for _, g := range gateways {
		if err := r.openAt(ctx, g); err != nil {
			return fmt.Errorf("read account %s: %w", g.code, err)
		}
	}
	if len(gateways) == 0 {
		r.note("No gateway has stated a payout.")
	}
	return nil
}

// paidOutAccounts are the clearing accounts that payouts were stated for.
func (r *reading) paidOutAccounts(ctx context.Context) ([]account, error) {
	var out []account
	err := r.each(ctx, `SELECT DISTINCT a.id, a.code, a.name, p.gateway, p.currency FROM payout p JOIN account a ON a.id = p.account_id
		WHERE (CAST($1 AS BIGINT) = 0 OR p.shop_id = $1) AND ($2 = '' OR p.gateway = $2) ORDER BY a.code, p.gateway, p.currency`, []any{r.shop, r.Params.Gateway},
		func(scan func(...any) error) error {
			var a account
			if err := scan(&a.id, &a.code, &a.name, &a.gateway, &a.currency); err != nil {
				return err
			}
			if n := len(out); n == 0 || out[n-1].id != a.id { // two gateways may share an account
				out = append(out, a)
			}
			return nil
		})
	return out, err
}

// openItem is a line of the list: what is booked, less what is in payouts.
type openItem struct {
	what, shop, reference, day string
	booked, bookedFees         int64
	paid, paidFees             int64
}

func (o openItem) open() int64 { return o.booked - o.bookedFees - o.paid + o.paidFees }

func (o openItem) row(c money.Currency) Row {
	row := Row{label(o.what), name(o.shop), name(o.reference), name(o.day)}
	for _, n := range []int64{o.booked, o.bookedFees, o.paid, o.paidFees, o.open()} {
		row = append(row, amountIn(n, c))
	}
	return row
}

// openAt lists what is open on one account, and holds the sum against it.
func (r *reading) openAt(ctx context.Context, a account) error {
	var items []openItem
	for _, read := range []func(context.Context, account) ([]openItem, error){r.openOrders, r.openStrays, r.openPayouts, r.openByHand} {
		more, err := read(ctx, a)
		if err != nil {
			return err
		}
		items = append(items, more...)
	}
	c := money.Currency(a.currency)
	s := Section{Key: a.code, Title: a.name, Name: true}
	var sum int64
	for _, it := range items {
		s.Rows = append(s.Rows, it.row(c))
		sum += it.open()
	}
	s.Total = make(Row, len(r.Columns))
	s.Total[0], s.Total[len(s.Total)-1] = label("Open"), amountIn(sum, c)
	r.Sections = append(r.Sections, s)
	var balance sql.NullInt64
	err := r.QueryRow(ctx, `SELECT SUM(l.foreign_debit - l.foreign_credit) FROM account_line al JOIN entry e ON e.id = al.entry_id JOIN entry_line l ON l.entry_id = al.entry_id AND l.line = al.line
		WHERE al.account_id = $1 AND al.day <= $2 AND (CAST($3 AS BIGINT) = 0 OR e.shop_id = $3)`, a.id, r.to(), r.shop).Scan(&balance)
	if err != nil {
		return err
	}
	r.tie(Tie{What: "What is open = balance at the gateway", Report: sum, Accounts: balance.Int64, Currency: c})
	return nil
}

// openOrders are the payments and refunds of orders that are not in payouts as
// they were booked, or not booked as they are in payouts.
func (r *reading) openOrders(ctx context.Context, a account) ([]openItem, error) {
	var out []openItem
	err := r.each(ctx, `SELECT y.part, s.name, COALESCE(o.number, y.ref), y.day, y.booked, y.booked_fees, y.paid, y.paid_fees, y.bookings, y.items FROM (
			SELECT shop_id, ref, part, MIN(day) AS day, CAST(SUM(booked) AS BIGINT) AS booked, CAST(SUM(booked_fee) AS BIGINT) AS booked_fees,
				CAST(SUM(paid) AS BIGINT) AS paid, CAST(SUM(paid_fee) AS BIGINT) AS paid_fees, SUM(booking) AS bookings, SUM(1 - booking) AS items FROM (
				SELECT e.shop_id, d.external_id AS ref, CASE WHEN e.cause LIKE 'order/%/payment/%' OR e.cause LIKE 'order/%/fee/%' THEN 'payment' ELSE 'refund' END AS part, al.day,
					CASE WHEN e.cause LIKE 'order/%/fee/%' THEN 0 ELSE l.foreign_debit - l.foreign_credit END AS booked,
					CASE WHEN e.cause LIKE 'order/%/fee/%' THEN l.foreign_credit - l.foreign_debit ELSE 0 END AS booked_fee, 0 AS paid, 0 AS paid_fee, 1 AS booking
				FROM account_line al JOIN entry e ON e.id = al.entry_id JOIN entry_line l ON l.entry_id = al.entry_id AND l.line = al.line JOIN sales_order d ON d.id = e.document_id
				WHERE al.account_id = $1 AND al.day <= $2 AND e.document_kind = 'order' AND (CAST($3 AS BIGINT) = 0 OR e.shop_id = $3)
				UNION ALL
				SELECT i.shop_id, i.order_ref, CASE WHEN i.kind = 'refund' THEN 'refund' ELSE 'payment' END, i.day, 0, 0, i.amount, i.fee, 0
				FROM payout_item i JOIN payout p ON p.id = i.payout_id
				WHERE p.account_id = $1 AND i.day <= $2 AND NOT i.removed AND i.kind IN ('charge', 'refund') AND i.order_ref <> '' AND (CAST($3 AS BIGINT) = 0 OR i.shop_id = $3)
			) x GROUP BY shop_id, ref, part HAVING SUM(booked) <> SUM(paid) OR SUM(booked_fee) <> SUM(paid_fee)
		) y JOIN shop s ON s.id = y.shop_id LEFT JOIN origin g ON g.shop_id = y.shop_id AND g.kind = 'order' AND g.external_id = y.ref LEFT JOIN sales_order o ON o.id = g.local_id
		ORDER BY y.day, s.name, y.ref, y.part`, []any{a.id, r.to(), r.shop},
		func(scan func(...any) error) error {
			var it openItem
			var part string
			var bookings, items int64
			err := scan(&part, &it.shop, &it.reference, &it.day, &it.booked, &it.bookedFees, &it.paid, &it.paidFees, &bookings, &items)
			it.what = openLabel(part == "refund", bookings > 0, items > 0)
			out = append(out, it)
			return err
		})
	return out, err
}

func openLabel(refund, booked, paid bool) string {
	switch {
	case refund && !paid:
		return "Refund not in a payout yet"
	case refund && !booked:
		return "Refund that is not booked"
	case refund:
		return "Refund that differs"
	case !paid:
		return "Payment not in a payout yet"
	case !booked:
		return "Payment that is not booked"
	default:
		return "Payment that differs"
	}
}

// openStrays are charges and refunds of payouts that name no order.
func (r *reading) openStrays(ctx context.Context, a account) ([]openItem, error) {
	var out []openItem
	err := r.each(ctx, `SELECT s.name, CASE WHEN i.source = '' THEN i.external_id ELSE i.source END, i.day, i.amount, i.fee FROM payout_item i JOIN payout p ON p.id = i.payout_id JOIN shop s ON s.id = i.shop_id
		WHERE p.account_id = $1 AND i.day <= $2 AND NOT i.removed AND i.kind IN ('charge', 'refund') AND i.order_ref = '' AND (i.amount <> 0 OR i.fee <> 0) AND (CAST($3 AS BIGINT) = 0 OR i.shop_id = $3)
		ORDER BY i.day, s.name, i.external_id`, []any{a.id, r.to(), r.shop},
		func(scan func(...any) error) error {
			it := openItem{what: "Payment without an order"}
			err := scan(&it.shop, &it.reference, &it.day, &it.paid, &it.paidFees)
			out = append(out, it)
			return err
		})
	return out, err
}

// openByHand are the entries of the account that no order and no stated payout
// has posted, but for those that were taken back.
func (r *reading) openByHand(ctx context.Context, a account) ([]openItem, error) {
	var out []openItem
	err := r.each(ctx, `SELECT MIN(e.document_kind), MIN(al.day), CAST(SUM(l.foreign_debit - l.foreign_credit) AS BIGINT), MAX(CASE WHEN e.reverses = 0 THEN e.description ELSE '' END)
		FROM account_line al JOIN entry e ON e.id = al.entry_id JOIN entry_line l ON l.entry_id = al.entry_id AND l.line = al.line
		WHERE al.account_id = $1 AND al.day <= $2 AND e.document_kind <> 'order' AND NOT (e.document_kind = 'payout' AND e.document_id <> 0) AND (CAST($3 AS BIGINT) = 0 OR e.shop_id = $3)
		GROUP BY CASE WHEN e.reverses = 0 THEN e.id ELSE e.reverses END HAVING SUM(l.foreign_debit - l.foreign_credit) <> 0 ORDER BY MIN(al.day), MIN(e.id)`, []any{a.id, r.to(), r.shop},
		func(scan func(...any) error) error {
			it := openItem{what: "Booked by hand"}
			var kind string
			err := scan(&kind, &it.day, &it.booked, &it.reference)
			if kind == "payout" {
				it.what = "Payout booked by hand"
			}
			out = append(out, it)
			return err
		})
	return out, err
}

// payoutSum is what a payout has left on the account.
type payoutSum struct {
	openItem
	state   intake.PayoutState
	items   int64 // that are known
	counted int64 // its charges and refunds, less their fees
	carried int64 // of earlier payouts, as it lists them
	bank    int64 // what it has moved there
	other   int64 // what its other items have moved there
}

// rest is what of the payout's items has not reached the bank.
func (p *payoutSum) rest() int64 { return p.counted + p.other + p.bank }

// openPayouts are the payouts that are not at the bank, or are not what their
// items add up to. One that came back is open until another one carries it.
func (r *reading) openPayouts(ctx context.Context, a account) ([]openItem, error) {
	list, err := r.payoutSums(ctx, a)
	if err != nil {
		return nil, err
	}
	var out, again []openItem
	var left int64 // of those that came back, less what was carried on
	for _, p := range list {
		rest := p.rest()
		if rest == 0 {
			continue
		}
		it := p.openItem
		it.booked = rest
		switch {
		case p.state == intake.PayoutFailed || p.state == intake.PayoutCancelled:
			it.what = "Payout that came back"
		case p.bank == 0:
			it.what = "Payout on its way"
		case p.items == 0:
			it.what = "Payout without its items"
		case p.carried == -rest:
			it.what = "Payout that came back, carried on"
		default:
			it.what = "Payout that differs from its items"
		}
		if strings.HasPrefix(it.what, "Payout that came back") {
			again, left = append(again, it), left+rest
			continue
		}
		out = append(out, it)
	}
	if left != 0 {
		out = append(out, again...)
		slices.SortStableFunc(out, func(x, y openItem) int { return cmp.Compare(x.day, y.day) })
	}
	return out, nil
}

// payoutSums reads the payouts of an account with their items, and what both
// have posted there. An item counts to the payout that it belongs to now.
func (r *reading) payoutSums(ctx context.Context, a account) ([]*payoutSum, error) {
	byID, byCause := map[int64]*payoutSum{}, map[string]*payoutSum{}
	var list []*payoutSum
	args := []any{a.id, r.to(), r.shop}
	err := r.each(ctx, `SELECT p.id, s.name, CASE WHEN p.reference = '' THEN p.external_id ELSE p.reference END, p.day, p.state, COALESCE(i.items, 0), COALESCE(i.counted, 0), COALESCE(i.carried, 0)
		FROM payout p JOIN shop s ON s.id = p.shop_id LEFT JOIN (SELECT payout_id, COUNT(*) AS items,
				CAST(SUM(CASE WHEN kind IN ('charge', 'refund') AND day <= $2 THEN amount - fee ELSE 0 END) AS BIGINT) AS counted,
				CAST(SUM(CASE WHEN kind = 'transfer' THEN amount - fee ELSE 0 END) AS BIGINT) AS carried
			FROM payout_item WHERE NOT removed GROUP BY payout_id) i ON i.payout_id = p.id
		WHERE p.account_id = $1 AND (CAST($3 AS BIGINT) = 0 OR p.shop_id = $3) ORDER BY p.day, s.name, p.external_id`, args,
		func(scan func(...any) error) error {
			p := new(payoutSum)
			var id int64
			if err := scan(&id, &p.shop, &p.reference, &p.day, &p.state, &p.items, &p.counted, &p.carried); err != nil {
				return err
			}
			byID[id] = p
			list = append(list, p)
			return nil
		})
	if err != nil {
		return nil, err
	}
	err = r.each(ctx, `SELECT i.payout_id, 'payout-item/' || s.name || '/' || i.gateway || '/' || i.external_id FROM payout_item i JOIN payout p ON p.id = i.payout_id JOIN shop s ON s.id = i.shop_id
		WHERE p.account_id = $1 AND i.revision > 0 AND NOT i.removed`, []any{a.id},
		func(scan func(...any) error) error {
			var id int64
			var cause string
			err := scan(&id, &cause)
			byCause[cause] = byID[id]
			return err
		})
	if err != nil {
		return nil, err
	}
	err = r.each(ctx, `SELECT e.document_id, e.cause, al.day, l.foreign_debit - l.foreign_credit FROM account_line al JOIN entry e ON e.id = al.entry_id JOIN entry_line l ON l.entry_id = al.entry_id AND l.line = al.line
		WHERE al.account_id = $1 AND al.day <= $2 AND e.document_kind = 'payout' AND e.document_id <> 0 AND (CAST($3 AS BIGINT) = 0 OR e.shop_id = $3)`, args,
		func(scan func(...any) error) error {
			var id, amount int64
			var cause, day string
			if err := scan(&id, &cause, &day, &amount); err != nil {
				return err
			}
			event := strings.TrimSuffix(cause, "/reversal")
			if at := strings.LastIndexByte(event, '#'); at > 0 {
				event = event[:at]
			}
			p := cmp.Or(byCause[event], byID[id])
			if p == nil { // it is of another account by now
				p = &payoutSum{openItem: openItem{reference: event, day: day}}
				byID[id], list = p, append(list, p)
			}
			if strings.HasPrefix(event, "payout-item/") {
				p.other += amount
			} else {
				p.bank += amount
			}
			return nil
		})
	return list, err
}
