package sandbox

// By what collections are filled: by hand, or by a rule.

// source is where the products of a collection come from: a selection by hand,
// or a condition. Until 2026-04 a rule set says the same of a condition.
type source struct{ of *category }

// condition is that of a collection that is filled by a rule: its products
// have a tag.
type condition struct{ of *category }

func sourceTypes() []gqlType {
	return []gqlType{
		{name: "Collection", fields: gqlFields{
			"sources": gqlList("CollectionSource", func(_ *gqlRun, k *category) []source { return []source{{k}} }),
			"ruleSet": gqlObject("CollectionRuleSet", func(_ *gqlRun, k *category) condition {
				if k.ruled {
					return condition{k}
				}
				return condition{}
			}),
		}},
		{name: "CollectionSource", which: func(any) string { return "CollectionConditionsSource" }},
		{name: "CollectionConditionsSource", is: []string{"CollectionSource"}, fields: gqlFields{
			"id":        gqlID("CollectionConditionsSource", func(_ *gqlRun, s source) int64 { return s.of.id }),
			"title":     gqlText(func(_ *gqlRun, s source) string { return s.of.name }),
			"inclusion": gqlSame("CollectionSourceInclusion"),
		}},
		{name: "CollectionSourceInclusion", fields: gqlFields{
			"conditions": gqlList("CollectionSourceInclusionCondition", func(_ *gqlRun, s source) []condition {
				if s.of.ruled {
					return []condition{{s.of}}
				}
				return nil
			}),
		}},
		{name: "CollectionSourceInclusionCondition", which: func(any) string { return "CollectionSourceInclusionConditionProductTag" }},
		{name: "CollectionSourceInclusionConditionProductTag", is: []string{"CollectionSourceInclusionCondition"}, fields: gqlFields{
			"id":     gqlID("CollectionSourceInclusionConditionProductTag", func(_ *gqlRun, c condition) int64 { return c.of.id }),
			"values": gqlTexts(func(_ *gqlRun, c condition) []string { return []string{c.of.slug} }),
		}},
		{name: "CollectionRuleSet", fields: gqlFields{
			"appliedDisjunctively": gqlBool(func(*gqlRun, condition) bool { return false }),
		}},
	}
}
