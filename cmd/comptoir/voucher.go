package main

import (
	"comptoir/cmd/internal/config"
	"comptoir/erp"
	"comptoir/erp/purchasing"

	"github.com/spf13/cobra"
)

func (a *app) voucher() *cobra.Command {
	return group("voucher", "Look at payments of bills, and take them back", a.voucherList(), a.voucherShow(), a.voucherReverse())
}

func (a *app) voucherList() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the payments by number",
		Args:  count(0, 0),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withBooks(cmd.Context(), "voucher", func(_ *config.Config, b *erp.Books) error {
				list, err := b.Vouchers(cmd.Context())
				if err != nil {
					return err
				}
				if a.json {
					return a.printJSON(map[string]any{"vouchers": append([]purchasing.Voucher{}, list...)})
				}
				if len(list) == 0 {
					a.printf("No bill was paid yet.\n")
					return nil
				}
				t := a.newTable([]string{"number", "date", "account", "bills", "amount", "currency", "charge", "reference", "reversed"}, "bills", "amount", "charge")
				for _, v := range list {
					t.AppendRow([]any{v.Number, v.Date, v.Account, len(v.Bills), amount(v.Amount, v.Currency), v.Currency, amount(v.Charge, b.Company().Currency), v.Reference, v.Reversed})
				}
				t.Render()
				return nil
			})
		},
	}
}

func (a *app) voucherShow() *cobra.Command {
	return &cobra.Command{
		Use:   "show NUMBER",
		Short: "Show a payment with the bills that it pays",
		Args:  count(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withBooks(cmd.Context(), "voucher", func(_ *config.Config, b *erp.Books) error {
				v, err := b.Voucher(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				return a.showVoucher(b, v)
			})
		},
	}
}

func (a *app) showVoucher(b *erp.Books, v purchasing.Voucher) error {
	if a.json {
		return a.printJSON(v)
	}
	home := b.Company().Currency
	a.printf("payment %s of %s from account %s: %s %s", v.Number, v.Date, v.Account, amount(v.Amount, v.Currency), v.Currency)
	if v.Currency != home {
		a.printf(" (%s %s at %s)", amount(v.HomeAmount, home), home, v.Rate)
	}
	if v.Charge != 0 {
		a.printf(", bank charge %s %s", amount(v.Charge, home), home)
	}
	if v.Known {
		a.printf(", made before")
	}
	if v.Reversed != "" {
		a.printf(", taken back on %s", v.Reversed)
	}
	a.printf("\n")
	if v.Reference != "" {
		a.printf("%s\n", v.Reference)
	}
	t := a.newTable([]string{"vendor", "bill", "amount"}, "amount")
	for _, l := range v.Bills {
		t.AppendRow([]any{l.Vendor, l.Bill, amount(l.Amount, v.Currency)})
	}
	t.Render()
	return nil
}

func (a *app) voucherReverse() *cobra.Command {
	var date, reason string
	cmd := &cobra.Command{
		Use:   "reverse NUMBER",
		Short: "Take back a payment; its bills are open again, and the voucher is kept",
		Args:  count(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withBooks(cmd.Context(), "voucher", func(_ *config.Config, b *erp.Books) error {
				if date == "" {
					date = b.Today()
				}
				v, err := b.ReverseVoucher(cmd.Context(), args[0], date, reason)
				if err != nil {
					return err
				}
				return a.showVoucher(b, v)
			})
		},
	}
	reversalFlags(cmd, &date, &reason)
	return cmd
}
