package rest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"comptoir/connectors"
)

// Stream asks for a file and returns it from offset (in bytes) on, as it
// comes in. It takes no place among the requests in flight, since it may take
// long and is read while others are made; Timeout bounds each wait for more of
// it, and MaxBody does not bind it. Attempts are repeated only until it begins:
// who reads it asks again from where it broke. Close it. The errors of the
// reader are those of Get.
func (c *Client) Stream(ctx context.Context, op, address string, header http.Header, offset int64) (io.ReadCloser, error) {
	req := c.resty.R().SetContext(context.WithValue(ctx, streamKey{}, true)).SetDoNotParseResponse(true)
	for name, values := range header {
		req.Header[name] = values
	}
	// An offset counts bytes of the file, not of a compressed answer.
	req.Header.Set("Accept-Encoding", "identity")
	if offset > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", offset))
	}
	answered, err := req.Get(address)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, c.failed(op, address, err)
	}
	file := &stream{c: c, ctx: ctx, op: op, address: address, ReadCloser: answered.RawResponse.Body}
	if err := c.begin(file, answered.RawResponse, offset); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// begin brings file to offset, however the server took the question for it.
func (c *Client) begin(file *stream, res *http.Response, offset int64) error {
	switch {
	case res.StatusCode == http.StatusPartialContent && startOf(res) == offset:
		return nil
	case res.StatusCode == http.StatusRequestedRangeNotSatisfiable && lengthOf(res) == offset:
		file.ended = true
		return nil
	case res.StatusCode == http.StatusOK:
		if _, err := io.CopyN(io.Discard, file, offset); err != nil {
			if err == io.EOF {
				err = c.Fail(connectors.Rejected, file.op, fmt.Errorf("the file has fewer than the %d bytes that were read of it before", offset), "")
			}
			return err
		}
		return nil
	case res.StatusCode < 200 || res.StatusCode > 299:
		body, _ := io.ReadAll(io.LimitReader(file, refusalSize))
		return c.refused(file.op, res, body)
	default:
		return c.Fail(connectors.Transient, file.op, fmt.Errorf("asked for a file from byte %d on, the server answered %d with %q", offset, res.StatusCode, res.Header.Get("Content-Range")), "")
	}
}

// refusalSize is how much is read of an answer that is not the file.
const refusalSize = 64 << 10

// startOf returns where a part of a file begins, from "bytes 5-9/10"; -1 where
// the answer does not say.
func startOf(res *http.Response) int64 {
	span, _ := strings.CutPrefix(res.Header.Get("Content-Range"), "bytes ")
	first, _, _ := strings.Cut(span, "-")
	return number(first)
}

// lengthOf returns how long the whole file is, from "bytes */10"; -1 where the
// answer does not say.
func lengthOf(res *http.Response) int64 {
	_, length, _ := strings.Cut(res.Header.Get("Content-Range"), "/")
	return number(length)
}

func number(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return -1
	}
	return n
}

// stream is a file that is coming in.
type stream struct {
	io.ReadCloser
	c           *Client
	ctx         context.Context
	op, address string
	ended       bool
}

func (s *stream) Read(p []byte) (int, error) {
	if s.ended {
		return 0, io.EOF
	}
	n, err := s.ReadCloser.Read(p)
	switch {
	case err == nil, err == io.EOF:
		return n, err
	case s.ctx.Err() != nil:
		return n, s.ctx.Err()
	default:
		return n, s.c.failed(s.op, s.address, err)
	}
}

// streamKey marks the context of a request whose answer is a stream.
type streamKey struct{}

func streams(ctx context.Context) bool { return ctx.Value(streamKey{}) != nil }

// stream carries an attempt whose answer is read for as long as more of it
// comes in.
func (g *guard) stream(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(req.Context())
	alarm := time.AfterFunc(g.timeout, func() { cancel(ErrTimeout) })
	end := sync.OnceFunc(func() {
		alarm.Stop()
		cancel(nil)
	})
	res, err := g.next.RoundTrip(req.WithContext(ctx))
	if err == nil {
		alarm.Stop()
		res.Body = &watched{res.Body, alarm, g.timeout}
		err = g.unpack(res, limits{ctx: ctx, most: math.MaxInt64, end: end})
	}
	if err != nil {
		err = timedOut(ctx, err)
		end()
		return nil, err
	}
	return res, nil
}

// watched sets the alarm for as long as it waits for the next piece. The time
// that its reader takes between two is its own.
type watched struct {
	io.ReadCloser
	alarm   *time.Timer
	timeout time.Duration
}

func (w *watched) Read(p []byte) (int, error) {
	w.alarm.Reset(w.timeout)
	defer w.alarm.Stop()
	return w.ReadCloser.Read(p)
}
