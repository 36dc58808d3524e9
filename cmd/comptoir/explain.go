package main

import (
	"fmt"
	"strings"

	"comptoir/cmd/internal/config"
	"comptoir/erp"
	"comptoir/erp/money"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/shopspring/decimal"
	"github.com/spf13/cobra"
)

func (a *app) explain() *cobra.Command {
	return &cobra.Command{
		Use:   "explain ID",
		Short: "Print where an entry, an invoice or an order comes from",
		Long: "Explain prints the chain from what is booked back to what the shop sent: entry, event, document, rule, digest of\n" +
			"the payload, when it was fetched; and the cents: which way of rounding gives the shop's total.\n\n" +
			"ID is the number of an order or the shop's id of it (1042, or atelier/1042), an invoice or a credit note (INV-12,\n" +
			"CN-3), or an entry, by its number or its cause (entry:123). With --json amounts are in minor units (cents).",
		Args: count(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withBooks(cmd.Context(), "explain", func(_ *config.Config, b *erp.Books) error {
				x, err := b.Explain(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				if a.json {
					return a.printJSON(x)
				}
				a.printExplanation(x)
				return nil
			})
		},
	}
}

func (a *app) printExplanation(x erp.Explanation) {
	a.printf("%s\n", capital(x.Subject))
	if o := x.Order; o != nil {
		a.printf("  order %s of %s, the shop's id %s; %s (in the shop: %s); placed %s; %s, of which %s tax\n",
			o.Number, o.Shop, o.External, o.State, o.RawStatus, instant(o.PlacedAt), o.Total, o.Tax)
		if p := o.Presented; p != nil {
			a.printf("  the customer saw %s %s, of which %s tax\n", digits(p.Total, p.Currency), p.Currency, digits(p.TotalTax, p.Currency))
		}
	}
	for _, d := range x.Documents {
		a.printf("  %s %s of %s: %s, of which %s tax", strings.ReplaceAll(d.Kind, "_", " "), d.Number, d.Date, d.Total, d.Tax)
		if d.Corrects != "" {
			a.printf("; it takes back %s", d.Corrects)
		}
		a.printf("\n")
	}
	a.printf("\nWhat it was made of\n")
	a.printOrigin(x.Source)
	if x.Cents != nil {
		a.printf("\nThe cents\n")
		a.printCents(x.Cents)
	}
	a.printf("\nWhat is booked\n")
	if len(x.Entries) == 0 {
		a.printf("  Nothing yet: the shop has stated no payment, shipment or refund.\n")
	}
	for _, e := range x.Entries {
		a.printf("\n")
		a.printEntry(e, x.Currency)
	}
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

func (a *app) printOrigin(s *erp.Source) {
	if s == nil {
		a.printf("  It did not come from a shop, or what came is not kept.\n")
		return
	}
	a.printf("  %s on %s; the shop changed it on %s\n", s.How, instant(s.ReceivedAt), instant(s.ModifiedAt))
	a.printf("  payload    %d bytes, SHA-256 %s\n", s.Bytes, s.Payload)
	a.printf("  statement  what was understood of it, SHA-256 %s\n", s.Digest)
	if s.Gone {
		a.printf("  The shop has deleted it since.\n")
	}
}

func (a *app) printCents(c *erp.Cents) {
	a.printf("  The shop states %s, of which %s tax. Its lines come to %s net, and their taxes to %s.\n",
		c.Stated, digits(c.StatedTax, c.Stated.Currency), digits(c.Lines, c.Stated.Currency), digits(c.Tax, c.Stated.Currency))
	found := 0
	for _, r := range c.Roundings {
		if r.Reproduces {
			found++
		}
	}
	if found == len(c.Roundings) {
		a.printf("  However it is rounded, that is the total.\n")
	} else {
		for _, r := range c.Roundings {
			mark := "        "
			if r.Reproduces {
				mark = "the shop"
			}
			a.printf("  %s  %-12s of which %-12s %s\n", mark, r.Total, r.Tax, r.How)
		}
	}
	switch {
	case c.Difference.Minor != 0:
		a.printf("  %s lie between the total and what lines and tax come to: booked as rounding.\n", c.Difference)
	case found == 0:
		a.printf("  No way of rounding gives the tax that the shop states; it is booked as stated, and so is the total.\n")
	}
}

// digits writes a decimal with all its digits, and not fewer than an amount
// has.
func digits(d decimal.Decimal, c money.Currency) string {
	if scale, err := c.Decimals(); err == nil && d.Exponent() > int32(-scale) {
		return d.StringFixed(int32(scale))
	}
	return d.String()
}

// ruleWidth is where the lines of a rule are broken.
const ruleWidth = 96

func (a *app) printEntry(e erp.ExplainedEntry, c money.Currency) {
	a.printf("entry %d  %s  %s\n", e.ID, e.Effective, e.Description)
	a.printf("  event      %s", e.Event)
	if e.Revision > 1 {
		a.printf(", revision %d", e.Revision)
	}
	a.printf("\n  cause      %s\n", e.Cause)
	if e.Document != "" {
		a.printf("  document   %s\n", e.Document)
	}
	if e.ReversedBy != 0 {
		a.printf("  taken back by entry %d\n", e.ReversedBy)
	}
	for i, line := range strings.Split(text.WrapSoft(e.Rule, ruleWidth), "\n") {
		name := ""
		if i == 0 {
			name = "rule"
		}
		a.printf("  %-9s  %s\n", name, strings.TrimSpace(line))
	}
	from := "from an earlier payload, which the one above has replaced"
	if e.Current {
		from = "from the payload above"
	}
	a.printf("  recorded   %s, %s, in the journal %s\n", instant(e.RecordedAt), from, e.Journal)
	t := a.newTable([]string{"account", "name", "debit", "credit", "in its currency", ""}, "debit", "credit", "in its currency")
	for _, l := range e.Lines {
		foreign := ""
		if l.Currency != c && l.Foreign != 0 {
			foreign = fmt.Sprint(money.Amount{Minor: l.Foreign, Currency: l.Currency})
		}
		t.AppendRow([]any{l.Account, l.Name, side(l.Debit, c), side(l.Credit, c), foreign, l.Memo})
	}
	t.Render()
}

// side is an amount of a debit or a credit, "" for none.
func side(minor int64, c money.Currency) string {
	if minor == 0 {
		return ""
	}
	return amount(minor, c)
}
