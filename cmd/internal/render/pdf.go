package render

import (
	"io"
	"strings"
	"unicode/utf8"

	"comptoir/erp/fault"
	"comptoir/erp/reports"

	"github.com/johnfercher/maroto/v2"
	"github.com/johnfercher/maroto/v2/pkg/components/col"
	"github.com/johnfercher/maroto/v2/pkg/components/row"
	"github.com/johnfercher/maroto/v2/pkg/components/text"
	"github.com/johnfercher/maroto/v2/pkg/config"
	"github.com/johnfercher/maroto/v2/pkg/consts/align"
	"github.com/johnfercher/maroto/v2/pkg/consts/border"
	"github.com/johnfercher/maroto/v2/pkg/consts/fontstyle"
	"github.com/johnfercher/maroto/v2/pkg/consts/orientation"
	"github.com/johnfercher/maroto/v2/pkg/consts/pagesize"
	"github.com/johnfercher/maroto/v2/pkg/core"
	"github.com/johnfercher/maroto/v2/pkg/props"
)

// mostPDFLines is how many lines a PDF may have: nobody reads more, and they
// would take minutes to lay out.
const mostPDFLines = 20_000

// The layout of a page of A4.
const (
	fontFamily = "go"
	fontSize   = 7.5
	grid       = 240 // units that the width of a page is divided into
	lineHeight = 4.4 // mm
	padding    = 0.8 // mm
	titled     = 18  // mm: a title and the first lines below it
	// How many characters of that size fit across, by experience.
	portraitChars  = 118
	landscapeChars = 176
)

// document is a report on its way to a PDF.
type document struct {
	core.Maroto
	report reports.Report
	words  words
	lang   Language
	sizes  []int // of the columns, in units of the grid
	*typeface
}

// writePDF prints a report on pages of A4, with its headings on each.
func writePDF(w io.Writer, r reports.Report, lang Language) error {
	if n := lines(r); n > mostPDFLines {
		return fault.New(fault.Invalid, "narrow the report, or use xlsx or csv", "%d lines are too many for a PDF", n)
	}
	face, err := openTypeface()
	if err != nil {
		return err
	}
	d := &document{report: r, words: lang.words(), lang: lang, typeface: face}
	page, chars := orientation.Vertical, portraitChars
	if total(naturalWidths(r, lang)) > portraitChars {
		page, chars = orientation.Horizontal, landscapeChars
	}
	d.sizes = fit(r, naturalWidths(r, lang), chars)
	d.Maroto = maroto.New(config.NewBuilder().
		WithPageSize(pagesize.A4).WithOrientation(page).WithMaxGridSize(grid).
		WithLeftMargin(12).WithRightMargin(12).WithTopMargin(12).WithBottomMargin(12).
		WithCustomFonts(face.fonts).WithDefaultFont(&props.Font{Family: fontFamily, Size: fontSize}).
		WithPageNumber(props.PageNumber{Pattern: "{current} / {total}", Place: props.RightBottom, Family: fontFamily, Size: fontSize}).
		WithTitle(r.Title, true).WithAuthor(r.Company, true).WithCreator("Comptoir", true).WithCreationDate(r.MadeAt).WithCompression(true).Build())
	if err := d.write(); err != nil {
		return err
	}
	made, err := d.Generate()
	if err != nil {
		return err
	}
	_, err = w.Write(made.GetBytes())
	return err
}

func (d *document) write() error {
	if err := d.header(); err != nil {
		return err
	}
	for _, s := range d.report.Sections {
		if s.Title != "" {
			keep(d.Maroto, titled)
			d.AddRow(lineHeight+2, text.NewCol(grid, d.shown(s.Title), props.Text{Style: fontstyle.Bold, Size: fontSize + 1, Top: 2}))
		}
		for _, line := range s.Rows {
			d.line(line, fontstyle.Normal, nil)
		}
		if s.Total != nil {
			d.line(s.Total, fontstyle.Bold, &props.Cell{BorderType: border.Top, BorderThickness: 0.1})
		}
	}
	for _, line := range d.report.Totals {
		d.AddRows(row.New(1.5).Add(col.New(grid)))
		d.line(line, fontstyle.Bold, &props.Cell{BorderType: border.Top, BorderThickness: 0.3, BackgroundColor: &props.Color{Red: 240, Green: 243, Blue: 245}})
	}
	d.AddRows(row.New(4).Add(col.New(grid)))
	made := d.words.get("Made on") + " " + d.report.MadeAt.Format("2006-01-02 15:04")
	for _, remark := range append(remarks(d.report, d.words), made) {
		d.AddAutoRow(text.NewCol(grid, d.shown(remark), props.Text{Size: fontSize - 0.5, Top: padding, Color: &props.Color{Red: 80, Green: 80, Blue: 80}}))
	}
	return nil
}

// keep moves on to the next page where less than a height is left on this one.
func keep(m core.Maroto, height float64) {
	for range int(height) {
		if m.FitlnCurrentPage(height) {
			return
		}
		m.AddRows(row.New(1).Add(col.New(grid)))
	}
}

// header is what each page begins with.
func (d *document) header() error {
	words := make([]core.Col, len(d.sizes))
	for i, c := range d.report.Columns {
		words[i] = text.NewCol(d.sizes[i], d.shown(c.Title), props.Text{Style: fontstyle.Bold, Align: alignment(c.Kind), Top: padding, Bottom: padding, Left: 2 * padding, Right: padding})
	}
	return d.RegisterHeader(
		text.NewRow(5, d.shown(d.report.Company), props.Text{Size: fontSize + 1}),
		text.NewRow(7, d.shown(d.report.Title), props.Text{Style: fontstyle.Bold, Size: 13}),
		text.NewAutoRow(d.shown(strings.Join(heading(d.report, d.words), " · ")), props.Text{Bottom: 3}),
		row.New().Add(words...).WithStyle(&props.Cell{BorderType: border.Bottom, BorderThickness: 0.3}),
	)
}

func alignment(k reports.Kind) align.Type {
	if k.Numeric() {
		return align.Right
	}
	return align.Left
}

func (d *document) line(line reports.Row, bold fontstyle.Type, look *props.Cell) {
	cols := make([]core.Col, len(line))
	for i, c := range line {
		kind := d.report.Columns[i].Kind
		cols[i] = text.NewCol(d.sizes[i], d.shown(local(d.report, kind, c, d.lang)),
			props.Text{Style: bold, Align: alignment(kind), Top: padding, Bottom: padding, Left: 2 * padding, Right: padding})
	}
	made := row.New().Add(cols...)
	if look != nil {
		made = made.WithStyle(look)
	}
	d.AddRows(made)
}

// widths returns how many characters the widest cell of each column has.
func widths(r reports.Report) []int { return naturalWidths(r, English) }

func naturalWidths(r reports.Report, lang Language) []int {
	out := make([]int, len(r.Columns))
	see := func(line reports.Row) {
		for i, c := range line {
			out[i] = max(out[i], utf8.RuneCountInString(local(r, r.Columns[i].Kind, c, lang)))
		}
	}
	for i, c := range r.Columns {
		out[i] = min(utf8.RuneCountInString(c.Title), 14)
	}
	for _, s := range r.Sections {
		for _, line := range s.Rows {
			see(line)
		}
		see(s.Total)
	}
	for _, line := range r.Totals {
		see(line)
	}
	for i := range out {
		out[i] += 2
	}
	return out
}

func total(widths []int) int {
	sum := 0
	for _, w := range widths {
		sum += w
	}
	return sum
}

// fit divides the grid among the columns by their widths. Where they are wider
// than the page, texts give way and are broken; numbers are not.
func fit(r reports.Report, widths []int, chars int) []int {
	numbers, texts := 0, 0
	for i, c := range r.Columns {
		if c.Kind == reports.Text {
			texts += widths[i]
		} else {
			numbers += widths[i]
		}
	}
	share := make([]int, len(widths))
	for i, c := range r.Columns {
		share[i] = widths[i]
		if c.Kind == reports.Text && texts > 0 && numbers+texts > chars {
			share[i] = max(6, widths[i]*max(chars-numbers, 0)/texts)
		}
	}
	all := max(total(share), 1)
	out := make([]int, len(share))
	left := grid
	for i, n := range share {
		out[i] = max(1, n*grid/all)
		left -= out[i]
	}
	out[titleColumn(r)] += max(left, 0)
	return out
}
