package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"comptoir/cmd/internal/config"
	"comptoir/erp"
	"comptoir/erp/exports"
	"comptoir/erp/fault"
	"comptoir/erp/store"

	"github.com/spf13/cobra"
)

func (a *app) export() *cobra.Command {
	return group("export", "Write the books in the formats of other programs",
		a.exportTo(exports.Hledger, "a plain-text journal for hledger and ledger", ""),
		a.exportTo(exports.Beancount, "a plain-text journal for beancount", ""),
		a.exportTo(exports.FEC, "the fichier des écritures comptables of the French tax office",
			"\n\nThe file of a year is made with --from and --to, its first and last day. Where -o names a directory, the file\n"+
				"gets the name that the law wants, which begins with the --siren. Only entries that are booked are in it: close the\n"+
				"year first. It is UTF-8; --latin writes ISO 8859-15 instead."))
}

// exportRequest is what the flags of an export say.
type exportRequest struct {
	format exports.Format
	output string
	siren  string
	exports.Options
}

func (a *app) exportTo(f exports.Format, what, more string) *cobra.Command {
	q := exportRequest{format: f}
	cmd := &cobra.Command{
		Use:   string(f),
		Short: "Write " + what,
		Long: "Export " + string(f) + " writes " + what + ",\nto standard output or to a file. What was booked before --from " +
			"is brought forward in one entry, so that balances\nare those of the books." + more,
		Args: count(0, 0),
		RunE: func(cmd *cobra.Command, args []string) error { return a.runExport(cmd.Context(), q) },
	}
	flags := cmd.Flags()
	flags.StringVarP(&q.output, "output", "o", "", "write to this `FILE`")
	flags.StringVar(&q.From, "from", "", "first `DAY` of the period (default: the first day of the books)")
	flags.StringVar(&q.To, "to", "", "last `DAY` of the period (default: the last day of the books)")
	if f == exports.FEC {
		flags.StringVar(&q.siren, "siren", "", "the company's SIREN `NUMBER`, for the name of the file (default: that of legal.registration)")
		flags.BoolVar(&q.Latin, "latin", false, "write ISO 8859-15 instead of UTF-8")
	}
	return cmd
}

func (a *app) runExport(ctx context.Context, q exportRequest) error {
	c, err := a.load()
	if err != nil {
		return err
	}
	if number := strings.ReplaceAll(c.Legal.Registration, " ", ""); q.siren == "" && len(number) >= 9 {
		q.siren = number[:9] // a SIRET begins with the SIREN
	}
	path, err := q.path()
	if err != nil {
		return err
	}
	return a.withBooks(ctx, "export", func(_ *config.Config, b *erp.Books) error {
		q.Company, q.Zone = b.Company().Name, b.Company().TimeZone
		var sum exports.Summary
		err := a.stream(path, func(w io.Writer) error {
			return b.Snapshot(ctx, func(r store.Reader) error {
				sum, err = exports.Write(ctx, r, w, q.format, q.Options)
				return err
			})
		})
		if err != nil {
			return err
		}
		for _, w := range sum.Warnings {
			fmt.Fprintf(a.err, "comptoir: warning: %s\n", w)
		}
		return a.exported(path, sum)
	})
}

// path is the file that is written, "" for standard output.
func (q exportRequest) path() (string, error) {
	if q.output == "" || q.output == "-" {
		return "", nil
	}
	info, err := os.Stat(q.output)
	if err != nil || !info.IsDir() {
		return q.output, nil
	}
	if q.format != exports.FEC {
		return "", fault.New(fault.Invalid, "name a file in it", "-o: %s is a directory", q.output)
	}
	if q.siren == "" || q.To == "" {
		return "", fault.New(fault.Invalid, "give --siren and --to, or name a file in it", "-o: %s is a directory, and the name of a FEC is made of the SIREN and the last day of the year", q.output)
	}
	name, err := exports.FECName(q.siren, q.To)
	if err != nil {
		return "", err
	}
	return filepath.Join(q.output, name), nil
}

// exported tells what was written, unless that went to standard output itself.
func (a *app) exported(path string, sum exports.Summary) error {
	switch {
	case path == "":
		return nil
	case a.json:
		return a.printJSON(map[string]any{"file": path, "entries": sum.Entries, "lines": sum.Lines, "debit": sum.Debit, "currency": sum.Currency})
	}
	a.printf("%s: %d lines of %d entries; debits and credits are both %s %s.\n", path, sum.Lines, sum.Entries, amount(sum.Debit, sum.Currency), sum.Currency)
	return nil
}

// stream has a file written, "" for standard output. The file gets its name
// when it is complete: one that failed half way leaves nothing behind, and what
// was there before stays.
func (a *app) stream(path string, write func(io.Writer) error) (err error) {
	if path == "" {
		return write(a.out)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".comptoir-*") // mode 0600
	if err != nil {
		return fault.New(fault.Invalid, "name a file that can be written", "-o: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	if err := write(f); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := f.Close(); err != nil {
		return fault.New(fault.Unavailable, "make room and try again", "-o: %w", err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return fault.New(fault.Invalid, "name a file that can be written", "-o: %w", err)
	}
	return nil
}
