package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"comptoir/cmd/internal/config"
	"comptoir/erp"
	"comptoir/erp/fault"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"
)

func (a *app) parked() *cobra.Command {
	return group("parked", "Look after records that could not be booked",
		a.parkedList(), a.parkedShow(), a.parkedRetry(), a.parkedDrop())
}

func (a *app) parkedList() *cobra.Command {
	var shop string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the parked records, oldest first, with their reasons",
		Args:  count(0, 0),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withBooks(cmd.Context(), "parked", func(c *config.Config, b *erp.Books) error {
				list, err := b.ParkedRecords(cmd.Context(), shop)
				if err != nil {
					return err
				}
				if a.json {
					if list == nil {
						list = []erp.ParkedRecord{}
					}
					return a.printJSON(map[string]any{"parked": list})
				}
				a.printParked(list)
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&shop, "shop", "", "only those of this `SHOP`")
	return cmd
}

// reasonWidth is where the lines of a reason are broken.
const reasonWidth = 72

func (a *app) printParked(list []erp.ParkedRecord) {
	if len(list) == 0 {
		a.printf("Nothing is parked.\n")
		return
	}
	t := a.newTable([]string{"id", "record", "at stake", "since", "why, and what would help"}, "id", "at stake")
	for _, p := range list {
		t.AppendRow([]any{p.ID, fmt.Sprintf("%s %s %s", p.Shop, p.Ref.Kind, p.Ref.ID), p.Amount, instant(p.FirstAt), text.WrapSoft(explain(p), reasonWidth)})
	}
	t.Render()
}

// explain is why a record is parked, and what would help.
func explain(p erp.ParkedRecord) string {
	if p.Fix == "" {
		return p.Reason
	}
	return p.Reason + ": " + p.Fix
}

func (a *app) parkedShow() *cobra.Command {
	return &cobra.Command{
		Use:   "show ID",
		Short: "Show a parked record with its payload",
		Args:  count(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ids, err := parseIDs(args)
			if err != nil {
				return err
			}
			return a.withBooks(cmd.Context(), "parked", func(c *config.Config, b *erp.Books) error {
				p, err := b.ParkedRecord(cmd.Context(), ids[0])
				if err != nil {
					return err
				}
				if a.json {
					return a.printJSON(struct {
						erp.ParkedRecord
						Payload any `json:"payload"`
					}{p, payload(p.Raw)})
				}
				a.printf("%d: %s %s of shop %s\n", p.ID, p.Ref.Kind, p.Ref.ID, p.Shop)
				a.printf("why:      %s\n", p.Reason)
				if p.Fix != "" {
					a.printf("help:     %s\n", p.Fix)
				}
				if p.Amount != "" {
					a.printf("at stake: %s\n", p.Amount)
				}
				a.printf("since:    %s, last tried %s, %s\n\n%s\n", instant(p.FirstAt), instant(p.LastAt), plural(p.Tries, "time"), indented(p.Raw))
				return nil
			})
		},
	}
}

// indented is what the shop sent, for people.
func indented(raw []byte) string {
	var b bytes.Buffer
	if json.Indent(&b, raw, "", "  ") != nil {
		return string(raw)
	}
	return b.String()
}

// payload is what the shop sent, as JSON where it is JSON.
func payload(raw []byte) any {
	if json.Valid(raw) {
		return json.RawMessage(raw)
	}
	return string(raw)
}

// verdict is what became of one parked record.
type verdict struct {
	ID     int64  `json:"id"`
	Parked bool   `json:"parked"`           // still
	Reason string `json:"reason,omitempty"` // why it still is
}

func (a *app) parkedRetry() *cobra.Command {
	var all bool
	var shop string
	cmd := &cobra.Command{
		Use:   "retry ID... | --all",
		Short: "Try parked records again, after what was missing is there",
		Args:  count(0, -1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if all == (len(args) > 0) {
				return fault.New(fault.Invalid, "usage: comptoir parked retry 1042, or comptoir parked retry --all", "name the records, or say --all")
			}
			ids, err := parseIDs(args)
			if err != nil {
				return err
			}
			return a.withBooks(cmd.Context(), "parked", func(c *config.Config, b *erp.Books) error {
				if all {
					if ids, err = parkedIDs(cmd.Context(), b, shop); err != nil {
						return err
					}
				}
				verdicts, err := retry(cmd.Context(), b, ids)
				if err != nil && len(verdicts) == 0 {
					return err
				}
				return errors.Join(a.printVerdicts(verdicts), err)
			})
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "all parked records")
	cmd.Flags().StringVar(&shop, "shop", "", "with --all: only those of this `SHOP`")
	return cmd
}

func parkedIDs(ctx context.Context, b *erp.Books, shop string) ([]int64, error) {
	list, err := b.ParkedRecords(ctx, shop)
	if err != nil {
		return nil, err
	}
	var ids []int64
	for _, p := range list {
		ids = append(ids, p.ID)
	}
	return ids, nil
}

// retry tries parked records again. Its error tells of those that still are.
func retry(ctx context.Context, b *erp.Books, ids []int64) ([]verdict, error) {
	verdicts := []verdict{}
	still := 0
	for _, id := range ids {
		reason, err := b.RetryParked(ctx, id)
		if err != nil {
			return verdicts, err
		}
		verdicts = append(verdicts, verdict{id, reason != "", reason})
		if reason != "" {
			still++
		}
	}
	if still > 0 {
		return verdicts, fault.New(fault.Unprocessable, "mend what the reasons say, then try again", "%s still parked", plural(still, "record"))
	}
	return verdicts, nil
}

func (a *app) printVerdicts(verdicts []verdict) error {
	if a.json {
		return a.printJSON(map[string]any{"results": verdicts})
	}
	if len(verdicts) == 0 {
		a.printf("Nothing is parked.\n")
	}
	for _, v := range verdicts {
		if v.Parked {
			a.printf("%d is still parked: %s\n", v.ID, v.Reason)
		} else {
			a.printf("%d is booked\n", v.ID)
		}
	}
	return nil
}

func (a *app) parkedDrop() *cobra.Command {
	return &cobra.Command{
		Use:   "drop ID...",
		Short: "Forget parked records; each is looked at again when the shop changes it",
		Args:  count(1, -1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ids, err := parseIDs(args)
			if err != nil {
				return err
			}
			return a.withBooks(cmd.Context(), "parked", func(c *config.Config, b *erp.Books) error {
				for _, id := range ids {
					if err := b.DropParked(cmd.Context(), id); err != nil {
						return err
					}
				}
				if a.json {
					return a.printJSON(map[string]any{"dropped": ids})
				}
				a.printf("%s dropped\n", plural(len(ids), "record"))
				return nil
			})
		},
	}
}

func parseIDs(args []string) ([]int64, error) {
	ids := make([]int64, 0, len(args))
	for _, arg := range args {
		id, err := strconv.ParseInt(arg, 10, 64)
		if err != nil {
			return nil, fault.New(fault.Invalid, "see: comptoir parked list", "%q is not the number of a parked record", arg)
		}
		ids = append(ids, id)
	}
	return ids, nil
}
