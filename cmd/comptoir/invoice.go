package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"

	"comptoir/cmd/internal/config"
	"comptoir/cmd/internal/render"
	"comptoir/erp"
	"comptoir/erp/documents"
	"comptoir/erp/fault"
	"comptoir/erp/store"

	"github.com/spf13/cobra"
)

func (a *app) invoice() *cobra.Command {
	return group("invoice", "Look at invoices and credit notes", a.invoicePDF())
}

func (a *app) invoicePDF() *cobra.Command {
	var output, lang string
	cmd := &cobra.Command{
		Use:   "pdf NUMBER",
		Short: "Print an invoice or a credit note as PDF",
		Long: "Invoice pdf prints the invoice (INV-12) or credit note (CN-3) of a number on paper of A4: the parties, the lines,\n" +
			"the tax by rate, what is paid and to pay, and what the law wants to be said.",
		Args: count(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.printInvoice(cmd.Context(), args[0], output, lang)
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "", "write to this `FILE`")
	cmd.Flags().StringVar(&lang, "lang", "", "`LANGUAGE`: en or fr (default: fr with the French chart of accounts, else en)")
	return cmd
}

func (a *app) printInvoice(ctx context.Context, number, output, lang string) error {
	if output == "-" {
		output = ""
	}
	if output == "" && isTerminal(a.out) {
		return fault.New(fault.Invalid, "name a file with -o", "a PDF is not for a terminal")
	}
	return a.withBooks(ctx, "invoice", func(c *config.Config, b *erp.Books) error {
		if lang == "" {
			lang = string(render.English)
			if b.Company().Chart == "pcg" {
				lang = string(render.French)
			}
		}
		language, err := render.ParseLanguage(lang)
		if err != nil {
			return err
		}
		var i documents.Invoice
		err = b.Snapshot(ctx, func(r store.Reader) error {
			i, err = documents.Read(ctx, r, number, b.Company().TimeZone)
			return err
		})
		if err != nil {
			return err
		}
		var page bytes.Buffer
		seller := c.Seller()
		if err := render.Invoice(&page, i, seller, language); err != nil {
			return err
		}
		if missing := seller.Missing(); len(missing) > 0 {
			fmt.Fprintf(a.err, "comptoir: warning: an invoice must state the seller's %s\n", strings.Join(missing, ", "))
		}
		return a.stream(output, func(w io.Writer) error {
			_, err := page.WriteTo(w)
			return err
		})
	})
}
