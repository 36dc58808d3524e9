// Package render prints reports: as a table for people, as CSV and JSON for
// programs, as XLSX and PDF for the accountant, and their charts as SVG and
// PNG. Each format is one function that writes a reports.Report and decides
// nothing about it.
package render

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"comptoir/erp/fault"
	"comptoir/erp/money"
	"comptoir/erp/quantity"
	"comptoir/erp/reports"

	"github.com/shopspring/decimal"
)

// Format is what a report is printed as.
type Format string

// The formats.
const (
	Table Format = "table"
	CSV   Format = "csv"
	JSON  Format = "json"
	XLSX  Format = "xlsx"
	PDF   Format = "pdf"
	SVG   Format = "svg"
	PNG   Format = "png"
)

// formats lists the formats that a report has.
func formats(d reports.Definition) []Format {
	if d.Plot {
		return []Format{Table, CSV, JSON, XLSX, PDF, SVG, PNG}
	}
	return []Format{Table, CSV, JSON, XLSX, PDF}
}

// FormatNames lists the formats of a report, for help.
func FormatNames(d reports.Definition) string {
	var names []string
	for _, f := range formats(d) {
		names = append(names, string(f))
	}
	return strings.Join(names, ", ")
}

// Binary reports whether the format is not for a terminal.
func (f Format) Binary() bool { return f == XLSX || f == PDF || f == PNG }

// ParseFormat returns the format of a name, or an Invalid fault where the
// report has none of that name.
func ParseFormat(name string, d reports.Definition) (Format, error) {
	f := Format(name)
	if slices.Contains(formats(d), f) {
		return f, nil
	}
	return "", fault.New(fault.Invalid, "use one of "+FormatNames(d), "--format: report %s has no format %q", d.Name, name)
}

// Write prints a report. CSV and JSON are for programs: they are the same in
// every language.
func Write(w io.Writer, f Format, r reports.Report, lang Language) error {
	var err error
	words := lang.words()
	switch f {
	case Table:
		err = writeTable(w, translate(r, words), words)
	case CSV:
		err = writeCSV(w, r)
	case JSON:
		err = writeJSON(w, r)
	case XLSX:
		err = writeXLSX(w, translate(r, words), words)
	case PDF:
		err = writePDF(w, translate(r, words), lang)
	case SVG, PNG:
		err = writePlot(w, f, translate(r, words), lang)
	default:
		err = fault.New(fault.Invalid, "", "there is no format %q", f)
	}
	if err != nil {
		return fmt.Errorf("print %s as %s: %w", r.Name, f, err)
	}
	return nil
}

// decimalOf returns the number of a cell in major units, in per cent or in
// units, and how many decimals it is written with.
func decimalOf(r reports.Report, k reports.Kind, c reports.Cell) (d decimal.Decimal, places int32) {
	switch k {
	case reports.Money:
		currency := c.Currency
		if currency == "" {
			currency = r.Currency
		}
		scale, err := currency.Decimals()
		if err != nil {
			scale = 2
		}
		return money.Amount{Minor: c.Number, Currency: currency}.Decimal(), int32(scale)
	case reports.Quantity:
		d := quantity.Quantity(c.Number).Decimal()
		return d, max(0, -d.Exponent())
	case reports.Percent:
		return decimal.New(c.Number, -4), 4
	default:
		return decimal.NewFromInt(c.Number), 0
	}
}

// plain writes a cell for programs: a point before the decimals and nothing
// else.
func plain(r reports.Report, k reports.Kind, c reports.Cell) string {
	switch {
	case !c.Filled:
		return ""
	case !k.Numeric():
		return c.Text
	case k == reports.Quantity || k == reports.Percent:
		d, _ := decimalOf(r, k, c)
		return d.String()
	default:
		d, places := decimalOf(r, k, c)
		return d.StringFixed(places)
	}
}

// local writes a cell for people who read a language: 1,234.50 or 1 234,50.
func local(r reports.Report, k reports.Kind, c reports.Cell, lang Language) string {
	s := plain(r, k, c)
	if !c.Filled || !k.Numeric() {
		return s
	}
	s = grouped(s, lang)
	switch {
	case k == reports.Percent:
		s += " %"
	case c.Currency != "" && c.Currency != r.Currency:
		s += " " + string(c.Currency)
	}
	return s
}

// grouped writes a plain number with its thousands apart.
func grouped(s string, lang Language) string {
	group, point := ",", "."
	if lang == French {
		group, point = "\u00a0", ","
	}
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "-", s[1:]
	}
	whole, rest, decimals := strings.Cut(s, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + group + whole[i:]
	}
	if decimals {
		rest = point + rest
	}
	return sign + whole + rest
}

// period says in words what time a report is about.
func period(r reports.Report, w words) string {
	switch {
	case r.AsOf != "" && r.From != "":
		return r.From + " – " + r.AsOf
	case r.AsOf != "":
		return w.get("As of") + " " + r.AsOf
	case r.From != "" && r.To != "":
		return r.From + " – " + r.To
	case r.From != "":
		return w.get("From") + " " + r.From
	case r.To != "":
		return w.get("Until") + " " + r.To
	default:
		return w.get("All that is booked")
	}
}

// heading is what stands above a report besides its title.
func heading(r reports.Report, w words) []string {
	lines := []string{period(r, w), w.get("all in") + " " + string(r.Currency)}
	for _, f := range r.Filters {
		lines = append(lines, w.get(f.Name)+": "+f.Value)
	}
	if len(r.Provisional) > 0 {
		lines = append(lines, w.get("provisional"))
	}
	return lines
}

// remarks are what stands below a report: its notes, its ties, and that more
// follows.
func remarks(r reports.Report, w words) []string {
	var out []string
	for _, n := range r.Notes {
		out = append(out, fmt.Sprintf(w.get(n.Text), n.Args...))
	}
	for _, t := range r.Ties {
		out = append(out, tieLine(r, t, w))
	}
	for _, p := range r.Provisional {
		out = append(out, fmt.Sprintf(w.get("Provisional: of %s it is not proven that all orders are here for %s (comptoir verify)"), p.Shop, few(p.Ranges(), w)))
	}
	if r.Next != "" {
		out = append(out, w.get("More follows, after")+" "+r.Next)
	}
	return out
}

// few writes the last of many, the newest, and how many there are besides.
func few(list []string, w words) string {
	const most = 4
	if len(list) <= most {
		return strings.Join(list, ", ")
	}
	return fmt.Sprintf(w.get("%s and %d earlier times"), strings.Join(list[len(list)-most:], ", "), len(list)-most)
}

func tieLine(r reports.Report, t reports.Tie, w words) string {
	amount := func(n int64) string { return money.Amount{Minor: n, Currency: cmp.Or(t.Currency, r.Currency)}.String() }
	line := w.get(t.What) + ": " + amount(t.Report)
	if t.Other != 0 {
		line += " (" + w.get("besides") + " " + amount(t.Other) + " " + w.get("from elsewhere") + ")"
	}
	if d := t.Difference(); d != 0 {
		return line + " – " + strings.ToUpper(w.get("difference")) + " " + amount(d)
	}
	return line + " ✓"
}
