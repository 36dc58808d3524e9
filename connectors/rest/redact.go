package rest

import (
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
)

const redacted = "[secret]"

// redactor takes secrets out of texts, as they are and as they stand in an
// address.
type redactor struct {
	replacer atomic.Pointer[strings.Replacer]
}

func newRedactor(secrets []string) *redactor {
	r := new(redactor)
	r.conceal(secrets)
	return r
}

// conceal sets what the secrets are.
func (r *redactor) conceal(secrets []string) {
	var forms []string
	for _, s := range secrets {
		if s == "" {
			continue
		}
		for _, form := range []string{s, url.QueryEscape(s), url.PathEscape(s)} {
			if !slices.Contains(forms, form) {
				forms = append(forms, form)
			}
		}
	}
	// A secret that begins with another is taken out whole.
	slices.SortFunc(forms, func(a, b string) int { return len(b) - len(a) })
	var pairs []string
	for _, form := range forms {
		pairs = append(pairs, form, redacted)
	}
	r.replacer.Store(strings.NewReplacer(pairs...))
}

func (r *redactor) clean(text string) string { return r.replacer.Load().Replace(text) }

// wrap returns err under a text without secrets.
func (r *redactor) wrap(err error) error {
	if text := r.clean(err.Error()); text != err.Error() {
		return &cleaned{text, err}
	}
	return err
}

// cleaned is an error under another text.
type cleaned struct {
	text string
	err  error
}

func (e *cleaned) Error() string { return e.text }
func (e *cleaned) Unwrap() error { return e.err }

// shown returns an address without what may be secret in it: the query, and a
// user with a password.
func shown(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "an address that cannot be read"
	}
	u.User, u.RawQuery, u.ForceQuery, u.Fragment = nil, "", false, ""
	return u.String()
}
