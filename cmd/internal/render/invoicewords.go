package render

import (
	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
)

// frenchInvoice is what invoices and credit notes say, in French.
func frenchInvoice() words {
	return words{
		"Invoice": "Facture", "Credit note": "Avoir", "Date": "Date", "Order": "Commande", " of ": " du ", ": ": " : ", "Delivered on": "Livraison le", "Refers to": "Se rapporte à",
		"Billed to": "Facturé à", "Delivered to": "Livré à", "VAT number": "TVA intracommunautaire", "capital": "au capital de",
		"Description": "Désignation", "Quantity": "Quantité", "Unit price, net": "Prix unitaire HT", "Tax": "TVA", "Net": "Montant HT", "Amount refunded": "Montant remboursé",
		"Total net": "Total HT", "Total tax": "Total TVA", "Rounding": "Arrondi", "Total": "Total TTC", "Total credited": "Total avoir TTC", "Paid": "Déjà payé", "To pay": "Reste à payer",
		"Tax by rate": "TVA par taux", "Base": "Base HT", "Without tax": "Sans TVA",
		"Paid by %s. Thank you.": "Facture acquittée (%s). Merci.", "Paid. Thank you.": "Facture acquittée. Merci.",
		"Payment due: %s.": "Échéance de paiement : %s.", "on receipt of the invoice": "à réception de la facture",
		"Bank transfer to IBAN %s, BIC %s.": "Virement : IBAN %s, BIC %s.", "Prices are after discounts: %s.": "Prix après remises : %s.",
		"Tax in %s: %s, at %s %s for one %s.": "TVA en %s : %s, au taux de %s %s pour un %s.",
	}
}

// country is the name of a country by its code of ISO 3166-1, "" for that of
// home.
func country(code, home string, lang Language) string {
	region, err := language.ParseRegion(code)
	if code == home || err != nil {
		return ""
	}
	if lang == French {
		return display.French.Regions().Name(region)
	}
	return display.English.Regions().Name(region)
}
