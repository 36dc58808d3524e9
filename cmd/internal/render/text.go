package render

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"comptoir/erp/reports"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// writeTable prints a report for a person at a terminal.
func writeTable(w io.Writer, r reports.Report, words words) error {
	var b strings.Builder
	title := r.Title
	if r.Company != "" {
		title = r.Company + " – " + title
	}
	fmt.Fprintf(&b, "%s\n%s\n\n", title, strings.Join(heading(r, words), " · "))
	t := newTable(r)
	titled := len(r.Sections) > 1
	for i, s := range r.Sections {
		if i > 0 && titled && s.Title != "" {
			t.AppendSeparator()
		}
		if s.Title != "" {
			t.AppendRow(headline(r, s))
		}
		for _, line := range s.Rows {
			t.AppendRow(cells(r, line))
		}
		if s.Total != nil {
			t.AppendRow(cells(r, s.Total))
		}
	}
	for _, line := range r.Totals {
		t.AppendFooter(cells(r, line))
	}
	b.WriteString(t.Render())
	b.WriteString("\n")
	for _, line := range remarks(r, words) {
		b.WriteString("\n" + line)
	}
	fmt.Fprintf(&b, "\n%s %s\n", words.get("Made on"), r.MadeAt.Format("2006-01-02 15:04"))
	_, err := io.WriteString(w, b.String())
	return err
}

// headline is the row that a section begins with.
func headline(r reports.Report, s reports.Section) table.Row {
	row := make(table.Row, len(r.Columns))
	for i := range row {
		row[i] = ""
	}
	title := printable(s.Title)
	if !s.Name {
		title = strings.ToUpper(title)
	}
	row[titleColumn(r)] = title
	return row
}

// titleColumn is the column that the titles of sections stand in: the one that
// is wide in any case.
func titleColumn(r reports.Report) int {
	for i, c := range r.Columns {
		if c.Key == "name" || c.Key == "description" {
			return i
		}
	}
	return 0
}

func newTable(r reports.Report) table.Writer {
	t := table.NewWriter()
	style := table.StyleLight
	style.Options = table.Options{SeparateHeader: true, SeparateFooter: true}
	style.Format.Header = text.FormatDefault
	style.Format.Footer = text.FormatDefault
	t.SetStyle(style)
	header := make(table.Row, len(r.Columns))
	var configs []table.ColumnConfig
	for i, c := range r.Columns {
		header[i] = c.Title
		config := table.ColumnConfig{Number: i + 1, WidthMax: 48, WidthMaxEnforcer: text.Trim}
		if c.Kind.Numeric() {
			config = table.ColumnConfig{Number: i + 1, Align: text.AlignRight, AlignHeader: text.AlignRight, AlignFooter: text.AlignRight}
		}
		configs = append(configs, config)
	}
	t.AppendHeader(header)
	t.SetColumnConfigs(configs)
	return t
}

func cells(r reports.Report, line reports.Row) table.Row {
	row := make(table.Row, len(line))
	for i, c := range line {
		row[i] = printable(plain(r, r.Columns[i].Kind, c))
		if c.Filled && r.Columns[i].Kind == reports.Percent {
			row[i] = fmt.Sprint(row[i], " %")
		}
		if c.Currency != "" && c.Currency != r.Currency {
			row[i] = fmt.Sprint(row[i], " ", c.Currency)
		}
	}
	return row
}

// printable keeps what customers wrote from steering the terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return ' '
		}
		return r
	}, s)
}

// writeCSV prints the rows of a report, without its totals, so that adding up a
// column counts nothing twice. Amounts are in major units.
func writeCSV(w io.Writer, r reports.Report) error {
	out := csv.NewWriter(w)
	sections := false
	for _, s := range r.Sections {
		sections = sections || s.Title != ""
	}
	var header []string
	if sections {
		header = append(header, "section")
	}
	for _, c := range r.Columns {
		header = append(header, c.Key)
	}
	if err := out.Write(header); err != nil {
		return err
	}
	for _, s := range r.Sections {
		for _, line := range s.Rows {
			var record []string
			if sections {
				record = append(record, harmless(s.Key))
			}
			for i, c := range line {
				cell := plain(r, r.Columns[i].Kind, c)
				if !r.Columns[i].Kind.Numeric() {
					cell = harmless(cell)
				}
				record = append(record, cell)
			}
			if err := out.Write(record); err != nil {
				return err
			}
		}
	}
	out.Flush()
	return out.Error()
}

// harmless keeps a spreadsheet from taking a text that a customer wrote for a
// formula, see https://owasp.org/www-community/attacks/CSV_Injection.
func harmless(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

// jsonReport is a report as JSON. Numbers are as the books hold them: amounts
// in minor units, quantities in thousandths, rates in parts per million.
type jsonReport struct {
	Report   string            `json:"report"`
	Title    string            `json:"title"`
	Company  string            `json:"company"`
	From     string            `json:"from"`
	To       string            `json:"to"`
	AsOf     string            `json:"as_of"`
	Currency string            `json:"currency"`
	Filters  map[string]string `json:"filters"`
	// Provisional are the days of which it is not proven that all orders are in
	// the books.
	Provisional []reports.Provisional `json:"provisional"`
	MadeAt      string                `json:"made_at"`
	Columns     []jsonColumn          `json:"columns"`
	Sections    []jsonSection         `json:"sections"`
	Totals      []jsonRow             `json:"totals"`
	Notes       []string              `json:"notes"`
	Ties        []jsonTie             `json:"ties"`
	Next        string                `json:"next"`
}

type jsonColumn struct {
	Key   string `json:"key"`
	Title string `json:"title"`
	Kind  string `json:"kind"`
}

type jsonSection struct {
	Key   string    `json:"key"`
	Title string    `json:"title"`
	Rows  []jsonRow `json:"rows"`
	Total jsonRow   `json:"total"`
}

// jsonRow is a row by the keys of its columns; a cell that is empty is null.
type jsonRow map[string]any

type jsonTie struct {
	What       string `json:"what"`
	Report     int64  `json:"report"`
	Accounts   int64  `json:"accounts"`
	Other      int64  `json:"other"`
	Difference int64  `json:"difference"`
	Currency   string `json:"currency,omitempty"` // where it is not the report's
}

func writeJSON(w io.Writer, r reports.Report) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if r.Fixed != nil {
		return enc.Encode(r.Fixed)
	}
	out := jsonReport{Report: r.Name, Title: r.Title, Company: r.Company, From: r.From, To: r.To, AsOf: r.AsOf, Currency: string(r.Currency),
		Filters: map[string]string{}, Provisional: append([]reports.Provisional{}, r.Provisional...), MadeAt: r.MadeAt.Format(time.RFC3339), Sections: []jsonSection{}, Totals: []jsonRow{}, Notes: []string{}, Ties: []jsonTie{}, Next: r.Next}
	for _, f := range r.Filters {
		out.Filters[f.Name] = f.Value
	}
	for _, c := range r.Columns {
		out.Columns = append(out.Columns, jsonColumn{c.Key, c.Title, string(c.Kind)})
	}
	for _, s := range r.Sections {
		js := jsonSection{Key: s.Key, Title: s.Title, Rows: []jsonRow{}, Total: jsonCells(r, s.Total)}
		for _, line := range s.Rows {
			js.Rows = append(js.Rows, jsonCells(r, line))
		}
		out.Sections = append(out.Sections, js)
	}
	for _, line := range r.Totals {
		out.Totals = append(out.Totals, jsonCells(r, line))
	}
	for _, n := range r.Notes {
		out.Notes = append(out.Notes, fmt.Sprintf(n.Text, n.Args...))
	}
	for _, t := range r.Ties {
		out.Ties = append(out.Ties, jsonTie{t.What, t.Report, t.Accounts, t.Other, t.Difference(), string(t.Currency)})
	}
	return enc.Encode(out)
}

func jsonCells(r reports.Report, line reports.Row) jsonRow {
	if line == nil {
		return nil
	}
	out := jsonRow{}
	for i, c := range line {
		column := r.Columns[i]
		switch {
		case !c.Filled:
			out[column.Key] = nil
		case column.Kind.Numeric():
			out[column.Key] = c.Number
		default:
			out[column.Key] = c.Text
		}
	}
	return out
}
