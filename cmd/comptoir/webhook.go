package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"comptoir/cmd/internal/config"
	"comptoir/cmd/internal/daemon"
	"comptoir/connectors"
	"comptoir/erp"
	"comptoir/erp/fault"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"
)

func (a *app) webhook() *cobra.Command {
	return group("webhook", "Look after the hints that shops send when something has changed", a.webhookStatus(), a.webhookSubscribe())
}

func (a *app) webhookStatus() *cobra.Command {
	return &cobra.Command{
		Use:   "status [SHOP...]",
		Short: "Tell how the hints of shops come in",
		Long: "Status tells, for each shop, where it sends its hints to, how many came since the daemon began, how many of them\n" +
			"were refused and why, how its subscriptions stood when they were last looked at, and what waits. It asks no shop.",
		Args: count(0, -1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.load()
			if err != nil {
				return err
			}
			shops, err := daemon.Pick(c, args)
			if err != nil {
				return err
			}
			s, err := daemon.ReadStatus(cmd.Context(), c, a.env(c, "webhook"))
			if err != nil && fault.KindOf(err) != fault.NotFound {
				return err
			}
			return a.printWebhooks(c, shops, s)
		},
	}
}

// webhookJSON is how the hints of one shop stand.
type webhookJSON struct {
	Shop string `json:"shop"`
	// Address is where the shop is asked to send hints; "" where it is not.
	Address string `json:"address"`
	// Taken is what the daemon tells; nil where none takes hints now.
	Taken *daemon.WebhookStatus `json:"taken"`
	// Waiting is what was not looked at yet.
	Waiting int `json:"waiting"`
}

func (a *app) printWebhooks(c *config.Config, shops []*config.Shop, s daemon.Status) error {
	out := make([]webhookJSON, len(shops))
	for i, shop := range shops {
		out[i] = webhookJSON{Shop: shop.Name, Address: daemon.HookAddress(c, shop)}
		for j := range s.Webhooks {
			if s.Webhooks[j].Shop == shop.Name {
				out[i].Taken = &s.Webhooks[j]
			}
		}
		for _, st := range s.Shops {
			if st.Shop == shop.Name && st.Hints != nil {
				out[i].Waiting = st.Hints.Records + st.Hints.Resources
			}
		}
	}
	if a.json {
		return a.printJSON(map[string]any{"listen": c.Webhooks.Listen, "shops": out})
	}
	t := a.newTable([]string{"shop", "address", "accepted", "repeated", "refused", "waiting", "subscriptions"}, "accepted", "repeated", "refused", "waiting")
	for _, w := range out {
		if w.Taken == nil {
			t.AppendRow([]any{w.Shop, orNone(w.Address), "", "", "", w.Waiting, "the daemon takes no hints now"})
			continue
		}
		refused := 0
		for _, n := range w.Taken.Refused {
			refused += n
		}
		t.AppendRow([]any{w.Shop, orNone(w.Address), w.Taken.Accepted, w.Taken.Repeated, refused, w.Waiting, text.WrapSoft(subscribed(w.Taken), reasonWidth)})
	}
	t.Render()
	if c.Webhooks.Listen == "" {
		a.printf("No hints are taken: webhooks.listen is not set. The shops are read on their schedules.\n")
	}
	return nil
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}

// subscribed says how the subscriptions stood when they were last looked at.
func subscribed(w *daemon.WebhookStatus) string {
	switch {
	case w.Error != "":
		return w.Error
	case w.Subscribed == nil:
		return "not looked at yet"
	default:
		return fmt.Sprintf("%d, looked at %s", len(w.Subscriptions), instant(*w.Subscribed))
	}
}

func (a *app) webhookSubscribe() *cobra.Command {
	return &cobra.Command{
		Use:   "subscribe [SHOP...]",
		Short: "Have shops send hints to webhooks.url, and mend subscriptions that they have switched off",
		Long: "Subscribe makes the subscriptions that lack, mends those that the shop has switched off, and takes away those that\n" +
			"were once made for another address. The daemon does the same at each start and once a day.",
		Args: count(0, -1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.load()
			if err != nil {
				return err
			}
			if c.Webhooks.URL == "" {
				return fault.New(fault.Invalid, "set it to the address under which the shops reach this machine, such as https://comptoir.example.com",
					"webhooks.url is not set")
			}
			shops, err := daemon.Pick(c, args)
			if err != nil {
				return err
			}
			out, failed := []subscriptionsJSON{}, error(nil)
			for _, s := range shops {
				one, err := a.subscribe(cmd.Context(), c, s, len(args) > 0)
				if one != nil {
					out = append(out, *one)
				}
				failed = errors.Join(failed, err)
			}
			return errors.Join(a.printSubscriptions(out), failed)
		},
	}
}

// subscriptionsJSON is what became of the subscriptions of one shop.
type subscriptionsJSON struct {
	Shop          string                    `json:"shop"`
	Address       string                    `json:"address"`
	Subscriptions []connectors.Subscription `json:"subscriptions"`
}

// subscribe asks one shop for hints. It returns nil for one that is not to send
// any and was not named.
func (a *app) subscribe(ctx context.Context, c *config.Config, s *config.Shop, named bool) (*subscriptionsJSON, error) {
	address := daemon.HookAddress(c, s)
	connector, err := a.connector(c, s, "webhook")
	if err != nil {
		return nil, fmt.Errorf("shop %s: %w", s.Name, err)
	}
	hinter, ok := connector.(connectors.Hinter)
	switch {
	case ok && address != "":
	case !named:
		return nil, nil
	case !ok:
		return nil, fault.New(fault.NotFound, "it is read on its schedules", "shop %s sends no hints", s.Name)
	default:
		return nil, fault.New(fault.Invalid, "set it to true first", "shops.%s.webhooks is false", s.Name)
	}
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	subs, err := hinter.Subscribe(ctx, address)
	if err != nil {
		return nil, fmt.Errorf("shop %s: %w", s.Name, err)
	}
	return &subscriptionsJSON{Shop: s.Name, Address: address, Subscriptions: append([]connectors.Subscription{}, subs...)}, nil
}

// connector makes the connector of a shop, which keeps what it must in the
// books and opens them only for that.
func (a *app) connector(c *config.Config, s *config.Shop, verb string) (connectors.Connector, error) {
	keeper := daemon.NewKeeper(s.Name, func(ctx context.Context, use func(*erp.Books) error) error {
		books, err := daemon.OpenBooks(ctx, c, a.env(c, verb))
		if err != nil {
			return err
		}
		return errors.Join(use(books), books.Close())
	})
	return s.Connector(connectors.Env{Now: time.Now, Log: a.logger(c.Log), Keeper: keeper, Spool: c.SpoolPath()})
}

func (a *app) printSubscriptions(all []subscriptionsJSON) error {
	if a.json {
		return a.printJSON(map[string]any{"shops": all})
	}
	t := a.newTable([]string{"shop", "topic", "id", "", "note"})
	for _, one := range all {
		for _, s := range one.Subscriptions {
			t.AppendRow([]any{one.Shop, s.Topic, s.ID, s.Done, text.WrapSoft(s.Note, reasonWidth)})
		}
	}
	t.Render()
	return nil
}
