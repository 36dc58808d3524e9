package sandbox

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Fault is a way to misbehave, and when.
type Fault struct {
	// Name is one of FaultNames.
	Name string
	// Path limits the fault to requests whose API path contains it, such as
	// "/orders". Empty: every request.
	Path string
	// After lets so many matching requests pass first.
	After int
	// Count ends the fault after so many hits. Zero: it lasts until Behave.
	Count int
	// Chance is how likely a matching request is hit, from 0 to 1. Zero means
	// always.
	Chance float64
	// RetryAfter is what 429 and 503 ask for. Zero: they ask for nothing.
	RetryAfter time.Duration
	// Delay is how long "slow" takes for a body, and "late" for a first byte.
	// Zero means two seconds.
	Delay time.Duration
	// Writes lets requests pass that only read.
	Writes bool
	// Skew is by how much the clock is off under "skew". Zero means a day
	// behind.
	Skew time.Duration
}

// FaultName is a fault with one line of help.
type FaultName struct{ Name, Help string }

// FaultNames lists the faults that there are.
func FaultNames() []FaultName {
	return []FaultName{
		{"429", "too many requests; with retry-after=N it names the seconds to wait"},
		{"403", "a firewall's HTML page with status 403"},
		{"500", "an HTML error page with status 500"},
		{"502", "a proxy's HTML page with status 502"},
		{"503", "a maintenance page with status 503; retry-after=N works here too"},
		{"late", "the first byte comes after delay=2s"},
		{"slow", "the body drips over delay=2s"},
		{"cut", "the connection ends in the middle of the body"},
		{"hang", "no answer at all until the client gives up"},
		{"endless", "a body that never ends"},
		{"notice", "a PHP notice stands before the JSON"},
		{"bom", "a byte order mark and blank lines stand before the JSON"},
		{"html", "an HTML page with status 200 instead of JSON"},
		{"gzip", "the body is compressed, and no header says so"},
		{"redirect", "301 to another host"},
		{"retired-key", "401, as if the key had been revoked"},
		{"duplicate", "each page repeats its first row at its end"},
		{"reorder", "the rows of each page come in another order"},
		{"drift", "after each page its first row changes, and so moves to the end of what is sorted by change"},
		{"answer-lost", "what was asked for is done, and the connection ends without an answer; of requests that change something"},
		{"answer-hang", "what was asked for is done, and no answer comes until the client gives up; of requests that change something"},
		{"sale", "WooCommerce: after each page of products or variations a unit of one of them is sold"},
		{"hook-lost", "a webhook is never sent; path=TOPIC: of this topic"},
		{"hook-twice", "a webhook is sent twice"},
		{"hook-late", "a webhook is sent delay=2s late, on the shop's clock"},
		{"hook-shuffled", "a webhook changes places with another that waits"},
		{"hook-unsigned", "a webhook has no signature, or a wrong one"},
		{"skew", "the Date header is off by skew=-24h"},
		{"frozen", "Shopify: 402, the merchant has not paid"},
		{"locked", "Shopify: 423, the shop is closed for the time being"},
		{"forbidden", "Shopify: 403, the merchant must approve a right"},
		{"430", "Shopify: 430, the request looks like an attack"},
		{"token-end", "Shopify: 401, the access token has ended; a new one is good"},
		{"throttled", "Shopify: the bucket of points is dry"},
		{"error-beside", "Shopify: an error stands beside the data"},
		{"internal", "Shopify: an internal error in place of the data, with status 200"},
		{"denied", "Shopify: protected customer data is null, with an error for each"},
		{"old-version", "Shopify: the oldest version of the API answers, without a word"},
		{"deprecated", "Shopify: a header says that a field is deprecated"},
		{"new-status", "Shopify: the status of orders has a value that nobody knows"},
		{"busy-key", "Shopify: another request with the same idempotency key is still being processed"},
		{"key-forgotten", "Shopify: idempotency keys are taken and not remembered, so that what comes twice is done twice"},
		{"bulk-failed", "Shopify: bulk operations end with an error and half of the data"},
		{"bulk-expired", "Shopify: bulk operations end without a file"},
		{"bulk-short", "Shopify: the files of bulk operations lack a tenth of their lines"},
		{"bulk-cut", "Shopify: the file of a bulk operation breaks off half-way"},
		{"bulk-stuck", "Shopify: bulk operations go no further; count=N: for so many polls"},
		{"bulk-full", "Shopify: other bulk operations take all room"},
	}
}

// ParseFault reads a fault from its name and settings, separated by colons:
// "429:count=3:retry-after=2", "cut:path=/orders:chance=0.1", "skew:skew=-24h".
// Durations without a unit are in seconds.
func ParseFault(text string) (Fault, error) {
	parts := strings.Split(text, ":")
	f := Fault{Name: strings.TrimSpace(parts[0])}
	known := FaultNames()
	if !slices.ContainsFunc(known, func(n FaultName) bool { return n.Name == f.Name }) {
		names := make([]string, len(known))
		for i, n := range known {
			names[i] = n.Name
		}
		return Fault{}, fmt.Errorf("fault %q is not known: use one of %s", f.Name, strings.Join(names, ", "))
	}
	for _, part := range parts[1:] {
		key, value, _ := strings.Cut(part, "=")
		if err := f.set(key, value); err != nil {
			return Fault{}, fmt.Errorf("fault %s: %q: %w", f.Name, part, err)
		}
	}
	return f, nil
}

func (f *Fault) set(key, value string) error {
	var err error
	switch key {
	case "path":
		f.Path = value
	case "after":
		f.After, err = count(value)
	case "count":
		f.Count, err = count(value)
	case "chance":
		f.Chance, err = strconv.ParseFloat(value, 64)
		if err != nil || !(f.Chance > 0 && f.Chance <= 1) {
			err = errors.New("use a number above 0 and up to 1")
		}
	case "retry-after":
		f.RetryAfter, err = span(value)
	case "delay":
		f.Delay, err = span(value)
	case "skew":
		f.Skew, err = duration(value)
	case "writes":
		f.Writes, err = strconv.ParseBool(value)
	default:
		err = errors.New("use path, after, count, chance, retry-after, delay, skew or writes")
	}
	return err
}

func count(v string) (int, error) {
	n, err := strconv.Atoi(v)
	if err != nil || n < 0 {
		return 0, errors.New("use a whole number from 0")
	}
	return n, nil
}

// span is a duration that is not negative.
func span(v string) (time.Duration, error) {
	d, err := duration(v)
	if err == nil && d < 0 {
		err = errors.New("use 0s or more")
	}
	return d, err
}

func duration(v string) (time.Duration, error) {
	if n, err := strconv.Atoi(v); err == nil {
		return time.Duration(n) * time.Second, nil
	}
	d, err := time.ParseDuration(v)
	if err != nil {
		return 0, errors.New("use a number of seconds, or a time such as 500ms or 2m")
	}
	return d, nil
}

// Misbehave starts a fault. Several may be active: those that change an answer
// add up, and of those that replace it the first one wins.
func (s *Shop) Misbehave(f Fault) {
	s.door.lock.Lock()
	defer s.door.lock.Unlock()
	s.door.faults = append(s.door.faults, &activeFault{Fault: f})
}

// Behave ends all faults.
func (s *Shop) Behave() {
	s.door.lock.Lock()
	defer s.door.lock.Unlock()
	s.door.faults = nil
}

// Hits returns how many requests a fault has hit since it started, by name.
func (s *Shop) Hits() map[string]int {
	s.door.lock.Lock()
	defer s.door.lock.Unlock()
	hits := map[string]int{}
	for _, f := range s.door.faults {
		hits[f.Name] += f.hit
	}
	return hits
}

type activeFault struct {
	Fault
	seen, hit int
}

// hits is what happens to one request.
type hits struct {
	instead                   *Fault // replaces the answer
	body                      *Fault // spoils how the body is sent
	notice, bom, gzip         bool
	duplicate, reorder, drift bool
	sale                      bool   // a unit of a row of the page
	unheard                   *Fault // the answer does not arrive
	shopifyHits
	skew time.Duration
	late time.Duration
}

// strike decides which faults hit a request.
func (d *door) strike(path string, writes bool) hits {
	d.lock.Lock()
	defer d.lock.Unlock()
	var h hits
	for _, f := range d.faults {
		if strings.HasPrefix(f.Name, hookFault) || !strings.Contains(path, f.where()) || f.Count > 0 && f.hit >= f.Count || f.spares(writes) {
			continue
		}
		f.seen++
		if f.seen <= f.After || f.Chance > 0 && f.Chance < 1 && !d.chance.in(int(f.Chance*1000)) {
			continue
		}
		if h.add(&f.Fault) {
			f.hit++
		}
	}
	return h
}

// add reports whether the fault takes effect beside those before it.
func (h *hits) add(f *Fault) bool {
	switch f.Name {
	case "skew":
		h.skew = f.Skew
		if f.Skew == 0 {
			h.skew = -24 * time.Hour
		}
	case "late":
		h.late += f.wait()
	case "notice":
		h.notice = true
	case "bom":
		h.bom = true
	case "gzip":
		h.gzip = true
	case "duplicate":
		h.duplicate = true
	case "reorder":
		h.reorder = true
	case "drift":
		h.drift = true
	case "sale":
		h.sale = true
	case "answer-lost", "answer-hang":
		if h.unheard != nil {
			return false
		}
		h.unheard = f
	case "slow", "cut", "bulk-cut":
		if h.body != nil {
			return false
		}
		h.body = f
	default:
		if h.shopifyHits.add(f.Name) {
			return true
		}
		if h.instead != nil {
			return false
		}
		h.instead = f
	}
	return true
}

// spares reports whether the fault lets a request pass for what it does.
func (f *Fault) spares(writes bool) bool {
	return !writes && (f.Writes || f.Name == "answer-lost" || f.Name == "answer-hang")
}

func (f *Fault) wait() time.Duration {
	if f.Delay == 0 {
		return 2 * time.Second
	}
	return f.Delay
}

// rearranged repeats or reverses the rows of a page.
func rearranged[T any](h *hits, page []T) []T {
	if len(page) == 0 || !h.duplicate && !h.reorder {
		return page
	}
	page = slices.Clone(page)
	if h.reorder {
		slices.Reverse(page)
	}
	if h.duplicate {
		page = append(page, page[0])
	}
	return page
}

// drift changes a record that was just served.
func (s *Shop) drift(of any) {
	s.clock = s.clock.Add(time.Second)
	switch r := of.(type) {
	case *order:
		s.edit(r, s.dice(dieChange, s.now()))
	case *product:
		s.editProduct(r)
	case *variant:
		r.touch(s.now())
		s.changed()
	case *coupon:
		s.editCoupon(r)
	}
}

// substitute is the answer that a fault gives in place of the shop's.
func (f *Fault) substitute(s *Shop, r *http.Request) *reply {
	var a *reply
	if s.shopify != nil {
		a = s.shopify.substitute(f, r)
	}
	if a == nil {
		a = f.common(r)
	}
	if a != nil && f.RetryAfter > 0 && (f.Name == "429" || f.Name == "503") {
		a.header.Set("Retry-After", strconv.Itoa(int((f.RetryAfter+time.Second-1)/time.Second)))
	}
	return a
}

// common is the substitute where the platform has none of its own.
func (f *Fault) common(r *http.Request) *reply {
	var a *reply
	switch f.Name {
	case "429":
		a = failure(http.StatusTooManyRequests, "too_many_requests", "Too many requests.")
	case "403":
		a = htmlReply(http.StatusForbidden, "Access denied", "Your request was blocked by the firewall. Ray ID: 0000example")
	case "500":
		a = htmlReply(http.StatusInternalServerError, "Erreur", "Il y a eu une erreur critique sur ce site.")
	case "502":
		a = htmlReply(http.StatusBadGateway, "502 Bad Gateway", "nginx")
	case "503":
		a = htmlReply(http.StatusServiceUnavailable, "Maintenance", "Briefly unavailable for scheduled maintenance. Check back in a minute.")
	case "html":
		a = htmlReply(http.StatusOK, "Un instant", "Vérification de votre navigateur.")
	case "retired-key":
		a = cannotView()
	case "redirect":
		a = htmlReply(http.StatusMovedPermanently, "Moved Permanently", "The document has moved.")
		a.header.Set("Location", "https://www.elsewhere.example.test"+r.URL.RequestURI())
	}
	return a
}

const phpNotice = "<br />\n<b>Notice</b>:  Undefined index: tax in <b>/var/www/html/wp-content/plugins/example/example.php</b> on line <b>42</b><br />\n"

// spoil changes the body of an answer.
func (h *hits) spoil(body []byte) []byte {
	if h.notice {
		body = append([]byte(phpNotice), body...)
	}
	if h.bom {
		body = append([]byte("\xef\xbb\xbf\r\n\n"), body...)
	}
	if h.gzip {
		var z bytes.Buffer
		w := gzip.NewWriter(&z)
		w.Write(body) // into memory: cannot fail
		w.Close()
		body = z.Bytes()
	}
	return body
}
