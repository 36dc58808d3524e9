package outbox

import "comptoir/erp/intake"

// Owner is who decides on a field of a shop's records.
type Owner string

// The owners.
const (
	Shop Owner = "shop" // what the shop states is taken over, and never sent
	ERP  Owner = "erp"  // what the books say is sent, and what the shop states is not taken over
)

// Policy says what of a shop the books decide on, and what they send.
type Policy struct {
	// On: the shop is told of changes. If not, the owners count all the same,
	// but nothing is queued.
	On bool
	// Owners by field; a field without one is the shop's.
	Owners map[intake.Field]Owner
	// Share is how much of what is available the shop may sell, in per cent,
	// rounded down to whole units, 0 for all of it; Cap is the most units it is
	// told of, 0 for no such limit.
	Share int
	Cap   int
	// Locations maps the shop's locations, by external id or name, to the codes
	// of warehouses. Empty: the first active location that ships stands for the
	// warehouse "main". What the shop has at other locations is left alone.
	Locations map[string]string
}

// Setting is the field under which the owner of a field is named. The dates of a
// sale go with its price, and all that is said of a category goes with the tree.
// The kind matters for those that records of several kinds have; "" for the
// others.
func Setting(kind intake.Kind, f intake.Field) intake.Field {
	switch {
	case kind == intake.KindCategory, f == intake.FieldName, f == intake.FieldParent:
		return intake.FieldCategories
	case f == intake.FieldSaleFrom, f == intake.FieldSaleTo:
		return intake.FieldSale
	}
	return f
}

// Owns reports whether the books decide on a field; see Setting.
func (p Policy) Owns(f intake.Field) bool { return p.Owners[Setting("", f)] == ERP }

// Sends reports whether the shop is told of changes of a field.
func (p Policy) Sends(f intake.Field) bool { return p.On && p.Owns(f) }

// Fields lists the fields that have an owner, in the order in which the
// configuration explains them.
func Fields() []intake.Field {
	return []intake.Field{intake.FieldQuantity, intake.FieldBackorders, intake.FieldPrice, intake.FieldSale, intake.FieldTitle, intake.FieldDescription,
		intake.FieldShort, intake.FieldStatus, intake.FieldImages, intake.FieldCategories, intake.FieldOptions, intake.FieldBarcode, intake.FieldWeight,
		intake.FieldShipments}
}

// DefaultOwners are those of a shop that says nothing else. While nothing is
// sent to it the shop decides on everything.
func DefaultOwners(on bool) map[intake.Field]Owner {
	owners := map[intake.Field]Owner{}
	for _, f := range Fields() {
		owners[f] = Shop
	}
	if on {
		owners[intake.FieldQuantity], owners[intake.FieldShipments] = ERP, ERP
	}
	return owners
}
