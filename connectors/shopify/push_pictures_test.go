package shopify

import (
	"net/http"
	"path"
	"slices"
	"strings"
	"testing"

	"comptoir/connectors"
	"comptoir/erp/intake"
)

// namesOf are the names of the pictures that a product has, in their order. The
// shop has copied them, so their addresses are its own.
func namesOf(t *testing.T, c *Connector, ref intake.Ref) (names, addresses []string) {
	t.Helper()
	recs, err := c.Fetch(t.Context(), []intake.Ref{ref})
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range recs[0].Body.(*intake.Product).Images {
		names, addresses = append(names, path.Base(address)), append(addresses, address)
	}
	return names, addresses
}

func photo(name string) string { return "https://pictures.example/" + name }

func TestPicturesAreCopiedKeptOrderedAndRemoved(t *testing.T) {
	_, c, way := pushed(t)
	fresh := newProduct("k1", "Tableau")
	fresh.Changes = append(fresh.Changes, intake.Change{Field: intake.FieldImages, To: intake.List([]string{photo("a.jpg"), photo("b.jpg")})})
	made := edit(t, c, fresh)[0]
	if made.Result != intake.Done || made.Why != "" {
		t.Fatalf("%s %s", made.Result, made.Why)
	}
	names, own := namesOf(t, c, made.Ref)
	if got := strings.Join(names, " "); got != "a.jpg b.jpg" {
		t.Fatalf("made with %s", got)
	}
	for i, step := range []struct {
		to    []string
		want  string
		added bool
	}{
		{[]string{photo("c.jpg"), own[1]}, "c.jpg b.jpg", true}, // one new before one that stays
		{[]string{}, "", false},
		{[]string{photo("d.jpg"), photo("e.jpg"), photo("f.jpg")}, "d.jpg e.jpg f.jpg", true},
	} {
		before := way.times("pictures_add")
		e := change(made.Ref, "images", intake.List(step.to), "title", "Tableau "+step.want)
		e.Key = "step" + string(rune('a'+i))
		o := edit(t, c, e)[0]
		names, _ := namesOf(t, c, made.Ref)
		if got := strings.Join(names, " "); o.Result != intake.Done || got != step.want || (way.times("pictures_add") > before) != step.added {
			t.Errorf("%v: %s %s, and the product has %q", step.to, o.Result, o.Why, got)
		}
		if body, _ := o.Records[0].Body.(*intake.Product); strings.TrimSpace(body.Title) != strings.TrimSpace("Tableau "+step.want) || len(body.Images) != len(step.to) {
			t.Errorf("%v: the record states %+v", step.to, body)
		}
	}
	_, own = namesOf(t, c, made.Ref)
	slices.Reverse(own)
	turned := edit(t, c, change(made.Ref, "images", intake.List(own)))[0]
	if names, _ := namesOf(t, c, made.Ref); turned.Result != intake.Done || strings.Join(names, " ") != "f.jpg e.jpg d.jpg" {
		t.Errorf("turned round: %s, %v", turned.Why, names)
	}
}

// The answer is lost after the shop has copied the pictures: it does not copy
// them again.
func TestPicturesAreCopiedOnce(t *testing.T) {
	shop, c, way := pushed(t)
	ref := intake.Ref{Kind: intake.KindProduct, ID: shop.IDs(intake.Products)[0]}
	e := change(ref, "images", intake.List([]string{photo("a.jpg"), photo("b.jpg")}))
	e.Key = "k1"
	way.after = func(op string, res *http.Response) *http.Response {
		if op == "pictures_add" {
			return nil
		}
		return res
	}
	if _, err := c.PushEdits(t.Context(), "k", []intake.Edit{e}); connectors.ClassOf(err) != connectors.Transient {
		t.Fatalf("%v", err)
	}
	way.after = nil
	o := edit(t, c, e)[0]
	if names, _ := namesOf(t, c, ref); o.Result != intake.Done || strings.Join(names, " ") != "a.jpg b.jpg" || way.times("pictures_add") != 1 {
		t.Errorf("%s %s: the product has %v after %v", o.Result, o.Why, names, way.ops)
	}
}

// A picture that cannot be fetched is no reason to lose the others, and is said.
func TestPictureThatCannotBeFetched(t *testing.T) {
	pictures := func(status string) string {
		return `{"product":{"metafield":{"value":"k1"},"media":{"nodes":[
			{"id":"gid://shopify/Video/1","status":"PROCESSING"},
			{"id":"gid://shopify/MediaImage/2","status":"` + status + `","image":null}],"pageInfo":{"hasNextPage":false}}}}`
	}
	said := stockAnswers{"product_pictures": {pictures("PROCESSING"), pictures("PROCESSING"), pictures("UPLOADED"), pictures("FAILED")}}
	c := said.connector(t)
	c.cfg.RetryWait = 1
	e := change(intake.Ref{Kind: intake.KindProduct, ID: "9"}, "images", intake.List([]string{photo("a.jpg")}))
	e.Key = "k1"
	outcomes, err := c.PushEdits(t.Context(), "k", []intake.Edit{e})
	if err != nil || outcomes[0].Result != intake.Refused || !strings.Contains(outcomes[0].Why, "could not fetch") {
		t.Errorf("%+v, %v", outcomes, err)
	}
	for _, bad := range []string{`["ftp://x.example/a.jpg"]`, `["a.jpg"]`, `[`} {
		if _, can := c.Express(intake.KindProduct, intake.FieldImages, bad); can {
			t.Errorf("%s can be written", bad)
		}
	}
}
