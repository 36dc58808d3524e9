package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"comptoir/cmd/internal/config"
	"comptoir/cmd/internal/render"
	"comptoir/erp"
	"comptoir/erp/fault"
	"comptoir/erp/money"
	"comptoir/erp/reports"

	"github.com/spf13/cobra"
)

func (a *app) report() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "report NAME",
		Short: "Print a report of the books",
		Long: "Report prints a report of the books: as a table here, or as CSV, JSON, XLSX or PDF. Amounts are in the\n" +
			"currency of the books; as JSON they are in minor units (cents).",
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			_, err := reports.Find(args[0])
			return err
		},
	}
	for _, d := range reports.All() {
		cmd.AddCommand(a.oneReport(d))
	}
	return cmd
}

// reportRequest is what the flags of a report say.
type reportRequest struct {
	params reports.Params
	format string
	lang   string
	output string
	// documents: whether to list them was said, and is not left to the format.
	documents bool
}

func (a *app) oneReport(d reports.Definition) *cobra.Command {
	var q reportRequest
	cmd := &cobra.Command{
		Use:   d.Name,
		Short: d.Title + ": " + d.Short,
		Args:  count(0, 0),
		RunE: func(cmd *cobra.Command, args []string) error {
			q.documents = cmd.Flags().Changed("documents")
			return a.runReport(cmd.Context(), d, q)
		},
	}
	f := cmd.Flags()
	if d.PointInTime {
		f.StringVar(&q.params.From, "from", "", "`DAY` on which a period begins, for what the report tells of one")
		f.StringVar(&q.params.To, "to", "", "the same as --as-of")
		f.StringVar(&q.params.AsOf, "as-of", "", "`DAY` at whose end things stood as shown (default: now)")
	} else {
		f.StringVar(&q.params.From, "from", "", "first `DAY` of the period (default: the first day of the books)")
		f.StringVar(&q.params.To, "to", "", "last `DAY` of the period (default: the last day of the books)")
		f.StringVar(&q.params.AsOf, "as-of", "", "the same as --to")
	}
	f.StringVar(&q.params.Shop, "shop", "", "only what concerns this `SHOP`")
	f.StringVar(&q.format, "format", "", "`FORMAT`: "+render.FormatNames(d)+" (default: table)")
	f.StringVarP(&q.output, "output", "o", "", "write to this `FILE`")
	f.StringVar(&q.lang, "lang", "en", "`LANGUAGE` of titles and headings: en or fr; csv and json are the same in both")
	if d.Gateways {
		f.StringVar(&q.params.Gateway, "gateway", "", "only what concerns this `GATEWAY`")
	}
	if d.Paged {
		f.IntVar(&q.params.Limit, "limit", 0, "at most `N` lines, or entries of the journal (default: all)")
		f.StringVar(&q.params.After, "after", "", "go on after this `PLACE`, which the page before ended with")
	}
	switch d.Name {
	case "income-statement":
		f.StringVar(&q.params.Compare, "compare", "", "compare with: none, previous or year (default: previous, where the period has two ends)")
	case "vat-return":
		f.BoolVar(&q.params.Documents, "documents", false, "list the documents behind each rate (default: in all formats but table)")
	case "sales":
		f.StringVar(&q.params.By, "by", reports.ByProduct, "group by: "+strings.Join(reports.SalesBy(), ", "))
	case "general-ledger":
		f.StringVar(&q.params.Account, "account", "", "only the account of this `CODE`")
	}
	return cmd
}

func (a *app) runReport(ctx context.Context, d reports.Definition, q reportRequest) error {
	if err := q.params.Check(d); err != nil {
		return err
	}
	format, err := a.reportFormat(d, q)
	if err != nil {
		return err
	}
	if !q.documents {
		q.params.Documents = format != render.Table
	}
	lang, err := render.ParseLanguage(q.lang)
	if err != nil {
		return err
	}
	return a.withBooks(ctx, "report", func(_ *config.Config, b *erp.Books) error {
		company := b.Company()
		q.params.Company, q.params.FiscalStart = company.Name, company.FiscalYearStart
		q.params.Now = time.Now().In(cmp.Or(company.TimeZone, time.UTC))
		r, err := reports.Run(ctx, b.Reader(), d.Name, q.params)
		if err != nil {
			return err
		}
		// All of it is made before anything is written: a report that fails
		// leaves no half a file behind.
		var page bytes.Buffer
		if err := render.Write(&page, format, r, lang); err != nil {
			return err
		}
		if format == render.CSV {
			a.warnProvisional(r)
		}
		return a.deliver(page.Bytes(), q.output)
	})
}

// warnProvisional says beside a file that has no room for remarks that it is
// provisional.
func (a *app) warnProvisional(r reports.Report) {
	for _, p := range r.Provisional {
		fmt.Fprintf(a.err, "comptoir: provisional: of %s it is not proven that all orders are here for %s; see comptoir verify\n", p.Shop, shorten(p.Ranges(), 10))
	}
}

func (a *app) reportFormat(d reports.Definition, q reportRequest) (render.Format, error) {
	if a.json && q.format != "" && q.format != string(render.JSON) {
		return "", fault.New(fault.Invalid, "leave one of them out", "--json and --format %s", q.format)
	}
	if a.json {
		q.format = string(render.JSON)
	}
	format, err := render.ParseFormat(cmp.Or(q.format, string(render.Table)), d)
	if err != nil {
		return "", err
	}
	if format.Binary() && q.output == "" && isTerminal(a.out) {
		return "", fault.New(fault.Invalid, "name a file with -o", "%s is not for a terminal", format)
	}
	return format, nil
}

// deliver writes what was made to a file, "" or "-" for standard output. What
// the books hold is for their owner's eyes.
func (a *app) deliver(page []byte, output string) error {
	if output == "" || output == "-" {
		_, err := a.out.Write(page)
		return err
	}
	if err := os.WriteFile(output, page, 0o600); err != nil {
		return fault.New(fault.Invalid, "name a file that can be written", "-o: %w", err)
	}
	return nil
}

func (a *app) printTrialBalance(r reports.TrialBalanceReport) {
	currency := money.Currency(r.Currency)
	t := a.newTable([]string{"account", "name", "opening", "debit", "credit", "closing"}, "opening", "debit", "credit", "closing")
	var opening, closing int64
	for _, x := range r.Accounts {
		t.AppendRow([]any{x.Code, x.Name, amount(x.Opening, currency), amount(x.Debit, currency), amount(x.Credit, currency), amount(x.Closing, currency)})
		opening, closing = opening+x.Opening, closing+x.Closing
	}
	t.AppendFooter([]any{"", "all in " + string(currency), amount(opening, currency), amount(r.Debit, currency), amount(r.Credit, currency), amount(closing, currency)})
	t.Render()
}
