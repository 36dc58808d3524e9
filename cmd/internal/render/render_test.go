package render_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"comptoir/cmd/internal/render"
	"comptoir/erp/fault"
	"comptoir/erp/reports"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"
)

var update = flag.Bool("update", false, "write the golden files anew")

func text(s string) reports.Cell   { return reports.Cell{Text: s, Filled: true} }
func label(s string) reports.Cell  { return reports.Cell{Text: s, Filled: true, Label: true} }
func number(n int64) reports.Cell  { return reports.Cell{Number: n, Filled: true} }
func dollars(n int64) reports.Cell { return reports.Cell{Number: n, Filled: true, Currency: "USD"} }

func column(key, title string, k reports.Kind) reports.Column {
	return reports.Column{Key: key, Title: title, Kind: k}
}

// sample is a report with a cell of each kind, and with texts that mean harm.
func sample() reports.Report {
	return reports.Report{Name: "sales", Title: "Sales", Company: "Atelier Zoé Œuvré", Currency: "EUR", From: "2026-01-01", To: "2026-03-31",
		Filters: []reports.Filter{{Name: "shop", Value: "atelier"}}, MadeAt: time.Date(2026, 4, 1, 9, 30, 0, 0, time.UTC),
		Columns: []reports.Column{column("key", "Product", reports.Text), column("name", "Name", reports.Text), column("date", "Date", reports.Date), column("quantity", "Quantity", reports.Quantity),
			column("orders", "Orders", reports.Count), column("revenue", "Revenue", reports.Money), column("rate", "Rate", reports.Percent)},
		Sections: []reports.Section{
			{Key: "goods", Title: "Revenue", Rows: []reports.Row{
				{text("A-1"), text("Chemise à carreaux, Łódź"), text("2026-01-31"), number(2500), number(2), number(123456789), number(55_000)},
				{text("=1+1"), text("@\x1b[31mred\tred"), text("2026-02"), number(-1000), number(1), number(-5), number(99_750)},
			}, Total: reports.Row{{}, label("Total"), {}, number(1500), number(3), number(123456784), {}}},
			{Key: "abroad", Title: "Ελλάδα Ёлка 抹茶 🙂", Name: true, Rows: []reports.Row{{text("B"), text("Cable, 3\""), text("2026-03-31"), number(1000), number(1), dollars(100), number(0)}}},
		},
		Totals: []reports.Row{{label("Total"), {}, {}, number(2500), number(4), number(123456884), {}}},
		Notes:  []reports.Note{{Text: "Nothing is in stock."}},
		Ties:   []reports.Tie{{What: "Revenue = revenue accounts", Report: 100, Accounts: 100}, {What: "Revenue = revenue accounts", Report: 100, Accounts: 110, Other: 3}},
		Next:   "2026-03-31/7",
		Chart: &reports.Chart{Labels: []string{"2026-01", "2026-02"}, Series: []reports.Series{
			{Title: "Income", Values: []int64{100, 250}}, {Title: "Result so far", Values: []int64{50, -20}, Line: true}}},
	}
}

func write(t *testing.T, f render.Format, r reports.Report, lang render.Language) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := render.Write(&b, f, r, lang); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestTextFormatsAreAsTheirGoldenFiles(t *testing.T) {
	for _, c := range []struct {
		file   string
		format render.Format
		lang   render.Language
	}{{"table.en.txt", render.Table, render.English}, {"table.fr.txt", render.Table, render.French}, {"report.csv", render.CSV, render.French}, {"report.json", render.JSON, render.French}} {
		got := string(write(t, c.format, sample(), c.lang))
		file := filepath.Join("testdata", c.file)
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s (-golden +got):\n%s", file, diff)
		}
	}
}

func TestFixedFormIsPrintedAsItIs(t *testing.T) {
	r := sample()
	r.Fixed = reports.TrialBalanceReport{Currency: "EUR", Accounts: []reports.TrialBalanceAccount{{Code: "1", Name: "Bank", Opening: 1, Debit: 2, Credit: 3}}, Debit: 2, Credit: 3}
	got := strings.Join(strings.Fields(string(write(t, render.JSON, r, render.English))), "")
	want := `{"from":"","to":"","currency":"EUR","accounts":[{"code":"1","name":"Bank","opening":1,"debit":2,"credit":3,"closing":0}],"debit":2,"credit":3}`
	if got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

func TestWorkbookHoldsNumbersAndKeepsItsHeadingsInSight(t *testing.T) {
	f, err := excelize.OpenReader(bytes.NewReader(write(t, render.XLSX, sample(), render.French)))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sheet := f.GetSheetName(0)
	if sheet != "Ventes" {
		t.Errorf("the sheet is named %q", sheet)
	}
	for cell, want := range map[string]string{ // as stored, not as shown
		"A1": "Atelier Zoé Œuvré", "A2": "Ventes", "A8": "Article", "F8": "Chiffre d'affaires", "B9": "Chiffre d'affaires",
		"A10": "A-1", "B10": "Chemise à carreaux, Łódź", "C10": "46053", "D10": "2.5", "E10": "2", "F10": "1234567.89", "G10": "0.055",
		"A11": "=1+1", "C11": "2026-02", "F11": "-0.05", "F12": "1234567.84", "B13": "Ελλάδα Ёлка 抹茶 🙂", "F14": "1",
	} {
		got, err := f.GetCellValue(sheet, cell, excelize.Options{RawCellValue: true})
		if err != nil || got != want {
			t.Errorf("%s: got %q, want %q (%v)", cell, got, want, err)
		}
	}
	for cell, want := range map[string]string{"C10": "2026-01-31", "F10": "1,234,567.89", "F14": "1.00 USD"} {
		if got, err := f.GetCellValue(sheet, cell); err != nil || got != want {
			t.Errorf("%s shows %q, want %q (%v)", cell, got, want, err)
		}
	}
	if formula, err := f.GetCellFormula(sheet, "A11"); err != nil || formula != "" {
		t.Errorf("a customer's text is the formula %q (%v)", formula, err)
	}
	panes, err := f.GetPanes(sheet)
	if err != nil || !panes.Freeze || panes.YSplit != 8 {
		t.Errorf("panes: %+v, %v", panes, err)
	}
}

func TestPDFTakesAnyTextAndAnyLength(t *testing.T) {
	long := sample()
	for range 200 {
		long.Sections[0].Rows = append(long.Sections[0].Rows, long.Sections[0].Rows[0])
	}
	long.Sections[0].Rows[0][1] = text(strings.Repeat("word ", 100) + strings.Repeat("w", 300))
	empty := reports.Report{Name: "journal", Title: "Journal", Currency: "JPY", Columns: sample().Columns, Sections: []reports.Section{{Key: "entries"}}}
	for name, r := range map[string]reports.Report{"sample": sample(), "long": long, "empty": empty} {
		for _, lang := range []render.Language{render.English, render.French} {
			got := write(t, render.PDF, r, lang)
			if !bytes.HasPrefix(got, []byte("%PDF-")) || !bytes.Contains(got[max(0, len(got)-32):], []byte("%%EOF")) {
				t.Errorf("%s in %s is no PDF of %d bytes", name, lang, len(got))
			}
		}
	}
	for range 20_000 {
		long.Sections[0].Rows = append(long.Sections[0].Rows, nil)
	}
	if err := render.Write(io.Discard, render.PDF, long, render.English); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a PDF of 20,000 lines: %v", err)
	}
}

func TestPlotsAreImages(t *testing.T) {
	image, err := png.Decode(bytes.NewReader(write(t, render.PNG, sample(), render.French)))
	if err != nil || image.Bounds().Dx() != 1000 {
		t.Errorf("PNG: %v", err)
	}
	svg := write(t, render.SVG, sample(), render.French)
	for d := xml.NewDecoder(bytes.NewReader(svg)); ; {
		_, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("SVG: %v", err)
		}
	}
	if !bytes.Contains(svg, []byte("Résultat cumulé")) {
		t.Error("the plot is not in French")
	}
	r := sample()
	r.Chart = nil
	if err := render.Write(io.Discard, render.SVG, r, render.English); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a plot of nothing: %v", err)
	}
}

func TestFormatsAndLanguagesThatAreNotThereAreRefused(t *testing.T) {
	d, err := reports.Find("journal")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"docx", "", "svg", "png"} {
		if _, err := render.ParseFormat(name, d); fault.KindOf(err) != fault.Invalid {
			t.Errorf("format %q: %v", name, err)
		}
	}
	if _, err := render.ParseLanguage("de"); fault.KindOf(err) != fault.Invalid {
		t.Error(err)
	}
}
