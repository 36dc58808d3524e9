package rest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"comptoir/connectors"

	"github.com/rs/zerolog"
)

func post(ctx context.Context, c *Client, change func(*Call)) (*Response, error) {
	call := Call{Op: "test: ask", Address: address, Body: []byte(`{"q":1}`), Header: http.Header{"Content-Type": {"application/json"}}}
	if change != nil {
		change(&call)
	}
	return c.Post(ctx, call)
}

// Each attempt sends the body anew, and is announced before.
func TestPostSendsItsBodyOnEachAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen []string
		before := 0
		c, n := client(func(n int, req *http.Request) (*http.Response, error) {
			body, err := io.ReadAll(req.Body)
			seen = append(seen, req.Method+" "+req.Header.Get("Content-Type")+" "+string(body))
			switch n {
			case 1:
				return nil, syscall.ECONNRESET
			case 2:
				return says(req, 502, ""), err
			}
			return says(req, 200, "ok"), err
		}, nil)
		res, err := post(t.Context(), c, func(call *Call) {
			call.Before = func(context.Context) error { before++; return nil }
		})
		if err != nil || string(res.Body) != "ok" || n.n.Load() != 3 || before != 3 {
			t.Errorf("%d attempts, announced %d times: %v", n.n.Load(), before, err)
		}
		for _, s := range seen {
			if s != `POST application/json {"q":1}` {
				t.Errorf("sent %s", s)
			}
		}
	})
}

// A refusal in an answer of 200 is waited for as its dialect says, and handed
// out where it stays.
func TestRefusalInsideAnAnswer(t *testing.T) {
	judge := func(wait time.Duration) func(*Call) {
		return func(call *Call) {
			call.Judge = func(r *Response) (time.Duration, bool) { return wait, string(r.Body) == "busy" }
		}
	}
	for _, tt := range []struct {
		name     string
		busy     int // so many answers
		wait     time.Duration
		attempts int64
		took     time.Duration
		says     string
	}{
		{"passes", 2, 7 * time.Second, 3, 14 * time.Second, "ok"},
		{"stays", 99, 7 * time.Second, 4, 21 * time.Second, "busy"},
		{"asks for too much patience", 99, time.Minute, 1, 0, "busy"},
		{"is none", 0, 7 * time.Second, 1, 0, "ok"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, n := client(func(n int, req *http.Request) (*http.Response, error) {
					if n <= tt.busy {
						return says(req, 200, "busy"), nil
					}
					return says(req, 200, "ok"), nil
				}, nil)
				begun := time.Now()
				res, err := post(t.Context(), c, judge(tt.wait))
				if err != nil || string(res.Body) != tt.says || n.n.Load() != tt.attempts || time.Since(begun) != tt.took {
					t.Errorf("%+v after %d attempts and %v: %v", res, n.n.Load(), time.Since(begun), err)
				}
			})
		})
	}
	t.Run("without a wait is backed off from", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c, n := client(func(_ int, req *http.Request) (*http.Response, error) { return says(req, 200, "busy"), nil }, nil)
			begun := time.Now()
			if _, err := post(t.Context(), c, judge(0)); err != nil || n.n.Load() != DefaultRetries+1 || time.Since(begun) < DefaultRetries*DefaultMinWait {
				t.Errorf("%d attempts in %v: %v", n.n.Load(), time.Since(begun), err)
			}
		})
	})
}

func TestWaitBeforeAnAttemptEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, n := client(func(_ int, req *http.Request) (*http.Response, error) { return says(req, 200, "ok"), nil }, nil)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := post(ctx, c, func(call *Call) {
			call.Before = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		})
		if !connectors.Ended(err) || n.n.Load() != 0 {
			t.Errorf("%d attempts: %v", n.n.Load(), err)
		}
	})
}

func TestSecretsThatComeUpLaterStayOut(t *testing.T) {
	var log bytes.Buffer
	c, _ := client(func(_ int, req *http.Request) (*http.Response, error) {
		return nil, errors.New("dial with first, second and third")
	}, func(o *Options) {
		o.Secrets, o.MinWait, o.Log = []string{"first"}, time.Millisecond, zerolog.New(&log)
	})
	c.Conceal("second")
	c.Conceal("second", "third")
	_, err := post(t.Context(), c, nil)
	for _, secret := range []string{"first", "second", "third"} {
		if strings.Contains(err.Error(), secret) || strings.Contains(log.String(), secret) {
			t.Errorf("%s is in %q or in the log", secret, err)
		}
	}
}

// What makes something anew is not sent again where the shop may have taken
// it, and is where it was turned away at the door.
func TestOnceIsNotSentAgainWhereTheShopMayHaveTakenIt(t *testing.T) {
	for name, test := range map[string]struct {
		status int
		err    error
		want   int64 // attempts
	}{
		"taken, the answer lost": {err: syscall.ECONNRESET, want: 1},
		"a gateway timed out":    {status: 504, want: 1},
		"unavailable":            {status: 503, want: 1},
		"nobody there":           {err: syscall.ECONNREFUSED, want: 2},
		"too many requests":      {status: 429, want: 2},
	} {
		synctest.Test(t, func(t *testing.T) {
			c, n := client(func(n int, req *http.Request) (*http.Response, error) {
				switch {
				case n > 1:
					return says(req, 200, "ok"), nil
				case test.err != nil:
					return nil, test.err
				default:
					return says(req, test.status, ""), nil
				}
			}, nil)
			_, err := post(t.Context(), c, func(call *Call) { call.Once = true })
			if n.n.Load() != test.want || (err == nil) != (test.want == 2) {
				t.Errorf("%s: %d attempts, %v", name, n.n.Load(), err)
			}
		})
	}
}
