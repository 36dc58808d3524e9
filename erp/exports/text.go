package exports

import (
	"strconv"
	"strings"
	"unicode"
)

// appendAmount appends minor units as a decimal, with so many digits after the
// mark.
func appendAmount(b []byte, minor int64, scale int, mark byte) []byte {
	u := uint64(minor)
	if minor < 0 {
		b = append(b, '-')
		u = -u
	}
	digits := strconv.AppendUint(nil, u, 10)
	for len(digits) <= scale {
		digits = append([]byte{'0'}, digits...)
	}
	b = append(b, digits[:len(digits)-scale]...)
	if scale > 0 {
		b = append(b, mark)
		b = append(b, digits[len(digits)-scale:]...)
	}
	return b
}

// plain makes a text fit for one field of a line: no control characters, no
// two spaces in a row, none at its ends, and a hyphen for each character of
// instead.
func plain(s, instead string) string {
	var b strings.Builder
	b.Grow(len(s))
	space := true // drops those at the beginning
	for _, r := range strings.ToValidUTF8(s, "�") {
		switch {
		case unicode.IsSpace(r) || unicode.IsControl(r):
			if !space {
				b.WriteByte(' ')
			}
			space = true
			continue
		case strings.ContainsRune(instead, r):
			r = '-'
		}
		space = false
		b.WriteRune(r)
	}
	return strings.TrimRight(b.String(), " ")
}

// wordy keeps letters and digits; every run of others becomes one separator.
func wordy(s string, separator byte, keep string) string {
	var b strings.Builder
	gap := false
	for _, r := range s {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune(keep, r) {
			gap = b.Len() > 0
			continue
		}
		if gap {
			b.WriteByte(separator)
			gap = false
		}
		b.WriteRune(r)
	}
	return b.String()
}
