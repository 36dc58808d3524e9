package conformance

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"comptoir/connectors"
)

// tap sits on the wire between a connector and its shop.
type tap struct {
	mu sync.Mutex
	n  int // requests so far
	// before, when set, is called ahead of each request with its number from
	// 0. Calls do not overlap.
	before func(n int, req *http.Request)
	// answer, when set, answers instead of next.
	answer func(n int, req *http.Request, next http.RoundTripper) (*http.Response, error)
	// hosts counts the requests to each host.
	hosts map[string]int
}

func (w *tap) wire(next http.RoundTripper) http.RoundTripper {
	return roundTrip(func(req *http.Request) (*http.Response, error) {
		w.mu.Lock()
		n := w.n
		w.n++
		if w.hosts == nil {
			w.hosts = map[string]int{}
		}
		w.hosts[req.URL.Host]++
		if w.before != nil {
			w.before(n, req)
		}
		answer := w.answer
		w.mu.Unlock()
		if err := req.Context().Err(); err != nil {
			return nil, err
		}
		if answer != nil {
			return answer(n, req, next)
		}
		return next.RoundTrip(req)
	})
}

func (w *tap) set(answer func(n int, req *http.Request, next http.RoundTripper) (*http.Response, error)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.n, w.answer = 0, answer
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// wireFault is something that goes wrong between a connector and its shop.
type wireFault struct {
	name string
	// trip answers a request that meets the fault.
	trip func(req *http.Request, next http.RoundTripper, now time.Time) (*http.Response, error)
	// classes are those that an error may have. None: the fault is harmless
	// and must be read over.
	classes []connectors.Class
	// heavy faults take their time: they strike one stream, once.
	heavy bool
	// wait is the least RetryAfter of a Throttled error.
	wait time.Duration
}

func (f wireFault) allows(c connectors.Class) bool {
	for _, want := range f.classes {
		if c == want {
			return true
		}
	}
	return false
}

// elsewhere is the host that a redirect names. No request may go there: it
// would carry the credentials.
const elsewhere = "elsewhere.example"

// endless is more than any connector may hold of one body. Who reads so far
// has no limit, and is given away by errEndless.
const endless = 96 << 20

var errEndless = errors.New("the body was read without a limit")

const page503 = "<!DOCTYPE html><html><head><title>503 Service Unavailable</title></head><body><h1>Briefly unavailable for scheduled maintenance. Check back in a minute.</h1></body></html>"

func wireFaults() []wireFault {
	var (
		transient = []connectors.Class{connectors.Transient}
		throttled = []connectors.Class{connectors.Throttled}
		denied    = []connectors.Class{connectors.Denied}
		// A shop that answers nonsense may recover, or need a person.
		nonsense = []connectors.Class{connectors.Transient, connectors.Denied}
	)
	status := func(code int, contentType, body string, header ...string) func(*http.Request, http.RoundTripper, time.Time) (*http.Response, error) {
		return func(req *http.Request, _ http.RoundTripper, _ time.Time) (*http.Response, error) {
			h := http.Header{"Content-Type": {contentType}}
			for i := 0; i+1 < len(header); i += 2 {
				h.Set(header[i], header[i+1])
			}
			return answer(req, code, h, strings.NewReader(body), int64(len(body))), nil
		}
	}
	broken := func(err error) func(*http.Request, http.RoundTripper, time.Time) (*http.Response, error) {
		return func(*http.Request, http.RoundTripper, time.Time) (*http.Response, error) { return nil, err }
	}
	const html, jsonType = "text/html; charset=UTF-8", "application/json; charset=UTF-8"
	tooMany := `{"code":"too_many_requests","message":"Too many requests","data":{"status":429}}`
	return []wireFault{
		{name: "429 with Retry-After", classes: throttled, wait: 7 * time.Second,
			trip: status(429, jsonType, tooMany, "Retry-After", "7")},
		{name: "429 with Retry-After as a date", classes: throttled, wait: 50 * time.Second,
			trip: func(req *http.Request, _ http.RoundTripper, now time.Time) (*http.Response, error) {
				at := now.Add(time.Minute).UTC().Format(http.TimeFormat)
				return status(429, jsonType, tooMany, "Retry-After", at)(req, nil, now)
			}},
		{name: "429 without Retry-After", classes: throttled, trip: status(429, html, "<html>Too Many Requests</html>")},
		{name: "503 with Retry-After", classes: []connectors.Class{connectors.Transient, connectors.Throttled},
			trip: status(503, html, page503, "Retry-After", "3")},
		{name: "500 with HTML", classes: transient, trip: status(500, html, "<p>There has been a critical error on this website.</p>")},
		{name: "502 with HTML", classes: transient, trip: status(502, html, "<html><body>Bad Gateway</body></html>")},
		{name: "504 with nothing", classes: transient, trip: status(504, "", "")},
		{name: "200 with HTML", classes: nonsense, trip: status(200, html, page503)},
		{name: "200 with an error object", classes: nonsense, trip: status(200, jsonType, `{"code":"internal_error","message":"Something went wrong","data":null}`)},
		{name: "200 with nothing", classes: nonsense, trip: status(200, jsonType, "")},
		{name: "401", classes: denied, trip: status(401, jsonType, `{"code":"cannot_view","message":"Sorry, you cannot list resources.","data":{"status":401}}`)},
		{name: "403 with HTML", classes: nonsense, trip: status(403, html, "<html><body>Access denied by the firewall</body></html>")},
		{name: "404 with HTML", classes: nonsense, trip: status(404, html, "<html><body>Page not found</body></html>")},
		{name: "redirect to another host", classes: denied, trip: status(301, html, "", "Location", "https://"+elsewhere+"/")},
		{name: "connection refused", classes: transient, trip: broken(&netError{syscall.ECONNREFUSED})},
		{name: "connection reset", classes: transient, trip: broken(&netError{syscall.ECONNRESET})},
		{name: "connection closed without an answer", classes: transient, trip: broken(io.ErrUnexpectedEOF)},
		{name: "expired certificate", classes: denied, trip: broken(&tls.CertificateVerificationError{
			Err: x509.CertificateInvalidError{Cert: &x509.Certificate{}, Reason: x509.Expired}})},
		{name: "no answer ever", classes: transient, trip: func(req *http.Request, _ http.RoundTripper, _ time.Time) (*http.Response, error) {
			<-req.Context().Done()
			return nil, req.Context().Err()
		}},
		{name: "slow answer", trip: func(req *http.Request, next http.RoundTripper, _ time.Time) (*http.Response, error) {
			select {
			case <-time.After(20 * time.Second):
				return next.RoundTrip(req)
			case <-req.Context().Done():
				return nil, req.Context().Err()
			}
		}},
		{name: "body that stalls", classes: transient, trip: rewritten(func(req *http.Request, body []byte) (io.Reader, int64) {
			return io.MultiReader(bytes.NewReader(body[:len(body)/2]), stall{req.Context()}), int64(len(body))
		})},
		{name: "body cut off", classes: transient, trip: rewritten(func(_ *http.Request, body []byte) (io.Reader, int64) {
			return io.MultiReader(bytes.NewReader(body[:len(body)/2]), fails{io.ErrUnexpectedEOF}), int64(len(body))
		})},
		{name: "body cut off without a sign", classes: nonsense, trip: rewritten(func(_ *http.Request, body []byte) (io.Reader, int64) {
			return bytes.NewReader(body[:len(body)/2]), -1
		})},
		{name: "body cut off after a row", classes: nonsense, trip: rewritten(func(_ *http.Request, body []byte) (io.Reader, int64) {
			cut := max(bytes.LastIndexByte(body, '}'), 0)
			return bytes.NewReader(body[:cut]), -1
		})},
		{name: "notice before the JSON", classes: nonsense, trip: rewritten(func(_ *http.Request, body []byte) (io.Reader, int64) {
			return io.MultiReader(strings.NewReader("<br />\n<b>Warning</b>:  Undefined array key 0 in <b>/srv/plugin.php</b> on line <b>7</b><br />\n"), bytes.NewReader(body)), -1
		})},
		{name: "notice after the JSON", classes: nonsense, trip: rewritten(func(_ *http.Request, body []byte) (io.Reader, int64) {
			return io.MultiReader(bytes.NewReader(body), strings.NewReader("\n<b>Notice</b>: Undefined index")), -1
		})},
		{name: "endless body", heavy: true, classes: []connectors.Class{connectors.Rejected, connectors.Transient}, trip: rewritten(func(_ *http.Request, body []byte) (io.Reader, int64) {
			return io.MultiReader(bytes.NewReader(body[:1]), io.LimitReader(blanks{}, endless), fails{errEndless}), -1
		})},
		{name: "byte order mark and blank lines before the JSON", trip: rewritten(func(_ *http.Request, body []byte) (io.Reader, int64) {
			return io.MultiReader(strings.NewReader("\xef\xbb\xbf\r\n\n "), bytes.NewReader(body)), -1
		})},
		{name: "blank lines after the JSON", trip: rewritten(func(_ *http.Request, body []byte) (io.Reader, int64) {
			return io.MultiReader(bytes.NewReader(body), strings.NewReader("\r\n\n")), -1
		})},
	}
}

func answer(req *http.Request, code int, h http.Header, body io.Reader, length int64) *http.Response {
	return &http.Response{
		Status: strconv.Itoa(code) + " " + http.StatusText(code), StatusCode: code,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: h, Body: io.NopCloser(body), ContentLength: length, Request: req,
	}
}

// rewritten passes the request on and spoils the body of the answer. Answers
// without a body are left as they are.
func rewritten(spoil func(req *http.Request, body []byte) (io.Reader, int64)) func(*http.Request, http.RoundTripper, time.Time) (*http.Response, error) {
	return func(req *http.Request, next http.RoundTripper, _ time.Time) (*http.Response, error) {
		res, err := next.RoundTrip(req)
		if err != nil {
			return nil, err
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil {
			return nil, err
		}
		if len(body) == 0 {
			res.Body = http.NoBody
			return res, nil
		}
		r, length := spoil(req, body)
		h := res.Header.Clone()
		h.Del("Content-Length")
		if length >= 0 {
			h.Set("Content-Length", strconv.FormatInt(length, 10))
		}
		return answer(req, res.StatusCode, h, r, length), nil
	}
}

// fails ends a body with an error.
type fails struct{ err error }

func (f fails) Read([]byte) (int, error) { return 0, f.err }

// stall is the rest of a body that never comes.
type stall struct{ ctx context.Context }

func (s stall) Read([]byte) (int, error) {
	<-s.ctx.Done()
	return 0, s.ctx.Err()
}

var blankPage = strings.Repeat(" ", 64<<10)

// blanks is a body of blanks, which JSON allows anywhere: only a limit ends it.
type blanks struct{}

func (blanks) Read(p []byte) (int, error) { return copy(p, blankPage), nil }

// netError is what a dialer or a connection reports.
type netError struct{ errno syscall.Errno }

func (e *netError) Error() string   { return "dial tcp 192.0.2.1:443: " + e.errno.Error() }
func (e *netError) Unwrap() error   { return e.errno }
func (e *netError) Timeout() bool   { return false }
func (e *netError) Temporary() bool { return errors.Is(e.errno, syscall.ECONNRESET) }
