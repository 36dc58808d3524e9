package render

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"comptoir/erp/documents"
	"comptoir/erp/intake"
	"comptoir/erp/money"
	"comptoir/erp/sales"

	"github.com/johnfercher/maroto/v2"
	"github.com/johnfercher/maroto/v2/pkg/components/col"
	"github.com/johnfercher/maroto/v2/pkg/components/row"
	"github.com/johnfercher/maroto/v2/pkg/components/text"
	"github.com/johnfercher/maroto/v2/pkg/config"
	"github.com/johnfercher/maroto/v2/pkg/consts/align"
	"github.com/johnfercher/maroto/v2/pkg/consts/border"
	"github.com/johnfercher/maroto/v2/pkg/consts/fontstyle"
	"github.com/johnfercher/maroto/v2/pkg/consts/pagesize"
	"github.com/johnfercher/maroto/v2/pkg/core"
	"github.com/johnfercher/maroto/v2/pkg/props"
	"github.com/shopspring/decimal"
)

// invoiceSize is the size of the text on invoices, in points.
const invoiceSize = 9

// paper is an invoice or a credit note on its way to a PDF.
type paper struct {
	core.Maroto
	*typeface
	documents.Invoice
	seller documents.Seller
	lang   Language
	words  words
}

// Invoice prints an invoice or a credit note on pages of A4. What it says does
// not depend on when it is printed.
func Invoice(w io.Writer, i documents.Invoice, seller documents.Seller, lang Language) error {
	face, err := openTypeface()
	if err != nil {
		return err
	}
	issued, err := time.Parse(time.DateOnly, i.Date)
	if err != nil {
		return fmt.Errorf("print %s: %w", i.Number, err)
	}
	p := &paper{typeface: face, Invoice: i, seller: seller, lang: lang, words: words{}}
	if lang == French {
		p.words = frenchInvoice()
	}
	p.Maroto = maroto.New(config.NewBuilder().
		WithPageSize(pagesize.A4).WithMaxGridSize(grid).
		WithLeftMargin(18).WithRightMargin(18).WithTopMargin(16).WithBottomMargin(12).
		WithCustomFonts(face.fonts).WithDefaultFont(&props.Font{Family: fontFamily, Size: invoiceSize}).
		WithPageNumber(props.PageNumber{Pattern: "{current} / {total}", Place: props.RightBottom, Family: fontFamily, Size: 7}).
		WithTitle(p.title()+" "+i.Number, true).WithAuthor(seller.Name, true).WithCreator("Comptoir", true).
		WithCreationDate(issued).WithCompression(true).Build())
	if err := p.write(); err != nil {
		return fmt.Errorf("print %s: %w", i.Number, err)
	}
	made, err := p.Generate()
	if err != nil {
		return fmt.Errorf("print %s: %w", i.Number, err)
	}
	_, err = w.Write(made.GetBytes())
	return err
}

func (p *paper) title() string {
	if p.Credit {
		return p.words.get("Credit note")
	}
	return p.words.get("Invoice")
}

func (p *paper) write() error {
	if err := p.RegisterFooter(text.NewAutoRow(p.shown(p.imprint()), props.Text{Size: 7, Align: align.Center, Top: 2, Color: grey()})); err != nil {
		return err
	}
	p.head()
	p.parties()
	p.items()
	p.totals()
	p.mentions()
	return nil
}

func grey() *props.Color { return &props.Color{Red: 90, Green: 90, Blue: 90} }

func rule(thickness float64) *props.Cell {
	return &props.Cell{BorderType: border.Bottom, BorderThickness: thickness, BorderColor: &props.Color{Red: 150, Green: 150, Blue: 150}}
}

func (p *paper) space(height float64) { p.AddRows(row.New(height).Add(col.New(grid))) }

// left and right make a cell of a line.
func (p *paper) left(size int, s string, t ...func(*props.Text)) core.Col {
	return p.cell(size, s, align.Left, t)
}

func (p *paper) right(size int, s string, t ...func(*props.Text)) core.Col {
	return p.cell(size, s, align.Right, t)
}

func (p *paper) cell(size int, s string, a align.Type, looks []func(*props.Text)) core.Col {
	t := props.Text{Align: a, Top: 0.9, Bottom: 0.9, Right: 1, VerticalPadding: 0.5}
	for _, look := range looks {
		look(&t)
	}
	return text.NewCol(size, p.shown(s), t)
}

func bold(t *props.Text) { t.Style = fontstyle.Bold }

func small(t *props.Text) { t.Size, t.Color = 7.5, grey() }

func (p *paper) row(cols ...core.Col) core.Row {
	r := row.New().Add(cols...)
	p.AddRows(r)
	return r
}

// head is the seller on the left, and what this is on the right.
func (p *paper) head() {
	s := p.seller
	left := []string{s.Street1, s.Street2, strings.TrimSpace(s.Postcode + " " + s.City), country(s.Country, "", p.lang), s.Email, s.Phone, s.Website}
	right := []string{
		p.words.get("Date") + p.words.get(": ") + p.day(p.Date),
		p.words.get("Order") + p.words.get(": ") + p.Order + p.words.get(" of ") + p.day(p.Placed),
	}
	if p.Supplied != "" && !p.Credit {
		right = append(right, p.words.get("Delivered on")+p.words.get(": ")+p.day(p.Supplied))
	}
	if p.Corrects != "" {
		right = append(right, p.words.get("Refers to")+" "+p.Corrects+p.words.get(" of ")+p.day(p.CorrectsDate))
	}
	p.row(p.left(120, s.Name, func(t *props.Text) { t.Size, t.Style = 13, fontstyle.Bold }),
		p.right(120, p.title()+" "+p.Number, func(t *props.Text) { t.Size, t.Style = 13, fontstyle.Bold }))
	p.sideBySide(left, right, true)
	p.space(8)
}

// sideBySide prints two columns of lines; empty ones are left out.
func (p *paper) sideBySide(left, right []string, toTheRight bool) {
	filled := func(lines []string) []string {
		return slices.DeleteFunc(slices.Clone(lines), func(s string) bool { return strings.TrimSpace(s) == "" })
	}
	left, right = filled(left), filled(right)
	for i := range max(len(left), len(right)) {
		a, b := "", ""
		if i < len(left) {
			a = left[i]
		}
		if i < len(right) {
			b = right[i]
		}
		second := p.left(120, b, tight)
		if toTheRight {
			second = p.right(120, b, tight)
		}
		p.row(p.left(120, a, tight), second)
	}
}

func tight(t *props.Text) { t.Top, t.Bottom = 0.2, 0.2 }

// parties is who buys and where it went.
func (p *paper) parties() {
	c := p.Customer
	bill := addressLines(c.Billing, c, p.seller.Country, p.lang)
	if c.VATNumber != "" {
		bill = append(bill, p.words.get("VAT number")+p.words.get(": ")+c.VATNumber)
	}
	var ship []string
	title := ""
	if !c.Shipping.IsZero() && !samePlace(c.Shipping, c.Billing) {
		title, ship = p.words.get("Delivered to"), addressLines(c.Shipping, intake.Customer{}, p.seller.Country, p.lang)
	}
	p.row(p.left(120, p.words.get("Billed to"), bold), p.left(120, title, bold))
	p.sideBySide(bill, ship, false)
	p.space(8)
}

func samePlace(a, b intake.Address) bool {
	a.Phone, b.Phone = "", ""
	return a == b
}

// addressLines are the lines of an address. The country is named where it is
// not the seller's.
func addressLines(a intake.Address, c intake.Customer, home string, lang Language) []string {
	person := strings.TrimSpace(cmp.Or(a.FirstName, c.FirstName) + " " + cmp.Or(a.LastName, c.LastName))
	lines := []string{cmp.Or(a.Company, c.Company), person, a.Street1, a.Street2, strings.TrimSpace(a.Postcode + " " + a.City), a.Region, country(a.Country, home, lang)}
	if person == "" && a.Company == "" && c.Company == "" {
		lines = append([]string{c.Email}, lines...)
	}
	return lines
}

// The widths of the columns of the items, of 240.
const (
	wideTitle, wideQuantity, widePrice, wideRate, wideNet = 106, 28, 40, 30, 36
)

func (p *paper) items() {
	p.row(p.left(wideTitle, p.words.get("Description"), bold), p.right(wideQuantity, p.words.get("Quantity"), bold), p.right(widePrice, p.words.get("Unit price, net"), bold),
		p.right(wideRate, p.words.get("Tax"), bold), p.right(wideNet, p.words.get("Net"), bold)).WithStyle(rule(0.4))
	for _, l := range p.Lines {
		title := l.Title
		if l.SKU != "" {
			title += " (" + l.SKU + ")"
		}
		p.row(p.left(wideTitle, cmp.Or(title, p.words.get("Amount refunded"))), p.right(wideQuantity, grouped(l.Quantity.String(), p.lang)), p.right(widePrice, p.unitPrice(l)),
			p.right(wideRate, p.rates(l)), p.right(wideNet, p.amount(l.Net))).WithStyle(rule(0.1))
	}
	p.space(4)
}

// unitPrice is the net price of one: with four decimals where cents do not
// give the amount.
func (p *paper) unitPrice(l sales.InvoiceLine) string {
	if l.Quantity == 0 {
		return ""
	}
	scale := p.scale()
	exact := money.Amount{Minor: l.Net, Currency: p.Currency}.Decimal().DivRound(l.Quantity.Decimal(), scale+2)
	if exact.Equal(exact.Round(scale)) {
		return grouped(exact.StringFixed(scale), p.lang)
	}
	return grouped(exact.StringFixed(scale+2), p.lang)
}

func (p *paper) rates(l sales.InvoiceLine) string {
	var rates []string
	for _, t := range l.Taxes {
		rates = append(rates, p.percent(t.Rate))
	}
	if len(rates) == 0 {
		return "–"
	}
	return strings.Join(rates, " + ")
}

func (p *paper) percent(d decimal.Decimal) string { return grouped(d.String(), p.lang) + "\u00a0%" }

func (p *paper) scale() int32 {
	scale, err := p.Currency.Decimals()
	if err != nil {
		return 2
	}
	return int32(scale)
}

func (p *paper) amount(minor int64) string { return minorIn(minor, p.Currency, p.lang) }

func minorIn(minor int64, c money.Currency, lang Language) string {
	number, _, _ := strings.Cut(money.Amount{Minor: minor, Currency: c}.String(), " ")
	return grouped(number, lang)
}

// totals is the tax by rate on the left, and the totals on the right.
func (p *paper) totals() {
	type pair struct {
		name, amount string
		bold         bool
	}
	totals := []pair{{p.words.get("Total net"), p.amount(p.Net), false}, {p.words.get("Total tax"), p.amount(p.Tax), false}}
	if r := p.Rounding(); r != 0 {
		totals = append(totals, pair{p.words.get("Rounding"), p.amount(r), false})
	}
	total := p.words.get("Total")
	if p.Credit {
		total = p.words.get("Total credited")
	}
	totals = append(totals, pair{total + ", " + string(p.Currency), p.amount(p.Total), true})
	if !p.Credit {
		totals = append(totals, pair{p.words.get("Paid"), p.amount(p.Paid), false}, pair{p.words.get("To pay") + ", " + string(p.Currency), p.amount(p.Total - p.Paid), true})
	}
	taxes := [][3]string{{p.words.get("Tax by rate"), p.words.get("Base"), p.words.get("Tax")}}
	for _, t := range p.Taxes {
		name := p.words.get("Without tax")
		if !t.None {
			name = strings.TrimSpace(t.Name + " " + p.percent(t.Rate))
			if strings.Contains(strings.NewReplacer(" ", "", "\u00a0", "", ",", ".").Replace(t.Name), t.Rate.String()+"%") {
				name = t.Name // it tells the rate itself
			}
		}
		taxes = append(taxes, [3]string{name, p.amount(t.Base), p.amount(t.Tax)})
	}
	keep(p.Maroto, float64(6*max(len(totals), len(taxes))))
	for i := range max(len(totals), len(taxes)) {
		var cols []core.Col
		if i < len(taxes) {
			look := func(t *props.Text) {
				if i == 0 {
					bold(t)
				}
			}
			cols = append(cols, p.left(60, taxes[i][0], look), p.right(32, taxes[i][1], look), p.right(32, taxes[i][2], look))
		} else {
			cols = append(cols, col.New(124))
		}
		cols = append(cols, col.New(26))
		if i < len(totals) {
			look := func(t *props.Text) {
				if totals[i].bold {
					bold(t)
				}
			}
			cols = append(cols, p.left(52, totals[i].name, look), p.right(38, totals[i].amount, look))
		} else {
			cols = append(cols, col.New(90))
		}
		p.row(cols...)
	}
	p.space(6)
}

// mentions is what the law wants to be said, and how to pay.
func (p *paper) mentions() {
	for _, m := range p.says() {
		p.row(p.left(grid, m, small))
	}
}

func (p *paper) says() []string {
	var list []string
	say := func(format string, args ...any) { list = append(list, fmt.Sprintf(p.words.get(format), args...)) }
	switch {
	case p.Credit:
	case p.Paid >= p.Total && p.Method != "":
		say("Paid by %s. Thank you.", p.Method)
	case p.Paid >= p.Total:
		say("Paid. Thank you.")
	default:
		say("Payment due: %s.", cmp.Or(p.Terms, p.seller.PaymentTerms, p.words.get("on receipt of the invoice")))
		if p.seller.IBAN != "" {
			say("Bank transfer to IBAN %s, BIC %s.", p.seller.IBAN, p.seller.BIC)
		}
	}
	if len(p.Coupons) > 0 && !p.Credit {
		say("Prices are after discounts: %s.", strings.Join(p.Coupons, ", "))
	}
	if p.Currency != p.Home && p.HomeTax != 0 {
		say("Tax in %s: %s, at %s %s for one %s.", p.Home, minorIn(p.HomeTax, p.Home, p.lang), grouped(p.Rate.String(), p.lang), p.Home, p.Currency)
	}
	if m := p.exemption(); m != "" {
		list = append(list, m)
	}
	if !p.Credit && p.lang == French && p.Business() {
		list = append(list, fmt.Sprintf("En cas de retard de paiement, une pénalité au taux de %s est exigible le jour suivant la date d'échéance, ainsi qu'une indemnité forfaitaire "+
			"pour frais de recouvrement de 40 € (articles L441-10 et D441-5 du Code de commerce). Pas d'escompte pour paiement anticipé.",
			cmp.Or(p.seller.LatePenalty, "trois fois le taux d'intérêt légal")))
	} else if !p.Credit && p.Business() && p.seller.Country == "FR" {
		list = append(list, fmt.Sprintf("Late payment: a penalty at %s and a fixed charge of 40 EUR for the costs of recovery are due (articles L441-10 and D441-5 of the French Code de commerce). "+
			"No discount for early payment.", cmp.Or(p.seller.LatePenalty, "three times the legal rate of interest")))
	}
	return list
}

// exemption says why there is no tax, as far as it is known: the seller's own
// exemption, goods for a business elsewhere in the Union, an export. It is only
// said where no line bears any tax.
func (p *paper) exemption() string {
	if p.Tax != 0 {
		return ""
	}
	to := cmp.Or(p.Customer.Shipping.Country, p.Customer.Billing.Country)
	from := p.seller.Country
	switch {
	case p.seller.VATExemption != "":
		return p.seller.VATExemption
	case !inUnion(from) || to == "" || to == from:
		return ""
	case inUnion(to) && p.Customer.VATNumber != "":
		if p.lang == French {
			return "Exonération de TVA, article 262 ter I du CGI (livraison intracommunautaire)."
		}
		return "Exempt from VAT: intra-Community supply of goods, article 138 of Directive 2006/112/EC."
	case !inUnion(to):
		if p.lang == French {
			return "Exonération de TVA, article 262 I du CGI (exportation)."
		}
		return "Exempt from VAT: export of goods, article 146 of Directive 2006/112/EC."
	default:
		return ""
	}
}

// inUnion reports whether a country is a member of the European Union, by its
// code of ISO 3166-1.
func inUnion(code string) bool {
	return slices.Contains([]string{"AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK"}, code)
}

// imprint is the line at the foot of each page: who the seller is by law.
func (p *paper) imprint() string {
	s := p.seller
	parts := []string{strings.TrimSpace(s.Name + ", " + s.LegalForm)}
	if s.LegalForm == "" {
		parts[0] = s.Name
	}
	if s.Capital != "" {
		parts = append(parts, p.words.get("capital")+" "+s.Capital)
	}
	if s.Registration != "" {
		parts = append(parts, strings.TrimSpace(s.Register+" "+s.Registration))
	}
	if s.VATNumber != "" {
		parts = append(parts, p.words.get("VAT number")+" "+s.VATNumber)
	}
	return strings.Join(parts, " · ")
}

// day writes a business date as the language does: 31 March 2026, or
// 31/03/2026.
func (p *paper) day(day string) string {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return day
	}
	if p.lang == French {
		return t.Format("02/01/2006")
	}
	return t.Format("2 January 2006")
}
