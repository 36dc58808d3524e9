package config

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"comptoir/erp/ledger"
	"comptoir/erp/money"

	"github.com/robfig/cron/v3"
	"github.com/shopspring/decimal"
)

// setting is one key: what it is called, what it means, and where its value
// goes. The value holds the default until it is set.
type setting struct {
	key      string
	help     string // whole sentences
	value    any    // pointer; see assign for the types
	example  string // shown in the example file where there is no default
	choices  []string
	required bool
	secret   bool               // never printed; may be a reference, see secret.go
	check    func(string) error // beyond type and choices
	item     func() (section, func())
	list     func() []section
	entry    func(key, text string) error
	entries  func() [][2]string
}

// A setting is one of three: a value; a map of names that the merchant
// chooses, with entry to set one and entries to list them; or a list of
// sections, with item to describe a new one and a function that keeps it, and
// list to describe those that there are.

// section is a group of keys under one name.
type section struct {
	name     string
	help     string
	settings []setting
	sections []section
	moved    map[string]string // keys that stood here once, and where they stand now
}

// names lists the keys that may stand in the section.
func (s section) names() []string {
	var names []string
	for _, k := range s.settings {
		names = append(names, k.key)
	}
	for _, sub := range s.sections {
		names = append(names, sub.name)
	}
	return names
}

// set checks text and stores it.
func (s setting) set(text string) error {
	if len(s.choices) > 0 && !slices.Contains(s.choices, text) {
		return fmt.Errorf("%q is not one of %s", text, strings.Join(s.choices, ", "))
	}
	if s.check != nil && (text != "" || s.required) {
		if err := s.check(text); err != nil {
			return err
		}
	}
	return assign(s.value, text)
}

// assign reads text into the pointer.
func assign(ptr any, text string) error {
	switch p := ptr.(type) {
	case *string:
		*p = text
	case *int:
		n, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil {
			return fmt.Errorf("%q is not a whole number", text)
		}
		*p = n
	case *bool:
		switch strings.ToLower(strings.TrimSpace(text)) {
		case "true", "yes", "on":
			*p = true
		case "false", "no", "off":
			*p = false
		default:
			return fmt.Errorf("%q is neither true nor false", text)
		}
	case *time.Duration:
		d, err := time.ParseDuration(strings.TrimSpace(text))
		if err != nil || d < 0 {
			return fmt.Errorf("%q is not a time span: write it as 90s, 15m or 24h", text)
		}
		*p = d
	case *[]string:
		*p = nil
		for part := range strings.SplitSeq(text, ",") {
			if part = strings.TrimSpace(part); part != "" {
				*p = append(*p, part)
			}
		}
	case **time.Location:
		if text == "" {
			*p = nil
			return nil
		}
		loc, err := time.LoadLocation(text)
		if err != nil {
			return fmt.Errorf("%q is not a time zone: use a name such as Europe/Paris", text)
		}
		*p = loc
	case *money.Currency:
		c := money.Currency(text)
		if _, err := c.Decimals(); err != nil {
			return fmt.Errorf("%q is not a currency: use an ISO 4217 code such as EUR", text)
		}
		*p = c
	case *decimal.Decimal:
		d, err := parseDecimal(text)
		if err != nil {
			return err
		}
		*p = d
	case **decimal.Decimal:
		if text == "" {
			*p = nil
			return nil
		}
		d, err := parseDecimal(text)
		if err != nil {
			return err
		}
		*p = &d
	default:
		return fmt.Errorf("a setting of type %T cannot be read", ptr)
	}
	return nil
}

func parseDecimal(text string) (decimal.Decimal, error) {
	d, err := decimal.NewFromString(strings.TrimSpace(text))
	if err != nil || d.Exponent() > 18 || d.Exponent() < -18 {
		return decimal.Decimal{}, fmt.Errorf("%q is not a number: write it with a decimal point, such as 1.25", text)
	}
	return d, nil
}

// text is the value as assign reads it.
func (s setting) text() string {
	switch p := s.value.(type) {
	case *string:
		return *p
	case *int:
		return strconv.Itoa(*p)
	case *bool:
		return strconv.FormatBool(*p)
	case *time.Duration:
		return shortDuration(*p)
	case *[]string:
		return strings.Join(*p, ", ")
	case **time.Location:
		if *p == nil {
			return ""
		}
		return (*p).String()
	case *money.Currency:
		return string(*p)
	case *decimal.Decimal:
		return p.String()
	case **decimal.Decimal:
		if *p == nil {
			return ""
		}
		return (*p).String()
	}
	return ""
}

// shortDuration writes 24h where the standard library writes 24h0m0s.
func shortDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// isCron accepts what the scheduler accepts: five fields, or @every and its
// kin.
func isCron(text string) error {
	if text == Off {
		return nil
	}
	if _, err := cron.ParseStandard(text); err != nil {
		return fmt.Errorf("%q is not a schedule (%v): write five fields such as \"*/5 * * * *\", \"@every 2m\", or off", text, err)
	}
	return nil
}

func isDate(text string) error {
	if _, err := time.Parse(time.DateOnly, text); err != nil {
		return fmt.Errorf("%q is not a date: write it as 2026-01-31", text)
	}
	return nil
}

// isMonthDay accepts a day on which fiscal years can begin.
func isMonthDay(text string) error {
	_, err := ledger.FiscalYearNamed(text, 2025)
	return err
}

func isPositive(text string) error {
	d, err := parseDecimal(text)
	if err != nil {
		return err
	}
	if !d.IsPositive() {
		return errors.New("it must be more than zero")
	}
	return nil
}

func isNotNegative(text string) error {
	d, err := parseDecimal(text)
	if err != nil {
		return err
	}
	if d.IsNegative() {
		return errors.New("it must not be negative")
	}
	return nil
}
