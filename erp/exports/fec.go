package exports

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"comptoir/erp/fault"
	"comptoir/erp/ledger"

	"golang.org/x/text/encoding/charmap"
)

// fecFields are the 18 fields of a line, in their order: article A47 A-1, VII,
// of the Livre des procédures fiscales.
func fecFields() []string {
	return []string{"JournalCode", "JournalLib", "EcritureNum", "EcritureDate", "CompteNum", "CompteLib", "CompAuxNum", "CompAuxLib",
		"PieceRef", "PieceDate", "EcritureLib", "Debit", "Credit", "EcritureLet", "DateLet", "ValidDate", "Montantdevise", "Idevise"}
}

// fec writes the fichier des écritures comptables: a line of field names, then
// one line for each line of an entry, with tabs between the fields, dates as
// YYYYMMDD and a decimal comma.
//
// The article wants the entries in the order in which they were validated, the
// opening entry first, and their numbers without a gap. An entry of ours is
// final when it is recorded: that is its validation. The entry that closes the
// year is left out, as the article has it. Each journal has a
// sequence of its own; since nothing is ever put between two entries, a number
// stays the same however often the file of a year is made.
//
// Lines end in CR LF: the article allows either or both. The text is UTF-8: the
// names of customers are written in all scripts, and a file in it is read by
// the tool with which the administration has such files tested; who wants the
// letter of the article, which names ISO 8859-15, can have it (Options.Latin).
type fec struct {
	*book
	numbers map[string]int64 // last number of each journal
}

func newFEC(bk *book) *fec { return &fec{book: bk, numbers: map[string]int64{}} }

// FECName is the name that the file must have: SIREN, "FEC", and the day on
// which the year ends. A SIREN has nine digits, the last of which proves the
// others.
func FECName(siren, yearEnd string) (string, error) {
	siren = strings.Join(strings.Fields(siren), "")
	if !validSIREN(siren) {
		return "", fault.New(fault.Invalid, "give the nine digits under which the company is registered", "%q is not a SIREN", siren)
	}
	t, err := time.Parse(time.DateOnly, yearEnd)
	if err != nil {
		return "", fault.New(fault.Invalid, "write the last day of the year as 2026-12-31", "%q is not a date", yearEnd)
	}
	return siren + "FEC" + t.Format("20060102") + ".txt", nil
}

// validSIREN checks the digits by the formula of Luhn.
func validSIREN(s string) bool {
	if len(s) != 9 {
		return false
	}
	sum := 0
	for i, r := range s {
		if r < '0' || r > '9' {
			return false
		}
		d := int(r - '0')
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}

// warnings tells of accounts whose numbers are not those of the French chart.
func (f *fec) warnings() []string {
	var list []string
	if f.chart != "pcg" {
		list = append(list, fmt.Sprintf("the books were begun with the chart %q: a FEC must have the account numbers of the plan comptable général", f.chart))
	}
	if f.currency != "EUR" {
		list = append(list, fmt.Sprintf("the books are in %s: a FEC must be in EUR", f.currency))
	}
	for _, a := range f.accounts {
		if len(a.code) < 3 || strings.Trim(a.code[:3], "0123456789") != "" {
			list = append(list, fmt.Sprintf("account %s does not begin with three digits", a.code))
		}
	}
	return list
}

// fecJournal is the code and the name of a journal.
func fecJournal(journal string) (code, name string) {
	switch journal {
	case journalOpening:
		return "AN", "À-nouveaux"
	case ledger.JournalSales:
		return "VT", "Ventes"
	case ledger.JournalPurchases:
		return "HA", "Achats"
	case ledger.JournalCash:
		return "TR", "Trésorerie"
	case ledger.JournalInventory:
		return "ST", "Stocks"
	case ledger.JournalGeneral:
		return "OD", "Opérations diverses"
	default:
		return strings.ToUpper(journal), journal
	}
}

func (f *fec) head(b []byte) []byte {
	return f.encode(append(b, strings.Join(fecFields(), "\t")+"\r\n"...))
}

func (f *fec) entry(b []byte, e *entry) []byte {
	code, journal := fecJournal(e.journal)
	f.numbers[code]++
	number := strconv.FormatInt(f.numbers[code], 10)
	piece, issued := f.piece(e)
	validated := compact(e.effective)
	if !e.recorded.IsZero() {
		validated = e.recorded.In(f.Zone).Format("20060102")
	}
	for _, l := range e.lines {
		b = cells(b, code, journal, number, compact(e.effective), l.account.code, l.account.label)
		b = auxiliary(b, e, l)
		b = cells(b, piece, issued, frenchText(e))
		b = append(appendAmount(b, l.debit, f.scale, ','), '\t')
		b = append(appendAmount(b, l.credit, f.scale, ','), '\t')
		b = cells(b, "", "", validated) // nothing is lettered
		b = f.devise(b, l)
	}
	return f.encode(b)
}

// cells appends fields, each with the tab after it.
func cells(b []byte, fields ...string) []byte {
	for _, s := range fields {
		b = append(b, plain(s, "")...)
		b = append(b, '\t')
	}
	return b
}

// compact turns YYYY-MM-DD into YYYYMMDD.
func compact(day string) string { return strings.ReplaceAll(day, "-", "") }

// piece is the voucher of an entry and its date: the document that it issued or
// booked, else the order, else the event itself.
func (f *fec) piece(e *entry) (ref, date string) {
	switch {
	case e.id == 0:
		return "AN", compact(e.effective)
	case e.document != "":
		return e.document, compact(e.issued)
	case e.order != "":
		return e.order, compact(e.effective)
	default:
		return e.cause, compact(e.effective)
	}
}

// auxiliary appends the auxiliary account: who owes, or is owed, on the
// accounts that are kept by customer or vendor.
func auxiliary(b []byte, e *entry, l line) []byte {
	var who party
	prefix := "C"
	switch l.account.role {
	case ledger.Receivable, ledger.CustomerDeposits:
		who = l.customer
	case ledger.Payable:
		who, prefix = e.vendor, "F"
	}
	if who.id == 0 {
		return cells(b, "", "")
	}
	return cells(b, prefix+strconv.FormatInt(who.id, 10), who.name)
}

// devise appends the amount in the document's currency, without a sign: debit
// and credit tell the side.
func (f *fec) devise(b []byte, l line) []byte {
	scale, err := l.currency.Decimals()
	if l.foreign == 0 || l.currency == f.currency || err != nil {
		return append(b, "\t\r\n"...)
	}
	b = appendAmount(b, max(l.foreign, -l.foreign), scale, ',')
	return append(b, "\t"+string(l.currency)+"\r\n"...)
}

// frenchText says in French what an entry books, as far as its cause tells:
// the accounts of a French company are kept in French.
func frenchText(e *entry) string {
	if e.id == 0 {
		return "Reprise des soldes de l'exercice antérieur"
	}
	what := ""
	if parts := strings.Split(e.cause, "/"); len(parts) > 3 && parts[0] == "order" {
		event, _, _ := strings.Cut(parts[3], "#")
		what = frenchEvent(event)
	}
	if strings.HasPrefix(e.cause, "payout") || strings.HasPrefix(e.cause, "dispute") {
		return frenchPayout(e.description)
	}
	if what == "" || e.order == "" {
		return e.description
	}
	if e.reverses != 0 {
		what = "Extourne : " + what
	}
	return what + ", commande " + e.order
}

// frenchPayout says in French what a gateway did: "Payout PO-1 of stripe".
func frenchPayout(description string) string {
	text, _, _ := strings.Cut(description, " (of ")
	text, reversal := strings.CutPrefix(text, "Reversal: ")
	for _, w := range [][2]string{{"Payout ", "Versement "}, {"Dispute ", "Litige "}, {"Reserve ", "Réserve "}, {"Adjustment ", "Régularisation "}} {
		if rest, ok := strings.CutPrefix(text, w[0]); ok {
			text = w[1] + strings.Replace(rest, " of ", " de ", 1)
		}
	}
	if reversal {
		return "Extourne : " + text
	}
	return text
}

func frenchEvent(event string) string {
	switch event {
	case "payment":
		return "Paiement"
	case "fee":
		return "Commission sur paiement"
	case "giftcard":
		return "Carte cadeau utilisée"
	case "invoice":
		return "Facture"
	case "shipment":
		return "Sortie de marchandises"
	case "return":
		return "Retour de marchandises"
	case "refund":
		return "Remboursement"
	case "cancellation":
		return "Annulation"
	default:
		return ""
	}
}

// encode turns UTF-8 into ISO 8859-15 where that is asked for, in place; what
// it has no character for becomes a question mark.
func (f *fec) encode(b []byte) []byte {
	if !f.Latin {
		return b
	}
	out := b[:0]
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		b = b[n:]
		c, ok := charmap.ISO8859_15.EncodeRune(r)
		if !ok {
			c = '?'
		}
		out = append(out, c)
	}
	return out
}
