package rest

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"

	"comptoir/connectors"
)

// StatusError is an answer other than 200 to 299.
type StatusError struct {
	Status int
	Header http.Header
	Body   []byte
	// Location is where a redirect points, without its query; else "".
	Location string
}

func (e *StatusError) Error() string {
	msg := strings.TrimSpace(fmt.Sprintf("the shop answered %d %s", e.Status, http.StatusText(e.Status))) // not each has a text
	if e.Location != "" {
		msg += " and points to " + e.Location
	}
	return msg
}

// refused returns the error for an answer that is no success.
func (c *Client) refused(op string, res *http.Response, body []byte) *connectors.Error {
	cause := &StatusError{Status: res.StatusCode, Header: res.Header, Body: body}
	class, fix := connectors.Transient, ""
	switch status := cause.Status; {
	case status >= 300 && status < 400:
		class = connectors.Denied
		cause.Location = target(res)
		fix = "redirects are not followed, since they lose the credentials; put the address that the shop points to into url"
	case status == http.StatusUnauthorized, status == http.StatusForbidden, status == http.StatusPaymentRequired, status == http.StatusLocked:
		class = connectors.Denied
	case status == http.StatusTooManyRequests,
		status == http.StatusServiceUnavailable && res.Header.Get("Retry-After") != "":
		class = connectors.Throttled
	case status == http.StatusRequestTimeout, status == http.StatusTooEarly, status >= 500:
	default:
		class = connectors.Rejected
	}
	err := c.Fail(class, op, cause, fix)
	err.RetryAfter = RetryAfter(res.Header, c.opts.Now())
	return err
}

// target returns where a redirect points, whole and without its query, which
// may repeat a secret.
func target(res *http.Response) string {
	to, err := url.Parse(res.Header.Get("Location"))
	if err != nil || to.String() == "" {
		return ""
	}
	if res.Request != nil && res.Request.URL != nil {
		to = res.Request.URL.ResolveReference(to)
	}
	return shown(to.String())
}

// failed returns the error for a request that got no answer.
func (c *Client) failed(op, address string, err error) *connectors.Error {
	err = bare(err)
	host := address
	if u, parseErr := url.Parse(address); parseErr == nil {
		host = u.Host
	}
	class, fix := connectors.Transient, ""
	switch advice, ours := misconfigured(err); {
	case ours:
		class, fix = connectors.Denied, advice
	case errors.Is(err, ErrTooLarge):
		class = connectors.Rejected // the others may be of a usual size
		fix = "no page of a shop is that large: look at what the address answers in a browser; or raise max_body, or lower page_size"
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET):
		err = fmt.Errorf("the connection ended in the middle of the answer (%w)", err)
		fix = "if it stays so, the reason is in the error log of the shop's server, or in a proxy or firewall before it; lower page_size to ask for less at once"
	case errors.Is(err, ErrTimeout):
		err = fmt.Errorf("%w (%v)", ErrTimeout, c.opts.Timeout)
		fix = "if it stays so, look at the load of the shop's server, raise timeout, or lower page_size"
	case errors.As(err, new(*net.DNSError)):
		fix = "check the spelling of url, and the name service of this machine"
	case errors.Is(err, syscall.ECONNREFUSED):
		fix = "check that the shop is up, and that url has the right port"
	}
	return c.Fail(class, op, fmt.Errorf("%s: %w", host, flat(err)), fix)
}

// bare takes off net/http's own wrapper, which repeats the address with its
// query.
func bare(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}

// flat keeps an error of the network from being taken for the end of the
// caller's context: net's own time-outs claim to be that.
func flat(err error) error {
	if connectors.Ended(err) {
		return errors.New(err.Error())
	}
	return err
}

// misconfigured reports whether err will stay until somebody changes
// something, and what.
func misconfigured(err error) (advice string, ours bool) {
	var (
		invalid   x509.CertificateInvalidError
		host      x509.HostnameError
		authority x509.UnknownAuthorityError
		record    tls.RecordHeaderError
		verify    *tls.CertificateVerificationError
	)
	const after = ", then run: comptoir check"
	switch {
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "the shop's TLS certificate has expired or is not valid yet: renew it where the shop is hosted (and check that the date of this machine is right)" + after, true
	case errors.As(err, &host):
		return "the shop's TLS certificate was made for another name: correct the host name in url, or have the certificate reissued" + after, true
	case errors.As(err, &authority):
		return "the shop's TLS certificate was not issued by an authority that this machine trusts: install the full certificate chain on the shop's server, or add your own authority to this machine" + after, true
	case errors.As(err, &invalid), errors.As(err, &verify):
		return "the shop's TLS certificate is not valid: have it renewed where the shop is hosted" + after, true
	case errors.As(err, &record), strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return "the shop does not speak https at this address: correct the scheme or the port in url" + after, true
	case strings.Contains(err.Error(), "unsupported protocol scheme"):
		return "url must begin with https:// or http://" + after, true
	}
	return "", false
}
