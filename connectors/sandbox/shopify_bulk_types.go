package sandbox

import (
	"slices"
	"strings"
)

// userError is what a mutation says in its answer.
type userError struct{ field, code, message string }

// bulkPayload is what a mutation about an operation answers.
type bulkPayload struct {
	made *bulkOperation
	errs []userError
}

func bulkTypes() []gqlType {
	payload := func(errors string) gqlFields {
		return gqlFields{
			"bulkOperation": gqlObject("BulkOperation", func(_ *gqlRun, p bulkPayload) *bulkOperation { return p.made }),
			"userErrors":    gqlList(errors, func(_ *gqlRun, p bulkPayload) []userError { return p.errs }),
		}
	}
	return []gqlType{
		{name: "BulkOperation", is: []string{"Node"}, fields: bulkFields()},
		{name: "BulkOperationRunQueryPayload", fields: payload("BulkOperationUserError")},
		{name: "BulkOperationCancelPayload", fields: payload("UserError")},
		{name: "BulkOperationUserError", fields: userErrorFields(true)},
		{name: "UserError", fields: userErrorFields(false)},
		{name: "QueryRoot", fields: gqlFields{
			"bulkOperation": gqlObject("BulkOperation", func(x *gqlRun, _ gqlRoot) *bulkOperation {
				return x.s.shopify.bulk.state(gidNumber(x.args.text("id"), "BulkOperation"))
			}),
			"bulkOperations": gqlConnection("BulkOperation", func(x *gqlRun, _ gqlRoot) gqlRows[*bulkOperation] {
				all := x.s.shopify.bulk.states()
				return gqlRows[*bulkOperation]{all: all, key: func(o *bulkOperation) gqlKey { return gqlKey{by: -o.created, id: -o.id} },
					keep: bulkWanted(x.args.text("query"))}
			}),
		}},
		{name: "Mutation", fields: gqlFields{
			"bulkOperationRunQuery": gqlValue("BulkOperationRunQueryPayload", func(x *gqlRun, _ gqlRoot) bulkPayload { return x.startBulk() }),
			"bulkOperationCancel":   gqlValue("BulkOperationCancelPayload", func(x *gqlRun, _ gqlRoot) bulkPayload { return x.cancelBulk() }),
		}},
	}
}

func bulkFields() gqlFields {
	has := func(put func(*gqlRun, *bulkOperation), when func(*bulkOperation) bool) gqlField {
		return gqlRaw(func(x *gqlRun, o *bulkOperation) {
			if when(o) {
				put(x, o)
			} else {
				x.null()
			}
		})
	}
	return gqlFields{
		"id":              gqlID("BulkOperation", func(_ *gqlRun, o *bulkOperation) int64 { return o.id }),
		"status":          gqlText(func(_ *gqlRun, o *bulkOperation) string { return o.status }),
		"errorCode":       gqlTextOrNull(func(_ *gqlRun, o *bulkOperation) string { return o.errorCode }),
		"createdAt":       gqlTime(func(_ *gqlRun, o *bulkOperation) int64 { return o.created }),
		"completedAt":     gqlTime(func(_ *gqlRun, o *bulkOperation) int64 { return o.completed }),
		"objectCount":     gqlNumberText(func(_ *gqlRun, o *bulkOperation) int64 { return o.objects }),
		"rootObjectCount": gqlNumberText(func(_ *gqlRun, o *bulkOperation) int64 { return o.roots }),
		"query":           gqlText(func(_ *gqlRun, o *bulkOperation) string { return o.query }),
		"type":            gqlText(func(*gqlRun, *bulkOperation) string { return "QUERY" }),
		"fileSize": has(func(x *gqlRun, o *bulkOperation) { x.text(text(o.size)) },
			func(o *bulkOperation) bool { return o.status == "COMPLETED" && o.size > 0 }),
		"url": has(func(x *gqlRun, o *bulkOperation) { x.text(o.address(x.base)) },
			func(o *bulkOperation) bool { return o.size > 0 }),
		"partialDataUrl": has(func(x *gqlRun, o *bulkOperation) { x.text(o.address(x.base)) },
			func(o *bulkOperation) bool { return o.partial > 0 }),
	}
}

// userErrorFields are those of every type of user error.
func userErrorFields(coded bool) gqlFields {
	f := gqlFields{
		"message": gqlText(func(_ *gqlRun, e userError) string { return e.message }),
		"field": gqlRaw(func(x *gqlRun, e userError) {
			if e.field == "" {
				x.null()
				return
			}
			x.b = append(x.b, '[')
			for i, part := range strings.Split(e.field, ".") {
				if i > 0 {
					x.b = append(x.b, ',')
				}
				x.text(part)
			}
			x.b = append(x.b, ']')
		}),
	}
	if coded {
		f["code"] = gqlTextOrNull(func(_ *gqlRun, e userError) string { return e.code })
	}
	return f
}

// bulkWanted reads the filter of bulkOperations: status:running.
func bulkWanted(query string) func(*bulkOperation) bool {
	var statuses []string
	for term := range strings.FieldsSeq(query) {
		if status, ok := strings.CutPrefix(strings.ToLower(term), "status:"); ok {
			statuses = append(statuses, strings.ToUpper(strings.Trim(status, `'"`)))
		}
	}
	if statuses == nil {
		return nil
	}
	return func(o *bulkOperation) bool { return slices.Contains(statuses, o.status) }
}
