package rest

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

var (
	// ErrTimeout means that one attempt took longer than Options.Timeout.
	ErrTimeout = errors.New("the shop did not answer in time")
	// ErrTooLarge means that an answer is larger than Options.MaxBody. It was
	// not read to its end.
	ErrTooLarge = errors.New("the answer is too large")
)

// guard is the transport under resty: it keeps the number of requests in
// flight, the time of an attempt and the size of an answer within their
// limits, and unpacks answers.
type guard struct {
	next    http.RoundTripper
	slots   chan struct{}
	timeout time.Duration
	maxBody int64
}

func newGuard(o Options) *guard {
	g := &guard{next: o.Transport, slots: make(chan struct{}, o.MaxInFlight), timeout: o.Timeout, maxBody: o.MaxBody}
	if g.next == nil {
		g.next = http.DefaultTransport.(*http.Transport).Clone()
	}
	return g
}

// RoundTrip carries one attempt. Its time begins when it has a slot, and the
// slot is held until the answer was read.
func (g *guard) RoundTrip(req *http.Request) (*http.Response, error) {
	if streams(req.Context()) {
		return g.stream(req)
	}
	select {
	case g.slots <- struct{}{}:
	case <-req.Context().Done():
		return nil, req.Context().Err()
	}
	ctx, cancel := context.WithTimeoutCause(req.Context(), g.timeout, ErrTimeout)
	end := sync.OnceFunc(func() {
		cancel()
		<-g.slots
	})
	res, err := g.next.RoundTrip(req.WithContext(ctx))
	if err == nil {
		err = g.unpack(res, limits{ctx: ctx, most: g.maxBody, end: end})
	}
	if err != nil {
		err = timedOut(ctx, err)
		end()
		return nil, err
	}
	return res, nil
}

// unpack puts the limits on the body of res, and takes off a compression that
// the transport has left: some servers compress without saying so.
func (g *guard) unpack(res *http.Response, l limits) error {
	if res.ContentLength > l.most {
		_ = res.Body.Close()
		return g.tooLarge()
	}
	plain := bufio.NewReader(&counted{r: res.Body, want: res.ContentLength})
	body := &answer{r: plain, closer: res.Body, limits: l, guard: g, left: l.most}
	// A body shorter than two bytes, or one that fails at once, fails again
	// when it is read.
	if magic, _ := plain.Peek(2); len(magic) == 2 && magic[0] == 0x1f && magic[1] == 0x8b {
		unzipped, err := gzip.NewReader(plain)
		if err != nil {
			_ = res.Body.Close()
			return fmt.Errorf("unpack the answer: %w", err)
		}
		body.r = unzipped
		res.ContentLength, res.Uncompressed = -1, true
		res.Header.Del("Content-Encoding")
		res.Header.Del("Content-Length")
	}
	res.Body = body
	return nil
}

func (g *guard) tooLarge() error {
	return fmt.Errorf("%w: more than %d bytes", ErrTooLarge, g.maxBody)
}

// timedOut names the limit where err comes from it.
func timedOut(ctx context.Context, err error) error {
	if context.Cause(ctx) == ErrTimeout {
		return ErrTimeout
	}
	return err
}

// limits are those of one answer.
type limits struct {
	ctx  context.Context // of the attempt
	most int64           // bytes
	end  func()          // called when the answer is closed
}

// answer is a body within its limits.
type answer struct {
	limits
	r      io.Reader
	closer io.Closer
	guard  *guard
	left   int64
}

func (a *answer) Read(p []byte) (int, error) {
	n, err := a.r.Read(p)
	if a.left -= int64(n); a.left < 0 {
		return 0, a.guard.tooLarge()
	}
	if err != nil && err != io.EOF {
		err = timedOut(a.ctx, err)
	}
	return n, err
}

// Close gives the slot free. What was not read is not read any more.
func (a *answer) Close() error {
	err := a.closer.Close()
	a.end()
	return err
}

// counted tells a body that ends before its declared length from a whole one.
type counted struct {
	r    io.Reader
	got  int64
	want int64 // -1: not declared
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.got += int64(n)
	if err == io.EOF && c.got < c.want {
		return n, io.ErrUnexpectedEOF
	}
	return n, err
}
