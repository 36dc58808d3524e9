package rest

import (
	"context"
	"net/http"
	"time"

	"github.com/go-resty/resty/v2"
)

// Call is a question whose answer only its dialect can judge.
type Call struct {
	// Op says in an error what was being done ("shopify: list orders").
	Op      string
	Address string
	Header  http.Header
	// Body is sent as it is; Header names its type.
	Body []byte
	// Once: the call makes something anew, or writes over what may have changed
	// meanwhile. It is tried again only where the shop cannot have taken it.
	Once bool
	// Before, when set, is called on each attempt just before it is sent, and
	// may wait. Its error ends the request.
	Before func(context.Context) error
	// Judge, when set, looks at each answer of 200 to 299, and reports whether
	// it is a refusal that may pass. The wait before the next attempt is as
	// given, within Options.MinWait; 0 leaves it to the back-off. A wait beyond
	// Options.MaxWait is not waited for: the answer is returned as it is, and
	// so it is when all attempts were used up.
	Judge func(*Response) (wait time.Duration, again bool)
}

// Post sends a call. Errors are those of Get.
func (c *Client) Post(ctx context.Context, call Call) (*Response, error) {
	return c.call(ctx, http.MethodPost, call)
}

// Put sends a call that changes what is there. Errors are those of Get.
func (c *Client) Put(ctx context.Context, call Call) (*Response, error) {
	return c.call(ctx, http.MethodPut, call)
}

func (c *Client) call(ctx context.Context, method string, call Call) (*Response, error) {
	req := c.resty.R().SetContext(context.WithValue(ctx, callKey{}, &pending{Call: call})).SetBody(call.Body)
	for name, values := range call.Header {
		req.Header[name] = values
	}
	return c.send(ctx, req, method, call.Op, call.Address)
}

// pending is a call on its way.
type pending struct {
	Call
	wait time.Duration // before the next attempt, as judged
}

// callKey holds the pending call of a request in its context.
type callKey struct{}

func callOf(ctx context.Context) *pending {
	call, _ := ctx.Value(callKey{}).(*pending)
	return call
}

// judge asks the dialect whether an answer is worth another attempt.
func (c *Client) judge(res *resty.Response) bool {
	call := callOf(res.Request.Context())
	if call == nil || call.Judge == nil {
		return false
	}
	wait, again := call.Judge(&Response{Status: res.StatusCode(), Header: res.Header(), Body: res.Body()})
	call.wait = wait
	return again && wait <= c.opts.MaxWait
}
