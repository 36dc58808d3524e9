package erp

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"comptoir/erp/fault"
	"comptoir/erp/intake"
	"comptoir/erp/ledger"
	"comptoir/erp/money"
	"comptoir/erp/payouts"
	"comptoir/erp/store"
)

// Explanation is the chain from what was booked back to what the shop sent:
// entry, event, document, rule, statement, payload.
type Explanation struct {
	Subject   string              `json:"subject"` // what is explained: "invoice INV-12"
	Order     *ExplainedOrder     `json:"order,omitempty"`
	Source    *Source             `json:"source,omitempty"`
	Cents     *Cents              `json:"cents,omitempty"`
	Entries   []ExplainedEntry    `json:"entries"` // as they were recorded
	Documents []ExplainedDocument `json:"documents,omitempty"`
	Currency  money.Currency      `json:"currency"` // of the debits and credits
}

// ExplainedOrder is the order behind an explanation.
type ExplainedOrder struct {
	Shop      string         `json:"shop"`
	External  string         `json:"external_id"`
	Number    string         `json:"number"`
	State     string         `json:"state"`
	RawStatus string         `json:"raw_status"` // as the shop calls it
	PlacedAt  time.Time      `json:"placed_at"`
	Currency  money.Currency `json:"currency"`
	Rate      string         `json:"rate"` // units of the books' currency for one of the order's
	Total     money.Amount   `json:"total"`
	Tax       money.Amount   `json:"tax"`
	// Presented is what the customer saw, where that was in another currency.
	Presented *intake.Presented `json:"presented,omitempty"`

	id int64
}

// Source is what was fetched from a shop, and when. The books keep the newest
// payload that changed something; what was booked from an earlier one stays
// explained by its cause.
type Source struct {
	Shop       string          `json:"shop"`
	Ref        intake.Ref      `json:"ref"`
	How        string          `json:"how"` // in plain words
	ReceivedAt time.Time       `json:"received_at"`
	ModifiedAt time.Time       `json:"modified_at"` // when the shop says that it changed it
	Gone       bool            `json:"gone,omitempty"`
	Bytes      int             `json:"payload_bytes"`
	Payload    string          `json:"payload_sha256"`   // of the payload as the shop sent it
	Digest     string          `json:"statement_sha256"` // of what we understood of it
	Statement  json.RawMessage `json:"statement"`
	Raw        json.RawMessage `json:"-"`
}

// ExplainedEntry is an entry with what led to it. Amounts are in minor units.
type ExplainedEntry struct {
	ID          int64           `json:"id"`
	Journal     string          `json:"journal"`
	Effective   string          `json:"effective"`
	RecordedAt  time.Time       `json:"recorded_at"`
	Cause       string          `json:"cause"`
	Event       string          `json:"event,omitempty"`    // what happened: "payment/tx_77"
	Revision    int             `json:"revision,omitempty"` // of the event, from 1
	Rule        string          `json:"rule"`               // in plain words
	Description string          `json:"description"`
	Document    string          `json:"document,omitempty"`    // number of what it issued
	Reverses    int64           `json:"reverses,omitempty"`    // the entry that it takes back
	ReversedBy  int64           `json:"reversed_by,omitempty"` // the entry that takes it back
	Current     bool            `json:"from_this_payload"`     // booked from the payload that the books keep
	Lines       []ExplainedLine `json:"lines"`
}

// ExplainedLine is a line of an entry. Foreign is in the order's currency and
// positive for a debit.
type ExplainedLine struct {
	Account  string         `json:"account"`
	Name     string         `json:"name"`
	Debit    int64          `json:"debit"`
	Credit   int64          `json:"credit"`
	Currency money.Currency `json:"currency"`
	Foreign  int64          `json:"foreign"`
	Memo     string         `json:"memo,omitempty"`
}

// ExplainedDocument is an invoice or a credit note.
type ExplainedDocument struct {
	Number   string       `json:"number"`
	Kind     string       `json:"kind"`
	Date     string       `json:"date"`
	Cause    string       `json:"cause"`
	Net      money.Amount `json:"net"`
	Tax      money.Amount `json:"tax"`
	Total    money.Amount `json:"total"`
	Corrects string       `json:"corrects,omitempty"` // number of the document that it takes back
}

// target is what an id stands for: an order, and where it is narrower one
// document or one entry of it; or an entry that is of no order.
type target struct {
	subject string
	order   int64
	cause   string // of the document, "" for all
	entry   int64  // 0 for all
}

// Explain explains what an id stands for:
//
//	1042              an order, by its number or by the shop's id
//	atelier/1042      the same, in one shop
//	order/atelier/77  an order by the shop's id alone
//	INV-12, CN-3      an invoice or a credit note
//	entry:123         an entry, by its number or by its cause
//
// An id that could be several things is an Invalid fault that lists them; one
// that is nothing is NotFound.
func (b *Books) Explain(ctx context.Context, id string) (Explanation, error) {
	out := Explanation{Currency: b.opts.Company.Currency, Entries: []ExplainedEntry{}}
	err := b.db.Read(ctx, func(r store.Reader) error {
		t, err := findTarget(ctx, r, id)
		if err != nil {
			return err
		}
		out.Subject = t.subject
		return b.explain(ctx, r, t, &out)
	})
	if err != nil {
		return out, fmt.Errorf("explain %s: %w", id, err)
	}
	return out, nil
}

func (b *Books) explain(ctx context.Context, r store.Reader, t target, out *Explanation) (err error) {
	if t.order == 0 {
		if out.Entries, err = readExplained(ctx, r, `e.id = $1`, t.entry); err != nil {
			return err
		}
		return b.explainOther(ctx, r, t, out)
	}
	if out.Order, err = readExplainedOrder(ctx, r, t.order); err != nil {
		return err
	}
	if out.Source, err = b.source(ctx, r, intake.KindOrder, t.order, 0); err != nil {
		return err
	}
	if err = out.readStatement(); err != nil {
		return err
	}
	if out.Entries, err = readExplained(ctx, r, `e.document_kind = 'order' AND e.document_id = $1`, t.order); err != nil {
		return err
	}
	if out.Documents, err = readDocuments(ctx, r, t.order); err != nil {
		return err
	}
	out.narrow(t)
	for i := range out.Entries {
		b.explainEntry(&out.Entries[i], out.Order, out.Source)
	}
	return nil
}

// narrow leaves what a document or an entry alone explains: it, what it takes
// back, and what takes it back.
func (x *Explanation) narrow(t target) {
	if t.cause == "" && t.entry == 0 {
		return
	}
	keep := map[int64]bool{t.entry: true}
	causes := map[string]bool{t.cause: true}
	for _, e := range x.Entries {
		if e.ID == t.entry || e.Cause == t.cause {
			keep[e.ID], keep[e.Reverses], keep[e.ReversedBy], causes[e.Cause] = true, true, true, true
		}
	}
	entries, documents := []ExplainedEntry{}, []ExplainedDocument(nil)
	for _, e := range x.Entries {
		if e.ID != 0 && keep[e.ID] {
			entries = append(entries, e)
		}
	}
	for _, d := range x.Documents {
		if causes[d.Cause] {
			documents = append(documents, d)
		}
	}
	x.Entries, x.Documents = entries, documents
}

// explainOther explains an entry that is of no order: stock that was taken
// over or corrected, what was entered by hand, a closing.
func (b *Books) explainOther(ctx context.Context, r store.Reader, t target, out *Explanation) error {
	var kind string
	var document, shop int64
	if err := r.QueryRow(ctx, `SELECT document_kind, document_id, shop_id FROM entry WHERE id = $1`, t.entry).Scan(&kind, &document, &shop); err != nil {
		return fmt.Errorf("read entry %d: %w", t.entry, err)
	}
	var err error
	switch {
	case kind == "stock":
		out.Source, err = b.stockSource(ctx, r, document, shop)
	case kind == payouts.DocumentKind && document != 0:
		out.Source, err = b.source(ctx, r, intake.KindPayout, document, 0)
	}
	if err != nil {
		return err
	}
	for i := range out.Entries {
		e := &out.Entries[i]
		e.Event, e.Revision = e.Cause, 1
		e.Current = out.Source != nil && e.RecordedAt.Equal(out.Source.ReceivedAt)
		e.Rule = otherRule(kind)
		if strings.HasPrefix(e.Cause, "payout-item/") {
			e.Rule = "The gateway's balance moved for something that no order tells of: what it holds back is kept on the account of disputes or of reserves, " +
				"what it charges or credits is a payment fee; against its clearing account."
		}
	}
	return nil
}

// otherRule is the rule that books what is no order, by the kind of document.
func otherRule(kind string) string {
	switch kind {
	case "stock":
		return "What the shop can still sell differs from the books: the inventory follows it, against the opening balances when the stock is " +
			"taken over, and against inventory adjustments later."
	case "bill", "cash":
		return "A purchase: goods go to the inventory at their cost, the rest to the account of its line, deductible tax to the input tax; " +
			"against what is owed to the vendor, or the account that paid at once."
	case "credit":
		return "The vendor credits a purchase: what is owed to the vendor is lessened, and so are the goods, the expense and the input tax."
	case "voucher":
		return "Bills are paid: what is owed to the vendors and the bank's charge, against the account that paid."
	case "payout":
		return "The gateway pays out: its clearing account, less the fees that are told of with it, goes to the bank."
	case "dispute":
		return "A customer disputes a payment: it is held on the account of disputes until it is won, and goes back to the clearing account, or is lost."
	case "opening":
		return "The balances with which the books begin, against the opening balances account."
	case ledger.FiscalYearKind:
		return "The year was closed: its income and expenses are brought to zero against the retained earnings."
	default:
		return "Entered in the books by hand; it did not come from a shop."
	}
}

func parseEntryID(id string) (int64, bool) {
	n, err := strconv.ParseInt(id, 10, 64)
	return n, err == nil && n > 0
}

func ambiguous(id string, list []string) error {
	return fault.New(fault.Invalid, "name one of them: "+joinList(list), "%q could be %d things", id, len(list))
}
