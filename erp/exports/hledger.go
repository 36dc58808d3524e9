package exports

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"comptoir/erp/money"
)

// hledger writes a journal that hledger and ledger both read. It keeps to what
// the two share: directives of one word, a tag on each comment line, amounts
// with a decimal point and the currency after them.
//
// The names of the accounts begin with the kind of account, so that the
// balance sheet and the income statement of hledger find them. Tags, accounts
// and the currency are declared: both programs accept the file when they are
// asked to be strict.
type hledger struct{ *book }

func newHledger(bk *book) *hledger {
	bk.nameAccounts(func(a *account) string {
		// A colon begins a sub-account, two spaces or a semicolon end the name.
		return strings.TrimSpace(root(a.kind) + ":" + wordy(a.code, '-', "-._/") + " " + wordy(a.label, ' ', "-.,'&%/+"))
	})
	return &hledger{bk}
}

// hledgerTags are the names of the tags that are written.
func hledgerTags() []string {
	return []string{"entry", "journal", "cause", "shop", "document", "reverses", "code", "foreign", "memo"}
}

func (h *hledger) head(b []byte) []byte {
	b = append(b, "; Journal"...)
	if h.Company != "" {
		b = append(b, " of "+plain(h.Company, "")...)
	}
	b = append(b, ", written by Comptoir. Amounts are in "...)
	b = append(b, h.currency...)
	b = append(b, "; what a document states in another currency stands beside them.\n\n"...)
	b = append(b, "commodity "+string(h.currency)+"\n\n"...)
	for _, t := range hledgerTags() {
		b = append(b, "tag "+t+"\n"...)
	}
	for _, a := range h.accounts {
		b = append(b, "\naccount "+a.name...)
		b = tag(append(b, '\n'), "code", a.code)
	}
	return b
}

// tag appends a comment line with one tag. A comma would end its value for
// hledger, and brackets be taken for a date.
func tag(b []byte, name, value string) []byte {
	if value == "" {
		return b
	}
	b = append(b, "    ; "+name+": "...)
	b = append(b, plain(value, ",[]")...)
	return append(b, '\n')
}

func (h *hledger) entry(b []byte, e *entry) []byte {
	b = append(b, '\n')
	b = append(b, e.effective...)
	b = append(b, " * "...)
	if e.id != 0 {
		b = append(b, '(')
		b = strconv.AppendInt(b, e.id, 10)
		b = append(b, ") "...)
	}
	b = append(b, plain(e.description, ";")...)
	b = append(b, '\n')
	if e.id != 0 {
		b = tag(b, "entry", strconv.FormatInt(e.id, 10))
	}
	b = tag(b, "journal", e.journal)
	b = tag(b, "cause", e.cause)
	b = tag(b, "shop", e.shop)
	b = tag(b, "document", e.document)
	if e.reverses != 0 {
		b = tag(b, "reverses", strconv.FormatInt(e.reverses, 10))
	}
	for _, l := range e.lines {
		b = h.line(b, l)
	}
	return b
}

// amountEnd is the column in which amounts end where names are short enough.
const amountEnd = 64

func (h *hledger) line(b []byte, l line) []byte {
	b = append(b, "    "...)
	b = append(b, l.account.name...)
	b = append(b, "  "...)
	var digits [24]byte
	number := appendAmount(digits[:0], l.amount(), h.scale, '.')
	for n := utf8.RuneCountInString(l.account.name) + len(number); n < amountEnd; n++ {
		b = append(b, ' ')
	}
	b = append(b, number...)
	b = append(b, ' ')
	b = append(b, h.currency...)
	b = append(b, '\n')
	if foreign := h.foreign(l); foreign != "" {
		b = tag(b, "foreign", foreign)
	}
	return tag(b, "memo", l.memo)
}

// foreign is what a line amounts to in the currency of its document, "" where
// that is the company's: "-12.00 USD".
func (bk *book) foreign(l line) string {
	if l.foreign == 0 || l.currency == bk.currency || l.currency == "" {
		return ""
	}
	return money.Amount{Minor: l.foreign, Currency: l.currency}.String()
}
