package woocommerce

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"path"
	"strings"

	"comptoir/connectors"
	"comptoir/connectors/rest"
)

// foreignError is an answer that does not come from the API.
type foreignError struct {
	Status int
	err    error
}

func (e *foreignError) Error() string { return e.err.Error() }
func (e *foreignError) Unwrap() error { return e.err }

// foreign returns the error for an answer of 200 that is not JSON. It is
// Transient: a plugin or a maintenance page may be in the way for a while.
func (c *client) foreign(op string, status int, err error) error {
	return c.rest.Fail(connectors.Transient, op, &foreignError{status, err},
		"open the address in a browser: a maintenance page, a security plugin, a login page or a PHP notice (set WP_DEBUG_DISPLAY to false) stands before the data")
}

// spokeJSON reports whether the API itself has answered.
func spokeJSON(err error) bool {
	var api *apiError
	return errors.As(err, &api)
}

// apiError is an error that the API states: {code, message, data}.
type apiError struct {
	*rest.StatusError
	Code    string
	Message string
}

func (e *apiError) Error() string {
	return fmt.Sprintf("the shop answered %d %s: %s", e.Status, e.Code, e.Message)
}

func (e *apiError) Unwrap() error { return e.StatusError }

// parseError reads an error of the API out of an answer.
func parseError(body []byte) (code, message string, ok bool) {
	text, err := clean(body)
	if err != nil {
		return "", "", false
	}
	var e struct {
		Code    scalar `json:"code"`
		Message scalar `json:"message"`
	}
	if json.Unmarshal(text, &e) != nil || e.Code.text == "" {
		return "", "", false
	}
	return e.Code.text, html.UnescapeString(strings.TrimSpace(e.Message.text)), true
}

// refusal reports whether an error of the server is one that WooCommerce has
// thought about: it answers some refusals with a 500.
func refusal(_ int, body []byte) bool {
	code, _, ok := parseError(body)
	return ok && strings.HasPrefix(code, "woocommerce_rest_")
}

// barred reports whether something before the shop refuses, not the shop.
// Firewalls do so now and then to one request of many.
func barred(status int, body []byte) bool {
	_, _, ok := parseError(body)
	return !ok && (status == http.StatusForbidden || status == http.StatusNotAcceptable)
}

// noRoute reports whether the shop does not know the route.
func noRoute(err error) bool {
	var api *apiError
	return errors.As(err, &api) && api.Code == "rest_no_route"
}

// absent reports whether the shop says that it does not have the record. A
// page that is missing for another reason does not say so.
func absent(err error) bool {
	var api *apiError
	if !errors.As(err, &api) || api.Status != http.StatusNotFound && api.Status != http.StatusGone {
		return false
	}
	return strings.HasPrefix(api.Code, "woocommerce_rest_") || strings.HasPrefix(api.Code, "wc_")
}

// invalid reports whether the shop does not understand the question.
func invalid(err error) bool {
	var status *rest.StatusError
	return errors.As(err, &status) && status.Status == http.StatusBadRequest
}

// explain puts an error of the transport into the words of this platform.
func (c *client) explain(ctx context.Context, q question, err error) error {
	var e *connectors.Error
	if !errors.As(err, &e) || ctx.Err() != nil {
		return err
	}
	var status *rest.StatusError
	if !errors.As(err, &status) {
		return e
	}
	if status.Location != "" {
		e.Fix = fmt.Sprintf("redirects are not followed, since they lose the key: set url to %q, then run: comptoir check", siteOf(status.Location, q.route))
		return e
	}
	if code, message, ok := parseError(status.Body); ok {
		e.Err = c.rest.Fail(e.Class, q.op, &apiError{status, code, message}, "").Err
	} else {
		e.Err = c.rest.Fail(e.Class, q.op, &foreignError{status.Status, fmt.Errorf("%w, not as JSON, but as %s", status, quote(bytes.TrimSpace(status.Body)))}, "").Err
	}
	c.judge(e, q.method)
	return e
}

// judge gives an answer of the shop its class and its advice.
func (c *client) judge(e *connectors.Error, method string) {
	var api *apiError
	var status *rest.StatusError
	_ = errors.As(e, &status)
	isAPI := errors.As(e, &api)
	_, proven := c.current()
	switch {
	case isAPI && api.Code == "rest_no_route":
		e.Class = connectors.Denied
		e.Fix = "WordPress answers, but has no WooCommerce API here: activate WooCommerce, bring it up to date, and check url; then run: comptoir check"
	case isAPI && status.Status == http.StatusUnauthorized && strings.Contains(strings.ToLower(api.Message), "timestamp"):
		e.Fix = "the signature is refused because the clocks of the shop and of this machine differ by more than 15 minutes: set them right"
	case method != http.MethodGet && (status.Status == http.StatusUnauthorized || isAPI && status.Status == http.StatusForbidden):
		e.Class = connectors.Denied
		e.Fix = "the key may read, but not change the shop: give it the permission Read/Write, and its user the role of administrator or shop manager, " +
			"under WooCommerce, Settings, Advanced, REST API; or switch pushing off for this shop"
	case status.Status == http.StatusUnauthorized || isAPI && status.Status == http.StatusForbidden:
		e.Class = connectors.Denied
		e.Fix = "Either the key and its secret are wrong or were deleted, or the key or its user may not read this; WooCommerce does not say which. " +
			"Make a key with read access for an administrator or shop manager: WooCommerce, Settings, Advanced, REST API. " +
			"Put it into consumer_key and consumer_secret."
		if c.cfg.overHTTP() {
			e.Fix += " Over plain http only auth: oauth1 is heard."
		}
		e.Fix += " Then run: comptoir check"
	case barred(status.Status, status.Body):
		e.Class = connectors.Denied
		e.Fix = "something before the shop (a firewall, a security plugin, the host) refuses this machine: have its address allowed"
	case isAPI && status.Status >= 500 && refusal(status.Status, status.Body):
		e.Class = connectors.Rejected
	case !isAPI && status.Status == http.StatusNotFound && proven:
		e.Class = connectors.Transient // it was there a moment ago
	case !isAPI && status.Status == http.StatusNotFound:
		e.Class = connectors.Denied
		e.Fix = "there is no WooCommerce API at this address: correct url, then run: comptoir check"
	case status.Status >= 500 && e.Fix == "":
		e.Fix = "if it stays so, the reason is in the error log of the shop's server"
	}
}

// siteOf returns the address of a shop from where a request was sent to.
func siteOf(location, route string) string {
	u, err := url.Parse(location)
	if err != nil {
		return location
	}
	u.Path = strings.TrimSuffix(strings.TrimSuffix(path.Clean("/"+u.Path), route), "/wp-json")
	u.Path = strings.TrimSuffix(u.Path, "/")
	return u.String()
}
