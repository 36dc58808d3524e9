package rest

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/go-resty/resty/v2"
)

// again decides whether an attempt is repeated: where the connection broke or
// the shop stumbled, and only while the shop does not ask for more patience
// than a request has.
func (c *Client) again(res *resty.Response, err error) bool {
	if res != nil {
		if call := callOf(res.Request.Context()); call != nil && call.Once && mayHaveTaken(res, err) {
			return false
		}
	}
	if err != nil {
		return passing(err)
	}
	switch status := res.StatusCode(); {
	case status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable:
		return RetryAfter(res.Header(), c.opts.Now()) <= c.opts.MaxWait
	case status >= 500:
		return c.opts.Final == nil || !c.opts.Final(status, res.Body())
	case status >= 200 && status < 300:
		return c.judge(res)
	default:
		return status >= 400 && c.opts.Mood != nil && c.opts.Mood(status, res.Body())
	}
}

// mayHaveTaken reports whether a request may have had its effect though no
// success was heard of. What was turned away at the door had none.
func mayHaveTaken(res *resty.Response, err error) bool {
	if err != nil {
		return !errors.Is(err, syscall.ECONNREFUSED) && !errors.As(err, new(*net.DNSError))
	}
	status := res.StatusCode()
	return status < 200 || status >= 300 && status < 400 || status > 499 // of a refusal inside an answer, Judge knows
}

// passing reports whether the same request may well succeed in a moment. A
// time-out is not tried again: it has taken long enough, and who asked may
// ask for less.
func passing(err error) bool {
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded),
		errors.Is(err, ErrTimeout), errors.Is(err, ErrTooLarge):
		return false
	}
	_, ours := misconfigured(err)
	return !ours
}

// retryAfter tells resty how long to wait; 0 means its own back-off.
func (c *Client) retryAfter(_ *resty.Client, res *resty.Response) (time.Duration, error) {
	if res == nil || res.RawResponse == nil {
		return 0, nil
	}
	if call := callOf(res.Request.Context()); call != nil && call.wait > 0 {
		return call.wait, nil
	}
	return RetryAfter(res.Header(), c.opts.Now()), nil
}

// logRetry also lets go of an answer that is of no use, where resty does not.
// It is called after the last attempt too, whose answer is still read.
func (c *Client) logRetry(res *resty.Response, err error) {
	if res != nil && res.RawResponse != nil && streams(res.Request.Context()) && res.Request.Attempt <= c.opts.Retries {
		_ = res.RawResponse.Body.Close()
	}
	event := c.opts.Log.Debug()
	if res != nil && res.RawResponse != nil {
		event = event.Int("status", res.StatusCode())
	}
	if res != nil && res.Request != nil {
		event = event.Int("attempt", res.Request.Attempt)
	}
	if err != nil {
		event = event.Str("error", c.redact.clean(bare(err).Error()))
	}
	event.Msg("request is tried again")
}

// RetryAfter reads the header of that name, in seconds or as a date. It is 0
// where there is none, where it cannot be read, and where the date has passed.
func RetryAfter(h http.Header, now time.Time) time.Duration {
	text := strings.TrimSpace(h.Get("Retry-After"))
	if seconds, err := strconv.ParseInt(text, 10, 32); err == nil {
		return max(time.Duration(seconds)*time.Second, 0)
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(at.Sub(now), 0)
	}
	return 0
}
