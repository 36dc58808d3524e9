package render

// french is what reports say, in French. A test holds every label of every
// report to have a line here.
func french() words {
	return words{
		"As of": "Au", "From": "Depuis le", "Until": "Jusqu'au", "All that is booked": "Toutes les écritures", "all in": "montants en",
		"provisional": "provisoire",
		"Provisional: of %s it is not proven that all orders are here for %s (comptoir verify)": "Provisoire : de %s, il n'est pas établi que toutes les commandes sont là pour %s (comptoir verify)",
		"%s and %d earlier times": "%s et %d périodes plus tôt",
		"Made on":                 "Établi le", "More follows, after": "La suite vient après", "besides": "hors", "from elsewhere": "passés par ailleurs", "difference": "écart",
		"shop": "boutique", "gateway": "prestataire", "account": "compte", "compared with": "comparé à", "by": "par",

		"Trial balance": "Balance générale", "Income statement": "Compte de résultat", "Balance sheet": "Bilan", "General ledger": "Grand livre",
		"Journal": "Journal", "Sales tax": "Taxes sur les ventes",

		"Account": "Compte", "Name": "Libellé", "Opening": "Ouverture", "Debit": "Débit", "Credit": "Crédit", "Closing": "Clôture", "Total": "Total",
		"Amount": "Montant", "Before": "Avant", "Change": "Variation", "Date": "Date", "Entry": "Écriture", "Document": "Pièce", "Description": "Libellé", "Balance": "Solde",

		"Revenue": "Chiffre d'affaires", "Net revenue": "Chiffre d'affaires net", "Cost of sales": "Coût des ventes", "Total cost of sales": "Total du coût des ventes",
		"Gross profit": "Marge brute", "Operating expenses": "Charges d'exploitation", "Total operating expenses": "Total des charges d'exploitation",
		"Operating result": "Résultat d'exploitation", "Other income and exchange differences": "Autres produits et différences de change",
		"Total other income": "Total des autres produits", "Result": "Résultat",
		"Result = change in equity, but for what was posted to equity itself": "Résultat = variation des capitaux propres, hors écritures directes",

		"Assets": "Actif", "Liabilities": "Dettes", "Equity": "Capitaux propres", "Total assets": "Total de l'actif", "Total liabilities": "Total des dettes",
		"Total equity": "Total des capitaux propres", "Total liabilities and equity": "Total du passif", "Result of the current year": "Résultat de l'exercice",
		"Result of earlier years, not closed": "Résultat des exercices antérieurs, non clôturés", "Assets = liabilities + equity": "Actif = dettes + capitaux propres",

		"Opening balance": "Solde d'ouverture", "Brought forward": "Report", "Carried forward": "À reporter", "Closing balance": "Solde de clôture",

		"Agency": "Administration", "Tax": "Taxe", "Zone": "Zone", "Rate": "Taux", "Month": "Mois", "Taxable base": "Base taxable", "Exempt base": "Base exonérée",
		"Collected": "Collectée", "Reversed by refunds": "Reprise par remboursements", "Deductible": "Déductible", "Net": "Nette", "None": "Aucune",
		"Sales without a tax line": "Ventes sans ligne de taxe",
		"Sales without a tax line are the revenue of the accounts less the taxable and exempt base above; refunds by amount alone lessen them.": "Les ventes sans ligne de taxe sont le chiffre d'affaires des comptes, moins les bases taxables et exonérées ci-dessus ; les remboursements d'un simple montant les diminuent.",
		"Tax collected less reversed = output tax account": "Taxe collectée moins reprise = compte de taxe collectée",
		"Deductible tax = input tax account":               "Taxe déductible = compte de taxe déductible",

		"VAT return worksheet": "Préparation de la déclaration de TVA", "Income and expenses": "Produits et charges", "Cash summary": "Situation de trésorerie",
		"Aged receivables": "Balance âgée clients", "Aged payables": "Balance âgée fournisseurs", "Clearing accounts": "Comptes des prestataires de paiement",
		"Stock valuation": "Valorisation du stock", "Sales": "Ventes",

		"Country": "Pays", "Base of sales": "Base des ventes", "Base of purchases": "Base des achats",
		"Tax collected = output tax account": "Taxe collectée = compte de taxe collectée",

		"Bases are not added up: several taxes bear on the same sales.": "Les bases ne sont pas additionnées : plusieurs taxes portent sur les mêmes ventes.",
		"Income": "Produits", "Expenses": "Charges", "Result so far": "Résultat cumulé",

		"In": "Entrées", "Out": "Sorties", "Bank and cash": "Banque et caisse", "Bank": "Banque", "Gateways": "Prestataires", "Deposits": "Acomptes", "Payment gateways": "Prestataires de paiement", "Receivable": "Créances clients",
		"Payable": "Dettes fournisseurs", "Customer deposits and gift cards": "Acomptes et cartes cadeaux", "Money and claims less debts": "Trésorerie et créances, moins les dettes",

		"Customer": "Client", "Vendor": "Fournisseur", "Days": "Jours", "over 90": "plus de 90", "0–30": "0–30", "31–60": "31–60", "61–90": "61–90",
		"Open invoices = receivable account": "Factures ouvertes = compte clients", "Open bills = payable account": "Factures ouvertes = compte fournisseurs",
		"No customer owes anything.": "Aucun client ne doit rien.", "Nothing is owed to vendors.": "Rien n'est dû aux fournisseurs.",
		"The difference was posted to the account by hand.": "L'écart a été passé au compte à la main.",

		"Gateway": "Prestataire", "Currency": "Devise", "Received": "Encaissé", "Fees": "Commissions", "Refunds": "Remboursements", "Payouts": "Versements", "Other": "Autres",
		"Open": "Ouvert", "Open, in the books' currency": "Ouvert, en devise des comptes", "No gateway has moved any money.": "Aucun prestataire n'a mouvementé d'argent.",
		"Open at the gateways = clearing accounts": "Ouvert chez les prestataires = leurs comptes",

		"Payouts and what is open": "Versements et sommes ouvertes", "What": "Objet", "Shop": "Boutique", "Reference": "Référence", "Booked": "Comptabilisé",
		"Fees booked": "Commissions comptabilisées", "In payouts": "Dans les versements", "Fees in payouts": "Commissions des versements",
		"Payment not in a payout yet": "Paiement pas encore versé", "Payment that is not booked": "Paiement non comptabilisé", "Payment that differs": "Paiement qui diffère",
		"Refund not in a payout yet": "Remboursement pas encore versé", "Refund that is not booked": "Remboursement non comptabilisé", "Refund that differs": "Remboursement qui diffère",
		"Payment without an order": "Paiement sans commande", "Booked by hand": "Passé à la main", "Payout booked by hand": "Versement passé à la main",
		"Payout that came back": "Versement revenu", "Payout that came back, carried on": "Versement revenu, repris", "Payout on its way": "Versement en cours",
		"Payout without its items": "Versement sans détail", "Payout that differs from its items": "Versement qui diffère de son détail",
		"What is open = balance at the gateway": "Sommes ouvertes = solde chez le prestataire", "No gateway has stated a payout.": "Aucun prestataire n'a annoncé de versement.",

		"SKU": "Référence", "On hand": "En stock", "Unit cost": "Coût unitaire", "Value": "Valeur", "Nothing is in stock.": "Rien n'est en stock.",
		"This is how the stock stands now: what open orders wanted on another day is not kept.": "Ceci est l'état actuel du stock : ce que demandaient les commandes un autre jour n'est pas conservé.",
		"Stock": "Stock", "Wanted": "Commandé", "Safety": "Réserve", "Available": "Disponible", "Oversold": "Survendu", "Sold while overwritten": "Vendu pendant l'écriture",
		"%s could have sold unseen for %s at most while its numbers were overwritten in the last day, and its orders took %s units then.": "%s a pu vendre sans être vue pendant %s au plus, pendant que ses quantités étaient écrites ces dernières 24 heures ; ses commandes ont alors pris %s unités.",
		"Value of the stock = inventory account": "Valeur du stock = compte de stock",

		"Product": "Article", "Channel": "Canal", "Quantity": "Quantité", "Orders": "Commandes", "Cost": "Coût", "Margin": "Marge", "Margin in %": "Marge en %",
		"Shipping": "Port", "Fees and tips": "Frais et pourboires", "Not stated": "Non indiqué", "Not on a document": "Sans pièce",
		"Revenue = revenue accounts": "Chiffre d'affaires = comptes de produits",
	}
}
