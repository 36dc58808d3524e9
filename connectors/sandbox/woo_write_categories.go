package sandbox

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
)

// categoryKinds are the types that the platform checks.
func categoryKinds() kinds {
	return kinds{"name": "string", "slug": "string", "description": "string", "parent": "integer", "menu_order": "integer"}
}

func (c *call) categoryRoom() *room {
	s := c.s
	// That one is not there shows when rights are checked, and in a batch they
	// are not: there it fails for what comes first.
	find := func(id int64, inBatch *reply) (*category, *reply) {
		k := s.category(id)
		switch {
		case k != nil:
			return k, nil
		case c.many:
			return nil, inBatch
		default:
			return nil, failure(http.StatusNotFound, "woocommerce_rest_term_invalid", "Resource does not exist.")
		}
	}
	return &room{
		kinds: categoryKinds(), required: []string{"name"}, batches: true,
		make: func(p params) (any, *reply) {
			if refused := s.termTaken(p); refused != nil {
				return nil, refused
			}
			k := s.newCategory(p.text("name"))
			k.slug = s.termSlug(k, cmp.Or(p.text("slug"), p.text("name")))
			s.writeCategory(k, p)
			return k, nil
		},
		change: func(id int64, p params) (any, *reply) {
			k, refused := find(id, failure(http.StatusInternalServerError, "invalid_taxonomy", "Invalid taxonomy."))
			if refused != nil {
				return nil, refused
			}
			if refused = s.termRefused(k, p); refused != nil {
				return nil, refused
			}
			if p.has("slug") {
				k.slug = slug(p.text("slug"))
			}
			s.writeCategory(k, p)
			return k, nil
		},
		remove: func(id int64, force bool) (any, *reply) {
			k, refused := find(id, undeletable("The resource cannot be deleted."))
			switch {
			case refused != nil:
				return nil, refused
			case !force:
				return nil, noTrash()
			case k == s.categories[0]:
				return nil, undeletable("Default product category cannot be deleted.")
			}
			s.dropCategory(k)
			return k, nil
		},
		write: func(e *encoder, of any) { e.writeCategory(of.(*category), s.products) },
	}
}

// undeletable refuses to delete, without saying more than that.
func undeletable(message string) *reply {
	return failure(http.StatusInternalServerError, "woocommerce_rest_cannot_delete", message)
}

// termTaken refuses a category whose name another has under the same parent,
// and one under a parent that is not there.
func (s *Shop) termTaken(p params) *reply {
	if refused := s.termRefused(nil, p); refused != nil {
		return refused
	}
	for _, k := range s.categories {
		if k.name == termName(p.text("name")) && k.parent == p.whole("parent") && (!p.has("slug") || slug(p.text("slug")) == k.slug) {
			var e encoder
			e.open('{')
			e.str("code", "term_exists")
			e.str("message", "A term with the name provided already exists with this parent.")
			e.object("data", func() {
				e.int("status", http.StatusBadRequest)
				e.int("resource_id", k.id)
			})
			e.close('}')
			return jsonReply(http.StatusBadRequest, e.b)
		}
	}
	return nil
}

// termRefused refuses a parent that is not there, or that is below the category
// itself, and a slug that another has.
func (s *Shop) termRefused(own *category, p params) *reply {
	if up := p.whole("parent"); up != 0 && s.category(up) == nil {
		return failure(http.StatusBadRequest, "missing_parent", "Parent term does not exist.")
	}
	if own == nil {
		return nil
	}
	for _, k := range s.categories {
		if wanted := slug(p.text("slug")); k != own && wanted != "" && k.slug == wanted {
			return failure(http.StatusBadRequest, "duplicate_term_slug", "The slug &#8220;"+wanted+"&#8221; is already in use by another term.")
		}
	}
	return nil
}

// termSlug is a slug that no other category has.
func (s *Shop) termSlug(own *category, wanted string) string {
	base := cmp.Or(slug(wanted), text(own.id))
	for n, try := int64(2), base; ; n, try = n+1, base+"-"+text(n) {
		if !slices.ContainsFunc(s.categories, func(k *category) bool { return k != own && k.slug == try }) {
			return try
		}
	}
}

// termName is a name as the platform keeps it.
func termName(v string) string {
	return strings.NewReplacer("&amp;", "&amp;", "&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(strings.TrimSpace(v))
}

// isBelow reports whether the category with an id is another, or below it.
func (s *Shop) isBelow(id int64, other *category) bool {
	seen := map[int64]bool{}
	for k := s.category(id); k != nil && !seen[k.id]; k = s.category(k.parent) {
		if seen[k.id] = true; k == other {
			return true
		}
	}
	return false
}

// writeCategory changes what a request names of a category. One that is put
// below itself becomes a root, without a word.
func (s *Shop) writeCategory(k *category, p params) {
	if p.has("name") {
		k.name = termName(p.text("name"))
	}
	set(p, "description", &k.description)
	if p.has("menu_order") {
		k.position = int(p.whole("menu_order"))
	}
	if p.has("parent") {
		k.parent = p.whole("parent")
		if s.isBelow(k.parent, k) {
			k.parent = 0
		}
	}
	k.modified = s.now()
	s.happened(CategoryEdited, k.id)
}
