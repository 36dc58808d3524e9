package catalog

import (
	"time"

	"comptoir/erp/intake"
)

// Agreement is the value of a field on which a shop and the books last agreed:
// as the books told it, and as the shop then stated it.
type Agreement struct{ Ours, Theirs string }

// Sides are one object as the books and a shop have it, in canonical texts and
// with the shop's own ids.
type Sides struct {
	Kind intake.Kind
	Ours map[intake.Field]string
	// Theirs is what the shop stated last. A field that is missing was never
	// stated.
	Theirs map[intake.Field]string
	Agreed map[intake.Field]Agreement
}

// Conflict is a field that the books and a shop have both changed since they
// last agreed.
type Conflict struct {
	Field  intake.Field
	Ours   string // as the shop would state it
	Theirs string
	Agreed Agreement
}

// Comparison is what there is to do about one object.
type Comparison struct {
	Changes   []intake.Change            // to send, in the order of their fields
	Conflicts []Conflict                 // neither sent nor taken over, in the same order
	Agreed    map[intake.Field]Agreement // what both have come to by themselves
}

// Express is the method of that name of connectors.Editor.
type Express func(kind intake.Kind, field intake.Field, value string) (string, bool)

// fieldOrder is the order in which changes are told.
var fieldOrder = []intake.Field{intake.FieldName, intake.FieldParent,
	intake.FieldTitle, intake.FieldDescription, intake.FieldShort, intake.FieldStatus, intake.FieldImages, intake.FieldCategories,
	intake.FieldSKU, intake.FieldBarcode, intake.FieldPrice, intake.FieldSale, intake.FieldSaleFrom, intake.FieldSaleTo,
	intake.FieldWeight, intake.FieldOptions, intake.FieldBackorders}

// Compare compares three ways: what the books have, what the shop has, and what
// both had when they last agreed. Only fields for which sends is true are
// looked at, and of these only those that the shop can hold. What only the
// books have changed is sent; what only the shop has changed is put back, as
// the books own the field; what both have changed is a conflict, unless they
// came to the same. Where nothing was agreed yet the books' value is sent.
func Compare(s Sides, sends func(intake.Field) bool, express Express) Comparison {
	out := Comparison{Agreed: map[intake.Field]Agreement{}}
	for _, f := range fieldOrder {
		ours, has := s.Ours[f]
		if !has || !sends(f) {
			continue
		}
		theirs, stated := s.Theirs[f]
		agreed, met := s.Agreed[f]
		if f == intake.FieldWeight && met && Same(f, ours, agreed.Ours) {
			ours = intake.NameUnit(ours, theirs) // a number alone, which was the shop's
		}
		ours, can := express(s.Kind, f, ours)
		if !can {
			continue
		}
		now := Agreement{ours, theirs}
		switch {
		case stated && Same(f, ours, theirs):
			if !met || agreed != now {
				out.Agreed[f] = now
			}
		case met && stated && !Same(f, ours, agreed.Ours) && !Same(f, theirs, agreed.Theirs):
			out.Conflicts = append(out.Conflicts, Conflict{Field: f, Ours: ours, Theirs: theirs, Agreed: agreed})
		case met && Same(f, ours, agreed.Ours) && Same(f, theirs, agreed.Theirs):
			if agreed != now { // the shop has it in its own words, and in others than before
				out.Agreed[f] = now
			}
		default:
			out.Changes = append(out.Changes, intake.Change{Field: f, From: theirs, To: ours})
		}
	}
	return out
}

// Same reports whether two texts of a field have the same meaning: a weight may
// be told in several units.
func Same(f intake.Field, a, b string) bool {
	return a == b || f == intake.FieldWeight && intake.SameWeight(a, b)
}

// Fresh returns what a shop is told of an object that is to be made there: all
// that it can hold of it, but for what is empty.
func Fresh(kind intake.Kind, ours map[intake.Field]string, express Express) []intake.Change {
	var out []intake.Change
	for _, f := range fieldOrder {
		if ours[f] == "" {
			continue
		}
		if to, can := express(kind, f, ours[f]); can && to != "" {
			out = append(out, intake.Change{Field: f, To: to})
		}
	}
	return out
}

// HoldsSaleDates reports whether a shop begins and ends a sale by itself.
func HoldsSaleDates(express Express) bool {
	_, from := express(intake.KindVariant, intake.FieldSaleFrom, "2006-01-02T00:00:00Z")
	_, to := express(intake.KindVariant, intake.FieldSaleTo, "2006-01-02T00:00:00Z")
	return from && to
}

// OnSale takes the sale price out of the fields of a variant while the sale
// does not run, for a shop that cannot hold its dates.
func OnSale(fields map[intake.Field]string, from, to, now time.Time) {
	if (!from.IsZero() && now.Before(from)) || (!to.IsZero() && !now.Before(to)) {
		fields[intake.FieldSale] = ""
	}
}

// NextTurn returns when the sale next begins or ends, seen from now; the zero
// time where it does neither any more.
func NextTurn(from, to, now time.Time) time.Time {
	switch {
	case now.Before(from):
		return from
	case now.Before(to):
		return to
	}
	return time.Time{}
}
