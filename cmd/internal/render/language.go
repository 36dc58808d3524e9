package render

import (
	"slices"

	"comptoir/erp/fault"
	"comptoir/erp/reports"
)

// Language is that of titles, headings and remarks; names of accounts, goods
// and customers stay as they are.
type Language string

// The languages.
const (
	English Language = "en"
	French  Language = "fr"
)

// ParseLanguage returns the language of a code, or an Invalid fault.
func ParseLanguage(code string) (Language, error) {
	if l := Language(code); l == English || l == French {
		return l, nil
	}
	return "", fault.New(fault.Invalid, "use en or fr", "--lang: there are no words in %q", code)
}

// words translates what a report and its renderers say; the zero value leaves
// it in English.
type words map[string]string

func (w words) get(s string) string {
	if t, ok := w[s]; ok {
		return t
	}
	return s
}

func (l Language) words() words {
	if l == French {
		return french()
	}
	return nil
}

// translate returns the report with its own words in another language.
func translate(r reports.Report, w words) reports.Report {
	if w == nil {
		return r
	}
	row := func(line reports.Row) reports.Row {
		out := slices.Clone(line)
		for i := range out {
			if out[i].Label {
				out[i].Text = w.get(out[i].Text)
			}
		}
		return out
	}
	r.Title = w.get(r.Title)
	r.Columns = slices.Clone(r.Columns)
	for i := range r.Columns {
		r.Columns[i].Title = w.get(r.Columns[i].Title)
	}
	r.Sections = slices.Clone(r.Sections)
	for i := range r.Sections {
		s := &r.Sections[i]
		if !s.Name {
			s.Title = w.get(s.Title)
		}
		s.Rows = slices.Clone(s.Rows)
		for n := range s.Rows {
			s.Rows[n] = row(s.Rows[n])
		}
		s.Total = row(s.Total)
	}
	r.Totals = slices.Clone(r.Totals)
	for i := range r.Totals {
		r.Totals[i] = row(r.Totals[i])
	}
	if r.Chart != nil {
		c := *r.Chart
		c.Labels, c.Series = slices.Clone(c.Labels), slices.Clone(c.Series)
		for i := range c.Labels {
			c.Labels[i] = w.get(c.Labels[i])
		}
		for i := range c.Series {
			c.Series[i].Title = w.get(c.Series[i].Title)
		}
		r.Chart = &c
	}
	return r
}
