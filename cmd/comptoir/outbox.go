package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"comptoir/cmd/internal/config"
	"comptoir/erp"
	"comptoir/erp/fault"
	"comptoir/erp/outbox"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"
)

func (a *app) outbox() *cobra.Command {
	return group("outbox", "Look after what the shops have still to be told", a.outboxList(), a.outboxRetry(), a.outboxDrop())
}

func (a *app) outboxList() *cobra.Command {
	var parked bool
	cmd := &cobra.Command{
		Use:   "list [SHOP]",
		Short: "List what a shop, or each, has still to be told, oldest first",
		Long: "List shows what waits to be told to a shop, or to all of them. What a shop refuses is told again later, each time\n" +
			"after a longer wait; after some tries it is parked until a person has looked at it: the shop's own words say why.\n" +
			"A request about an order that a shop refuses is parked at once.",
		Args: count(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withBooks(cmd.Context(), "outbox", func(c *config.Config, b *erp.Books) error {
				list, err := b.Messages(cmd.Context(), strings.Join(args, ""))
				if err != nil {
					return err
				}
				if parked {
					list = slices.DeleteFunc(list, func(m erp.Message) bool { return !m.Parked })
				}
				if a.json {
					return a.printJSON(map[string]any{"messages": list})
				}
				a.printMessages(list)
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&parked, "parked", false, "only what is parked")
	return cmd
}

func (a *app) printMessages(list []erp.Message) {
	if len(list) == 0 {
		a.printf("Nothing waits.\n")
		return
	}
	t := a.newTable([]string{"message", "about", "since", "next try", "why"}, "about")
	for _, m := range list {
		next := instant(m.Due)
		if m.Parked {
			next = "parked"
		}
		t.AppendRow([]any{fmt.Sprintf("%s %s %d", m.Shop, m.Kind, m.Object), m.Label, instant(m.Since), next, text.WrapSoft(m.Why, reasonWidth)})
	}
	t.Render()
}

// namedAlone is what --all leaves, in the help of the verbs that have it.
const namedAlone = "A request of which it is not known whether\nthe shop has done it is left: look at the order in the shop, then name the request alone."

func (a *app) outboxRetry() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "retry SHOP KIND ID | SHOP --all",
		Short: "Have a shop told again what it has refused, at once",
		Long: "Retry makes a message due at once, after what the shop refused was mended; the daemon or the next push tells it.\n" +
			"With --all it does so for all that the shop has refused. " + namedAlone,
		Args: count(1, 3),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.changeMessages(cmd.Context(), args, all, "due", "made due", (*erp.Books).RetryMessage)
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "all that the shop has refused")
	return cmd
}

func (a *app) outboxDrop() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "drop SHOP KIND ID | SHOP --all",
		Short: "Leave a shop as it is in one thing",
		Long: "Drop forgets a message: the shop then differs from the books in what the message tells of, until that changes again\n" +
			"or everything is compared (push --all, and push.compare). A request about an order is answered with no.\n" +
			"With --all it forgets what is parked because the shop has refused it. " + namedAlone,
		Args: count(1, 3),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.changeMessages(cmd.Context(), args, all, "dropped", "dropped", (*erp.Books).DropMessage)
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "all that the shop has refused until it was parked")
	return cmd
}

// changeMessages changes the message that the arguments name, or all that the
// shop has refused; what says under which name --json lists them.
func (a *app) changeMessages(ctx context.Context, args []string, all bool, what, did string, change func(*erp.Books, context.Context, erp.MessageKey) error) error {
	if all != (len(args) == 1) {
		return fault.New(fault.Invalid, "usage: comptoir outbox retry SHOP KIND ID, as comptoir outbox list shows them, or SHOP --all", "name one message, or a shop and --all")
	}
	return a.withBooks(ctx, "outbox", func(c *config.Config, b *erp.Books) error {
		list, err := b.Messages(ctx, args[0])
		if err != nil {
			return err
		}
		chosen, unknown := refusedOf(list, what == "dropped")
		if !all {
			unknown = 0
			key, err := messageKey(args)
			if err != nil {
				return err
			}
			chosen = []erp.Message{{Shop: key.Shop, Kind: key.Kind, Object: key.Object}}
			if i := slices.IndexFunc(list, func(m erp.Message) bool { return m.Kind == key.Kind && m.Object == key.Object }); i >= 0 {
				chosen[0] = list[i]
			}
		}
		for _, m := range chosen {
			if err := change(b, ctx, erp.MessageKey{Shop: m.Shop, Kind: m.Kind, Object: m.Object}); err != nil {
				return err
			}
		}
		if a.json {
			return a.printJSON(map[string]any{what: chosen})
		}
		a.printf("%s %s\n", plural(len(chosen), "message"), did)
		if unknown > 0 {
			a.printf("left: %s of which it is not known whether %s has done it; look there, then name it: comptoir outbox list %s --parked\n",
				plural(unknown, "request"), args[0], args[0])
		}
		if what == "dropped" {
			for _, m := range chosen {
				a.printf("%s\n", droppedText(m))
			}
		}
		return nil
	})
}

// refusedOf returns the messages that the shop has refused, of which it may be
// only those that are parked, and counts those that nobody knows the end of:
// money or goods may have moved, so they are neither asked for again nor
// forgotten among others.
func refusedOf(list []erp.Message, parkedOnly bool) (refused []erp.Message, unknown int) {
	refused = []erp.Message{}
	for _, m := range list {
		switch {
		case m.Parked && m.Tries == 0:
			unknown++
		case m.Tries > 0 && (m.Parked || !parkedOnly):
			refused = append(refused, m)
		}
	}
	return refused, unknown
}

// droppedText says what follows where a message is dropped.
func droppedText(m erp.Message) string {
	if m.Kind == outbox.Order {
		return fmt.Sprintf("%s is not asked again; order %s stays as it is there: comptoir order requests --shop %s", m.Shop, m.Label, m.Shop)
	}
	return fmt.Sprintf("%s differs from now on in %s %s, until that changes again or everything is compared.", m.Shop, m.Kind, m.Label)
}

func messageKey(args []string) (erp.MessageKey, error) {
	if len(args) != 3 {
		return erp.MessageKey{}, fault.New(fault.Invalid, "name it as comptoir outbox list does: SHOP KIND ID", "a message has a shop, a kind and a number")
	}
	key := erp.MessageKey{Shop: args[0], Kind: outbox.Kind(args[1])}
	if !slices.Contains(outbox.Kinds(), key.Kind) {
		return key, fault.New(fault.Invalid, fmt.Sprintf("use one of %v", outbox.Kinds()), "%q is no kind of message", args[1])
	}
	var err error
	if key.Object, err = strconv.ParseInt(args[2], 10, 64); err != nil {
		return key, fault.New(fault.Invalid, "see: comptoir outbox list "+key.Shop, "%q is not the number of a message", args[2])
	}
	return key, nil
}
