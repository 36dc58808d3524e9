package render

import (
	"io"

	"comptoir/erp/fault"
	"comptoir/erp/money"
	"comptoir/erp/reports"

	"github.com/go-analyze/charts"
	"github.com/shopspring/decimal"
)

// The size of a plot, in pixels.
const (
	plotWidth  = 1000
	plotHeight = 520
	mostLabels = 14 // that stand side by side below the axis
)

// writePlot draws the chart of a report, as SVG or PNG.
func writePlot(w io.Writer, f Format, r reports.Report, lang Language) error {
	if r.Chart == nil || len(r.Chart.Labels) == 0 {
		return fault.New(fault.Invalid, "use another format", "report %s has nothing to plot", r.Name)
	}
	words := lang.words()
	option := charts.ChartOption{
		OutputFormat: string(f), Width: plotWidth, Height: plotHeight, Theme: charts.GetTheme(charts.ThemeLight),
		Padding: charts.NewBox(24, 20, 32, 20),
		Title:   charts.TitleOption{Text: plotTitle(r), FontStyle: charts.FontStyle{FontSize: 13}},
		XAxis: charts.XAxisOption{Labels: r.Chart.Labels, LabelCount: min(len(r.Chart.Labels), mostLabels), LabelFontStyle: charts.FontStyle{FontSize: 9},
			Title: period(r, words) + ", " + words.get("all in") + " " + string(r.Currency), TitleFontStyle: charts.FontStyle{FontSize: 9}},
		ValueFormatter: func(v float64) string { return plotNumber(v, lang) },
	}
	var titles []string
	for _, s := range r.Chart.Series {
		titles = append(titles, s.Title)
		kind := charts.ChartTypeBar
		if s.Line {
			kind = charts.ChartTypeLine
		}
		series := charts.GenericSeries{Type: kind, Name: s.Title}
		for _, v := range s.Values {
			d, _ := money.Amount{Minor: v, Currency: r.Currency}.Decimal().Float64()
			series.Values = append(series.Values, d)
		}
		option.SeriesList = append(option.SeriesList, series)
	}
	option.YAxis = []charts.YAxisOption{{LabelFontStyle: charts.FontStyle{FontSize: 9}}}
	option.Legend = charts.LegendOption{SeriesNames: titles, Offset: charts.OffsetRight, Symbol: charts.SymbolSquare, FontStyle: charts.FontStyle{FontSize: 10}}
	p, err := charts.Render(option)
	if err != nil {
		return err
	}
	image, err := p.Bytes()
	if err != nil {
		return err
	}
	_, err = w.Write(image)
	return err
}

func plotTitle(r reports.Report) string {
	if r.Company == "" {
		return r.Title
	}
	return r.Company + " – " + r.Title
}

// plotNumber writes a number at an axis: whole units are enough there.
func plotNumber(v float64, lang Language) string {
	places := int32(0)
	if v > -10 && v < 10 {
		places = 2
	}
	d := decimal.NewFromFloat(v).Round(places)
	return grouped(d.String(), lang)
}
