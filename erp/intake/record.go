package intake

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/shopspring/decimal"
)

// Ref names one record of a shop.
type Ref struct {
	Kind Kind   `json:"kind"`
	ID   string `json:"id"`
	// Parent is the external id of the record that holds this one, where the
	// shop needs it to find it again (a variation's product). May be empty.
	Parent string `json:"parent,omitempty"`
}

// Record is one statement of a storefront about one of its records. Make it
// with Seal, Unreadable, Missing or Hidden.
type Record struct {
	Ref Ref
	// Modified is when the shop last changed it, to the shop's precision;
	// zero where the shop does not say. It is no part of the content.
	Modified time.Time
	// Digest identifies the content: equal digests mean that nothing that
	// the books look at has changed. Hex; empty only for a missing or a
	// hidden record.
	Digest string
	// Body is one of *Order, *Product, *Variant, *Category, *Customer,
	// *Coupon, *TaxRate, *Gateway, *ShippingMethod, *Location, *Payout. It is
	// nil when the shop no longer has the record or hides it, and when
	// Problem is set.
	Body any
	// Statement is Body as JSON. Digest is its SHA-256.
	Statement []byte
	// Raw is the payload as the shop sent it. Nil when the record is gone.
	Raw json.RawMessage
	// Problem says in plain words why the payload could not be understood
	// (an amount that is no number, say). The books park such a record.
	Problem string
	// Hidden is set where the shop may have the record and does not show it:
	// nothing can be said of it, and what the books have stands.
	Hidden bool
}

// Gone reports whether the shop no longer has the record.
func (r Record) Gone() bool { return r.Body == nil && r.Problem == "" && !r.Hidden }

// Seal returns the record that states body. It fails only where body holds
// what JSON cannot.
func Seal(ref Ref, modified time.Time, body any, raw json.RawMessage) (Record, error) {
	statement, err := json.Marshal(body)
	if err != nil {
		return Record{}, fmt.Errorf("state %s %s: %w", ref.Kind, ref.ID, err)
	}
	return Record{Ref: ref, Modified: modified, Digest: digest(statement), Body: body, Statement: statement, Raw: raw}, nil
}

// Unreadable returns the record whose payload could not be understood, for
// the reason given in plain words.
func Unreadable(ref Ref, modified time.Time, raw json.RawMessage, problem string) Record {
	return Record{Ref: ref, Modified: modified, Digest: digest(raw), Raw: raw, Problem: problem}
}

// Missing returns the record that the shop no longer has.
func Missing(ref Ref) Record { return Record{Ref: ref} }

// Hidden returns the record that the shop does not show to us: an order from
// before the time that our rights reach back to, say. Only Fetch may return
// it; the books are never told of it.
func Hidden(ref Ref) Record { return Record{Ref: ref, Hidden: true} }

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// Reopen reads a Statement back into the body of its kind.
func Reopen(kind Kind, statement []byte) (any, error) {
	var body any
	switch kind {
	case KindOrder:
		body = new(Order)
	case KindProduct:
		body = new(Product)
	case KindVariant:
		body = new(Variant)
	case KindCategory:
		body = new(Category)
	case KindCustomer:
		body = new(Customer)
	case KindCoupon:
		body = new(Coupon)
	case KindTaxRate:
		body = new(TaxRate)
	case KindGateway:
		body = new(Gateway)
	case KindShippingMethod:
		body = new(ShippingMethod)
	case KindLocation:
		body = new(Location)
	case KindPayout:
		body = new(Payout)
	default:
		return nil, fmt.Errorf("statement of unknown kind %q", kind)
	}
	if err := json.Unmarshal(statement, body); err != nil {
		return nil, fmt.Errorf("read statement of kind %s: %w", kind, err)
	}
	return body, nil
}

// State returns the record that states body, or the unreadable one where a
// problem says in plain words what of the payload could not be understood.
func State(ref Ref, modified time.Time, body any, raw json.RawMessage, problem string) Record {
	if problem == "" {
		rec, err := Seal(ref, modified, body, raw)
		if err == nil {
			return rec
		}
		problem = err.Error()
	}
	return Unreadable(ref, modified, raw, problem)
}

// maxDigits bounds the length and the exponent of a number. The longest that a
// shop can mean is far shorter.
const maxDigits = 64

// Number reads a decimal number as a shop writes it, without white space around
// it; "" is 0. What is absurdly long, or has an absurd exponent, is no number.
func Number(text string) (decimal.Decimal, error) {
	if text == "" {
		return decimal.Decimal{}, nil
	}
	if len(text) > maxDigits {
		return decimal.Decimal{}, fmt.Errorf("%q… is no number", text[:maxDigits])
	}
	d, err := decimal.NewFromString(text)
	if err != nil || d.Exponent() > maxDigits || d.Exponent() < -maxDigits {
		return decimal.Decimal{}, fmt.Errorf("%q is no number", text)
	}
	return d, nil
}
