package render

import (
	"io"
	"strings"
	"time"

	"comptoir/erp/fault"
	"comptoir/erp/reports"

	"github.com/xuri/excelize/v2"
)

// mostRows is how many rows a sheet of XLSX can have.
const mostRows = excelize.TotalRows

// sheet is a report on its way into a workbook.
type sheet struct {
	file   *excelize.File
	out    *excelize.StreamWriter
	report reports.Report
	row    int
	styles map[style]int
}

// style is the look of a cell.
type style struct {
	format string // number format; "" for text
	bold   bool
	top    bool // a line above
	right  bool
	fill   bool
}

// writeXLSX prints a report as a workbook of one sheet: numbers are numbers and
// days are days, so that they can be calculated with; the headings stay in sight.
func writeXLSX(w io.Writer, r reports.Report, words words) (err error) {
	if n := lines(r); n > mostRows-20 {
		return fault.New(fault.Invalid, "narrow the report, or use csv", "%d lines are more than a sheet can hold", n)
	}
	f := excelize.NewFile()
	defer func() {
		if e := f.Close(); err == nil {
			err = e
		}
	}()
	const name = "Sheet1"
	out, err := f.NewStreamWriter(name)
	if err != nil {
		return err
	}
	s := &sheet{file: f, out: out, report: r, styles: map[style]int{}}
	if err := s.write(words); err != nil {
		return err
	}
	if err := out.Flush(); err != nil {
		return err
	}
	if err := f.SetSheetName(name, sheetName(r.Title)); err != nil {
		return err
	}
	if err := f.SetDocProps(&excelize.DocProperties{Title: r.Title, Creator: "Comptoir", Created: r.MadeAt.UTC().Format(time.RFC3339)}); err != nil {
		return err
	}
	return f.Write(w)
}

// lines counts the lines of a report.
func lines(r reports.Report) int {
	n := len(r.Totals)
	for _, s := range r.Sections {
		n += len(s.Rows) + 2
	}
	return n
}

// sheetName is a title without what Excel does not allow in the name of a sheet.
func sheetName(title string) string {
	name := []rune(strings.Map(func(r rune) rune {
		if strings.ContainsRune(`:\/?*[]'`, r) {
			return ' '
		}
		return r
	}, title))
	return string(name[:min(len(name), excelize.MaxSheetNameLength)])
}

func (s *sheet) write(words words) error {
	head := append([]string{s.report.Company, s.report.Title}, heading(s.report, words)...)
	head = append(head, words.get("Made on")+" "+s.report.MadeAt.Format("2006-01-02 15:04"), "")
	for i, width := range widths(s.report) {
		if err := s.out.SetColWidth(i+1, i+1, float64(min(width, 60)+3)); err != nil {
			return err
		}
	}
	frozen := len(head) + 1
	corner, err := excelize.CoordinatesToCellName(1, frozen+1)
	if err != nil {
		return err
	}
	if err := s.out.SetPanes(&excelize.Panes{Freeze: true, YSplit: frozen, TopLeftCell: corner, ActivePane: "bottomLeft"}); err != nil {
		return err
	}
	for i, line := range head {
		if err := s.text(0, line, style{bold: i < 2}); err != nil {
			return err
		}
	}
	header := make([]any, len(s.report.Columns))
	for i, c := range s.report.Columns {
		if header[i], err = s.cell(c.Title, style{bold: true, fill: true, right: c.Kind.Numeric()}); err != nil {
			return err
		}
	}
	if err := s.put(header); err != nil {
		return err
	}
	for _, part := range s.report.Sections {
		if err := s.section(part); err != nil {
			return err
		}
	}
	for _, line := range s.report.Totals {
		if err := s.line(line, style{bold: true, top: true}); err != nil {
			return err
		}
	}
	for _, line := range append([]string{""}, remarks(s.report, words)...) {
		if err := s.text(0, line, style{}); err != nil {
			return err
		}
	}
	return nil
}

func (s *sheet) section(part reports.Section) error {
	if part.Title != "" {
		if err := s.text(titleColumn(s.report), part.Title, style{bold: true}); err != nil {
			return err
		}
	}
	for _, line := range part.Rows {
		if err := s.line(line, style{}); err != nil {
			return err
		}
	}
	if part.Total == nil {
		return nil
	}
	return s.line(part.Total, style{bold: true, top: true})
}

// text puts a row with one text.
func (s *sheet) text(column int, text string, look style) error {
	row := make([]any, column+1)
	var err error
	if row[column], err = s.cell(text, look); err != nil {
		return err
	}
	return s.put(row)
}

func (s *sheet) line(line reports.Row, look style) error {
	row := make([]any, len(line))
	var err error
	for i, c := range line {
		if row[i], err = s.value(s.report.Columns[i].Kind, c, look); err != nil {
			return err
		}
	}
	return s.put(row)
}

// value turns a cell into a number with its format, a day or a text.
func (s *sheet) value(k reports.Kind, c reports.Cell, look style) (any, error) {
	switch {
	case !c.Filled:
		return s.cell(nil, look)
	case k == reports.Date:
		if day, err := time.Parse(time.DateOnly, c.Text); err == nil {
			look.format = "yyyy-mm-dd"
			return s.cell(day, look)
		}
		return s.cell(c.Text, look)
	case !k.Numeric():
		return s.cell(c.Text, look)
	}
	d, places := decimalOf(s.report, k, c)
	switch k {
	case reports.Money:
		look.format = numberFormat(places)
		if c.Currency != "" && c.Currency != s.report.Currency {
			look.format += ` "` + string(c.Currency) + `"`
		}
	case reports.Quantity:
		look.format = numberFormat(min(places, 3))
	case reports.Percent:
		d = d.Shift(-2)
		look.format = "0.00##%"
	default:
		look.format = "0"
	}
	number, _ := d.Float64() // exact to 15 digits, as every number of Excel
	return s.cell(number, look)
}

func numberFormat(places int32) string {
	format := "#,##0"
	if places > 0 {
		format += "." + strings.Repeat("0", int(places))
	}
	return format
}

// cell returns a value in its look.
func (s *sheet) cell(value any, look style) (excelize.Cell, error) {
	id, known := s.styles[look]
	if !known {
		var err error
		if id, err = s.file.NewStyle(look.excel()); err != nil {
			return excelize.Cell{}, err
		}
		s.styles[look] = id
	}
	return excelize.Cell{StyleID: id, Value: value}, nil
}

func (look style) excel() *excelize.Style {
	out := &excelize.Style{Font: &excelize.Font{Bold: look.bold}}
	if look.format != "" {
		out.CustomNumFmt = &look.format
	}
	if look.top {
		out.Border = []excelize.Border{{Type: "top", Style: 1, Color: "808080"}}
	}
	if look.fill {
		out.Fill = excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"E8ECEF"}}
	}
	if look.right {
		out.Alignment = &excelize.Alignment{Horizontal: "right"}
	}
	return out
}

func (s *sheet) put(row []any) error {
	s.row++
	at, err := excelize.CoordinatesToCellName(1, s.row)
	if err != nil {
		return err
	}
	return s.out.SetRow(at, row)
}
