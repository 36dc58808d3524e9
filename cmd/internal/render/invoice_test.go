package render

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"comptoir/erp/documents"
	"comptoir/erp/exports/exportstest"
	"comptoir/erp/intake"
	"comptoir/erp/sales"

	"github.com/shopspring/decimal"
)

func soldTo(c intake.Customer) documents.Invoice {
	dec := decimal.RequireFromString
	vat := func(name, rate string, amount int64) []sales.InvoiceTax {
		return []sales.InvoiceTax{{Name: name, Rate: dec(rate), Amount: amount}}
	}
	return documents.Invoice{
		Number: "INV-12", Date: "2026-03-04", Supplied: "2026-03-04", Order: "1042", Shop: "atelier", Placed: "2026-03-02",
		Coupons: []string{"WELCOME"}, Customer: c, Currency: "EUR", Home: "EUR", Rate: dec("1"), Method: "Carte bancaire",
		Net: 123_450, Tax: 22_801, Total: 146_251, Paid: 146_251, HomeTax: 22_801,
		Lines: []sales.InvoiceLine{
			{Title: "Chemise en lin, col officier, manches longues retroussables, coupe droite, teinte à la main", SKU: "SHIRT-LIN-42", Kind: intake.LineItem, Quantity: 30_000, Net: 100_000, Taxes: vat("TVA 20%", "20", 20_000)},
			{Title: "Livre « L'art du tissage »", SKU: "BOOK", Kind: intake.LineItem, Quantity: 1_500, Net: 10_000, Taxes: vat("TVA 5,5%", "5.5", 550)},
			{Title: "Livraison", Kind: intake.LineShipping, Quantity: 1_000, Net: 11_255, Taxes: vat("TVA 20%", "20", 2_251)},
			{Title: "Timbres", Kind: intake.LineFee, Quantity: 1_000, Net: 2_195},
		},
		Taxes: []documents.TaxSum{{Name: "TVA 20%", Rate: dec("20"), Base: 111_255, Tax: 22_251}, {Name: "TVA 5,5%", Rate: dec("5.5"), Base: 10_000, Tax: 550}, {Base: 2_195, None: true}},
	}
}

func business() intake.Customer {
	return intake.Customer{Email: "achats@example.test", FirstName: "Zoé", LastName: "Łukasz", Company: "Éditions du Marais", VATNumber: "FR12345678901",
		Billing:  intake.Address{FirstName: "Zoé", LastName: "Łukasz", Company: "Éditions du Marais", Street1: "12 rue des Archives", Street2: "Bâtiment B", Postcode: "75004", City: "Paris", Country: "FR"},
		Shipping: intake.Address{FirstName: "Entrepôt", LastName: "Nord", Street1: "Rue Neuve 3", Postcode: "1000", City: "Bruxelles", Country: "BE"}}
}

func atelier() documents.Seller {
	return documents.Seller{Name: "Atelier Zoé", LegalForm: "SARL", Capital: "10 000 EUR", Street1: "3 rue du Lin", Postcode: "42000", City: "Saint-Étienne", Country: "FR",
		Registration: "732 829 320", Register: "RCS Saint-Étienne", VATNumber: "FR44732829320", Email: "bonjour@example.test", Phone: "+33 4 00 00 00 00", PaymentTerms: "30 jours", IBAN: "FR76 3000 6000 0112 3456 7890 189", BIC: "AGRIFRPP"}
}

// printed is the text of a document as PDF, as a reader of PDF sees it.
func printed(t *testing.T, i documents.Invoice, s documents.Seller, lang Language) string {
	t.Helper()
	exportstest.Need(t, "pdftotext", "poppler-utils")
	var page bytes.Buffer
	if err := Invoice(&page, i, s, lang); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), i.Number+".pdf")
	if err := os.WriteFile(path, page.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(exportstest.Run(t, "pdftotext", "-layout", path, "-"), "\u00a0", " ")
}

func TestInvoiceStatesWhatTheLawWants(t *testing.T) {
	invoice := soldTo(business())
	unpaid := invoice
	unpaid.Paid, unpaid.Coupons = 0, nil
	credit := invoice
	credit.Number, credit.Credit, credit.Corrects, credit.CorrectsDate = "CN-3", true, "INV-12", "2026-03-04"
	dollars := invoice
	dollars.Currency, dollars.Rate, dollars.HomeTax = "USD", decimal.RequireFromString("0.9"), 20_521
	for _, c := range []struct {
		name string
		i    documents.Invoice
		lang Language
		want []string
		not  []string
	}{
		{"French", invoice, French, []string{
			"Facture INV-12", "Date : 04/03/2026", "Commande : 1042 du 02/03/2026", "Livraison le : 04/03/2026", "Facturé à", "Éditions du Marais", "75004 Paris", "TVA intracommunautaire : FR12345678901",
			"Livré à", "Bruxelles", "Belgique", "Prix unitaire HT", "33,3333", "1,5", "66,6667", "20 %", "5,5 %", "1 234,50", "228,01", "1 462,51", "TVA par taux", "1 112,55", "222,51", "TVA 5,5% 100,00 5,50", "Sans TVA",
			"Déjà payé", "Reste à payer, EUR", "Facture acquittée (Carte bancaire)", "Prix après remises : WELCOME", "indemnité forfaitaire pour frais de recouvrement de 40 €", "L441-10", "Pas d'escompte",
			"Atelier Zoé, SARL", "au capital de 10 000 EUR", "RCS Saint-Étienne 732 829 320", "FR44732829320", "1/1"}, []string{"IBAN", "?"}},
		{"English", invoice, English, []string{"Invoice INV-12", "4 March 2026", "Billed to", "Total net", "1,234.50", "1,462.51", "Paid by Carte bancaire", "VAT number FR44732829320"}, []string{"Facture"}},
		{"unpaid", unpaid, French, []string{"Échéance de paiement : 30 jours", "IBAN FR76", "1 462,51"}, []string{"acquittée", "remises"}},
		{"credit note", credit, French, []string{"Avoir CN-3", "Se rapporte à INV-12 du 04/03/2026", "Total avoir TTC, EUR"}, []string{"Reste à payer", "pénalité", "Livraison le"}},
		{"another currency", dollars, English, []string{"Total, USD", "Tax in EUR: 205.21, at 0.9 EUR for one USD."}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := printed(t, c.i, atelier(), c.lang)
			flat := strings.Join(strings.Fields(got), " ")
			for _, w := range c.want {
				if !strings.Contains(flat, w) {
					t.Errorf("%q is not in\n%s", w, got)
				}
			}
			for _, n := range c.not {
				if strings.Contains(flat, n) {
					t.Errorf("%q is in\n%s", n, got)
				}
			}
		})
	}
}

func TestInvoiceSaysWhyItBearsNoTax(t *testing.T) {
	to := func(country, vat string) intake.Customer {
		return intake.Customer{VATNumber: vat, Billing: intake.Address{Country: country}}
	}
	exempt := atelier()
	exempt.VATExemption = "TVA non applicable, art. 293 B du CGI"
	for _, c := range []struct {
		name   string
		buyer  intake.Customer
		seller documents.Seller
		tax    int64
		want   string
	}{
		{"a business in the Union", to("DE", "DE123456789"), atelier(), 0, "article 262 ter I du CGI"},
		{"an export", to("US", ""), atelier(), 0, "article 262 I du CGI"},
		{"a small business", to("FR", ""), exempt, 0, "art. 293 B du CGI"},
		{"a consumer in the Union", to("DE", ""), atelier(), 0, ""},
		{"at home", to("FR", "FR1"), atelier(), 0, ""},
		{"taxed", to("US", ""), atelier(), 100, ""},
		{"a seller of no country", to("US", ""), documents.Seller{}, 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			i := soldTo(c.buyer)
			i.Tax = c.tax
			p := &paper{Invoice: i, seller: c.seller, lang: French, words: frenchInvoice()}
			got := p.exemption()
			if c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func TestInvoiceOfManyLinesGoesOn(t *testing.T) {
	i := soldTo(business())
	for len(i.Lines) < 90 {
		i.Lines = append(i.Lines, i.Lines[1])
	}
	got := printed(t, i, atelier(), French)
	if !strings.Contains(got, "3/3") && !strings.Contains(got, "4/4") || strings.Count(got, "RCS Saint-Étienne") < 3 {
		t.Errorf("pages and imprint are missing in\n%.3000s", got)
	}
}

// TestEveryWordOfAnInvoiceIsInFrench looks for what the invoice says by the
// names of the words, so that none is left in English.
func TestEveryWordOfAnInvoiceIsInFrench(t *testing.T) {
	source, err := os.ReadFile("invoice.go")
	if err != nil {
		t.Fatal(err)
	}
	french := frenchInvoice()
	for _, start := range []string{`words.get("`, `say("`} {
		for _, rest := range strings.Split(string(source), start)[1:] {
			word, _, _ := strings.Cut(rest, `"`)
			if _, ok := french[word]; !ok {
				t.Errorf("%q has no French", word)
			}
		}
	}
}
