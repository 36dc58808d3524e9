package shopify

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"comptoir/connectors"
	"comptoir/connectors/rest"
)

var (
	// errNotJSON is an answer that begins as something else.
	errNotJSON = errors.New("the answer is not JSON")
	// errDamaged is JSON that ends too early, or that is none further on.
	errDamaged = errors.New("the answer is cut off or damaged")
)

// The codes of errors beside the data that are told apart.
const (
	codeThrottled = "THROTTLED"
	codeTooDear   = "MAX_COST_EXCEEDED"
	codeDenied    = "ACCESS_DENIED"
	codeInactive  = "SHOP_INACTIVE"
)

// answerError is errors that stand beside the data, or in its place.
type answerError struct{ faults faults }

func (e *answerError) Error() string { return "the shop answered " + e.texts() }

// texts is what the shop says, in as many words as fit into a line.
func (e *answerError) texts() string {
	var texts []string
	for _, f := range e.faults {
		if text := f.String(); !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	more := ""
	if len(texts) > shownFaults {
		more = fmt.Sprintf("; and %d more", len(texts)-shownFaults)
		texts = texts[:shownFaults]
	}
	return strings.Join(texts, "; ") + more
}

// statusError is an answer without success that says why.
type statusError struct {
	status *rest.StatusError
	why    *answerError
}

func (e *statusError) Error() string   { return e.status.Error() + ": " + e.why.texts() }
func (e *statusError) Unwrap() []error { return []error{e.status, e.why} }

// shownFaults is how many errors one error shows.
const shownFaults = 3

// Is makes a request that was too dear known as such.
func (e *answerError) Is(target error) bool { return target == errTooDear && e.has(codeTooDear) }

func (e *answerError) has(code string) bool {
	return slices.ContainsFunc(e.faults, func(f fault) bool { return string(f.Extensions.Code) == code })
}

// denied reports whether err says that this app may not see something, and
// what.
func denied(err error) (fields []string, ok bool) {
	var e *answerError
	if !errors.As(err, &e) {
		return nil, false
	}
	for _, f := range e.faults {
		if string(f.Extensions.Code) == codeDenied {
			fields = append(fields, f.Path.fields().String())
		}
	}
	return fields, len(fields) > 0
}

// spare are the fields that the books can do without: those that Shopify gives
// only to apps that it has approved for protected customer data, as its schema
// marks them, those that lead to them, the terms of payment, and what goods
// cost.
var spare = [...]string{
	"customer", "email", "phone", "displayName", "firstName", "lastName",
	"defaultEmailAddress", "emailAddress", "defaultPhoneNumber", "phoneNumber",
	"defaultAddress", "addressesV2", "billingAddress", "shippingAddress", "displayAddress",
	"address1", "address2", "zip",
	"paymentTerms", "unitCost",
}

// spareLists are where the lists begin that the books can do without: orders
// say who bought, and sell without payouts. Where one is denied, that is no
// reason to pause the shop.
var spareLists = [...]string{"customers", "shopifyPaymentsAccount"}

// bearable reports whether an answer is of use in spite of f: it leaves out
// what can be done without, inside of a record.
func (f fault) bearable() bool {
	fields := f.Path.fields()
	return string(f.Extensions.Code) == codeDenied && len(fields) > 1 &&
		slices.ContainsFunc(fields[1:], func(name string) bool { return slices.Contains(spare[:], name) })
}

// sift parts the errors that spoil an answer from the fields that are denied
// and can be done without.
func (f faults) sift() (spoiling faults, missing []string) {
	for _, one := range f {
		switch name := one.Path.fields().String(); {
		case !one.bearable():
			spoiling = append(spoiling, one)
		case !slices.Contains(missing, name):
			missing = append(missing, name)
		}
	}
	return spoiling, missing
}

// judge returns the class and the advice for errors beside the data. It goes
// by their codes: texts change.
func (e *answerError) judge(cfg Config) (connectors.Class, string) {
	for _, f := range e.faults {
		if string(f.Extensions.Code) != codeDenied {
			continue
		}
		if path := f.Path.fields(); len(path) > 0 && slices.Contains(spareLists[:], path[0]) {
			return connectors.Rejected, deniedFix(f)
		}
		return connectors.Denied, deniedFix(f)
	}
	switch {
	case e.has(codeInactive):
		return connectors.Denied, "the shop is closed, paused or frozen at Shopify: look at its plan in the admin"
	case e.has(codeTooDear):
		return connectors.Rejected, "lower page_size"
	case e.has(codeThrottled):
		return connectors.Throttled, ""
	}
	for _, f := range e.faults {
		if f.wrong() {
			fix := "bring Comptoir up to date"
			if cfg.APIVersion != DefaultVersion {
				fix = "set api_version to " + DefaultVersion + ", or " + fix
			}
			return connectors.Rejected, fmt.Sprintf("version %s of the Admin API does not know what was asked%s: %s", cfg.APIVersion, f.subject(), fix)
		}
	}
	return connectors.Transient, "if it stays so, look at Shopify's status page"
}

func deniedFix(f fault) string {
	fix := "the app lacks rights"
	if len(f.Path) > 0 {
		fix = "the app has no right to " + f.Path.fields().String()
	}
	if f.Extensions.Required != "" {
		fix += ", which needs " + strings.TrimSuffix(string(f.Extensions.Required), ".")
	}
	return fix + ": give it the right and install it again, then run: comptoir check"
}

// wrong reports whether an error says that the document itself cannot be
// understood: such codes begin with a small letter ("undefinedField"), those
// of a running request are in capitals.
func (f fault) wrong() bool {
	code := string(f.Extensions.Code)
	return code != "" && code[0] >= 'a' && code[0] <= 'z'
}

func (f fault) subject() string {
	if f.Extensions.Field == "" {
		return ""
	}
	if f.Extensions.Type == "" {
		return " (" + string(f.Extensions.Field) + ")"
	}
	return " (" + string(f.Extensions.Type) + "." + string(f.Extensions.Field) + ")"
}

// explain puts an error of the transport into the words of this platform.
func (c *client) explain(err error) error {
	var e *connectors.Error
	var status *rest.StatusError
	if !errors.As(err, &e) || !errors.As(err, &status) {
		return err
	}
	if r, readErr := readReply(status.Body); readErr == nil && len(r.Errors) > 0 {
		e.Err = c.rest.Fail(e.Class, e.Op, &statusError{status, &answerError{r.Errors}}, "").Err
	}
	const check = "; then run: comptoir check"
	if status.Status >= 300 && status.Status < 400 {
		e.Fix = elsewhere + check
		return e
	}
	switch status.Status {
	case http.StatusUnauthorized:
		e.Class, e.Fix = connectors.Denied, c.auth.advice()+check
	case http.StatusPaymentRequired:
		e.Class, e.Fix = connectors.Denied, "the shop is frozen at Shopify: its owner has a bill to pay in the admin"
	case http.StatusLocked:
		e.Class, e.Fix = connectors.Denied, "the shop is locked at Shopify: its owner must talk to Shopify's support"
	case http.StatusForbidden:
		e.Class, e.Fix = connectors.Denied, "the app may not do this: give it the right and install it again; or something before the shop refuses this machine"+check
	case http.StatusNotFound:
		e.Class, e.Fix = connectors.Denied, fmt.Sprintf("there is no shop at this address, or no version %s of its API: set url to https://NAME.myshopify.com with nothing behind it, and leave api_version out",
			c.cfg.APIVersion)+check
	case statusRefused:
		e.Class, e.Fix = connectors.Throttled, "Shopify takes this machine for a danger for a while; if it stays so, lower max_in_flight"
	}
	return e
}

// elsewhere is the advice for a redirect. It does not say to go where it
// points: customers are led from the shop's own address to that of the shop
// window, which has no API.
const elsewhere = "redirects are not followed, since they lose the token: " + ownAddress

const ownAddress = "set url to the shop's own address, https://NAME.myshopify.com, which the admin shows under Settings, Domains"

// statusRefused is what Shopify answers where its own protection refuses a
// request: 430, which no standard knows.
const statusRefused = 430

// weary reports whether an answer may be another one in a moment.
func weary(status int, _ []byte) bool { return status == statusRefused }

// userError is one reason why a mutation was not carried out.
type userError struct {
	Field   fieldPath `json:"field"`
	Message string    `json:"message"`
	Code    string    `json:"code"` // "" where the mutation has no codes
}

// userFault returns the error for what a mutation answered, of which there is
// something.
func (c *client) userFault(op string, said []userError) *connectors.Error {
	return c.rest.Fail(connectors.Rejected, "shopify: "+op, &refusal{said}, "")
}

// refusal is a mutation that was not carried out.
type refusal struct{ reasons []userError }

func (r *refusal) Error() string {
	var texts []string
	for _, e := range r.reasons {
		var parts []string
		for _, part := range []string{e.Code, e.Field.String(), e.Message} {
			if part != "" {
				parts = append(parts, part)
			}
		}
		texts = append(texts, strings.Join(parts, ": "))
	}
	return "the shop refused: " + strings.Join(texts, "; ")
}
