package sandbox

import (
	"strings"
	"time"

	"comptoir/erp/intake"
)

// gone is a record that was deleted for good.
type gone struct {
	number int64 // of the event
	of     intake.Resource
	id     int64
	at     int64
}

// bury notes that a record is deleted for good, for platforms that tell.
func (s *Shop) bury(of intake.Resource, id int64) {
	if s.onShopify() {
		s.gone = append(s.gone, gone{number: int64(len(s.gone) + 1), of: of, id: id, at: s.now()})
	}
}

// subjects are how Shopify names what was deleted: in events, and in ids.
var subjects = map[intake.Resource]struct{ event, kind string }{
	intake.Orders:     {"ORDER", "Order"},
	intake.Products:   {"PRODUCT", "Product"},
	intake.Variants:   {"PRODUCT_VARIANT", "ProductVariant"},
	intake.Categories: {"COLLECTION", "Collection"},
}

// eventsKept is how long the shop tells what was destroyed.
const eventsKept = 365 * 24 * time.Hour

// remembered are the events of what was destroyed in the last year.
func (s *Shop) remembered() []*gone {
	var all []*gone
	for i := range s.gone {
		if g := &s.gone[i]; s.now()-g.at <= int64(eventsKept/time.Second) {
			all = append(all, g)
		}
	}
	return all
}

func eventTerm(_ *Shop, g *gone, t *searchTerm) (yes, known bool) {
	switch t.field {
	case "id":
		return t.number(g.number), true
	case "action":
		return t.word("destroy"), true
	case "subject_type":
		return t.word(subjects[g.of].event), true
	case "created_at":
		return t.instant(g.at), true
	}
	return false, false
}

func eventTypes() []gqlType {
	return []gqlType{
		{name: "Event", which: func(any) string { return "BasicEvent" }},
		{name: "BasicEvent", is: []string{"Event", "Node"}, fields: gqlFields{
			"id":              gqlID("BasicEvent", func(_ *gqlRun, g *gone) int64 { return g.number }),
			"action":          gqlText(func(*gqlRun, *gone) string { return "destroy" }),
			"createdAt":       gqlTime(func(_ *gqlRun, g *gone) int64 { return g.at }),
			"message":         gqlText(func(_ *gqlRun, g *gone) string { return "Deleted " + strings.ToLower(subjects[g.of].event) }),
			"subjectId":       gqlText(func(_ *gqlRun, g *gone) string { return plainGid(subjects[g.of].kind, g.id) }),
			"subjectType":     gqlText(func(_ *gqlRun, g *gone) string { return subjects[g.of].event }),
			"criticalAlert":   gqlBool(func(*gqlRun, *gone) bool { return false }),
			"attributeToApp":  gqlBool(func(*gqlRun, *gone) bool { return false }),
			"attributeToUser": gqlBool(func(*gqlRun, *gone) bool { return true }),
		}},
	}
}
