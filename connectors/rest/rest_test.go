package rest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"comptoir/connectors"

	"github.com/rs/zerolog"
)

// wire is a server in memory, so that the tests run in virtual time.
type wire func(n int, req *http.Request) (*http.Response, error)

// says is an answer.
func says(req *http.Request, status int, body string, header ...string) *http.Response {
	h := http.Header{}
	for i := 0; i+1 < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: req}
}

// counting numbers the requests that it passes on.
type counting struct {
	wire wire
	n    atomic.Int64
}

func (c *counting) RoundTrip(req *http.Request) (*http.Response, error) {
	return c.wire(int(c.n.Add(1)), req)
}

func client(w wire, change func(*Options)) (*Client, *counting) {
	c := &counting{wire: w}
	o := Options{Transport: c, Now: time.Now, Log: zerolog.Nop()}
	if change != nil {
		change(&o)
	}
	return New(o), c
}

const address = "https://shop.example/wp-json/wc/v3/orders"

func get(ctx context.Context, c *Client) (*Response, error) {
	return c.Get(ctx, "test: list orders", address, url.Values{"page": {"1"}}, nil)
}

func classOf(t *testing.T, err error) *connectors.Error {
	t.Helper()
	var e *connectors.Error
	if !errors.As(err, &e) {
		t.Fatalf("%v is no error of a connector", err)
	}
	return e
}

// What may pass is tried again; what stays is not.
func TestWhatIsTriedAgain(t *testing.T) {
	refused := func(status int, body string, header ...string) wire {
		return func(_ int, req *http.Request) (*http.Response, error) { return says(req, status, body, header...), nil }
	}
	breaks := func(err error) wire {
		return func(int, *http.Request) (*http.Response, error) { return nil, err }
	}
	for _, tt := range []struct {
		name     string
		wire     wire
		attempts int64
		class    connectors.Class
		after    time.Duration
	}{
		{"500", refused(500, "x"), 4, connectors.Transient, 0},
		{"502", refused(502, "x"), 4, connectors.Transient, 0},
		{"a 500 that was meant", refused(500, "final"), 1, connectors.Transient, 0},
		{"503", refused(503, "x"), 4, connectors.Transient, 0},
		{"503 for a moment", refused(503, "x", "Retry-After", "2"), 4, connectors.Throttled, 2 * time.Second},
		{"429", refused(429, "x"), 4, connectors.Throttled, 0},
		{"429 for an hour", refused(429, "x", "Retry-After", "3600"), 1, connectors.Throttled, time.Hour},
		{"400", refused(400, "x"), 1, connectors.Rejected, 0},
		{"404", refused(404, "x"), 1, connectors.Rejected, 0},
		{"408", refused(408, "x"), 1, connectors.Transient, 0},
		{"401", refused(401, "x"), 1, connectors.Denied, 0},
		{"403", refused(403, "x"), 1, connectors.Denied, 0},
		{"redirect", refused(301, "", "Location", "https://elsewhere.example/"), 1, connectors.Denied, 0},
		{"reset", breaks(syscall.ECONNRESET), 4, connectors.Transient, 0},
		{"refused", breaks(syscall.ECONNREFUSED), 4, connectors.Transient, 0},
		{"closed", breaks(io.ErrUnexpectedEOF), 4, connectors.Transient, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, n := client(tt.wire, func(o *Options) {
					o.Final = func(_ int, body []byte) bool { return string(body) == "final" }
				})
				_, err := get(t.Context(), c)
				e := classOf(t, err)
				if e.Class != tt.class || e.RetryAfter != tt.after || n.n.Load() != tt.attempts {
					t.Errorf("%s, retry after %v, %d attempts; want %s, %v, %d: %v", e.Class, e.RetryAfter, n.n.Load(), tt.class, tt.after, tt.attempts, err)
				}
				if e.Op != "test: list orders" {
					t.Errorf("op %q", e.Op)
				}
			})
		})
	}
}

func TestRetryAfterIsWaitedFor(t *testing.T) {
	for _, header := range []func(time.Time) string{
		func(time.Time) string { return "7" },
		func(now time.Time) string { return now.Add(7 * time.Second).UTC().Format(http.TimeFormat) },
	} {
		synctest.Test(t, func(t *testing.T) {
			begun := time.Now()
			c, _ := client(func(n int, req *http.Request) (*http.Response, error) {
				if n == 1 {
					return says(req, 429, "", "Retry-After", header(time.Now())), nil
				}
				return says(req, 200, "[]"), nil
			}, nil)
			if _, err := get(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(begun); took < 7*time.Second || took > 8*time.Second {
				t.Errorf("waited %v", took)
			}
		})
	}
}

func TestWaitsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		c, n := client(func(_ int, req *http.Request) (*http.Response, error) { return says(req, 502, ""), nil },
			func(o *Options) { o.Retries, o.MinWait, o.MaxWait = 10, time.Second, 3*time.Second })
		_, err := get(t.Context(), c)
		if took := time.Since(begun); took > 30*time.Second || n.n.Load() != 11 {
			t.Errorf("%d attempts in %v: %v", n.n.Load(), took, err)
		}
	})
}

func TestRetryAfterHeader(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"": 0, "5": 5 * time.Second, " 5 ": 5 * time.Second, "-5": 0, "soon": 0, "99999999999999": 0,
		"Mon, 23 Nov 2026 12:01:00 GMT": time.Minute, "Mon, 23 Nov 2026 11:00:00 GMT": 0,
	} {
		if got := RetryAfter(http.Header{"Retry-After": {text}}, now); got != want {
			t.Errorf("%q is %v, want %v", text, got, want)
		}
	}
}

// The wait for a retry, and for a slot, ends with the context; the error is
// the context's own.
func TestContextEndsEveryWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, n := client(func(_ int, req *http.Request) (*http.Response, error) {
			return says(req, 503, "", "Retry-After", "15"), nil
		}, nil)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begun := time.Now()
		if _, err := get(ctx, c); !connectors.Ended(err) || n.n.Load() != 1 || time.Since(begun) > time.Second {
			t.Errorf("%v after %v and %d attempts", err, time.Since(begun), n.n.Load())
		}
	})
	synctest.Test(t, func(t *testing.T) {
		c, n := client(func(_ int, req *http.Request) (*http.Response, error) {
			<-req.Context().Done()
			return nil, req.Context().Err()
		}, func(o *Options) { o.MaxInFlight = 1 })
		first, stop := context.WithCancel(t.Context())
		go func() { _, _ = get(first, c) }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := get(ctx, c); !connectors.Ended(err) || n.n.Load() != 1 {
			t.Errorf("%v after %d attempts", err, n.n.Load())
		}
		stop()
		synctest.Wait()
	})
}

func TestOnlySoManyInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var now, most atomic.Int64
		c, _ := client(func(_ int, req *http.Request) (*http.Response, error) {
			most.Store(max(most.Load(), now.Add(1)))
			time.Sleep(time.Second)
			now.Add(-1)
			return says(req, 200, "[]"), nil
		}, nil)
		done := make(chan error)
		for range 10 {
			go func() {
				_, err := get(t.Context(), c)
				done <- err
			}()
		}
		for range 10 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if most.Load() != DefaultMaxInFlight {
			t.Errorf("%d at once", most.Load())
		}
	})
}

// A time-out is the shop's failing and not the end of the caller's context. It
// is not tried again, and counts from when the request had its slot.
func TestTimeout(t *testing.T) {
	for name, w := range map[string]wire{
		"no answer": func(_ int, req *http.Request) (*http.Response, error) {
			<-req.Context().Done()
			return nil, req.Context().Err()
		},
		"half a body": func(_ int, req *http.Request) (*http.Response, error) {
			res := says(req, 200, "")
			res.ContentLength = -1
			res.Body = io.NopCloser(io.MultiReader(strings.NewReader("[1,"), stalled{req.Context()}))
			return res, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, n := client(w, func(o *Options) { o.Timeout = 10 * time.Second })
				begun := time.Now()
				_, err := get(t.Context(), c)
				e := classOf(t, err)
				if e.Class != connectors.Transient || !errors.Is(err, ErrTimeout) || connectors.Ended(err) || n.n.Load() != 1 {
					t.Errorf("%s after %d attempts: %v", e.Class, n.n.Load(), err)
				}
				if took := time.Since(begun); took != 10*time.Second || !strings.Contains(err.Error(), "10s") {
					t.Errorf("after %v: %v", took, err)
				}
			})
		})
	}
}

type stalled struct{ ctx context.Context }

func (s stalled) Read([]byte) (int, error) {
	<-s.ctx.Done()
	return 0, s.ctx.Err()
}

// endless gives away who reads on.
type endless struct{ read *int64 }

func (e endless) Read(p []byte) (int, error) {
	*e.read += int64(len(p))
	return len(p), nil
}

func TestLargeBodiesAreNotRead(t *testing.T) {
	for _, announced := range []bool{true, false} {
		var read int64
		c, n := client(func(_ int, req *http.Request) (*http.Response, error) {
			res := says(req, 200, "")
			res.Body, res.ContentLength = io.NopCloser(endless{&read}), -1
			if announced {
				res.ContentLength = 2 << 30
			}
			return res, nil
		}, func(o *Options) { o.MaxBody = 1 << 20 })
		_, err := get(t.Context(), c)
		if e := classOf(t, err); e.Class != connectors.Rejected || !errors.Is(err, ErrTooLarge) || n.n.Load() != 1 {
			t.Errorf("%s after %d attempts: %v", e.Class, n.n.Load(), err)
		}
		if read > 3<<20 || announced && read > 0 {
			t.Errorf("announced %v: %d bytes were read", announced, read)
		}
	}
}

func TestBodyShorterThanAnnounced(t *testing.T) {
	c, n := client(func(n int, req *http.Request) (*http.Response, error) {
		res := says(req, 200, `[{"id":1},`)
		if n == 1 {
			res.ContentLength = 1000
		}
		return res, nil
	}, func(o *Options) { o.MinWait = time.Millisecond })
	res, err := get(t.Context(), c)
	if err != nil || n.n.Load() != 2 || string(res.Body) != `[{"id":1},` {
		t.Errorf("%d attempts, %v", n.n.Load(), err)
	}
}

// A redirect could hand the credentials to another host.
func TestRedirectsAreNotFollowed(t *testing.T) {
	c, n := client(func(_ int, req *http.Request) (*http.Response, error) {
		return says(req, 307, "", "Location", "//user:pw@elsewhere.example/shop?consumer_secret=cs_1#x"), nil
	}, nil)
	_, err := get(t.Context(), c)
	var status *StatusError
	if !errors.As(err, &status) || status.Location != "https://elsewhere.example/shop" || n.n.Load() != 1 {
		t.Errorf("%d requests: %+v", n.n.Load(), status)
	}
	if e := classOf(t, err); e.Class != connectors.Denied || e.Fix == "" {
		t.Errorf("%+v", e)
	}
}

func TestSecretsStayOut(t *testing.T) {
	const secret = "cs /+geheim"
	var log bytes.Buffer
	c, _ := client(func(_ int, req *http.Request) (*http.Response, error) {
		return nil, fmt.Errorf("dial %s with %s", req.URL, secret)
	}, func(o *Options) {
		o.Secrets, o.MinWait, o.Log = []string{"", secret, "ck_1"}, time.Millisecond, zerolog.New(&log)
		o.Prepare = func(req *http.Request) error {
			req.URL.RawQuery = url.Values{"s": {secret}, "k": {"ck_1"}}.Encode()
			return nil
		}
	})
	_, err := get(t.Context(), c)
	for where, text := range map[string]string{"error": err.Error(), "log": log.String(), "redacted": c.Redact("ck_1 " + url.QueryEscape(secret))} {
		for _, form := range []string{secret, url.QueryEscape(secret), "geheim", "ck_1"} {
			if strings.Contains(text, form) {
				t.Errorf("%s holds %q: %s", where, form, text)
			}
		}
	}
	if log.Len() == 0 {
		t.Error("nothing was logged")
	}
}

// Each attempt is prepared anew, so that a signature can be made for it.
func TestEachAttemptIsPrepared(t *testing.T) {
	prepared := 0
	var seen []string
	c, _ := client(func(n int, req *http.Request) (*http.Response, error) {
		seen = append(seen, req.URL.RawQuery)
		if n < 3 {
			return says(req, 502, ""), nil
		}
		return says(req, 200, "[]"), nil
	}, func(o *Options) {
		o.MinWait = time.Millisecond
		o.Prepare = func(req *http.Request) error {
			prepared++
			req.URL.RawQuery += fmt.Sprintf("&nonce=%d", prepared)
			return nil
		}
	})
	if _, err := get(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(seen, " "); got != "page=1&nonce=1 page=1&nonce=2 page=1&nonce=3" {
		t.Errorf("asked %s", got)
	}
}
