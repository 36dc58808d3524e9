package main

import (
	"comptoir/cmd/internal/config"
	"comptoir/erp"
	"comptoir/erp/fault"
	"comptoir/erp/money"
	"comptoir/erp/purchasing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func (a *app) vendor() *cobra.Command {
	return group("vendor", "Look after those whom you buy from", a.vendorAdd(), a.vendorSet(), a.vendorList(), a.vendorShow())
}

// vendorFlags are the flags that describe a vendor, into v.
func vendorFlags(f *pflag.FlagSet, v *purchasing.Vendor, currency *string) {
	f.StringVar(&v.Country, "country", "", "`COUNTRY`, two capital letters: its agency is owed the tax of the bills")
	f.StringVar(&v.VATNumber, "vat", "", "VAT `NUMBER`")
	f.IntVar(&v.TermsDays, "terms", 0, "`DAYS` after its date in which a bill is due")
	f.StringVar(currency, "currency", "", "`CURRENCY` of the bills (default: that of the books)")
	f.StringVar(&v.Email, "email", "", "e-mail `ADDRESS`")
	f.StringVar(&v.Account, "account", "", "`CODE` of the account that lines without goods go to")
}

func (a *app) vendorAdd() *cobra.Command {
	var v purchasing.Vendor
	var currency string
	cmd := &cobra.Command{
		Use:     "add NAME --country COUNTRY",
		Short:   "Add a vendor",
		Example: `  comptoir vendor add "Tissus SA" --country FR --vat FR12345678901 --terms 30 --account 6520`,
		Args:    count(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			v.Name, v.Currency = args[0], money.Currency(currency)
			return a.withBooks(cmd.Context(), "vendor", func(_ *config.Config, b *erp.Books) error {
				if _, _, err := b.Vendor(cmd.Context(), v.Name); err == nil {
					return fault.New(fault.Conflict, "to change it: comptoir vendor set NAME", "vendor %s is known already", v.Name)
				}
				return a.saveVendor(cmd, b, v)
			})
		},
	}
	vendorFlags(cmd.Flags(), &v, &currency)
	return cmd
}

func (a *app) vendorSet() *cobra.Command {
	var said purchasing.Vendor
	var currency string
	cmd := &cobra.Command{
		Use:   "set NAME",
		Short: "Change what the flags name of a vendor, for the bills to come",
		Args:  count(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withBooks(cmd.Context(), "vendor", func(_ *config.Config, b *erp.Books) error {
				v, _, err := b.Vendor(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				for flag, set := range map[string]func(){
					"country": func() { v.Country = said.Country }, "vat": func() { v.VATNumber = said.VATNumber }, "terms": func() { v.TermsDays = said.TermsDays },
					"currency": func() { v.Currency = money.Currency(currency) }, "email": func() { v.Email = said.Email }, "account": func() { v.Account = said.Account },
				} {
					if cmd.Flags().Changed(flag) {
						set()
					}
				}
				return a.saveVendor(cmd, b, v)
			})
		},
	}
	vendorFlags(cmd.Flags(), &said, &currency)
	return cmd
}

func (a *app) saveVendor(cmd *cobra.Command, b *erp.Books, v purchasing.Vendor) error {
	v, err := b.SaveVendor(cmd.Context(), v)
	if err != nil {
		return err
	}
	if a.json {
		return a.printJSON(v)
	}
	a.printf("vendor %s is saved\n", v.Name)
	return nil
}

func (a *app) vendorList() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the vendors by name",
		Args:  count(0, 0),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withBooks(cmd.Context(), "vendor", func(_ *config.Config, b *erp.Books) error {
				list, err := b.Vendors(cmd.Context())
				if err != nil {
					return err
				}
				if a.json {
					return a.printJSON(map[string]any{"vendors": append([]purchasing.Vendor{}, list...)})
				}
				if len(list) == 0 {
					a.printf("No vendors yet.\n")
					return nil
				}
				t := a.newTable([]string{"name", "country", "VAT number", "terms", "currency", "account", "e-mail"}, "terms")
				for _, v := range list {
					t.AppendRow([]any{v.Name, v.Country, v.VATNumber, plural(v.TermsDays, "day"), v.Currency, v.Account, v.Email})
				}
				t.Render()
				return nil
			})
		},
	}
}

func (a *app) vendorShow() *cobra.Command {
	return &cobra.Command{
		Use:   "show NAME",
		Short: "Show a vendor with its bills and credits, and what is owed",
		Args:  count(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withBooks(cmd.Context(), "vendor", func(_ *config.Config, b *erp.Books) error {
				v, docs, err := b.Vendor(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				var open int64
				for _, d := range docs {
					open += d.HomeOpen
				}
				home := b.Company().Currency
				if a.json {
					return a.printJSON(struct {
						purchasing.Vendor
						Open  money.Amount          `json:"open"` // as it stands in the accounts
						Bills []purchasing.Recorded `json:"bills"`
					}{v, money.Amount{Minor: open, Currency: home}, append([]purchasing.Recorded{}, docs...)})
				}
				a.printf("%s, %s %s\nterms:    %s\ncurrency: %s\naccount:  %s\ne-mail:   %s\nowed:     %s %s\n\n",
					v.Name, v.Country, v.VATNumber, plural(v.TermsDays, "day"), v.Currency, v.Account, v.Email, amount(open, home), home)
				a.printBills(docs)
				return nil
			})
		},
	}
}
