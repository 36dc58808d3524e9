package exports

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// beancount writes a journal for beancount 2 and 3. Each account is opened on
// the first day of the file and holds the company's currency only.
type beancount struct{ *book }

func newBeancount(bk *book) *beancount {
	bk.nameAccounts(func(a *account) string {
		name := wordy(a.code, '-', "") + "-" + wordy(a.label, '-', "")
		// A part of a name must begin with a capital letter or a digit.
		if r, _ := utf8.DecodeRuneInString(name); r < utf8.RuneSelf && !unicode.IsUpper(r) && !unicode.IsDigit(r) {
			name = "X" + name
		}
		return root(a.kind) + ":" + strings.TrimRight(name, "-")
	})
	return &beancount{bk}
}

// quoted makes a string of beancount.
func quoted(b []byte, s string) []byte {
	b = append(b, '"')
	s = plain(s, "")
	for i := range len(s) {
		if s[i] == '"' || s[i] == '\\' {
			b = append(b, '\\')
		}
		b = append(b, s[i])
	}
	return append(b, '"')
}

// meta appends one line of metadata.
func meta(b []byte, indent, name, value string) []byte {
	if value == "" {
		return b
	}
	b = append(b, indent+name+": "...)
	return append(quoted(b, value), '\n')
}

func (f *beancount) head(b []byte) []byte {
	b = append(b, "; Written by Comptoir. What a document states in another currency stands beside the amounts as metadata.\n"...)
	if f.Company != "" {
		b = append(quoted(append(b, `option "title" `...), f.Company), '\n')
	}
	b = append(quoted(append(b, `option "operating_currency" `...), string(f.currency)), '\n')
	for _, a := range f.accounts {
		b = append(b, "\n"+f.first+" open "+a.name+" "+string(f.currency)+"\n"...)
		b = meta(b, "  ", "code", a.code)
		b = meta(b, "  ", "label", a.label)
	}
	return b
}

func (f *beancount) entry(b []byte, e *entry) []byte {
	b = append(b, "\n"+e.effective+" * "...)
	b = append(quoted(b, e.description), '\n')
	if e.id != 0 {
		b = meta(b, "  ", "entry", strconv.FormatInt(e.id, 10))
	}
	b = meta(b, "  ", "journal", e.journal)
	b = meta(b, "  ", "cause", e.cause)
	b = meta(b, "  ", "shop", e.shop)
	b = meta(b, "  ", "document", e.document)
	if e.reverses != 0 {
		b = meta(b, "  ", "reverses", strconv.FormatInt(e.reverses, 10))
	}
	for _, l := range e.lines {
		b = append(b, "  "+l.account.name+"  "...)
		b = appendAmount(b, l.amount(), f.scale, '.')
		b = append(b, ' ')
		b = append(b, f.currency...)
		b = append(b, '\n')
		b = meta(b, "    ", "foreign", f.foreign(l))
		b = meta(b, "    ", "memo", l.memo)
	}
	return b
}
