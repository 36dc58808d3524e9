package main

import (
	"comptoir/cmd/internal/config"
	"comptoir/erp"
	"comptoir/erp/fault"
	"comptoir/erp/money"

	"github.com/shopspring/decimal"
	"github.com/spf13/cobra"
)

// movement is what payouts and disputes are told by.
type movement struct{ shop, currency, amount, date, reference string }

func (m *movement) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&m.shop, "shop", "", "the `SHOP` whose gateway_accounts name the gateway's account")
	f.StringVar(&m.currency, "currency", "", "`CURRENCY` in which the gateway holds the money (default: that of the books)")
	f.StringVar(&m.amount, "amount", "", "how much, such as 120.50")
	f.StringVar(&m.date, "date", "", "business `DATE`, YYYY-MM-DD")
	f.StringVar(&m.reference, "reference", "", "the gateway's own `REFERENCE`")
}

// complete refuses a movement of which something is missing.
func (m *movement) complete() error {
	for _, f := range []struct{ flag, text string }{{"amount", m.amount}, {"date", m.date}, {"reference", m.reference}} {
		if f.text == "" {
			return fault.New(fault.Invalid, "add it; --help shows all flags", "--%s is missing", f.flag)
		}
	}
	return nil
}

// in is the currency that was meant.
func (m *movement) in(b *erp.Books) money.Currency {
	if m.currency == "" {
		return b.Company().Currency
	}
	return money.Currency(m.currency)
}

// known refuses a shop that is not configured: its accounts would be guessed.
func (m *movement) known(c *config.Config) error {
	for _, name := range c.ShopNames() {
		if name == m.shop {
			return nil
		}
	}
	if m.shop == "" {
		return nil
	}
	return fault.New(fault.NotFound, "see comptoir status", "there is no shop %q", m.shop)
}

// decimalOf reads an amount of a flag; "" is nothing.
func decimalOf(flag, text string) (decimal.Decimal, error) {
	if text == "" {
		return decimal.Decimal{}, nil
	}
	d, err := decimal.NewFromString(text)
	if err != nil {
		return d, fault.New(fault.Invalid, "write it like 120.50", "--%s: %q is no amount", flag, text)
	}
	return d, nil
}

func (a *app) payout() *cobra.Command {
	return group("payout", "Book and list what gateways pay to the bank", a.payoutAdd(), a.payoutList())
}

func (a *app) payoutList() *cobra.Command {
	var shop string
	var limit int
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the payouts that gateways state, with what of each is open",
		Long: "List shows the payouts that shops state by themselves, the newest first. Those booked with payout add are in the\n" +
			"report of the clearing accounts. What is open of a payout, comptoir report payouts lists item by item.",
		Args: count(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if limit < 0 {
				return fault.New(fault.Invalid, "use 0 for all", "--limit: %d payouts", limit)
			}
			return a.withBooks(cmd.Context(), "payout list", func(_ *config.Config, b *erp.Books) error {
				list, err := b.Payouts(cmd.Context(), shop, limit)
				if err != nil {
					return err
				}
				if a.json {
					if list == nil {
						list = []erp.StatedPayout{}
					}
					return a.printJSON(list)
				}
				a.printPayouts(list)
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&shop, "shop", "", "only those of this `SHOP`")
	cmd.Flags().IntVar(&limit, "limit", 50, "at most `N` payouts; 0 for all")
	return cmd
}

func (a *app) printPayouts(list []erp.StatedPayout) {
	if len(list) == 0 {
		a.printf("No gateway has stated a payout.\n")
		return
	}
	t := a.newTable([]string{"date", "shop", "payout", "gateway", "reference", "state", "items", "fees", "net", "open"}, "items", "fees", "net", "open")
	for _, p := range list {
		in := func(n int64) string { return money.Amount{Minor: n, Currency: p.Currency}.String() }
		t.AppendRow([]any{p.Day, p.Shop, p.ID, p.Gateway, p.Reference, p.State, p.Items, in(p.Fees), in(p.Net), in(p.Open)})
	}
	t.Render()
}

func (a *app) payoutAdd() *cobra.Command {
	var m movement
	var fee, received string
	cmd := &cobra.Command{
		Use:   "add GATEWAY",
		Short: "Book a payout: the bank and the fee against the gateway's clearing account",
		Args:  count(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p := erp.Payout{Shop: m.shop, Gateway: args[0], Date: m.date, Reference: m.reference}
			for _, f := range []struct {
				flag, text string
				into       *decimal.Decimal
			}{{"amount", m.amount, &p.Amount}, {"fee", fee, &p.Fee}, {"received", received, &p.Received}} {
				var err error
				if *f.into, err = decimalOf(f.flag, f.text); err != nil {
					return err
				}
			}
			return a.book(cmd, "payout", &m, func(b *erp.Books) (int64, error) {
				p.Currency = m.in(b)
				return b.BookPayout(cmd.Context(), p)
			})
		},
	}
	m.flags(cmd)
	cmd.Flags().StringVar(&fee, "fee", "", "what the gateway kept of its balance besides")
	cmd.Flags().StringVar(&received, "received", "", "what arrived at the bank, in the currency of the books, where the two differ")
	return cmd
}

func (a *app) dispute() *cobra.Command {
	return group("dispute", "Book payments that customers dispute with a gateway",
		a.disputeStage("open", erp.DisputeOpened, "The gateway holds the money back"),
		a.disputeStage("won", erp.DisputeWon, "The gateway gives the money free"),
		a.disputeStage("lost", erp.DisputeLost, "The money is lost"))
}

func (a *app) disputeStage(verb, stage, short string) *cobra.Command {
	var m movement
	cmd := &cobra.Command{
		Use:   verb + " GATEWAY",
		Short: short,
		Args:  count(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			amount, err := decimalOf("amount", m.amount)
			if err != nil {
				return err
			}
			return a.book(cmd, "dispute", &m, func(b *erp.Books) (int64, error) {
				return b.BookDispute(cmd.Context(), erp.Dispute{Shop: m.shop, Gateway: args[0], Currency: m.in(b), Amount: amount, Date: m.date, Reference: m.reference, Stage: stage})
			})
		},
	}
	m.flags(cmd)
	return cmd
}

// book opens the books, posts, and prints the number of the entry.
func (a *app) book(cmd *cobra.Command, verb string, m *movement, post func(*erp.Books) (int64, error)) error {
	if err := m.complete(); err != nil {
		return err
	}
	return a.withBooks(cmd.Context(), verb, func(c *config.Config, b *erp.Books) error {
		if err := m.known(c); err != nil {
			return err
		}
		id, err := post(b)
		if err != nil {
			return err
		}
		if a.json {
			return a.printJSON(map[string]any{"entry": id})
		}
		a.printf("Booked as entry %d.\n", id)
		return nil
	})
}
