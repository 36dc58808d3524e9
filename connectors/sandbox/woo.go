package sandbox

import (
	"html"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
)

// release is a version of the platform.
type release struct{ major, minor int }

func parseRelease(v string) release {
	var r release
	major, rest, _ := strings.Cut(v, ".")
	minor, _, _ := strings.Cut(rest, ".")
	r.major, _ = strconv.Atoi(major)
	r.minor, _ = strconv.Atoi(minor)
	return r
}

func (r release) before(major, minor int) bool {
	return r.major < major || r.major == major && r.minor < minor
}

// reply is an answer before it goes to the network.
type reply struct {
	status int
	header http.Header
	body   []byte
	rows   int      // orders in it, which take their time (see Pace)
	file   *os.File // served in place of the body, whole or in ranges
	size   int64    // bytes of the file that are served
}

const (
	jsonType = "application/json; charset=UTF-8"
	htmlType = "text/html; charset=UTF-8"
)

func jsonReply(status int, body []byte) *reply {
	return &reply{status: status, header: http.Header{"Content-Type": {jsonType}, "X-Robots-Tag": {"noindex"},
		"X-Content-Type-Options": {"nosniff"}}, body: body}
}

func htmlReply(status int, title, text string) *reply {
	page := "<!DOCTYPE html>\n<html lang=\"fr-FR\">\n<head><title>" + html.EscapeString(title) + "</title></head>\n<body><h1>" +
		html.EscapeString(title) + "</h1>\n<p>" + html.EscapeString(text) + "</p></body>\n</html>\n"
	return &reply{status: status, header: http.Header{"Content-Type": {htmlType}}, body: []byte(page)}
}

// failure is an error as the API states it.
func failure(status int, code, message string) *reply {
	var e encoder
	e.open('{')
	e.str("code", code)
	e.str("message", message)
	e.object("data", func() { e.int("status", int64(status)) })
	e.close('}')
	return jsonReply(status, e.b)
}

// invalid is the refusal of a parameter.
func invalid(name, message, code string) *reply { return refuse(name, message, code, "null") }

func invalidType(name, message string) *reply {
	return refuse(name, message, "rest_invalid_type", `{"param":"`+name+`"}`)
}

func refuse(name, message, code, data string) *reply {
	var e encoder
	e.open('{')
	e.str("code", "rest_invalid_param")
	e.str("message", "Invalid parameter(s): "+name)
	e.object("data", func() {
		e.int("status", http.StatusBadRequest)
		e.object("params", func() { e.str(name, message) })
		e.object("details", func() {
			e.object(name, func() {
				e.str("code", code)
				e.str("message", message)
				e.raw("data", data)
			})
		})
	})
	e.close('}')
	return jsonReply(http.StatusBadRequest, e.b)
}

func noRoute() *reply {
	return failure(http.StatusNotFound, "rest_no_route", "No route was found matching the URL and request method.")
}

// call is one request to the API, under the shop's lock once it is allowed in.
type call struct {
	s     *Shop
	r     *http.Request
	path  string // below /wp-json, without a slash at the end
	query url.Values
	body  params // of a request that changes something
	many  bool   // its parts are those of a batch
	hits  hits   // the faults that change the answer
}

// restPath finds the API path that a request names, in either form of
// permalinks; false for a page of the site.
func (s *Shop) restPath(r *http.Request) (string, bool) {
	if route := r.URL.Query().Get(restRouteName); route != "" {
		return strings.TrimSuffix(route, "/"), true
	}
	if s.opt.PlainPermalinks {
		return "", false
	}
	path, ok := strings.CutPrefix(r.URL.Path, apiRoot)
	if !ok || path != "" && path[0] != '/' {
		return "", false
	}
	return strings.TrimSuffix(path, "/"), true
}

// speakWoo is the WooCommerce dialect.
func (s *Shop) speakWoo(r *http.Request) spoken {
	path, api := s.restPath(r)
	said := spoken{path: path, answer: func(h hits) *reply { return s.answer(r, path, api, h) }}
	if writes(r) {
		said.calls = []string{r.Method + " " + withoutIDs(path)}
	}
	return said
}

// answer serves one request.
func (s *Shop) answer(r *http.Request, path string, api bool, h hits) *reply {
	if !api {
		return s.page(r)
	}
	c := &call{s: s, r: r, path: path, query: r.URL.Query(), hits: h}
	var a *reply
	switch {
	case path == "":
		a = c.locked(c.index)
	case strings.HasPrefix(path, wooNamespace+"/") || path == wooNamespace:
		if a = s.authorise(r); a == nil && writes(r) {
			a = c.readBody()
		}
		if a == nil {
			a = c.locked(c.route)
		}
	default:
		a = noRoute()
	}
	if a.header.Get("Link") == "" {
		a.header.Set("Link", "<"+base(r)+s.apiAddress()+`>; rel="https://api.w.org/"`)
	}
	a.header.Set("Access-Control-Expose-Headers", "X-WP-Total, X-WP-TotalPages, Link")
	return a
}

func (s *Shop) apiAddress() string {
	if s.opt.PlainPermalinks {
		return "/index.php?rest_route=/"
	}
	return apiRoot + "/"
}

// page serves what is not the API: the home page, which names the API's
// address, and nothing else.
func (s *Shop) page(r *http.Request) *reply {
	if r.URL.Path != "/" && r.URL.Path != "/index.php" {
		return htmlReply(http.StatusNotFound, "Page non trouvée", "Rien n’a été trouvé à cette adresse.")
	}
	a := htmlReply(http.StatusOK, shopName, "Bienvenue.")
	a.header.Set("Link", "<"+base(r)+s.apiAddress()+`>; rel="https://api.w.org/"`)
	return a
}

func (c *call) locked(f func() *reply) *reply {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	return f()
}

// encoder starts an answer of the API.
func (c *call) encoder() *encoder {
	e := &encoder{b: c.s.door.buffer(), dp: 2, base: base(c.r), zone: c.s.zone, unit: c.s.gramsEach()}
	if fields := many(c.query, "_fields"); len(fields) > 0 {
		e.only = map[string]bool{}
		for _, f := range fields {
			top, _, _ := strings.Cut(f, ".")
			e.only[top] = true
		}
	}
	if dp, err := strconv.Atoi(c.query.Get("dp")); err == nil && dp >= 0 {
		e.dp = min(dp, 20)
	}
	return e
}

// route finds the endpoint: a list, a record of it, or one of the small ones.
func (c *call) route() *reply {
	parts := strings.Split(strings.TrimPrefix(strings.TrimPrefix(c.path, wooNamespace), "/"), "/")
	if writes(c.r) {
		return c.change(parts)
	}
	if a := c.settings(parts); a != nil {
		return a
	}
	for _, n := range []int{len(parts), len(parts) - 1} { // a list, else a record in one
		if n < 1 {
			continue
		}
		col := c.collection(parts[:n])
		if col == nil {
			continue
		}
		if col.missing != nil {
			return col.missing
		}
		if n == len(parts) {
			return c.list(&col.collection)
		}
		if !isID(parts[n]) {
			return noRoute()
		}
		return c.record(col, number(parts[n]))
	}
	return noRoute()
}

func isID(v string) bool { return v != "" && strings.Trim(v, "0123456789") == "" }

// list serves a page.
func (c *call) list(col *collection) *reply {
	q, bad := c.s.readQuery(col, c.query)
	if bad != nil {
		return bad
	}
	page, total := c.s.listing(col, q)
	page = rearranged(&c.hits, page)
	e := c.encoder()
	e.open('[')
	for i := range page {
		col.write(e, &page[i])
	}
	e.close(']')
	a := jsonReply(http.StatusOK, e.b)
	a.header.Set("Allow", "GET, POST")
	c.s.pageHeaders(a.header, col, q, c.path, base(c.r), total)
	if col.name == "orders" {
		a.rows = len(page)
	}
	if c.hits.drift && len(page) > 0 {
		c.s.drift(page[0].of)
	}
	if c.hits.sale {
		c.s.sellOneOf(page)
	}
	return a
}

// record serves one record by id. Trash is answered too.
func (c *call) record(col *endpoint, id int64) *reply {
	l := c.s.rows(&col.collection)
	i, ok := slices.BinarySearchFunc(l.rows, id, func(r row, id int64) int { return compare(r.id, id) })
	if !ok {
		return col.none()
	}
	e := c.encoder()
	col.write(e, &l.rows[i])
	a := jsonReply(http.StatusOK, e.b)
	a.header.Set("Allow", "GET, POST, PUT, PATCH, DELETE")
	return a
}

// index serves /wp-json/: what the site is, its zone and its routes.
func (c *call) index() *reply {
	e := c.encoder()
	_, offset := c.s.clock.In(c.s.zone).Zone()
	e.start()
	e.str("name", shopName)
	e.str("description", "Une boutique dans une boîte")
	e.address("url", "")
	e.address("home", "")
	e.str("gmt_offset", strconv.Itoa(offset/3600))
	e.str("timezone_string", siteZone)
	e.int("page_for_posts", 0)
	e.int("page_on_front", 0)
	e.str("show_on_front", "posts")
	e.raw("namespaces", `["oembed\/1.0","wc\/v1","wc\/v2","wc\/v3","wp\/v2"]`)
	e.raw("authentication", "{}")
	e.object("routes", func() {
		for _, route := range c.s.routes() {
			if !e.key(strings.ReplaceAll(route, "/", `\/`)) {
				continue
			}
			e.open('{')
			e.str("namespace", strings.TrimPrefix(wooNamespace, "/"))
			e.raw("methods", `["GET"]`)
			e.close('}')
		}
	})
	e.object("_links", func() { e.raw("help", `[{"href":"https:\/\/developer.wordpress.org\/rest-api\/"}]`) })
	e.close('}')
	return jsonReply(http.StatusOK, e.b)
}

// routes lists what this version serves.
func (s *Shop) routes() []string {
	routes := []string{"", "/orders", `/orders/(?P<id>[\\d]+)`, `/orders/(?P<order_id>[\\d]+)/refunds`, "/products", "/products/categories",
		`/products/(?P<product_id>[\\d]+)/variations`, "/customers", "/coupons", "/taxes", "/taxes/classes", "/settings/general", "/settings/tax",
		"/payment_gateways", "/shipping/zones", "/shipping_methods", "/system_status"}
	if !s.release.before(9, 0) {
		routes = append(routes, "/refunds")
	}
	if !s.release.before(10, 3) {
		routes = append(routes, "/variations")
	}
	for i := range routes {
		routes[i] = wooNamespace + routes[i]
	}
	return routes
}

const shopName = "Comptoir de l’Exemple"
