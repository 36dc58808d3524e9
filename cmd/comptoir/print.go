package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"comptoir/cmd/internal/engine"
	"comptoir/erp/intake"
	"comptoir/erp/money"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/schollz/progressbar/v3"
)

// printJSON prints one value.
func (a *app) printJSON(v any) error {
	enc := json.NewEncoder(a.out)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("print the result: %w", err)
	}
	return nil
}

// printf prints to standard output. Whether that can be written is not our
// concern: a reader that has gone away has gone away.
func (a *app) printf(format string, args ...any) { fmt.Fprintf(a.out, format, args...) }

// newTable makes a table with a header; columns named in right hold numbers.
func (a *app) newTable(header []string, right ...string) table.Writer {
	t := table.NewWriter()
	t.SetOutputMirror(a.out)
	style := table.StyleLight
	style.Options = table.Options{SeparateHeader: true}
	style.Format.Header = text.FormatDefault
	style.Format.Footer = text.FormatDefault
	t.SetStyle(style)
	row := make(table.Row, len(header))
	for i, h := range header {
		row[i] = h
	}
	t.AppendHeader(row)
	configs := make([]table.ColumnConfig, len(right))
	for i, name := range right {
		configs[i] = table.ColumnConfig{Name: name, Align: text.AlignRight, AlignHeader: text.AlignRight, AlignFooter: text.AlignRight}
	}
	t.SetColumnConfigs(configs)
	return t
}

// amount writes minor units for people.
func amount(minor int64, c money.Currency) string {
	scale, err := c.Decimals()
	if err != nil {
		scale = 2
	}
	return money.Amount{Minor: minor, Currency: c}.Decimal().StringFixed(int32(scale))
}

// instant writes a moment for people, "never" for none.
func instant(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.Local().Format("2006-01-02 15:04:05")
}

// isTerminal reports whether w is a terminal that a person looks at.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// progress shows how far a sync has come, on a terminal only.
type progress struct {
	w        io.Writer
	mu       sync.Mutex
	bar      *progressbar.ProgressBar
	shop     string
	resource intake.Resource
}

// newProgress returns nil where there is nobody to look at it.
func newProgress(w io.Writer) *progress {
	if !isTerminal(w) {
		return nil
	}
	return &progress{w: w}
}

// callback is what the engine is told to call; nil for a nil progress.
func (p *progress) callback() func(engine.Progress) {
	if p == nil {
		return nil
	}
	return p.show
}

func (p *progress) show(now engine.Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar == nil || p.shop != now.Shop || p.resource != now.Resource {
		p.finish()
		total := now.Total
		if total <= 0 {
			total = -1
		}
		p.shop, p.resource = now.Shop, now.Resource
		p.bar = progressbar.NewOptions(total,
			progressbar.OptionSetWriter(p.w),
			progressbar.OptionSetDescription(fmt.Sprintf("%s %-16s", now.Shop, now.Resource)),
			progressbar.OptionShowCount(),
			progressbar.OptionSetWidth(20), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
	}
	// Set fails only beyond the total, when the shop grew meanwhile.
	_ = p.bar.Set(now.Done)
}

// end takes the bar away.
func (p *progress) end() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.finish()
}

func (p *progress) finish() {
	if p.bar == nil {
		return
	}
	_ = p.bar.Finish() // only the terminal can refuse
	p.bar = nil
}
