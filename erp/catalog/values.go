package catalog

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"comptoir/erp/fault"
	"comptoir/erp/intake"
	"comptoir/erp/money"
)

// statuses are those that a product can be given.
var statuses = []string{"published", "draft", "archived"}

// Value reads the value of a field as a person writes it, and returns its
// canonical text. Days are those of the zone; a sale ends with the last instant
// of its day. A warning says what is odd about a value that is taken. The
// categories of a product are not read here.
func Value(f intake.Field, text string, zone *time.Location) (canonical, warning string, err error) {
	text = strings.TrimSpace(text)
	switch f {
	case intake.FieldTitle:
		if text == "" {
			return "", "", wrong(f, text, "a text that is not empty")
		}
		return text, "", CheckLine(f, text, longestTitle)
	case intake.FieldStatus:
		if !slices.Contains(statuses, text) {
			return "", "", wrong(f, text, "one of "+strings.Join(statuses, ", "))
		}
	case intake.FieldBackorders:
		if !slices.Contains([]string{"no", "notify", "yes"}, text) {
			return "", "", wrong(f, text, "one of no, notify, yes")
		}
	case intake.FieldPrice, intake.FieldSale:
		if text == "" && f == intake.FieldSale {
			return "", "", nil
		}
		canonical, err = positive(f, text)
		return canonical, "", err
	case intake.FieldWeight:
		canonical, err = weight(text)
		return canonical, "", err
	case intake.FieldSaleFrom, intake.FieldSaleTo:
		canonical, err = day(f, text, zone)
		return canonical, "", err
	case intake.FieldBarcode:
		return text, oddBarcode(text), nil
	case intake.FieldImages:
		canonical, err = images(text)
		return canonical, "", err
	case intake.FieldOptions:
		canonical, err = options(text)
		return canonical, "", err
	case intake.FieldDescription, intake.FieldShort:
	default:
		return "", "", wrong(f, text, "a field that can be set")
	}
	return text, "", nil
}

// longestTitle is how many characters a title can have in every shop: Shopify
// takes 255.
const longestTitle = 255

// CheckLine refuses a text of one line that no shop would take as it is: one
// that is longer than most characters, or with characters that are no text.
func CheckLine(f intake.Field, text string, most int) error {
	if n := utf8.RuneCountInString(text); n > most {
		return fault.New(fault.Invalid, "shorten it", "the %s has %d characters, and shops take %d", f, n, most)
	}
	if strings.ContainsFunc(text, unicode.IsControl) || !utf8.ValidString(text) {
		return fault.New(fault.Invalid, "write it as one line of text", "the %s %q has characters that are no text", f, text)
	}
	return nil
}

func wrong(f intake.Field, text, want string) error {
	return fault.New(fault.Invalid, "it is "+want, "%s: %q cannot be taken", f, text)
}

func positive(f intake.Field, text string) (string, error) {
	d, err := intake.Number(text)
	if err != nil || text == "" || d.IsNegative() {
		return "", wrong(f, text, "a number such as 19.90, not below 0")
	}
	return intake.Amount(&d), nil
}

// weight reads a weight with its unit: a number alone could be told to no shop
// that has another one.
func weight(text string) (string, error) {
	number, unit, err := intake.ReadWeight(text)
	if err != nil || number.IsNegative() || unit == "" && !number.IsZero() {
		return "", wrong(intake.FieldWeight, text, "a number, not below 0, with its unit g, kg, oz or lb, such as \"0.7 kg\"")
	}
	return intake.Weight(number, unit), nil
}

func day(f intake.Field, text string, zone *time.Location) (string, error) {
	if text == "" {
		return "", nil
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return intake.Instant(at), nil
	}
	at, err := time.ParseInLocation(time.DateOnly, text, zone)
	if err != nil {
		return "", wrong(f, text, "a day, YYYY-MM-DD, or an instant such as 2026-06-01T08:00:00Z")
	}
	if f == intake.FieldSaleTo {
		at = at.AddDate(0, 0, 1).Add(-time.Second)
	}
	return intake.Instant(at), nil
}

// oddBarcode says what is odd about a barcode that is no GTIN; "" for one that
// is. Sources: GS1 General Specifications, section 7.9.
func oddBarcode(text string) string {
	if text == "" {
		return ""
	}
	if !slices.Contains([]int{8, 12, 13, 14}, len(text)) || strings.Trim(text, "0123456789") != "" {
		return fmt.Sprintf("%q is no GTIN: that has 8, 12, 13 or 14 digits", text)
	}
	sum := 0
	for i, c := range text[:len(text)-1] {
		weight := 3
		if (len(text)-i)%2 != 0 {
			weight = 1
		}
		sum += int(c-'0') * weight
	}
	if check := (10 - sum%10) % 10; check != int(text[len(text)-1]-'0') {
		return fmt.Sprintf("the check digit of %q should be %d", text, check)
	}
	return ""
}

// images reads addresses with commas or spaces between them, or a JSON list.
func images(text string) (string, error) {
	var list []string
	if strings.HasPrefix(text, "[") {
		if err := json.Unmarshal([]byte(text), &list); err != nil {
			return "", wrong(intake.FieldImages, text, "addresses with commas between them")
		}
	} else {
		list = strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
	}
	for _, address := range list {
		if u, err := url.Parse(address); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
			return "", wrong(intake.FieldImages, address, "an address that begins with https:// or http://")
		}
	}
	return intake.List(list), nil
}

// options reads Name=Value with commas between them, or a JSON list.
func options(text string) (string, error) {
	var list []intake.Option
	if strings.HasPrefix(text, "[") {
		if err := json.Unmarshal([]byte(text), &list); err != nil {
			return "", wrong(intake.FieldOptions, text, "pairs such as Size=M,Colour=Red")
		}
		return intake.List(list), nil
	}
	for part := range strings.SplitSeq(text, ",") {
		if strings.TrimSpace(part) == "" {
			continue
		}
		name, value, ok := strings.Cut(part, "=")
		if name, value = strings.TrimSpace(name), strings.TrimSpace(value); !ok || name == "" || value == "" {
			return "", wrong(intake.FieldOptions, part, "pairs such as Size=M,Colour=Red")
		}
		list = append(list, intake.Option{Name: name, Value: value})
	}
	return intake.List(list), nil
}

// CheckDecimals refuses a price, in its canonical text, that its currency cannot
// hold: a shop would round it, or offer what nobody can pay.
func CheckDecimals(f intake.Field, price string, c money.Currency) error {
	if price == "" {
		return nil
	}
	d, err := intake.Number(price)
	if err != nil {
		return err
	}
	decimals, err := c.Decimals()
	if err != nil {
		return err
	}
	if _, err := money.Round(d, c); err != nil {
		return fault.New(fault.Invalid, "give the price of one unit", "%s: %s is more %s than the books can hold", f, price, c)
	}
	if d.Equal(d.Truncate(int32(decimals))) {
		return nil
	}
	return fault.New(fault.Invalid, fmt.Sprintf("round it, such as to %s", d.StringFixed(int32(decimals))), "%s: %s has more decimals than %s, which has %d", f, price, c, decimals)
}

// CheckSale refuses a sale that none can be: one that is no reduction, or that
// ends before it begins.
func CheckSale(v *intake.Variant) error {
	if v.Sale != nil && v.Regular != nil && !v.Sale.LessThan(*v.Regular) {
		return fault.New(fault.Invalid, "reduce it, or clear the sale price", "the sale price %s is not below the price %s", v.Sale, v.Regular)
	}
	if !v.SaleFrom.IsZero() && !v.SaleTo.IsZero() && !v.SaleFrom.Before(v.SaleTo) {
		return fault.New(fault.Invalid, "give it a later end", "the sale ends on %s, before it begins on %s", v.SaleTo.Format(time.RFC3339), v.SaleFrom.Format(time.RFC3339))
	}
	return nil
}
