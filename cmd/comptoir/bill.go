package main

import (
	"context"
	"io"
	"os"
	"strings"

	"comptoir/cmd/internal/config"
	"comptoir/erp"
	"comptoir/erp/fault"
	"comptoir/erp/money"
	"comptoir/erp/purchasing"

	"github.com/shopspring/decimal"
	"github.com/spf13/cobra"
)

func (a *app) bill() *cobra.Command {
	return group("bill", "Enter, pay and take back the bills of vendors",
		a.document("add VENDOR NUMBER --date DATE --line LINE...", "Enter a bill, to be paid later", "bill", (*erp.Books).Bill),
		a.document("credit VENDOR NUMBER --date DATE --line LINE...", "Enter what a vendor gives back; bill pay sets it against bills", "credit", (*erp.Books).VendorCredit),
		a.billImport(), a.billList(), a.billShow(), a.billPay(), a.billReverse())
}

func (a *app) purchase() *cobra.Command {
	return group("purchase", "Enter what was bought without a bill to pay",
		a.document("cash [VENDOR] --line LINE...", "Enter a purchase that was paid at once", "purchase", (*erp.Books).CashPurchase))
}

const lineHelp = `
Each --line is goods by their SKU, which come into the stock at their cost, or an expense by its account:

    --line sku=SHIRT,quantity=10,net=40,tax=20
    --line account=6520,net=12.50,tax=20,deductible=80,"description=Paper, white"

Net is of the whole line, without tax; tax is its rate in per cent, deductible the part of the tax that can be deducted
(100 where it is left out). Without sku and account the line goes to the vendor's default account.
With --total the sum is compared with what the document states; a cent for each line may differ.`

// document makes a verb that enters a document of a vendor.
func (a *app) document(use, short, noun string, enter func(*erp.Books, context.Context, purchasing.Document) (purchasing.Recorded, error)) *cobra.Command {
	var d purchasing.Document
	var lines []string
	var currency, rate, total string
	cash := noun == "purchase"
	cmd := &cobra.Command{
		Use: use, Short: short, Long: short + ".\n" + lineHelp,
		Args: count(2, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				d.Vendor = args[0]
			}
			if !cash {
				d.Number = args[1]
			}
			d.Currency = money.Currency(currency)
			var err error
			if d.Rate, err = number("rate", rate); err != nil {
				return err
			}
			if d.Total, err = number("total", total); err != nil {
				return err
			}
			for _, text := range lines {
				l, err := purchasing.ParseLine(text)
				if err != nil {
					return err
				}
				d.Lines = append(d.Lines, l)
			}
			return a.withBooks(cmd.Context(), noun, func(_ *config.Config, b *erp.Books) error {
				if cash && d.Date == "" {
					d.Date = b.Today()
				}
				r, err := enter(b, cmd.Context(), d)
				if err != nil {
					return err
				}
				if a.json {
					return a.printJSON(r)
				}
				a.printEntered(r)
				return nil
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&d.Date, "date", "", "`DATE` of the document, YYYY-MM-DD")
	f.StringArrayVar(&lines, "line", nil, "a `LINE`, see above; may be repeated")
	f.StringVar(&currency, "currency", "", "`CURRENCY` (default: the vendor's)")
	f.StringVar(&rate, "rate", "", "`RATE` into the currency of the books (default: as configured for the date)")
	f.StringVar(&total, "total", "", "`TOTAL` with tax, as the document states it")
	f.StringVar(&d.Note, "note", "", "a `TEXT` for the journal")
	if cash {
		cmd.Args = count(0, 1)
		f.StringVar(&d.Number, "number", "", "`NUMBER` of the receipt (default: one of ours)")
		f.StringVar(&d.PaidFrom, "from", "cash", "`ACCOUNT` that paid: bank, cash or a code")
	} else {
		f.StringVar(&d.Due, "due", "", "`DATE` until which it is to be paid (default: by the vendor's terms)")
	}
	return cmd
}

// number reads a number of a flag; "" is none.
func number(flag, text string) (*decimal.Decimal, error) {
	if text == "" {
		return nil, nil
	}
	d, err := purchasing.ParseNumber(text)
	if err != nil {
		return nil, fault.New(fault.Invalid, "", "--%s: %w", flag, err)
	}
	return &d, nil
}

func (a *app) printEntered(r purchasing.Recorded) {
	what := map[purchasing.Kind]string{purchasing.Bill: "bill", purchasing.Credit: "credit", purchasing.Cash: "purchase"}[r.Kind]
	done := "is booked"
	if r.Known {
		done = "was booked before"
	}
	a.printf("%s %s of %s %s over %s %s", what, reference(r.Vendor, r.Number), r.Date, done, amount(r.Total, r.Currency), r.Currency)
	if r.Kind == purchasing.Bill {
		a.printf(", due on %s", r.Due)
	}
	a.printf("\n")
}

func reference(vendor, number string) string {
	return purchasing.Ref{Vendor: vendor, Number: number}.String()
}

func (a *app) billImport() *cobra.Command {
	return &cobra.Command{
		Use:   "import FILE.csv",
		Short: "Enter the bills of a file, all of them or none",
		Long: "Import enters the bills of a CSV file, all of them or none; - is standard input.\n" +
			"The first line names the columns, which are\n\n    " + strings.Join(purchasing.BillColumns(), ",") + "\n\n" +
			"Vendor, number, date and net are needed. Each line is a line of a bill; lines with the same vendor and number are\n" +
			"one bill. Tax and deductible are in per cent. Bills that were entered before are left as they are.",
		Args: count(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			file, err := openInput(cmd, args[0])
			if err != nil {
				return err
			}
			defer file.Close()
			return a.withBooks(cmd.Context(), "bill", func(_ *config.Config, b *erp.Books) error {
				list, err := b.ImportBills(cmd.Context(), file)
				if err != nil {
					return err
				}
				if a.json {
					return a.printJSON(map[string]any{"bills": list})
				}
				for _, r := range list {
					a.printEntered(r)
				}
				return nil
			})
		},
	}
}

// openInput opens a file that the command line names; - is standard input.
func openInput(cmd *cobra.Command, name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(cmd.InOrStdin()), nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, fault.New(fault.NotFound, "name a file that can be read", "%w", err)
	}
	return f, nil
}

func (a *app) billList() *cobra.Command {
	var f purchasing.Filter
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List bills, credits and cash purchases by date",
		Args:  count(0, 0),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withBooks(cmd.Context(), "bill", func(_ *config.Config, b *erp.Books) error {
				list, err := b.Bills(cmd.Context(), f)
				if err != nil {
					return err
				}
				if a.json {
					return a.printJSON(map[string]any{"bills": append([]purchasing.Recorded{}, list...)})
				}
				a.printBills(list)
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&f.Vendor, "vendor", "", "only those of this `VENDOR`")
	cmd.Flags().BoolVar(&f.Open, "open", false, "only those of which something is open")
	return cmd
}

func (a *app) printBills(list []purchasing.Recorded) {
	if len(list) == 0 {
		a.printf("No bills.\n")
		return
	}
	t := a.newTable([]string{"date", "kind", "vendor", "number", "due", "total", "open", "currency", "state"}, "total", "open")
	for _, d := range list {
		t.AppendRow([]any{d.Date, d.Kind, d.Vendor, d.Number, d.Due, amount(d.Total, d.Currency), amount(d.Open, d.Currency), d.Currency, billState(d)})
	}
	t.Render()
}

func billState(d purchasing.Recorded) string {
	switch {
	case d.Reversed != "":
		return "reversed on " + d.Reversed
	case d.Open == 0 && d.Kind == purchasing.Credit:
		return "used"
	case d.Open == 0:
		return "paid"
	case max(d.Open, -d.Open) < d.Total:
		return "open in part"
	default:
		return "open"
	}
}

// billRef is VENDOR NUMBER, or NUMBER alone for a purchase without a vendor.
func billRef(args []string) purchasing.Ref {
	if len(args) == 1 {
		return purchasing.Ref{Number: args[0]}
	}
	return purchasing.Ref{Vendor: args[0], Number: args[1]}
}

func (a *app) billShow() *cobra.Command {
	return &cobra.Command{
		Use:   "show [VENDOR] NUMBER",
		Short: "Show a bill with its lines and what was paid of it",
		Args:  count(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withBooks(cmd.Context(), "bill", func(_ *config.Config, b *erp.Books) error {
				d, err := b.BillOf(cmd.Context(), billRef(args))
				if err != nil {
					return err
				}
				if a.json {
					return a.printJSON(d)
				}
				a.printBill(d)
				return nil
			})
		},
	}
}

func (a *app) printBill(d purchasing.Recorded) {
	a.printf("%s %s of %s, due on %s, %s\n", d.Kind, reference(d.Vendor, d.Number), d.Date, d.Due, billState(d))
	if d.Note != "" {
		a.printf("%s\n", d.Note)
	}
	t := a.newTable([]string{"goods or account", "description", "quantity", "net", "tax %", "tax"}, "quantity", "net", "tax %", "tax")
	for _, l := range d.Lines {
		t.AppendRow([]any{l.SKU + l.Account, l.Description, l.Quantity, amount(l.Net, d.Currency), decimal.New(l.TaxPPM, -4), amount(l.Tax, d.Currency)})
	}
	t.AppendFooter([]any{"", "all in " + string(d.Currency), "", amount(d.Net, d.Currency), "", amount(d.Tax, d.Currency)})
	t.Render()
	a.printf("total %s, open %s\n", amount(d.Total, d.Currency), amount(d.Open, d.Currency))
	for _, p := range d.Payments {
		a.printf("%s: %s by %s", p.Date, amount(p.Amount, d.Currency), p.Voucher)
		if p.Reversed != "" {
			a.printf(", taken back on %s", p.Reversed)
		}
		a.printf("\n")
	}
}

func (a *app) billPay() *cobra.Command {
	var p purchasing.Payment
	var rate, charge string
	cmd := &cobra.Command{
		Use:   "pay VENDOR NUMBER[=AMOUNT]...",
		Short: "Pay bills of a vendor by one numbered voucher, in whole or in part",
		Long: "Pay pays bills of a vendor by one numbered voucher; a bill without an amount is paid in whole. Credits among them\n" +
			"are set against the others. With --key, repeating the command pays once.",
		Example: `  comptoir bill pay "Tissus SA" F-1 F-2=15.50 --date 2026-03-20 --charge 0.80 --reference "SEPA 17"`,
		Args:    count(2, -1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if p.Rate, err = number("rate", rate); err != nil {
				return err
			}
			c, err := number("charge", charge)
			if err != nil {
				return err
			}
			if c != nil {
				p.Charge = *c
			}
			for _, arg := range args[1:] {
				p.Bills = append(p.Bills, payOf(args[0], arg))
			}
			return a.withBooks(cmd.Context(), "bill", func(_ *config.Config, b *erp.Books) error {
				if p.Date == "" {
					p.Date = b.Today()
				}
				v, err := b.PayBills(cmd.Context(), p)
				if err != nil {
					return err
				}
				return a.showVoucher(b, v)
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&p.Date, "date", "", "`DATE` of the payment (default: today)")
	f.StringVar(&p.PaidFrom, "from", "bank", "`ACCOUNT` that pays: bank, cash or a code")
	f.StringVar(&charge, "charge", "", "`AMOUNT` that the bank takes, in the currency of the books")
	f.StringVar(&rate, "rate", "", "`RATE` of the payment into the currency of the books (default: as configured for the date)")
	f.StringVar(&p.Reference, "reference", "", "`TEXT` of the transfer")
	f.StringVar(&p.Key, "key", "", "a `TEXT` of your choice that makes repeating harmless")
	return cmd
}

// payOf reads NUMBER or NUMBER=AMOUNT.
func payOf(vendor, arg string) purchasing.Pay {
	if i := strings.LastIndexByte(arg, '='); i > 0 {
		if d, err := purchasing.ParseNumber(arg[i+1:]); err == nil {
			return purchasing.Pay{Ref: purchasing.Ref{Vendor: vendor, Number: arg[:i]}, Amount: &d}
		}
	}
	return purchasing.Pay{Ref: purchasing.Ref{Vendor: vendor, Number: arg}}
}

// reversalFlags are the flags of the verbs that take something back.
func reversalFlags(cmd *cobra.Command, date, reason *string) {
	cmd.Flags().StringVar(date, "date", "", "`DATE` on which it is taken back (default: today)")
	cmd.Flags().StringVar(reason, "reason", "", "`TEXT` that says why")
}

func (a *app) billReverse() *cobra.Command {
	var date, reason string
	cmd := &cobra.Command{
		Use:   "reverse [VENDOR] NUMBER",
		Short: "Take back a bill, a credit or a cash purchase; its number can be entered again",
		Args:  count(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withBooks(cmd.Context(), "bill", func(_ *config.Config, b *erp.Books) error {
				if date == "" {
					date = b.Today()
				}
				d, err := b.ReverseBill(cmd.Context(), billRef(args), date, reason)
				if err != nil {
					return err
				}
				if a.json {
					return a.printJSON(d)
				}
				a.printf("%s %s is taken back on %s\n", d.Kind, reference(d.Vendor, d.Number), d.Reversed)
				return nil
			})
		},
	}
	reversalFlags(cmd, &date, &reason)
	return cmd
}
