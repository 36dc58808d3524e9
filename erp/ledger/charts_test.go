package ledger

import (
	"encoding/csv"
	"slices"
	"strings"
	"testing"
)

// shippedRoles are the roles that each chart must have. Not all have postings
// yet: purchases, payouts and the year's end come with theirs, and a chart
// that is in use cannot be changed under them.
var shippedRoles = []string{
	"bank", "bank_charges", "cash", "clearing", "cogs", "customer_deposits", "discounts", "dispute_losses", "disputes",
	"fx_gain", "fx_loss", "gift_card_liability", "goods_received_not_billed", "input_tax", "inventory", "inventory_adjustment",
	"opening_equity", "other_income", "output_tax", "payable", "payment_fees", "price_variance", "purchase_returns", "receivable", "remitted_tax", "reserve",
	"retained_earnings", "rounding", "sales", "sales_returns", "shipping_income", "store_credit", "suspense", "tax_settlement",
}

// typeOfRole is the type that the statements expect of a role.
var typeOfRole = map[string]string{
	"bank": "asset", "cash": "asset", "clearing": "asset", "receivable": "asset", "inventory": "asset", "input_tax": "asset",
	"disputes": "asset", "reserve": "asset", "suspense": "asset",
	"customer_deposits": "liability", "gift_card_liability": "liability", "store_credit": "liability", "payable": "liability",
	"goods_received_not_billed": "liability", "output_tax": "liability", "remitted_tax": "liability", "tax_settlement": "liability",
	"opening_equity": "equity", "retained_earnings": "equity",
	"sales": "income", "shipping_income": "income", "other_income": "income", "sales_returns": "income", "discounts": "income", "fx_gain": "income",
	"cogs": "expense", "inventory_adjustment": "expense", "price_variance": "expense", "purchase_returns": "expense",
	"payment_fees": "expense", "bank_charges": "expense", "dispute_losses": "expense", "rounding": "expense", "fx_loss": "expense",
}

func TestChartsAreWhole(t *testing.T) {
	types := []string{"asset", "liability", "equity", "income", "expense"}
	for _, chart := range Charts() {
		text, err := charts.ReadFile("charts/" + chart + ".csv")
		if err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(strings.NewReader(string(text))).ReadAll()
		if err != nil {
			t.Fatalf("%s: %v", chart, err)
		}
		if got := strings.Join(rows[0], ","); got != "code,name,type,role,name_fr" {
			t.Fatalf("%s has the columns %s", chart, got)
		}
		var codes, roles []string
		for _, r := range rows[1:] {
			code, name, kind, role, nameFR := r[0], r[1], r[2], r[3], r[4]
			if code == "" || strings.Trim(code, "0123456789") != "" || strings.TrimSpace(name) == "" || strings.TrimSpace(nameFR) == "" {
				t.Errorf("%s: account %q lacks a code of digits or a name", chart, r)
			}
			if !slices.Contains(types, kind) {
				t.Errorf("%s: account %s has the type %q", chart, code, kind)
			}
			if role != "" {
				roles = append(roles, role)
				if typeOfRole[role] != kind {
					t.Errorf("%s: account %s for %s is of the type %s, want %q", chart, code, role, kind, typeOfRole[role])
				}
			}
			codes = append(codes, code)
		}
		if !slices.IsSorted(codes) || len(slices.Compact(slices.Clone(codes))) != len(codes) {
			t.Errorf("%s: the codes are not in order, each one once", chart)
		}
		slices.Sort(roles)
		if !slices.Equal(roles, shippedRoles) {
			t.Errorf("%s has the roles\n%q, want\n%q", chart, roles, shippedRoles)
		}
	}
}

func TestAccountsOfThePCGAreInTheirClass(t *testing.T) {
	classes := map[byte][]string{ // see the general chart of accounts, https://www.anc.gouv.fr
		'1': {"equity", "liability"}, '2': {"asset"}, '3': {"asset"}, '4': {"asset", "liability"},
		'5': {"asset", "liability"}, '6': {"expense"}, '7': {"income"}, '8': {"equity"},
	}
	accounts, err := readChart("pcg")
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range accounts {
		if !slices.Contains(classes[a.Code[0]], a.Type) {
			t.Errorf("account %s %s is of the type %s", a.Code, a.Name, a.Type)
		}
	}
}
