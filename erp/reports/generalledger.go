package reports

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"comptoir/erp/fault"
)

// position is a line of an account in the order of its ledger.
type position struct {
	day         string
	entry, line int64
}

// generalLedger reports the lines of each account, from its opening to its
// closing balance. A page goes on where the one before ended.
func generalLedger(ctx context.Context, r *reading) error {
	r.Columns = []Column{{"date", "Date", Date}, {"entry", "Entry", Text}, {"journal", "Journal", Text}, {"document", "Document", Text},
		{"description", "Description", Text}, {"debit", "Debit", Money}, {"credit", "Credit", Money}, {"balance", "Balance", Money}}
	code, at, err := r.ledgerStart()
	if err != nil {
		return err
	}
	accounts, err := r.ledgerAccounts(ctx, code)
	if err != nil {
		return err
	}
	left := r.Limit
	if left == 0 {
		left = maxLimit * maxLimit // all
	}
	for _, a := range accounts {
		if left == 0 {
			r.Next = r.ledgerPosition(a.code, position{day: r.from()})
			return nil
		}
		from := position{day: r.from()}
		if a.code == code && at != (position{}) {
			from = at
		}
		more, err := r.ledgerSection(ctx, a, from, &left)
		if err != nil || more {
			return err
		}
	}
	return nil
}

// ledgerStart is where the page begins: an account and a place in it.
func (r *reading) ledgerStart() (code string, at position, err error) {
	if r.After == "" {
		return "", position{}, nil
	}
	parts := strings.SplitN(r.After, "/", 4)
	if len(parts) == 4 {
		at.day, code = parts[0], parts[3]
		var err1, err2 error
		at.entry, err1 = strconv.ParseInt(parts[1], 10, 64)
		at.line, err2 = strconv.ParseInt(parts[2], 10, 64)
		err = errors.Join(err1, err2)
	}
	if len(parts) != 4 || err != nil {
		return "", at, badAfter(r.After)
	}
	return code, at, nil
}

func badAfter(after string) error {
	return fault.New(fault.Invalid, "use what the page before calls next", "--after: %q is no place in the report", after)
}

func (r *reading) ledgerPosition(code string, p position) string {
	return fmt.Sprintf("%s/%d/%d/%s", p.day, p.entry, p.line, code)
}

// ledgerAccounts lists the accounts from a code on.
func (r *reading) ledgerAccounts(ctx context.Context, code string) ([]account, error) {
	q, args := `SELECT id, code, name FROM account WHERE code >= $1 ORDER BY code`, []any{code}
	if r.Account != "" {
		q, args = `SELECT id, code, name FROM account WHERE code = $1`, []any{r.Account}
		r.Filters = append(r.Filters, Filter{"account", r.Account})
	}
	var out []account
	err := r.each(ctx, q, args, func(scan func(...any) error) error {
		var a account
		err := scan(&a.id, &a.code, &a.name)
		out = append(out, a)
		return err
	})
	if err == nil && r.Account != "" && len(out) == 0 {
		return nil, fault.New(fault.Invalid, "comptoir report trial-balance lists those in use", "--account: there is no account %q", r.Account)
	}
	return out, err
}

// ledgerSection adds the lines of one account after a position. It reports true
// where the page is full before the account ends.
func (r *reading) ledgerSection(ctx context.Context, a account, after position, left *int) (bool, error) {
	balance, err := r.balanceAt(ctx, a.id, after)
	if err != nil {
		return false, err
	}
	lines, err := r.ledgerLines(ctx, a.id, after, *left+1)
	if err != nil {
		return false, fmt.Errorf("read the lines of account %s: %w", a.code, err)
	}
	begins := after.entry == 0
	if len(lines) == 0 && balance == 0 && begins {
		return false, nil
	}
	width := len(r.Columns)
	s := Section{Key: a.code, Title: a.code + " " + a.name, Name: true}
	first := numbers(width, []Cell{{}, {}, {}, {}, label("Opening balance")}, balance)
	if !begins {
		first[4] = label("Brought forward")
	}
	s.Rows = append(s.Rows, first)
	more := len(lines) > *left
	if more {
		lines = lines[:*left]
	}
	var debit, credit int64
	for _, l := range lines {
		balance += l.debit - l.credit
		debit += l.debit
		credit += l.credit
		row := Row{name(l.at.day), name(strconv.FormatInt(l.at.entry, 10)), name(l.journal), name(l.document), name(l.text), {}, {}, number(balance)}
		if l.debit != 0 {
			row[5] = number(l.debit)
		}
		if l.credit != 0 {
			row[6] = number(l.credit)
		}
		s.Rows = append(s.Rows, row)
	}
	*left -= len(lines)
	if more {
		r.Next = r.ledgerPosition(a.code, lines[len(lines)-1].at)
		s.Total = numbers(width, []Cell{{}, {}, {}, {}, label("Carried forward")}, debit, credit, balance)
	} else {
		s.Total = numbers(width, []Cell{{}, {}, {}, {}, label("Closing balance")}, debit, credit, balance)
	}
	r.Sections = append(r.Sections, s)
	return more, nil
}

type ledgerLine struct {
	at                      position
	journal, document, text string
	debit, credit           int64
}

// balanceAt is the debit balance of an account up to a position and with it:
// the daily balances before its day, and the lines of that day.
func (r *reading) balanceAt(ctx context.Context, account int64, at position) (int64, error) {
	var days, lines sql.NullInt64
	q, args := `SELECT SUM(debit - credit) FROM account_day WHERE account_id = $1 AND day < $2`, []any{account, at.day}
	if r.shop != 0 {
		q, args = `SELECT SUM(l.debit - l.credit) FROM account_line al JOIN entry e ON e.id = al.entry_id JOIN entry_line l ON l.entry_id = al.entry_id AND l.line = al.line
			WHERE al.account_id = $1 AND al.day < $2 AND e.shop_id = $3`, append(args, r.shop)
	}
	if err := r.QueryRow(ctx, q, args...).Scan(&days); err != nil {
		return 0, fmt.Errorf("read the balance of an account: %w", err)
	}
	if at.entry == 0 {
		return days.Int64, nil
	}
	err := r.QueryRow(ctx, `SELECT SUM(l.debit - l.credit) FROM account_line al JOIN entry e ON e.id = al.entry_id JOIN entry_line l ON l.entry_id = al.entry_id AND l.line = al.line
		WHERE al.account_id = $1 AND al.day = $2 AND (al.entry_id, al.line) <= ($3, $4) AND (CAST($5 AS BIGINT) = 0 OR e.shop_id = $5)`,
		account, at.day, at.entry, at.line, r.shop).Scan(&lines)
	if err != nil {
		return 0, fmt.Errorf("read the balance of an account: %w", err)
	}
	return days.Int64 + lines.Int64, nil
}

func (r *reading) ledgerLines(ctx context.Context, account int64, after position, limit int) ([]ledgerLine, error) {
	var out []ledgerLine
	err := r.each(ctx, `SELECT al.day, al.entry_id, al.line, e.journal, e.description, e.document_kind, e.document_id, COALESCE(o.number, ''), l.debit, l.credit
		FROM account_line al JOIN entry e ON e.id = al.entry_id JOIN entry_line l ON l.entry_id = al.entry_id AND l.line = al.line
		LEFT JOIN sales_order o ON o.id = e.document_id AND e.document_kind = 'order'
		WHERE al.account_id = $1 AND (al.day, al.entry_id, al.line) > ($2, $3, $4) AND al.day <= $5 AND (CAST($6 AS BIGINT) = 0 OR e.shop_id = $6)
		ORDER BY al.day, al.entry_id, al.line LIMIT $7`, []any{account, after.day, after.entry, after.line, r.to(), r.shop, limit},
		func(scan func(...any) error) error {
			var l ledgerLine
			var kind, order string
			var id int64
			err := scan(&l.at.day, &l.at.entry, &l.at.line, &l.journal, &l.text, &kind, &id, &order, &l.debit, &l.credit)
			l.document = document(kind, id, order)
			out = append(out, l)
			return err
		})
	return out, err
}

// document names what an entry belongs to: an order by its number, others by
// their kind and id.
func document(kind string, id int64, number string) string {
	switch {
	case number != "":
		return kind + " " + number
	case kind != "" && id != 0:
		return kind + " " + strconv.FormatInt(id, 10)
	default:
		return kind
	}
}
