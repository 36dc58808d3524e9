package shopify

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"comptoir/connectors"
	"comptoir/erp/intake"
)

// destroyedSize is how many events are asked for at once.
const destroyedSize = 100

// deletions is the list of the events that tell of deleted rows of l. The shop
// keeps them for a year; sweeps find what is missed.
func (l source) deletions() source {
	return source{
		resource: l.resource, list: documentOf("destroyed"), path: []string{"events"}, size: destroyedSize,
		filter: "action:destroy subject_type:" + l.subject, dated: "created_at",
	}
}

// pullGone reads what was deleted in a window.
func (c *Connector) pullGone(ctx context.Context, l source, cur cursor) (connectors.Page, error) {
	events := l.deletions()
	ch, err := c.chunk(ctx, events, events.list, cur)
	if fields, ok := denied(err); ok && slices.Contains(fields, events.path[0]) {
		c.client.versions.warn("the app may not read the shop's events: what was deleted is only found by sweeps")
		return c.page(ctx, l, cur, nil)
	}
	if err != nil {
		return connectors.Page{}, err
	}
	var records []intake.Record
	for _, r := range ch.rows {
		if id := destroyedBy(r, l.subject, cur); id != "" {
			records = append(records, intake.Missing(intake.Ref{Kind: intake.KindOf(l.resource), ID: id}))
		}
	}
	return c.onward(ctx, l, cur, ch, records)
}

// destroyedBy returns the id of what an event says was deleted; "" where it
// says something else. What is told to be gone leaves the books, so each part
// of the search is checked again.
func destroyedBy(r row, subject string, cur cursor) string {
	var e struct {
		Action  scalar `json:"action"`
		Created scalar `json:"createdAt"`
		Subject scalar `json:"subjectId"`
		Type    scalar `json:"subjectType"`
	}
	if json.Unmarshal(r.raw, &e) != nil || !strings.EqualFold(e.Action.trimmed(), "destroy") || !strings.EqualFold(e.Type.trimmed(), subject) {
		return ""
	}
	if at, err := e.Created.instant(); err != nil || at.Unix() < cur.Since {
		return ""
	}
	return e.Subject.ref()
}
